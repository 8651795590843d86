#pragma once
/* The machine's clocks and its randomness: what engines are told and given. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"

#include <stddef.h>

/* Monotonic and counting while the machine sleeps (CLOCK_BOOTTIME): a key must age then, too. */
instant_t host_now(void);
wall_t host_wall(void);
struct timespec;
void host_wall_exact(struct timespec *ret);
/* The calendar time of an instant, as far as the clocks agree now; INSTANT_NEVER gives 0. */
wall_t host_wall_of(instant_t at);
/* Another one after each reboot; where the system does not tell it, another one each time. */
enum { HOST_BOOT_ID = 16 };
void host_boot_id(uint8_t out[HOST_BOOT_ID]);
/* From the kernel's generator; waits until it is seeded, at boot. */
void host_random(uint8_t *out, size_t len);

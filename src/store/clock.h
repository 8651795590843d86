#pragma once
/* The store's own time. Instants in rows must mean something to the next process, also after a
 * reboot, and whatever somebody does to the calendar meanwhile (decisions M12). So the store has a
 * clock that goes on over reboots: an engine's clock minus a shift. Within one boot both run on
 * CLOCK_BOOTTIME and the shift stays what it was; over a reboot the calendar tells how long the
 * machine was away. */
#include "base/bytes.h"
#include "base/instant.h"

enum { STORE_BOOT_ID = 16 };

/* Noted with each transaction: what the clocks showed, and how they were understood then. */
struct store_clock {
    uint8_t boot_id[STORE_BOOT_ID]; /* other after each reboot */
    instant_t boottime;             /* the engine's clock, CLOCK_BOOTTIME */
    int64_t realtime_ns;            /* CLOCK_REALTIME, since 1970 */
    span_t shift;                   /* from the store's time to the engine's */
};
struct store_shift {
    span_t shift;
    bool
        lost; /* the clocks went back: nobody knows how long it was, so the time away counts as 0 */
};

/* now.shift is not read. */
struct store_shift store_shift(const struct store_clock *noted, const struct store_clock *now);

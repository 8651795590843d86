#pragma once
/* Time stamps in front of the inner packet: IP-D3P, draft-weis-delay-detection-03 2.1. They tell
 * the group clock, which a member reads as its own clock plus an offset.
 *
 *    next header (1)   type (1)   length (2)
 *    seconds (4): the lowest 32 bits of the time since 1970
 *    microseconds (4) */
#include "base/instant.h"
#include "esp/stats.h"

#include <stddef.h>

enum { ESP_STAMP = 12, ESP_STAMP_POSIX_TIME = 1 };

/* The group clock of one VPN: how far it is ahead of the clock that the pipelines are told. Written
 * by the control thread, read by the pipelines without a lock. */
struct esp_clock {
    int64_t offset_ns;
};
#define ESP_CLOCK_UNSET ((struct esp_clock){INT64_MIN})

static inline void esp_clock_set(struct esp_clock *c, span_t offset)
{
    __atomic_store_n(&c->offset_ns, offset.ns, __ATOMIC_RELAXED);
}
static inline bool esp_clock_is_set(const struct esp_clock *c)
{
    return __atomic_load_n(&c->offset_ns, __ATOMIC_RELAXED) != INT64_MIN;
}
/* Time since 1970. */
static inline span_t esp_clock_read(const struct esp_clock *c, instant_t now)
{
    return (span_t){now.ns + __atomic_load_n(&c->offset_ns, __ATOMIC_RELAXED)};
}

/* Writes ESP_STAMP octets; `time` since 1970. An IPv4 packet follows. */
void esp_stamp_write(uint8_t *at, span_t time);
/* What the receiver says of the header at `text`: ESP_DECRYPTED, or why the packet is dropped. The
 * window of window_ms in all is centred around `time` (2.3); times wrap at 2^32 seconds. */
enum esp_stat esp_stamp_check(const uint8_t *text, size_t len, span_t time, uint32_t window_ms);

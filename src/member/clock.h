#pragma once
/* The group clock as a member knows it (decisions M21): the member's own clock plus an offset. Its
 * calendar plays no part, so a wrong one harms nobody.
 *
 * A registration measures it: the server looked at its clock at some time between message 3 and
 * message 4, both of which the member has seen, so that whoever holds one of them back gains half
 * of a short round trip. Heartbeats come one way, and nobody knows how long they took; they may
 * move the clock forward freely, but back only as fast as two honest clocks can differ. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"

enum {
    MEMBER_CLOCK_DRIFT_PPM = 100,      /* between two honest clocks, slewing included */
    MEMBER_CLOCK_ROUND_TRIP_MAX_S = 2, /* of messages 3 and 4, and at most this ... */
    MEMBER_CLOCK_WINDOW_PART = 4,      /* ... part of the anti-replay window */
};

/* Zeroed: not set. */
struct member_clock {
    bool set;
    span_t offset;      /* what the time since 1970 is ahead of the member's clock */
    instant_t measured; /* by the last registration */
    instant_t heard;    /* by anything */
};

/* `stamp`: what the server's clock showed, in a message that came at `now` and answers one sent at
 * `asked`. ERR_TIMEOUT: that took too long for this window (0: no time stamps); a clock that is set
 * moves only as far as it cannot have been right. */
MUST_USE enum err member_clock_measure(struct member_clock *c, span_t stamp, instant_t asked,
                                       instant_t now, uint32_t window_ms);
/* The same in a message that nobody asked for. The clock must be set. */
void member_clock_hear(struct member_clock *c, span_t stamp, instant_t now);
/* How long ago the server's clock showed `stamp`: not less than nothing. The clock must be set. */
span_t member_clock_age(const struct member_clock *c, span_t stamp, instant_t now);
/* When it is to be measured again: before it can have drifted by that part of the window. NEVER
 * without time stamps. */
instant_t member_clock_due(const struct member_clock *c, uint32_t window_ms);

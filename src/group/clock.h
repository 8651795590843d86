#pragma once
/* The group clock (decisions M21): the time since 1970 that all members of this server's groups
 * stamp their packets with. It starts with UTC, goes on with the engine's clock, and is slewed
 * towards UTC: never stepped, never back, so that a wrong or changed calendar cannot make members
 * refuse one another. */
#include "base/instant.h"

enum {
    /* Members reckon with 100 millionths between their clock and this one (member/clock.h): half of
     * it is for the oscillators, half for the slewing. */
    GROUP_CLOCK_SLEW_PPM = 50,
    GROUP_CLOCK_FAR_S = 1,   /* further from UTC the operator is told */
    GROUP_CLOCK_KEEP_S = 60, /* its row is written so often */
};

/* Zeroed: not set. */
struct group_clock {
    bool set, far;
    instant_t at;  /* then it ... */
    span_t time;   /* ... showed this, since 1970, ... */
    span_t behind; /* ... and lacked this to UTC; negative: it was ahead */
};

/* Since 1970; the clock is set. Never goes back as `now` does not. */
span_t group_clock_read(const struct group_clock *c, instant_t now);
/* A reading of UTC, since 1970. The first one sets a clock that is not set; others decide the slew
 * until the next one. True when the clock is far from UTC and was not before. */
bool group_clock_sample(struct group_clock *c, instant_t now, span_t utc);
/* As its row had it: `time` at the instant `at`. `lost`: nobody knows how long the server was away
 * (store/clock.h); then it goes on from where it can have been at most. */
void group_clock_restore(struct group_clock *c, instant_t at, span_t time, bool lost);

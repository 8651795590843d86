#pragma once
/* Time as types. instant_t is a point on a node's monotonic clock, span_t a length of time, wall_t
 * the calendar's time, used for certificates and display only. Engines are told the time; they
 * never ask. */
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t ns;
} instant_t;
typedef struct {
    int64_t ns;
} span_t;
typedef struct {
    int64_t s;
} wall_t;

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define INSTANT_NEVER ((instant_t){INT64_MAX})

static inline span_t span_s(int64_t s) { return (span_t){s * NS_PER_S}; }
static inline span_t span_ms(int64_t ms) { return (span_t){ms * NS_PER_MS}; }
static inline span_t span_times(span_t a, int64_t n) { return (span_t){a.ns * n}; }
static inline span_t span_min(span_t a, span_t b) { return a.ns < b.ns ? a : b; }
static inline span_t span_max(span_t a, span_t b) { return a.ns > b.ns ? a : b; }

static inline bool instant_is_never(instant_t a) { return a.ns == INT64_MAX; }
static inline bool instant_before(instant_t a, instant_t b) { return a.ns < b.ns; }
static inline bool instant_reached(instant_t due, instant_t now) { return due.ns <= now.ns; }
static inline instant_t instant_min(instant_t a, instant_t b) { return a.ns < b.ns ? a : b; }
static inline instant_t instant_max(instant_t a, instant_t b) { return a.ns > b.ns ? a : b; }

/* Saturates at INSTANT_NEVER. */
static inline instant_t instant_add(instant_t a, span_t d)
{
    if (instant_is_never(a) || (d.ns > 0 && a.ns > INT64_MAX - d.ns))
        return INSTANT_NEVER;
    return (instant_t){a.ns + d.ns};
}

/* a - b; negative when a is the earlier one. */
static inline span_t instant_since(instant_t a, instant_t b) { return (span_t){a.ns - b.ns}; }

/* Whole seconds left until `due`, rounded up or down, never below 0. */
static inline int64_t instant_left_ceil_s(instant_t due, instant_t now)
{
    return due.ns <= now.ns ? 0 : (due.ns - now.ns - 1) / NS_PER_S + 1;
}
static inline int64_t instant_left_floor_s(instant_t due, instant_t now)
{
    return due.ns <= now.ns ? 0 : (due.ns - now.ns) / NS_PER_S;
}

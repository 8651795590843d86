#include "member/clock.h"

#include <assert.h>

enum { MILLION = 1000000 };

/* Stamps tell 32 bits of seconds, so that times differ modulo this. */
static const int64_t WRAP = (INT64_C(1) << 32) * NS_PER_S;

/* a - b, from half a cycle before to half a cycle behind. */
static int64_t difference(int64_t a, int64_t b)
{
    int64_t d = (a - b) % WRAP;

    if (d >= WRAP / 2)
        return d - WRAP;
    return d < -WRAP / 2 ? d + WRAP : d;
}

static span_t part_of(uint32_t window_ms)
{
    return (span_t){span_ms(window_ms).ns / MEMBER_CLOCK_WINDOW_PART};
}

/* However slow the answer was: the server looked at its clock between the two. */
static void correct(struct member_clock *c, span_t stamp, instant_t asked, instant_t now)
{
    if (!c->set)
        return;
    int64_t above_most = difference(c->offset.ns, stamp.ns - asked.ns);
    int64_t below_least = difference(stamp.ns - now.ns, c->offset.ns);
    if (above_most > 0)
        c->offset.ns -= above_most;
    else if (below_least > 0)
        c->offset.ns += below_least;
}

enum err member_clock_measure(struct member_clock *c, span_t stamp, instant_t asked, instant_t now,
                              uint32_t window_ms)
{
    span_t trip = instant_since(now, asked), most = span_s(MEMBER_CLOCK_ROUND_TRIP_MAX_S);

    if (window_ms)
        most = span_min(most, part_of(window_ms));
    if (trip.ns > most.ns) {
        correct(c, stamp, asked, now);
        return ERR_TIMEOUT;
    }
    c->offset = (span_t){stamp.ns + trip.ns / 2 - now.ns};
    c->measured = c->heard = now;
    c->set = true;
    return ERR_OK;
}

/* offset := max(offset - drift, stamp - arrival). */
void member_clock_hear(struct member_clock *c, span_t stamp, instant_t now)
{
    assert(c->set);
    int64_t drift = instant_since(now, c->heard).ns / MILLION * MEMBER_CLOCK_DRIFT_PPM;
    int64_t ahead = difference(stamp.ns - now.ns, c->offset.ns);

    c->offset.ns += ahead > -drift ? ahead : -drift;
    if (c->offset.ns >= WRAP)
        c->offset.ns -= WRAP; /* the same time to every stamp */
    c->heard = now;
}

span_t member_clock_age(const struct member_clock *c, span_t stamp, instant_t now)
{
    assert(c->set);
    int64_t ahead = difference(stamp.ns - now.ns, c->offset.ns);

    return (span_t){ahead < 0 ? -ahead : 0};
}

instant_t member_clock_due(const struct member_clock *c, uint32_t window_ms)
{
    if (!window_ms || !c->set)
        return INSTANT_NEVER;
    span_t part = part_of(window_ms);
    return instant_add(c->measured, (span_t){part.ns / MEMBER_CLOCK_DRIFT_PPM * MILLION});
}

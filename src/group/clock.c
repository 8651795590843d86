#include "group/clock.h"

#include <assert.h>

enum { MILLION = 1000000 };

static int64_t magnitude(int64_t n) { return n < 0 ? -n : n; }

/* What slewing has added since c->at: at most what was missing. */
static int64_t slewed(const struct group_clock *c, int64_t elapsed)
{
    int64_t most = elapsed / MILLION * GROUP_CLOCK_SLEW_PPM;
    int64_t want = magnitude(c->behind.ns) < most ? magnitude(c->behind.ns) : most;

    return c->behind.ns < 0 ? -want : want;
}

span_t group_clock_read(const struct group_clock *c, instant_t now)
{
    int64_t elapsed = instant_since(now, c->at).ns;

    assert(c->set);
    if (elapsed < 0)
        return c->time;
    return (span_t){c->time.ns + elapsed + slewed(c, elapsed)};
}

bool group_clock_sample(struct group_clock *c, instant_t now, span_t utc)
{
    bool was_far = c->far;

    c->time = c->set ? group_clock_read(c, now) : utc;
    c->at = now;
    c->set = true;
    c->behind = (span_t){utc.ns - c->time.ns};
    c->far = magnitude(c->behind.ns) > span_s(GROUP_CLOCK_FAR_S).ns;
    return c->far && !was_far;
}

void group_clock_restore(struct group_clock *c, instant_t at, span_t time, bool lost)
{
    span_t away = span_s(lost ? 2 * GROUP_CLOCK_KEEP_S : 0); /* rows are written a little late */

    *c = (struct group_clock){.set = true, .at = at, .time = {time.ns + away.ns}};
}

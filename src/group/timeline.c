#include "group/timeline.h"

#include <assert.h>

static instant_t before(instant_t a, span_t d) { return instant_add(a, span_times(d, -1)); }

struct timeline timeline_first(instant_t now, span_t lifetime, span_t atd, bool has_members)
{
    span_t wait = has_members ? span_times(atd, 2) : span_s(0);
    instant_t switch_at = instant_add(now, wait);

    return (struct timeline){.created = now,
                             .switch_at = switch_at,
                             .drop_at = switch_at, /* there is nothing to drop */
                             .expiry = instant_add(now, lifetime)};
}

/* switch_at = min(created + wait, max(created, E - ATD)); drop_at = min(created + wait + ATD, E),
 * but not before the generation exists: a server that was late finds E in the past. */
static struct timeline after(instant_t now, span_t lifetime, span_t atd, instant_t replaced,
                             span_t wait)
{
    instant_t switch_at = instant_add(now, wait);
    instant_t latest = instant_max(now, before(replaced, atd));
    instant_t drop_at = instant_min(instant_add(switch_at, atd), replaced);

    return (struct timeline){.created = now,
                             .switch_at = instant_min(switch_at, latest),
                             .drop_at = instant_max(now, drop_at),
                             .expiry = instant_add(now, lifetime)};
}

struct timeline timeline_after(instant_t now, span_t lifetime, span_t atd, instant_t replaced)
{
    return after(now, lifetime, atd, replaced, span_times(atd, 2));
}

struct timeline timeline_spread(instant_t now, span_t lifetime, span_t atd, instant_t replaced,
                                span_t spread)
{
    span_t wait = span_max(span_times(atd, 2), (span_t){spread.ns + atd.ns});

    return after(now, lifetime, atd, replaced, wait);
}

instant_t timeline_renew_at(const struct timeline *t, span_t atd)
{
    return before(t->expiry, span_times(atd, 4));
}

span_t timeline_changeover(span_t atd) { return span_times(atd, 3); }

static uint16_t left_u16(instant_t due, instant_t now)
{
    int64_t left = instant_left_ceil_s(due, now);

    assert(left <= UINT16_MAX); /* ATD is at most 900 s */
    return (uint16_t)left;
}

uint16_t timeline_activation_s(const struct timeline *t, instant_t now)
{
    return left_u16(t->switch_at, now);
}

uint16_t timeline_deactivation_s(const struct timeline *t, instant_t now)
{
    return left_u16(t->drop_at, now);
}

uint32_t timeline_life_s(const struct timeline *t, instant_t now)
{
    return (uint32_t)instant_left_floor_s(t->expiry, now);
}

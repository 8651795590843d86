/* The established SAs with one peer at one address, newest first. There is normally one, two while
 * it is replaced. */
#include "sa/phase1_internal.h"

#include <assert.h>

struct bytes phase1_pair_key(const struct phase1_sa *sa)
{
    return bytes((const uint8_t *)sa + offsetof(struct phase1_sa, peer), PHASE1_PAIR_KEY);
}

struct phase1_sa *phase1_pair_first(const struct phase1_table *t, const struct phase1_sa *like)
{
    return map_get(&t->by_pair, phase1_pair_key(like));
}

/* Ends an SA from outside its own call: its timer reports the end. */
void phase1_doom(struct phase1_table *t, struct phase1_sa *sa, enum phase1_cause cause,
                 instant_t now)
{
    assert(sa->at == PHASE1_AT_UP);
    sa->cause = (uint8_t)cause;
    heap_set(&t->timers, &sa->timer, now);
}

/* A peer that only ever adds SAs ends up with the newest few. */
static void limit(struct phase1_table *t, struct phase1_sa *newest, instant_t now)
{
    unsigned n = 0;
    for (struct phase1_sa *sa = newest; sa; sa = sa->older) {
        if (sa->cause == PHASE1_CAUSE_NONE && ++n > PHASE1_PER_PAIR_MAX)
            phase1_doom(t, sa, PHASE1_CAUSE_TOO_MANY, now);
    }
}

void phase1_pair_add(struct phase1_table *t, struct phase1_sa *sa, instant_t now)
{
    sa->older = map_remove(&t->by_pair, phase1_pair_key(sa));
    map_put(&t->by_pair, phase1_pair_key(sa), sa);
    t->n_up++;
    limit(t, sa, now);
}

void phase1_pair_remove(struct phase1_table *t, struct phase1_sa *sa)
{
    struct phase1_sa *head = map_remove(&t->by_pair, phase1_pair_key(sa));
    struct phase1_sa **at = &head;

    while (*at != sa)
        at = &(*at)->older;
    *at = sa->older;
    sa->older = NULL;
    if (head)
        map_put(&t->by_pair, phase1_pair_key(head), head);
    t->n_up--;
}

/* RFC 2407 4.6.3.3: the peer holds nothing but this SA, with us at this address. To him, another
 * address of ours is another server: a member of two groups has one SA with each. */
void phase1_initial_contact(struct phase1_table *t, struct phase1_sa *sa, instant_t now)
{
    for (struct phase1_sa *s = phase1_pair_first(t, sa); s; s = s->older) {
        if (s != sa && s->cause == PHASE1_CAUSE_NONE && ip_equal(s->local.ip, sa->local.ip))
            phase1_doom(t, s, PHASE1_CAUSE_INITIAL_CONTACT, now);
    }
}

/* Two gateways of the configuration may be one server: what one of them has begun there must not
 * end by the other's first contact. */
bool phase1_is_alone(const struct phase1_table *t, const struct phase1_sa *sa)
{
    size_t cursor = 0;
    const struct phase1_sa *s;

    if (phase1_pair_first(t, sa))
        return false;
    while ((s = phase1_next(t, &cursor))) {
        if (s->peer != sa->peer && s->cause == PHASE1_CAUSE_NONE && ip_equal(s->ip, sa->ip) &&
            ip_equal(s->local.ip, sa->local.ip))
            return false;
    }
    return true;
}

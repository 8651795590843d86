/* What strangers may make a responder keep. Two caps, in all and per address. At a cap the oldest
 * exchange gives way that has not shown a return path yet (no valid message with our cookie):
 * refusing the new one instead would let sixteen spoofed datagrams lock an address out for half a
 * minute, while pushing out an honest exchange takes a flood faster than its round trip. An
 * exchange that has shown its return path is never pushed out. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdlib.h>

static struct phase1_handshake *of_age(struct phase1_link *l)
{
    return HEAP_OBJECT(l, struct phase1_handshake, age);
}

static struct phase1_handshake *of_sibling(struct phase1_link *l)
{
    return HEAP_OBJECT(l, struct phase1_handshake, sibling);
}

static void first_key(uint64_t digest, struct endpoint from, uint8_t out[PHASE1_FIRST_KEY])
{
    struct wr w = wr_of(out, PHASE1_FIRST_KEY);
    wr_u64(&w, digest);
    wr_put(&w, bytes(&from.ip, sizeof from.ip));
    wr_u16(&w, from.port);
    assert(wr_end(&w) == ERR_OK && w.len == PHASE1_FIRST_KEY);
}

/* The exchange that this very message has started. One that differs in anything starts another, so
 * that nobody who saw an initiator's cookie can take its place. */
struct phase1_sa *phase1_half_open_find(const struct phase1_table *t, const struct phase1_call *c)
{
    uint8_t key[PHASE1_FIRST_KEY];
    first_key(c->digest, c->from, key);
    return map_get(&t->by_first, BYTES_OF(key));
}

static struct phase1_source *source_of(const struct phase1_table *t, const struct ip *ip)
{
    return map_get(&t->by_source, bytes(ip, sizeof *ip));
}

static struct phase1_handshake *oldest_of(const struct phase1_source *s)
{
    for (struct phase1_link *l = s->all.next; l != &s->all; l = l->next) {
        if (!of_sibling(l)->routable)
            return of_sibling(l);
    }
    return NULL;
}

/* Once a second at most: whoever can reach a cap can do it all day. */
void phase1_tell_limit(struct phase1_call *c, const char *which, unsigned limit)
{
    if (!instant_reached(c->t->limit_told, c->now))
        return;
    c->t->limit_told = instant_add(c->now, span_s(1));
    struct event e = phase1_event(EV_LIMIT, NULL, c->from, c->to);
    event_add_str(&e, "limit", which);
    event_add_u64(&e, "value", limit);
    event_add_u64(&e, "half_open", c->t->n_half_open);
    event_add_u64(&e, "jobs", c->t->n_jobs);
    effects_tell(c->out, &e);
}

static enum err make_room(struct phase1_call *c, struct phase1_handshake *victim, const char *which,
                          unsigned limit)
{
    phase1_tell_limit(c, which, limit);
    if (!victim)
        return ERR_LIMIT; /* counted where every refused datagram is */
    c->t->counters.dropped[ERR_LIMIT]++;
    phase1_bury(c->t, victim->sa);
    return ERR_OK;
}

enum err phase1_half_open_room(struct phase1_call *c)
{
    struct phase1_table *t = c->t;
    struct phase1_source *s = source_of(t, &c->from.ip);

    if (t->by_cookies.n >= PHASE1_SAS_MAX)
        return make_room(c, NULL, "phase 1 security associations", PHASE1_SAS_MAX);
    if (s && s->n >= PHASE1_HALF_OPEN_PER_IP_MAX)
        return make_room(c, oldest_of(s), "half-open exchanges of one address",
                         PHASE1_HALF_OPEN_PER_IP_MAX);
    if (t->n_half_open >= PHASE1_HALF_OPEN_MAX)
        return make_room(c, t->unproven.next == &t->unproven ? NULL : of_age(t->unproven.next),
                         "half-open exchanges", PHASE1_HALF_OPEN_MAX);
    return ERR_OK;
}

void phase1_half_open_add(struct phase1_table *t, struct phase1_sa *sa, uint64_t digest)
{
    struct phase1_handshake *hs = sa->hs;
    struct phase1_source *s = source_of(t, &sa->ip);

    if (!s) {
        s = phase1_zeroed(sizeof *s);
        s->ip = sa->ip;
        phase1_link_init(&s->all);
        map_put(&t->by_source, bytes(&s->ip, sizeof s->ip), s);
    }
    s->n++;
    hs->source = s;
    phase1_link_append(&s->all, &hs->sibling);
    phase1_link_append(&t->unproven, &hs->age);
    first_key(digest, phase1_remote(sa), hs->first_key);
    map_put(&t->by_first, BYTES_OF(hs->first_key), sa);
    t->n_half_open++;
}

void phase1_half_open_routable(struct phase1_sa *sa)
{
    sa->hs->routable = true;
    phase1_link_remove(&sa->hs->age);
}

/* No effect when the handshake is not a half-open one. */
void phase1_half_open_remove(struct phase1_table *t, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;
    struct phase1_source *s = hs->source;

    if (!s)
        return;
    phase1_link_remove(&hs->age);
    phase1_link_remove(&hs->sibling);
    map_remove(&t->by_first, BYTES_OF(hs->first_key));
    hs->source = NULL;
    t->n_half_open--;
    if (--s->n > 0)
        return;
    map_remove(&t->by_source, bytes(&s->ip, sizeof s->ip));
    free(s);
}

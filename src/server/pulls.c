#include "server/pulls.h"

#include "server/state.h"

#include <stdlib.h>

static_assert(sizeof(struct pull_key) == sizeof(struct ike1_cookies) + sizeof(uint32_t),
              "no padding: its octets are compared");

/* ---- the table ---- */

static struct pull_key key_of(const struct ike1_header *h)
{
    return (struct pull_key){h->cookies, h->message_id};
}

static struct bytes key_bytes(const struct pull_key *k) { return bytes(k, sizeof *k); }

struct pull *pulls_find(const struct pulls *pulls, const struct ike1_header *header)
{
    struct pull_key key = key_of(header);

    return map_get(&pulls->index, key_bytes(&key));
}

size_t pulls_count(const struct phase1_sa *sa)
{
    size_t n = 0;

    for (const struct pull *p = phase1_user(sa); p; p = p->next)
        n++;
    return n;
}

struct pull *pulls_add(struct pulls *pulls, struct phase1_sa *sa, const struct ike1_header *header,
                       struct group *g)
{
    struct pull *p = calloc(1, sizeof *p);
    struct pull_open *open = calloc(1, sizeof *open);

    if (!p || !open) {
        free(p);
        free(open);
        return NULL;
    }
    p->key = key_of(header);
    p->group = g;
    p->open = open;
    p->next = phase1_user(sa);
    phase1_set_user(sa, p);
    map_put(&pulls->index, key_bytes(&p->key), p);
    return p;
}

static void close_open(struct pull *p)
{
    if (p->open)
        explicit_bzero(p->open, sizeof *p->open);
    free(p->open);
    p->open = NULL;
}

void pulls_complete(struct pull *p)
{
    p->state = PULL_DONE;
    close_open(p);
}

static void pull_free(struct pull *p)
{
    close_open(p);
    free(p->answer); /* ciphertext */
    free(p);
}

static void unhang(struct phase1_sa *sa, const struct pull *p)
{
    if (phase1_user(sa) == p)
        phase1_set_user(sa, p->next);
    for (struct pull *at = phase1_user(sa); at; at = at->next) {
        if (at->next == p)
            at->next = p->next;
    }
}

void pulls_forget(struct pulls *pulls, struct pull *p, struct phase1_sa *sa)
{
    if (sa)
        unhang(sa, p);
    map_remove(&pulls->index, key_bytes(&p->key));
    heap_remove(&pulls->due, &p->due);
    pull_free(p);
    if (pulls->index.n == 0) { /* after a storm of registrations the tables are large */
        map_free(&pulls->index);
        heap_free(&pulls->due);
    }
}

void pulls_free(struct pulls *pulls)
{
    size_t cursor = 0;
    struct pull *each;

    while ((each = map_next(&pulls->index, &cursor)))
        pull_free(each);
    map_free(&pulls->index);
    heap_free(&pulls->due);
}

/* ---- how they end ---- */

/* The member did not finish. Its row, if it has one, says so. */
static void tell_aborted(const struct pull *p, const struct phase1_sa *sa, enum err why,
                         struct effects *out)
{
    struct event e = sa ? server_event(EV_PULL_ABORTED, sa) : event_of(EV_PULL_ABORTED);

    p->group->counters.pulls_failed++;
    if (sa) {
        struct registry_member *m = registry_find(&p->group->registry, phase1_peer_identity(sa));
        if (m)
            registry_failed(m);
    }
    event_add_str(&e, "group", p->group->model->name);
    event_add_err(&e, why);
    effects_tell(out, &e);
}

void pull_abandon(struct server *s, struct pull *p, struct phase1_sa *sa, enum err why,
                  struct effects *out)
{
    if (p->state == PULL_OFFERED)
        tell_aborted(p, sa, why, out);
    pulls_forget(&s->pulls, p, sa);
}

void pull_end_all(struct server *s, struct phase1_sa *sa, struct effects *out)
{
    while (phase1_user(sa))
        pull_abandon(s, phase1_user(sa), sa, ERR_CLOSED, out);
}

void pull_end_group(struct server *s, const struct group *g, struct effects *out)
{
    struct pull *p, **all = calloc(s->pulls.index.n + 1, sizeof(struct pull *));
    size_t cursor = 0, n = 0;

    if (!all)
        abort(); /* as in base/map.h */
    while ((p = map_next(&s->pulls.index, &cursor))) {
        if (p->group == g)
            all[n++] = p;
    }
    for (size_t i = 0; i < n; i++)
        pull_abandon(s, all[i], phase1_find(s->phase1, &all[i]->key.cookies), ERR_CLOSED, out);
    free(all);
}

instant_t pull_due(const struct server *s) { return heap_due(&s->pulls.due); }

void pull_timer(struct server *s, instant_t now, struct effects *out)
{
    while (instant_reached(pull_due(s), now)) {
        struct pull *p = HEAP_OBJECT(heap_first(&s->pulls.due), struct pull, due);
        pull_abandon(s, p, phase1_find(s->phase1, &p->key.cookies), ERR_TIMEOUT, out);
    }
}

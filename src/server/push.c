/* What is sent to a group when. */
#include "server/push.h"

#include "server/limits.h"
#include "server/push_build.h"
#include "server/state.h"

#include <stdlib.h>

struct push *push_new(void)
{
    struct push *p = calloc(1, sizeof *p);

    if (!p)
        abort(); /* per group, at start-up or when the operator commits */
    push_reset(p);
    return p;
}

void push_free(struct push *p)
{
    if (!p)
        return;
    push_drop_message(p);
    deletes_free(p->deletes);
    for (size_t i = 0; i < ARRAY_LEN(p->acks); i++)
        ack_keys_wipe(&p->acks[i]);
    free(p);
}

void push_reset(struct push *p)
{
    if (p->message.subject.kind != PUSH_DELETE)
        push_drop_message(p);
    announce_stop(&p->announcement);
    p->announcement.first_sent = INSTANT_NEVER;
    beat_stop(&p->beat);
}

/* ---- what wants to be sent ---- */

/* A path of 1500 octets carries 1472 of a datagram (decisions N39). Said with the first KEK, before
 * a push is lost to it, and whenever it is another size. */
static void tell_size(struct group *g, instant_t now, struct effects *out)
{
    struct event e = event_of(EV_PUSH_SIZE);
    struct push_carrier carrier = push_carrier_of(g->kek[GROUP_KEK_CURRENT]);
    size_t size = push_size(g, &carrier, now);

    push_carrier_wipe(&carrier);
    if (size <= SERVER_PUSH_PATH || g->push->told_size == size)
        return;
    g->push->told_size = size;
    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "octets", size);
    event_add_u64(&e, "limit", SERVER_PUSH_PATH);
    effects_tell(out, &e);
}

void push_announce(struct server *s, struct group *g, instant_t now, struct announce_news news,
                   struct effects *out)
{
    bool is_first = instant_is_never(g->push->beat.heartbeat_at);

    if (!g->kek[GROUP_KEK_CURRENT])
        return;
    announce_begin(g, now, news);
    if (is_first)
        beat_start(g, now);
    if (!is_first || news.by_pull)
        beat_after_news(g, now, news);
    if (news.kek)
        tell_size(g, now, out);
    push_timer(s, now, out);
}

/* With a snapshot from before an exclusion it has heard of none: it is called once more. */
void push_to_latecomer(struct group *g, const struct registry_member *m, instant_t now)
{
    struct push *p = g->push;

    if (m->version == (uint16_t)g->version || !g->kek[GROUP_KEK_CURRENT])
        return;
    if (p->announcement.by_pull)
        beat_call_again(&p->beat, now);
    else
        announce_again(g, now);
}

void push_delete(struct server *s, struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out)
{
    if (deletes_add(g, now, what, out))
        push_timer(s, now, out);
}

/* ---- one at a time ---- */

void push_ended(struct server *s, struct group *g, instant_t now, enum push_outcome how,
                struct effects *out)
{
    enum push_kind kind = g->push->message.subject.kind;

    push_drop_message(g->push);
    switch (kind) {
    case PUSH_KEYS:
        announce_ended(g, now, how);
        break;
    case PUSH_DELETE:
        deletes_ended(g, now, how);
        break;
    case PUSH_HEARTBEAT:
    case PUSH_LAST_CALL:
    case PUSH_FAREWELL:
        beat_ended(g, kind, now, how);
        break;
    }
    push_timer(s, now, out);
}

static instant_t due_of(const struct group *g)
{
    const struct push *p = g->push;

    if (p->message.stage != PUSH_IDLE || g->push_seq >= SERVER_SEQ_LAST)
        return INSTANT_NEVER;
    return instant_min(deletes_due(p->deletes),
                       instant_min(announce_due(&p->announcement), beat_due(&p->beat)));
}

/* The first thing that is due. Each one leaves something behind that is due later. */
static void step(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    const struct push *p = g->push;

    if (instant_reached(deletes_due(p->deletes), now))
        deletes_send(s, g, now, out);
    else if (instant_reached(announce_due(&p->announcement), now))
        announce_step(s, g, now, out);
    else
        beat_step(s, g, now, out);
}

void push_timer(struct server *s, instant_t now, struct effects *out)
{
    struct group *g;

    for (size_t i = 0; (g = server_any_group(s, i)); i++) {
        while (instant_reached(due_of(g), now))
            step(s, g, now, out);
    }
}

instant_t push_due(const struct server *s)
{
    instant_t due = INSTANT_NEVER;
    const struct group *g;

    for (size_t i = 0; (g = server_any_group(s, i)); i++)
        due = instant_min(due, due_of(g));
    return due;
}

/* ---- after a restart ---- */

/* A KEK that is as young as a changeover takes may not be known to everybody yet. */
static bool is_kek_new(const struct group *g, instant_t now)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    instant_t known = instant_add(kek->created, timeline_changeover(group_atd(g)));

    return g->kek[GROUP_KEK_PREVIOUS] && (instant_before(now, known) || group_exclusion(g));
}

/* Whether the changeover that runs began after a new KEK had been announced: then its keys travel
 * under that one, and members take none under the one before (doc/wire.md). */
static bool are_keys_younger(const struct group *g)
{
    const struct timeline *t = group_changeover(g);

    return t && instant_before(g->kek[GROUP_KEK_CURRENT]->created, t->created);
}

static void believe_all(struct group *g)
{
    for (size_t i = 0; i < g->registry.n; i++)
        g->registry.members[i]->version = (uint16_t)g->version;
}

static void resume(struct group *g, instant_t now)
{
    const struct kek_generation *before = g->kek[GROUP_KEK_PREVIOUS];
    struct announce_news news = {0};

    news.kek = is_kek_new(g, now);
    news.by_pull = news.kek && before->retired;
    announce_adopt(g);
    beat_start(g, now);
    g->push->beat.heartbeat_at = now; /* nobody knows how long members have waited for one */
    if (!news.kek && !group_changeover(g))
        believe_all(g);
    else if (!news.by_pull && are_keys_younger(g))
        announce_begin(g, now, (struct announce_news){0});
    else
        announce_begin(g, now, news);
    beat_after_news(g, now, news); /* who missed the KEK hears of it under the one before */
}

void push_resume(struct server *s, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = s->groups[i];
        if (g->kek[GROUP_KEK_CURRENT] && g->model->communication.present)
            resume(g, now); /* without the statement: live_restored() ends the KEK */
    }
    push_timer(s, now, out);
}

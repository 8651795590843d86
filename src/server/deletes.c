#include "server/deletes.h"

#include "server/limits.h"
#include "server/push.h"

#include <stdlib.h>

static void order_free(struct delete_order *o)
{
    push_carrier_wipe(&o->carrier);
    free(o);
}

void deletes_free(struct delete_order *first)
{
    while (first) {
        struct delete_order *next = first->next;
        order_free(first);
        first = next;
    }
}

/* ---- orders ---- */

static size_t count(const struct delete_order *first)
{
    size_t n = 0;

    for (; first; first = first->next)
        n++;
    return n;
}

static void tell_gave_way(const struct group *g, struct effects *out)
{
    struct event e = event_of(EV_PUSH_FAILED);

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", "too many deletes are being told: one gives way to a new one");
    event_add_err(&e, ERR_LIMIT);
    effects_tell(out, &e);
}

/* The one that was told most often gives way; the one that is on its way stays. */
static void make_room(struct group *g, struct effects *out)
{
    struct push *p = g->push;
    bool busy = p->message.stage != PUSH_IDLE && p->message.subject.kind == PUSH_DELETE;

    if (count(p->deletes) < SERVER_DELETES_MAX)
        return;
    struct delete_order **most = busy ? &p->deletes->next : &p->deletes;
    for (struct delete_order **at = &(*most)->next; *at; at = &(*at)->next) {
        if ((*at)->rounds_done > (*most)->rounds_done)
            most = at;
    }
    struct delete_order *gone = *most;
    *most = gone->next;
    order_free(gone);
    tell_gave_way(g, out);
}

static struct delete_order *order_of(const struct kek_generation *kek, instant_t now,
                                     const struct push_delete *what)
{
    const struct model_communication *policy = kek->policy; /* the group may have none any more */
    struct delete_order *o = calloc(1, sizeof *o + what->n * sizeof o->spis[0]);

    if (!o)
        abort(); /* at an operator's word */
    if (what->n)
        memcpy(o->spis, what->spis, what->n * sizeof o->spis[0]);
    o->what = *what;
    o->what.spis = o->spis;
    o->carrier = push_carrier_of(kek);
    o->rounds_left = push_rounds(policy->n_retransmission, policy->type == MODEL_PUSH_MULTICAST);
    o->period = span_s(policy->retransmission_period_s);
    o->at = now;
    return o;
}

bool deletes_add(struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    struct delete_order **last = &g->push->deletes;

    if (!kek || g->registry.n == 0)
        return false;
    make_room(g, out);
    while (*last)
        last = &(*last)->next;
    *last = order_of(kek, now, what);
    return true;
}

/* ---- messages ---- */

instant_t deletes_due(const struct delete_order *first)
{
    instant_t due = INSTANT_NEVER;

    for (; first; first = first->next)
        due = instant_min(due, first->at);
    return due;
}

/* The first that is due comes to the front, where its message finds it. */
static void bring_forward(struct delete_order **first, instant_t now)
{
    struct delete_order **at = first, *o;

    while (!instant_reached((*at)->at, now))
        at = &(*at)->next;
    o = *at;
    *at = o->next;
    o->next = *first;
    *first = o;
}

void deletes_send(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    bring_forward(&g->push->deletes, now);
    struct push_subject what = {PUSH_DELETE, PUSH_RFC6407, g->push->deletes->carrier};

    signing_key_hold(what.carrier.signer);
    push_begin(s, g, now, what, out);
}

void deletes_ended(struct group *g, instant_t now, enum push_outcome how)
{
    struct delete_order *o = g->push->deletes;

    o->rounds_done += how == PUSH_LEFT;
    if (how == PUSH_FAILED) {
        o->at = instant_add(now, SERVER_PUSH_RETRY);
    } else if (how == PUSH_LEFT && --o->rounds_left > 0) {
        o->at = instant_add(now, o->period);
    } else {
        g->push->deletes = o->next;
        order_free(o);
    }
}

span_t deletes_left(const struct delete_order *first)
{
    span_t left = span_s(0);

    for (; first; first = first->next)
        left.ns += first->period.ns * first->rounds_left;
    return left;
}

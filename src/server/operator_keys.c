#include "server/operator_keys.h"

#include "group/change.h"
#include "server/groups.h"
#include "server/live.h"
#include "server/push.h"
#include "server/state.h"

/* What the planner will do, or has begun to do: new keys at `free_at`, or at once. */
static void foresee(const struct group *g, instant_t now, instant_t free_at,
                    struct operator_answer *a)
{
    const struct generation *minted = NULL;

    a->waits = !group_is_minted(g);
    a->made_at = a->waits ? instant_max(now, free_at) : now;
    struct timeline t =
        timeline_spread(a->made_at, span_s(0), group_atd(g), INSTANT_NEVER, span_s(a->spread_s));
    for (size_t i = 0; !minted && i < g->n_sas; i++)
        minted = g->sas[i].slot[GROUP_MINTED];
    if (minted)
        t = minted->time;
    a->switch_at = t.switch_at;
    a->drop_at = t.drop_at;
    a->n_members = g->registry.n;
}

/* In a group without pushes: everybody comes for the next keys before the first of the present ones
 * ends, and then for those of every ipsec-sa. */
static void foresee_pull(const struct group *g, instant_t now, struct operator_answer *a)
{
    instant_t renewal = INSTANT_NEVER;

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        if (newest)
            renewal = instant_min(renewal, timeline_renew_at(&newest->time, group_atd(g)));
    }
    a->waits = true;
    a->n_members = g->registry.n;
    a->made_at = instant_is_never(renewal) ? now : instant_max(now, renewal);
    a->switch_at = instant_add(a->made_at, span_times(group_atd(g), 2));
    a->drop_at = instant_add(a->made_at, timeline_changeover(group_atd(g)));
}

/* New keys of every kind, which everybody comes for. Those that wait for the store, and nobody has
 * seen, would be under a KEK of the past: they are given up. */
static void shut_out(struct server *s, instant_t now, struct group *g, struct effects *out,
                     struct operator_answer *a)
{
    bool pushes = g->kek[GROUP_KEK_CURRENT];

    if (pushes && group_is_minted(g) && !g->minted_excludes)
        groups_forget_minted(s, g, out);
    live_shut_out(s, g);
    groups_advance(s, now, out);
    order_wish(s, g, out); /* what keys that are on their way to the store do not fulfil */
    a->spread_s = pushes ? server_spread(s, g) : 0;
    a->by_pull = true;
    if (pushes)
        foresee(g, now, group_free_at(g, true), a);
    else
        foresee_pull(g, now, a);
}

static const struct push_delete all_keys = {.all_teks = true, .kek = true};

/* Keys that nobody may use any more, from the next message on (decisions M8). */
static void end_all_keys(struct server *s, instant_t now, struct group *g, struct effects *out,
                         struct operator_answer *a)
{
    groups_clear(s, g, out);
    order_wish(s, g, out); /* a server that died behind a delete would go on with deleted keys */
    push_delete(s, g, now, &all_keys, out);
    groups_advance(s, now, out);
    a->by_pull = true;
    a->n_members = g->registry.n;
    a->spread_s = server_spread(s, g);
    a->made_at = a->switch_at = a->drop_at = now;
}

void operator_renew(struct server *s, instant_t now, struct group *g, bool immediately,
                    struct effects *out, struct operator_answer *ret)
{
    if (immediately)
        end_all_keys(s, now, g, out, ret);
    else
        shut_out(s, now, g, out, ret);
}

enum err operator_needs_pushes(const struct group *g, struct operator_answer *ret)
{
    if (!g->model->communication.present)
        return operator_refused(
            ret, ERR_CONFLICT,
            "group %.60s has no server-member-communication: its members cannot be told, "
            "they come for new keys before theirs end",
            g->model->name);
    if (!g->kek[GROUP_KEK_CURRENT])
        return operator_refused(ret, ERR_CONFLICT, "group %.60s has no key for pushes yet",
                                g->model->name);
    return ERR_OK;
}

static void tell_asked(const struct group *g, const char *what, struct effects *out)
{
    struct event e = event_of(EV_OPERATOR);

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", what);
    effects_tell(out, &e);
}

enum err server_rekey(struct server *s, instant_t now, struct group *g,
                      const struct operator_rekey *what, struct effects *out,
                      struct operator_answer *ret)
{
    struct group_sa *sa = what->sa ? group_sa_named(g, what->sa) : NULL;
    uint64_t before = s->transactions;
    enum err e = operator_needs_pushes(g, ret);

    if (e)
        return e;
    if (what->sa && !sa)
        return operator_refused(ret, ERR_NOT_FOUND, "group %.60s has no ipsec-sa '%.80s'",
                                g->model->name, what->sa);
    bool joins = group_is_minted(g);
    if (!what->kek)
        group_rekey(g, sa);
    if (!sa)
        group_rekey_kek(g);
    tell_asked(g, "rekey", out);
    groups_advance(s, now, out);
    order_wish(s, g, out); /* what keys that are on their way to the store do not fulfil */
    operator_note_txs(s, g, before, ret);
    foresee(g, now, group_free_at(g, what->kek), ret);
    if (what->kek) /* pushes go under it from then on; members send under other keys */
        ret->switch_at = ret->drop_at = ret->made_at;
    ret->waits = ret->waits || joins;
    return ERR_OK;
}

enum err server_clear(struct server *s, instant_t now, struct group *g, bool immediately,
                      struct effects *out, struct operator_answer *ret)
{
    uint64_t before = s->transactions;
    enum err e = operator_needs_pushes(g, ret);

    if (e)
        return e;
    tell_asked(g, immediately ? "clear now" : "clear", out);
    operator_renew(s, now, g, immediately, out, ret);
    operator_note_txs(s, g, before, ret);
    return ERR_OK;
}

void operator_resume_keys(struct server *s, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (s->groups[i]->wishes.exclusion && s->groups[i]->cleared)
            push_delete(s, s->groups[i], now, &all_keys, out); /* nobody knows who has heard it */
    }
}

#include "server/operator.h"

#include "group/change.h"
#include "server/groups.h"
#include "server/live.h"
#include "server/person.h"
#include "server/push.h"
#include "server/state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static enum err refused(struct operator_answer *ret, enum err err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static enum err refused(struct operator_answer *ret, enum err err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(ret->sentence, sizeof ret->sentence, fmt, args);
    va_end(args);
    return err;
}

/* ---- out, and in again ---- */

static enum err find(const struct server *s, const struct group *g, const struct operator_who *who,
                     struct person *ret, struct operator_answer *ret_answer)
{
    char text[IP_TEXT_MAX];
    const char *word = who->gateway    ? who->gateway
                       : who->identity ? who->identity
                                       : ip_text(who->address, text, sizeof text);
    size_t n = person_find(s, g, who, ret);

    if (n == 0)
        return refused(ret_answer, ERR_NOT_FOUND, "nobody of group %.60s is '%.80s'",
                       g->model->name, word);
    if (n > 1)
        return refused(ret_answer, ERR_CONFLICT,
                       "'%.60s' is more than one member of group %.60s: give member-gateway", word,
                       g->model->name);
    return ERR_OK;
}

static void tell(enum event_id id, const struct group *g, const struct person *p,
                 struct effects *out)
{
    struct event e = event_of(id);

    event_add_str(&e, "group", g->model->name);
    model_event_identity(&e, person_identity(p));
    if (p->address.version != 0)
        event_add_ip(&e, "peer", p->address);
    event_add_str(&e, "what", "by the operator");
    effects_tell(out, &e);
}

static bool is_of(const struct phase1_sa *sa, const void *person)
{
    return person_may_be_at(person, sa);
}

static struct row_who row_of(const struct group *g, const struct person *p)
{
    return (struct row_who){g->model->id, person_identity(p)};
}

/* ---- what has to be stored ---- */

/* Those that were given out since `before`, and the keys on their way that fulfil a wish. */
static void note_txs(const struct server *s, const struct group *g, uint64_t before,
                     struct operator_answer *ret)
{
    uint64_t first = before + 1, last = s->transactions;

    if (group_is_minted(g) && g->push->minted.tx) {
        first = g->push->minted.tx < first ? g->push->minted.tx : first;
        last = g->push->minted.tx > last ? g->push->minted.tx : last;
    }
    ret->first_tx = first;
    ret->last_tx = first <= last ? last : 0;
}

/* ---- keys ---- */

/* What was asked for and has to wait; keys that are on their way to the store fulfil it there. */
static void keep_wish(struct server *s, const struct group *g, struct effects *out)
{
    if (!group_is_minted(g))
        order_wish(s, g, out);
}

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
    keep_wish(s, g, out);
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

static void renew(struct server *s, instant_t now, struct group *g, bool immediately,
                  struct effects *out, struct operator_answer *a)
{
    if (immediately)
        end_all_keys(s, now, g, out, a);
    else
        shut_out(s, now, g, out, a);
}

static enum err needs_pushes(const struct group *g, struct operator_answer *ret)
{
    if (!g->model->communication.present)
        return refused(
            ret, ERR_CONFLICT,
            "group %.60s has no server-member-communication: its members cannot be told, "
            "they come for new keys before theirs end",
            g->model->name);
    if (!g->kek[GROUP_KEK_CURRENT])
        return refused(ret, ERR_CONFLICT, "group %.60s has no key for pushes yet", g->model->name);
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
    enum err e = needs_pushes(g, ret);

    if (e)
        return e;
    if (what->sa && !sa)
        return refused(ret, ERR_NOT_FOUND, "group %.60s has no ipsec-sa '%.80s'", g->model->name,
                       what->sa);
    bool joins = group_is_minted(g);
    if (!what->kek)
        group_rekey(g, sa);
    if (!sa)
        group_rekey_kek(g);
    tell_asked(g, "rekey", out);
    groups_advance(s, now, out);
    keep_wish(s, g, out);
    note_txs(s, g, before, ret);
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
    enum err e = needs_pushes(g, ret);

    if (e)
        return e;
    tell_asked(g, immediately ? "clear now" : "clear", out);
    renew(s, now, g, immediately, out, ret);
    note_txs(s, g, before, ret);
    return ERR_OK;
}

/* ---- out, and in again: the commands ---- */

static enum err ban(struct server *s, instant_t now, struct group *g, const struct person *p,
                    struct effects *out, struct operator_answer *ret)
{
    enum err e = ban_put(&s->bans, g->model->id, person_identity(p), p->address, now);

    if (e)
        return refused(ret, e, "no more than %d members can be banned", BANS_MAX);
    order_ban(s, &(struct row_ban){row_of(g, p), now, p->address}, out);
    struct registry_member *m = registry_find(&g->registry, person_identity(p));
    if (m)
        registry_remove(&g->registry, m); /* its row went with the ban's */
    server_end_phase1(s, is_of, p, out);
    tell(EV_MEMBER_REMOVED, g, p, out);
    return ERR_OK;
}

enum err server_remove(struct server *s, instant_t now, struct group *g,
                       const struct operator_who *who, bool immediately, struct effects *out,
                       struct operator_answer *ret)
{
    struct person p = {0};
    uint64_t before = s->transactions;
    enum err e = find(s, g, who, &p, ret);

    if (!e && immediately)
        e = needs_pushes(g, ret);
    if (e)
        return e;
    bool again = ban_find(&s->bans, g->model->id, person_identity(&p));
    if (again && !immediately)
        return refused(ret, ERR_BUSY, "it has been removed already");
    if (!again)
        e = ban(s, now, g, &p, out, ret);
    if (!e)
        renew(s, now, g, immediately, out, ret);
    note_txs(s, g, before, ret);
    return e;
}

enum err server_lift(struct server *s, instant_t now, struct group *g,
                     const struct operator_who *who, struct effects *out,
                     struct operator_answer *ret)
{
    struct person p = {0};
    uint64_t before = s->transactions;
    enum err e = find(s, g, who, &p, ret);

    (void)now;
    if (e)
        return e;
    if (ban_lift(&s->bans, g->model->id, person_identity(&p)) != ERR_OK)
        return refused(ret, ERR_NOT_FOUND, "it has not been removed");
    struct row_who row = row_of(g, &p);
    order_lift(s, &row, out);
    note_txs(s, g, before, ret);
    tell(EV_BAN_LIFTED, g, &p, out);
    return ERR_OK;
}

enum err server_forget(struct server *s, instant_t now, struct group *g,
                       const struct operator_who *who, struct effects *out,
                       struct operator_answer *ret)
{
    struct person p = {0};
    uint64_t before = s->transactions;
    enum err e = find(s, g, who, &p, ret);

    (void)now;
    if (e)
        return e;
    struct registry_member *m = registry_find(&g->registry, person_identity(&p));
    if (!m)
        return refused(ret, ERR_NOT_FOUND, "it is not registered");
    struct row_who row = row_of(g, &p);
    server_end_phase1(s, is_of, &p, out);
    order_forget(s, &row, out);
    registry_remove(&g->registry, m);
    note_txs(s, g, before, ret);
    tell(EV_MEMBER_CLEARED, g, &p, out);
    ret->n_members = g->registry.n;
    return ERR_OK;
}

/* ---- restart ---- */

/* Whether the group still has a newest key that was there when the member was removed. */
static bool is_owed(const struct group *g, const struct ban *b)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    bool old = kek && instant_before(kek->created, b->since);

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        old = old || (newest && instant_before(newest->time.created, b->since));
    }
    return old && b->group_id == g->model->id;
}

static void resume_bans(struct server *s)
{
    size_t cursor = 0;
    const struct ban *b;

    while ((b = ban_next(&s->bans, &cursor))) {
        for (size_t i = 0; i < s->n_groups; i++) {
            if (is_owed(s->groups[i], b))
                live_shut_out(s, s->groups[i]);
        }
    }
}

void operator_resume(struct server *s, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (s->groups[i]->wishes.exclusion && s->groups[i]->cleared)
            push_delete(s, s->groups[i], now, &all_keys, out); /* nobody knows who has heard it */
    }
    resume_bans(s);
}

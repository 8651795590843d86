#include "server/operator.h"

#include "server/live.h"
#include "server/operator_keys.h"
#include "server/person.h"
#include "server/push.h"
#include "server/state.h"

#include <stdarg.h>
#include <stdio.h>

enum err operator_refused(struct operator_answer *ret, enum err err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(ret->sentence, sizeof ret->sentence, fmt, args);
    va_end(args);
    return err;
}

void operator_note_txs(const struct server *s, const struct group *g, uint64_t before,
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

/* ---- who is meant ---- */

static enum err find(const struct server *s, const struct group *g, const struct operator_who *who,
                     struct person *ret, struct operator_answer *ret_answer)
{
    char text[IP_TEXT_MAX];
    const char *word = who->gateway    ? who->gateway
                       : who->identity ? who->identity
                                       : ip_text(who->address, text, sizeof text);
    size_t n = person_find(s, g, who, ret);

    if (n == 0)
        return operator_refused(ret_answer, ERR_NOT_FOUND, "nobody of group %.60s is '%.80s'",
                                g->model->name, word);
    if (n > 1)
        return operator_refused(
            ret_answer, ERR_CONFLICT,
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

/* ---- out, and in again ---- */

static enum err ban(struct server *s, instant_t now, struct group *g, const struct person *p,
                    struct effects *out, struct operator_answer *ret)
{
    enum err e = ban_put(&s->bans, g->model->id, person_identity(p), p->address, now);

    if (e)
        return operator_refused(ret, e, "no more than %d members can be banned", BANS_MAX);
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
        e = operator_needs_pushes(g, ret);
    if (e)
        return e;
    bool again = ban_find(&s->bans, g->model->id, person_identity(&p));
    if (again && !immediately)
        return operator_refused(ret, ERR_BUSY, "it has been removed already");
    if (!again)
        e = ban(s, now, g, &p, out, ret);
    if (!e)
        operator_renew(s, now, g, immediately, out, ret);
    operator_note_txs(s, g, before, ret);
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
        return operator_refused(ret, ERR_NOT_FOUND, "it has not been removed");
    struct row_who row = row_of(g, &p);
    order_lift(s, &row, out);
    operator_note_txs(s, g, before, ret);
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
        return operator_refused(ret, ERR_NOT_FOUND, "it is not registered");
    struct row_who row = row_of(g, &p);
    server_end_phase1(s, is_of, &p, out);
    order_forget(s, &row, out);
    registry_remove(&g->registry, m);
    operator_note_txs(s, g, before, ret);
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
    operator_resume_keys(s, now, out);
    resume_bans(s);
}

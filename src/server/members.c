#include "server/members.h"

#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

static enum push_dialect dialect_of(const struct registry_member *m)
{
    return m->native ? PUSH_NATIVE : PUSH_RFC6407;
}

static bool is_behind(const struct group *g, const struct registry_member *m)
{
    return m->status == REGISTRY_ACTIVE && m->version != (uint16_t)g->version;
}

/* Struck for its silence about the newest keys: it is sent no more of them, but the heartbeat that
 * follows tells it that there are some. With the defaults the last repeat is unanswered before that
 * heartbeat, and whoever missed all of them would be cut off (decisions M6 a). */
static bool is_late(const struct group *g, const struct registry_member *m)
{
    return m->status == REGISTRY_STRUCK && m->version != (uint16_t)g->version &&
           instant_reached(g->push->announcement.first_sent, registry_struck(m));
}

static bool hears_beats(const struct group *g, const struct registry_member *m)
{
    return m->status == REGISTRY_ACTIVE || is_late(g, m);
}

/* Heartbeats and deletes are for all of the dialect; the rest for those who lack the newest keys.
 */
static bool is_for(const struct group *g, const struct push_subject *what,
                   const struct registry_member *m)
{
    if (what->kind == PUSH_DELETE)
        return m->status == REGISTRY_ACTIVE;
    if (dialect_of(m) != what->dialect)
        return false;
    if (what->kind == PUSH_HEARTBEAT)
        return hears_beats(g, m);
    return is_behind(g, m) || (what->kind == PUSH_LAST_CALL && is_late(g, m));
}

struct endpoint *members_for(const struct group *g, const struct push_subject *what,
                             struct arena *a, size_t *ret_n)
{
    const struct registry *r = &g->registry;
    struct endpoint *to = arena_alloc(a, (r->n ? r->n : 1) * sizeof *to);
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (is_for(g, what, r->members[i]))
            to[n++] = r->members[i]->remote;
    }
    *ret_n = n;
    return to;
}

unsigned members_dialects(const struct group *g)
{
    unsigned found = 0;

    for (size_t i = 0; i < g->registry.n; i++) {
        if (is_behind(g, g->registry.members[i]))
            found |= 1u << dialect_of(g->registry.members[i]);
    }
    return found;
}

bool members_any(const struct group *g, enum push_dialect dialect)
{
    for (size_t i = 0; i < g->registry.n; i++) {
        const struct registry_member *m = g->registry.members[i];
        if (hears_beats(g, m) && dialect_of(m) == dialect)
            return true;
    }
    return false;
}

size_t members_awaiting(const struct group *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->registry.n; i++)
        n += is_behind(g, g->registry.members[i]);
    return n;
}

size_t members_struck(const struct group *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->registry.n; i++)
        n += g->registry.members[i]->status == REGISTRY_STRUCK;
    return n;
}

/* ---- silence ---- */

/* Conclave answers each push, and others do once they have answered one; but after a new KEK they
 * may not open what is repeated under the old one, so they get a second chance (M15 c, d). */
enum { CHANCES_NATIVE = 1, CHANCES_OTHERS = 2 };

/* All the keys that it ever came for have ended: nothing says that it is still there. */
static bool is_unheard(const struct group *g, const struct registry_member *m, instant_t now)
{
    uint32_t longest = g->model->communication.lifetime_s;

    for (size_t i = 0; i < g->n_sas; i++) {
        uint32_t life = g->sas[i].model->proposal->lifetime_s;
        longest = life > longest ? life : longest;
    }
    return instant_reached(instant_add(m->updated, span_s(longest)), now);
}

/* REGISTRY_NO_REASON: it stays. */
static enum registry_reason judge(const struct group *g, struct registry_member *m, instant_t now)
{
    if (m->native || m->proven) {
        int chances = m->native ? CHANCES_NATIVE : CHANCES_OTHERS;
        return ++m->unanswered >= chances ? REGISTRY_SILENT : REGISTRY_NO_REASON;
    }
    return is_unheard(g, m, now) ? REGISTRY_UNHEARD : REGISTRY_NO_REASON;
}

static void strike(struct server *s, struct group *g, struct registry_member *m,
                   enum registry_reason reason, instant_t now, struct effects *out)
{
    struct event e = event_of(EV_MEMBER_STRUCK);

    registry_strike(m, reason, now);
    g->push->counters.struck++;
    persist_member(s, g, m, out);
    event_add_str(&e, "group", g->model->name);
    event_add_endpoint(&e, "peer", m->remote);
    event_add_str(&e, "gateway", m->gateway->name);
    event_add_str(&e, "what", registry_reason_text(reason));
    event_add_u64(&e, "rounds", g->push->announcement.rounds_done);
    effects_tell(out, &e);
}

void members_close_announcement(struct server *s, struct group *g, instant_t now,
                                struct effects *out)
{
    bool acknowledged = !g->push->announcement.unanswered;

    for (size_t i = 0; i < g->registry.n; i++) {
        struct registry_member *m = g->registry.members[i];
        if (!is_behind(g, m))
            continue;
        enum registry_reason reason = acknowledged ? judge(g, m, now) : REGISTRY_NO_REASON;
        if (reason != REGISTRY_NO_REASON)
            strike(s, g, m, reason, now, out);
        else
            m->version = (uint16_t)g->version;
    }
}

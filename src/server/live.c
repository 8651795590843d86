#include "server/live.h"

#include "group/change.h"
#include "server/change.h"
#include "server/groups.h"
#include "server/limits.h"
#include "server/operator.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

/* ---- what is told ---- */

static void tell(const struct model_change *change, struct arena *arena, struct effects *out)
{
    const struct model_group *g = change->to ? change->to : change->from;
    struct event e = event_of(EV_COMMIT);

    event_add_str(&e, "group", g ? g->name : NULL);
    event_add_str(&e, "what", change_line(change, arena));
    model_event_where(&e, change->where);
    effects_tell(out, &e);
}

void live_tell(const struct model_change *changes, struct effects *out)
{
    struct arena arena = {0};
    size_t n = 0;

    for (; changes && n < CHANGE_LINES_MAX; changes = changes->next, n++)
        tell(changes, &arena, out);
    arena_free(&arena);
}

/* ---- members ---- */

void live_forget(struct group *g, struct registry_member *m, const char *why, struct effects *out)
{
    struct event e = event_of(EV_MEMBER_REMOVED);

    event_add_endpoint(&e, "peer", m->remote);
    event_add_str(&e, "gateway", m->gateway->name);
    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", why);
    effects_tell(out, &e);
    persist_forget_member(g, m, out);
    registry_remove(&g->registry, m);
}

/* Not one by one: there may be very many. */
static void tell_all_gone(const struct group *g, const char *why, struct effects *out)
{
    struct event e = event_of(EV_MEMBER_REMOVED);

    if (g->registry.n == 0)
        return;
    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "members", g->registry.n);
    event_add_str(&e, "what", why);
    effects_tell(out, &e);
}

void live_forget_rows(const struct group *g, const char *why, struct effects *out)
{
    tell_all_gone(g, why, out);
    for (size_t i = 0; i < g->registry.n; i++)
        persist_forget_member(g, g->registry.members[i], out);
}

static void forget_all(struct group *g, const char *why, struct effects *out)
{
    live_forget_rows(g, why, out);
    while (g->registry.n > 0)
        registry_remove(&g->registry, g->registry.members[g->registry.n - 1]);
}

void live_shut_out(struct server *s, struct group *g)
{
    if (g->kek[GROUP_KEK_CURRENT])
        group_exclude(g, span_s(server_spread(s, g)));
    else
        group_rekey_later(g, NULL);
}

/* ---- keys ---- */

static void apply(struct server *s, instant_t now, const struct model_change *change,
                  struct group *g, struct effects *out)
{
    struct group_sa *sa = change->name ? group_sa_named(g, change->name) : NULL;

    switch (change_effect_of(change)) {
    case CHANGE_SA_NOW:
        group_rekey(g, sa);
        break;
    case CHANGE_ALL_NOW:
        group_rekey(g, NULL);
        break;
    case CHANGE_SA_LATER:
        group_rekey_later(g, sa);
        break;
    case CHANGE_ALL_LATER:
    case CHANGE_NEXT_CHANGEOVER:
        group_rekey_later(g, NULL);
        break;
    case CHANGE_KEK_NOW:
    case CHANGE_ADDRESS:
        group_rekey_kek(g);
        break;
    case CHANGE_INTERFACE:
        group_use_interface(g);
        break;
    case CHANGE_KEK_FIRST:
        forget_all(g, "server-member-communication begins", out);
        break;
    case CHANGE_KEK_DELETE:
        push_delete(s, g, now, &(struct push_delete){.kek = true}, out);
        groups_drop_keks(s, g, out);
        break;
    case CHANGE_NOTHING: /* the planner reads the new model by itself */
    case CHANGE_NEXT_MESSAGE:
    case CHANGE_NEXT_TEK:
    case CHANGE_NEXT_KEK:
    case CHANGE_SA_FIRST:
    case CHANGE_SIGNER: /* group_set_signer() has asked for it */
    case CHANGE_PHASE1: /* done while everything moved over */
    case CHANGE_SA_DELETE:
    case CHANGE_SA_DROP:
    case CHANGE_GATEWAY_OUT:
    case CHANGE_MEMBER_OUT:
    case CHANGE_GROUP_START:
    case CHANGE_GROUP_END:
    case CHANGE_GROUP_ANEW:
    case CHANGE_IMPOSSIBLE:
    case CHANGE_EFFECT_COUNT:
        break;
    }
}

static bool goes_on(const struct model_change *c)
{
    return c->from && c->to && c->from->id == c->to->id;
}

/* What was asked for is not forgotten, should the server die now. */
static void keep(struct server *s, struct group *g, struct effects *out)
{
    if (g)
        order_wish(s, g, out);
}

void live_apply(struct server *s, instant_t now, const struct model_change *changes,
                struct effects *out)
{
    struct group *last = NULL;

    for (; changes; changes = changes->next) {
        struct group *g = goes_on(changes) ? server_group_by_id(s, changes->to->id) : NULL;
        if (!g)
            continue; /* of no group, or of one that began or ended */
        apply(s, now, changes, g, out);
        if (last != g)
            keep(s, last, out);
        last = g;
    }
    keep(s, last, out);
}

/* ---- what members are told to drop ---- */

/* The SPIs of the ipsec-sas of g that a change takes away; how many. */
static size_t spis_to_go(const struct group *g, const struct model_change *changes, uint32_t *spis)
{
    size_t n = 0;

    for (; changes; changes = changes->next) {
        bool mine = changes->from == g->model && changes->kind == MODEL_SA_REMOVED;
        const struct group_sa *sa = mine ? group_sa_named(g, changes->name) : NULL;
        for (size_t slot = GROUP_NEXT; sa && slot < GROUP_SLOTS; slot++) {
            if (sa->slot[slot])
                spis[n++] = sa->slot[slot]->spi;
        }
    }
    return n;
}

static bool goes(const struct group *g, const struct model_change *changes)
{
    for (; changes; changes = changes->next) {
        if (changes->from == g->model &&
            (changes->kind == MODEL_GROUP_REMOVED || changes->kind == MODEL_GROUP_ID_CHANGED))
            return true;
    }
    return false;
}

void live_farewell(struct server *s, instant_t now, const struct model_change *changes,
                   struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        uint32_t spis[SERVER_SAS_MAX * GROUP_SLOTS];
        struct group *g = s->groups[i];
        struct push_delete some = {.spis = spis, .n = spis_to_go(g, changes, spis)};
        if (goes(g, changes))
            push_delete(s, g, now, &(struct push_delete){.all_teks = true, .kek = true}, out);
        else if (some.n > 0)
            push_delete(s, g, now, &some, out);
    }
}

/* ---- after a restart ---- */

static void sas_as_they_were(const struct group *g, struct arena *arena, struct model_group *was)
{
    struct model_ipsec_sa *sas = arena_alloc(arena, g->n_sas * sizeof *sas);

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        sas[i] = *(newest ? newest->policy : g->sas[i].model);
        sas[i].name = g->sas[i].model->name;
    }
    was->sas = sas;
}

static bool has_keys(const struct group *g)
{
    if (g->kek[GROUP_KEK_CURRENT])
        return true;
    for (size_t i = 0; i < g->n_sas; i++) {
        if (group_newest(&g->sas[i]))
            return true;
    }
    return false;
}

/* The group's configuration as far as its keys know it; the rest as it is now. */
static struct model_group as_it_was(const struct group *g, struct arena *arena)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    struct model_group was = *g->model;

    was.atd_s = g->atd_s;
    was.anti_replay_window_ms = group_window_ms(g);
    if (kek)
        was.communication = *kek->policy;
    else if (g->kek_numbers == 0) /* there never was one; else it has ended while we were away */
        was.communication.present = false;
    sas_as_they_were(g, arena, &was);
    return was;
}

void live_restored(struct server *s, instant_t now, struct effects *out)
{
    struct arena arena = {0};

    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = s->groups[i];
        if (!has_keys(g))
            continue; /* it begins */
        struct model_group was = as_it_was(g, &arena);
        const struct model_change *changes = model_diff_group(&was, g->model, &arena);
        live_tell(changes, out);
        live_apply(s, now, changes, out);
    }
    arena_free(&arena);
}

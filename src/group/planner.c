/* The planner: what is due when, and the moves between slots. Everything that it makes goes through
 * MINTED. */
#include "group/group.h"

#include <assert.h>

/* Before every instant that a clock can tell. */
#define ALREADY ((instant_t){INT64_MIN})

/* ---- when ---- */

static bool has_current(const struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].slot[GROUP_CURRENT])
            return true;
    }
    return false;
}

/* When this SA wants a new generation, were there no changeover. One that only joins others waits
 * for theirs, as long as there is one that will have to be replaced. */
static instant_t sa_due(const struct group *g, const struct group_sa *sa)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];

    if (sa->wish == GROUP_SA_REKEY || g->wishes.exclusion)
        return ALREADY;
    if (current)
        return timeline_renew_at(&current->time, group_atd(g));
    return sa->wish == GROUP_SA_JOINS && has_current(g) ? INSTANT_NEVER : ALREADY;
}

static instant_t first_sa_due(const struct group *g)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < g->n_sas; i++)
        due = instant_min(due, sa_due(g, &g->sas[i]));
    return due;
}

/* When the changeover of the KEK is over that runs, or ran last: by then members have heard of it,
 * in one way or another. The one before is kept longer if nobody needs its place. */
static instant_t kek_free_at(const struct group *g)
{
    const struct kek_generation *current = g->kek[GROUP_KEK_CURRENT],
                                *previous = g->kek[GROUP_KEK_PREVIOUS];

    if (!previous)
        return ALREADY;
    instant_t over = instant_add(current->created, timeline_changeover(group_atd(g)));
    if (group_exclusion(g))
        over = instant_max(over, group_exclusion(g)->drop_at);
    return instant_min(previous->expiry, over);
}

instant_t group_free_at(const struct group *g, bool with_kek)
{
    const struct timeline *t = group_changeover(g);
    instant_t at = t ? instant_max(t->drop_at, g->retry_at) : g->retry_at;

    return with_kek ? instant_max(at, kek_free_at(g)) : at;
}

static bool has_kek(const struct group *g) { return g->model->communication.present && g->signer; }

static instant_t kek_wanted_at(const struct group *g)
{
    const struct kek_generation *current = g->kek[GROUP_KEK_CURRENT];

    if (!current || g->wishes.kek || g->wishes.exclusion)
        return ALREADY;
    return kek_renew_at(current, group_atd(g));
}

/* An exclusion changes the KEK with the keys (decisions M18): it waits for who signs the new one.
 * Keys alone would have it fulfilled, and the next KEK would go out under one that is not retired.
 */
static bool waits_for_signer(const struct group *g)
{
    return g->wishes.exclusion && g->model->communication.present && !g->signer;
}

/* When new keys of ipsec-sas are to be made. */
static instant_t teks_make_due(const struct group *g)
{
    if (group_is_minted(g) || group_changeover(g) || waits_for_signer(g))
        return INSTANT_NEVER;
    instant_t due = instant_max(first_sa_due(g), g->retry_at);
    return g->wishes.exclusion ? instant_max(due, kek_free_at(g)) : due;
}

static instant_t kek_make_due(const struct group *g)
{
    if (!has_kek(g) || group_is_minted(g) || (g->wishes.exclusion && group_changeover(g)))
        return INSTANT_NEVER;
    return instant_max(instant_max(kek_wanted_at(g), kek_free_at(g)), g->retry_at);
}

static bool has_next(const struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].slot[GROUP_NEXT])
            return true;
    }
    return false;
}

/* When a generation that is there moves on, or goes. */
static instant_t teks_move_due(const struct group *g)
{
    const struct timeline *t = group_changeover(g);

    if (!t)
        return INSTANT_NEVER;
    return has_next(g) ? t->switch_at : t->drop_at;
}

static instant_t kek_move_due(const struct group *g)
{
    return g->kek[GROUP_KEK_PREVIOUS] ? g->kek[GROUP_KEK_PREVIOUS]->expiry : INSTANT_NEVER;
}

instant_t group_due(const struct group *g)
{
    instant_t move = instant_min(teks_move_due(g), kek_move_due(g));

    return instant_min(move, instant_min(teks_make_due(g), kek_make_due(g)));
}

/* ---- making ---- */

/* Who takes part in a changeover that starts now: whoever would fall due before its end, and
 * everybody when it brings another anti-replay window. */
static bool takes_part(const struct group *g, const struct group_sa *sa, instant_t now)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];
    instant_t end = instant_add(now, timeline_changeover(group_atd(g)));

    if (current && current->window_ms != g->model->anti_replay_window_ms)
        return true;
    return sa->wish == GROUP_SA_JOINS || instant_reached(sa_due(g, sa), end);
}

/* The first expiry among the keys to be replaced: it bounds the whole changeover. */
static instant_t first_expiry(const struct group *g, instant_t now)
{
    instant_t first = INSTANT_NEVER;

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct group_sa *sa = &g->sas[i];
        if (sa->slot[GROUP_CURRENT] && takes_part(g, sa, now))
            first = instant_min(first, sa->slot[GROUP_CURRENT]->time.expiry);
    }
    return first;
}

/* The configuration sees to the rule for its own delay, not for one that is still in force. */
static span_t lifetime_of(const struct group *g, const struct group_sa *sa)
{
    return span_max(span_s(sa->model->proposal->lifetime_s),
                    span_times(group_atd(g), GROUP_LIFETIME_ATDS));
}

static struct timeline timeline_of(const struct group *g, const struct group_sa *sa, instant_t now,
                                   instant_t replaced)
{
    span_t lifetime = lifetime_of(g, sa), atd = group_atd(g);

    if (instant_is_never(replaced))
        return timeline_first(now, lifetime, atd, g->registry.n > 0 && !g->cleared);
    if (g->wishes.exclusion)
        return timeline_spread(now, lifetime, atd, replaced, g->wishes.spread);
    return timeline_after(now, lifetime, atd, replaced);
}

static void make_teks(struct group *g, instant_t now)
{
    instant_t replaced = first_expiry(g, now);

    for (size_t i = 0; i < g->n_sas; i++) {
        struct group_sa *sa = &g->sas[i];
        if (!takes_part(g, sa, now))
            continue;
        struct timeline time = timeline_of(g, sa, now, replaced);
        assert(!sa->slot[GROUP_MINTED] && !sa->slot[GROUP_NEXT] && !sa->slot[GROUP_PREVIOUS]);
        sa->slot[GROUP_MINTED] = mint_generation(g->mint, sa->model, ++sa->numbers, time);
        sa->slot[GROUP_MINTED]->window_ms = g->model->anti_replay_window_ms;
    }
}

static void make_kek(struct group *g, instant_t now)
{
    const struct model_communication *policy = &g->model->communication;

    g->kek[GROUP_KEK_MINTED] = kek_new(g->mint, policy, g->signer, ++g->kek_numbers, now);
}

/* What falls due within one ATD of what is due now is made with it: two messages, one of them under
 * the KEK that the other one brings, could arrive in the wrong order (decisions M5). */
static void make(struct group *g, instant_t now)
{
    instant_t soon = instant_add(now, group_atd(g));
    bool teks = instant_reached(teks_make_due(g), soon);
    bool kek = instant_reached(kek_make_due(g), soon);

    if (teks)
        make_teks(g, now);
    if (kek)
        make_kek(g, now);
    g->minted_excludes = g->wishes.exclusion;
}

/* ---- moving ---- */

static void switch_over(struct group *g, const struct group_listener *l)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        struct group_sa *sa = &g->sas[i];
        if (!sa->slot[GROUP_NEXT])
            continue;
        assert(!sa->slot[GROUP_PREVIOUS]);
        sa->slot[GROUP_PREVIOUS] = sa->slot[GROUP_CURRENT];
        sa->slot[GROUP_CURRENT] = sa->slot[GROUP_NEXT];
        sa->slot[GROUP_NEXT] = NULL;
        l->tell(l->to, GROUP_SWITCHED, g, sa, sa->slot[GROUP_CURRENT]);
    }
}

static void drop_tek(struct group *g, struct group_sa *sa, enum group_slot slot,
                     const struct group_listener *l)
{
    if (!sa->slot[slot])
        return;
    if (slot != GROUP_MINTED) /* else nobody has heard of it */
        l->tell(l->to, GROUP_DROPPED, g, sa, sa->slot[slot]);
    mint_drop(g->mint, sa->slot[slot]);
    sa->slot[slot] = NULL;
}

static void drop_kek(struct group *g, enum group_kek_slot slot, const struct group_listener *l)
{
    if (!g->kek[slot])
        return;
    if (slot != GROUP_KEK_MINTED)
        l->tell_kek(l->to, GROUP_DROPPED, g, g->kek[slot]);
    kek_free(g->kek[slot]);
    g->kek[slot] = NULL;
}

static void move_on(struct group *g, instant_t now, const struct group_listener *l)
{
    while (instant_reached(kek_move_due(g), now))
        drop_kek(g, GROUP_KEK_PREVIOUS, l);
    while (instant_reached(teks_move_due(g), now)) {
        if (has_next(g)) {
            switch_over(g, l);
            continue;
        }
        for (size_t i = 0; i < g->n_sas; i++)
            drop_tek(g, &g->sas[i], GROUP_PREVIOUS, l);
    }
}

void group_advance(struct group *g, instant_t now, const struct group_listener *l)
{
    move_on(g, now, l);
    if (instant_reached(instant_min(teks_make_due(g), kek_make_due(g)), now))
        make(g, now);
}

/* ---- the store's answer ---- */

static void commit_teks(struct group *g, const struct group_listener *l)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n_sas; i++) {
        struct group_sa *sa = &g->sas[i];
        if (!sa->slot[GROUP_MINTED])
            continue;
        sa->slot[GROUP_NEXT] = sa->slot[GROUP_MINTED];
        sa->slot[GROUP_MINTED] = NULL;
        sa->wish = GROUP_SA_NO_WISH;
        l->tell(l->to, GROUP_CREATED, g, sa, sa->slot[GROUP_NEXT]);
        n++;
    }
    g->cleared = g->cleared && n == 0;
    if (n == g->n_sas) /* no key is left whose members know the one before */
        g->atd_s = g->model->atd_s;
}

static void commit_kek(struct group *g, const struct group_listener *l)
{
    if (!g->kek[GROUP_KEK_MINTED])
        return;
    drop_kek(g, GROUP_KEK_PREVIOUS, l);
    g->kek[GROUP_KEK_PREVIOUS] = g->kek[GROUP_KEK_CURRENT];
    g->kek[GROUP_KEK_CURRENT] = g->kek[GROUP_KEK_MINTED];
    g->kek[GROUP_KEK_MINTED] = NULL;
    g->wishes.kek = g->kek[GROUP_KEK_CURRENT]->signer != g->signer;
    if (g->kek[GROUP_KEK_PREVIOUS])
        g->kek[GROUP_KEK_PREVIOUS]->retired = g->minted_excludes;
    l->tell_kek(l->to, GROUP_CREATED, g, g->kek[GROUP_KEK_CURRENT]);
}

void group_commit(struct group *g, instant_t now, const struct group_listener *l)
{
    assert(group_is_minted(g));
    g->version++;
    commit_teks(g, l);
    commit_kek(g, l);
    if (g->minted_excludes) {
        g->wishes.exclusion = g->minted_excludes = false;
        g->wishes.spread = span_s(0);
    }
    move_on(g, now, l);
}

void group_forget_minted(struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++)
        drop_tek(g, &g->sas[i], GROUP_MINTED, NULL);
    drop_kek(g, GROUP_KEK_MINTED, NULL);
    g->minted_excludes = false;
}

void group_abandon(struct group *g, instant_t now)
{
    assert(group_is_minted(g));
    group_forget_minted(g);
    g->retry_at = instant_add(now, GROUP_STORE_RETRY);
}

void group_clear(struct group *g, const struct group_listener *l)
{
    group_forget_minted(g);
    for (size_t i = 0; i < g->n_sas; i++) {
        for (enum group_slot slot = GROUP_PREVIOUS; slot >= GROUP_NEXT; slot--)
            drop_tek(g, &g->sas[i], slot, l); /* the oldest first, as in group/change.c */
        g->sas[i].wish = GROUP_SA_NO_WISH;
    }
    drop_kek(g, GROUP_KEK_PREVIOUS, l);
    g->wishes = (struct group_wishes){.exclusion = g->kek[GROUP_KEK_CURRENT] != NULL};
    g->cleared = true;
}

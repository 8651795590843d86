#include "group/group.h"

#include <assert.h>
#include <stdlib.h>

/* Before every instant that a clock can tell. */
#define ALREADY ((instant_t){INT64_MIN})

span_t group_atd(const struct group *g) { return span_s(g->atd_s); }

struct group *group_new(const struct model_group *model, struct mint *mint)
{
    struct group *g = calloc(1, sizeof *g);
    struct group_sa *sas = calloc(model->n_sas ? model->n_sas : 1, sizeof *sas);

    if (!g || !sas)
        abort(); /* at start-up, a few kilobytes */
    uint64_t seed[2] = {drbg_u64(mint->drbg), drbg_u64(mint->drbg)};
    *g = (struct group){.model = model,
                        .atd_s = model->atd_s,
                        .sas = sas,
                        .n_sas = model->n_sas,
                        .mint = mint,
                        .registry = registry_of(seed, REGISTRY_MEMBERS_MAX)};
    for (size_t i = 0; i < g->n_sas; i++)
        g->sas[i].model = &model->sas[i];
    return g;
}

void group_free(struct group *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n_sas; i++) {
        for (size_t slot = 0; slot < GROUP_SLOTS; slot++)
            mint_drop(g->mint, g->sas[i].slot[slot]);
    }
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++)
        kek_free(g->kek[slot]);
    registry_free(&g->registry);
    free(g->sas);
    free(g);
}

const struct generation *group_newest(const struct group_sa *sa)
{
    return sa->slot[GROUP_NEXT] ? sa->slot[GROUP_NEXT] : sa->slot[GROUP_CURRENT];
}

uint32_t group_window_ms(const struct group *g)
{
    const struct generation *newest = g->n_sas > 0 ? group_newest(&g->sas[0]) : NULL;

    return newest ? newest->window_ms : g->model->anti_replay_window_ms;
}

/* The changeover that runs: any generation in it has its instants. NULL: none. */
static const struct timeline *changeover(const struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        const struct group_sa *sa = &g->sas[i];
        if (sa->slot[GROUP_NEXT])
            return &sa->slot[GROUP_NEXT]->time;
        if (sa->slot[GROUP_PREVIOUS])
            return &sa->slot[GROUP_CURRENT]->time;
    }
    return NULL;
}

struct group_delays group_delays(const struct group *g, instant_t now)
{
    const struct timeline *t = changeover(g);

    if (!t)
        return (struct group_delays){0, 0};
    return (struct group_delays){timeline_activation_s(t, now), timeline_deactivation_s(t, now)};
}

/* When this SA wants a new generation, were there no changeover. */
static instant_t sa_due(const struct group *g, const struct group_sa *sa)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];

    if (sa->rekey_wanted || (!current && !sa->rekey_joins))
        return ALREADY;
    if (!current)
        return INSTANT_NEVER; /* its first key waits for the others' next */
    return timeline_renew_at(&current->time, group_atd(g));
}

static instant_t renewal_due(const struct group *g)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < g->n_sas; i++)
        due = instant_min(due, sa_due(g, &g->sas[i]));
    return due;
}

static bool has_next(const struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].slot[GROUP_NEXT])
            return true;
    }
    return false;
}

/* When the planner has something to do about ipsec-sas. */
static instant_t teks_due(const struct group *g)
{
    const struct timeline *t = changeover(g);

    if (!t)
        return renewal_due(g);
    return has_next(g) ? t->switch_at : t->drop_at;
}

/* ... about the KEK. A lifetime is at least 10 ATD, and a KEK is PREVIOUS for 4 ATD: it has gone
 * long before its successor is to be replaced. */
static instant_t kek_due(const struct group *g)
{
    const struct kek_generation *current = g->kek[GROUP_KEK_CURRENT],
                                *previous = g->kek[GROUP_KEK_PREVIOUS];

    if (!g->model->communication.present || !g->signer)
        return INSTANT_NEVER;
    if (previous)
        return previous->expiry;
    return current ? kek_renew_at(current, group_atd(g)) : ALREADY;
}

instant_t group_due(const struct group *g) { return instant_min(teks_due(g), kek_due(g)); }

static void tell(const struct group_listener *l, enum group_event what, const struct group *g,
                 const struct group_sa *sa, const struct generation *generation)
{
    l->tell(l->to, what, g, sa, generation);
}

/* Who takes part in a changeover that starts now: whoever would fall due before its end, and
 * everybody when it brings another anti-replay window. */
static bool takes_part(const struct group *g, const struct group_sa *sa, instant_t now)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];
    instant_t end = instant_add(now, timeline_changeover(group_atd(g)));

    if (current && current->window_ms != g->model->anti_replay_window_ms)
        return true;
    return sa->rekey_joins || instant_reached(sa_due(g, sa), end);
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

static void create(struct group *g, struct group_sa *sa, instant_t now, instant_t replaced,
                   const struct group_listener *l)
{
    span_t lifetime = lifetime_of(g, sa);
    struct timeline time = instant_is_never(replaced)
                               ? timeline_first(now, lifetime, group_atd(g), g->registry.n > 0)
                               : timeline_after(now, lifetime, group_atd(g), replaced);

    assert(!sa->slot[GROUP_NEXT] && !sa->slot[GROUP_PREVIOUS]);
    sa->rekey_wanted = sa->rekey_joins = false;
    sa->slot[GROUP_NEXT] = mint_generation(g->mint, sa->model, ++sa->numbers, time);
    sa->slot[GROUP_NEXT]->window_ms = g->model->anti_replay_window_ms;
    tell(l, GROUP_CREATED, g, sa, sa->slot[GROUP_NEXT]);
}

static void start_changeover(struct group *g, instant_t now, const struct group_listener *l)
{
    instant_t replaced = first_expiry(g, now);
    size_t n = 0;

    for (size_t i = 0; i < g->n_sas; i++) {
        if (!takes_part(g, &g->sas[i], now))
            continue;
        create(g, &g->sas[i], now, replaced, l);
        n++;
    }
    if (n == g->n_sas) /* no key is left whose members know the one before */
        g->atd_s = g->model->atd_s;
    g->version++;
}

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
        tell(l, GROUP_SWITCHED, g, sa, sa->slot[GROUP_CURRENT]);
    }
}

static void drop_previous(struct group *g, const struct group_listener *l)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        struct group_sa *sa = &g->sas[i];
        if (!sa->slot[GROUP_PREVIOUS])
            continue;
        tell(l, GROUP_DROPPED, g, sa, sa->slot[GROUP_PREVIOUS]);
        mint_drop(g->mint, sa->slot[GROUP_PREVIOUS]);
        sa->slot[GROUP_PREVIOUS] = NULL;
    }
}

static void kek_drop(struct group *g, const struct group_listener *l)
{
    l->tell_kek(l->to, GROUP_DROPPED, g, g->kek[GROUP_KEK_PREVIOUS]);
    kek_free(g->kek[GROUP_KEK_PREVIOUS]);
    g->kek[GROUP_KEK_PREVIOUS] = NULL;
}

static void kek_create(struct group *g, instant_t now, const struct group_listener *l)
{
    const struct model_communication *policy = &g->model->communication;

    g->kek[GROUP_KEK_PREVIOUS] = g->kek[GROUP_KEK_CURRENT];
    g->kek[GROUP_KEK_CURRENT] = kek_new(g->mint, policy, g->signer, ++g->kek_numbers, now);
    g->version++;
    l->tell_kek(l->to, GROUP_CREATED, g, g->kek[GROUP_KEK_CURRENT]);
}

static void advance_kek(struct group *g, instant_t now, const struct group_listener *l)
{
    while (instant_reached(kek_due(g), now)) {
        if (g->kek[GROUP_KEK_PREVIOUS])
            kek_drop(g, l);
        else
            kek_create(g, now, l);
    }
}

static void advance_teks(struct group *g, instant_t now, const struct group_listener *l)
{
    while (instant_reached(teks_due(g), now)) {
        if (has_next(g))
            switch_over(g, l);
        else if (changeover(g))
            drop_previous(g, l);
        else
            start_changeover(g, now, l);
    }
}

void group_advance(struct group *g, instant_t now, const struct group_listener *l)
{
    advance_kek(g, now, l);
    advance_teks(g, now, l);
}

void group_set_signer(struct group *g, const struct signing_key *signer) { g->signer = signer; }

bool group_is_ready(const struct group *g)
{
    return g->n_sas > 0 && (!g->model->communication.present || g->kek[GROUP_KEK_CURRENT]);
}

const struct kek_generation *group_kek(const struct group *g, const uint8_t spi[KEK_SPI])
{
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
        if (g->kek[slot] && bytes_equal(bytes(g->kek[slot]->spi, KEK_SPI), bytes(spi, KEK_SPI)))
            return g->kek[slot];
    }
    return NULL;
}

void group_rekey(struct group *g, struct group_sa *sa)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (!sa || sa == &g->sas[i])
            g->sas[i].rekey_wanted = true;
    }
}

#include "group/group.h"

#include <assert.h>
#include <stdlib.h>

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
                        .retry_at = {INT64_MIN},
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
    signing_key_release(g->signer);
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
    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        if (newest) /* a new ipsec-sa may still wait for its first key */
            return newest->window_ms;
    }
    return g->model->anti_replay_window_ms;
}

/* Any generation in it has its instants. */
const struct timeline *group_changeover(const struct group *g)
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

const struct timeline *group_exclusion(const struct group *g)
{
    const struct kek_generation *current = g->kek[GROUP_KEK_CURRENT],
                                *previous = g->kek[GROUP_KEK_PREVIOUS];
    const struct timeline *t = group_changeover(g);

    return t && previous && previous->retired && t->created.ns == current->created.ns ? t : NULL;
}

struct group_delays group_delays(const struct group *g, instant_t now)
{
    const struct timeline *t = group_changeover(g);

    if (!t)
        return (struct group_delays){0, 0};
    return (struct group_delays){timeline_activation_s(t, now), timeline_deactivation_s(t, now)};
}

void group_set_signer(struct group *g, struct signing_key *signer)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];

    signing_key_hold(signer);
    signing_key_release(g->signer);
    g->signer = signer;
    if (kek && kek->signer != signer)
        group_rekey_kek(g);
}

/* A lifetime is told in whole seconds: the last one is none. */
bool group_is_ready(const struct group *g, instant_t now)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    bool any = false;

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        any = any || (newest && timeline_life_s(&newest->time, now) > 0);
    }
    return any && (!g->model->communication.present || (kek && kek_life_s(kek, now) > 0));
}

static bool has_spi(const struct kek_generation *kek, const uint8_t spi[KEK_SPI])
{
    return kek && bytes_equal(BYTES_OF(kek->spi), bytes(spi, KEK_SPI));
}

const struct kek_generation *group_kek(const struct group *g, const uint8_t spi[KEK_SPI])
{
    if (has_spi(g->kek[GROUP_KEK_CURRENT], spi))
        return g->kek[GROUP_KEK_CURRENT];
    return has_spi(g->kek[GROUP_KEK_PREVIOUS], spi) ? g->kek[GROUP_KEK_PREVIOUS] : NULL;
}

bool group_is_minted(const struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].slot[GROUP_MINTED])
            return true;
    }
    return g->kek[GROUP_KEK_MINTED] != NULL;
}

uint32_t group_version_to_be(const struct group *g) { return g->version + group_is_minted(g); }

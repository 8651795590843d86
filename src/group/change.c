#include "group/change.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct group_sa *group_sa_named(const struct group *g, const char *name)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (strcmp(g->sas[i].model->name, name) == 0)
            return &g->sas[i];
    }
    return NULL;
}

static bool has_keys(const struct group_sa *sa)
{
    for (size_t slot = 0; slot < GROUP_SLOTS; slot++) {
        if (sa->slot[slot])
            return true;
    }
    return false;
}

/* The oldest first: what is left of them when the server dies meanwhile is not one that another had
 * replaced. */
static void drop_keys(struct group *g, struct group_sa *sa, const struct group_listener *l)
{
    for (size_t slot = GROUP_SLOTS; slot-- > 0;) {
        if (!sa->slot[slot])
            continue;
        assert(slot != GROUP_MINTED);
        l->tell(l->to, GROUP_DROPPED, g, sa, sa->slot[slot]);
        mint_drop(g->mint, sa->slot[slot]);
        sa->slot[slot] = NULL;
    }
}

/* The ipsec-sas of the model, those that were there before with all that they have. */
static struct group_sa *adopted(const struct group *g, const struct model_group *model)
{
    struct group_sa *sas = calloc(model->n_sas ? model->n_sas : 1, sizeof *sas);

    if (!sas)
        abort(); /* a few kilobytes, as in group_new() */
    for (size_t i = 0; i < model->n_sas; i++) {
        struct group_sa *was = group_sa_named(g, model->sas[i].name);
        if (was) {
            sas[i] = *was;
            memset(was->slot, 0, sizeof was->slot);
        }
        sas[i].model = &model->sas[i];
    }
    return sas;
}

void group_adopt(struct group *g, const struct model_group *model,
                 const struct group_listener *listener)
{
    struct group_sa *sas = adopted(g, model);
    bool any = false;

    for (size_t i = 0; i < g->n_sas; i++)
        drop_keys(g, &g->sas[i], listener);
    free(g->sas);
    g->sas = sas;
    g->n_sas = model->n_sas;
    g->model = model;
    for (size_t i = 0; i < g->n_sas; i++)
        any = any || has_keys(&g->sas[i]);
    if (!any)
        g->atd_s = model->atd_s; /* nobody reckons by the old one */
}

void group_drop_keks(struct group *g, const struct group_listener *l)
{
    for (size_t slot = GROUP_KEK_SLOTS; slot-- > 0;) { /* as above */
        if (!g->kek[slot])
            continue;
        assert(slot != GROUP_KEK_MINTED);
        l->tell_kek(l->to, GROUP_DROPPED, g, g->kek[slot]);
        kek_free(g->kek[slot]);
        g->kek[slot] = NULL;
    }
    group_postpone_wishes(g);
}

void group_use_interface(struct group *g)
{
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
        struct kek_generation *kek = g->kek[slot];
        if (!kek || kek->policy->type != MODEL_PUSH_MULTICAST)
            continue;
        struct model_communication policy = *kek->policy;
        policy.multicast_interface = g->model->communication.multicast_interface;
        kek->policy = model_communication_copy(&kek->memory, &policy);
    }
}

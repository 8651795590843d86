#include "server/gateways.h"

#include "server/state.h"

#include <assert.h>
#include <stdlib.h>

static struct phase1_peer peer_of(const struct model_server_gateway *g)
{
    return (struct phase1_peer){
        .name = g->name,
        .where = g->where,
        .policy = g->policy,
        .local = g->local,
        .remote = g->remote.type ? g->remote : g->dynamic,
        .address = g->address,
        .local_address = g->local_address,
        .dynamic = g->dynamic.type != MODEL_ID_NONE,
        .owner = g,
    };
}

static void list_gateways(const struct model_server *model, size_t group, uint64_t *listed)
{
    const struct model_group *g = &model->groups[group];

    for (size_t i = 0; i < g->n_gateways; i++) {
        size_t at = (size_t)(g->gateways[i] - model->gateways);
        assert(at < model->n_gateways);
        listed[at] |= UINT64_C(1) << group;
    }
}

enum err server_gateways(const struct model_server *model, struct phase1_peer **ret_peers,
                         uint64_t **ret_listed)
{
    struct phase1_peer *peers = calloc(model->n_gateways + 1, sizeof *peers);
    uint64_t *listed = calloc(model->n_gateways + 1, sizeof *listed);

    if (!peers || !listed) {
        free(peers);
        free(listed);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < model->n_gateways; i++)
        peers[i] = peer_of(&model->gateways[i]);
    for (size_t i = 0; i < model->n_groups; i++)
        list_gateways(model, i, listed);
    *ret_peers = peers;
    *ret_listed = listed;
    return ERR_OK;
}

struct phase1_config server_phase1_config(const struct model_server *model,
                                          const struct phase1_peer *peers)
{
    return (struct phase1_config){
        .peers = peers, .n_peers = model->n_gateways, .responder = true, .where = &model->where};
}

static_assert(MODEL_GROUPS_MAX <= 64, "struct server keeps them as bits");

bool server_lists(const struct server *s, const struct group *g,
                  const struct model_server_gateway *gateway)
{
    size_t group = (size_t)(g->model - s->model->groups);

    return s->listed[gateway - s->model->gateways] >> group & 1;
}

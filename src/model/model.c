#include "model/model.h"

#include "conf/diags.h"
#include "model/builder.h"

#include <string.h>

static void forget_names(struct builder *b)
{
    map_free(&b->proposals);
    map_free(&b->policies);
    map_free(&b->gateways);
    map_free(&b->ipsec_proposals);
    *b = (struct builder){.tree = b->tree, .arena = b->arena};
}

enum err model_build(const struct conf_tree *tree, const struct conf_diags *diags,
                     struct arena *arena, const struct model **ret_model)
{
    struct builder b = {.tree = tree, .arena = arena};

    if (conf_diags_count(diags, CONF_ERROR) > 0)
        return ERR_CONFIG;
    struct model *model = arena_alloc(arena, sizeof *model);
    if (conf_server(tree))
        model->server = build_server(&b, conf_server(tree));
    forget_names(&b);
    if (conf_member(tree))
        model->member = build_member(&b, conf_member(tree));
    forget_names(&b);
    *ret_model = model;
    return ERR_OK;
}

void model_event_where(struct event *e, const struct model_where *where)
{
    if (!where)
        return;
    event_add_str(e, "statement", where->path);
    event_add_fmt(e, "at", "%s:%lu", where->file, (unsigned long)where->line);
}

const struct model_group *model_group_by_id(const struct model_server *server, uint32_t id)
{
    for (size_t i = 0; i < server->n_groups; i++) {
        if (server->groups[i].id == id)
            return &server->groups[i];
    }
    return NULL;
}

const struct model_server_gateway *model_gateway_by_name(const struct model_server *server,
                                                         const char *name)
{
    for (size_t i = 0; i < server->n_gateways; i++) {
        if (strcmp(server->gateways[i].name, name) == 0)
            return &server->gateways[i];
    }
    return NULL;
}

bool model_group_has_gateway(const struct model_group *group,
                             const struct model_server_gateway *gateway)
{
    for (size_t i = 0; i < group->n_gateways; i++) {
        if (group->gateways[i] == gateway)
            return true;
    }
    return false;
}

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
    model->co_location = model->server && model->member;
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

void model_event_identity(struct event *e, struct model_identity id)
{
    struct ip ip = {.version = 4};

    if (id.type != MODEL_ID_IPV4) {
        event_add_text(e, "identity", id.value);
        return;
    }
    memcpy(ip.b, id.value.data, 4);
    event_add_ip(e, "identity", ip);
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

static const char *text_copy(struct arena *a, const char *text)
{
    return text ? arena_text(a, "%s", text) : NULL;
}

static struct model_where where_copy(struct arena *a, const struct model_where *w)
{
    return (struct model_where){text_copy(a, w->file), text_copy(a, w->path), w->line};
}

static const struct model_ipsec_proposal *proposal_copy(struct arena *a,
                                                        const struct model_ipsec_proposal *p)
{
    struct model_ipsec_proposal *copy = arena_copy(a, p, sizeof *p);

    copy->name = text_copy(a, p->name);
    copy->where = where_copy(a, &p->where);
    return copy;
}

const struct model_ipsec_sa *model_ipsec_sa_copy(struct arena *a, const struct model_ipsec_sa *sa)
{
    struct model_ipsec_sa *copy = arena_copy(a, sa, sizeof *sa);
    struct model_match_policy *policies =
        arena_copy(a, sa->policies, sa->n_policies * sizeof *sa->policies);

    copy->name = text_copy(a, sa->name);
    copy->where = where_copy(a, &sa->where);
    copy->proposal = proposal_copy(a, sa->proposal);
    copy->policies = policies;
    for (size_t i = 0; i < sa->n_policies; i++) {
        policies[i].name = text_copy(a, sa->policies[i].name);
        policies[i].where = where_copy(a, &sa->policies[i].where);
    }
    return copy;
}

const struct model_communication *model_communication_copy(struct arena *a,
                                                           const struct model_communication *c)
{
    struct model_communication *copy = arena_copy(a, c, sizeof *c);

    copy->where = where_copy(a, &c->where);
    copy->multicast_interface = text_copy(a, c->multicast_interface);
    copy->certificate = text_copy(a, c->certificate);
    return copy;
}

#include "conf/applications.h"
#include "model/builder.h"

#include <assert.h>
#include <string.h>

static void servers(const struct conf_node *n, struct model_member_gateway *to)
{
    const struct conf_node *list = conf_child(n, "server-address");

    if (!list)
        list = conf_child(n, "address");
    assert(list->n_values <= MODEL_SERVERS_MAX);
    for (; to->n_servers < list->n_values; to->n_servers++) {
        bool valid = ip_parse(list->values[to->n_servers].text, &to->servers[to->n_servers]);
        assert(valid);
        (void)valid;
    }
}

static struct model_member_gateway gateway(struct builder *b, const struct conf_node *n)
{
    struct model_member_gateway to = {
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .policy = build_referenced(&b->policies, n, "ike-policy"),
        .local_address = build_ip(n, "local-address"),
        .local = build_identity(b, conf_child(n, "local-identity")),
        .remote = build_identity(b, conf_child(n, "remote-identity")),
    };

    servers(n, &to);
    return to;
}

static void gateways(struct builder *b, const struct conf_node *ike, struct model_member *member)
{
    struct model_member_gateway *list =
        arena_alloc(b->arena, conf_count(ike, "gateway") * sizeof *list);

    member->gateways = list;
    for (const struct conf_node *g = conf_child(ike, "gateway"); g; g = conf_next(g)) {
        struct model_member_gateway *to = &list[member->n_gateways++];
        *to = gateway(b, g);
        build_name(&b->gateways, to->name, to);
    }
}

/* An application that is not predefined is UNBUILT: such a model never runs, and its rule matches
 * nothing here. */
static struct model_rule rule(struct builder *b, const struct conf_node *n)
{
    static const struct conf_application none = {.name = "", .protocol = 255};
    const struct conf_node *stated = conf_child(n, "application");
    const struct conf_application *application =
        conf_application(conf_child_text(n, "application"));

    if (!application)
        application = &none;
    return (struct model_rule){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .source = build_prefix(n, "source-address"),
        .destination = build_prefix(n, "destination-address"),
        .protocol = application->protocol,
        .destination_port_first = application->port_first,
        .destination_port_last = application->port_last,
        .application = stated ? build_text(b, conf_text(stated)) : NULL,
    };
}

static size_t rules(struct builder *b, const struct conf_node *container, struct model_rule *list)
{
    size_t n = 0;

    for (const struct conf_node *r = conf_child(container, "rule"); r; r = conf_next(r)) {
        assert(n < MODEL_RULES_MAX);
        list[n++] = rule(b, r);
    }
    return n;
}

static void vpn(struct builder *b, const struct conf_node *n, struct model_vpn *to)
{
    *to = (struct model_vpn){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .gateway = build_referenced(&b->gateways, n, "ike-gateway"),
        .group_id = conf_child_number(n, "group"),
        .external_interface = build_text(b, conf_child_text(n, "group-vpn-external-interface")),
        .heartbeat_threshold = conf_child_number(n, "heartbeat-threshold"),
        .recovery_probe = conf_child(n, "recovery-probe") != NULL,
        .df_bit = (enum model_df_bit)conf_child_choice(n, "df-bit")->value,
        .tunnel_mtu = conf_child_number(n, "tunnel-mtu"),
    };
    to->n_exclude = rules(b, conf_child(n, "exclude"), to->exclude);
    to->n_fail_open = rules(b, conf_child(n, "fail-open"), to->fail_open);
}

const struct model_member *build_member(struct builder *b, const struct conf_node *n)
{
    struct model_member *member = arena_alloc(b->arena, sizeof *member);
    struct model_ike ike = build_ike(b, conf_child(n, "ike"));
    const struct conf_node *ipsec = conf_child(n, "ipsec");
    struct model_vpn *list = arena_alloc(b->arena, conf_count(ipsec, "vpn") * sizeof *list);

    member->where = build_where(b, n);
    member->ike_proposals = ike.proposals;
    member->n_ike_proposals = ike.n_proposals;
    member->ike_policies = ike.policies;
    member->n_ike_policies = ike.n_policies;
    gateways(b, conf_child(n, "ike"), member);
    member->vpns = list;
    for (const struct conf_node *v = conf_child(ipsec, "vpn"); v; v = conf_next(v))
        vpn(b, v, &list[member->n_vpns++]);
    return member;
}

#include "model/builder.h"

#include <assert.h>
#include <string.h>

/* ---- gateways and IPsec proposals ---- */

static struct model_server_gateway gateway(struct builder *b, const struct conf_node *n)
{
    return (struct model_server_gateway){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .policy = build_referenced(&b->policies, n, "ike-policy"),
        .address = build_ip(n, "address"),
        .dynamic = build_identity(b, conf_child(n, "dynamic")),
        .local = build_identity(b, conf_child(n, "local-identity")),
        .remote = build_identity(b, conf_child(n, "remote-identity")),
        .local_address = build_ip(n, "local-address"),
    };
}

static void gateways(struct builder *b, const struct conf_node *ike, struct model_server *server)
{
    size_t n = conf_count(ike, "gateway");
    struct model_server_gateway *list = arena_alloc(b->arena, n * sizeof *list);

    server->gateways = list;
    for (const struct conf_node *g = conf_child(ike, "gateway"); g; g = conf_next(g)) {
        struct model_server_gateway *to = &list[server->n_gateways++];
        *to = gateway(b, g);
        build_name(&b->gateways, to->name, to);
    }
}

static struct model_ipsec_proposal ipsec_proposal(struct builder *b, const struct conf_node *n)
{
    const struct conf_choice *cipher = conf_child_choice(n, "encryption-algorithm");
    const struct conf_choice *auth = conf_child_choice(n, "authentication-algorithm");

    return (struct model_ipsec_proposal){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .cipher = (enum model_esp_cipher)cipher->value,
        .key_bits = (uint16_t)cipher->bits,
        .auth = auth ? (enum model_esp_auth)auth->value : MODEL_ESP_AUTH_NONE,
        .lifetime_s = conf_child_number(n, "lifetime-seconds"),
    };
}

static void ipsec_proposals(struct builder *b, const struct conf_node *ipsec,
                            struct model_server *server)
{
    size_t n = conf_count(ipsec, "proposal");
    struct model_ipsec_proposal *list = arena_alloc(b->arena, n * sizeof *list);

    server->ipsec_proposals = list;
    for (const struct conf_node *p = conf_child(ipsec, "proposal"); p; p = conf_next(p)) {
        struct model_ipsec_proposal *to = &list[server->n_ipsec_proposals++];
        *to = ipsec_proposal(b, p);
        build_name(&b->ipsec_proposals, to->name, to);
    }
}

/* ---- groups ---- */

static struct model_match_policy match_policy(struct builder *b, const struct conf_node *n)
{
    return (struct model_match_policy){
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .source = build_prefix(n, "source"),
        .destination = build_prefix(n, "destination"),
        .source_port = (uint16_t)conf_child_number(n, "source-port"),
        .destination_port = (uint16_t)conf_child_number(n, "destination-port"),
        .protocol = (uint8_t)conf_child_number(n, "protocol"),
    };
}

static struct model_ipsec_sa ipsec_sa(struct builder *b, const struct conf_node *n)
{
    struct model_match_policy *list =
        arena_alloc(b->arena, conf_count(n, "match-policy") * sizeof *list);
    struct model_ipsec_sa sa = {
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .proposal = build_referenced(&b->ipsec_proposals, n, "proposal"),
        .policies = list,
    };

    for (const struct conf_node *p = conf_child(n, "match-policy"); p; p = conf_next(p))
        list[sa.n_policies++] = match_policy(b, p);
    return sa;
}

static struct model_communication communication(struct builder *b, const struct conf_node *n)
{
    if (!n)
        return (struct model_communication){0};

    const struct conf_choice *cipher = conf_child_choice(n, "encryption-algorithm");
    const struct conf_choice *type = conf_child_choice(n, "communication-type");
    bool multicast = type->value == MODEL_PUSH_MULTICAST;
    return (struct model_communication){
        .present = true,
        .where = build_where(b, n),
        .type = (enum model_push_type)type->value,
        .cipher = (enum model_kek_cipher)cipher->value,
        .key_bits = (uint16_t)cipher->bits,
        .sig_hash = (enum model_sig_hash)conf_child_choice(n, "sig-hash-algorithm")->value,
        .lifetime_s = conf_child_number(n, "lifetime-seconds"),
        .heartbeat_s = conf_child_number(n, "heartbeat"),
        .n_retransmission = conf_child_number(n, "number-of-retransmission"),
        .retransmission_period_s = conf_child_number(n, "retransmission-period"),
        .multicast_group = multicast ? build_ip(n, "multicast-group") : IP_NONE,
        .multicast_interface =
            multicast ? build_text(b, conf_child_text(n, "multicast-outgoing-interface")) : NULL,
        .certificate = build_text(b, conf_child_text(n, "certificate")),
    };
}

static uint32_t anti_replay_window_ms(const struct conf_node *group)
{
    uint32_t ms = 0;
    bool in_ms;

    if (conf_child(group, "no-anti-replay"))
        return 0;
    bool valid = conf_parse_window(conf_child_text(group, "anti-replay-time-window"), &ms, &in_ms);
    assert(valid);
    (void)valid;
    return ms;
}

static void group_gateways(struct builder *b, const struct conf_node *n, struct model_group *group)
{
    const struct model_server_gateway **list =
        arena_alloc(b->arena, conf_count(n, "ike-gateway") * sizeof *list);

    group->gateways = list;
    for (const struct conf_node *ref = conf_child(n, "ike-gateway"); ref; ref = conf_next(ref)) {
        list[group->n_gateways] = map_get(&b->gateways, bytes_str(conf_text(ref)));
        assert(list[group->n_gateways]);
        group->n_gateways++;
    }
}

static void group_sas(struct builder *b, const struct conf_node *n, struct model_group *group)
{
    struct model_ipsec_sa *list = arena_alloc(b->arena, conf_count(n, "ipsec-sa") * sizeof *list);

    group->sas = list;
    for (const struct conf_node *sa = conf_child(n, "ipsec-sa"); sa; sa = conf_next(sa))
        list[group->n_sas++] = ipsec_sa(b, sa);
}

static struct model_group group(struct builder *b, const struct conf_node *n)
{
    struct model_group g = {
        .name = build_text(b, conf_text(n)),
        .where = build_where(b, n),
        .description = build_text(b, conf_child_text(n, "description")),
        .id = conf_child_number(n, "group-id"),
        .atd_s = conf_child_number(n, "activation-time-delay"),
        .anti_replay_window_ms = anti_replay_window_ms(n),
        .member_threshold = conf_child_number(n, "member-threshold"),
        .server_address = build_ip(n, "server-address"),
        .communication = communication(b, conf_child(n, "server-member-communication")),
    };

    group_gateways(b, n, &g);
    group_sas(b, n, &g);
    return g;
}

const struct model_server *build_server(struct builder *b, const struct conf_node *n)
{
    struct model_server *server = arena_alloc(b->arena, sizeof *server);
    struct model_ike ike = build_ike(b, conf_child(n, "ike"));
    struct model_group *list = arena_alloc(b->arena, conf_count(n, "group") * sizeof *list);

    server->where = build_where(b, n);
    server->ike_proposals = ike.proposals;
    server->n_ike_proposals = ike.n_proposals;
    server->ike_policies = ike.policies;
    server->n_ike_policies = ike.n_policies;
    gateways(b, conf_child(n, "ike"), server);
    ipsec_proposals(b, conf_child(n, "ipsec"), server);
    server->groups = list;
    for (const struct conf_node *g = conf_child(n, "group"); g; g = conf_next(g))
        list[server->n_groups++] = group(b, g);
    return server;
}

#pragma once
/* A key server's configuration as tests have it. Two groups: "blue" (id 7) at 10.0.0.254 for site-1
 * and site-2, "red" (id 9) at 10.0.0.253 for site-2 only; site-3 (10.0.0.3) is in none. */
#include "model/model.h"

enum { BLUE = 7, RED = 9 };

struct two_groups {
    struct model_ike_proposal ike;
    const struct model_ike_proposal *ike_list[1];
    struct model_ike_policy policy;
    struct model_server_gateway gateways[3];
    const struct model_server_gateway *blue_list[3], *red_list[1];
    struct model_ipsec_proposal hour, day;
    struct model_match_policy policies[3];
    struct model_ipsec_sa blue_sas[2], red_sas[1];
    struct model_group groups[2];
    struct model_server model;
};

#define WHERE(text) ((struct model_where){"ks.conf", text, 12})

static const struct endpoint blue_at = {{4, {10, 0, 0, 254}}, 848};
static const struct endpoint red_at = {{4, {10, 0, 0, 253}}, 848};

static inline void two_groups_ike(struct two_groups *m)
{
    m->ike = (struct model_ike_proposal){.name = "p1",
                                         .auth = MODEL_AUTH_PSK,
                                         .hash = MODEL_IKE_SHA256,
                                         .dh_group = 19,
                                         .cipher = MODEL_IKE_AES,
                                         .key_bits = 128,
                                         .lifetime_s = 28800};
    m->ike_list[0] = &m->ike;
    m->policy = (struct model_ike_policy){.name = "pol",
                                          .where = WHERE("ike policy pol"),
                                          .mode = MODEL_MODE_MAIN,
                                          .proposals = m->ike_list,
                                          .n_proposals = 1,
                                          .psk = bytes_str("between us")};
    for (uint8_t i = 0; i < 3; i++) {
        static const char *const names[] = {"site-1", "site-2", "site-3"};
        m->gateways[i] = (struct model_server_gateway){.name = names[i],
                                                       .where = WHERE("ike gateway"),
                                                       .policy = &m->policy,
                                                       .address = ip_v4(0x0a000001u + i)};
    }
}

static inline void two_groups_one(struct two_groups *m, size_t i, const char *name, uint32_t id,
                                  struct endpoint at)
{
    m->groups[i] = (struct model_group){
        .name = name, .where = WHERE("group"), .id = id, .atd_s = 15, .server_address = at.ip};
}

/* blue: one ipsec-sa with two policies; a second one, "wide", when a test says n_sas = 2. */
static inline void two_groups_both(struct two_groups *m)
{
    m->hour = (struct model_ipsec_proposal){.name = "hour",
                                            .where = WHERE("ipsec proposal hour"),
                                            .cipher = MODEL_ESP_AES_CBC,
                                            .key_bits = 128,
                                            .auth = MODEL_ESP_HMAC_SHA256_128,
                                            .lifetime_s = 3600};
    m->day = (struct model_ipsec_proposal){.name = "day",
                                           .where = WHERE("ipsec proposal day"),
                                           .cipher = MODEL_ESP_3DES,
                                           .auth = MODEL_ESP_HMAC_SHA1_96,
                                           .lifetime_s = 86400};
    struct prefix left = prefix_of(ip_v4(0x0a010000), 16), right = prefix_of(ip_v4(0x0a020000), 16);
    m->policies[0] =
        (struct model_match_policy){.name = "lr", .source = left, .destination = right};
    m->policies[1] = (struct model_match_policy){.name = "rl",
                                                 .source = right,
                                                 .destination = left,
                                                 .source_port = 1,
                                                 .destination_port = 2,
                                                 .protocol = 17};
    m->policies[2] = (struct model_match_policy){
        .name = "all", .source = prefix_of(ip_v4(0), 0), .destination = prefix_of(ip_v4(0), 0)};
    m->blue_sas[0] = (struct model_ipsec_sa){
        .name = "main", .proposal = &m->hour, .policies = m->policies, .n_policies = 2};
    m->blue_sas[1] = (struct model_ipsec_sa){
        .name = "wide", .proposal = &m->day, .policies = m->policies + 2, .n_policies = 1};
    m->red_sas[0] = m->blue_sas[0];
    two_groups_one(m, 0, "blue", BLUE, blue_at);
    two_groups_one(m, 1, "red", RED, red_at);
    m->blue_list[0] = m->gateways;
    m->blue_list[1] = m->gateways + 1;
    m->red_list[0] = m->gateways + 1;
    m->groups[0].gateways = m->blue_list;
    m->groups[0].n_gateways = 2;
    m->groups[0].sas = m->blue_sas;
    m->groups[0].n_sas = 1;
    m->groups[1].gateways = m->red_list;
    m->groups[1].n_gateways = 1;
    m->groups[1].sas = m->red_sas;
    m->groups[1].n_sas = 1;
    m->model = (struct model_server){.where = WHERE("server"),
                                     .gateways = m->gateways,
                                     .n_gateways = 3,
                                     .groups = m->groups,
                                     .n_groups = 2};
}

/* server-member-communication, for a test that wants a group to have it: unicast. */
static inline struct model_communication two_groups_communication(void)
{
    return (struct model_communication){.present = true,
                                        .where = WHERE("group server-member-communication"),
                                        .type = MODEL_PUSH_UNICAST,
                                        .cipher = MODEL_KEK_AES,
                                        .key_bits = 256,
                                        .sig_hash = MODEL_SIG_SHA256,
                                        .lifetime_s = 1800,
                                        .heartbeat_s = 300,
                                        .n_retransmission = 2,
                                        .retransmission_period_s = 4};
}

static inline void two_groups_init(struct two_groups *m)
{
    two_groups_ike(m);
    two_groups_both(m);
}

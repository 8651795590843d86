/* From text to the structs that engines read. What is wrong with a file is conf/'s to say; here a
 * valid one must arrive complete, with defaults, pointers and places. */
#include "conf/check.h"
#include "conf/schema.h"
#include "model/model.h"
#include "test/check.h"

static struct arena arena; /* of the models */

/* Builds a model and forgets the tree and the text: the model must not need them. */
static const struct model *build(const char *text)
{
    struct arena scratch = {0};
    struct conf_check check;
    const struct model *model = NULL;

    conf_check(&scratch, CONF_ROLE_ANY, "a.conf", bytes_str(text), &check);
    assert_int_equal(conf_diags_count(&check.diags, CONF_ERROR), 0);
    assert_int_equal(model_build(check.tree, &check.diags, &arena, &model), ERR_OK);
    arena_free(&scratch);
    return model;
}

#define S "set security group-vpn server "
#define M "set security group-vpn member "

// clang-format off
static const char server_text[] =
    S "ike proposal p1 dh-group group14 authentication-algorithm sha-256\n"
    S "ike proposal p1 encryption-algorithm aes-256-cbc\n"
    S "ike proposal p2 dh-group group19 authentication-algorithm sha1 lifetime-seconds 600\n"
    S "ike proposal p2 encryption-algorithm 3des-cbc authentication-method pre-shared-keys\n"
    S "ike policy main proposals [ p2 p1 ] pre-shared-key ascii-text \"$9$LbHX-wg4Z\"\n"
    S "ike policy aggr mode aggressive proposals p1 pre-shared-key hexadecimal 00ffA0\n"
    S "ike gateway gw1 ike-policy main address 198.51.100.1 local-address 192.0.2.1\n"
    S "ike gateway gw1 local-identity hostname ks.example.net\n"
    S "ike gateway gw1 remote-identity user-at-hostname gm@example.net\n"
    S "ike gateway gw2 ike-policy aggr dynamic key-id site-2\n"
    S "ike gateway gw3 ike-policy aggr dynamic inet 10.9.9.9\n"
    S "ipsec proposal e1 authentication-algorithm hmac-sha-256-128"
      " encryption-algorithm aes-128-cbc\n"
    S "ipsec proposal e2 encryption-algorithm aes-192-gcm lifetime-seconds 9000\n"
    S "group grp1 description \"the first\" group-id 7 no-anti-replay server-address 192.0.2.1\n"
    S "group grp1 activation-time-delay 20 ike-gateway [ gw1 gw2 ]\n"
    S "group grp1 ipsec-sa sa1 proposal e1\n"
    S "group grp1 ipsec-sa sa1 match-policy m1 source 10.1.0.0/16 destination 239.1.1.1"
      " protocol 17\n"
    S "group grp1 ipsec-sa sa1 match-policy m1 source-port 4000 destination-port 5004\n"
    S "group grp1 ipsec-sa sa1 match-policy m2 source 0.0.0.0 destination 10.0.0.0/8\n"
    S "group grp1 ipsec-sa sa2 proposal e2 match-policy m1 source 10.2.0.0/16"
      " destination 0.0.0.0/0\n"
    S "group grp2 group-id 8 server-address 192.0.2.2 anti-replay-time-window 1500ms\n"
    S "group grp2 ike-gateway gw3 ipsec-sa sa1 proposal e1\n"
    S "group grp2 ipsec-sa sa1 match-policy m1 source 10.0.0.0/8 destination 10.0.0.0/8\n"
    S "group grp2 server-member-communication communication-type multicast certificate mine\n"
    S "group grp2 server-member-communication multicast-group 226.1.1.1\n"
    S "group grp2 server-member-communication multicast-outgoing-interface eth1\n"
    S "group grp2 server-member-communication encryption-algorithm aes-128-cbc\n"
    S "group grp2 server-member-communication sig-hash-algorithm sha-512 heartbeat 60\n";
// clang-format on

static void test_ike(void **state)
{
    (void)state;
    const struct model_server *s = build(server_text)->server;
    assert_int_equal(s->n_ike_proposals, 2);
    const struct model_ike_proposal *p1 = &s->ike_proposals[0], *p2 = &s->ike_proposals[1];
    assert_string_equal(p1->name, "p1");
    assert_int_equal(p1->auth, MODEL_AUTH_PSK);
    assert_int_equal(p1->hash, MODEL_IKE_SHA256);
    assert_int_equal(p1->dh_group, 14);
    assert_int_equal(p1->cipher, MODEL_IKE_AES);
    assert_int_equal(p1->key_bits, 256);
    assert_int_equal(p1->lifetime_s, 0);
    assert_int_equal(p2->cipher, MODEL_IKE_3DES);
    assert_int_equal(p2->key_bits, 0);
    assert_int_equal(p2->dh_group, 19);
    assert_int_equal(p2->lifetime_s, 600);
    assert_int_equal(s->n_ike_policies, 2);
    const struct model_ike_policy *main_policy = &s->ike_policies[0], *aggr = &s->ike_policies[1];
    assert_int_equal(main_policy->mode, MODEL_MODE_MAIN);
    assert_int_equal(main_policy->n_proposals, 2);
    assert_ptr_equal(main_policy->proposals[0], p2); /* in the order of preference */
    assert_ptr_equal(main_policy->proposals[1], p1);
    assert_hex(main_policy->psk, "6c63");
    assert_int_equal(aggr->mode, MODEL_MODE_AGGRESSIVE);
    assert_hex(aggr->psk, "00ffa0");
}

static void test_gateways(void **state)
{
    (void)state;
    const struct model_server *s = build(server_text)->server;
    assert_int_equal(s->n_gateways, 3);
    const struct model_server_gateway *gw1 = &s->gateways[0], *gw2 = &s->gateways[1];
    assert_ptr_equal(gw1->policy, &s->ike_policies[0]);
    assert_int_equal(ip_v4_u32(gw1->address), 0xc6336401);
    assert_int_equal(ip_v4_u32(gw1->local_address), 0xc0000201);
    assert_int_equal(gw1->dynamic.type, MODEL_ID_NONE);
    assert_int_equal(gw1->local.type, MODEL_ID_FQDN);
    assert_true(bytes_equal(gw1->local.value, bytes_str("ks.example.net")));
    assert_int_equal(gw1->remote.type, MODEL_ID_USER_FQDN);
    assert_int_equal(gw2->address.version, 0);
    assert_int_equal(gw2->local_address.version, 0);
    assert_int_equal(gw2->dynamic.type, MODEL_ID_KEY_ID);
    assert_true(bytes_equal(gw2->dynamic.value, bytes_str("site-2")));
    assert_int_equal(gw2->remote.type, MODEL_ID_NONE);
    assert_int_equal(s->gateways[2].dynamic.type, MODEL_ID_IPV4);
    assert_hex(s->gateways[2].dynamic.value, "0a090909");
}

static void test_group(void **state)
{
    (void)state;
    const struct model_server *s = build(server_text)->server;
    const struct model_group *g = &s->groups[0];
    assert_int_equal(s->n_groups, 2);
    assert_string_equal(g->name, "grp1");
    assert_string_equal(g->description, "the first");
    assert_int_equal(g->id, 7);
    assert_int_equal(g->atd_s, 20);
    assert_int_equal(g->anti_replay_window_ms, 0);
    assert_int_equal(g->n_gateways, 2);
    assert_ptr_equal(g->gateways[1], &s->gateways[1]);
    assert_false(g->communication.present);
    assert_int_equal(g->n_sas, 2);
    assert_ptr_equal(g->sas[0].proposal, &s->ipsec_proposals[0]);
    const struct model_match_policy *m = g->sas[0].policies;
    assert_int_equal(g->sas[0].n_policies, 2);
    assert_int_equal(m[0].source.len, 16);
    assert_int_equal(m[0].destination.len, 32);
    assert_int_equal(m[0].protocol, 17);
    assert_int_equal(m[0].source_port, 4000);
    assert_int_equal(m[0].destination_port, 5004);
    assert_int_equal(m[1].source.len, 0);
    assert_int_equal(m[1].protocol, 0);
    assert_int_equal(g->sas[1].proposal->cipher, MODEL_ESP_AES_GCM16);
    assert_int_equal(g->sas[1].proposal->key_bits, 192);
    assert_int_equal(g->sas[1].proposal->auth, MODEL_ESP_AUTH_NONE);
    assert_int_equal(g->sas[1].proposal->lifetime_s, 9000);
    assert_int_equal(g->sas[0].proposal->lifetime_s, 3600);
    assert_int_equal(g->sas[0].proposal->auth, MODEL_ESP_HMAC_SHA256_128);
}

static void test_communication(void **state)
{
    (void)state;
    const struct model_group *g = &build(server_text)->server->groups[1];
    const struct model_communication *c = &g->communication;
    assert_int_equal(g->atd_s, 15);
    assert_int_equal(g->anti_replay_window_ms, 1500);
    assert_true(c->present);
    assert_int_equal(c->type, MODEL_PUSH_MULTICAST);
    assert_int_equal(c->cipher, MODEL_KEK_AES);
    assert_int_equal(c->key_bits, 128);
    assert_int_equal(c->sig_hash, MODEL_SIG_SHA512);
    assert_int_equal(c->lifetime_s, 3600);
    assert_int_equal(c->heartbeat_s, 60);
    assert_int_equal(c->n_retransmission, 2);
    assert_int_equal(c->retransmission_period_s, 4);
    assert_int_equal(ip_v4_u32(c->multicast_group), 0xe2010101);
    assert_string_equal(c->multicast_interface, "eth1");
    assert_string_equal(c->certificate, "mine");
}

static void test_places(void **state)
{
    (void)state;
    const struct model_server *s = build(server_text)->server;
    assert_string_equal(s->groups[0].sas[1].policies[0].where.path,
                        "security group-vpn server group grp1 ipsec-sa sa2 match-policy m1");
    assert_string_equal(s->groups[0].sas[1].policies[0].where.file, "a.conf");
    assert_int_equal(s->groups[0].sas[1].policies[0].where.line, 20);
    assert_string_equal(s->gateways[0].where.path, "security group-vpn server ike gateway gw1");
    assert_int_equal(s->groups[1].communication.where.line, 24);
}

static void test_look_ups(void **state)
{
    (void)state;
    const struct model_server *s = build(server_text)->server;
    assert_ptr_equal(model_group_by_id(s, 8), &s->groups[1]);
    assert_null(model_group_by_id(s, 9));
    assert_ptr_equal(model_gateway_by_name(s, "gw3"), &s->gateways[2]);
    assert_null(model_gateway_by_name(s, "gw"));
    assert_true(model_group_has_gateway(&s->groups[0], &s->gateways[1]));
    assert_false(model_group_has_gateway(&s->groups[0], &s->gateways[2]));
}

// clang-format off
static const char member_text[] =
    M "ike proposal p1 dh-group group14 authentication-algorithm sha-256"
      " encryption-algorithm aes-128-cbc\n"
    M "ike policy pol proposals p1 pre-shared-key ascii-text k\n"
    M "ike policy set proposal-set standard pre-shared-key ascii-text k\n"
    M "ike gateway ks ike-policy pol server-address [ 192.0.2.1 192.0.2.2 ]"
      " local-address 198.51.100.1\n"
    M "ike gateway v1 ike-policy set address 192.0.2.3 local-address 198.51.100.1\n"
    M "ipsec vpn a ike-gateway ks group 4294967295 group-vpn-external-interface wan0\n"
    M "ipsec vpn a exclude rule bgp source-address 10.1.0.0/16 application junos-bgp\n"
    M "ipsec vpn a exclude rule all\n"
    M "ipsec vpn a fail-open rule ntp destination-address 10.9.0.0/16 application junos-ntp\n"
    M "ipsec vpn b ike-gateway v1 group 2 group-vpn-external-interface wan0"
      " df-bit copy tunnel-mtu 1400\n"
    M "ipsec vpn b heartbeat-threshold 0 recovery-probe exclude rule own application mine\n";
// clang-format on

static void test_member(void **state)
{
    (void)state;
    const struct model *model = build(member_text);
    const struct model_member *m = model->member;
    assert_null(model->server);
    assert_int_equal(m->n_gateways, 2);
    assert_int_equal(m->gateways[0].n_servers, 2);
    assert_int_equal(ip_v4_u32(m->gateways[0].servers[1]), 0xc0000202);
    assert_int_equal(m->gateways[1].n_servers, 1);
    assert_int_equal(m->gateways[0].policy->proposals[0]->lifetime_s, 180);
    const struct model_vpn *a = &m->vpns[0], *b = &m->vpns[1];
    assert_int_equal(m->n_vpns, 2);
    assert_ptr_equal(a->gateway, &m->gateways[0]);
    assert_int_equal(a->group_id, UINT32_MAX);
    assert_string_equal(a->external_interface, "wan0");
    assert_int_equal(a->heartbeat_threshold, 3);
    assert_false(a->recovery_probe);
    assert_int_equal(a->df_bit, MODEL_DF_CLEAR);
    assert_int_equal(a->tunnel_mtu, 1500);
    assert_int_equal(b->heartbeat_threshold, 0);
    assert_true(b->recovery_probe);
    assert_int_equal(b->df_bit, MODEL_DF_COPY);
    assert_int_equal(b->tunnel_mtu, 1400);
}

static void test_rules(void **state)
{
    (void)state;
    const struct model_member *m = build(member_text)->member;
    const struct model_vpn *a = &m->vpns[0];
    assert_int_equal(a->n_exclude, 2);
    assert_int_equal(a->exclude[0].source.len, 16);
    assert_int_equal(a->exclude[0].destination.len, 0);
    assert_int_equal(a->exclude[0].protocol, 6);
    assert_int_equal(a->exclude[0].destination_port_first, 179);
    assert_int_equal(a->exclude[0].destination_port_last, 179);
    assert_string_equal(a->exclude[0].application, "junos-bgp");
    assert_int_equal(a->exclude[1].protocol, 0);
    assert_int_equal(a->exclude[1].destination_port_last, 65535);
    assert_null(a->exclude[1].application);
    assert_int_equal(a->n_fail_open, 1);
    assert_int_equal(a->fail_open[0].protocol, 17);
    assert_string_equal(a->fail_open[0].where.path,
                        "security group-vpn member ipsec vpn a fail-open rule ntp");
    assert_int_equal(m->vpns[1].exclude[0].protocol, 255); /* unknown: matches nothing */
}

static void test_proposal_sets(void **state)
{
    (void)state;
    const struct model_ike_policy *p = &build(member_text)->member->ike_policies[1];
    assert_int_equal(p->n_proposals, 2);
    assert_string_equal(p->proposals[0]->name, "standard-1");
    assert_int_equal(p->proposals[0]->cipher, MODEL_IKE_3DES);
    assert_int_equal(p->proposals[1]->cipher, MODEL_IKE_AES);
    assert_int_equal(p->proposals[1]->key_bits, 128);
    assert_int_equal(p->proposals[1]->dh_group, 2);
    assert_int_equal(p->proposals[1]->lifetime_s, 180);
    assert_string_equal(p->proposals[1]->where.path,
                        "security group-vpn member ike policy set proposal-set");
    p = build(S "ike policy c proposal-set compatible pre-shared-key ascii-text k\n")
            ->server->ike_policies;
    assert_int_equal(p->n_proposals, 4);
    assert_int_equal(p->proposals[3]->cipher, MODEL_IKE_DES);
    assert_int_equal(p->proposals[3]->hash, MODEL_IKE_MD5);
    assert_int_equal(p->proposals[0]->lifetime_s, 0);
}

static void test_an_invalid_tree_gives_no_model(void **state)
{
    (void)state;
    struct conf_check check;
    const struct model *model = (const struct model *)&check;
    conf_check(&arena, CONF_ROLE_ANY, "f", bytes_str(S "group g\n"), &check);
    assert_int_equal(model_build(check.tree, &check.diags, &arena, &model), ERR_CONFIG);
    assert_ptr_equal(model, (const struct model *)&check); /* untouched */
}

static void test_nothing(void **state)
{
    (void)state;
    const struct model *model = build("");
    assert_null(model->server);
    assert_null(model->member);
    model = build(S "\n");
    assert_int_equal(model->server->n_groups, 0);
}

/* The schema's numbers are those of the model: one name, one number. */
static const struct conf_schema *row(const char *const *path)
{
    const struct conf_schema *s = conf_schema_root()->children->children;
    for (; s && *path; path++)
        s = conf_schema_child(s, *path);
    assert_non_null(s);
    return s;
}

static void check_number(const struct conf_schema *s, const char *name, uint32_t value,
                         uint32_t bits)
{
    const struct conf_choice *c = conf_schema_choice(s, name);
    assert_non_null(c);
    assert_int_equal(c->value, value);
    assert_int_equal(c->bits, bits);
}

#define PATH(...) ((const char *const[]){"server", __VA_ARGS__, NULL})

static void test_numbers_of_the_schema(void **state)
{
    (void)state;
    const struct conf_schema *s = row(PATH("ike", "proposal", "authentication-method"));
    check_number(s, "pre-shared-keys", MODEL_AUTH_PSK, 0);
    check_number(s, "rsa-signatures", MODEL_AUTH_RSA, 0);
    check_number(s, "dsa-signatures", MODEL_AUTH_DSS, 0);
    s = row(PATH("ike", "proposal", "authentication-algorithm"));
    check_number(s, "md5", MODEL_IKE_MD5, 0);
    check_number(s, "sha1", MODEL_IKE_SHA1, 0);
    check_number(s, "sha-256", MODEL_IKE_SHA256, 0);
    check_number(s, "sha-384", MODEL_IKE_SHA384, 0);
    check_number(s, "sha-512", MODEL_IKE_SHA512, 0);
    s = row(PATH("ike", "proposal", "encryption-algorithm"));
    check_number(s, "des-cbc", MODEL_IKE_DES, 0);
    check_number(s, "3des-cbc", MODEL_IKE_3DES, 0);
    check_number(s, "aes-192-cbc", MODEL_IKE_AES, 192);
    s = row(PATH("ipsec", "proposal", "encryption-algorithm"));
    check_number(s, "des-cbc", MODEL_ESP_DES, 0);
    check_number(s, "3des-cbc", MODEL_ESP_3DES, 0);
    check_number(s, "aes-128-cbc", MODEL_ESP_AES_CBC, 128);
    check_number(s, "aes-256-gcm", MODEL_ESP_AES_GCM16, 256);
    s = row(PATH("ipsec", "proposal", "authentication-algorithm"));
    check_number(s, "hmac-md5-96", MODEL_ESP_HMAC_MD5_96, 0);
    check_number(s, "hmac-sha1-96", MODEL_ESP_HMAC_SHA1_96, 0);
    check_number(s, "hmac-sha-256-128", MODEL_ESP_HMAC_SHA256_128, 0);
    check_number(s, "hmac-sha-384-192", MODEL_ESP_HMAC_SHA384_192, 0);
    check_number(s, "hmac-sha-512-256", MODEL_ESP_HMAC_SHA512_256, 0);
    s = row(PATH("group", "server-member-communication", "encryption-algorithm"));
    check_number(s, "des-cbc", MODEL_KEK_DES, 0);
    check_number(s, "3des-cbc", MODEL_KEK_3DES, 0);
    check_number(s, "aes-256-cbc", MODEL_KEK_AES, 256);
    s = row(PATH("group", "server-member-communication", "sig-hash-algorithm"));
    check_number(s, "md5", MODEL_SIG_MD5, 0);
    check_number(s, "sha1", MODEL_SIG_SHA1, 0);
    check_number(s, "sha-256", MODEL_SIG_SHA256, 0);
    check_number(s, "sha-384", MODEL_SIG_SHA384, 0);
    check_number(s, "sha-512", MODEL_SIG_SHA512, 0);
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ike),           cmocka_unit_test(test_gateways),
        cmocka_unit_test(test_group),         cmocka_unit_test(test_communication),
        cmocka_unit_test(test_places),        cmocka_unit_test(test_look_ups),
        cmocka_unit_test(test_member),        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_proposal_sets), cmocka_unit_test(test_an_invalid_tree_gives_no_model),
        cmocka_unit_test(test_nothing),       cmocka_unit_test(test_numbers_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

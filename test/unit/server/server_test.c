/* The engine around the exchange: set-up, dispatch, timers, stop. */
#include "server/push_build.h"
#include "unit/server/world.h"

static enum err try_new(struct world *w)
{
    uint8_t seed[DRBG_SEED] = {1};
    enum err e = server_new(&(struct server_config){.model = &w->m.model}, seed, w->now, &w->out,
                            &w->server);
    world_collect(w);
    assert_int_equal(w->server == NULL, e != ERR_OK);
    server_free(w->server);
    w->server = NULL;
    return e;
}

static void what_is_not_built_is_refused_by_name(void **state)
{
    (void)state;
    struct world *w = world_new();
    assert_int_equal(try_new(w), ERR_OK);

    struct model_communication *c = &w->m.groups[1].communication;
    *c = two_groups_communication();
    assert_int_equal(try_new(w), ERR_OK);
    c->certificate = "srv-cert";
    assert_int_equal(try_new(w), ERR_NOT_FOUND);
    world_says(w, EV_CONFIG, "statement", "server-member-communication");
    world_says(w, EV_CONFIG, "what", "certificate");
    c->certificate = NULL;
    c->key_bits = 100;
    assert_int_equal(try_new(w), ERR_TYPE);
    world_says(w, EV_CONFIG, "statement", "server-member-communication");
    c->key_bits = 128;
    c->lifetime_s = 149;
    assert_int_equal(try_new(w), ERR_CONFIG);
    world_says(w, EV_CONFIG, "what", "10 times");
    *c = (struct model_communication){0};

    w->m.hour.cipher = MODEL_ESP_AES_GCM16;
    w->m.hour.auth = MODEL_ESP_AUTH_NONE;
    assert_int_equal(try_new(w), ERR_UNBUILT);
    world_says(w, EV_CONFIG, "what", "sender identifiers");
    world_says(w, EV_CONFIG, "statement", "ipsec proposal hour");
    w->m.hour.cipher = MODEL_ESP_AES_CBC;
    assert_int_equal(try_new(w), ERR_TYPE);
    w->m.hour.auth = MODEL_ESP_HMAC_SHA1_96;
    assert_int_equal(try_new(w), ERR_OK);

    w->m.hour.lifetime_s = 149;
    assert_int_equal(try_new(w), ERR_CONFIG);
    world_says(w, EV_CONFIG, "what", "10 times");
    w->m.hour.lifetime_s = 150;
    assert_int_equal(try_new(w), ERR_OK);

    w->m.model.n_groups = MODEL_GROUPS_MAX + 1;
    w->m.model.where = WHERE("server");
    assert_int_equal(try_new(w), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "too many groups");
    effects_free(&w->out);
    free(w);
}

static void a_group_too_large_for_a_message_is_refused(void **state)
{
    static struct model_match_policy policies[SERVER_POLICIES_MAX + 1];
    static struct model_ipsec_sa sas[SERVER_SAS_MAX + 1];
    (void)state;
    struct world *w = world_new();
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        policies[i] = w->m.policies[0];
    for (size_t i = 0; i < ARRAY_LEN(sas); i++) {
        sas[i] = w->m.blue_sas[0];
        sas[i].n_policies = 1;
    }
    w->m.groups[0].sas = sas;
    w->m.groups[0].n_sas = SERVER_SAS_MAX + 1;
    assert_int_equal(try_new(w), ERR_LIMIT);
    w->m.groups[0].n_sas = 1;
    sas[0].policies = policies;
    sas[0].n_policies = SERVER_POLICIES_MAX + 1;
    assert_int_equal(try_new(w), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "message can carry");
    effects_free(&w->out);
    free(w);
}

/* The largest groups that are let in, in the middle of a changeover: both messages fit. */
static void the_largest_groups_fit(void **state)
{
    static struct model_match_policy policies[SERVER_POLICIES_MAX];
    static struct model_ipsec_sa sas[SERVER_SAS_MAX];
    (void)state;
    for (int many_keys = 0; many_keys < 2; many_keys++) {
        struct world *w = world_new();
        w->m.hour.key_bits = 256;
        w->m.hour.auth = MODEL_ESP_HMAC_SHA512_256;
        for (size_t i = 0; i < ARRAY_LEN(policies); i++)
            policies[i] = w->m.policies[1];
        for (size_t i = 0; i < ARRAY_LEN(sas); i++) {
            sas[i] = w->m.blue_sas[0];
            sas[i].policies = policies;
            sas[i].n_policies = i < SERVER_POLICIES_MAX - SERVER_SAS_MAX ? 2 : 1;
        }
        w->m.groups[0].sas = sas;
        w->m.groups[0].n_sas = many_keys ? SERVER_SAS_MAX : 1;
        w->m.groups[0].communication = two_groups_communication();
        if (!many_keys)
            sas[0].n_policies = SERVER_POLICIES_MAX;
        world_open(w);
        world_phase1(w, &w->gm[0]);
        world_until(w, 3571);
        world_pull(w, &w->gm[0], BLUE);
        assert_int_equal(w->gm[0].offer.n_sats, 2 * SERVER_POLICIES_MAX);
        assert_true(w->gm[0].kek.present);
        world_close(w);
    }
}

static void gateways_that_cannot_be_told_apart_are_refused(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.gateways[1].address = w->m.gateways[0].address;
    assert_int_equal(try_new(w), ERR_CONFLICT);
    effects_free(&w->out);
    free(w);
}

static void give(struct world *w, const char *hex)
{
    uint8_t data[64];
    size_t len;
    assert_true(bytes_unhex(hex, data, sizeof data, &len));
    world_give(w, w->gm[0].local, blue_at, bytes(data, len));
}

static void datagrams_are_sorted_by_the_cheapest_check(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    give(w, "00");
    assert_int_equal(world_dropped(w, ERR_SHORT), 1);
    give(w, "11111111111111112222222222222222"
            "0820"
            "2001"
            "00000001"
            "0000001c");
    assert_int_equal(world_dropped(w, ERR_VERSION), 1);
    give(w, "11111111111111112222222222222222"
            "0810"
            "2001"
            "00000001"
            "0000001d");
    assert_int_equal(world_dropped(w, ERR_LENGTH), 1);
    give(w, "11111111111111112222222222222222"
            "0810"
            "2001"
            "00000001"
            "0000001c");
    assert_int_equal(world_dropped(w, ERR_UNKNOWN_SA), 1);
    give(w, "11111111111111112222222222222222"
            "1210"
            "2101"
            "00000000"
            "0000001c"); /* PUSH */
    give(w, "11111111111111112222222222222222"
            "0810"
            "2300"
            "00000000"
            "0000001c"); /* ACK */
    assert_int_equal(world_dropped(w, ERR_UNEXPECTED), 1);
    assert_int_equal(world_dropped(w, ERR_UNKNOWN_SA), 2);
    world_says(w, EV_DATAGRAM_DROPPED, "what", "acknowledgement");
    give(w, "11111111111111112222222222222222"
            "0810"
            "2201"
            "00000001"
            "0000001c"); /* 34 */
    assert_int_equal(world_dropped(w, ERR_TYPE), 1);
    uint8_t large[DATAGRAM_MAX + 1] = {1};
    world_give(w, w->gm[0].local, blue_at, BYTES_OF(large));
    assert_int_equal(world_dropped(w, ERR_LENGTH), 2);
    assert_int_equal(w->n_packets, 0);
    world_close(w);
}

/* A message id of zero, a starting SA, no encryption: each is dropped before any cryptography. */
static void a_pull_needs_an_established_sa(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, room);
    room[19] = 0; /* flags */
    world_from(w, gm, m1);
    assert_int_equal(world_dropped(w, ERR_UNEXPECTED), 1);
    room[19] = 1;
    memset(room + 20, 0, 4); /* message id */
    world_from(w, gm, m1);
    assert_int_equal(world_dropped(w, ERR_VALUE), 1);

    pull_client_start(&w->gm[1], w->now); /* only messages 1 and 2 of phase 1 */
    world_serve(w, &w->gm[1]);
    struct packet p = world_take(w);
    memcpy(room, p.data, 16); /* its cookies */
    room[23] = 9;
    world_from(w, &w->gm[1], m1);
    assert_int_equal(world_dropped(w, ERR_UNEXPECTED), 2);
    world_close(w);
}

static void generations_are_told_and_due_is_honoured(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    world_says(w, EV_GENERATION_CREATED, "ipsec-sa", "main");
    assert_int_equal(server_due(w->server).ns, (WORLD_START + 3540) * NS_PER_S);
    w->n_events = 0;
    world_until(w, 3540);
    world_says(w, EV_GENERATION_CREATED, "group", "red");
    assert_null(world_event(w, EV_GENERATION_SWITCHED));
    world_until(w, 3570);
    world_says(w, EV_GENERATION_SWITCHED, "group", "red");
    assert_null(world_event(w, EV_GENERATION_DROPPED));
    world_until(w, 3585);
    world_says(w, EV_GENERATION_DROPPED, "group", "red");
    world_close(w);
}

static void no_two_groups_share_a_spi(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    const struct group *blue = server_group(w->server, 0), *red = server_group(w->server, 1);
    assert_int_equal(server_n_groups(w->server), 2);
    assert_int_not_equal(blue->sas[0].slot[GROUP_CURRENT]->spi,
                         red->sas[0].slot[GROUP_CURRENT]->spi);
    assert_ptr_equal(blue->mint, red->mint);
    world_close(w);
}

static void a_clean_stop_tells_the_members(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    for (size_t i = 0; i < 2; i++)
        world_phase1(w, &w->gm[i]);
    world_ask(w, &w->gm[0], BLUE);
    server_stop(w->server, w->now, &w->out);
    world_collect(w);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0);
    assert_int_equal(w->n_packets, 2);
    for (size_t i = 0; i < 2; i++) {
        struct packet p = world_take(w);
        struct pull_client *gm = &w->gm[p.to.ip.b[3] - 1];
        pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    }
    assert_true(!w->gm[0].sa && !w->gm[1].sa);
    world_close(w);
}

static void the_same_seed_gives_the_same_keys(void **state)
{
    (void)state;
    struct world *a = world_new(), *b = world_new();
    world_open(a);
    server_reseed(a->server, (const uint8_t[DRBG_SEED]){3});
    world_open(b);
    assert_int_equal(world_key(a, 0, GROUP_CURRENT)->spi, world_key(b, 0, GROUP_CURRENT)->spi);
    world_until(a, 3540);
    world_until(b, 3540); /* one of them was given fresh randomness meanwhile */
    assert_int_not_equal(world_key(a, 0, GROUP_NEXT)->spi, world_key(b, 0, GROUP_NEXT)->spi);
    world_close(a);
    world_close(b);
}

static void aggressive_mode_and_names_register_too(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.policy.mode = MODEL_MODE_AGGRESSIVE;
    w->m.gateways[0].address = IP_NONE;
    w->m.gateways[0].dynamic = (struct model_identity){MODEL_ID_FQDN, bytes_str("one.example.net")};
    world_open(w);
    struct pull_client_config config = {.proposal = w->m.ike_list,
                                        .psk = w->m.policy.psk,
                                        .identity = w->m.gateways[0].dynamic,
                                        .mode = MODEL_MODE_AGGRESSIVE,
                                        .local = {ip_v4(0xc6336401), 848},
                                        .server = blue_at,
                                        .seed = 9};
    pull_client_close(&w->gm[0]);
    pull_client_open(&w->gm[0], &config);
    world_phase1(w, &w->gm[0]);
    world_pull(w, &w->gm[0], BLUE);
    const struct registry *r = &world_blue(w)->registry;
    assert_ptr_equal(registry_find(r, w->m.gateways[0].dynamic), r->members[0]);
    assert_ptr_equal(registry_at_address(r, ip_v4(0xc6336401)), r->members[0]);
    world_close(w);
}

/* Key pairs that the configuration names; each is another one, and small for speed. */
static void name_key_pairs(struct server_certificate *list, size_t n)
{
    static const char *const names[] = {"red-cert", "blue-cert"};
    uint8_t entropy[SIGN_ENTROPY] = {1};

    for (size_t i = 0; i < n; i++) {
        list[i].name = names[i];
        assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &list[i].key), ERR_OK);
    }
}

static void groups_sign_with_the_key_pair_that_they_name(void **state)
{
    struct server_certificate list[2];
    uint8_t seed[DRBG_SEED] = {1}, spki[2][SPKI_MAX];
    size_t len[2];

    (void)state;
    struct world *w = world_new();
    name_key_pairs(list, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sign_key_spki(list[i].key, spki[i], SPKI_MAX, &len[i]), ERR_OK);
        w->m.groups[i].communication = two_groups_communication();
        w->m.groups[i].communication.certificate = list[i].name;
    }
    const struct server_config config = {
        .model = &w->m.model, .certificates = list, .n_certificates = 2};
    assert_int_equal(server_new(&config, seed, w->now, &w->out, &w->server), ERR_OK);
    world_collect(w);
    for (size_t i = 0; i < 2; i++) {
        const struct group *g = server_group(w->server, i);
        assert_null(list[i].key); /* taken */
        assert_int_equal(g->signer->bits, RSA_BITS_MIN);
        assert_true(
            bytes_equal(bytes(g->signer->spki, g->signer->spki_len), bytes(spki[i], len[i])));
    }
    for (size_t i = 0; i < w->n_events; i++) /* and none is made */
        assert_int_not_equal(w->events[i].id, EV_SIGNING_KEY);
    world_close(w);
}

static void key_pairs_are_not_lost_when_a_server_cannot_start(void **state)
{
    struct server_certificate list[1];
    uint8_t seed[DRBG_SEED] = {1};

    (void)state;
    struct world *w = world_new();
    name_key_pairs(list, 1);
    w->m.groups[0].communication = two_groups_communication();
    w->m.groups[0].communication.certificate = "another";
    const struct server_config config = {
        .model = &w->m.model, .certificates = list, .n_certificates = 1};
    assert_int_equal(server_new(&config, seed, w->now, &w->out, &w->server), ERR_NOT_FOUND);
    world_collect(w);
    world_says(w, EV_CONFIG, "what", "certificate");
    sign_key_free(list[0].key); /* whoever has it now, it is freed once */
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_built_is_refused_by_name),
        cmocka_unit_test(groups_sign_with_the_key_pair_that_they_name),
        cmocka_unit_test(key_pairs_are_not_lost_when_a_server_cannot_start),
        cmocka_unit_test(a_group_too_large_for_a_message_is_refused),
        cmocka_unit_test(the_largest_groups_fit),
        cmocka_unit_test(gateways_that_cannot_be_told_apart_are_refused),
        cmocka_unit_test(datagrams_are_sorted_by_the_cheapest_check),
        cmocka_unit_test(a_pull_needs_an_established_sa),
        cmocka_unit_test(generations_are_told_and_due_is_honoured),
        cmocka_unit_test(no_two_groups_share_a_spi),
        cmocka_unit_test(a_clean_stop_tells_the_members),
        cmocka_unit_test(the_same_seed_gives_the_same_keys),
        cmocka_unit_test(aggressive_mode_and_names_register_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

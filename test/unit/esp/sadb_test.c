#include "esp/sadb.h"

#include "test/unit/esp/fixture.h"

static struct esp_selector any10(void) { return selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0); }

static struct esp_flow ping(const char *source, const char *destination)
{
    return (struct esp_flow){.source = ip_v4_u32(ip(source)),
                             .destination = ip_v4_u32(ip(destination)),
                             .protocol = IP_PROTO_ICMP};
}

static enum esp_stat decide(const struct world *w, struct esp_flow f, struct esp_sa **ret_sa)
{
    return esp_view_decide(w->view, &f, ret_sa);
}

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector s = any10(), v6 = {.source = prefix("2001:db8::/32")};
    struct esp_sa_install good =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    world_start(&w, &plain_vpn, 1);
    const struct esp_view *before = w.view;

    assert_int_equal(world_install(&w, "blue", &good, 1), ERR_NOT_FOUND);
    struct esp_sa_install bad = good;
    bad.spi = 255;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_VALUE);
    bad = good;
    bad.key.len--;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_VALUE);
    bad = good;
    bad.auth_key.len++;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_VALUE);
    bad = good;
    bad.n_selectors = 0;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_VALUE);
    bad = good;
    bad.n_selectors = ESP_SELECTORS_MAX + 1;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_LIMIT);
    bad = good;
    bad.selectors = &v6;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_TYPE);
    bad = good;
    bad.auth = AUTH_NONE;
    bad.auth_key.len = 0;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_TYPE);
    bad = good;
    bad.cipher = CIPHER_COUNT;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_TYPE);
    bad = sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_GCM, AUTH_HMAC_SHA1_96, &s, 1);
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_TYPE);
    /* decisions M22 */
    bad = sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_GCM, AUTH_NONE, &s, 1);
    bad.sole_sender = false;
    assert_int_equal(world_install(&w, "red", &bad, 1), ERR_POLICY);
    struct esp_sa_install twice[] = {good, good};
    assert_int_equal(world_install(&w, "red", twice, 2), ERR_CONFLICT);
    assert_int_equal(world_install(&w, "red", &good, ESP_SAS_MAX + 1), ERR_LIMIT);
    assert_ptr_equal(w.view, before);
    assert_int_equal(esp_sadb_report(w.db, NULL, 0), 0);
    assert_int_equal(world_install(&w, "red", &good, 1), ERR_OK);
    world_stop(&w);
}

static void refuses_wrong_configuration(void **state)
{
    (void)state;
    struct esp_sadb *db = NULL;
    struct esp_rule v6 = {.destination = prefix("2001:db8::/32")};
    struct esp_vpn_config many[257], bad = plain_vpn;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = plain_vpn;
    assert_int_equal(esp_sadb_new(many, ARRAY_LEN(many), NULL, NULL, &db), ERR_LIMIT);
    bad.exclude = &v6;
    bad.n_exclude = 1;
    assert_int_equal(esp_sadb_new(&bad, 1, NULL, NULL, &db), ERR_TYPE);
    assert_null(db);
}

/* next and previous receive, current sends too (RFC 5374 4.2.1). */
static void slots(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector s = any10();
    struct esp_sa_install three[] = {
        sa_install(300, ESP_SLOT_NEXT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1),
        sa_install(400, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1),
        sa_install(500, ESP_SLOT_PREVIOUS, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1)};
    struct esp_sa *sa = NULL;
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", three, 3), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->spi, 400);
    for (uint32_t spi = 300; spi <= 500; spi += 100)
        assert_int_equal(esp_view_find(w.view, spi, 0x0a010001, 0x0a020001)->sa->spi, spi);
    assert_null(esp_view_find(w.view, 301, 0x0a010001, 0x0a020001));

    /* a switch: the same keys, other slots; numbers go on */
    sa->sequence = 41;
    sa->packets_out = 7;
    three[0].slot = ESP_SLOT_CURRENT;
    three[1].slot = ESP_SLOT_PREVIOUS;
    assert_int_equal(world_install(&w, "red", three, 2), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->spi, 300);
    assert_int_equal(esp_view_find(w.view, 400, 0x0a010001, 0x0a020001)->sa->sequence, 41);
    assert_null(esp_view_find(w.view, 500, 0x0a010001, 0x0a020001));
    struct esp_sa_report r[2];
    assert_int_equal(esp_sadb_report(w.db, r, 1), 2);
    assert_int_equal(esp_sadb_report(w.db, r, 2), 2);
    assert_int_equal(r[1].packets_out, 7);
    assert_int_equal(r[1].slot, ESP_SLOT_PREVIOUS);
    assert_string_equal(r[1].vpn, "red");

    /* another key under the same SPI is another SA */
    three[0].key = secret_fill(8, 16);
    assert_int_equal(world_install(&w, "red", three, 1), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->sequence, 0);
    world_stop(&w);
}

/* One SA of the VPN has ended, another sends on: what the first protected does not leave in clear.
 */
static void expect_policies(struct world *w, size_t n, uint32_t first_spi)
{
    struct esp_policy_report rows[3] = {0};
    assert_int_equal(esp_sadb_policies(w->db, 0, rows, ARRAY_LEN(rows)), n);
    assert_int_equal(rows[0].spi, first_spi);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(rows[i].spi, 0);
    assert_true(prefix_equal(rows[n - 1].selector.destination, prefix("10.3.0.0/16")));
    assert_int_equal(esp_sadb_policies(w->db, 0, rows, 0), n); /* no room */
}

static void what_is_closed_is_dropped(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector s = selector("10.1.0.0/16", "10.2.0.0/16", 0, 0, 0),
                        ended = selector("10.1.0.0/16", "10.3.0.0/16", 0, 0, 0);
    struct esp_sa_install sa_in =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    struct esp_vpn_install in = {
        .vpn = "red", .sas = &sa_in, .n_sas = 1, .closed = &ended, .n_closed = 1};
    const struct esp_selector *policies;
    struct esp_sa *sa = NULL;
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install_all(&w, &in), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.3.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.4.0.1"), &sa), ESP_OUT_NO_POLICY);
    assert_int_equal(esp_sadb_selectors(w.db, 0, &policies), 2); /* steered, and in the guard */
    expect_policies(&w, 2, 4096);

    in.n_sas = 0; /* nothing sends at all */
    assert_int_equal(world_install_all(&w, &in), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.3.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(decide(&w, ping("10.1.0.1", "8.8.8.8"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(esp_sadb_selectors(w.db, 0, &policies), 1);
    expect_policies(&w, 1, 0);

    in.n_closed = 0; /* the last known are remembered */
    assert_int_equal(world_install_all(&w, &in), ERR_OK);
    assert_int_equal(esp_sadb_selectors(w.db, 0, &policies), 1);
    in.n_closed = 1;
    ended.source = (struct prefix){{6, {0}}, 8};
    assert_int_equal(world_install_all(&w, &in), ERR_TYPE);
    world_stop(&w);
}

static void without_a_key_it_fails_closed(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector s = any10();
    struct esp_sa_install sa_in =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    struct esp_sa *sa = NULL;
    const struct esp_selector *policies;
    world_start(&w, &plain_vpn, 1);
    /* before the first key: everything */
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(decide(&w, ping("10.1.0.1", "8.8.8.8"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_false(esp_sadb_can_send(w.db, 0));
    assert_int_equal(esp_sadb_inner_max(w.db, 1500), 0);

    assert_int_equal(world_install(&w, "red", &sa_in, 1), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "8.8.8.8"), &sa), ESP_OUT_NO_POLICY);
    assert_true(esp_sadb_can_send(w.db, 0));

    /* keys that only receive do not send, and the last policies are remembered */
    sa_in.slot = ESP_SLOT_NEXT;
    assert_int_equal(world_install(&w, "red", &sa_in, 1), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(world_install(&w, "red", NULL, 0), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(esp_sadb_selectors(w.db, 0, &policies), 1);
    assert_true(prefix_equal(policies[0].source, prefix("10.0.0.0/8")));
    assert_null(esp_view_find(w.view, 4096, 0x0a010001, 0x0a020001));
    assert_true(esp_view_covers(w.view, 0x0a010001, 0x0a020001));
    assert_false(esp_view_covers(w.view, 0x0b010001, 0x0a020001));
    world_stop(&w);
}

static void precedence(void **state)
{
    (void)state;
    struct esp_rule web = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), IP_PROTO_TCP, 80, 80};
    struct esp_vpn_config vpns[] = {plain_vpn, plain_vpn};
    vpns[0].exclude = &web;
    vpns[0].n_exclude = 1;
    vpns[1].vpn = "blue";
    vpns[1].group = 2;
    struct esp_selector narrow[] = {selector("10.1.0.0/16", "10.2.0.0/16", IP_PROTO_UDP, 0, 53),
                                    selector("10.1.0.0/16", "10.2.0.0/16", 0, 0, 0)};
    struct esp_selector wide = any10();
    struct esp_sa_install red[] = {
        sa_install(300, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, narrow, 1),
        sa_install(301, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, narrow + 1, 1)};
    struct esp_sa_install blue =
        sa_install(400, ESP_SLOT_CURRENT, CIPHER_3DES_CBC, AUTH_HMAC_SHA1_96, &wide, 1);
    struct world w = {0};
    struct esp_sa *sa = NULL;
    world_start(&w, vpns, 2);
    assert_int_equal(esp_sadb_vpn(w.db, "blue"), 1);
    assert_int_equal(esp_sadb_vpn(w.db, "green"), 2);
    assert_int_equal(world_install(&w, "blue", &blue, 1), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->spi, 400);
    assert_int_equal(sa->vpn, 1);
    assert_int_equal(world_install(&w, "red", red, 2), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->spi, 301);
    struct esp_flow dns = {0x0a010001, 0x0a020001, 9, 53, IP_PROTO_UDP, true};
    assert_int_equal(decide(&w, dns, &sa), ESP_ENCRYPTED);
    assert_int_equal(sa->spi, 300);
    struct esp_flow browse = {0x0a010001, 0x0a020001, 9, 80, IP_PROTO_TCP, true};
    struct esp_flow answer = {0x0a020001, 0x0a010001, 80, 9, IP_PROTO_TCP, true};
    assert_int_equal(decide(&w, browse, &sa), ESP_OUT_EXCLUDED);
    assert_int_equal(decide(&w, answer, &sa), ESP_OUT_EXCLUDED);
    /* red loses its key: its traffic is not sent under blue's */
    assert_int_equal(world_install(&w, "red", NULL, 0), ERR_OK);
    assert_int_equal(decide(&w, ping("10.1.0.1", "10.2.0.1"), &sa), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(decide(&w, ping("10.3.0.1", "10.2.0.1"), &sa), ESP_ENCRYPTED);
    world_stop(&w);
}

/* decisions M24: two servers, one SPI. */
static void one_spi_of_two_servers(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector a = selector("10.1.0.0/16", "10.2.0.0/16", 0, 0, 0);
    struct esp_selector b = selector("10.3.0.0/16", "10.4.0.0/16", 0, 0, 0);
    struct esp_sa_install two[] = {
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &a, 1),
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &b, 1)};
    two[1].server = ip("192.0.2.200");
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", two, 2), ERR_OK);
    const struct esp_held *first = esp_view_find(w.view, 4096, 0x0a010001, 0x0a020001);
    const struct esp_held *second = esp_view_find(w.view, 4096, 0x0a030001, 0x0a040001);
    assert_true(ip_equal(first->sa->server, ip("192.0.2.100")));
    assert_true(ip_equal(second->sa->server, ip("192.0.2.200")));
    assert_null(esp_view_find(w.view, 4096, 0x0a010001, 0x0a040001));
    struct esp_flow f = ping("10.1.0.1", "10.2.0.1");
    assert_true(esp_view_allows(w.view, first, &f));
    assert_false(esp_view_allows(w.view, second, &f));
    world_stop(&w);
}

static void overhead(void **state)
{
    (void)state;
    static const struct {
        enum cipher cipher;
        enum auth auth;
        uint16_t inner_max;
    } rows[] = {
        {CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128, 1438}, /* 1500 - 20 - 8 - 16 - 16 = 90 blocks */
        {CIPHER_AES_256_CBC, AUTH_HMAC_SHA1_96, 1438},
        {CIPHER_3DES_CBC, AUTH_HMAC_SHA1_96, 1446},
        {CIPHER_NULL, AUTH_HMAC_SHA256_128, 1454},
        {CIPHER_AES_128_GCM, AUTH_NONE, 1446},
        {CIPHER_AES_256_CBC, AUTH_HMAC_SHA512_256, 1422},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w = {0};
        world_simple(&w, rows[i].cipher, rows[i].auth);
        assert_int_equal(esp_sadb_inner_max(w.db, 1500), rows[i].inner_max);
        assert_int_equal(esp_sadb_inner_max(w.db, 9000), rows[i].inner_max);
        assert_true(esp_sadb_inner_max(w.db, 1300) < 1300 - 20 - 8 - 12);
        assert_int_equal(esp_sadb_inner_max(w.db, 20), 0);
        world_stop(&w);
    }
}

/* --- the lookup against a naive one --- */

static struct esp_selector random_selector(struct dice *d)
{
    static const uint8_t protocols[] = {0, IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP};
    uint32_t source = 0x0a000000 | (uint32_t)dice_below(d, 8) << 16;
    uint32_t destination = 0x0a000000 | (uint32_t)dice_below(d, 8) << 16;
    return (struct esp_selector){prefix_of(ip_v4(source), (uint8_t)(8 + dice_below(d, 9))),
                                 prefix_of(ip_v4(destination), (uint8_t)(8 + dice_below(d, 9))),
                                 (uint16_t)dice_below(d, 3), (uint16_t)dice_below(d, 3),
                                 protocols[dice_below(d, 4)]};
}

static struct esp_flow random_flow(struct dice *d)
{
    static const uint8_t protocols[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP, 47};
    uint8_t protocol = protocols[dice_below(d, 4)];
    bool ports = esp_protocol_has_ports(protocol) && dice_below(d, 8) != 0;
    return (struct esp_flow){0x0a000001 | (uint32_t)dice_below(d, 10) << 16,
                             0x0a000001 | (uint32_t)dice_below(d, 10) << 16,
                             ports ? (uint16_t)dice_below(d, 4) : 0,
                             ports ? (uint16_t)dice_below(d, 4) : 0,
                             protocol,
                             ports};
}

static bool naive_match(const struct esp_selector *s, const struct esp_flow *f)
{
    return prefix_contains(s->source, ip_v4(f->source)) &&
           prefix_contains(s->destination, ip_v4(f->destination)) &&
           (s->protocol == 0 || s->protocol == f->protocol) &&
           (s->source_port == 0 || (f->has_ports && f->source_port == s->source_port)) &&
           (s->destination_port == 0 ||
            (f->has_ports && f->destination_port == s->destination_port));
}

static void lookup_equals_the_naive_one(void **state)
{
    (void)state;
    enum { SAS = 12, PER_SA = 5, ROUNDS = 40, FLOWS = 400 };
    struct dice d = {2026};
    for (int round = 0; round < ROUNDS; round++) {
        static struct esp_selector selectors[SAS][PER_SA];
        struct esp_sa_install sas[SAS];
        struct world w = {0};
        for (uint32_t i = 0; i < SAS; i++) {
            for (size_t j = 0; j < PER_SA; j++)
                selectors[i][j] = random_selector(&d);
            sas[i] = sa_install(1000 + i, (enum esp_slot)dice_below(&d, 3), CIPHER_NULL,
                                AUTH_HMAC_MD5_96, selectors[i], PER_SA);
        }
        world_start(&w, &plain_vpn, 1);
        assert_int_equal(world_install(&w, "red", sas, SAS), ERR_OK);
        bool can_send = esp_sadb_can_send(w.db, 0);
        for (int k = 0; k < FLOWS; k++) {
            struct esp_flow f = random_flow(&d);
            uint32_t want = 0;
            for (size_t i = 0; i < SAS && !want; i++) {
                for (size_t j = 0; j < PER_SA && sas[i].slot == ESP_SLOT_CURRENT && !want; j++)
                    want = naive_match(&selectors[i][j], &f) ? sas[i].spi : 0;
            }
            struct esp_sa *sa = NULL;
            enum esp_stat verdict = esp_view_decide(w.view, &f, &sa);
            if (want) {
                assert_int_equal(verdict, ESP_ENCRYPTED);
                assert_int_equal(sa->spi, want);
            } else {
                assert_int_equal(verdict, can_send ? ESP_OUT_NO_POLICY : ESP_OUT_FAIL_CLOSE);
            }
        }
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(refuses_wrong_configuration),
        cmocka_unit_test(slots),
        cmocka_unit_test(without_a_key_it_fails_closed),
        cmocka_unit_test(what_is_closed_is_dropped),
        cmocka_unit_test(precedence),
        cmocka_unit_test(one_spi_of_two_servers),
        cmocka_unit_test(overhead),
        cmocka_unit_test(lookup_equals_the_naive_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

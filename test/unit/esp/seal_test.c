#include "esp/seal.h"

#include "test/unit/esp/fixture.h"

static uint8_t buffer[ROOM], other_buffer[ROOM];

/* Taken apart with nothing but the cipher and the HMAC: RFC 4303 2, 3.3.2. */
static void layout(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, udp_spec);
    struct esp_packet same = packet_make(other_buffer, ESP_HEADROOM, udp_spec);
    assert_int_equal(seal_one(&w, &p), ESP_ENCRYPTED);
    /* 20 + 8 + 16 + (120 + 6 + 2) + 16 */
    assert_int_equal(p.len, 188);
    assert_int_equal(p.at, ESP_HEADROOM - 44);
    uint8_t *outer = esp_packet_data(&p), *esp = outer + 20;
    assert_hex(bytes(outer, 10), "450000bc000200004032");
    assert_int_equal(inet_fold(inet_sum(outer, 20)), 0);
    assert_memory_equal(outer + 12, esp_packet_data(&same) + 12, 8); /* addresses preserved */
    assert_hex(bytes(esp, 8), "0000100000000001");
    uint8_t mac[HASH_MAX], iv[16];
    struct secret key = secret_fill(7, 16), auth_key = secret_fill(9, 32);
    hmac_parts(HASH_SHA256, secret_bytes(&auth_key), PARTS(bytes(esp, p.len - 20 - 16)), mac);
    assert_memory_equal(mac, outer + p.len - 16, 16);
    memcpy(iv, esp + 8, 16);
    uint8_t *text = esp + 24;
    cbc_decrypt(CIPHER_AES_128_CBC, secret_bytes(&key), iv, text, 128);
    assert_memory_equal(text, esp_packet_data(&same), 120);
    assert_hex(bytes(text + 120, 8), "0102030405060604");
    world_stop(&w);
}

static void numbers_and_ivs(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96);
    uint8_t before[16] = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        struct esp_packet p = sealed(&w, buffer, udp_spec);
        assert_int_equal(net_u32(esp_packet_data(&p) + 24), i);
        assert_memory_not_equal(esp_packet_data(&p) + 28, before, 16);
        memcpy(before, esp_packet_data(&p) + 28, 16);
    }
    /* the number wraps: there is no extended one in a group (RFC 4303 3.3.3) */
    struct esp_sa *sa = esp_view_find(w.view, 4096, 0x0a010002, 0x0a020002)->sa;
    sa->sequence = UINT32_MAX;
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    assert_int_equal(net_u32(esp_packet_data(&p) + 24), 0);
    assert_int_equal(sa->packets_out, 101);
    assert_int_equal(sa->bytes_out, 101 * 120);
    struct esp_stats s = esp_sealer_stats(w.sealer);
    assert_int_equal(s.n[ESP_ENCRYPTED], 101);
    assert_int_equal(s.n[ESP_ENCRYPTED_BYTES], 101 * 120);
    world_stop(&w);

    world_simple(&w, CIPHER_AES_256_GCM, AUTH_NONE);
    for (uint8_t i = 1; i <= 3; i++) {
        p = sealed(&w, buffer, udp_spec);
        uint8_t counter[8] = {[7] = i};
        assert_memory_equal(esp_packet_data(&p) + 28, counter, 8);
    }
    world_stop(&w);
}

static void df_and_tos(void **state)
{
    (void)state;
    static const struct {
        enum esp_df df;
        uint16_t inner, outer;
    } rows[] = {{ESP_DF_CLEAR, 0x4000, 0},    {ESP_DF_CLEAR, 0, 0}, {ESP_DF_SET, 0, 0x4000},
                {ESP_DF_SET, 0x4000, 0x4000}, {ESP_DF_COPY, 0, 0},  {ESP_DF_COPY, 0x4000, 0x4000}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_vpn_config c = plain_vpn;
        struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
        struct esp_sa_install sa =
            sa_install(4096, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &s, 1);
        struct world w = {0};
        c.df_bit = rows[i].df;
        world_start(&w, &c, 1);
        assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
        struct spec spec = udp_spec;
        spec.fragment = rows[i].inner;
        spec.tos = 0xb9; /* EF and ECT(1): copied (RFC 6040 4.1) */
        struct esp_packet p = sealed(&w, buffer, spec);
        assert_int_equal(net_u16(esp_packet_data(&p) + 6), rows[i].outer);
        assert_int_equal(esp_packet_data(&p)[1], 0xb9);
        assert_int_equal(esp_packet_data(&p)[8], 64);
        world_stop(&w);
    }
}

static void drops(void **state)
{
    (void)state;
    struct esp_rule web = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), IP_PROTO_TCP, 80, 80};
    struct esp_vpn_config c = plain_vpn;
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sa =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    struct world w = {0};
    c.exclude = &web;
    c.n_exclude = 1;
    world_start(&w, &c, 1);

    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, udp_spec);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_FAIL_CLOSE);
    assert_int_equal(p.at, ESP_HEADROOM);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);

    p = packet_make(buffer, ESP_HEADROOM, udp_spec);
    p.len--;
    assert_int_equal(seal_one(&w, &p), ESP_OUT_BAD_HEADER);
    struct spec spec = udp_spec;
    spec.protocol = IP_PROTO_TCP;
    spec.destination_port = 80;
    p = packet_make(buffer, ESP_HEADROOM, spec);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_EXCLUDED);
    spec = udp_spec;
    spec.destination = "203.0.113.1";
    p = packet_make(buffer, ESP_HEADROOM, spec);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_NO_POLICY);
    spec = udp_spec;
    spec.payload = 1438 - 20;
    p = packet_make(buffer, ESP_HEADROOM, spec);
    assert_int_equal(seal_one(&w, &p), ESP_ENCRYPTED);
    assert_true(p.len <= 1500);
    spec.payload++;
    p = packet_make(buffer, ESP_HEADROOM, spec);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_TOO_BIG);
    p = packet_make(buffer, ESP_HEADROOM - 1, udp_spec); /* no room for headers */
    assert_int_equal(seal_one(&w, &p), ESP_OUT_TOO_BIG);
    p = packet_make(buffer, ESP_HEADROOM, udp_spec); /* none for the trailer */
    p.room = p.at + p.len + ESP_TAILROOM - 1;
    assert_int_equal(seal_one(&w, &p), ESP_OUT_TOO_BIG);
    p.room++;
    assert_int_equal(seal_one(&w, &p), ESP_ENCRYPTED);

    struct esp_stats st = esp_sealer_stats(w.sealer);
    assert_int_equal(st.n[ESP_OUT_FAIL_CLOSE], 1);
    assert_int_equal(st.n[ESP_OUT_BAD_HEADER], 1);
    assert_int_equal(st.n[ESP_OUT_EXCLUDED], 1);
    assert_int_equal(st.n[ESP_OUT_NO_POLICY], 1);
    assert_int_equal(st.n[ESP_OUT_TOO_BIG], 3);
    assert_int_equal(st.n[ESP_ENCRYPTED], 2);
    world_stop(&w);
}

/* A later fragment of a datagram that a policy with ports selects. */
static void fragments_follow_their_first(void **state)
{
    (void)state;
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", IP_PROTO_UDP, 0, 2000);
    struct esp_sa_install sa =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    struct world w = {0};
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
    struct spec first = udp_spec, later = udp_spec, stranger = udp_spec;
    first.fragment = 0x2000;
    later.fragment = 13;
    stranger.fragment = 13;
    stranger.id++;
    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, later);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_NO_POLICY);
    p = packet_make(buffer, ESP_HEADROOM, first);
    assert_int_equal(seal_one(&w, &p), ESP_ENCRYPTED);
    p = packet_make(buffer, ESP_HEADROOM, later);
    assert_int_equal(seal_one(&w, &p), ESP_ENCRYPTED);
    p = packet_make(buffer, ESP_HEADROOM, stranger);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_NO_POLICY);
    world_stop(&w);
}

/* A decision is remembered for its flow, and forgotten with its view. */
static void an_install_changes_what_was_decided(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_NULL, AUTH_HMAC_SHA1_96);
    sealed(&w, buffer, udp_spec);
    sealed(&w, buffer, udp_spec);
    struct esp_selector s = selector("10.1.0.0/16", "10.2.0.0/16", 0, 0, 0);
    struct esp_sa_install sa =
        sa_install(5000, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &s, 1);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    assert_int_equal(net_u32(esp_packet_data(&p) + 20), 5000);
    assert_int_equal(world_install(&w, "red", NULL, 0), ERR_OK);
    p = packet_make(buffer, ESP_HEADROOM, udp_spec);
    assert_int_equal(seal_one(&w, &p), ESP_OUT_FAIL_CLOSE);
    world_stop(&w);
}

/* --- ICMP fragmentation needed --- */

static size_t too_big(struct world *w, struct spec s, instant_t when, uint8_t *out)
{
    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, s);
    assert_int_equal(seal_one(w, &p), ESP_OUT_TOO_BIG);
    return esp_too_big(w->sealer, &p, 0x0a010001, when, out, ESP_TOO_BIG_MAX);
}

static void fragmentation_needed(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t out[ESP_TOO_BIG_MAX];
    struct spec s = udp_spec;
    s.payload = 1480;
    s.fragment = 0x4000;
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    assert_int_equal(too_big(&w, s, now, out), 56);
    assert_hex(bytes(out, 10), "45000038000000004001");
    assert_int_equal(inet_fold(inet_sum(out, 20)), 0);
    assert_hex(bytes(out + 12, 8), "0a0100010a010002");
    assert_int_equal(inet_fold(inet_sum(out + 20, 36)), 0);
    assert_int_equal(net_u16(out + 20), 0x0304);
    assert_int_equal(net_u16(out + 26), 1438);
    assert_memory_equal(out + 28, buffer + ESP_HEADROOM, 28);

    s.fragment = 0; /* may be cut: the kernel does so before us */
    assert_int_equal(too_big(&w, s, now, out), 0);
    s.fragment = 0x4000 | 9;
    assert_int_equal(too_big(&w, s, now, out), 0);
    s.fragment = 0x4000;
    s.protocol = IP_PROTO_ICMP;
    assert_int_equal(too_big(&w, s, now, out), 56); /* type 0: an echo reply */
    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, s);
    buffer[ESP_HEADROOM + 20] = 3; /* about an error: never */
    assert_int_equal(seal_one(&w, &p), ESP_OUT_TOO_BIG);
    assert_int_equal(esp_too_big(w.sealer, &p, 0x0a010001, now, out, sizeof out), 0);
    world_stop(&w);
}

static void few_answers_to_a_flood(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t out[ESP_TOO_BIG_MAX];
    struct spec s = udp_spec;
    s.payload = 1480;
    s.fragment = 0x4000;
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    for (int i = 0; i < ESP_TOO_BIG_PER_S; i++)
        assert_int_not_equal(too_big(&w, s, now, out), 0);
    assert_int_equal(too_big(&w, s, now, out), 0);
    assert_int_not_equal(too_big(&w, s, instant_add(now, span_s(1)), out), 0);
    assert_int_equal(esp_sealer_stats(w.sealer).n[ESP_TOO_BIG_ANSWERED], ESP_TOO_BIG_PER_S + 1);
    world_stop(&w);
}

static void multicast_gets_no_answer(void **state)
{
    (void)state;
    struct esp_selector s = selector("10.0.0.0/8", "239.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sa =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &s, 1);
    struct world w = {0};
    uint8_t out[ESP_TOO_BIG_MAX];
    struct spec spec = udp_spec;
    spec.destination = "239.1.1.1";
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
    struct esp_packet p = sealed(&w, buffer, spec);
    assert_int_equal(net_u32(esp_packet_data(&p) + 16), 0xef010101);
    spec.payload = 1480;
    spec.fragment = 0x4000;
    assert_int_equal(too_big(&w, spec, now, out), 0);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(numbers_and_ivs),
        cmocka_unit_test(df_and_tos),
        cmocka_unit_test(drops),
        cmocka_unit_test(fragments_follow_their_first),
        cmocka_unit_test(an_install_changes_what_was_decided),
        cmocka_unit_test(fragmentation_needed),
        cmocka_unit_test(few_answers_to_a_flood),
        cmocka_unit_test(multicast_gets_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

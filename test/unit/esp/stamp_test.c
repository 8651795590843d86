#include "esp/stamp.h"

#include "test/hex.h"
#include "test/unit/esp/fixture.h"

enum { WINDOW_MS = 100000, IP_AND_ESP = IPV4_HEADER + ESP_HEADER, MAC = 12 };
static const span_t clock_at_0 = {INT64_C(1700000000) * NS_PER_S + 5 * NS_PER_MS};

static uint8_t buffer[ROOM], copy[ROOM];

static instant_t later(span_t d) { return instant_add(now, d); }

/* Without encryption, so that it can be looked at; group time now: 1700001000.005. */
static void start(struct world *w)
{
    *w = (struct world){0};
    world_stamped(w, CIPHER_NULL, AUTH_HMAC_SHA1_96, WINDOW_MS, clock_at_0);
}

/* The draft's figure 1 and 2, in tunnel mode (figure 6). */
static void layout(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    packet_make(copy, 0, udp_spec);
    const uint8_t *text = esp_packet_data(&p) + IP_AND_ESP;
    assert_hex(bytes(text, ESP_STAMP), "0401000c6553f4e800001388");
    assert_memory_equal(text + ESP_STAMP, copy, 120);
    assert_hex(bytes(text + ESP_STAMP + 120, 4), "010202fd");
    assert_int_equal(p.len, IP_AND_ESP + ESP_STAMP + 120 + 4 + MAC);
    assert_int_equal(esp_sealer_stats(w.sealer).n[ESP_ENCRYPTED_BYTES], 120);
    assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    assert_int_equal(p.len, 120);
    assert_memory_equal(esp_packet_data(&p), copy, 120);
    world_stop(&w);
}

static void there_and_back(struct world *w, uint16_t len)
{
    struct spec s = udp_spec;
    s.payload = (uint16_t)(len - IPV4_HEADER);
    s.protocol = 47;
    struct esp_packet p = sealed(w, buffer, s);
    assert_true(p.len <= plain_vpn.tunnel_mtu);
    packet_make(copy, 0, s);
    assert_int_equal(open_one(w, &p), ESP_DECRYPTED);
    assert_int_equal(p.len, len);
    assert_memory_equal(esp_packet_data(&p), copy, len);
}

/* Every cipher, every padding, back to the same octets; never longer than tunnel-mtu allows. */
static void round_trip(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CIPHER_COUNT; c++) {
        bool counter_mode = cipher_is_counter_mode((enum cipher)c);
        struct world w = {0};
        world_stamped(&w, (enum cipher)c, counter_mode ? AUTH_NONE : AUTH_HMAC_SHA256_128,
                      WINDOW_MS, clock_at_0);
        uint16_t most = esp_sadb_inner_max(w.db, plain_vpn.tunnel_mtu);
        for (uint16_t len = IPV4_HEADER; len < 90; len++)
            there_and_back(&w, len);
        there_and_back(&w, most);
        struct spec s = udp_spec;
        s.payload = (uint16_t)(most + 1 - IPV4_HEADER);
        struct esp_packet p = packet_make(buffer, ESP_HEADROOM, s);
        assert_int_equal(seal_one(&w, &p), ESP_OUT_TOO_BIG);
        world_stop(&w);
    }
}

/* 2.3: accepted within half the window to each side, the ends included. */
static void edges_of_the_window(void **state)
{
    (void)state;
    static const struct {
        int64_t after_us; /* received so much after it was stamped */
        enum esp_stat verdict;
    } rows[] = {{0, ESP_DECRYPTED},
                {50000000, ESP_DECRYPTED},
                {50000001, ESP_IN_STAMP_OLD},
                {INT64_C(86400000000), ESP_IN_STAMP_OLD},
                {-50000000, ESP_DECRYPTED},
                {-50000001, ESP_IN_STAMP_NEW},
                {-900000000, ESP_IN_STAMP_NEW}};
    struct world w;
    start(&w);
    struct esp_packet good = sealed(&w, buffer, udp_spec);
    memcpy(copy, buffer, ROOM);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_packet p = good;
        memcpy(buffer, copy, ROOM);
        esp_open(w.opener, w.view, &p, 1, later((span_t){rows[i].after_us * 1000}));
        assert_int_equal(p.verdict, rows[i].verdict);
    }
    struct esp_stats s = esp_opener_stats(w.opener);
    assert_int_equal(s.n[ESP_DECRYPTED], 3);
    assert_int_equal(s.n[ESP_IN_STAMP_OLD], 2);
    assert_int_equal(s.n[ESP_IN_STAMP_NEW], 2);
    world_stop(&w);
}

/* What the window is not: within it a copy passes (decisions M19). */
static void a_copy_inside_the_window_passes(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    struct esp_packet first = sealed(&w, buffer, udp_spec), again = first;
    memcpy(copy, buffer, ROOM);
    assert_int_equal(open_one(&w, &first), ESP_DECRYPTED);
    memcpy(buffer, copy, ROOM);
    esp_open(w.opener, w.view, &again, 1, later(span_s(49)));
    assert_int_equal(again.verdict, ESP_DECRYPTED);
    world_stop(&w);
}

/* The draft's example, and what follows from it: 2^32 seconds after 1970 times begin anew. */
static void seconds_wrap(void **state)
{
    (void)state;
    static const span_t wrap = {(INT64_C(1) << 32) * NS_PER_S};
    uint8_t stamp[ESP_STAMP];
    span_t before = {wrap.ns - NS_PER_S}; /* 2^32 - 1 */
    static const struct {
        int64_t ahead_ms;
        enum esp_stat verdict;
    } rows[] = {{-2500, ESP_DECRYPTED},   {-2501, ESP_IN_STAMP_OLD}, {2500, ESP_DECRYPTED},
                {2501, ESP_IN_STAMP_NEW}, {1000, ESP_DECRYPTED},     {-1000, ESP_DECRYPTED}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int s = -3; s <= 3; s++) {
            span_t receiver = {before.ns + s * NS_PER_S};
            esp_stamp_write(stamp, (span_t){receiver.ns + rows[i].ahead_ms * NS_PER_MS});
            assert_int_equal(esp_stamp_check(stamp, ESP_STAMP, receiver, 5000), rows[i].verdict);
        }
    }
    esp_stamp_write(stamp, wrap);
    assert_hex(BYTES_OF(stamp), "0401000c0000000000000000");
    /* 2^31 seconds away is neither old nor new, but never fresh */
    assert_int_equal(esp_stamp_check(stamp, ESP_STAMP, (span_t){wrap.ns / 2}, 5000),
                     ESP_IN_STAMP_OLD);
    assert_int_equal(esp_stamp_check(stamp, ESP_STAMP, (span_t){wrap.ns / 2 + NS_PER_S}, 5000),
                     ESP_IN_STAMP_NEW);
}

/* Padding, its length, next header (RFC 4303 2.4-2.6); the text's length. */
static size_t finish(uint8_t *text, size_t len, uint8_t next)
{
    uint8_t pad = (uint8_t)((6 - len % 4) % 4);
    for (uint8_t i = 1; i <= pad; i++)
        text[len++] = i;
    text[len++] = pad;
    text[len++] = next;
    return len;
}

/* A group member with the key and bad manners; each fault is counted apart. */
static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *stamp;
        uint8_t next;
        enum esp_stat verdict;
    } rows[] = {
        {"0401000c6553f4e800001388", IP_PROTO_D3P, ESP_DECRYPTED},
        {"0401000c6553f4e8000f4240", IP_PROTO_D3P, ESP_IN_STAMP_NEW}, /* a million microseconds */
        {"0401000c6553f4e8ffffffff", IP_PROTO_D3P, ESP_IN_STAMP_NEW},
        {"0400000c6553f4e800001388", IP_PROTO_D3P, ESP_IN_STAMP_TYPE},
        {"0402000c6553f4e800001388", IP_PROTO_D3P, ESP_IN_STAMP_TYPE},
        {"0401000b6553f4e800001388", IP_PROTO_D3P, ESP_IN_STAMP_LENGTH},
        {"040100106553f4e80000138800000000", IP_PROTO_D3P, ESP_IN_STAMP_LENGTH},
        {"2901000c6553f4e800001388", IP_PROTO_D3P, ESP_IN_STAMP_NEXT_HEADER},
        {"0001000c6553f4e800001388", IP_PROTO_D3P, ESP_IN_STAMP_NEXT_HEADER},
        {"0401000c6553f4e800001388", IP_PROTO_IPIP, ESP_IN_STAMP_MISSING},
        {"", IP_PROTO_IPIP, ESP_IN_STAMP_MISSING},
        {"", 59, ESP_IN_DUMMY},
        {"", IP_PROTO_UDP, ESP_IN_NEXT_HEADER},
    };
    struct world w;
    start(&w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t text[ROOM];
        size_t len = 0;
        assert_true(bytes_unhex(rows[i].stamp, text, sizeof text, &len));
        len += packet_make(text, (uint32_t)len, udp_spec).len;
        len = finish(text, len, rows[i].next);
        struct esp_packet p = crafted(&w, buffer, udp_spec, text, len);
        assert_int_equal(open_one(&w, &p), rows[i].verdict);
    }
    for (uint8_t len = 0; len < ESP_STAMP; len++) { /* cut off anywhere, and nothing inside */
        uint8_t text[ESP_STAMP + 6] = {4, 1, 0, 12, 0x65, 0x53, 0xf4, 0xe8, 0, 0, 0x13, 0x88};
        struct esp_packet p = crafted(&w, buffer, udp_spec, text, finish(text, len, IP_PROTO_D3P));
        assert_int_equal(open_one(&w, &p), ESP_IN_STAMP_LENGTH);
    }
    world_stop(&w);
}

/* An unauthentic stamp is not looked at: nobody outside moves these counters. */
static void authentication_comes_first(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    esp_packet_data(&p)[IP_AND_ESP + 4] ^= 0x40;
    assert_int_equal(open_one(&w, &p), ESP_IN_AUTH);
    world_stop(&w);
}

/* One VPN with stamps, one without: each packet by the policy of its own SA. */
static void each_sa_has_its_policy(void **state)
{
    (void)state;
    struct esp_selector s[] = {selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0),
                               selector("10.0.0.0/8", "11.0.0.0/8", 0, 0, 0)};
    struct esp_sa_install sas[] = {
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &s[0], 1),
        sa_install(4097, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &s[1], 1)};
    struct spec eleven = udp_spec;
    eleven.destination = "11.0.0.1";
    struct world w = {0};
    sas[0].window_ms = 1000;
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", sas, 2), ERR_VALUE); /* no clock */
    esp_sadb_set_clock(w.db, 0, clock_at_0);
    assert_int_equal(world_install(&w, "red", sas, 2), ERR_OK);

    struct esp_packet p = sealed(&w, buffer, eleven);
    assert_int_equal(net_u32(esp_packet_data(&p) + IPV4_HEADER), 4097);
    assert_hex(bytes(esp_packet_data(&p) + IP_AND_ESP, 1), "45");
    assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    p = sealed(&w, buffer, udp_spec);
    esp_open(w.opener, w.view, &p, 1, later(span_ms(501)));
    assert_int_equal(p.verdict, ESP_IN_STAMP_OLD);
    struct esp_sa_report report[2];
    assert_int_equal(esp_sadb_report(w.db, report, 2), 2);
    assert_int_equal(report[0].window_ms, 1000);
    assert_int_equal(report[1].window_ms, 0);
    world_stop(&w);
}

/* The key of one window never serves under another: its sequence numbers and nonces go on. */
static void a_key_keeps_its_window(void **state)
{
    (void)state;
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sa =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_GCM, AUTH_NONE, &s, 1);
    struct world w = {0};
    world_stamped(&w, CIPHER_AES_128_GCM, AUTH_NONE, WINDOW_MS, clock_at_0);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_CONFLICT);
    sa.window_ms = WINDOW_MS + 1;
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_CONFLICT);
    sa.window_ms = WINDOW_MS;
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    world_stop(&w);
}

/* A clock that was set anew counts from the next packet on, in views made before. */
static void the_clock_can_be_set(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    esp_sadb_set_clock(w.db, 0, (span_t){clock_at_0.ns + 51 * NS_PER_S});
    assert_int_equal(open_one(&w, &p), ESP_IN_STAMP_OLD);
    p = sealed(&w, buffer, udp_spec);
    assert_hex(bytes(esp_packet_data(&p) + IP_AND_ESP + 4, 4), "6553f51b");
    assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(edges_of_the_window),
        cmocka_unit_test(a_copy_inside_the_window_passes),
        cmocka_unit_test(seconds_wrap),
        cmocka_unit_test(faults),
        cmocka_unit_test(authentication_comes_first),
        cmocka_unit_test(each_sa_has_its_policy),
        cmocka_unit_test(a_key_keeps_its_window),
        cmocka_unit_test(the_clock_can_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

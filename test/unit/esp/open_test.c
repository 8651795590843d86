#include "esp/open.h"

#include "test/unit/esp/fixture.h"

static uint8_t buffer[ROOM], copy[ROOM];

/* Every combination, every padding, back to the same octets. */
static void round_trip(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CIPHER_COUNT; c++) {
        for (unsigned a = 0; a < AUTH_COUNT; a++) {
            if (cipher_is_counter_mode((enum cipher)c) != (a == AUTH_NONE))
                continue;
            struct world w = {0};
            world_simple(&w, (enum cipher)c, (enum auth)a);
            for (uint16_t payload = 0; payload < 70; payload++) {
                struct spec s = udp_spec;
                s.payload = payload;
                s.protocol = 47;
                struct esp_packet p = sealed(&w, buffer, s);
                packet_make(copy, 0, s);
                assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
                assert_int_equal(p.len, IPV4_HEADER + payload);
                assert_memory_equal(esp_packet_data(&p), copy, p.len);
            }
            struct esp_stats st = esp_opener_stats(w.opener);
            assert_int_equal(st.n[ESP_DECRYPTED], 70);
            assert_int_equal(st.n[ESP_DECRYPTED_BYTES], 70 * 20 + 69 * 35);
            world_stop(&w);
        }
    }
}

static void batches_mix_good_and_bad(void **state)
{
    (void)state;
    static uint8_t buffers[ESP_BATCH][ROOM];
    struct esp_packet p[ESP_BATCH];
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    for (size_t i = 0; i < ESP_BATCH; i++) {
        struct spec s = udp_spec;
        s.payload = (uint16_t)(8 + 20 * i);
        s.destination = i % 5 == 1 ? "203.0.113.7" : s.destination;
        p[i] = packet_make(buffers[i], ESP_HEADROOM, s);
    }
    esp_seal(w.sealer, w.view, p, ESP_BATCH, now);
    for (size_t i = 0; i < ESP_BATCH; i++)
        assert_int_equal(p[i].verdict, i % 5 == 1 ? ESP_OUT_NO_POLICY : ESP_ENCRYPTED);
    for (size_t i = 0; i < ESP_BATCH; i += 7)
        esp_packet_data(&p[i])[p[i].len - 1] ^= 1;
    esp_open(w.opener, w.view, p, ESP_BATCH, now);
    for (size_t i = 0; i < ESP_BATCH; i++) {
        if (i % 5 == 1)
            assert_int_equal(p[i].verdict, ESP_IN_BAD_HEADER); /* it is no ESP */
        else
            assert_int_equal(p[i].verdict, i % 7 == 0 ? ESP_IN_AUTH : ESP_DECRYPTED);
    }
    world_stop(&w);
}

/* Any changed octet from the SPI on: dropped. */
static void one_changed_bit(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96);
    struct esp_packet good = sealed(&w, buffer, udp_spec);
    memcpy(copy, buffer, ROOM);
    for (uint32_t i = 20; i < good.len; i++) {
        struct esp_packet p = good;
        memcpy(buffer, copy, ROOM);
        esp_packet_data(&p)[i] ^= 0x10;
        assert_int_equal(open_one(&w, &p), i < 24 ? ESP_IN_UNKNOWN_SPI : ESP_IN_AUTH);
    }
    world_stop(&w);
}

static void outer_checks(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96);
    struct esp_packet good = sealed(&w, buffer, udp_spec), p;
    memcpy(copy, buffer, ROOM);

    for (uint32_t len = 0; len < good.len; len++) { /* cut off anywhere */
        p = good;
        p.len = len;
        assert_int_equal(open_one(&w, &p), ESP_IN_BAD_HEADER);
    }
    /* cut off, and the outer length agrees */
    for (uint16_t len = 20; len < good.len; len++) {
        memcpy(buffer, copy, ROOM);
        p = good;
        p.len = len;
        net_put16(esp_packet_data(&p) + 2, len);
        enum esp_stat verdict = open_one(&w, &p);
        if (len < 20 + 8 + 16 + 12 + 2)
            assert_int_equal(verdict, ESP_IN_BAD_HEADER);
        else
            assert_int_equal(verdict, (len - 20 - 8 - 16 - 12) % 16 ? ESP_IN_DECRYPT : ESP_IN_AUTH);
    }
    memcpy(buffer, copy, ROOM);
    p = good;
    esp_packet_data(&p)[9] = IP_PROTO_UDP;
    assert_int_equal(open_one(&w, &p), ESP_IN_BAD_HEADER);
    memcpy(buffer, copy, ROOM);
    esp_packet_data(&p)[6] = 0x20; /* the kernel reassembles: a fragment is not ours */
    assert_int_equal(open_one(&w, &p), ESP_IN_BAD_HEADER);
    /* octets behind the packet are not part of it */
    memcpy(buffer, copy, ROOM);
    p = good;
    p.len += 40;
    assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    world_stop(&w);
}

static void unknown_spi_is_noticed_where_we_are_concerned(void **state)
{
    (void)state;
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96);
    struct esp_packet p = sealed(&w, buffer, udp_spec);
    net_put32(esp_packet_data(&p) + 20, 0x12345678);
    memcpy(copy, buffer, ROOM);
    struct esp_packet again = p;
    assert_int_equal(open_one(&w, &p), ESP_IN_UNKNOWN_SPI);
    assert_int_equal(esp_opener_unknown(w.opener).n, 1);
    assert_int_equal(esp_opener_unknown(w.opener).spi, 0x12345678);
    memcpy(buffer, copy, ROOM);
    net_put32(esp_packet_data(&again) + 16, 0xcb007101); /* to somebody else */
    assert_int_equal(open_one(&w, &again), ESP_IN_UNKNOWN_SPI);
    assert_int_equal(esp_opener_unknown(w.opener).n, 1);
    world_stop(&w);
}

/* --- what is inside, made by a sender with the right key and bad manners --- */

static size_t inner_text(uint8_t *text, struct spec s, size_t extra, uint8_t pad, uint8_t next)
{
    uint8_t inner[ROOM];
    struct esp_packet p = packet_make(inner, 0, s);
    memcpy(text, inner, p.len);
    memset(text + p.len, 0xaa, extra);
    size_t len = p.len + extra;
    for (uint8_t i = 0; i < pad; i++)
        text[len++] = (uint8_t)(i + 1);
    text[len++] = pad;
    text[len++] = next;
    return len;
}

static enum esp_stat open_crafted(struct world *w, struct spec outer, const uint8_t *text,
                                  size_t len)
{
    struct esp_packet p = crafted(w, buffer, outer, text, len);
    return open_one(w, &p);
}

static void trailers(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t text[ROOM];
    world_simple(&w, CIPHER_NULL, AUTH_HMAC_SHA1_96);
    /* 120 octets + 2: two octets of padding are enough, more are allowed */
    size_t len = inner_text(text, udp_spec, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    len = inner_text(text, udp_spec, 0, 250, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    text[len - 3]++; /* not 1, 2, 3 ... */
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_TRAILER);
    len = inner_text(text, udp_spec, 0, 2, 4);
    text[len - 2] = 255; /* more padding than there is */
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_TRAILER);
    static const struct {
        uint8_t next;
        enum esp_stat verdict;
    } rows[] = {{59, ESP_IN_DUMMY},
                {253, ESP_IN_STAMP_UNEXPECTED},
                {41, ESP_IN_NEXT_HEADER},
                {17, ESP_IN_NEXT_HEADER},
                {0, ESP_IN_NEXT_HEADER}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        len = inner_text(text, udp_spec, 0, 2, rows[i].next);
        assert_int_equal(open_crafted(&w, udp_spec, text, len), rows[i].verdict);
    }
    world_stop(&w);
}

static void inner_packets(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t text[ROOM];
    world_simple(&w, CIPHER_NULL, AUTH_HMAC_SHA1_96);
    /* RFC 4303 2.7: filler behind the packet */
    size_t len = inner_text(text, udp_spec, 32, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    net_put16(text + 2, 200); /* longer than what is there */
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_INNER);
    len = inner_text(text, udp_spec, 0, 2, 4);
    text[0] = 0x65;
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_INNER);
    static const uint8_t nothing[] = {1, 2, 2, 4};
    assert_int_equal(open_crafted(&w, udp_spec, nothing, sizeof nothing), ESP_IN_INNER);
    /* M24: the outer header is not authenticated, the inner one is */
    struct spec other = udp_spec;
    other.source = "10.1.0.3";
    len = inner_text(text, other, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_ADDRESS);
    other = udp_spec;
    other.destination = "10.2.0.3";
    len = inner_text(text, other, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_ADDRESS);
    world_stop(&w);
}

/* The 5-tuple must match a policy of that SPI, as its sender sees it. */
static void selectors_are_checked(void **state)
{
    (void)state;
    struct esp_selector dns = selector("10.0.0.0/8", "10.0.0.0/8", IP_PROTO_UDP, 0, 53);
    struct esp_selector all = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sas[] = {
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &dns, 1),
        sa_install(4097, ESP_SLOT_CURRENT, CIPHER_NULL, AUTH_HMAC_SHA1_96, &all, 1)};
    struct world w = {0};
    uint8_t text[ROOM];
    struct spec s = udp_spec;
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", sas, 2), ERR_OK);
    size_t len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_SELECTOR);
    s.destination_port = 53;
    len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    s.protocol = IP_PROTO_TCP;
    len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_SELECTOR);
    /* fragments: the first one opens the way for the others */
    s = udp_spec;
    s.destination_port = 53;
    s.id = 900;
    s.fragment = 13;
    len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_IN_SELECTOR);
    s.fragment = 0x2000;
    len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    s.fragment = 13;
    len = inner_text(text, s, 0, 2, 4);
    assert_int_equal(open_crafted(&w, udp_spec, text, len), ESP_DECRYPTED);
    world_stop(&w);
}

/* RFC 6040 4.2, figure 4: rows inner, columns outer; -1 is a drop. */
static void congestion(void **state)
{
    (void)state;
    enum { NOT = 0, ECT1 = 1, ECT0 = 2, CE = 3 };
    static const int figure[4][4] = {
        [NOT] = {[NOT] = NOT, [ECT0] = NOT, [ECT1] = NOT, [CE] = -1},
        [ECT0] = {[NOT] = ECT0, [ECT0] = ECT0, [ECT1] = ECT1, [CE] = CE},
        [ECT1] = {[NOT] = ECT1, [ECT0] = ECT1, [ECT1] = ECT1, [CE] = CE},
        [CE] = {[NOT] = CE, [ECT0] = CE, [ECT1] = CE, [CE] = CE},
    };
    struct world w = {0};
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96);
    for (uint8_t inner = 0; inner < 4; inner++) {
        for (uint8_t outer = 0; outer < 4; outer++) {
            struct spec s = udp_spec;
            s.tos = (uint8_t)(0xb8 | inner);
            struct esp_packet p = sealed(&w, buffer, s);
            esp_packet_data(&p)[1] = (uint8_t)(0x20 | outer);
            enum esp_stat verdict = open_one(&w, &p);
            if (figure[inner][outer] < 0) {
                assert_int_equal(verdict, ESP_IN_CONGESTION);
                continue;
            }
            assert_int_equal(verdict, ESP_DECRYPTED);
            assert_int_equal(esp_packet_data(&p)[1], 0xb8 | figure[inner][outer]);
            assert_int_equal(inet_fold(inet_sum(esp_packet_data(&p), 20)), 0);
        }
    }
    world_stop(&w);
}

static void old_and_new_keys_receive(void **state)
{
    (void)state;
    struct world w = {0};
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sa =
        sa_install(4096, ESP_SLOT_CURRENT, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, &s, 1);
    world_start(&w, &plain_vpn, 1);
    assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
    static const enum esp_slot slots[] = {ESP_SLOT_NEXT, ESP_SLOT_PREVIOUS, ESP_SLOT_CURRENT};
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        sa.slot = ESP_SLOT_CURRENT;
        assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
        struct esp_packet p = sealed(&w, buffer, udp_spec);
        sa.slot = slots[i];
        assert_int_equal(world_install(&w, "red", &sa, 1), ERR_OK);
        assert_int_equal(open_one(&w, &p), ESP_DECRYPTED);
    }
    struct esp_packet late = sealed(&w, buffer, udp_spec);
    assert_int_equal(world_install(&w, "red", NULL, 0), ERR_OK);
    assert_int_equal(open_one(&w, &late), ESP_IN_UNKNOWN_SPI);
    world_stop(&w);
}

/* Every verdict that drops was reached above; here, that each is counted under its own name. */
static void names_are_all_different(void **state)
{
    (void)state;
    for (int i = 0; i < ESP_STAT_COUNT; i++) {
        assert_true(strlen(esp_stat_name((enum esp_stat)i)) > 0);
        assert_true(strlen(esp_stat_meaning((enum esp_stat)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(esp_stat_name((enum esp_stat)i),
                                    esp_stat_name((enum esp_stat)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(batches_mix_good_and_bad),
        cmocka_unit_test(one_changed_bit),
        cmocka_unit_test(outer_checks),
        cmocka_unit_test(unknown_spi_is_noticed_where_we_are_concerned),
        cmocka_unit_test(trailers),
        cmocka_unit_test(inner_packets),
        cmocka_unit_test(selectors_are_checked),
        cmocka_unit_test(congestion),
        cmocka_unit_test(old_and_new_keys_receive),
        cmocka_unit_test(names_are_all_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

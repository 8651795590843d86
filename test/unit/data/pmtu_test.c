#include "data/pmtu.h"

#include "test/unit/esp/fixture.h"

/* A router's message about ESP of `spi`, quoting 28 octets. */
static size_t message(uint8_t *p, uint32_t spi, uint16_t mtu)
{
    memset(p, 0, 56);
    p[0] = 0x45;
    net_put16(p + 2, 56);
    p[8] = 60;
    p[9] = IP_PROTO_ICMP;
    net_put32(p + 12, 0xc6336401);
    net_put32(p + 16, 0x0a010002);
    p[20] = 3;
    p[21] = 4;
    net_put16(p + 26, mtu);
    uint8_t *quoted = p + 28;
    quoted[0] = 0x45;
    net_put16(quoted + 2, 1500); /* the quotation is cut, its length field is not */
    quoted[9] = IP_PROTO_ESP;
    net_put32(quoted + 12, 0x0a010002);
    net_put32(quoted + 16, 0x0a020002);
    net_put32(quoted + 20, spi);
    return 56;
}

static void obeys_only_what_quotes_our_esp(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t p[64];
    uint32_t destination = 0;
    uint16_t mtu = 0;
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    size_t len = message(p, 4096, 1300);
    assert_true(pmtu_read(w.view, bytes(p, len), &destination, &mtu));
    assert_int_equal(destination, 0x0a020002);
    assert_int_equal(mtu, 1230); /* 77 blocks less the trailer */
    for (size_t cut = 0; cut < len; cut++)
        assert_false(pmtu_read(w.view, bytes(p, cut), &destination, &mtu));
    message(p, 4097, 1300);
    assert_false(pmtu_read(w.view, bytes(p, len), &destination, &mtu));
    static const uint8_t wrong[] = {9, 20, 21, 28 + 9, 28 + 12, 28 + 16};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        message(p, 4096, 1300);
        p[wrong[i]] ^= 0x80;
        assert_false(pmtu_read(w.view, bytes(p, len), &destination, &mtu));
    }
    message(p, 4096, 1300);
    p[28] = 0x4f; /* options that are not there */
    assert_false(pmtu_read(w.view, bytes(p, len), &destination, &mtu));
    world_stop(&w);
}

/* Anybody on the way can see the SPI: he may not talk us down to nothing. */
static void there_is_a_floor(void **state)
{
    (void)state;
    struct world w = {0};
    uint8_t p[64];
    uint32_t destination;
    uint16_t mtu = 0, floor = 0;
    world_simple(&w, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128);
    assert_true(pmtu_read(w.view, bytes(p, message(p, 4096, 68)), &destination, &mtu));
    assert_true(pmtu_read(w.view, bytes(p, message(p, 4096, DATA_MTU_MIN)), &destination, &floor));
    assert_int_equal(mtu, floor);
    assert_true(mtu > 500);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obeys_only_what_quotes_our_esp),
        cmocka_unit_test(there_is_a_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "gdoi/sa_parts.h"
#include "test/hex.h"

#define SPI16 "0102030405060708 1112131415161718"
#define ENDS "11 010350 04 0a000001 010350 04 ef010101"
#define HEAD ENDS SPI16 "00000000"
#define REQUIRED "80020002 80050002 80060001"

static struct gdoi_sak sak;
static struct gdoi_tolerated tolerated;

static enum err parse(const char *text)
{
    struct rd r = rd_of(hex(text));
    memset(&tolerated, 0, sizeof tolerated);
    return sak_parse(&r, &tolerated, &sak);
}

static struct bytes rewritten(const struct gdoi_dialect *d)
{
    static uint8_t out[256];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    sak_write(&c, d, &sak);
    assert_int_equal(out[0], IKE1_PAYLOAD_SAK);
    return bytes(out + 5, w.len - 5);
}

static uint32_t tolerances(void)
{
    uint32_t n = 0;
    for (size_t i = 0; i < TOLERATED_COUNT; i++)
        n += tolerated.count[i];
    return n;
}

#define FULL HEAD "80010001 80020003 80030100 00040004 00000e10 80050003 80060001 80070800 80090001"

static void everything_is_read_and_written(void **state)
{
    char text[ENDPOINT_TEXT_MAX];

    (void)state;
    assert_int_equal(parse(FULL), ERR_OK);
    assert_int_equal(tolerances(), 0);
    assert_int_equal(sak.protocol, 17);
    assert_string_equal(endpoint_text(sak.src, text, sizeof text), "10.0.0.1:848");
    assert_string_equal(endpoint_text(sak.dst, text, sizeof text), "239.1.1.1:848");
    assert_octets(ike1_cookies_bytes(&sak.spi), hex(SPI16));
    assert_int_equal(sak.management, GDOI_LKH);
    assert_int_equal(sak.algorithm, GDOI_KEK_ALG_AES);
    assert_int_equal(sak.key_length, 256);
    assert_true(sak.has_lifetime);
    assert_int_equal(sak.lifetime, 3600);
    assert_int_equal(sak.sig_hash, GDOI_SIG_HASH_SHA256);
    assert_int_equal(sak.sig_algorithm, GDOI_SIG_ALG_RSA);
    assert_int_equal(sak.sig_key_length, 2048);
    assert_int_equal(sak.ack, GDOI_ACK_KEK_SHA256);
    assert_octets(rewritten(&GDOI_RFC6407), hex(FULL));
}

static void dialects_write_other_forms(void **state)
{
    const struct gdoi_dialect compat = {.no_ack = true, .sak_pad6 = true, .tv_lifetime = true};

    (void)state;
    assert_int_equal(parse(FULL), ERR_OK);
    struct bytes other = rewritten(&compat);
    assert_octets(other, hex(ENDS SPI16 "000000000000 80010001 80020003 80030100 80040e10"
                                        "80050003 80060001 80070800"));
    struct rd r = rd_of(other);
    assert_int_equal(sak_parse(&r, &tolerated, &sak), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_SAK_PAD6], 1);
    assert_int_equal(tolerated.count[TOLERATED_LIFETIME_TV], 1);
    assert_int_equal(tolerances(), 2);
    assert_int_equal(sak.lifetime, 3600);
    sak.lifetime = 65536; /* does not fit a TV */
    assert_octets(rewritten(&compat),
                  hex(ENDS SPI16 "000000000000 80010001 80020003 80030100"
                                 "00040004 00010000 80050003 80060001 80070800"));
}

static void ends_may_be_ipv6(void **state)
{
#define V6 "20010db8000000000000000000000001"
    static const char body[] = "11 050350 10" V6 "050350 10" V6 SPI16 "00000000" REQUIRED;

    (void)state;
    assert_int_equal(parse(body), ERR_OK);
    assert_int_equal(sak.dst.ip.version, 6);
    assert_octets(rewritten(&GDOI_RFC6407), hex(body));
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {"11 010350 04 0a0000", ERR_SHORT},
        {ENDS SPI16 "000000", ERR_SHORT},
        {ENDS SPI16 "00010080" REQUIRED, ERR_RESERVED}, /* RFC 3547's POP */
        {"11 010350 03 0a0000 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_LENGTH},
        {"11 010350 05 0a00000100 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_LENGTH},
        {"11 0b0350 04 0a000001 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_TYPE},
        {"11 010350 00 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_TYPE},
        {"11 040350 08 0a000000ff000000 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_TYPE},
        {"11 040350 08 0a000000ff00ff00 010350 04 ef010101" SPI16 "00000000" REQUIRED, ERR_VALUE},
        {HEAD, ERR_MISSING},
        {HEAD "80050002 80060001", ERR_MISSING},
        {HEAD "80020002 80050002", ERR_MISSING},
        {HEAD "80020002 80060001", ERR_MISSING},          /* RSA without hash */
        {HEAD "80020003 80050002 80060001", ERR_MISSING}, /* AES without key length */
        {HEAD REQUIRED "80080002", ERR_ATTRIBUTE},        /* RFC 3547's KE_OAKLEY_GROUP */
        {HEAD REQUIRED "800a0002", ERR_ATTRIBUTE},
        {HEAD REQUIRED "80800001", ERR_ATTRIBUTE},
        {HEAD REQUIRED "80060001", ERR_DUPLICATE},
        {HEAD REQUIRED "00040000", ERR_LENGTH},
        {HEAD "00 80020002", ERR_SHORT},    /* one zero octet is no padding */
        {HEAD "0000 00 800200", ERR_SHORT}, /* nor are three */
        {HEAD "00000000" REQUIRED, ERR_ATTRIBUTE},
        {HEAD "0000", ERR_MISSING},
    };
    (void)state;
    memset(&sak, 0, sizeof sak);
    sak.lifetime = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum err e = parse(bad[i].text);
        if (e != bad[i].want)
            print_message("case %zu\n", i);
        assert_int_equal(e, bad[i].want);
    }
    assert_int_equal(sak.lifetime, 77);
}

static void ecdsa_implies_its_hash(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD "80020002 80060004"), ERR_OK);
    assert_int_equal(sak.sig_hash, 0);
    assert_false(sak.has_lifetime);
    assert_octets(rewritten(&GDOI_RFC6407), hex(HEAD "80020002 80060004"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read_and_written),
        cmocka_unit_test(dialects_write_other_forms),
        cmocka_unit_test(ends_may_be_ipv6),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(ecdsa_implies_its_hash),
    };
    return cmocka_run_group_tests_name("gdoi/sak", tests, NULL, NULL);
}

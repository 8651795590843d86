#include "gdoi/kd.h"
#include "test/hex.h"

#define SPI16 "0102030405060708 1112131415161718"
#define KEY16 "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define KEK                                                                                        \
    "02000039 10" SPI16 "00010018" KEY16 "0001020304050607"                                        \
    "00020004 30020500"
#define TEK "01000021 04 00001000 00010008 c0c1c2c3c4c5c6c7 00020008 d0d1d2d3d4d5d6d7"
#define SID "04000013 00 80010008 00020001 05 00020001 06"

static enum err parse(const char *text, struct gdoi_kd *ret, uint8_t *packet)
{
    return gdoi_kd_parse(hex(text), ret, packet);
}

static void packets_are_read_and_written(void **state)
{
    struct bytes body = hex("00030000" KEK TEK SID);
    uint8_t out[256];
    struct wr w = wr_of(out, sizeof out);
    struct gdoi_kd kd;

    (void)state;
    assert_int_equal(gdoi_kd_parse(body, &kd, NULL), ERR_OK);
    assert_true(kd.has_kek && kd.has_sid);
    assert_octets(ike1_cookies_bytes(&kd.kek.spi), hex(SPI16));
    assert_octets(kd.kek.iv_and_key, hex(KEY16 "0001020304050607"));
    assert_octets(kd.kek.sig_key, hex("30020500"));
    assert_int_equal(kd.n_teks, 1);
    assert_ptr_equal(gdoi_kd_tek(&kd, 0x1000), &kd.teks[0]);
    assert_null(gdoi_kd_tek(&kd, 0x1001));
    assert_octets(kd.teks[0].cipher_key, hex("c0c1c2c3c4c5c6c7"));
    assert_octets(kd.teks[0].integrity_key, hex("d0d1d2d3d4d5d6d7"));
    assert_int_equal(kd.sid.bits, 8);
    assert_int_equal(kd.sid.n, 2);
    assert_octets(kd.sid.value[1], hex("06"));

    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_kd_write(&c, &kd);
    assert_int_equal(out[0], IKE1_PAYLOAD_KD);
    assert_octets(bytes(out + 5, w.len - 5), body);
}

static void one_key_of_a_tek_is_enough(void **state)
{
    struct gdoi_kd kd;

    (void)state;
    assert_int_equal(parse("00010000 0100000e 04 00001000 00010001 aa", &kd, NULL), ERR_OK);
    assert_int_equal(kd.teks[0].integrity_key.len, 0);
    assert_int_equal(parse("00010000 0100000e 04 00001000 00020001 aa", &kd, NULL), ERR_OK);
    assert_int_equal(kd.teks[0].cipher_key.len, 0);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
        uint8_t packet;
    } bad[] = {
        {"000100", ERR_SHORT, 0},
        {"00000000", ERR_MISSING, 0},
        {"00010000", ERR_SHORT, 0},
        {"00020000" TEK, ERR_SHORT, 0},
        {"00010000" TEK TEK, ERR_TRAILING, GDOI_KD_TEK},
        {"00010000 01000003 04 00001000", ERR_LENGTH, GDOI_KD_TEK},
        {"00010000 0100000f 04 00001000 00010001 aa", ERR_SHORT, GDOI_KD_TEK},
        {"00010000 01000004", ERR_SHORT, GDOI_KD_TEK},
        {"00010000 01000007 04 0000", ERR_SHORT, GDOI_KD_TEK},
        {"00010000 0100000d 03 000010 00010001 aa", ERR_LENGTH, GDOI_KD_TEK},
        {"00010000 0100000f 05 0000100000 00010001 aa", ERR_LENGTH, GDOI_KD_TEK},
        {"00010000 01000009 04 00001000", ERR_MISSING, GDOI_KD_TEK},
        {"00010000 0100000d 04 00001000 00010000", ERR_LENGTH, GDOI_KD_TEK},
        {"00010000 0100000e 04 00001000 00030001 aa", ERR_ATTRIBUTE, GDOI_KD_TEK},
        {"00010000 0100000c 04 00001000 000100", ERR_SHORT, GDOI_KD_TEK},
        {"00010000 01000013 04 00001000 00010001 aa 00010001 aa", ERR_DUPLICATE, GDOI_KD_TEK},
        {"00020000" TEK TEK, ERR_DUPLICATE, GDOI_KD_TEK},
        {"00020000" KEK KEK, ERR_DUPLICATE, GDOI_KD_KEK},
        {"00020000" SID SID, ERR_DUPLICATE, GDOI_KD_SID},
        {"00010000 0200000e 04 00001000 00010001 aa", ERR_LENGTH, GDOI_KD_KEK},
        {"00010000 02000015 10" SPI16, ERR_MISSING, GDOI_KD_KEK},
        {"00010000 0200001a 10" SPI16 "00020001 30", ERR_MISSING, GDOI_KD_KEK},
        {"00010000 0200001a 10" SPI16 "00030001 30", ERR_ATTRIBUTE, GDOI_KD_KEK},
        {"00010000 03000005 00", ERR_TYPE, GDOI_KD_LKH},
        {"00010000 05000005 00", ERR_TYPE, 5},
        {"00010000 04000012 04 00001000 80010008 00020001 05", ERR_LENGTH, GDOI_KD_SID},
        {"00010000 04000009 00 80010008", ERR_MISSING, GDOI_KD_SID},
        {"00010000 0400000a 00 00020001 05", ERR_MISSING, GDOI_KD_SID},
        {"00010000 0400000e 00 80010000 00020001 05", ERR_VALUE, GDOI_KD_SID},
        {"00010000 0400000e 00 80010021 00020001 05", ERR_VALUE, GDOI_KD_SID},
        {"00010000 0400000e 00 80010009 00020001 05", ERR_LENGTH, GDOI_KD_SID},
        {"00010000 0400000f 00 80010008 00020002 0005", ERR_LENGTH, GDOI_KD_SID},
        {"00010000 0400000f 00 00010001 08 00020001 05", ERR_ATTRIBUTE, GDOI_KD_SID},
    };
    struct gdoi_kd kd = {.n_teks = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t packet = 255;
        enum err e = parse(bad[i].text, &kd, &packet);
        if (e != bad[i].want || packet != bad[i].packet)
            print_message("case %zu\n", i);
        assert_int_equal(e, bad[i].want);
        assert_int_equal(packet, bad[i].packet);
    }
    assert_int_equal(kd.n_teks, 77);
}

static void keys_have_a_longest_length(void **state)
{
    uint8_t body[64 + GDOI_KEY_MAX], key[GDOI_KEY_MAX + 1] = {0};
    struct gdoi_kd kd;

    (void)state;
    for (size_t len = GDOI_KEY_MAX; len <= GDOI_KEY_MAX + 1; len++) {
        struct wr w = wr_of(body, sizeof body);
        wr_put(&w, hex("00010000 0100"));
        wr_u16(&w, (uint16_t)(13 + len));
        wr_put(&w, hex("04 00001000"));
        ike1_attribute_tlv(&w, GDOI_TEK_ALGORITHM_KEY, bytes(key, len));
        assert_int_equal(gdoi_kd_parse(wr_bytes(&w), &kd, NULL),
                         len > GDOI_KEY_MAX ? ERR_LENGTH : ERR_OK);
    }
}

static struct bytes many_teks(uint8_t *out, size_t room, size_t n)
{
    struct wr w = wr_of(out, room);
    wr_u16(&w, (uint16_t)n);
    wr_u16(&w, 0);
    for (size_t i = 0; i < n; i++) {
        wr_put(&w, hex("0100000e 04"));
        wr_u32(&w, 0x1000 + (uint32_t)i);
        wr_put(&w, hex("00010001 aa"));
    }
    return wr_bytes(&w);
}

static void packets_are_limited(void **state)
{
    uint8_t out[4 + 14 * (GDOI_TEKS_MAX + 1)];
    struct gdoi_kd kd;

    (void)state;
    assert_int_equal(gdoi_kd_parse(many_teks(out, sizeof out, GDOI_TEKS_MAX), &kd, NULL), ERR_OK);
    assert_int_equal(kd.n_teks, GDOI_TEKS_MAX);
    assert_int_equal(gdoi_kd_parse(many_teks(out, sizeof out, GDOI_TEKS_MAX + 1), &kd, NULL),
                     ERR_TOO_MANY);
}

/* The reader of attributes stops at 16, one of which is the number of bits. */
static void sender_ids_are_limited(void **state)
{
    struct gdoi_kd kd;

    (void)state;
    for (size_t n = IKE1_ATTRIBUTES_MAX - 1; n <= IKE1_ATTRIBUTES_MAX; n++) {
        uint8_t out[128];
        struct wr w = wr_of(out, sizeof out);
        wr_put(&w, hex("00010000 0400"));
        wr_u16(&w, (uint16_t)(9 + 5 * n));
        wr_put(&w, hex("00 80010008"));
        for (size_t i = 0; i < n; i++)
            wr_put(&w, hex("00020001 05"));
        assert_int_equal(gdoi_kd_parse(wr_bytes(&w), &kd, NULL),
                         n < IKE1_ATTRIBUTES_MAX ? ERR_OK : ERR_TOO_MANY);
    }
}

/* The first octets tell the two forms of a public key apart. */
static void public_keys_of_either_form(void **state)
{
    static const char *const pkcs1[] = {"30820109 02", "3081 88 02", "3009 0203"};
    static const char *const others[] = {"",          "30",           "3082",   "30820122 300d",
                                         "3009 3003", "3182 0109 02", "3084 01"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pkcs1); i++)
        assert_true(gdoi_sig_key_is_pkcs1(hex(pkcs1[i])));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(gdoi_sig_key_is_pkcs1(hex(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys_of_either_form),
        cmocka_unit_test(packets_are_read_and_written),
        cmocka_unit_test(one_key_of_a_tek_is_enough),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(keys_have_a_longest_length),
        cmocka_unit_test(packets_are_limited),
        cmocka_unit_test(sender_ids_are_limited),
    };
    return cmocka_run_group_tests_name("gdoi/kd", tests, NULL, NULL);
}

#include "ike1/sa.h"
#include "test/hex.h"

#define T_3DES "00000020 00010000 80010005 80020002 80030001 80040002 800b0001 800c003c"
#define T_FIRST "0300000c 01010000 80010005"
#define T_LAST "0000000c 02010000 80010007"

static enum err parse(const char *text, struct ike1_sa *ret)
{
    return ike1_sa_parse(hex(text), ret);
}

static void proposals_are_read_and_written(void **state)
{
    static const char *const bodies[] = {
        "00000002 00000000 00000028 01010001" T_3DES,
        "00000001 00000001 00000020 01010002" T_FIRST T_LAST,
        "00000002 00000000 00000030 01011001 01020304050607081112131415161718"
        "00000018 00010000 80010005800200028003000180040002",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        uint8_t out[128];
        struct wr w = wr_of(out, sizeof out);
        struct ike1_sa sa;
        assert_int_equal(parse(bodies[i], &sa), ERR_OK);
        assert_int_equal(sa.proposal_number, 1);
        assert_int_equal(sa.n_transforms, i == 1 ? 2 : 1);
        assert_int_equal(sa.transforms[0].id, IKE1_TRANSFORM_KEY_IKE);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        ike1_sa_write(&c, &sa);
        assert_int_equal(out[0], IKE1_PAYLOAD_SA);
        assert_octets(bytes(out + 5, w.len - 5), hex(bodies[i]));
    }
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {"00000002 000000", ERR_SHORT},
        {"00000000 00000000 00000028 01010001" T_3DES, ERR_DOI},
        {"00000003 00000000 00000028 01010001" T_3DES, ERR_DOI},
        {"00000002 00000001 00000028 01010001" T_3DES, ERR_SITUATION},
        {"00000001 00000000 00000028 01010001" T_3DES, ERR_SITUATION},
        {"00000001 00000003 00000028 01010001" T_3DES, ERR_SITUATION},
        {"00000002 00000000", ERR_SHORT},
        {"00000002 00000000 02000028 01010001" T_3DES, ERR_TOO_MANY}, /* a second proposal */
        {"00000002 00000000 03000028 01010001" T_3DES, ERR_ORDER},
        {"00000002 00000000 00000003 01010001" T_3DES, ERR_LENGTH},
        {"00000002 00000000 00000029 01010001" T_3DES, ERR_SHORT},
        {"00000002 00000000 00000028 01010001" T_3DES "00", ERR_TRAILING},
        {"00000002 00000000 00000029 01010001" T_3DES "00", ERR_TRAILING},
        {"00000002 00000000 00000028 01030001" T_3DES, ERR_TYPE},
        {"00000002 00000000 00000028 01010000" T_3DES, ERR_MISSING},
        {"00000002 00000000 00000008 01010001", ERR_SHORT},
        {"00000002 00000000 00000028 01010002" T_3DES, ERR_LENGTH},
        {"00000002 00000000 00000020 01010001" T_FIRST T_LAST, ERR_LENGTH},
        {"00000002 00000000 00000014 01010001 0200000c 01010000 80010005", ERR_ORDER},
        {"00000002 00000000 00000012 01010001 0000000a 01010000 8001", ERR_SHORT},
        {"00000002 00000000 0000000e 01010001 00000006 0101", ERR_SHORT},
        {"00000002 00000000 00000014 01010001 0000000c 01010000 80000005", ERR_ATTRIBUTE},
        {"00000002 00000000 00000031 01011101 0102030405060708111213141516171819" T_3DES,
         ERR_LENGTH},
    };
    struct ike1_sa sa = {.n_transforms = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum err e = parse(bad[i].text, &sa);
        if (e != bad[i].want)
            print_message("case %zu\n", i);
        assert_int_equal(e, bad[i].want);
    }
    assert_int_equal(sa.n_transforms, 77);
}

/* n transforms without attributes. */
static struct bytes many(uint8_t *out, size_t room, size_t n)
{
    struct wr w = wr_of(out, room);
    wr_u32(&w, IKE1_DOI_GDOI);
    wr_u32(&w, 0);
    wr_u16(&w, 0);
    wr_u16(&w, (uint16_t)(8 + 8 * n));
    wr_put(&w, hex("010100"));
    wr_u8(&w, (uint8_t)n);
    for (size_t i = 0; i < n; i++) {
        wr_u16(&w, i + 1 < n ? 0x0300 : 0);
        wr_u16(&w, 8);
        wr_u32(&w, 0x00010000);
    }
    return wr_bytes(&w);
}

static void transforms_are_limited(void **state)
{
    uint8_t out[16 + 8 * (IKE1_TRANSFORMS_MAX + 1)];
    struct ike1_sa sa;

    (void)state;
    assert_int_equal(ike1_sa_parse(many(out, sizeof out, IKE1_TRANSFORMS_MAX), &sa), ERR_OK);
    assert_int_equal(sa.n_transforms, IKE1_TRANSFORMS_MAX);
    assert_int_equal(ike1_sa_parse(many(out, sizeof out, IKE1_TRANSFORMS_MAX + 1), &sa),
                     ERR_TOO_MANY);
}

#define ENC_AES "80010007"
#define KEY_128 "800e0080"
#define REST "80020004 80030001 8004000e"

static void a_transform_is_read_and_written(void **state)
{
    const struct ike1_phase1 want = {
        .encryption = IKE1_ENCRYPTION_AES,
        .hash = IKE1_HASH_SHA256,
        .auth = IKE1_AUTH_PSK,
        .group = 14,
        .key_length = 128,
        .life = {.has_seconds = true, .seconds = 86400},
    };
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    struct ike1_phase1 p;

    (void)state;
    ike1_phase1_write(&w, &want);
    assert_octets(wr_bytes(&w), hex(ENC_AES KEY_128 REST "800b0001 000c000400015180"));
    assert_int_equal(ike1_phase1_parse(wr_bytes(&w), &p), ERR_OK);
    assert_true(ike1_phase1_same_algorithms(&p, &want));
    assert_true(p.life.has_seconds);
    assert_int_equal(p.life.seconds, 86400);

    /* Attributes may come in any order. */
    assert_int_equal(ike1_phase1_parse(hex(REST KEY_128 ENC_AES), &p), ERR_OK);
    assert_true(ike1_phase1_same_algorithms(&p, &want));
    p.key_length = 256;
    assert_false(ike1_phase1_same_algorithms(&p, &want));
}

static void a_transform_may_be_unacceptable(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_MISSING},
        {REST, ERR_MISSING},
        {"80010005 80030001 8004000e", ERR_MISSING},
        {"80010005 80020004 8004000e", ERR_MISSING},
        {"80010005 80020004 80030001", ERR_MISSING},
        {ENC_AES REST, ERR_MISSING},              /* AES without key length: RFC 3602 5.3 */
        {"80010005" KEY_128 REST, ERR_ATTRIBUTE}, /* 3DES with one */
        {"80010001" KEY_128 REST, ERR_ATTRIBUTE},
        {"80010002" KEY_128 REST, ERR_ATTRIBUTE},
        {"80010005" REST "80050001", ERR_ATTRIBUTE}, /* group type */
        {"80010005" REST "800d0001", ERR_ATTRIBUTE}, /* PRF */
        {"80010005" REST "80110001", ERR_ATTRIBUTE},
        {"80010005" REST "80010005", ERR_DUPLICATE},
        {"80010005" REST "800c0001", ERR_ORDER},
        {"80010005" REST "800b0001", ERR_MISSING},
        {"80010005" REST "800b0009 800c0001", ERR_VALUE},
        {"80010005" REST "8001", ERR_SHORT},
    };
    struct ike1_phase1 p = {.group = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ike1_phase1_parse(hex(bad[i].text), &p), bad[i].want);
    assert_int_equal(p.group, 77);
    assert_int_equal(ike1_phase1_parse(hex("80010003" KEY_128 REST), &p), ERR_OK); /* Blowfish */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proposals_are_read_and_written),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(transforms_are_limited),
        cmocka_unit_test(a_transform_is_read_and_written),
        cmocka_unit_test(a_transform_may_be_unacceptable),
    };
    return cmocka_run_group_tests_name("ike1/sa", tests, NULL, NULL);
}

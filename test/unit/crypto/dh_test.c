#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int start(void **state)
{
    (void)state;
    const char *text = "";
    enum err e = crypto_start(CRYPTO_USE_ALL, &text);
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), text);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    crypto_stop();
    return 0;
}

static const unsigned groups[] = {1, 2, 5, 14, 15, 16, 19, 20, 21, 24};
static const uint8_t entropy[DH_ENTROPY];

static void the_groups_and_their_lengths(void **state)
{
    (void)state;
    static const struct {
        unsigned group;
        size_t public_len, shared_len;
        const char *name;
    } want[] = {
        {1, 96, 96, "group1"},     {2, 128, 128, "group2"},   {5, 192, 192, "group5"},
        {14, 256, 256, "group14"}, {15, 384, 384, "group15"}, {16, 512, 512, "group16"},
        {19, 64, 32, "group19"},   {20, 96, 48, "group20"},   {21, 132, 66, "group21"},
        {24, 256, 256, "group24"},
    };
    unsigned known = 0;
    for (unsigned g = 0; g < 70000; g++)
        known += dh_group_known(g);
    assert_int_equal(known, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(dh_group_known(want[i].group));
        assert_int_equal(dh_public_len(want[i].group), want[i].public_len);
        assert_int_equal(dh_shared_len(want[i].group), want[i].shared_len);
        assert_string_equal(dh_group_name(want[i].group), want[i].name);
    }
}

static void both_sides_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        unsigned g = groups[i];
        uint8_t initiator[DH_PUBLIC_MAX], responder[DH_PUBLIC_MAX];
        SECRET private = {0};
        SECRET_LONG ours = {0}, theirs = {0};
        assert_int_equal(dh_generate(g, entropy, &private, initiator), ERR_OK);
        assert_true(private.len >= 28 && private.len <= SECRET_MAX);
        assert_int_equal(
            dh_agree(g, entropy, bytes(initiator, dh_public_len(g)), responder, &theirs), ERR_OK);
        assert_int_equal(dh_derive(g, &private, bytes(responder, dh_public_len(g)), &ours), ERR_OK);
        assert_int_equal(ours.len, dh_shared_len(g));
        assert_true(secret_equal(secret_long_bytes(&ours), secret_long_bytes(&theirs)));
    }
}

static void key_pairs_are_fresh(void **state)
{
    (void)state;
    uint8_t a[DH_PUBLIC_MAX], b[DH_PUBLIC_MAX];
    SECRET x = {0}, y = {0};
    assert_int_equal(dh_generate(14, entropy, &x, a), ERR_OK);
    assert_int_equal(dh_generate(14, entropy, &y, b), ERR_OK);
    assert_memory_not_equal(a, b, 256);
    assert_false(secret_equal(secret_bytes(&x), secret_bytes(&y)));
}

/* The two ways of raising to a power, and both with and without the table that comes with use. */
static void the_public_value_is_the_generator_to_the_private(void **state)
{
    (void)state;
    static const unsigned two[] = {1, 2, 5, 14, 15, 16};
    const char *text;
    for (int tables = 0; tables < 2; tables++) {
        crypto_stop();
        assert_int_equal(crypto_start(tables ? CRYPTO_USE_ALL : (struct crypto_use){0}, &text),
                         ERR_OK);
        for (size_t i = 0; i < ARRAY_LEN(two); i++) {
            size_t len = dh_public_len(two[i]);
            uint8_t generator[DH_PUBLIC_MAX] = {0}, public[DH_PUBLIC_MAX];
            generator[len - 1] = 2;
            for (int again = 0; again < (tables ? 20 : 2); again++) {
                SECRET private = {0};
                SECRET_LONG power = {0};
                assert_int_equal(dh_generate(two[i], entropy, &private, public), ERR_OK);
                assert_int_equal(dh_derive(two[i], &private, bytes(generator, len), &power),
                                 ERR_OK);
                assert_memory_equal(power.b, public, len);
            }
        }
    }
}

/* Both entry points refuse, and leave what they were given. */
static void refused(unsigned g, struct bytes peer, enum err want)
{
    SECRET private = secret_of(bytes_str("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20"));
    struct secret_long shared, untouched;
    uint8_t public[DH_PUBLIC_MAX], same[DH_PUBLIC_MAX];
    memset(&shared, 0x5a, sizeof shared);
    memset(&untouched, 0x5a, sizeof untouched);
    memset(public, 0x5a, sizeof public);
    memset(same, 0x5a, sizeof same);
    assert_int_equal(dh_derive(g, &private, peer, &shared), want);
    assert_int_equal(dh_agree(g, entropy, peer, public, &shared), want);
    assert_memory_equal(&shared, &untouched, sizeof shared);
    assert_memory_equal(public, same, sizeof public);
}

static void wrong_lengths_are_refused(void **state)
{
    (void)state;
    uint8_t peer[DH_PUBLIC_MAX + 1] = {0, 2, 3, 4};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        size_t len = dh_public_len(groups[i]);
        refused(groups[i], bytes(peer, 0), ERR_LENGTH);
        refused(groups[i], bytes(peer, len - 1), ERR_LENGTH);
        refused(groups[i], bytes(peer, len + 1), ERR_LENGTH);
    }
}

static void modp_values_out_of_range_are_refused(void **state)
{
    (void)state;
    static const unsigned safe[] = {1, 2, 5, 14, 15, 16};
    for (size_t i = 0; i < ARRAY_LEN(safe); i++) {
        size_t len = dh_public_len(safe[i]);
        uint8_t peer[DH_PUBLIC_MAX] = {0};
        refused(safe[i], bytes(peer, len), ERR_VALUE); /* 0 */
        peer[len - 1] = 1;
        refused(safe[i], bytes(peer, len), ERR_VALUE);
        memset(peer, 0xff, len);
        refused(safe[i], bytes(peer, len), ERR_VALUE); /* above p */
        peer[len - 1] = 2;
        memset(peer, 0, len - 1);
        SECRET private = secret_of(bytes("\1", 1));
        SECRET_LONG shared = {0};
        assert_int_equal(dh_derive(safe[i], &private, bytes(peer, len), &shared), ERR_OK);
        assert_memory_equal(shared.b, peer, len); /* 2^1, padded to the prime's length */
    }
}

/* Group 1's prime, whose neighbours are the edges of the range. */
static void the_edges_at_the_prime(void **state)
{
    (void)state;
    uint8_t p[96];
    size_t len;
    assert_true(bytes_unhex(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
        "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620"
        "ffffffffffffffff",
        p, sizeof p, &len));
    assert_int_equal(len, 96);
    refused(1, BYTES_OF(p), ERR_VALUE);
    p[95] = 0xfe; /* p - 1 has order 2 */
    refused(1, BYTES_OF(p), ERR_VALUE);
    p[95] = 0xfd;
    SECRET private = secret_of(bytes("\1", 1));
    SECRET_LONG shared = {0};
    assert_int_equal(dh_derive(1, &private, BYTES_OF(p), &shared), ERR_OK);
    assert_memory_equal(shared.b, p, 96);
}

/* 2 generates far more than group 24's subgroup of order q (RFC 5114 section 2.3). */
static void elements_outside_the_subgroup_of_group_24_are_refused(void **state)
{
    (void)state;
    uint8_t peer[256] = {0};
    refused(24, BYTES_OF(peer), ERR_VALUE);
    peer[255] = 1;
    refused(24, BYTES_OF(peer), ERR_VALUE);
    peer[255] = 2;
    refused(24, BYTES_OF(peer), ERR_VALUE);
}

static void points_off_the_curve_are_refused(void **state)
{
    (void)state;
    static const unsigned curves[] = {19, 20, 21};
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        uint8_t peer[DH_PUBLIC_MAX] = {0};
        size_t len = dh_public_len(curves[i]);
        refused(curves[i], bytes(peer, len), ERR_VALUE);
        SECRET private = {0};
        assert_int_equal(dh_generate(curves[i], entropy, &private, peer), ERR_OK);
        peer[len - 1] ^= 1;
        refused(curves[i], bytes(peer, len), ERR_VALUE);
        memset(peer, 0xff, len); /* coordinates at or above the field's prime */
        refused(curves[i], bytes(peer, len), ERR_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_groups_and_their_lengths),
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(key_pairs_are_fresh),
        cmocka_unit_test(the_public_value_is_the_generator_to_the_private),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(modp_values_out_of_range_are_refused),
        cmocka_unit_test(the_edges_at_the_prime),
        cmocka_unit_test(elements_outside_the_subgroup_of_group_24_are_refused),
        cmocka_unit_test(points_off_the_curve_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

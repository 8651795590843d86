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

static void names_and_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
    } want[HASH_COUNT] = {
        {"md5", 16}, {"sha1", 20}, {"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        assert_string_equal(hash_name((enum hash)h), want[h].name);
        assert_int_equal(hash_len((enum hash)h), want[h].len);
    }
}

static void parts_are_concatenated(void **state)
{
    (void)state;
    const uint8_t text[] = "Ni_b | Nr_b | g^xy | CKY-I | CKY-R";
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        uint8_t whole[HASH_MAX], split[HASH_MAX];
        hash_parts((enum hash)h, PARTS(BYTES_OF(text)), whole);
        for (size_t cut = 0; cut <= sizeof text; cut++) {
            hash_parts(
                (enum hash)h,
                PARTS(bytes(text, cut), bytes(NULL, 0), bytes(text + cut, sizeof text - cut)),
                split);
            assert_memory_equal(split, whole, hash_len((enum hash)h));
            hmac_parts((enum hash)h, bytes_str("k"),
                       PARTS(bytes(text, cut), bytes(text + cut, sizeof text - cut)), split);
        }
    }
}

static void the_empty_text_has_its_hash(void **state)
{
    (void)state;
    uint8_t none[HASH_MAX], empty[HASH_MAX];
    hash_parts(HASH_MD5, NULL, 0, none);
    hash_parts(HASH_MD5, PARTS(bytes(NULL, 0)), empty);
    const uint8_t want[] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04,
                            0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e};
    assert_memory_equal(none, want, sizeof want);
    assert_memory_equal(empty, want, sizeof want);
}

static void the_empty_key_is_a_key(void **state)
{
    (void)state;
    uint8_t before[HASH_MAX], mac[HASH_MAX], zeros[HASH_MAX];
    hmac_parts(HASH_SHA256, bytes_str("other"), PARTS(bytes_str("x")), before);
    hmac_parts(HASH_SHA256, bytes(NULL, 0), PARTS(bytes_str("x")), mac);
    hmac_parts(HASH_SHA256, bytes("\0", 1), PARTS(bytes_str("x")),
               zeros); /* padded with zeros: RFC 2104 section 2 */
    assert_memory_equal(mac, zeros, 32);
    assert_memory_not_equal(mac, before, 32);
}

static void prf_is_hmac_as_a_secret(void **state)
{
    (void)state;
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        uint8_t mac[HASH_MAX];
        hmac_parts((enum hash)h, bytes_str("key"), PARTS(bytes_str("a"), bytes_str("b")), mac);
        SECRET s = prf((enum hash)h, bytes_str("key"), PARTS(bytes_str("ab")));
        assert_int_equal(s.len, hash_len((enum hash)h));
        assert_memory_equal(s.b, mac, s.len);
    }
}

static void check_takes_full_and_truncated_forms(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HASH_COUNT; i++) {
        enum hash h = (enum hash)i;
        uint8_t mac[HASH_MAX + 1] = {0};
        hmac_parts(h, bytes_str("key"), PARTS(bytes_str("text")), mac);
        for (size_t len = 0; len <= hash_len(h) + 1; len++) {
            bool good = len >= HMAC_TRUNCATED_MIN && len <= hash_len(h);
            assert_int_equal(
                hmac_check(h, bytes_str("key"), PARTS(bytes_str("text")), bytes(mac, len)), good);
        }
        mac[9] ^= 1;
        assert_false(hmac_check(h, bytes_str("key"), PARTS(bytes_str("text")), bytes(mac, 12)));
        assert_false(hmac_check(h, bytes_str("kez"), PARTS(bytes_str("text")), bytes(mac, 12)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_lengths),
        cmocka_unit_test(parts_are_concatenated),
        cmocka_unit_test(the_empty_text_has_its_hash),
        cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(prf_is_hmac_as_a_secret),
        cmocka_unit_test(check_takes_full_and_truncated_forms),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

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
        size_t key, block, iv;
    } want[CIPHER_COUNT] = {
        {"null", 0, 1, 0},           {"des-cbc", 8, 8, 8},        {"3des-cbc", 24, 8, 8},
        {"aes-128-cbc", 16, 16, 16}, {"aes-192-cbc", 24, 16, 16}, {"aes-256-cbc", 32, 16, 16},
        {"aes-128-gcm", 20, 16, 8},  {"aes-192-gcm", 28, 16, 8},  {"aes-256-gcm", 36, 16, 8},
    };
    for (unsigned i = 0; i < CIPHER_COUNT; i++) {
        enum cipher c = (enum cipher)i;
        assert_string_equal(cipher_name(c), want[i].name);
        assert_int_equal(cipher_key_len(c), want[i].key);
        assert_int_equal(cipher_block(c), want[i].block);
        assert_int_equal(cipher_iv_len(c), want[i].iv);
        assert_int_equal(cipher_is_counter_mode(c), i >= CIPHER_AES_128_GCM);
    }
}

static const enum cipher cbcs[] = {CIPHER_DES_CBC, CIPHER_3DES_CBC, CIPHER_AES_128_CBC,
                                   CIPHER_AES_192_CBC, CIPHER_AES_256_CBC};

static void round_trip_at_every_length(void **state)
{
    (void)state;
    uint8_t key[CIPHER_KEY_MAX], plain[160], data[160];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(7 * i);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(11 * i + 3);
    for (size_t i = 0; i < ARRAY_LEN(cbcs); i++) {
        enum cipher c = cbcs[i];
        struct bytes k = bytes(key, cipher_key_len(c));
        for (size_t len = 0; len <= sizeof plain; len += cipher_block(c)) {
            uint8_t iv[CIPHER_BLOCK_MAX] = "initialisation",
                    iv2[CIPHER_BLOCK_MAX] = "initialisation";
            memcpy(data, plain, sizeof data);
            cbc_encrypt(c, k, iv, data, len);
            if (len)
                assert_memory_equal(iv, data + len - cipher_block(c), cipher_block(c));
            assert_memory_equal(data + len, plain + len, sizeof data - len);
            cbc_decrypt(c, k, iv2, data, len);
            assert_memory_equal(data, plain, sizeof data);
            assert_memory_equal(iv, iv2, sizeof iv);
        }
    }
}

/* RFC 2409 appendix B: the last ciphertext block of one message is the IV of the next. */
static void messages_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cbcs); i++) {
        enum cipher c = cbcs[i];
        struct bytes k = bytes("0123456789abcdef0123456789abcdef", cipher_key_len(c));
        uint8_t whole[96] = {0}, parts[96] = {0}, iv[16] = {1}, iv2[16] = {1};
        cbc_encrypt(c, k, iv, whole, 96);
        for (size_t at = 0; at < 96; at += 48)
            cbc_encrypt(c, k, iv2, parts + at, 48);
        assert_memory_equal(whole, parts, 96);
        assert_memory_equal(iv, iv2, 16);
    }
}

static void parity_is_odd_and_keeps_the_key(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        uint8_t key[2] = {(uint8_t)v, (uint8_t)~v};
        des_set_parity(key, sizeof key);
        assert_int_equal(__builtin_popcount(key[0]) % 2, 1);
        assert_int_equal(__builtin_popcount(key[1]) % 2, 1);
        assert_int_equal(key[0] & 0xfe, v & 0xfe);
        assert_int_equal(key[1] & 0xfe, ~v & 0xfe);
    }
}

/* A weak key encrypts to its own inverse, a semi-weak one to its partner's: that is what the list
 * must hold. */
static void weak_keys_are_refused_whatever_their_parity(void **state)
{
    (void)state;
    static const char *const weak[] = {
        "0101010101010101", "1f1f1f1fe0e0e0e0", "e0e0e0e01f1f1f1f", "fefefefefefefefe",
        "01fe01fe01fe01fe", "1fe01fe00ef10ef1", "01e001e001f101f1", "1ffe1ffe0efe0efe",
        "011f011f010e010e", "e0fee0fef1fef1fe", "fe01fe01fe01fe01", "e01fe01ff10ef10e",
        "e001e001f101f101", "fe1ffe1ffe0efe0e", "1f011f010e010e01", "fee0fee0fef1fef1",
    };
    for (size_t i = 0; i < ARRAY_LEN(weak); i++) {
        uint8_t key[8], other[8];
        size_t len;
        assert_true(bytes_unhex(weak[i], key, sizeof key, &len));
        assert_true(des_key_is_weak(BYTES_OF(key)));
        memcpy(other, key, sizeof key);
        for (size_t b = 0; b < 8; b++)
            other[b] ^= 1;
        assert_true(des_key_is_weak(BYTES_OF(other)));
        other[3] ^= 0x10;
        assert_false(des_key_is_weak(BYTES_OF(other)));
    }
    assert_false(des_key_is_weak(bytes_str("Conclave")));
}

static void triple_des_with_equal_neighbours_is_weak(void **state)
{
    (void)state;
    assert_false(des_key_is_weak(bytes_str("firstkeysecondkythirdkey")));
    assert_false(des_key_is_weak(bytes_str("firstkeysecondkyfirstkey"))); /* two-key 3DES is 3DES */
    assert_true(des_key_is_weak(bytes_str("firstkeyfirstkeythirdkey")));
    assert_true(des_key_is_weak(bytes_str("firstkeythirdkeythirdkey")));
    assert_true(
        des_key_is_weak(bytes_str("firstkeyfirstkexthirdkey"))); /* x and y differ in parity only */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_lengths),
        cmocka_unit_test(round_trip_at_every_length),
        cmocka_unit_test(messages_chain),
        cmocka_unit_test(parity_is_odd_and_keeps_the_key),
        cmocka_unit_test(weak_keys_are_refused_whatever_their_parity),
        cmocka_unit_test(triple_des_with_equal_neighbours_is_weak),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

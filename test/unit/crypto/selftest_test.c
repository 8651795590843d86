#include "crypto/selftest.h"

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

static void the_vectors_of_the_standards_pass(void **state)
{
    (void)state;
    const char *text = "untouched";
    assert_int_equal(crypto_self_test(CRYPTO_USE_ALL, &crypto_vectors, &text), ERR_OK);
    assert_string_equal(text, "untouched");
}

static void every_algorithm_has_a_vector(void **state)
{
    (void)state;
    uint64_t hashes = 0, macs = 0, ciphers = 0, dhs = 0, auths = 0;
    for (size_t i = 0; i < crypto_vectors.n_hashes; i++)
        *(crypto_vectors.hashes[i].key ? &macs : &hashes) |= UINT64_C(1)
                                                             << crypto_vectors.hashes[i].hash;
    for (size_t i = 0; i < crypto_vectors.n_cbcs; i++)
        ciphers |= UINT64_C(1) << crypto_vectors.cbcs[i].cipher;
    for (size_t i = 0; i < crypto_vectors.n_dhs; i++)
        dhs |= UINT64_C(1) << crypto_vectors.dhs[i].group;
    for (size_t i = 0; i < crypto_vectors.n_packets; i++) {
        ciphers |= UINT64_C(1) << crypto_vectors.packets[i].cipher;
        auths |= UINT64_C(1) << crypto_vectors.packets[i].auth;
    }
    assert_int_equal(auths, (1u << AUTH_COUNT) - 1);
    assert_int_equal(ciphers, (1u << CIPHER_COUNT) - 1);
    assert_int_equal(hashes, (1u << HASH_COUNT) - 1);
    assert_int_equal(macs, (1u << HASH_COUNT) - 1);
    for (unsigned g = 0; g < 64; g++)
        assert_int_equal(dhs >> g & 1, dh_group_known(g));
}

/* The expected value with its last digit changed. */
static const char *spoiled(const char *hex, char *out, size_t room)
{
    size_t len = strlen(hex);
    assert_true(len < room);
    memcpy(out, hex, len + 1);
    out[len - 1] = out[len - 1] == '0' ? '1' : '0';
    return out;
}

static void fails_with(const struct crypto_vectors *v, const char *name)
{
    const char *text = NULL;
    assert_int_equal(crypto_self_test(CRYPTO_USE_ALL, v, &text), ERR_SELF_TEST);
    assert_string_equal(text, name);
    assert_int_equal(crypto_self_test((struct crypto_use){0}, v, &text),
                     ERR_OK); /* not in use, not asked */
}

static void a_wrong_vector_is_found(void **state)
{
    (void)state;
    char hex[1200];
    for (size_t i = 0; i < crypto_vectors.n_hashes; i++) {
        struct hash_vector bad = crypto_vectors.hashes[i];
        bad.out = spoiled(bad.out, hex, sizeof hex);
        fails_with(&(struct crypto_vectors){.hashes = &bad, .n_hashes = 1}, hash_name(bad.hash));
    }
    for (size_t i = 0; i < crypto_vectors.n_cbcs; i++) {
        struct cbc_vector bad = crypto_vectors.cbcs[i];
        bad.sealed = spoiled(bad.sealed, hex, sizeof hex);
        fails_with(&(struct crypto_vectors){.cbcs = &bad, .n_cbcs = 1}, cipher_name(bad.cipher));
    }
    for (size_t i = 0; i < crypto_vectors.n_dhs; i++) {
        struct dh_vector bad = crypto_vectors.dhs[i];
        bad.shared = spoiled(bad.shared, hex, sizeof hex);
        fails_with(&(struct crypto_vectors){.dhs = &bad, .n_dhs = 1}, dh_group_name(bad.group));
    }
    for (size_t i = 0; i < crypto_vectors.n_packets; i++) {
        struct packet_vector bad = crypto_vectors.packets[i];
        bad.icv = spoiled(bad.icv, hex, sizeof hex);
        fails_with(&(struct crypto_vectors){.packets = &bad, .n_packets = 1},
                   bad.auth == AUTH_NONE ? cipher_name(bad.cipher) : auth_name(bad.auth));
    }
    for (size_t i = 0; i < crypto_vectors.n_signs; i++) {
        struct sign_vector bad = crypto_vectors.signs[i];
        bad.signature = spoiled(bad.signature, hex, sizeof hex);
        fails_with(&(struct crypto_vectors){.signs = &bad, .n_signs = 1},
                   bad.rsa ? "rsa" : "ecdsa");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standards_pass),
        cmocka_unit_test(every_algorithm_has_a_vector),
        cmocka_unit_test(a_wrong_vector_is_found),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

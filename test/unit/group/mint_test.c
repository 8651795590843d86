#include "group/mint.h"

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct model_ipsec_proposal proposal = {.name = "p",
                                               .cipher = MODEL_ESP_AES_CBC,
                                               .key_bits = 128,
                                               .auth = MODEL_ESP_HMAC_SHA256_128,
                                               .lifetime_s = 3600};
static const struct model_ipsec_sa policy = {.name = "sa", .proposal = &proposal};
static struct drbg drbg;

static int start(void **state)
{
    const char *text;

    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text))
        return 1;
    drbg = drbg_of((const uint8_t[DRBG_SEED]){7});
    return 0;
}

static struct timeline some_time(void)
{
    return timeline_first((instant_t){0}, span_s(3600), span_s(15), false);
}

static void every_algorithm_is_checked(void **state)
{
    static const struct {
        enum model_esp_cipher cipher;
        uint16_t bits;
        enum model_esp_auth auth;
        enum err err;
    } rows[] = {
        {MODEL_ESP_DES, 0, MODEL_ESP_HMAC_MD5_96, ERR_OK},
        {MODEL_ESP_3DES, 0, MODEL_ESP_HMAC_SHA1_96, ERR_OK},
        {MODEL_ESP_AES_CBC, 128, MODEL_ESP_HMAC_SHA256_128, ERR_OK},
        {MODEL_ESP_AES_CBC, 192, MODEL_ESP_HMAC_SHA384_192, ERR_OK},
        {MODEL_ESP_AES_CBC, 256, MODEL_ESP_HMAC_SHA512_256, ERR_OK},
        {MODEL_ESP_AES_CBC, 129, MODEL_ESP_HMAC_SHA256_128, ERR_TYPE},
        {MODEL_ESP_AES_CBC, 128, MODEL_ESP_AUTH_NONE, ERR_TYPE},
        {MODEL_ESP_AES_CBC, 128, (enum model_esp_auth)99, ERR_TYPE},
        {(enum model_esp_cipher)99, 128, MODEL_ESP_HMAC_SHA1_96, ERR_TYPE},
        {MODEL_ESP_AES_GCM16, 128, MODEL_ESP_AUTH_NONE, ERR_UNBUILT},
        {MODEL_ESP_AES_GCM16, 192, MODEL_ESP_AUTH_NONE, ERR_UNBUILT},
        {MODEL_ESP_AES_GCM16, 256, MODEL_ESP_AUTH_NONE, ERR_UNBUILT},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct model_ipsec_proposal p = {
            .cipher = rows[i].cipher, .key_bits = rows[i].bits, .auth = rows[i].auth};
        assert_int_equal(mint_check(&p), rows[i].err);
    }
}

static void a_generation_is_found_by_its_spi_until_dropped(void **state)
{
    (void)state;
    struct mint m = mint_of(&drbg);
    struct generation *a = mint_generation(&m, &policy, 1, some_time());
    struct generation *b = mint_generation(&m, &policy, 2, some_time());
    uint32_t spi = a->spi;

    assert_true(a->spi >= 256 && b->spi >= 256 && a->spi != b->spi);
    assert_int_equal(a->key.len, 16);
    assert_int_equal(a->auth_key.len, 32);
    assert_false(secret_equal(secret_bytes(&a->key), secret_bytes(&b->key)));
    assert_false(secret_equal(secret_bytes(&a->auth_key), secret_bytes(&b->auth_key)));
    assert_ptr_equal(mint_find(&m, spi), a);
    mint_drop(&m, a);
    assert_null(mint_find(&m, spi));
    assert_ptr_equal(mint_find(&m, b->spi), b);
    mint_drop(&m, b);
    mint_drop(&m, NULL);
    mint_free(&m);
}

static void many_spis_are_unique(void **state)
{
    enum { MANY = 2000 };
    static struct generation *all[MANY];
    (void)state;
    struct mint m = mint_of(&drbg);

    for (size_t i = 0; i < MANY; i++)
        all[i] = mint_generation(&m, &policy, (uint32_t)i + 1, some_time());
    assert_int_equal(m.live.n, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_ptr_equal(mint_find(&m, all[i]->spi), all[i]);
        mint_drop(&m, all[i]);
    }
    mint_free(&m);
}

static void des_keys_have_odd_parity_and_are_not_weak(void **state)
{
    (void)state;
    struct mint m = mint_of(&drbg);
    const enum cipher ciphers[] = {CIPHER_DES_CBC, CIPHER_3DES_CBC};

    for (size_t i = 0; i < 200; i++) {
        struct secret key = mint_key(&m, ciphers[i % 2]);
        assert_int_equal(key.len, i % 2 ? 24 : 8);
        for (size_t at = 0; at < key.len; at++)
            assert_int_equal(__builtin_popcount(key.b[at]) % 2, 1);
        assert_false(des_key_is_weak(secret_bytes(&key)));
    }
    mint_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_checked),
        cmocka_unit_test(a_generation_is_found_by_its_spi_until_dropped),
        cmocka_unit_test(many_spis_are_unique),
        cmocka_unit_test(des_keys_have_odd_parity_and_are_not_weak),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

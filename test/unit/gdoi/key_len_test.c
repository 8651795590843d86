#include "gdoi/numbers.h"
#include "test/check.h"

#include <stdint.h>

static void ciphers_of_esp(void **state)
{
    static const struct {
        unsigned transform, bits;
        enum err e;
        size_t len;
    } cases[] = {
        {GDOI_ESP_NULL, 0, ERR_OK, 0},
        {GDOI_ESP_DES, 0, ERR_OK, 8},
        {GDOI_ESP_3DES, 0, ERR_OK, 24},
        {GDOI_ESP_AES_CBC, 128, ERR_OK, 16},
        {GDOI_ESP_AES_CBC, 192, ERR_OK, 24},
        {GDOI_ESP_AES_CBC, 256, ERR_OK, 32},
        {GDOI_ESP_AES_CBC, 0, ERR_VALUE, 0},
        {GDOI_ESP_AES_CBC, 129, ERR_VALUE, 0},
        {GDOI_ESP_AES_CTR, 128, ERR_OK, 20},
        {GDOI_ESP_AES_GCM_8, 128, ERR_OK, 20},
        {GDOI_ESP_AES_GCM_12, 192, ERR_OK, 28},
        {GDOI_ESP_AES_GCM_16, 256, ERR_OK, 36},
        {GDOI_ESP_AES_GCM_16, 512, ERR_VALUE, 0},
        {1, 0, ERR_TYPE, 0},
        {14, 128, ERR_TYPE, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = 0;
        assert_int_equal(gdoi_esp_key_len(cases[i].transform, cases[i].bits, &len), cases[i].e);
        assert_int_equal(len, cases[i].len);
    }
}

static void hashes_of_esp(void **state)
{
    static const size_t len[] = {0, 16, 20, 0, 0, 32, 48, 64, 0};

    (void)state;
    for (unsigned auth = 0; auth < ARRAY_LEN(len); auth++) {
        size_t n = 0;
        assert_int_equal(gdoi_auth_key_len(auth, &n), len[auth] ? ERR_OK : ERR_TYPE);
        assert_int_equal(n, len[auth]);
    }
}

static void ciphers_of_the_kek(void **state)
{
    static const struct {
        unsigned alg, bits;
        enum err e;
        size_t iv, key;
    } cases[] = {
        {GDOI_KEK_ALG_DES, 0, ERR_OK, 8, 8},
        {GDOI_KEK_ALG_DES, 56, ERR_OK, 8, 8},
        {GDOI_KEK_ALG_DES, 64, ERR_OK, 8, 8},
        {GDOI_KEK_ALG_DES, 128, ERR_VALUE, 0, 0},
        {GDOI_KEK_ALG_3DES, 0, ERR_OK, 8, 24},
        {GDOI_KEK_ALG_3DES, 168, ERR_OK, 8, 24},
        {GDOI_KEK_ALG_3DES, 192, ERR_OK, 8, 24},
        {GDOI_KEK_ALG_3DES, 128, ERR_VALUE, 0, 0},
        {GDOI_KEK_ALG_AES, 128, ERR_OK, 16, 16},
        {GDOI_KEK_ALG_AES, 192, ERR_OK, 16, 24},
        {GDOI_KEK_ALG_AES, 256, ERR_OK, 16, 32},
        {GDOI_KEK_ALG_AES, 0, ERR_VALUE, 0, 0},
        {0, 0, ERR_TYPE, 0, 0},
        {4, 128, ERR_TYPE, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t iv = 0, key = 0;
        assert_int_equal(gdoi_kek_key_len(cases[i].alg, cases[i].bits, &iv, &key), cases[i].e);
        assert_int_equal(iv, cases[i].iv);
        assert_int_equal(key, cases[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ciphers_of_esp),
        cmocka_unit_test(hashes_of_esp),
        cmocka_unit_test(ciphers_of_the_kek),
    };
    return cmocka_run_group_tests_name("gdoi/key_len", tests, NULL, NULL);
}

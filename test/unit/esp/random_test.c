#include "esp/random.h"

#include "test/unit/esp/fixture.h"

static int start(void **state)
{
    (void)state;
    const char *text = "";
    return crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK;
}

static void no_block_twice_and_the_seed_decides(void **state)
{
    (void)state;
    enum { N = 2000 }; /* several refills */
    static uint8_t seen[N][16];
    struct esp_random a, b, c;
    uint8_t seed[ESP_SEED] = {42}, other[ESP_SEED] = {43}, x[16], y[16];
    esp_random_seed(&a, seed);
    esp_random_seed(&b, seed);
    esp_random_seed(&c, other);
    for (size_t i = 0; i < N; i++) {
        esp_random_take(&a, seen[i], 16);
        esp_random_take(&b, x, 16);
        esp_random_take(&c, y, 16);
        assert_memory_equal(seen[i], x, 16);
        assert_memory_not_equal(seen[i], y, 16);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], 16);
    }
}

static void what_was_taken_is_gone(void **state)
{
    (void)state;
    struct esp_random r;
    uint8_t seed[ESP_SEED] = {42}, iv[16], zero[16] = {0};
    esp_random_seed(&r, seed);
    assert_memory_not_equal(r.pool, seed, ESP_SEED);
    for (int i = 0; i < 1000; i++) {
        esp_random_take(&r, iv, i % 2 ? 8 : 16);
        assert_memory_equal(r.pool + r.used - 8, zero, 8);
        assert_true(r.used <= sizeof r.pool);
    }
    esp_random_wipe(&r);
    for (size_t i = 0; i < sizeof r.pool; i++)
        assert_int_equal(r.pool[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_block_twice_and_the_seed_decides),
        cmocka_unit_test(what_was_taken_is_gone),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

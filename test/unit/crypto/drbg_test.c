#include "crypto/crypto.h"
#include "crypto/drbg.h"

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

static void seed_from_hex(const char *text, uint8_t seed[DRBG_SEED])
{
    size_t len;
    assert_true(bytes_unhex(text, seed, DRBG_SEED, &len));
    assert_int_equal(len, DRBG_SEED);
}

/* NIST CAVP drbgvectors_no_reseed, HMAC_DRBG, SHA-256, 256 bits of entropy, no personalisation,
 * COUNT 0: entropy | nonce, two requests of 1024 bits, of which the second is given. */
static void the_cavp_vector(void **state)
{
    (void)state;
    uint8_t seed[DRBG_SEED], out[128], want[128];
    size_t len;
    seed_from_hex("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488659ba96c601dc69f"
                  "c902940805ec0ca8",
                  seed);
    struct drbg d = drbg_of(seed);
    drbg_fill(&d, out, sizeof out);
    drbg_fill(&d, out, sizeof out);
    assert_true(bytes_unhex("e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb"
                            "978a15b5c443c9ec21036d2460"
                            "b6f73ebad0dc2aba6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb"
                            "19d27676c07162c8b5ccde0668"
                            "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8",
                            want, sizeof want, &len));
    assert_memory_equal(out, want, sizeof want);
}

static void the_same_seed_gives_the_same_stream(void **state)
{
    (void)state;
    uint8_t seed[DRBG_SEED] = {1}, x[100], y[100];
    struct drbg a = drbg_of(seed), b = drbg_of(seed);
    drbg_fill(&a, x, sizeof x);
    drbg_fill(&b, y, sizeof y);
    assert_memory_equal(x, y, sizeof x);
    drbg_fill(&b, y, sizeof y);
    assert_memory_not_equal(x, y, sizeof x);
    seed[DRBG_SEED - 1] = 1;
    struct drbg c = drbg_of(seed);
    drbg_fill(&c, y, sizeof y);
    assert_memory_not_equal(x, y, sizeof x);
}

static void a_request_is_cut_from_one_stream(void **state)
{
    (void)state;
    const uint8_t seed[DRBG_SEED] = {2};
    for (size_t len = 0; len <= 100; len++) {
        uint8_t whole[100], part[101];
        memset(part, 0xee, sizeof part);
        struct drbg a = drbg_of(seed), b = drbg_of(seed);
        drbg_fill(&a, whole, sizeof whole);
        drbg_fill(&b, part, len);
        assert_memory_equal(part, whole, len);
        assert_int_equal(part[len], 0xee);
    }
}

static void reseeding_changes_the_stream(void **state)
{
    (void)state;
    const uint8_t seed[DRBG_SEED] = {3}, other[DRBG_SEED] = {4};
    struct drbg a = drbg_of(seed), b = drbg_of(seed);
    assert_int_equal(drbg_u64(&a), drbg_u64(&b));
    assert_int_equal(a.calls, 1);
    drbg_reseed(&a, other);
    assert_int_equal(a.calls, 0);
    assert_int_not_equal(drbg_u64(&a), drbg_u64(&b));
}

static void long_requests_are_split(void **state)
{
    (void)state;
    static uint8_t out[65536 + 32];
    const uint8_t seed[DRBG_SEED] = {5};
    struct drbg d = drbg_of(seed);
    drbg_fill(&d, out, sizeof out);
    assert_int_equal(d.calls, 2);
    uint8_t zeros[32] = {0};
    assert_memory_not_equal(out + 65536, zeros, 32);
}

static void below_stays_below_and_reaches_all(void **state)
{
    (void)state;
    const uint8_t seed[DRBG_SEED] = {6};
    struct drbg d = drbg_of(seed);
    unsigned seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t v = drbg_below(&d, 7);
        assert_true(v < 7);
        seen[v]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(drbg_below(&d, 1), 0);
    assert_true(drbg_below(&d, UINT64_MAX) < UINT64_MAX);
}

static void wipe_leaves_nothing(void **state)
{
    (void)state;
    const uint8_t seed[DRBG_SEED] = {7};
    struct drbg d = drbg_of(seed), zero;
    memset(&zero, 0, sizeof zero);
    assert_int_not_equal(drbg_u32(&d), drbg_u32(&d));
    drbg_wipe(&d);
    assert_memory_equal(d.key, zero.key, sizeof d.key);
    assert_memory_equal(d.v, zero.v, sizeof d.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cavp_vector),
        cmocka_unit_test(the_same_seed_gives_the_same_stream),
        cmocka_unit_test(a_request_is_cut_from_one_stream),
        cmocka_unit_test(reseeding_changes_the_stream),
        cmocka_unit_test(long_requests_are_split),
        cmocka_unit_test(below_stays_below_and_reaches_all),
        cmocka_unit_test(wipe_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

#include "conf/secret9.h"
#include "test/check.h"

static struct arena arena;

/* Published by several programs that read and write the form. */
static const struct {
    const char *hidden, *clear;
} vectors[] = {
    {"$9$LbHX-wg4Z", "lc"},
    {"$9$41JDk5T3CpBFnCuB1rl8X7-VYq.5", "netscreen"},
    {"$9$nnet/9pOBEyrv", "abc"},
    {"$9$nnet/p01RhrKM", "123"},
    {"$9$nnet9pBcSe8xdApK8xdg4aZUi.5", "netconan"},
    {"$9$nnet/pOleWN-bO18X-Vg4.P5F/tSyevL7yrx-bw4o6/CuOIKvLNds7NPQFnpuSylMXN4aZGi.Rh7dbs4ojikPFnC"
     "t0BRh9C",
     "QjEf.WloKY4IBVGik9xeIO9xWN5F7S13"},
};

static void test_published_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const char *clear = conf_secret9_decode(&arena, vectors[i].hidden);
        assert_non_null(clear);
        assert_string_equal(clear, vectors[i].clear);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    char clear[256] = {0};
    for (int octet = 1; octet < 256; octet++) {
        for (int i = 0; i < 7; i++) /* every row of weights */
            clear[i] = (char)octet;
        const char *hidden = conf_secret9_encode(&arena, clear);
        assert_true(conf_secret9_is(hidden));
        assert_string_equal(conf_secret9_decode(&arena, hidden), clear);
    }
    for (size_t len = 0; len < sizeof clear; len++) { /* every kind of salt */
        memset(clear, 'k', len);
        clear[len] = '\0';
        assert_string_equal(conf_secret9_decode(&arena, conf_secret9_encode(&arena, clear)), clear);
    }
}

static void test_the_clear_text_is_not_in_it(void **state)
{
    (void)state;
    assert_null(strstr(conf_secret9_encode(&arena, "hunter2"), "hunter2"));
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "$9",
        "$9$",
        "$8$LbHX-wg4Z",
        "$9$!bHX-wg4Z",
        "$9$Lb!X-wg4Z",
        "$9$LbHX-wg4",
        "$9$LbHX-wg4Z!",
        "$9$L",
        "$9$nnn",
        "$9$Q6e", /* salt cut short */
        "$9$ii",  /* the same letter twice */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_null(conf_secret9_decode(&arena, bad[i]));
    assert_false(conf_secret9_is("$9"));
    assert_true(conf_secret9_is("$9$"));
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_values),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_the_clear_text_is_not_in_it),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

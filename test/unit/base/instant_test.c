#include "base/instant.h"
#include "test/check.h"

static void test_add_saturates(void **state)
{
    (void)state;
    instant_t last = {INT64_MAX - 1};
    assert_true(instant_is_never(instant_add(INSTANT_NEVER, span_s(-5))));
    assert_true(instant_is_never(instant_add(last, span_s(1))));
    assert_true(instant_is_never(instant_add(last, (span_t){1})));
    assert_int_equal(instant_add(last, (span_t){0}).ns, INT64_MAX - 1);
    assert_int_equal(instant_add((instant_t){5}, (span_t){-7}).ns, -2);
    assert_int_equal(instant_add((instant_t){0}, span_ms(1500)).ns, 1500 * NS_PER_MS);
}

static void test_order(void **state)
{
    (void)state;
    instant_t a = {1}, b = {2};
    assert_true(instant_before(a, b));
    assert_false(instant_before(a, a));
    assert_true(instant_reached(a, a));
    assert_true(instant_reached(a, b));
    assert_false(instant_reached(b, a));
    assert_int_equal(instant_min(a, INSTANT_NEVER).ns, 1);
    assert_int_equal(instant_max(a, b).ns, 2);
    assert_int_equal(instant_since(a, b).ns, -1);
}

static void test_spans(void **state)
{
    (void)state;
    assert_int_equal(span_times(span_s(15), 4).ns, 60 * NS_PER_S);
    assert_int_equal(span_min(span_s(1), span_ms(999)).ns, 999 * NS_PER_MS);
    assert_int_equal(span_max(span_s(1), span_ms(999)).ns, NS_PER_S);
}

static void test_seconds_left(void **state)
{
    (void)state;
    instant_t now = {10 * NS_PER_S};
    assert_int_equal(instant_left_ceil_s(now, now), 0);
    assert_int_equal(instant_left_ceil_s((instant_t){now.ns - 1}, now), 0);
    assert_int_equal(instant_left_ceil_s((instant_t){now.ns + 1}, now), 1);
    assert_int_equal(instant_left_ceil_s((instant_t){now.ns + NS_PER_S}, now), 1);
    assert_int_equal(instant_left_ceil_s((instant_t){now.ns + NS_PER_S + 1}, now), 2);
    assert_int_equal(instant_left_floor_s((instant_t){now.ns - 1}, now), 0);
    assert_int_equal(instant_left_floor_s((instant_t){now.ns + NS_PER_S - 1}, now), 0);
    assert_int_equal(instant_left_floor_s((instant_t){now.ns + NS_PER_S}, now), 1);
}

static void test_never_is_far_but_countable(void **state)
{
    (void)state;
    int64_t most = INT64_MAX / NS_PER_S;
    assert_int_equal(instant_left_floor_s(INSTANT_NEVER, (instant_t){0}), most);
    assert_int_equal(instant_left_ceil_s(INSTANT_NEVER, (instant_t){0}), most + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_saturates),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_seconds_left),
        cmocka_unit_test(test_never_is_far_but_countable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

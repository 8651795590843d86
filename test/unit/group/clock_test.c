#include "group/clock.h"

#include "check.h"

static const span_t utc_2026 = {INT64_C(1790000000) * NS_PER_S};

static instant_t at(int64_t s) { return (instant_t){s * NS_PER_S}; }
static span_t plus(span_t a, int64_t ns) { return (span_t){a.ns + ns}; }

static void starts_with_utc_and_goes_on(void **state)
{
    (void)state;
    struct group_clock c = {0};
    assert_false(group_clock_sample(&c, at(5000), utc_2026));
    assert_int_equal(group_clock_read(&c, at(5000)).ns, utc_2026.ns);
    assert_int_equal(group_clock_read(&c, at(5000 + 86400)).ns, utc_2026.ns + 86400 * NS_PER_S);
    assert_int_equal(group_clock_read(&c, at(4999)).ns, utc_2026.ns); /* an old instant */
}

/* UTC is stepped by 10 s: the clock follows at 50 millionths and stops there. */
static void is_slewed_never_stepped(void **state)
{
    (void)state;
    static const int64_t steps_s[] = {10, -10};
    for (size_t i = 0; i < 2; i++) {
        struct group_clock c = {0};
        int64_t step = steps_s[i] * NS_PER_S, sign = step < 0 ? -1 : 1;
        group_clock_sample(&c, at(0), utc_2026);
        assert_true(group_clock_sample(&c, at(0), plus(utc_2026, step)));
        assert_int_equal(group_clock_read(&c, at(0)).ns, utc_2026.ns);
        assert_int_equal(group_clock_read(&c, at(1000)).ns,
                         utc_2026.ns + 1000 * NS_PER_S + sign * 50 * NS_PER_MS);
        /* after 200,000 s it is there, and goes no further */
        assert_int_equal(group_clock_read(&c, at(200000)).ns,
                         utc_2026.ns + 200000 * NS_PER_S + step);
        assert_int_equal(group_clock_read(&c, at(999999)).ns,
                         utc_2026.ns + 999999 * NS_PER_S + step);
    }
}

/* Whatever the calendar says, the clock only goes forward, and never faster than slewing allows. */
static void never_goes_back(void **state)
{
    (void)state;
    struct group_clock c = {0};
    uint64_t random = 12345;
    group_clock_sample(&c, at(0), utc_2026);
    span_t before = group_clock_read(&c, at(0));
    for (int64_t t = 1; t < 5000; t++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        int64_t off = (int64_t)(random >> 20) % (7200 * NS_PER_S) - 3600 * NS_PER_S;
        if (random >> 62 == 0)
            group_clock_sample(&c, at(10 * t), plus(utc_2026, 10 * t * NS_PER_S + off));
        span_t now = group_clock_read(&c, at(10 * t));
        int64_t forward = now.ns - before.ns, most = 10 * NS_PER_S / 1000000 * GROUP_CLOCK_SLEW_PPM;
        assert_in_range(forward, 10 * NS_PER_S - most, 10 * NS_PER_S + most);
        before = now;
    }
}

/* The operator is told once for each time that the clock is more than a second off. */
static void far_from_utc_is_told_once(void **state)
{
    (void)state;
    struct group_clock c = {0};
    assert_false(group_clock_sample(&c, at(0), utc_2026));
    assert_false(group_clock_sample(&c, at(0), plus(utc_2026, NS_PER_S)));
    assert_true(group_clock_sample(&c, at(0), plus(utc_2026, NS_PER_S + 1)));
    assert_false(group_clock_sample(&c, at(0), plus(utc_2026, 3600 * NS_PER_S)));
    assert_false(group_clock_sample(&c, at(0), plus(utc_2026, -NS_PER_S)));
    assert_true(group_clock_sample(&c, at(0), plus(utc_2026, -NS_PER_S - 1)));
}

/* A clock that was kept is not set anew by UTC, and never shows less than it has shown. */
static void restored(void **state)
{
    (void)state;
    struct group_clock c = {0};
    group_clock_restore(&c, at(100), utc_2026, false);
    assert_int_equal(group_clock_read(&c, at(400)).ns, utc_2026.ns + 300 * NS_PER_S);
    assert_true(group_clock_sample(&c, at(400), plus(utc_2026, -3600 * NS_PER_S)));
    assert_int_equal(group_clock_read(&c, at(400)).ns, utc_2026.ns + 300 * NS_PER_S);

    /* killed when the row was to be written again, and nobody knows when that was */
    span_t last = plus(utc_2026, (GROUP_CLOCK_KEEP_S + 1) * NS_PER_S);
    group_clock_restore(&c, at(0), utc_2026, true);
    assert_true(group_clock_read(&c, at(0)).ns >= last.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_utc_and_goes_on),
        cmocka_unit_test(is_slewed_never_stepped),
        cmocka_unit_test(never_goes_back),
        cmocka_unit_test(far_from_utc_is_told_once),
        cmocka_unit_test(restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

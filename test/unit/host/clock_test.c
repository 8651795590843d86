#include "base/bytes.h"
#include "host/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void time_goes_on(void **state)
{
    instant_t a = host_now(), b = host_now();

    (void)state;
    assert_true(a.ns > 0);
    assert_false(instant_before(b, a));
    assert_true(host_wall().s > 1600000000);
}

static void an_instant_has_a_calendar_time(void **state)
{
    instant_t now = host_now();
    int64_t wall = host_wall().s;

    (void)state;
    assert_in_range(host_wall_of(now).s, wall - 1, wall + 1);
    assert_in_range(host_wall_of(instant_add(now, span_s(3600))).s, wall + 3599, wall + 3601);
    assert_in_range(host_wall_of(instant_add(now, span_s(-10))).s, wall - 11, wall - 9);
    assert_int_equal(host_wall_of(INSTANT_NEVER).s, 0);
}

static void randomness_differs(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    host_random(a, sizeof a);
    host_random(b, sizeof b);
    assert_false(bytes_equal(BYTES_OF(a), BYTES_OF(b)));
}

static void a_boot_has_one_id(void **state)
{
    uint8_t a[HOST_BOOT_ID] = {0}, b[HOST_BOOT_ID] = {1};

    (void)state;
    host_boot_id(a);
    host_boot_id(b);
    assert_true(bytes_equal(BYTES_OF(a), BYTES_OF(b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(an_instant_has_a_calendar_time),
        cmocka_unit_test(randomness_differs),
        cmocka_unit_test(a_boot_has_one_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

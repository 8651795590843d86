#include "store/clock.h"

#include "test/check.h"

enum { HOUR = 3600 };

static struct store_clock at(uint8_t boot, int64_t boottime_s, int64_t realtime_s, int64_t shift_s)
{
    return (struct store_clock){
        {boot}, {boottime_s * NS_PER_S}, realtime_s * NS_PER_S, span_s(shift_s)};
}

static void within_one_boot_the_shift_stays(void **state)
{
    struct store_clock noted = at(1, 100, 5000, 7);
    struct store_clock now = at(1, 160, 5000 - HOUR, 0); /* whatever became of the calendar */
    struct store_shift s = store_shift(&noted, &now);

    (void)state;
    assert_int_equal(s.shift.ns, span_s(7).ns);
    assert_false(s.lost);
}

static void over_a_reboot_the_calendar_counts(void **state)
{
    struct store_clock noted = at(1, 1000, 5000, 0);
    struct store_clock now = at(2, 30, 5090, 0); /* 90 s later, 30 s after the boot */
    struct store_shift s = store_shift(&noted, &now);

    (void)state;
    assert_false(s.lost);
    /* what was to happen at 1100 is due in 10 s */
    assert_int_equal(1100 + s.shift.ns / NS_PER_S, 30 + 10);
}

static void shifts_add_up_over_several_reboots(void **state)
{
    struct store_clock first = at(1, 1000, 5000, 0), second = at(2, 30, 5090, 0);

    (void)state;
    second.shift = store_shift(&first, &second).shift;
    struct store_clock third = at(3, 5, 5100, 0);
    struct store_shift s = store_shift(&second, &third);
    assert_int_equal(1100 + s.shift.ns / NS_PER_S, 5);
    assert_false(s.lost);
}

static void a_calendar_behind_counts_as_no_time_at_all(void **state)
{
    struct store_clock noted = at(1, 1000, 5000, 0);
    struct store_clock now = at(2, 30, 5000 - HOUR, 0);
    struct store_shift s = store_shift(&noted, &now);

    (void)state;
    assert_true(s.lost);
    assert_int_equal(1100 + s.shift.ns / NS_PER_S, 30 + 100);
}

static void a_machine_back_from_a_snapshot_is_seen(void **state)
{
    struct store_clock noted = at(1, 1000, 5000, 0);
    struct store_clock now = at(1, 400, 9000, 0);
    struct store_shift s = store_shift(&noted, &now);

    (void)state;
    assert_true(s.lost);
    assert_int_equal(1100 + s.shift.ns / NS_PER_S, 400 + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_one_boot_the_shift_stays),
        cmocka_unit_test(over_a_reboot_the_calendar_counts),
        cmocka_unit_test(shifts_add_up_over_several_reboots),
        cmocka_unit_test(a_calendar_behind_counts_as_no_time_at_all),
        cmocka_unit_test(a_machine_back_from_a_snapshot_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

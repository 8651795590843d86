/* The group clock of a member (decisions M21): what an attacker who delays messages can do to it.
 */
#include "member/clock.h"

#include "check.h"

enum { WINDOW_MS = 100000 };
static const int64_t EPOCH =
    INT64_C(1790000000) * NS_PER_S; /* what the server's clock shows at 0 */

static instant_t at_ms(int64_t ms) { return (instant_t){ms * NS_PER_MS}; }
/* What the server's clock shows at that instant. */
static span_t server_ms(int64_t ms) { return (span_t){EPOCH + ms * NS_PER_MS}; }

static int64_t error_ns(const struct member_clock *c, instant_t now)
{
    return now.ns + c->offset.ns - (EPOCH + now.ns);
}

static struct member_clock measured(void)
{
    struct member_clock c = {0};
    assert_int_equal(member_clock_measure(&c, server_ms(5000), at_ms(5000), at_ms(5000), WINDOW_MS),
                     ERR_OK);
    assert_int_equal(error_ns(&c, at_ms(5000)), 0);
    return c;
}

/* The stamp was made somewhere between: half of the round trip is the largest error. */
static void half_a_round_trip(void **state)
{
    (void)state;
    for (int64_t made = 0; made <= 400; made += 40) {
        struct member_clock c = {0};
        assert_int_equal(
            member_clock_measure(&c, server_ms(1000 + made), at_ms(1000), at_ms(1400), WINDOW_MS),
            ERR_OK);
        assert_int_equal(error_ns(&c, at_ms(1400)), (made - 200) * NS_PER_MS);
    }
}

static void answers_that_were_held_back(void **state)
{
    (void)state;
    static const struct {
        uint32_t window_ms;
        int64_t trip_ms;
        enum err err;
    } rows[] = {{WINDOW_MS, 2000, ERR_OK}, {WINDOW_MS, 2001, ERR_TIMEOUT},
                {8000, 2000, ERR_OK},      {7996, 2000, ERR_TIMEOUT},
                {1000, 250, ERR_OK},       {1000, 251, ERR_TIMEOUT},
                {0, 2000, ERR_OK},         {0, 2001, ERR_TIMEOUT}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct member_clock fresh = {0}, c = measured(), before = c;
        instant_t now = at_ms(9000 + rows[i].trip_ms);
        assert_int_equal(
            member_clock_measure(&fresh, server_ms(9000), at_ms(9000), now, rows[i].window_ms),
            rows[i].err);
        assert_int_equal(fresh.set, rows[i].err == ERR_OK);
        assert_int_equal(
            member_clock_measure(&c, server_ms(9000), at_ms(9000), now, rows[i].window_ms),
            rows[i].err);
        if (rows[i].err)
            assert_memory_equal(&c, &before, sizeof c);
    }
}

/* Heartbeats of a whole day, each held back a little longer than the one before, an hour in the
 * end: the clock stays within what two honest clocks may drift apart. */
static void held_back_heartbeats_walk_it_no_further_than_drift(void **state)
{
    (void)state;
    struct member_clock c = measured();
    for (int64_t i = 1; i <= 288; i++) {
        int64_t sent = i * 300000, late = i * 12500;
        instant_t now = at_ms(sent + late);
        member_clock_hear(&c, server_ms(sent), now);
        int64_t drift = (now.ns - at_ms(5000).ns) / 10000;
        assert_true(error_ns(&c, now) <= 0);
        assert_true(error_ns(&c, now) >= -drift);
    }
    /* 9 seconds in 25 hours, not 3600 */
    assert_true(error_ns(&c, at_ms(0)) > -10 * NS_PER_S);
    /* one that comes at once sets it right */
    member_clock_hear(&c, server_ms(90100000), at_ms(90100000));
    assert_int_equal(error_ns(&c, at_ms(90100000)), 0);
}

/* A replayed or repeated one: no time has passed, nothing moves. */
static void a_burst_of_old_heartbeats_moves_nothing(void **state)
{
    (void)state;
    struct member_clock c = measured();
    for (int i = 0; i < 1000; i++)
        member_clock_hear(&c, server_ms(0), at_ms(5000));
    assert_int_equal(error_ns(&c, at_ms(5000)), 0);
}

/* The member's oscillator is slow: heartbeats pull it forward at once; is it fast: back slowly. */
static void follows_the_server(void **state)
{
    (void)state;
    struct member_clock c = measured();
    member_clock_hear(&c, server_ms(10050), at_ms(10000));
    assert_int_equal(error_ns(&c, at_ms(10000)), 50 * NS_PER_MS);
    member_clock_hear(&c, server_ms(20000), at_ms(20000));
    assert_int_equal(error_ns(&c, at_ms(20000)), 49 * NS_PER_MS);
    for (int64_t s = 30; s <= 510; s += 10)
        member_clock_hear(&c, server_ms(s * 1000), at_ms(s * 1000));
    assert_int_equal(error_ns(&c, at_ms(510000)), 0);
    for (int64_t s = 520; s <= 1000; s += 10)
        member_clock_hear(&c, server_ms(s * 1000), at_ms(s * 1000));
    assert_int_equal(error_ns(&c, at_ms(1000000)), 0); /* and no further */
}

/* An answer that took too long does not measure, but a clock that cannot be right by it is moved as
 * far as that: into the time between question and answer. */
static void a_slow_answer_corrects_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        int64_t wrong_ms,
            left_ms; /* at the end of a trip of 3 s in whose middle the server looked */
    } rows[] = {{0, 0}, {1400, 1400}, {-1400, -1400}, {8000, 1500}, {-8000, -1500}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct member_clock c = measured();
        c.offset.ns += rows[i].wrong_ms * NS_PER_MS;
        assert_int_equal(
            member_clock_measure(&c, server_ms(10500), at_ms(9000), at_ms(12000), WINDOW_MS),
            ERR_TIMEOUT);
        assert_int_equal(error_ns(&c, at_ms(12000)), rows[i].left_ms * NS_PER_MS);
    }
}

/* 2^32 seconds after 1970 stamps begin anew; a clock that was set before goes on. */
static void seconds_wrap(void **state)
{
    (void)state;
    static const int64_t wrap = (INT64_C(1) << 32) * NS_PER_S;
    struct member_clock c = {0};
    assert_int_equal(
        member_clock_measure(&c, (span_t){wrap - 10 * NS_PER_S}, at_ms(0), at_ms(0), WINDOW_MS),
        ERR_OK);
    member_clock_hear(&c, (span_t){50 * NS_PER_S}, at_ms(60000));
    assert_int_equal(c.offset.ns, wrap - 10 * NS_PER_S);
    member_clock_hear(&c, (span_t){51 * NS_PER_S}, at_ms(60000));
    assert_int_equal(c.offset.ns, wrap - 9 * NS_PER_S);
    /* and a member that was started behind it hears one from before */
    struct member_clock young = {0};
    assert_int_equal(
        member_clock_measure(&young, (span_t){NS_PER_S}, at_ms(0), at_ms(0), WINDOW_MS), ERR_OK);
    member_clock_hear(&young, (span_t){wrap - NS_PER_S}, at_ms(1000));
    assert_int_equal(young.offset.ns, NS_PER_S - NS_PER_S / 10000);
}

/* Whatever a server that signs may say, the reading is what it said last, as stamps tell it. */
static void leaps_forward_end_nowhere(void **state)
{
    (void)state;
    static const int64_t cycle_s = INT64_C(1) << 32, leap_s = (INT64_C(1) << 31) - 1;
    struct member_clock c = measured();
    for (int64_t i = 1; i <= 8; i++) {
        int64_t stamp_s = (EPOCH / NS_PER_S + i * leap_s) % cycle_s;
        member_clock_hear(&c, span_s(stamp_s), at_ms(5000));
        assert_int_equal((c.offset.ns + 5 * NS_PER_S) / NS_PER_S % cycle_s, stamp_s);
    }
}

/* Before 100 millionths make a quarter of the window. */
static void measured_again_in_time(void **state)
{
    (void)state;
    struct member_clock c = measured(), unset = {0};
    assert_true(instant_is_never(member_clock_due(&unset, WINDOW_MS)));
    assert_true(instant_is_never(member_clock_due(&c, 0)));
    assert_int_equal(member_clock_due(&c, 1000).ns, at_ms(5000 + 2500 * 1000).ns);
    assert_int_equal(member_clock_due(&c, WINDOW_MS).ns, at_ms(5000 + 250000 * 1000).ns);
    assert_int_equal(member_clock_due(&c, 3600000).ns, at_ms(INT64_C(9000005000)).ns);
    member_clock_hear(&c, server_ms(10000), at_ms(10000));
    assert_int_equal(member_clock_due(&c, 1000).ns, at_ms(5000 + 2500 * 1000).ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_round_trip),
        cmocka_unit_test(answers_that_were_held_back),
        cmocka_unit_test(held_back_heartbeats_walk_it_no_further_than_drift),
        cmocka_unit_test(a_burst_of_old_heartbeats_moves_nothing),
        cmocka_unit_test(follows_the_server),
        cmocka_unit_test(a_slow_answer_corrects_what_is_wrong),
        cmocka_unit_test(seconds_wrap),
        cmocka_unit_test(leaps_forward_end_nowhere),
        cmocka_unit_test(measured_again_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

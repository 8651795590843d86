#include "base/fsm.h"
#include "test/check.h"

enum { IDLE, BUSY, DONE, LAST = 31 };
static const struct fsm_state table[32] = {
    [IDLE] = {"idle", FSM_TO(BUSY) | FSM_TO(LAST)},
    [BUSY] = {"busy", FSM_TO(DONE) | FSM_TO(BUSY)},
    [DONE] = {"done", 0},
    [LAST] = {"last", FSM_TO(IDLE)},
};

static void test_listed_moves(void **state)
{
    (void)state;
    unsigned s = IDLE;
    fsm_move(table, &s, LAST);
    fsm_move(table, &s, IDLE);
    fsm_move(table, &s, BUSY);
    fsm_move(table, &s, BUSY);
    fsm_move(table, &s, DONE);
    assert_int_equal(s, DONE);
}

static void skip_ahead(void *s) { fsm_move(table, s, DONE); }
static void stay_idle(void *s) { fsm_move(table, s, IDLE); }

static void test_a_move_that_is_not_listed_aborts(void **state)
{
    (void)state;
    unsigned s = IDLE;
    assert_true(aborts(skip_ahead, &s));
    assert_true(aborts(stay_idle, &s));
    s = DONE;
    assert_true(aborts(skip_ahead, &s));
    s = BUSY;
    assert_false(aborts(skip_ahead, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed_moves),
        cmocka_unit_test(test_a_move_that_is_not_listed_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

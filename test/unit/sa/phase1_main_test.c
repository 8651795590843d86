/* Main mode message by message. */
#include "unit/sa/duo.h"

static void comes_up_in_six_messages(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING); /* 1 */
    assert_int_equal(d->side[R].n_jobs, 0);                /* nothing costly for a stranger */
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING); /* 2 */
    assert_int_equal(duo_job(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING); /* 3 */
    assert_int_equal(duo_job(d, R).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING); /* 4 */
    assert_int_equal(duo_job(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_UP); /* 5 */
    assert_int_equal(duo_pass(d, R).kind, PHASE1_UP); /* 6 */
    duo_assert_up(d);
    assert_int_equal(d->side[I].n_jobs, 2);
    assert_int_equal(d->side[R].n_jobs, 1);
    assert_true(phase1_peer_is_native(d->side[I].last.sa));
    assert_true(phase1_peer_is_native(d->side[R].last.sa));
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_in_six_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

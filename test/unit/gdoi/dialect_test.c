#include "gdoi/dialect.h"
#include "test/check.h"

#include <string.h>

static void tolerances_are_counted_by_name(void **state)
{
    struct gdoi_tolerated t = {0}, want = {0};

    (void)state;
    gdoi_tolerate(&t, TOLERATED_SAK_PAD6);
    gdoi_tolerate(&t, TOLERATED_SAK_PAD6);
    gdoi_tolerate(NULL, TOLERATED_SAK_PAD6);
    want.count[TOLERATED_SAK_PAD6] = 2;
    assert_memory_equal(&t, &want, sizeof t);
}

static void every_tolerance_has_its_own_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TOLERATED_COUNT; i++) {
        assert_true(strlen(gdoi_tolerance_name(i)) > 0);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(gdoi_tolerance_name(i), gdoi_tolerance_name(k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tolerances_are_counted_by_name),
        cmocka_unit_test(every_tolerance_has_its_own_name),
    };
    return cmocka_run_group_tests_name("gdoi/dialect", tests, NULL, NULL);
}

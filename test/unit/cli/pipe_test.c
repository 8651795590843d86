#include "cli/pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char text[] = "one\nTwo\n\nthree";

static void check(const struct cli_line *l, const char *want)
{
    char *got = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&got, &len);

    assert_non_null(mem);
    cli_filter_print(mem, l, text, sizeof text - 1);
    fclose(mem);
    assert_string_equal(got, want);
    free(got);
}

static void filters_work_in_order(void **state)
{
    const struct cli_line plain = {0};
    const struct cli_line match = {.n_filters = 1, .filters = {{CLI_MATCH, "^t", 0}}};
    const struct cli_line except = {.n_filters = 1, .filters = {{CLI_EXCEPT, "o", 0}}};
    const struct cli_line last = {.n_filters = 1, .filters = {{CLI_LAST, NULL, 2}}};
    const struct cli_line all = {.n_filters = 1, .filters = {{CLI_LAST, NULL, 9}}};
    const struct cli_line two = {.n_filters = 2,
                                 .filters = {{CLI_MATCH, "t", 0}, {CLI_COUNT, NULL, 0}}};

    (void)state;
    check(&plain, text);
    check(&match, "Two\nthree\n");
    check(&except, "\nthree\n");
    check(&last, "\nthree\n");
    check(&all, "one\nTwo\n\nthree\n");
    check(&two, "Count: 2 lines\n");
}

static void a_single_line_passes_or_not(void **state)
{
    const struct cli_line l = {.n_filters = 2,
                               .filters = {{CLI_MATCH, "up", 0}, {CLI_EXCEPT, "gm2", 0}}};

    (void)state;
    assert_true(cli_filter_passes(&l, "phase1-UP gm1", 13));
    assert_false(cli_filter_passes(&l, "phase1-up gm2", 13));
    assert_false(cli_filter_passes(&l, "down", 4));
    assert_false(cli_filter_passes(&l, "xxup", 3)); /* only the first octets count */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_work_in_order),
        cmocka_unit_test(a_single_line_passes_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

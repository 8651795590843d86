#include "cli/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void check(const struct ctl_node *n, const char *want, bool set)
{
    char *got = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&got, &len);

    assert_non_null(mem);
    cli_put_value(mem, n);
    fclose(mem);
    assert_string_equal(got, want);
    assert_int_equal(cli_is_set(n), set);
    free(got);
}

static void values_have_one_form(void **state)
{
    struct prefix net;

    (void)state;
    assert_true(prefix_parse("10.0.0.0/8", false, &net));
    check(&(struct ctl_node){.type = CTL_TEXT, .bytes = bytes_str("a\x1b[1m\xff")},
          "a\\x1b[1m\\xff", true);
    check(&(struct ctl_node){.type = CTL_TEXT}, "", false);
    check(&(struct ctl_node){.type = CTL_BYTES, .bytes = bytes("\x0a\xbc", 2)}, "0abc", true);
    check(&(struct ctl_node){.type = CTL_U64, .u64 = UINT64_MAX}, "18446744073709551615", true);
    check(&(struct ctl_node){.type = CTL_U64}, "0", false);
    check(&(struct ctl_node){.type = CTL_BOOL, .truth = true}, "yes", true);
    check(&(struct ctl_node){.type = CTL_BOOL}, "no", false);
    check(&(struct ctl_node){.type = CTL_IP, .ip = ip_v4(0x0a000001)}, "10.0.0.1", true);
    check(&(struct ctl_node){.type = CTL_ENDPOINT, .endpoint = {ip_v4(0x0a000001), 848}},
          "10.0.0.1:848", true);
    check(&(struct ctl_node){.type = CTL_PREFIX, .prefix = net}, "10.0.0.0/8", true);
    check(&(struct ctl_node){.type = CTL_TIME, .time = {0}}, "Thu Jan  1 1970 00:00:00", true);
    check(&(struct ctl_node){.type = CTL_LIST}, "", false);
    check(&(struct ctl_node){.type = CTL_SECTION, .n = 1}, "", true);
    assert_false(cli_is_set(NULL));
}

static void programs_get_utc(void **state)
{
    char text[CLI_TIME_MAX];

    (void)state;
    assert_string_equal(cli_time_utc((wall_t){1447950669}, text), "2015-11-19T16:31:09Z");
    assert_string_equal(cli_time_utc((wall_t){INT64_MAX}, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_one_form),
        cmocka_unit_test(programs_get_utc),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

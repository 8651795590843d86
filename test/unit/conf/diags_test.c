#include "conf/diags.h"
#include "test/check.h"

static struct arena arena;

static void test_lines(void **state)
{
    (void)state;
    struct conf_diags d;
    conf_diags_init(&d, &arena, "a.conf");
    conf_diag(&d, CONF_ERROR, (struct conf_pos){3, 5}, "security x", "'%d' is wrong", 7);
    conf_diag(&d, CONF_WARNING, (struct conf_pos){1, 2}, "security", "hm");
    conf_diag(&d, CONF_NOTE, (struct conf_pos){1, 1}, "", "skipped");
    conf_diag(&d, CONF_UNBUILT, (struct conf_pos){9, 9}, "security y", "not supported yet");
    assert_string_equal(conf_diag_line(&d, &d.list[0]), "a.conf:3:5: security x: '7' is wrong");
    assert_string_equal(conf_diag_line(&d, &d.list[1]), "a.conf:1:2: warning: security: hm");
    assert_string_equal(conf_diag_line(&d, &d.list[2]), "a.conf:1:1: note: skipped");
    assert_string_equal(conf_diag_line(&d, &d.list[3]),
                        "a.conf:9:9: security y: not supported yet");
    for (int severity = 0; severity < CONF_SEVERITIES; severity++)
        assert_int_equal(conf_diags_count(&d, (enum conf_severity)severity), 1);
}

static void test_texts_are_copied(void **state)
{
    (void)state;
    struct conf_diags d;
    char path[] = "path", word[] = "word";
    conf_diags_init(&d, &arena, "f");
    conf_diag(&d, CONF_ERROR, (struct conf_pos){1, 1}, path, "%s", word);
    path[0] = word[0] = 'X';
    assert_string_equal(d.list[0].path, "path");
    assert_string_equal(d.list[0].text, "word");
}

static void test_control_characters_stay_out(void **state)
{
    (void)state;
    struct conf_diags d;
    conf_diags_init(&d, &arena, "f");
    conf_diag(&d, CONF_ERROR, (struct conf_pos){1, 1}, "a\x1b[2Jb", "x\ny\x7f\xc3\xa4");
    assert_string_equal(d.list[0].path, "a?[2Jb");
    assert_string_equal(d.list[0].text, "x?y?\xc3\xa4");
}

static void test_order(void **state)
{
    (void)state;
    static const struct conf_pos at[] = {{2, 1}, {1, 9}, {2, 1}, {1, 2}, {1, 9}, {10, 1}};
    static const char *const want[] = {"3", "1", "4", "0", "2", "5"};
    struct conf_diags d;
    conf_diags_init(&d, &arena, "f");
    for (int i = 0; i < 6; i++)
        conf_diag(&d, CONF_ERROR, at[i], "", "%d", i);
    conf_diags_sort(&d);
    for (int i = 0; i < 6; i++)
        assert_string_equal(d.list[i].text, want[i]);
}

static void test_more_than_are_kept_are_counted(void **state)
{
    (void)state;
    struct conf_diags d;
    conf_diags_init(&d, &arena, "f");
    for (int i = 0; i < CONF_DIAGS_MAX + 3; i++)
        conf_diag(&d, CONF_WARNING, (struct conf_pos){1, 1}, "", "x");
    assert_int_equal(d.n, CONF_DIAGS_MAX);
    assert_int_equal(conf_diags_count(&d, CONF_WARNING), CONF_DIAGS_MAX + 3);
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_texts_are_copied),
        cmocka_unit_test(test_control_characters_stay_out),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_more_than_are_kept_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

#include "base/err.h"
#include "test/check.h"

static void test_every_error_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (enum err e = ERR_OK; e < ERR_COUNT; e++) {
        assert_ptr_equal(strstr(err_name(e), "ERR_"), err_name(e));
        assert_true(strlen(err_text(e)) > 0);
    }
    assert_string_equal(err_name(ERR_OK), "ERR_OK");
    assert_string_equal(err_text(ERR_OK), "ok");
    assert_string_equal(err_name(ERR_SHORT), "ERR_SHORT");
    assert_string_equal(err_text(ERR_USAGE), "usage");
}

static void test_names_are_unique(void **state)
{
    (void)state;
    for (enum err a = ERR_OK; a < ERR_COUNT; a++) {
        for (enum err b = ERR_OK; b < a; b++)
            assert_string_not_equal(err_name(a), err_name(b));
    }
}

static void test_classes(void **state)
{
    (void)state;
    assert_int_equal(err_class(ERR_OK), ERR_CLASS_OK);
    assert_int_equal(err_class(ERR_SHORT), ERR_CLASS_PEER);
    assert_int_equal(err_class(ERR_AUTH), ERR_CLASS_PEER);
    assert_int_equal(err_class(ERR_FULL), ERR_CLASS_LOCAL);
    assert_int_equal(err_class(ERR_SYNTAX), ERR_CLASS_CONFIG);
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        assert_int_not_equal(err_class(e), ERR_CLASS_OK);
}

static void text_of(void *e) { (void)err_text(*(enum err *)e); }
static void name_of(void *e) { (void)err_name(*(enum err *)e); }
static void class_of(void *e) { (void)err_class(*(enum err *)e); }

static void test_a_number_past_the_list_aborts(void **state)
{
    (void)state;
    enum err past = ERR_COUNT;
    assert_true(aborts(text_of, &past));
    assert_true(aborts(name_of, &past));
    assert_true(aborts(class_of, &past));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_has_a_name_and_a_sentence),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_a_number_past_the_list_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

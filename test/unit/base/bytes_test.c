#include "test/check.h"

static void test_equal(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_str(""), bytes(NULL, 0)));
    assert_true(bytes_equal(bytes_str("abc"), bytes_str("abc")));
    assert_false(bytes_equal(bytes_str("abc"), bytes_str("abd")));
    assert_false(bytes_equal(bytes_str("abc"), bytes_str("ab")));
    assert_int_equal(BYTES_OF("abc").len, 4);
    assert_int_equal(bytes_str("abc").len, 3);
}

static void test_compare(void **state)
{
    (void)state;
    assert_int_equal(bytes_compare(bytes(NULL, 0), bytes(NULL, 0)), 0);
    assert_int_equal(bytes_compare(bytes_str("abc"), bytes_str("abc")), 0);
    assert_true(bytes_compare(bytes(NULL, 0), bytes_str("a")) < 0);
    assert_true(bytes_compare(bytes_str("ab"), bytes_str("abc")) < 0);
    assert_true(bytes_compare(bytes_str("abc"), bytes_str("ab")) > 0);
    assert_true(bytes_compare(bytes_str("b"), bytes_str("abc")) > 0);
    assert_true(bytes_compare(bytes_str("\x7f"), bytes_str("\x80")) < 0);
}

static void test_hex(void **state)
{
    (void)state;
    char out[7];
    assert_string_equal(bytes_hex(bytes_str("\x01\xab\xff"), out, 7), "01abff");
    assert_string_equal(bytes_hex(bytes(NULL, 0), out, sizeof out), "");
}

static void test_hex_is_cut_to_whole_octets(void **state)
{
    (void)state;
    char out[8] = "#######";
    struct bytes b = bytes_str("\x01\xab\xff");
    assert_string_equal(bytes_hex(b, out, 6), "01ab");
    assert_int_equal(out[7], '\0');
    assert_int_equal(out[6], '#');
    assert_string_equal(bytes_hex(b, out, 2), "");
    assert_string_equal(bytes_hex(b, out, 1), "");
}

static void test_unhex(void **state)
{
    (void)state;
    uint8_t out[3];
    size_t n = 99;
    assert_true(bytes_unhex("01abFF", out, 3, &n));
    assert_hex(bytes(out, n), "01abff");
    assert_true(bytes_unhex("", out, 0, &n));
    assert_int_equal(n, 0);
}

static void test_unhex_refuses_and_touches_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "012", "0g", "g0", "01 2", "/0", ":0", "@0", "`0", "G0"};
    uint8_t out[2] = {7, 7};
    size_t n = 99;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bytes_unhex(bad[i], out, sizeof out, &n));
    assert_false(bytes_unhex("010203", out, sizeof out, &n));
    assert_false(bytes_unhex("01g0", out, sizeof out, &n));
    assert_hex(bytes(out, 2), "0707");
    assert_int_equal(n, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal), cmocka_unit_test(test_compare),
        cmocka_unit_test(test_hex),   cmocka_unit_test(test_hex_is_cut_to_whole_octets),
        cmocka_unit_test(test_unhex), cmocka_unit_test(test_unhex_refuses_and_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "ctl/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void grows_and_is_eaten_from_the_front(void **state)
{
    struct ctl_buf b = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        ctl_buf_put(&b, bytes_str("abc"));
    assert_int_equal(b.len, 3000);
    ctl_buf_eat(&b, 2999);
    assert_true(bytes_equal(ctl_buf_bytes(&b), bytes_str("c")));
    ctl_buf_eat(&b, 1);
    assert_int_equal(b.len, 0);
    ctl_buf_free(&b);
    assert_null(b.data);
}

static void a_long_stream_passes_through_little_room(void **state)
{
    struct ctl_buf b = {.cap = 1000};
    uint8_t octet = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        octet = (uint8_t)(i % 251);
        ctl_buf_put(&b, bytes(&octet, 1));
        if (i < 900)
            continue;
        assert_int_equal(b.data[0], (i - 900) % 251);
        assert_int_equal(b.len, 901);
        ctl_buf_eat(&b, 1);
    }
    assert_int_equal(b.err, ERR_OK);
    assert_true(b.room <= 4096);
    ctl_buf_free(&b);
}

static void the_cap_is_a_sticky_error(void **state)
{
    struct ctl_buf b = {.cap = 5};

    (void)state;
    ctl_buf_put(&b, bytes_str("abcde"));
    assert_int_equal(b.err, ERR_OK);
    ctl_buf_put(&b, bytes_str("f"));
    assert_int_equal(b.err, ERR_LIMIT);
    assert_null(ctl_buf_space(&b, 0));
    assert_int_equal(b.len, 5);
    ctl_buf_free(&b);
    assert_int_equal(b.cap, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_is_eaten_from_the_front),
        cmocka_unit_test(a_long_stream_passes_through_little_room),
        cmocka_unit_test(the_cap_is_a_sticky_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/compiler.h"
#include "test/check.h"
#include "wire/wr.h"

static void u8(struct wr *w) { wr_u8(w, 0x01); }
static void u16(struct wr *w) { wr_u16(w, 0x0102); }
static void u32(struct wr *w) { wr_u32(w, 0x01020304); }
static void u64(struct wr *w) { wr_u64(w, 0x0102030405060708); }
static void put(struct wr *w) { wr_put(w, bytes_str("abc")); }
static void zeros(struct wr *w) { wr_zeros(w, 5); }
static void open16(struct wr *w) { (void)wr_open16(w); }

static const struct {
    void (*write)(struct wr *);
    size_t size;
    const char *octets;
} primitives[] = {
    {u8, 1, "01"},        {u16, 2, "0102"},
    {u32, 4, "01020304"}, {u64, 8, "0102030405060708"},
    {put, 3, "616263"},   {zeros, 5, "0000000000"},
    {open16, 2, "0000"},
};

static void test_each_fills_the_last_octet_there_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        uint8_t out[9];
        memset(out, '#', sizeof out);
        struct wr w = wr_of(out, primitives[i].size);
        primitives[i].write(&w);
        assert_int_equal(wr_end(&w), ERR_OK);
        assert_hex(wr_bytes(&w), primitives[i].octets);
        assert_int_equal(out[primitives[i].size], '#');
    }
}

static void test_each_fails_with_one_octet_less(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        uint8_t out[9];
        memset(out, '#', sizeof out);
        struct wr w = wr_of(out, primitives[i].size - 1);
        primitives[i].write(&w);
        assert_int_equal(wr_end(&w), ERR_FULL);
        assert_int_equal(wr_bytes(&w).len, 0);
        assert_int_equal(out[primitives[i].size - 1], '#');
    }
}

static void test_the_error_is_sticky(void **state)
{
    (void)state;
    uint8_t out[4];
    struct wr w = wr_of(out, 2);
    wr_u32(&w, 1);
    wr_u8(&w, 1); /* would fit, but the message is lost already */
    assert_int_equal(w.len, 0);
    assert_null(wr_space(&w, 0));
    wr_fail(&w, ERR_VALUE);
    assert_int_equal(wr_end(&w), ERR_FULL);
}

static void test_fail_from_outside(void **state)
{
    (void)state;
    uint8_t out[4];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 1);
    wr_fail(&w, ERR_VALUE);
    wr_u8(&w, 2);
    assert_int_equal(wr_end(&w), ERR_VALUE);
    assert_int_equal(wr_bytes(&w).len, 0);
}

static void test_space(void **state)
{
    (void)state;
    uint8_t out[4];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 1);
    assert_ptr_equal(wr_space(&w, 3), out + 1);
    assert_ptr_equal(wr_space(&w, 0), out + 4);
    assert_null(wr_space(&w, SIZE_MAX));
    assert_int_equal(wr_end(&w), ERR_FULL);
}

static void test_put_of_nothing(void **state)
{
    (void)state;
    struct wr w = wr_of(NULL, 0);
    wr_put(&w, bytes(NULL, 0));
    wr_zeros(&w, 0);
    assert_int_equal(wr_end(&w), ERR_OK);
    assert_int_equal(wr_bytes(&w).len, 0);
}

static void test_lengths_nest(void **state)
{
    (void)state;
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);
    size_t outer = wr_open16(&w);
    wr_u8(&w, 0xaa);
    size_t inner = wr_open16(&w);
    wr_u16(&w, 0xbbbb);
    wr_close16(&w, inner, 0);
    wr_close16(&w, outer, 4);
    assert_hex(wr_bytes(&w), "0009aa0002bbbb");
}

static void test_close_of_the_greatest_length_and_one_more(void **state)
{
    (void)state;
    static uint8_t out[2 + UINT16_MAX + 1];
    for (size_t more = 0; more < 2; more++) {
        struct wr w = wr_of(out, sizeof out);
        size_t mark = wr_open16(&w);
        wr_zeros(&w, UINT16_MAX - 4 + more);
        wr_close16(&w, mark, 4);
        assert_int_equal(wr_end(&w), more ? ERR_LENGTH : ERR_OK);
        assert_int_equal(out[0] << 8 | out[1], more ? 0 : UINT16_MAX);
    }
}

static void test_close_after_a_failure_writes_nothing(void **state)
{
    (void)state;
    uint8_t out[] = {'#', '#', '#'};
    struct wr w = wr_of(out, 1);
    size_t mark = wr_open16(&w);
    wr_close16(&w, mark, 0);
    assert_int_equal(wr_end(&w), ERR_FULL);
    assert_hex(bytes(out, 3), "232323");
}

static void close_what_was_not_opened(void *unused)
{
    (void)unused;
    uint8_t out[4];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 0);
    wr_close16(&w, 0, 0);
}

static void test_close_without_open_aborts(void **state)
{
    (void)state;
    assert_true(aborts(close_what_was_not_opened, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_fills_the_last_octet_there_is),
        cmocka_unit_test(test_each_fails_with_one_octet_less),
        cmocka_unit_test(test_the_error_is_sticky),
        cmocka_unit_test(test_fail_from_outside),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_put_of_nothing),
        cmocka_unit_test(test_lengths_nest),
        cmocka_unit_test(test_close_of_the_greatest_length_and_one_more),
        cmocka_unit_test(test_close_after_a_failure_writes_nothing),
        cmocka_unit_test(test_close_without_open_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

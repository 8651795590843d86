#include "base/compiler.h"
#include "test/check.h"
#include "wire/rd.h"

static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* Each primitive, with how many octets it takes and what it reads from 01 02 03 .. */
static uint64_t u8(struct rd *r) { return rd_u8(r); }
static uint64_t u16(struct rd *r) { return rd_u16(r); }
static uint64_t u32(struct rd *r) { return rd_u32(r); }
static uint64_t u64(struct rd *r) { return rd_u64(r); }
static uint64_t take3(struct rd *r)
{
    struct bytes b = rd_take(r, 3);
    return b.len == 3 ? b.data[2] : 0;
}
static uint64_t cut3(struct rd *r)
{
    struct rd child = rd_cut(r, 3);
    (void)rd_u16(&child);
    return rd_u8(&child);
}

static const struct {
    uint64_t (*read)(struct rd *);
    size_t size;
    uint64_t value;
} primitives[] = {
    {u8, 1, 0x01}, {u16, 2, 0x0102}, {u32, 4, 0x01020304}, {u64, 8, 0x0102030405060708},
    {take3, 3, 3}, {cut3, 3, 3},
};

static void test_each_reads_the_last_octet_there_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        struct rd r = rd_of(bytes(octets, primitives[i].size));
        assert_true(primitives[i].read(&r) == primitives[i].value);
        assert_int_equal(rd_left(&r), 0);
        assert_int_equal(rd_end(&r), ERR_OK);
    }
}

static void test_each_leaves_what_follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        struct rd r = rd_of(BYTES_OF(octets));
        assert_true(primitives[i].read(&r) == primitives[i].value);
        assert_int_equal(rd_left(&r), sizeof octets - primitives[i].size);
        assert_int_equal(rd_end(&r), ERR_TRAILING);
    }
}

static void test_each_fails_one_past_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        for (size_t n = 0; n < primitives[i].size; n++) {
            struct rd r = rd_of(bytes(octets, n));
            assert_true(primitives[i].read(&r) == 0);
            assert_int_equal(r.err, ERR_SHORT);
            assert_int_equal(rd_left(&r), 0);
            assert_int_equal(rd_end(&r), ERR_SHORT);
        }
    }
}

static void test_a_failed_read_does_not_move(void **state)
{
    (void)state;
    struct rd r = rd_of(bytes(octets, 3));
    (void)rd_u8(&r);
    (void)rd_u32(&r);
    assert_ptr_equal(r.at, octets + 1);
    assert_int_equal(rd_u8(&r), 0); /* sticky: it would fit, but the error stands */
    assert_ptr_equal(r.at, octets + 1);
    assert_int_equal(r.err, ERR_SHORT);
}

static void test_the_first_error_stays(void **state)
{
    (void)state;
    struct rd r = rd_of(bytes(octets, 1));
    rd_fail(&r, ERR_VERSION);
    rd_fail(&r, ERR_TYPE);
    (void)rd_u32(&r);
    assert_int_equal(rd_end(&r), ERR_VERSION);
}

static void test_nothing_to_read(void **state)
{
    (void)state;
    struct rd r = rd_of(bytes(NULL, 0));
    assert_int_equal(rd_take(&r, 0).len, 0);
    assert_int_equal(rd_rest(&r).len, 0);
    assert_int_equal(rd_end(&r), ERR_OK);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_end(&r), ERR_SHORT);
}

static void test_rest(void **state)
{
    (void)state;
    struct rd r = rd_of(bytes(octets, 4));
    (void)rd_u8(&r);
    struct bytes rest = rd_rest(&r);
    assert_hex(rest, "020304");
    assert_int_equal(rd_end(&r), ERR_OK);
    (void)rd_u8(&r);
    assert_int_equal(rd_rest(&r).len, 0);
    assert_int_equal(rd_end(&r), ERR_SHORT);
}

static void test_take_of_a_huge_length(void **state)
{
    (void)state;
    struct rd r = rd_of(BYTES_OF(octets));
    assert_null(rd_take(&r, SIZE_MAX).data);
    assert_int_equal(r.err, ERR_SHORT);
}

static void test_zeros(void **state)
{
    (void)state;
    static const uint8_t some[] = {0, 0, 0, 1};
    struct rd r = rd_of(BYTES_OF(some));
    rd_zeros(&r, 3);
    assert_int_equal(rd_u8(&r), 1);
    assert_int_equal(rd_end(&r), ERR_OK);
    r = rd_of(BYTES_OF(some));
    rd_zeros(&r, 4);
    assert_int_equal(rd_end(&r), ERR_RESERVED);
    r = rd_of(BYTES_OF(some));
    rd_zeros(&r, 5);
    assert_int_equal(rd_end(&r), ERR_SHORT);
}

static void test_cut_bounds_the_child_and_moves_the_parent(void **state)
{
    (void)state;
    struct rd r = rd_of(BYTES_OF(octets));
    struct rd child = rd_cut(&r, 2);
    assert_int_equal(rd_u16(&child), 0x0102);
    assert_int_equal(rd_end(&child), ERR_OK);
    (void)rd_u8(&child);
    assert_int_equal(rd_end(&child), ERR_SHORT);
    assert_int_equal(r.err, ERR_OK); /* the parent lives on */
    assert_int_equal(rd_u8(&r), 3);
}

static void test_a_child_inherits_the_error(void **state)
{
    (void)state;
    struct rd r = rd_of(bytes(octets, 2));
    struct rd child = rd_cut(&r, 3);
    assert_int_equal(rd_end(&child), ERR_SHORT);
    assert_int_equal(rd_end(&r), ERR_SHORT);
    r = rd_of(bytes(octets, 2));
    rd_fail(&r, ERR_TYPE);
    child = rd_cut(&r, 1);
    assert_int_equal(rd_u8(&child), 0);
    assert_int_equal(rd_end(&child), ERR_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reads_the_last_octet_there_is),
        cmocka_unit_test(test_each_leaves_what_follows),
        cmocka_unit_test(test_each_fails_one_past_the_end),
        cmocka_unit_test(test_a_failed_read_does_not_move),
        cmocka_unit_test(test_the_first_error_stays),
        cmocka_unit_test(test_nothing_to_read),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_take_of_a_huge_length),
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_cut_bounds_the_child_and_moves_the_parent),
        cmocka_unit_test(test_a_child_inherits_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/arena.h"
#include "test/check.h"

#include <stdalign.h>

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a = {0};
    struct dice dice = {1};
    uint8_t *last = arena_alloc(&a, 0);
    size_t last_size = 0;

    for (int i = 0; i < 1000; i++) {
        size_t size = dice_below(&dice, 600);
        uint8_t *p = arena_alloc(&a, size);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xa5, size);
        for (size_t k = 0; k < last_size; k++)
            assert_int_equal(last[k], 0xa5);
        last = p;
        last_size = size;
    }
    arena_free(&a);
}

static void test_block_edges(void **state)
{
    (void)state;
    static const size_t sizes[] = {4095, 4096, 4097, 0, 16, 100000, 1};
    struct arena a = {0};
    size_t sum = 0;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *p = arena_alloc(&a, sizes[i]);
        assert_non_null(p);
        memset(p, 0xff, sizes[i]);
        sum += (sizes[i] + 15) / 16 * 16;
        assert_int_equal(a.used, sum);
    }
    arena_free(&a);
    assert_null(a.blocks);
    assert_int_equal(a.used, 0);
}

static void test_reset_keeps_one_block_and_wipes(void **state)
{
    (void)state;
    struct arena a = {0};
    memset(arena_alloc(&a, 64), 0x55, 64);
    uint8_t *newest = arena_alloc(&a, 5000);
    memset(newest, 0x55, 5000);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(newest[i], 0);
    assert_ptr_equal(arena_alloc(&a, 64), newest);
    arena_free(&a);
}

static void test_reset_and_free_of_nothing(void **state)
{
    (void)state;
    struct arena a = {0};
    arena_reset(&a);
    arena_free(&a);
    assert_null(a.blocks);
}

static void test_copies(void **state)
{
    (void)state;
    struct arena a = {0};
    char source[] = "abc";
    char *copy = arena_copy(&a, source, sizeof source);
    struct bytes view = arena_bytes(&a, bytes_str(source));
    source[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_true(bytes_equal(view, bytes_str("abc")));
    assert_int_equal(arena_bytes(&a, bytes(NULL, 0)).len, 0);
    arena_free(&a);
}

static void test_text(void **state)
{
    (void)state;
    struct arena a = {0};
    char *text = arena_text(&a, "%s has %d", "gm1", 7);
    char *padded = arena_text(&a, "%5000s", "x");
    assert_string_equal(text, "gm1 has 7");
    assert_int_equal(strlen(padded), 5000);
    assert_string_equal(arena_text(&a, "%s", ""), "");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(test_block_edges),
        cmocka_unit_test(test_reset_keeps_one_block_and_wipes),
        cmocka_unit_test(test_reset_and_free_of_nothing),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/mman.h>

static void secret_of_copies_every_length(void **state)
{
    (void)state;
    uint8_t from[SECRET_MAX];
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i + 1);
    for (size_t len = 0; len <= SECRET_MAX; len++) {
        struct secret s = secret_of(bytes(from, len));
        assert_int_equal(s.len, len);
        assert_memory_equal(s.b, from, len);
        assert_true(secret_equal(secret_bytes(&s), bytes(from, len)));
    }
}

static void equal_sees_every_bit_and_the_length(void **state)
{
    (void)state;
    uint8_t a[33] = {0}, b[33] = {0};
    assert_true(secret_equal(BYTES_OF(a), BYTES_OF(b)));
    assert_true(secret_equal(bytes(NULL, 0), bytes(a, 0)));
    assert_false(secret_equal(bytes(a, 32), bytes(b, 33)));
    for (size_t bit = 0; bit < 8 * sizeof b; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(secret_equal(BYTES_OF(a), BYTES_OF(b)));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static bool all_zero(const void *p, size_t len)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < len; i++) {
        if (b[i] != 0)
            return false;
    }
    return true;
}

static void wipe_leaves_nothing(void **state)
{
    (void)state;
    struct secret s = secret_of(bytes_str("a pre-shared key"));
    secret_wipe(&s);
    assert_true(all_zero(&s, sizeof s));
    struct secret_long l = {.len = 3, .b = "abc"};
    secret_long_wipe(&l);
    assert_true(all_zero(&l, sizeof l));
}

/* What SECRET is for: every way out of a scope wipes. A thread whose stack is ours holds secrets;
 * afterwards the stack is searched. */
enum { STACK = 256 * 1024, MARK = 0xc5, MARKS = 24 };

static void *hold_secrets(void *leave_early)
{
    SECRET s = {.len = MARKS};
    SECRET_LONG l = {.len = MARKS};
    for (volatile size_t i = 0; i < MARKS; i++)
        s.b[i] = l.b[i] = MARK;
    if (*(bool *)leave_early)
        return s.b[0] == MARK ? leave_early : NULL;
    return l.b[0] == MARK ? leave_early : NULL;
}

static size_t marks_in(const uint8_t *stack)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < STACK; i++) {
        run = stack[i] == MARK ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void scope_exit_wipes(void **state)
{
    (void)state;
    uint8_t *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stack, MAP_FAILED);
    for (int early = 0; early < 2; early++) {
        bool leave_early = early;
        pthread_attr_t own_stack;
        pthread_t thread;
        void *held = NULL;
        pthread_attr_init(&own_stack);
        assert_int_equal(pthread_attr_setstack(&own_stack, stack, STACK), 0);
        assert_int_equal(pthread_create(&thread, &own_stack, hold_secrets, &leave_early), 0);
        assert_int_equal(pthread_join(thread, &held), 0);
        assert_ptr_equal(held, &leave_early);
        assert_true(marks_in(stack) < MARKS);
        pthread_attr_destroy(&own_stack);
    }
    munmap(stack, STACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_of_copies_every_length),
        cmocka_unit_test(equal_sees_every_bit_and_the_length),
        cmocka_unit_test(wipe_leaves_nothing),
        cmocka_unit_test(scope_exit_wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

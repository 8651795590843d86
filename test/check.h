#pragma once
/* What unit tests share: cmocka, a comparison of octets in hexadecimal, dice that roll the same
 * everywhere, and the proof that something aborts. */
#include "base/bytes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Compares a view with the octets written in hexadecimal. */
#define assert_hex(view, hex)                                                                      \
    do {                                                                                           \
        char text_[4096];                                                                          \
        assert_string_equal(bytes_hex(view, text_, sizeof text_), hex);                            \
    } while (0)

/* Steele, Lea and Flood's splitmix64: from any seed, 2^64 different numbers. */
struct dice {
    uint64_t seed;
};
static inline uint64_t dice_roll(struct dice *d)
{
    uint64_t x = d->seed += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
/* 0 .. n - 1 */
static inline size_t dice_below(struct dice *d, size_t n) { return (size_t)(dice_roll(d) % n); }

/* Whether f(arg) ends a process with SIGABRT, as a failed assert does. */
static inline bool aborts(void (*f)(void *), void *arg)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        (void)sigaction(SIGABRT, &plain, NULL);
        (void)close(STDERR_FILENO);
        f(arg);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

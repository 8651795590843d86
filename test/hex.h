#pragma once
/* Octets written as hexadecimal text, for tests. Blanks between groups are allowed. */
#include "test/check.h"

#include <assert.h>
#include <ctype.h>

/* A view that lives as long as the program; at most 64 KiB in all. */
static inline struct bytes hex(const char *text)
{
    static uint8_t pool[1 << 16];
    static size_t used;
    uint8_t *start = pool + used;
    int high = -1;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        assert(isxdigit((unsigned char)*text) && used < sizeof pool);
        int digit = isdigit((unsigned char)*text) ? *text - '0' : (*text | 0x20) - 'a' + 10;
        if (high >= 0)
            pool[used++] = (uint8_t)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    assert(high < 0);
    return bytes(start, (size_t)(pool + used - start));
}

#define assert_octets(got, want)                                                                   \
    do {                                                                                           \
        struct bytes got_ = (got), want_ = (want);                                                 \
        assert_int_equal(got_.len, want_.len);                                                     \
        if (want_.len)                                                                             \
            assert_memory_equal(got_.data, want_.data, want_.len);                                 \
    } while (0)

#include "base/bytes.h"

#include <assert.h>

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : __builtin_memcmp(a.data, b.data, n);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

char *bytes_hex(struct bytes b, char *out, size_t room)
{
    static const char digit[] = "0123456789abcdef";
    size_t at = 0;

    assert(room > 0);
    for (size_t i = 0; i < b.len && at + 2 < room; i++) {
        out[at++] = digit[b.data[i] >> 4];
        out[at++] = digit[b.data[i] & 15];
    }
    out[at] = '\0';
    return out;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bytes_unhex(const char *text, uint8_t *out, size_t room, size_t *ret_len)
{
    size_t n = strlen(text);

    if (n % 2 != 0 || n / 2 > room)
        return false;
    for (size_t i = 0; i < n; i += 2) {
        if (nibble(text[i]) < 0 || nibble(text[i + 1]) < 0)
            return false;
    }
    for (size_t i = 0; i < n; i += 2)
        out[i / 2] = (uint8_t)(nibble(text[i]) << 4 | nibble(text[i + 1]));
    *ret_len = n / 2;
    return true;
}

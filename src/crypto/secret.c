#include "crypto/secret.h"

#include <assert.h>

void secret_wipe(struct secret *s) { explicit_bzero(s, sizeof *s); }
void secret_long_wipe(struct secret_long *s) { explicit_bzero(s, sizeof *s); }

struct secret secret_of(struct bytes b)
{
    assert(b.len <= SECRET_MAX);
    struct secret s = {.len = b.len};
    if (b.len)
        memcpy(s.b, b.data, b.len);
    return s;
}

/* The compiler may not know what is in `different`, or it could leave the loop early. */
static inline uint64_t opaque(uint64_t different)
{
    __asm__("" : "+r"(different));
    return different;
}

bool secret_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    uint64_t different = 0;
    size_t i = 0;
    for (; i + 8 <= a.len; i += 8) {
        uint64_t x, y;
        memcpy(&x, a.data + i, 8);
        memcpy(&y, b.data + i, 8);
        different = opaque(different | (x ^ y));
    }
    for (; i < a.len; i++)
        different = opaque(different | (uint64_t)(a.data[i] ^ b.data[i]));
    return different == 0;
}

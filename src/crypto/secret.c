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

bool secret_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    uint8_t different = 0;
    for (size_t i = 0; i < a.len; i++) {
        different |= a.data[i] ^ b.data[i];
        __asm__("" : "+r"(different)); /* the compiler may not leave the loop early */
    }
    return different == 0;
}

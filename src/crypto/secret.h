#pragma once
/* Key material. Wiped when it leaves scope, compared in constant time, never printed, never put
 * into an event. */
#include "base/bytes.h"

enum {
    SECRET_MAX = 72, /* a P-521 exponent (66), SKEYIDs and integrity keys (64), IV | AES-256 (48) */
    SECRET_LONG_MAX = 512, /* g^xy of group 16 */
};

struct secret {
    size_t len;
    uint8_t b[SECRET_MAX];
};
struct secret_long {
    size_t len;
    uint8_t b[SECRET_LONG_MAX];
};

void secret_wipe(struct secret *s);
void secret_long_wipe(struct secret_long *s);
/* Declares a local that is wiped on every way out of its scope. */
#define SECRET __attribute__((cleanup(secret_wipe))) struct secret
#define SECRET_LONG __attribute__((cleanup(secret_long_wipe))) struct secret_long

/* A copy; len must be <= SECRET_MAX (asserted: lengths from outside are checked where they enter).
 * */
struct secret secret_of(struct bytes b);
/* The octets, for the call that needs them. */
static inline struct bytes secret_bytes(const struct secret *s) { return bytes(s->b, s->len); }
static inline struct bytes secret_long_bytes(const struct secret_long *s)
{
    return bytes(s->b, s->len);
}

/* Constant time in the contents; lengths are public. */
bool secret_equal(struct bytes a, struct bytes b);

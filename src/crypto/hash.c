#include "crypto/hash.h"

#include <assert.h>

static const struct {
    const char *name;
    size_t len;
} hashes[HASH_COUNT] = {
    [HASH_MD5] = {"md5", 16},        [HASH_SHA1] = {"sha1", 20},
    [HASH_SHA256] = {"sha-256", 32}, [HASH_SHA384] = {"sha-384", 48},
    [HASH_SHA512] = {"sha-512", 64},
};

size_t hash_len(enum hash h)
{
    assert((unsigned)h < HASH_COUNT);
    return hashes[h].len;
}

const char *hash_name(enum hash h)
{
    assert((unsigned)h < HASH_COUNT);
    return hashes[h].name;
}

struct secret prf(enum hash h, struct bytes key, const struct bytes *parts, size_t n)
{
    struct secret s = {.len = hash_len(h)};
    hmac_parts(h, key, parts, n, s.b);
    return s;
}

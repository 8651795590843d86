/* HMAC_DRBG with SHA-256 (NIST SP 800-90A revision 1, section 10.1.2), without additional input. */
#include "crypto/drbg.h"

#include "crypto/hash.h"

#include <assert.h>

enum { DRBG_OUT = 32, DRBG_REQUEST_MAX = 65536 };

static void stir(struct drbg *d, uint8_t round, struct bytes seed)
{
    uint8_t key[DRBG_OUT];
    hmac_parts(HASH_SHA256, BYTES_OF(d->key), PARTS(BYTES_OF(d->v), bytes(&round, 1), seed), key);
    memcpy(d->key, key, sizeof key);
    explicit_bzero(key, sizeof key);
    hmac_parts(HASH_SHA256, BYTES_OF(d->key), PARTS(BYTES_OF(d->v)), d->v);
}

/* 10.1.2.2, HMAC_DRBG_Update */
static void update(struct drbg *d, struct bytes seed)
{
    stir(d, 0, seed);
    if (seed.len)
        stir(d, 1, seed);
}

struct drbg drbg_of(const uint8_t seed[DRBG_SEED])
{
    struct drbg d = {0};
    memset(d.v, 1, sizeof d.v);
    update(&d, bytes(seed, DRBG_SEED));
    return d;
}

void drbg_reseed(struct drbg *d, const uint8_t seed[DRBG_SEED])
{
    update(d, bytes(seed, DRBG_SEED));
    d->calls = 0;
}

/* 10.1.2.5, one request */
static void generate(struct drbg *d, uint8_t *out, size_t len)
{
    for (size_t done = 0; done < len; done += DRBG_OUT) {
        hmac_parts(HASH_SHA256, BYTES_OF(d->key), PARTS(BYTES_OF(d->v)), d->v);
        size_t left = len - done;
        memcpy(out + done, d->v, left < DRBG_OUT ? left : DRBG_OUT);
    }
    update(d, bytes(NULL, 0));
    d->calls++;
}

void drbg_fill(struct drbg *d, void *out, size_t len)
{
    for (uint8_t *at = out; len > 0;) {
        size_t n = len < DRBG_REQUEST_MAX ? len : DRBG_REQUEST_MAX;
        generate(d, at, n);
        at += n;
        len -= n;
    }
}

uint32_t drbg_u32(struct drbg *d)
{
    uint8_t b[4];
    drbg_fill(d, b, sizeof b);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint64_t drbg_u64(struct drbg *d)
{
    uint8_t b[8];
    drbg_fill(d, b, sizeof b);
    uint64_t v = 0;
    for (size_t i = 0; i < sizeof b; i++)
        v = v << 8 | b[i];
    return v;
}

uint64_t drbg_below(struct drbg *d, uint64_t bound)
{
    assert(bound > 0);
    uint64_t uneven =
        (0 - bound) % bound; /* 2^64 mod bound: that many values would favour small results */
    for (;;) {
        uint64_t v = drbg_u64(d);
        if (v >= uneven)
            return v % bound;
    }
}

void drbg_wipe(struct drbg *d) { explicit_bzero(d, sizeof *d); }

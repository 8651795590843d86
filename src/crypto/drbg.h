#pragma once
/* An engine's randomness: HMAC_DRBG with SHA-256 (NIST SP 800-90A section 10.1.2), seeded by the
 * host from the kernel, or by a simulation from its seed. Engines never ask the system. */
#include "base/bytes.h"

enum { DRBG_SEED = 48 };
struct drbg {
    uint8_t key[32], v[32];
    uint64_t calls;
};
struct drbg drbg_of(const uint8_t seed[DRBG_SEED]);
/* Mixes fresh seed in; hosts do so at intervals and after a fork. */
void drbg_reseed(struct drbg *d, const uint8_t seed[DRBG_SEED]);
void drbg_fill(struct drbg *d, void *out, size_t len);
uint32_t drbg_u32(struct drbg *d);
uint64_t drbg_u64(struct drbg *d);
/* Uniform in [0, bound); bound > 0. */
uint64_t drbg_below(struct drbg *d, uint64_t bound);
void drbg_wipe(struct drbg *d);

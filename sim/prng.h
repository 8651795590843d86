#pragma once
/* The simulation's randomness: one stream per purpose, all from one seed, so that one more draw
 * here does not reshuffle there. */
#include <stddef.h>
#include <stdint.h>

enum stream { STREAM_NETWORK, STREAM_FAULTS, STREAM_WORKLOAD, STREAM_ENTROPY, STREAM_COUNT };

struct prng {
    uint64_t state[STREAM_COUNT];
};

static inline uint64_t prng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct prng prng_of(uint64_t seed)
{
    struct prng p;
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        p.state[i] = prng_mix(seed * STREAM_COUNT + i + 1);
    return p;
}

static inline uint64_t prng_u64(struct prng *p, enum stream s)
{
    p->state[s] += UINT64_C(0x9e3779b97f4a7c15);
    return prng_mix(p->state[s]);
}

/* In [0, bound); bound > 0. The bias is far below what a simulation can see. */
static inline uint64_t prng_below(struct prng *p, enum stream s, uint64_t bound)
{
    return prng_u64(p, s) % bound;
}

static inline int prng_chance(struct prng *p, enum stream s, unsigned ppm)
{
    return ppm > 0 && prng_below(p, s, 1000000) < ppm;
}

static inline void prng_fill(struct prng *p, enum stream s, void *out, size_t len)
{
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)prng_u64(p, s);
}

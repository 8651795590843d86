#pragma once
/* The reader. Sticky error: after the first failure every read gives zero and changes nothing, so a
 * codec reads straight through and asks once, at rd_end(). rd_cut() gives a child that cannot pass
 * its own length. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

struct rd {
    const uint8_t *at, *end;
    enum err err;
};

static inline struct rd rd_of(struct bytes b)
{
    return (struct rd){b.data, b.len ? b.data + b.len : b.data, ERR_OK};
}
static inline size_t rd_left(const struct rd *r) { return r->err ? 0 : (size_t)(r->end - r->at); }

/* Records the first error; later ones are consequences. */
static inline void rd_fail(struct rd *r, enum err e)
{
    if (r->err == ERR_OK)
        r->err = e;
}

/* The next n octets as a view, or an empty one and ERR_SHORT. */
static inline struct bytes rd_take(struct rd *r, size_t n)
{
    if (n > rd_left(r)) {
        rd_fail(r, ERR_SHORT);
        return bytes(NULL, 0);
    }
    if (r->err)
        return bytes(NULL, 0);
    struct bytes b = bytes(r->at, n);
    r->at = n ? r->at + n : r->at;
    return b;
}
static inline struct bytes rd_rest(struct rd *r) { return rd_take(r, rd_left(r)); }

static inline uint8_t rd_u8(struct rd *r)
{
    struct bytes b = rd_take(r, 1);
    return b.len ? b.data[0] : 0;
}
static inline uint16_t rd_u16(struct rd *r)
{
    struct bytes b = rd_take(r, 2);
    return b.len ? (uint16_t)(b.data[0] << 8 | b.data[1]) : 0;
}
static inline uint32_t rd_u32(struct rd *r)
{
    struct bytes b = rd_take(r, 4);
    if (!b.len)
        return 0;
    return (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 | (uint32_t)b.data[2] << 8 |
           b.data[3];
}
static inline uint64_t rd_u64(struct rd *r)
{
    struct rd child = rd_of(rd_take(r, 8)); /* all eight or nothing */
    uint64_t high = rd_u32(&child);
    return high << 32 | rd_u32(&child);
}

/* Skips n octets that must be zero; ERR_RESERVED otherwise. */
static inline void rd_zeros(struct rd *r, size_t n)
{
    struct bytes b = rd_take(r, n);
    for (size_t i = 0; i < b.len; i++) {
        if (b.data[i] != 0)
            rd_fail(r, ERR_RESERVED);
    }
}

static inline struct rd rd_cut(struct rd *r, size_t n)
{
    struct rd child = rd_of(rd_take(r, n));
    child.err = r->err;
    return child;
}

/* The verdict: the first error, or ERR_TRAILING when octets are left. */
MUST_USE static inline enum err rd_end(struct rd *r)
{
    if (r->err == ERR_OK && r->at != r->end)
        r->err = ERR_TRAILING;
    return r->err;
}

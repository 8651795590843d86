#pragma once
/* The writer: into a buffer of the caller, sticky ERR_FULL, lengths patched when a block closes. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

#include <assert.h>

struct wr {
    uint8_t *data;
    size_t len, room;
    enum err err;
};

static inline struct wr wr_of(uint8_t *data, size_t room)
{
    return (struct wr){data, 0, room, ERR_OK};
}
static inline struct bytes wr_bytes(const struct wr *w)
{
    return bytes(w->data, w->err ? 0 : w->len);
}

static inline void wr_fail(struct wr *w, enum err e)
{
    if (w->err == ERR_OK)
        w->err = e;
}

/* Room for n octets to be filled by the caller, or NULL. The octets are not cleared. */
static inline uint8_t *wr_space(struct wr *w, size_t n)
{
    if (w->err)
        return NULL;
    if (n > w->room - w->len) {
        w->err = ERR_FULL;
        return NULL;
    }
    uint8_t *p = w->len ? w->data + w->len : w->data;
    w->len += n;
    return p;
}
static inline void wr_put(struct wr *w, struct bytes b)
{
    uint8_t *p = wr_space(w, b.len);
    if (p && b.len)
        memcpy(p, b.data, b.len);
}
static inline void wr_u8(struct wr *w, uint8_t v) { wr_put(w, bytes(&v, 1)); }
static inline void wr_u16(struct wr *w, uint16_t v)
{
    wr_put(w, bytes((uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2));
}
static inline void wr_u32(struct wr *w, uint32_t v)
{
    wr_put(w,
           bytes((uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v},
                 4));
}
static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}
static inline void wr_zeros(struct wr *w, size_t n)
{
    uint8_t *p = wr_space(w, n);
    if (p)
        memset(p, 0, n);
}

/* Opens a 16-bit length field here; wr_close16 writes what followed it plus `extra` (the octets of
 * the header before the field that the length counts, the field itself included). */
static inline size_t wr_open16(struct wr *w)
{
    size_t mark = w->len;
    wr_u16(w, 0);
    return mark;
}
static inline void wr_close16(struct wr *w, size_t mark, size_t extra)
{
    if (w->err)
        return;
    assert(mark + 2 <= w->len);
    size_t len = w->len - mark - 2 + extra;
    if (len > UINT16_MAX) {
        w->err = ERR_LENGTH;
        return;
    }
    w->data[mark] = (uint8_t)(len >> 8);
    w->data[mark + 1] = (uint8_t)len;
}

/* The verdict: ERR_OK or the first error. */
MUST_USE static inline enum err wr_end(const struct wr *w) { return w->err; }

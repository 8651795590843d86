#pragma once
/* Octets that grow at their end up to a cap and are eaten from their front: a stream in either
 * direction. Sticky error: after the first failure nothing more is added. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

struct ctl_buf {
    uint8_t *data; /* what is there */
    size_t len;
    uint8_t *base;    /* the allocation: what was eaten, then data */
    size_t room, cap; /* cap 0: CTL_TREE_MAX */
    enum err err;
};

static inline struct bytes ctl_buf_bytes(const struct ctl_buf *b) { return bytes(b->data, b->len); }

/* Adds octets; ERR_LIMIT, kept in b->err, when the cap would be passed. */
void ctl_buf_put(struct ctl_buf *b, struct bytes octets);
/* Room for n octets to be filled by the caller (not cleared), or NULL after a failure. */
uint8_t *ctl_buf_space(struct ctl_buf *b, size_t n);
/* Forgets the first n octets (n <= len). */
void ctl_buf_eat(struct ctl_buf *b, size_t n);
void ctl_buf_free(struct ctl_buf *b);

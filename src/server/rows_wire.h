#pragma once
/* The pieces that rows are made of. Readers stick to the reader's first error. */
#include "server/rows.h"

void row_put_head(struct wr *w);                   /* the version */
void row_put_name(struct wr *w, const char *name); /* NULL as "" */
void row_put_instant(struct wr *w, instant_t at);
void row_put_ip(struct wr *w, struct ip ip);
void row_put_bytes(struct wr *w, struct bytes b); /* at most 65535 octets */

void row_get_head(struct rd *r);
const char *row_get_name(struct rd *r, struct arena *a); /* never empty */
const char *row_get_name_or_null(struct rd *r, struct arena *a);
instant_t row_get_instant(struct rd *r);
struct ip row_get_ip(struct rd *r);
bool row_get_bool(struct rd *r);
/* ERR_LENGTH unless it has `min` to `max` octets. */
struct bytes row_get_bytes(struct rd *r, size_t min, size_t max);
uint32_t row_get_group_id(struct rd *r);
/* The sticky error for what does not hold. */
static inline void row_demand(struct rd *r, bool holds)
{
    if (!holds)
        rd_fail(r, ERR_VALUE);
}

#pragma once
/* What one registration is given (decisions M2, M9): fixed when message 2 is built, used again in
 * message 4, so that KD matches SA (RFC 6407 3.4) whatever happens to the group in between.
 *
 *   outside a changeover     the current key
 *   [created, switch_at)     the current key, then the next one
 *   [switch_at, drop_at)     the current key, and for natives the previous one, to receive only */
#include "group/group.h"
#include "server/limits.h"
#include "wire/chain.h"

struct offer_item {
    uint32_t spi;
    bool receive_only; /* SA Direction (RFC 6407 5.5.1) */
};
struct offer {
    size_t n; /* 0: the group has no keys */
    struct offer_item items[2 * SERVER_SAS_MAX];
};

struct offer offer_take(const struct group *g, instant_t now, bool native);
/* The SA payload of message 2. */
void offer_write_sa(struct chain_wr *c, const struct group *g, const struct offer *o,
                    instant_t now);
/* The KD payload of message 4. ERR_NOT_FOUND, and nothing written, when one of the keys has been
 * dropped since message 2. */
MUST_USE enum err offer_write_kd(struct chain_wr *c, const struct mint *mint,
                                 const struct offer *o);
/* The state notification of natives (wire notes 11). spread in seconds. */
void offer_write_state(struct chain_wr *c, const struct group *g, uint16_t spread);

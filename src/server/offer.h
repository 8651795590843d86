#pragma once
/* What one registration is given (decisions M2, M9): fixed when message 2 is built, used again in
 * message 4, so that KD matches SA (RFC 6407 3.4) whatever happens to the group in between.
 *
 *   outside a changeover     the current key
 *   [created, switch_at)     the current key, then the next one
 *   [switch_at, drop_at)     the current key, and for natives the previous one, to receive only
 *
 * With server-member-communication also the current KEK, and the number of the last push. When a
 * changeover brings another anti-replay window, only keys with the new one: the message has one GAP
 * (decisions M20). */
#include "group/clock.h"
#include "group/group.h"
#include "server/limits.h"
#include "wire/chain.h"

struct offer_item {
    uint32_t spi;
    bool receive_only; /* SA Direction (RFC 6407 5.5.1) */
};
struct offer {
    bool native;
    bool has_kek;
    uint8_t kek[KEK_SPI];
    uint32_t seq;
    uint32_t window_ms; /* of all its keys; 0: no time stamps */
    size_t n;           /* 0: the group has no keys */
    struct offer_item items[2 * SERVER_SAS_MAX];
};

struct offer offer_take(const struct group *g, instant_t now, bool native);
/* The SA payload of message 2, for the member at that address. */
void offer_write_sa(struct chain_wr *c, const struct group *g, const struct offer *o,
                    struct ip member, instant_t now);
/* SEQ, which is there exactly when the SA holds a SAK (RFC 6407 3.2), and KD: message 4.
 * ERR_NOT_FOUND, and nothing written, when one of the keys has been dropped since message 2. */
MUST_USE enum err offer_write_keys(struct chain_wr *c, const struct group *g,
                                   const struct offer *o);
/* The state notification of natives (wire notes 11), with the group clock if it is set. spread in
 * seconds. */
void offer_write_state(struct chain_wr *c, const struct group *g, uint16_t spread,
                       const struct group_clock *clock, instant_t now);

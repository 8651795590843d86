#pragma once
/* What one registration is given (decisions M2, M9): fixed when message 2 is built, used again in
 * message 4, so that KD matches SA (RFC 6407 3.4) whatever happens to the group in between.
 *
 *   outside a changeover     the current key
 *   [created, switch_at)     the current key, then the next one
 *   [switch_at, drop_at)     the current key, and for natives the previous one, to receive only
 *
 * With server-member-communication also the current KEK, and the number of the last push. When a
 * changeover brings another anti-replay window, the one GAP of the message tells the new one; keys
 * with the old one are told to natives only, with an attribute of ours (decisions M20). */
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
    uint32_t seq, version; /* of the last push; of the keys */
    uint32_t window_ms;    /* of its newest keys; 0: no time stamps */
    size_t n;              /* 0: the group has no keys */
    struct offer_item items[2 * SERVER_SAS_MAX];
};

struct offer offer_take(const struct group *g, instant_t now, bool native);
/* What a push brings (decisions M4, M5): every generation that is not switched to yet; when there
 * is none, or with a KEK, or `all`: the newest key of each ipsec-sa, current ones first. */
struct offer_push {
    bool native, with_kek, all;
};
struct offer offer_take_push(const struct group *g, instant_t now, struct offer_push what);
/* The SA payload of message 2, for the member at that address; in a push for all: 0.0.0.0 (S27). */
void offer_write_sa(struct chain_wr *c, const struct group *g, const struct offer *o,
                    struct ip member, instant_t now);
/* SEQ, which is there exactly when the SA holds a SAK (RFC 6407 3.2), and KD: message 4.
 * ERR_NOT_FOUND, and nothing written, when one of the keys has been dropped since message 2. */
MUST_USE enum err offer_write_keys(struct chain_wr *c, const struct group *g,
                                   const struct offer *o);
/* KD alone, for a push. ERR_NOT_FOUND as above. */
MUST_USE enum err offer_write_kd(struct chain_wr *c, const struct group *g, const struct offer *o);

/* The state notification of natives (wire notes 11), with the group clock if it is set. */
struct offer_state {
    uint16_t spread; /* seconds */
    bool re_register;
    const struct group_clock *clock;
};
void offer_write_state(struct chain_wr *c, const struct group *g, const struct offer_state *what,
                       instant_t now);

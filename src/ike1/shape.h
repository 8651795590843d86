#pragma once
/* Which payloads a message may hold, as data: one table per exchange and message. The tables of
 * GDOI are in gdoi/shape.h. */
#include "wire/chain.h"

struct ike1_shape {
    const char *name;
    uint8_t first; /* payload type the message must begin with; 0 = any */
    bool any_order;
    size_t n_rules;
    const struct chain_rule *rules; /* max 0: known, and refused by name */
};

/* Messages of pre-shared key phase 1 by number (RFC 2409 5.4), and the informational exchange
 * (5.7). */
enum ike1_message {
    IKE1_MAIN_1, /* SA first, then VID */
    IKE1_MAIN_2,
    IKE1_MAIN_3, /* KE, NONCE */
    IKE1_MAIN_4,
    IKE1_MAIN_5, /* ID, HASH, N (INITIAL-CONTACT) */
    IKE1_MAIN_6,
    IKE1_AGGRESSIVE_1,        /* SA first, KE, NONCE, ID */
    IKE1_AGGRESSIVE_2,        /* ... and HASH */
    IKE1_AGGRESSIVE_3,        /* HASH */
    IKE1_INFORMATIONAL,       /* HASH first, then N and D */
    IKE1_INFORMATIONAL_CLEAR, /* N and D without HASH: read, logged, never acted on (decisions S34)
                               */
    IKE1_MESSAGE_COUNT
};
const struct ike1_shape *ike1_shape_of(enum ike1_message m);

/* ERR_TYPE for a payload refused by name, ERR_ORDER for one without a rule or in the wrong place,
 * ERR_MISSING, ERR_TOO_MANY. *ret_payload (NULL allowed) is then the payload type that decided, for
 * the log: ike1_payload_name(). */
MUST_USE enum err ike1_shape_check(const struct ike1_shape *s, const struct chain *c,
                                   uint8_t *ret_payload);

#pragma once
/* The messages of GDOI by shape (RFC 6407 3.2, 4; RFC 8263 3). Check with ike1_shape_check(); RFC
 * 3547's KE, CERT and POP in a PULL are refused by name (ERR_TYPE), a certificate in a push is let
 * through (skipped, but signed over). */
#include "ike1/shape.h"

enum gdoi_message {
    GDOI_PULL_1, /* HASH, NONCE, ID; an SA makes it Quick Mode: ERR_TYPE with payload SA (decisions
                    M26) */
    GDOI_PULL_2, /* HASH, NONCE, SA */
    GDOI_PULL_3, /* HASH [, GAP] */
    GDOI_PULL_4, /* HASH [, SEQ], KD */
    GDOI_PUSH,   /* SEQ, [D...,] [SA, KD,] [N...,] [CERT...,] SIG */
    GDOI_PUSH_ACK,
    GDOI_MESSAGE_COUNT
};
const struct ike1_shape *gdoi_shape_of(enum gdoi_message m);
/* ike1_shape_check() and, for a push, SA with KD only (ERR_MISSING) and at least one of D, SA and
 * N. */
MUST_USE enum err gdoi_shape_check(enum gdoi_message m, const struct chain *c,
                                   uint8_t *ret_payload);

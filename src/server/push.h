#pragma once
/* GROUPKEY-PUSH, the server's side (RFC 6407 4). */
#include "group/group.h"

/* What the server sends to one group; hangs on struct group. */
struct push {
    uint64_t keys_tx; /* the transaction that stores keys which are MINTED, 0: none */
};

struct push *push_new(void);
void push_free(struct push *p); /* wipes; NULL allowed */

/* The next SEQ goes into the group's row that is about to be stored. */
void push_reserve(struct group *g);

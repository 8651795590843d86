#pragma once
/* GROUPKEY-PULL, the server's side (RFC 6407 3.2, 3.4):
 *
 *   HDR*, HASH(1), Ni, ID        -->   authorised? then an offer is fixed
 *                                <--   HDR*, HASH(2), Nr, SA
 *   HDR*, HASH(3) [, GAP]        -->   authorised still? then registered
 *                                <--   HDR*, HASH(4), [SEQ,] KD [, N]
 *
 * Nothing is remembered before HASH(1) checks, nothing is registered before HASH(3) does. A
 * repeated message gets the same octets again; no message id serves twice under one phase 1 SA. */
#include "base/heap.h"
#include "base/map.h"
#include "ike1/header.h"
#include "sa/effects.h"
#include "sa/phase1.h"

struct group;
struct pull;
struct server;

/* Exchanges by cookies and message id. Those of one SA also hang on its phase1_user(). */
struct pulls {
    struct map index;
    struct heap due;
};

/* A datagram of exchange type 32 whose header was parsed. */
void pull_datagram(struct server *s, instant_t now, struct endpoint from, struct endpoint to,
                   const struct ike1_header *header, uint8_t *datagram, size_t len,
                   struct effects *out);
/* Forgets what is too old. */
void pull_timer(struct server *s, instant_t now, struct effects *out);
instant_t pull_due(const struct server *s);
/* The SA ends: so do its exchanges. */
void pull_end_all(struct server *s, struct phase1_sa *sa, struct effects *out);
/* The group ends: so do its exchanges. */
void pull_end_group(struct server *s, const struct group *g, struct effects *out);
void pulls_free(struct pulls *p); /* wipes */

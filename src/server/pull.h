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
#include "base/ip.h"
#include "ike1/header.h"
#include "sa/effects.h"

struct server;

/* A datagram of exchange type 32 whose header was parsed. */
void pull_datagram(struct server *s, instant_t now, struct endpoint from, struct endpoint to,
                   const struct ike1_header *header, uint8_t *datagram, size_t len,
                   struct effects *out);

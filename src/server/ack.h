#pragma once
/* Acknowledgements of pushes (RFC 8263, decisions M15): HDR, HASH, SEQ, ID in clear. HASH is made
 * with a key that every member has: one member can answer for another. It can stop repeats that way
 * and nothing else; whoever missed a push registers again (RFC 8263 7.1). */
#include "crypto/secret.h"
#include "group/kek.h"
#include "ike1/header.h"
#include "sa/effects.h"

struct group;
struct server;

/* ack_key of one KEK, by both readings of RFC 8263 3.2. */
enum { ACK_READINGS = 2 };
struct ack_keys {
    bool known;
    uint8_t spi[KEK_SPI];
    struct secret key[ACK_READINGS];
};
void ack_keys_wipe(struct ack_keys *k);

/* A datagram of exchange type 35 whose header was parsed; `to` is where it arrived. */
void ack_datagram(struct server *s, struct endpoint from, struct endpoint to,
                  const struct ike1_header *header, const uint8_t *datagram, size_t len,
                  struct effects *out);

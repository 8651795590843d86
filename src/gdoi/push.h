#pragma once
/* What a GROUPKEY-PUSH and its acknowledgement hold besides SA and KD: SEQ, D, SIG (RFC 6407
 * 4, 5.7, 5.9; RFC 8263 3). */
#include "base/ip.h"
#include "gdoi/dialect.h"
#include "gdoi/numbers.h"
#include "ike1/header.h"
#include "ike1/payload.h"
#include "wire/chain.h"

/* SEQ (RFC 6407 5.7): a length other than 8 is ERR_SHORT or ERR_TRAILING. */
MUST_USE enum err gdoi_seq_parse(struct bytes body, uint32_t *ret);
void gdoi_seq_write(struct chain_wr *c, uint32_t number);

/* Delete (RFC 6407 5.9): DOI 2, protocol ESP or AH with SPIs of 4 octets, or KEK with 16. One zero
 * SPI means all of the kind, also when its size is another; ESP's number of the IPsec DOI becomes
 * ours: keys that somebody wants gone must not stay for a matter of form. ERR_DOI, ERR_TYPE,
 * ERR_LENGTH. `t` may be NULL. */
MUST_USE enum err gdoi_delete_check(struct ike1_delete *d, struct gdoi_tolerated *t);
bool gdoi_delete_all(const struct ike1_delete *d);
uint32_t gdoi_delete_tek(const struct ike1_delete *d, size_t i); /* SPI i of an ESP or AH delete */
void gdoi_delete_teks_write(struct chain_wr *c, const uint32_t *spis, size_t n);
void gdoi_delete_kek_write(struct chain_wr *c, const struct ike1_cookies *spi);

/* What SIG covers (RFC 6407 4): the label, the header as if there were no cipher padding, every
 * payload before SIG. Some peers put the padded Length: `received` is the header with that one. */
#define GDOI_REKEY_LABEL "rekey"
struct gdoi_signed {
    uint8_t header[IKE1_HEADER], received[IKE1_HEADER];
    struct bytes payloads;
    struct bytes signature;
};
/* Of a decrypted push whose chain ends with SIG (asserted: the shape says so). ERR_LENGTH for a
 * signature out of range. The parts to hash are {GDOI_REKEY_LABEL without NUL, header, payloads}.
 * `datagram` begins with the header as received. */
MUST_USE enum err gdoi_signed_of(struct bytes datagram, const struct chain *c,
                                 struct gdoi_signed *ret);

/* The acknowledgement: HDR, HASH, SEQ, ID in clear (RFC 8263 3). */
struct gdoi_ack {
    struct bytes hash;
    uint32_t seq;
    struct ip ip;
    struct bytes covered; /* SEQ payload | ID payload as sent: HASH = prf(ack_key, covered) */
};
/* Of a chain that passed the shape. ERR_TYPE for an ID that is no address, ERR_RESERVED for
 * protocol or port, ERR_LENGTH. */
MUST_USE enum err gdoi_ack_parse(const struct chain *c, struct gdoi_ack *ret);
/* The whole message with a zeroed HASH of hash_len octets at *ret_hash; *ret_covered (a view into
 * the writer) is what to hash. */
MUST_USE enum err gdoi_ack_write(struct wr *w, const struct ike1_cookies *spi, uint32_t seq,
                                 struct ip ip, size_t hash_len, uint8_t **ret_hash,
                                 struct bytes *ret_covered);

/* Input of ack_key = prf(base_key, label | 0 | SPI | L) (RFC 8263 3.2). L in bits: decisions M15
 * (e). */
enum {
    GDOI_ACK_KEY_INPUT = 36,
    GDOI_ACK_L_SHA256 = 0x0200,
    GDOI_ACK_L_SHA512 = 0x0400,
    GDOI_ACK_L_SHA256_OTHER = 0x0100, /* the text's other reading, accepted by the server */
    GDOI_ACK_L_SHA512_OTHER = 0x0200,
};
void gdoi_ack_key_input(const struct ike1_cookies *spi, uint16_t l,
                        uint8_t out[GDOI_ACK_KEY_INPUT]);

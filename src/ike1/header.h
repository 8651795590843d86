#pragma once
/* The ISAKMP header and whole messages (RFC 2408 3.1). A message starts at offset 0 of its writer.
 */
#include "wire/chain.h"

enum {
    IKE1_HEADER = 28,
    IKE1_COOKIE = 8,
    IKE1_SPI_MAX = 2 * IKE1_COOKIE,
    IKE1_VERSION = 0x10, /* major 1, minor 0 */
    IKE1_FLAG_ENCRYPTION = 0x01,
    IKE1_FLAG_COMMIT = 0x02,
    IKE1_FLAG_AUTH_ONLY = 0x04,
    IKE1_FLAGS = IKE1_FLAG_ENCRYPTION | IKE1_FLAG_COMMIT | IKE1_FLAG_AUTH_ONLY,
    IKE1_CLEAR_ALIGN =
        4, /* "block" of a message in clear: RFC 2408 3.6 lets a sender fill up to four octets */
};

/* Both cookies in a row: the SPI of a phase 1 SA, and of a KEK (RFC 6407 5.3). */
struct ike1_cookies {
    uint8_t i[IKE1_COOKIE], r[IKE1_COOKIE];
};
/* The 16 octets as a view into *c. */
static inline struct bytes ike1_cookies_bytes(const struct ike1_cookies *c)
{
    return bytes(c, sizeof *c);
}

struct ike1_header {
    struct ike1_cookies cookies;
    uint8_t next_payload;
    uint8_t exchange;
    uint8_t flags;
    uint32_t message_id;
    uint32_t length; /* the whole datagram, cipher padding included */
};

/* The header of a datagram. ERR_SHORT; ERR_VERSION; ERR_VALUE for an undefined flag or an initiator
 * cookie of zero; ERR_LENGTH when Length is not the datagram's own. */
MUST_USE enum err ike1_header_parse(struct bytes datagram, struct ike1_header *ret);

/* Writes a header with Length 0 and next payload 0 (h's own are ignored); the returned chain puts
 * the payloads behind it. */
struct chain_wr ike1_header_write(struct wr *w, const struct ike1_header *h);
/* Sets Length to what is written so far. Call after the last payload; a signature of a
 * GROUPKEY-PUSH covers this value. */
void ike1_message_end(struct wr *w);
/* Fills with zeros up to the cipher block (none when aligned, no length octet: RFC 2409 appendix B)
 * and sets Length anew. */
void ike1_message_pad(struct wr *w, size_t block);

/* The payloads of a datagram that is in clear or has been decrypted in place. What follows the
 * chain must be shorter than `block` (ERR_PADDING) and is ignored: RFC 2409 appendix B. Errors of
 * chain_parse(). */
MUST_USE enum err ike1_payloads_parse(struct bytes datagram, uint8_t first, size_t block,
                                      struct chain *ret);

/* What HASH(1), HASH(2) ... cover of a message: every octet after the HASH payload, which is the
 * first one, up to the end of the chain (RFC 6407 3.2, RFC 2409 5.7). Empty when HASH stands alone;
 * the chain must not be empty. */
struct bytes ike1_after_hash(const struct chain *c);
/* The octets from the first payload up to, not including, payload number n of the chain (n <=
 * c->n). */
struct bytes ike1_chain_before(const struct chain *c, size_t n);

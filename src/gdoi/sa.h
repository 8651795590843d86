#pragma once
/* The SA payload of GDOI with what it holds: SAK, GAP and SATs (RFC 6407 5.2-5.5). The structs own
 * no octets and hold no secret. */
#include "base/ip.h"
#include "gdoi/dialect.h"
#include "gdoi/numbers.h"
#include "ike1/attribute.h"
#include "ike1/header.h"
#include "wire/chain.h"

enum { GDOI_SATS_MAX = 256 };

/* RFC 6407 5.3. Numbers as on the wire, 0 = absent. */
struct gdoi_sak {
    uint8_t protocol;    /* 17 */
    struct endpoint src; /* the server's */
    struct endpoint dst; /* only a multicast address means anything: decisions S27 */
    struct ike1_cookies spi;
    uint16_t management; /* GDOI_LKH; never written in a PULL */
    uint16_t algorithm, key_length;
    uint16_t sig_hash, sig_algorithm, sig_key_length;
    uint16_t ack; /* KEK_ACK_REQUESTED */
    bool has_lifetime;
    uint32_t lifetime; /* seconds left */
};

/* RFC 6407 5.4. One GAP speaks for every SAT of the payload. */
struct gdoi_gap {
    bool has_atd, has_dtd;
    uint16_t atd, dtd;    /* seconds */
    uint16_t sid_request; /* number of sender ids wanted, message 3 only; 0 = absent */
    uint16_t d3p_type;    /* 1; 0 = absent: draft-weis-delay-detection-03 */
    uint32_t d3p_window;  /* milliseconds in all; 0 = absent */
};

/* RFC 6407 5.5. Prefix length 0 is "any", port 0 and protocol 0 too. */
struct gdoi_sat {
    uint8_t protocol_id; /* GDOI_PROTOCOL_ESP or _AH */
    uint8_t ip_protocol;
    struct prefix src, dst;
    uint16_t src_port, dst_port;
    uint8_t transform;
    uint32_t spi;
    struct ike1_life life; /* seconds left */
    uint16_t encapsulation, auth, key_length;
    uint16_t preserve;  /* 0 = absent = GDOI_PRESERVE_BOTH */
    uint16_t direction; /* 0 = absent = GDOI_DIRECTION_SYMMETRIC */
    /* Private: the anti-replay window of this key alone, which the GAP is not right about, in
     * milliseconds; 0: it has no time stamps. Spoken where IP-D3P is. */
    bool has_window;
    uint32_t window;
};

struct gdoi_sa {
    bool has_sak, has_gap;
    struct gdoi_sak sak;
    struct gdoi_gap gap;
    size_t n_sats;
    struct gdoi_sat sats[GDOI_SATS_MAX];
};

/* ERR_DOI, ERR_SITUATION; ERR_ORDER unless SAK?, GAP?, SAT*; ERR_MISSING without SAK and SAT, or
 * without a required attribute; ERR_TOO_MANY; ERR_TYPE for an identity or Protocol-ID that is not
 * built; ERR_VALUE for a value out of range (SPI below 256, mask with holes), but algorithm numbers
 * are left to the caller; ERR_RESERVED for RFC 3547's POP fields; ERR_CONFLICT for SATs of one SPI
 * with unequal transform or attributes (decisions M24); ERR_ATTRIBUTE, ERR_DUPLICATE, ERR_LENGTH,
 * ERR_SHORT, ERR_TRAILING. t may be NULL; it counts also on failure. */
MUST_USE enum err gdoi_sa_parse(struct bytes body, const struct gdoi_dialect *d,
                                struct gdoi_tolerated *t, struct gdoi_sa *ret);
/* Values that are 0 are left out. Under d->no_gap and d->no_ack the parts are left out. */
void gdoi_sa_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sa *sa);

/* GAP as a payload of its own: message 3 of a PULL (RFC 6407 5.4). */
MUST_USE enum err gdoi_gap_parse(struct bytes body, const struct gdoi_dialect *d,
                                 struct gdoi_gap *ret);
void gdoi_gap_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_gap *gap);

/* The anti-replay window of a SAT of that payload, in milliseconds; 0: no time stamps. */
uint32_t gdoi_sat_window(const struct gdoi_sa *sa, const struct gdoi_sat *sat);

/* Equal in all that SATs of one SPI must share: Protocol-ID, transform and attributes, not the
 * selectors. */
bool gdoi_sat_same_sa(const struct gdoi_sat *a, const struct gdoi_sat *b);

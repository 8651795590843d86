#pragma once
/* How a peer speaks: what we write for it (decisions M13), and what we read from it although the
 * standard says otherwise (M25). */
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* All zero is RFC 6407. The switches are those of the dialect `compat`, by their names in the
 * configuration. */
struct gdoi_dialect {
    bool no_gap;               /* write no GAP payload */
    bool no_ack;               /* write no KEK_ACK_REQUESTED */
    bool sak_pad6;             /* six zero octets behind the SPI of a SAK */
    bool tv_lifetime;          /* lifetimes that fit go as TV */
    bool host_order_selectors; /* addresses and masks of SATs little-endian, both ways */
    /* GAP attribute numbers of IP-D3P, spoken with peers that announced it; 0: unknown, and then
     * refused when read, not written. */
    uint16_t d3p_type_number, d3p_window_number;
};
extern const struct gdoi_dialect GDOI_RFC6407;
extern const struct gdoi_dialect GDOI_STAMPS; /* RFC 6407, and IP-D3P by our numbers */

/* Deviations that were accepted, counted by name. The codec counts what it sees; those marked *
 * only an engine can see. */
#define GDOI_TOLERATED_LIST(X)                                                                     \
    X(TOLERATED_GROUP_ID_SWAPPED, "group-id-byte-order")    /* * the swapped id is configured */   \
    X(TOLERATED_SELECTORS_SWAPPED, "selector-byte-order")   /* a SAT read in host order */         \
    X(TOLERATED_SAK_PAD6, "sak-six-zero-octets")            /* two more than RFC 6407 5.3 */       \
    X(TOLERATED_LIFETIME_TV, "kek-lifetime-as-tv")          /* RFC 6407 5.3.4: four octets */      \
    X(TOLERATED_RESERVED_VALUE, "reserved-attribute-value") /* value 0, read as absent */          \
    X(TOLERATED_MANAGEMENT, "kek-management-ignored")       /* * RFC 6407 5.3: in a PULL */        \
    X(TOLERATED_KEY_PARITY, "des-key-parity")               /* a DES key without odd parity */     \
    X(TOLERATED_OLD_KEK_SPI, "key-packet-with-old-kek-spi") /* KD under the carrying KEK's SPI */  \
    X(TOLERATED_REPEATED_KEK, "kek-repeated") /* * a SAK with a known SPI, equal key */            \
    X(TOLERATED_BARE_SIGNATURE, "signature-without-digest-info")  /* * */                          \
    X(TOLERATED_PADDED_SIGNATURE, "signature-over-padded-length") /* * */                          \
    X(TOLERATED_PKCS1_KEY, "public-key-as-pkcs1")    /* * RSAPublicKey in SIG_ALGORITHM_KEY */     \
    X(TOLERATED_CERT_IN_PUSH, "certificate-in-push") /* * skipped, signed over */                  \
    X(TOLERATED_DOI_IPSEC, "doi-ipsec")              /* * DOI 1 in phase 1 */                      \
    X(TOLERATED_DELETE_PROTOCOL, "delete-of-ipsec-protocol") /* ESP is 3 in RFC 2407, 1 here */    \
    X(TOLERATED_DELETE_SPI_SIZE, "delete-all-spi-size")      /* a zero SPI of another size */

enum gdoi_tolerance {
#define X(id, name) id,
    GDOI_TOLERATED_LIST(X)
#undef X
        TOLERATED_COUNT
};
struct gdoi_tolerated {
    uint32_t count[TOLERATED_COUNT];
};
/* Counts one; t may be NULL. */
void gdoi_tolerate(struct gdoi_tolerated *t, enum gdoi_tolerance what);
const char *gdoi_tolerance_name(enum gdoi_tolerance what);

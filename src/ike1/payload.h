#pragma once
/* The other payloads of ISAKMP. Readers take the body after the generic header and give views into
 * it; writers append a whole payload to a chain. */
#include "base/ip.h"
#include "ike1/header.h"
#include "ike1/numbers.h"
#include "wire/chain.h"

enum {
    IKE1_NONCE_MIN = 8,
    IKE1_NONCE_MAX = 256, /* RFC 2409 5; a GROUPKEY-PULL allows 128 (RFC 6407 5.8) */
    IKE1_HASH_MIN = 16,
    IKE1_HASH_MAX = 64,
    IKE1_KE_MAX = 1024,
    IKE1_SIG_MAX = 1024,
    IKE1_ID_DATA_MAX = 1024,
    IKE1_ID_TEXT_MAX = 200,
    IKE1_DELETE_SPIS_MAX = 512,
};

/* KE, HASH, SIG, NONCE and VID are plain octets: lengths are checked by type (ERR_LENGTH; ERR_TYPE
 * for another payload). */
MUST_USE enum err ike1_data_parse(uint8_t type, struct bytes body, struct bytes *ret);
void ike1_data_write(struct chain_wr *c, uint8_t type, struct bytes data);
/* A payload of `len` zero octets to be filled later (a HASH or SIG over what follows or precedes);
 * the offset of its data in the writer. */
size_t ike1_data_reserve(struct chain_wr *c, uint8_t type, size_t len);

/* Identification (RFC 2407 4.6.2). */
struct ike1_id {
    uint8_t type, protocol;
    uint16_t port;
    struct bytes data;
};
/* ERR_TYPE for a type without a name; ERR_LENGTH when data does not fit the type. */
MUST_USE enum err ike1_id_parse(struct bytes body, struct ike1_id *ret);
void ike1_id_write(struct chain_wr *c, const struct ike1_id *id);
/* Body octets (without generic header), as HASH_I and HASH_R cover it: into w. */
void ike1_id_write_body(struct wr *w, const struct ike1_id *id);
/* In phase 1 protocol and port are 0, or UDP and 500 (RFC 2407 4.6.2) or 848 (RFC 6407 2.2):
 * ERR_VALUE otherwise. */
MUST_USE enum err ike1_id_check_phase1(const struct ike1_id *id);
bool ike1_id_equal(const struct ike1_id *a, const struct ike1_id *b); /* type and data */
/* ID_IPV4_ADDR or ID_IPV6_ADDR of *ip, which must outlive the result. */
struct ike1_id ike1_id_of_ip(const struct ip *ip);
/* False when the identity is not a single address. */
bool ike1_id_ip(const struct ike1_id *id, struct ip *ret);
/* For people: the address, name or subnet, key ids and distinguished names in hexadecimal; other
 * than printable octets of names become '?'. NUL-terminated, cut to room; returns out. */
char *ike1_id_text(const struct ike1_id *id, char *out, size_t room);

/* Certificates and requests for them (RFC 2408 3.9, 3.10). */
struct ike1_cert {
    uint8_t encoding;
    struct bytes data;
};
MUST_USE enum err ike1_cert_parse(struct bytes body, struct ike1_cert *ret);
void ike1_cert_write(struct chain_wr *c, uint8_t type,
                     const struct ike1_cert *cert); /* CERT or CR */

/* Notification (RFC 2408 3.14). */
struct ike1_notify {
    uint32_t doi; /* 0, 1 or 2 (decisions M26) */
    uint8_t protocol;
    uint16_t type;
    struct bytes spi, data;
};
/* ERR_DOI; ERR_LENGTH for a SPI of more than 16 octets; ERR_SHORT. */
MUST_USE enum err ike1_notify_parse(struct bytes body, struct ike1_notify *ret);
void ike1_notify_write(struct chain_wr *c, const struct ike1_notify *n);

/* Delete (RFC 2408 3.15). */
struct ike1_delete {
    uint32_t doi; /* 0, 1 or 2 (decisions M26); a GROUPKEY-PUSH wants 2: gdoi_delete_check() */
    uint8_t protocol, spi_size;
    size_t n_spis;
    struct bytes spis; /* n_spis x spi_size octets */
};
/* ERR_DOI; ERR_LENGTH for a SPI size of 0 or above 16, or octets that are not count x size;
 * ERR_MISSING for no SPI; ERR_TOO_MANY. */
MUST_USE enum err ike1_delete_parse(struct bytes body, struct ike1_delete *ret);
void ike1_delete_write(struct chain_wr *c, const struct ike1_delete *d);
struct bytes ike1_delete_spi(const struct ike1_delete *d, size_t i);

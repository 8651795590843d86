#pragma once
/* The SA payload of phase 1: one proposal of many transforms (RFC 2408 3.4-3.6, RFC 2409 5, RFC
 * 6407 2.1). */
#include "ike1/attribute.h"
#include "ike1/header.h"
#include "ike1/numbers.h"
#include "wire/chain.h"

enum { IKE1_TRANSFORMS_MAX = 64 };

struct ike1_transform {
    uint8_t number;
    uint8_t id;              /* IKE1_TRANSFORM_KEY_IKE, or something to skip */
    struct bytes attributes; /* syntax checked; read them with ike1_phase1_parse() */
};
struct ike1_sa {
    uint32_t doi, situation; /* 2 and 0, or 1 and 1 */
    uint8_t proposal_number;
    struct bytes spi; /* irrelevant: RFC 2408 3.5 */
    size_t n_transforms;
    struct ike1_transform transforms[IKE1_TRANSFORMS_MAX];
};

/* ERR_DOI, ERR_SITUATION; ERR_TYPE for a protocol other than ISAKMP; ERR_TOO_MANY for a second
 * proposal (RFC 2409 5) or too many transforms; ERR_LENGTH when a count or length does not fit;
 * ERR_MISSING without transform; ERR_ORDER, ERR_SHORT, ERR_TRAILING, ERR_RESERVED, ERR_ATTRIBUTE.
 * Views into the message. */
MUST_USE enum err ike1_sa_parse(struct bytes body, struct ike1_sa *ret);
void ike1_sa_write(struct chain_wr *c, const struct ike1_sa *sa);

/* What one transform offers. Numbers as on the wire; sa/ maps them to algorithms. */
struct ike1_phase1 {
    uint16_t encryption, hash, auth, group;
    uint16_t key_length; /* bits; 0 = absent */
    struct ike1_life life;
};
/* A failure concerns this transform only: the next may do. ERR_MISSING when one of encryption,
 * hash, authentication and group is absent, or the key length of AES (RFC 3602 5.3); ERR_ATTRIBUTE
 * for unknown ones, private groups, a PRF (none is defined) or a key length with a cipher of fixed
 * length (RFC 2409 appendix A); ERR_DUPLICATE; errors of ike1_life_parse(). */
MUST_USE enum err ike1_phase1_parse(struct bytes attributes, struct ike1_phase1 *ret);
/* Attributes in the order encryption, key length, hash, authentication, group, life. */
void ike1_phase1_write(struct wr *w, const struct ike1_phase1 *p);
/* Equal in everything but the lifetime, which a responder may lower or leave out. */
bool ike1_phase1_same_algorithms(const struct ike1_phase1 *a, const struct ike1_phase1 *b);

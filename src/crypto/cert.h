#pragma once
/* X.509 certificates (RFC 5280): what authenticating a peer needs of them, and what operators need
 * to see. */
#include "base/instant.h"
#include "crypto/sign.h"

struct cert;

/* PEM (the first certificate in it) or DER. ERR_SYNTAX: neither. */
MUST_USE enum err cert_parse(struct bytes pem_or_der, struct cert **ret);
void cert_free(struct cert *c);                 /* NULL allowed */
const char *cert_subject(const struct cert *c); /* RFC 2253 text, owned by c */
wall_t cert_not_before(const struct cert *c);
wall_t cert_not_after(const struct cert *c);
/* Errors as in verify_key_from_der(). */
MUST_USE enum err cert_verify_key(const struct cert *c, struct verify_key **ret);
bool cert_matches_key(const struct cert *c, const struct sign_key *k);
/* The chain cert -> intermediates -> one of the anchors (RFC 5280 section 6) holds at time `now`,
 * by signatures, validity, basic constraints and key usage; ERR_AUTH otherwise. No revocation. An
 * anchor need not be self-signed. */
MUST_USE enum err cert_check_chain(const struct cert *c, struct cert *const *intermediates,
                                   size_t n_intermediates, struct cert *const *anchors,
                                   size_t n_anchors, wall_t now);

#pragma once
/* Diffie-Hellman by IKE group number: MODP 1, 2, 5, 14, 15, 16, 24 and ECP 19, 20, 21 (RFC 2409 6,
 * 3526, 5114, 5903). Slow: runs on workers, never inside an engine. */
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/secret.h"

enum { DH_PUBLIC_MAX = 512, DH_ENTROPY = 32 };

bool dh_group_known(unsigned group);
size_t dh_public_len(unsigned group);      /* octets of the KE payload: fixed per group */
size_t dh_shared_len(unsigned group);      /* octets of g^xy: the prime's, or those of x */
const char *dh_group_name(unsigned group); /* "group14" */

/* A fresh ephemeral key pair. `entropy` feeds the toy backend only; OpenSSL draws from its own
 * generator. */
MUST_USE enum err dh_generate(unsigned group, const uint8_t entropy[DH_ENTROPY],
                              struct secret *ret_private, uint8_t *ret_public);
/* g^xy, dh_shared_len() octets (for ECP the x coordinate: RFC 5903 section 7). ERR_LENGTH: not
 * dh_public_len() octets. ERR_VALUE: y <= 1, y >= p - 1, for group 24 outside the subgroup, for ECP
 * not on the curve. A private value is used once: the cheap checks rest on that. */
MUST_USE enum err dh_derive(unsigned group, const struct secret *private, struct bytes peer_public,
                            struct secret_long *ret_shared);
/* Both in one step, for a responder. */
MUST_USE enum err dh_agree(unsigned group, const uint8_t entropy[DH_ENTROPY],
                           struct bytes peer_public, uint8_t *ret_public,
                           struct secret_long *ret_shared);

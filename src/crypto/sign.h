#pragma once
/* RSA and ECDSA signatures and X.509. Slow: runs on workers. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"
#include "crypto/hash.h"

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8192, SIGNATURE_MAX = 1024, SPKI_MAX = 1100 };

/* RSA block type 1 over DigestInfo | hash (RFC 6407 5.3.6.1), or over the bare hash (RFC 2409 5.1, and what some peers send
 * in pushes: decisions M16). */
enum rsa_form { RSA_DIGEST_INFO, RSA_BARE_HASH };

struct sign_key;   /* a private key */
struct verify_key; /* a public key */

MUST_USE enum err sign_key_generate_rsa(unsigned bits, struct sign_key **ret);
MUST_USE enum err sign_key_generate_ecdsa(unsigned bits, struct sign_key **ret); /* 256, 384, 521 */
/* PEM (PKCS #8 or traditional), unencrypted. */
MUST_USE enum err sign_key_from_pem(struct bytes pem, struct sign_key **ret);
MUST_USE enum err sign_key_to_pem(const struct sign_key *k, uint8_t *out, size_t room,
                                  size_t *ret_len);
/* DER SubjectPublicKeyInfo of the public half, as SIG_ALGORITHM_KEY carries it. */
MUST_USE enum err sign_key_spki(const struct sign_key *k, uint8_t *out, size_t room,
                                size_t *ret_len);
void sign_key_free(struct sign_key *k);
bool sign_key_is_rsa(const struct sign_key *k);
unsigned sign_key_bits(const struct sign_key *k);

/* Accepts SubjectPublicKeyInfo, and PKCS #1 RSAPublicKey. ERR_VALUE: RSA modulus outside RSA_BITS_MIN..MAX, exponent even
 * or < 3; ERR_TYPE: another algorithm. */
MUST_USE enum err verify_key_from_der(struct bytes der, struct verify_key **ret);
void verify_key_free(struct verify_key *k);
bool verify_key_is_rsa(const struct verify_key *k);
unsigned verify_key_bits(const struct verify_key *k);

MUST_USE enum err rsa_sign(const struct sign_key *k, enum hash h, struct bytes digest,
                           enum rsa_form form, uint8_t *out, size_t room, size_t *ret_len);
/* One public-key operation, then a constant-time comparison with each whole expected block: forms[] x digests[]. Nothing that comes out of
 * the operation is parsed. *ret_which is the index form + n_forms * digest of the match. ERR_AUTH when none matches. */
MUST_USE enum err rsa_verify(const struct verify_key *k, enum hash h, const enum rsa_form *forms,
                             size_t n_forms, const struct bytes *digests, size_t n_digests,
                             struct bytes signature, size_t *ret_which);
/* ECDSA with r | s of fixed width (RFC 4754). */
MUST_USE enum err ecdsa_sign(const struct sign_key *k, struct bytes digest, uint8_t *out,
                             size_t room, size_t *ret_len);
MUST_USE enum err ecdsa_verify(const struct verify_key *k, struct bytes digest,
                               struct bytes signature);

/* X.509: parses PEM or DER; the public key and what operators need to see. */
struct cert;
MUST_USE enum err cert_parse(struct bytes pem_or_der, struct cert **ret);
void cert_free(struct cert *c);
MUST_USE enum err cert_verify_key(const struct cert *c, struct verify_key **ret);
wall_t cert_not_before(const struct cert *c);
wall_t cert_not_after(const struct cert *c);
const char *cert_subject(const struct cert *c); /* RFC 2253 text, owned by c */
/* ERR_AUTH when the chain cert -> intermediates -> one of the anchors does not hold at time `now`. */
MUST_USE enum err cert_check_chain(const struct cert *c, struct cert *const *intermediates,
                                   size_t n_intermediates, struct cert *const *anchors,
                                   size_t n_anchors, wall_t now);
bool cert_matches_key(const struct cert *c, const struct sign_key *k);

#pragma once
/* RSA and ECDSA signatures. Slow: runs on workers. Certificates: crypto/cert.h. */
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/hash.h"

enum {
    RSA_BITS_MIN = 1024,
    RSA_BITS_MAX = 8192,
    SIGNATURE_MAX = RSA_BITS_MAX / 8,
    SPKI_MAX = 1100,
    SIGN_ENTROPY = 32,
};

/* RSA block type 1 over DigestInfo | hash (RFC 6407 5.3.6.1), or over the bare hash (RFC 2409 5.1,
 * and what some peers send in pushes: bare-signature). */
enum rsa_form { RSA_DIGEST_INFO, RSA_BARE_HASH };

struct sign_key;   /* a private key */
struct verify_key; /* a public key */

/* ERR_VALUE: RSA outside RSA_BITS_MIN..MAX or no multiple of 8; ECDSA other than 256, 384, 521.
 * `entropy` feeds the toy backend only; OpenSSL draws from its own generator. */
MUST_USE enum err sign_key_generate_rsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                                        struct sign_key **ret);
MUST_USE enum err sign_key_generate_ecdsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                                          struct sign_key **ret);
/* PEM (PKCS #8 or traditional), not encrypted. ERR_SYNTAX: no such PEM; ERR_TYPE and ERR_VALUE as
 * in verify_key_from_der(). */
MUST_USE enum err sign_key_from_pem(struct bytes pem, struct sign_key **ret);
/* PKCS #8. ERR_FULL when room is too small. The octets are a secret of the caller's. */
MUST_USE enum err sign_key_to_pem(const struct sign_key *k, uint8_t *out, size_t room,
                                  size_t *ret_len);
/* DER SubjectPublicKeyInfo of the public half, as SIG_ALGORITHM_KEY carries it. ERR_FULL. */
MUST_USE enum err sign_key_spki(const struct sign_key *k, uint8_t *out, size_t room,
                                size_t *ret_len);
void sign_key_free(struct sign_key *k); /* NULL allowed */
bool sign_key_is_rsa(const struct sign_key *k);
unsigned sign_key_bits(const struct sign_key *k);

/* Accepts SubjectPublicKeyInfo, and PKCS #1 RSAPublicKey. ERR_SYNTAX: neither, or octets follow it;
 * ERR_TYPE: another algorithm or curve than above; ERR_VALUE: RSA modulus outside
 * RSA_BITS_MIN..MAX, exponent even or < 3. */
MUST_USE enum err verify_key_from_der(struct bytes der, struct verify_key **ret);
void verify_key_free(struct verify_key *k); /* NULL allowed */
bool verify_key_is_rsa(const struct verify_key *k);
unsigned verify_key_bits(const struct verify_key *k);

/* digest has hash_len(h) octets. ERR_TYPE: not an RSA key; ERR_FULL: room below the modulus'
 * length. */
MUST_USE enum err rsa_sign(const struct sign_key *k, enum hash h, struct bytes digest,
                           enum rsa_form form, uint8_t *out, size_t room, size_t *ret_len);
/* One public-key operation, then a constant-time comparison with each whole expected block:
 * forms[] x digests[]. Nothing that comes out of the operation is parsed. *ret_which is
 * form + n_forms * digest of the match. ERR_TYPE: not an RSA key; ERR_AUTH: none matches. */
MUST_USE enum err rsa_verify(const struct verify_key *k, enum hash h, const enum rsa_form *forms,
                             size_t n_forms, const struct bytes *digests, size_t n_digests,
                             struct bytes signature, size_t *ret_which);
/* ECDSA with r | s of fixed width (RFC 4754). ERR_TYPE, ERR_FULL, ERR_AUTH as above. */
MUST_USE enum err ecdsa_sign(const struct sign_key *k, struct bytes digest, uint8_t *out,
                             size_t room, size_t *ret_len);
MUST_USE enum err ecdsa_verify(const struct verify_key *k, struct bytes digest,
                               struct bytes signature);

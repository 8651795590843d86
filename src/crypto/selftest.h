#pragma once
/* Known-answer tests through the facade, so that any backend but the toy must pass them. */
#include "crypto/crypto.h"
#include "crypto/packet.h"
#include "crypto/sign.h"

/* All values are hexadecimal; key NULL: the plain hash. */
struct hash_vector {
    enum hash hash;
    const char *key, *text, *out;
};
struct cbc_vector {
    enum cipher cipher;
    const char *key, *iv, *plain, *sealed;
};
struct dh_vector {
    unsigned group;
    const char *private, *peer, *shared;
};
struct packet_vector {
    enum cipher cipher;
    enum auth auth;
    const char *cipher_key, *auth_key, *head, *iv, *plain, *sealed, *icv;
};
struct sign_vector {
    bool rsa;
    const char *pem; /* the private key, as it is */
    enum hash hash;
    enum rsa_form form; /* RSA */
    const char *text, *signature;
};
struct crypto_vectors {
    const struct hash_vector *hashes;
    size_t n_hashes;
    const struct cbc_vector *cbcs;
    size_t n_cbcs;
    const struct dh_vector *dhs;
    size_t n_dhs;
    const struct packet_vector *packets;
    size_t n_packets;
    const struct sign_vector *signs;
    size_t n_signs;
};
/* Those of the standards; each entry says from which. */
extern const struct crypto_vectors crypto_vectors;

/* Runs those of the algorithms in use. ERR_SELF_TEST: *ret_text names the first algorithm that
 * failed (static). */
MUST_USE enum err crypto_self_test(struct crypto_use use, const struct crypto_vectors *v,
                                   const char **ret_text);

#pragma once
/* Starting the cryptographic library. A program links exactly one backend: OpenSSL, or the toy of
 * simulations and fuzzers. Algorithms are fetched once here; this table is the only process-wide
 * state of the project. */
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/cipher.h"
#include "crypto/dh.h"
#include "crypto/hash.h"

/* What a configuration uses: sets of 1 << enum value. */
struct crypto_use {
    uint32_t hashes, ciphers;
    uint64_t dh_groups; /* 1 << group number */
    bool rsa, ecdsa;
};
#define CRYPTO_USE_ALL ((struct crypto_use){UINT32_MAX, UINT32_MAX, UINT64_MAX, true, true})

/* Loads providers, fetches the algorithms and runs the known-answer tests of those in use (again on
 * every call, which may widen the use). ERR_NO_PROVIDER or ERR_SELF_TEST; *ret_text (static or
 * owned by the backend) then names the algorithm, and for a provider the Debian package that holds
 * it. Call before any other function. */
MUST_USE enum err crypto_start(struct crypto_use use, const char **ret_text);
void crypto_stop(void);
/* "OpenSSL 3.0.x" or "toy". */
const char *crypto_backend_name(void);

#pragma once
/* What the files of the OpenSSL backend share: the algorithms that crypto_start() has fetched. */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <openssl/provider.h>

struct openssl {
    OSSL_PROVIDER *standard, *legacy;
    EVP_MD *hash[HASH_COUNT];
    EVP_CIPHER *cipher[CIPHER_COUNT];
    EVP_MAC *hmac;
    EVP_MAC_CTX *hmac_of[HASH_COUNT]; /* without a key: duplicated for each use */
};
extern struct openssl openssl;

/* These calls fail only for want of memory or after a mistake of ours: there is nothing to return
 * to. */
void openssl_must(int result);
/* Drops what a failed call left in the thread's error queue, and returns e. */
enum err openssl_failed(enum err e);

/* The constants of the Diffie-Hellman groups; those in use (1 << number) also get a table that
 * trebles the speed of key generation, of 0.1 to 0.7 MB. */
void openssl_dh_start(uint64_t used);
void openssl_dh_stop(void);

#pragma once
/* Keys as the signature and certificate files of the OpenSSL backend share them. */
#include "crypto/sign.h"

#include <openssl/evp.h>

struct sign_key {
    EVP_PKEY *pkey;
};
struct verify_key {
    EVP_PKEY *pkey;
};

/* RSA or one of the three curves, with fitting numbers: ERR_TYPE, ERR_VALUE as in crypto/sign.h. */
enum err openssl_key_check(EVP_PKEY *pkey);
/* Takes the reference, also when it fails. */
enum err openssl_verify_key_of(EVP_PKEY *pkey, struct verify_key **ret);

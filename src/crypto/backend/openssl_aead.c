#include "crypto/aead.h"
#include "crypto/backend/openssl.h"

#include <assert.h>
#include <limits.h>

/* A context with key, nonce and aad taken in. */
static EVP_CIPHER_CTX *begin(const struct secret *key, const uint8_t *nonce, struct bytes aad,
                             int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;

    assert(openssl.cipher[CIPHER_AES_256_GCM] && key->len == AEAD_KEY && aad.len <= INT_MAX);
    openssl_must(ctx != NULL);
    openssl_must(
        EVP_CipherInit_ex2(ctx, openssl.cipher[CIPHER_AES_256_GCM], key->b, nonce, encrypt, NULL));
    openssl_must(EVP_CipherUpdate(ctx, NULL, &done, aad.data, (int)aad.len));
    return ctx;
}

static void update(EVP_CIPHER_CTX *ctx, uint8_t *data, size_t len)
{
    int done = 0;

    assert(len <= INT_MAX);
    if (len > 0)
        openssl_must(EVP_CipherUpdate(ctx, data, &done, data, (int)len));
    assert((size_t)done == len);
}

void aead_seal(const struct secret *key, const uint8_t nonce[AEAD_NONCE], struct bytes aad,
               uint8_t *data, size_t len, uint8_t tag[AEAD_TAG])
{
    EVP_CIPHER_CTX *ctx = begin(key, nonce, aad, 1);
    int done;

    update(ctx, data, len);
    openssl_must(EVP_CipherFinal_ex(ctx, data + len, &done));
    openssl_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, tag));
    EVP_CIPHER_CTX_free(ctx);
}

enum err aead_open(const struct secret *key, const uint8_t nonce[AEAD_NONCE], struct bytes aad,
                   uint8_t *data, size_t len, const uint8_t tag[AEAD_TAG])
{
    EVP_CIPHER_CTX *ctx = begin(key, nonce, aad, 0);
    uint8_t expected[AEAD_TAG];
    int done;

    memcpy(expected, tag, sizeof expected);
    update(ctx, data, len);
    openssl_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, expected));
    bool ok = EVP_CipherFinal_ex(ctx, data + len, &done) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? ERR_OK : openssl_failed(ERR_AUTH);
}

#include "crypto/backend/openssl.h"

#include <assert.h>
#include <limits.h>

static void cbc(enum cipher c, struct bytes key, const uint8_t *iv, uint8_t *data, size_t len,
                int encrypt)
{
    assert((unsigned)c < CIPHER_COUNT && openssl.cipher[c] && !cipher_is_counter_mode(c));
    assert(key.len == cipher_key_len(c) && len % cipher_block(c) == 0 && len <= INT_MAX);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    openssl_must(ctx != NULL);
    openssl_must(EVP_CipherInit_ex2(ctx, openssl.cipher[c], key.data, iv, encrypt, NULL));
    openssl_must(EVP_CIPHER_CTX_set_padding(ctx, 0));
    int done = 0;
    openssl_must(EVP_CipherUpdate(ctx, data, &done, data, (int)len));
    assert((size_t)done == len);
    EVP_CIPHER_CTX_free(ctx);
}

void cbc_encrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len)
{
    cbc(c, key, iv, data, len, 1);
    if (len)
        memcpy(iv, data + len - cipher_block(c), cipher_block(c));
}

void cbc_decrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len)
{
    uint8_t next[CIPHER_BLOCK_MAX];
    if (len)
        memcpy(next, data + len - cipher_block(c), cipher_block(c));
    cbc(c, key, iv, data, len, 0);
    if (len)
        memcpy(iv, next, cipher_block(c));
}

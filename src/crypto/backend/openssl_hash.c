#include "crypto/backend/openssl.h"

#include <assert.h>

void hash_parts(enum hash h, const struct bytes *parts, size_t n, uint8_t *out)
{
    assert((unsigned)h < HASH_COUNT && openssl.hash[h]);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    openssl_must(ctx != NULL);
    openssl_must(EVP_DigestInit_ex2(ctx, openssl.hash[h], NULL));
    for (size_t i = 0; i < n; i++)
        openssl_must(EVP_DigestUpdate(ctx, parts[i].data, parts[i].len));
    openssl_must(EVP_DigestFinal_ex(ctx, out, NULL));
    EVP_MD_CTX_free(ctx);
}

void hmac_parts(enum hash h, struct bytes key, const struct bytes *parts, size_t n, uint8_t *out)
{
    assert((unsigned)h < HASH_COUNT && openssl.hmac_of[h]);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(openssl.hmac_of[h]);
    openssl_must(ctx != NULL);
    /* A NULL key means "as before" to OpenSSL; an empty key is a key. */
    openssl_must(EVP_MAC_init(ctx, key.len ? key.data : (const uint8_t *)"", key.len, NULL));
    for (size_t i = 0; i < n; i++)
        openssl_must(EVP_MAC_update(ctx, parts[i].data, parts[i].len));
    size_t len;
    openssl_must(EVP_MAC_final(ctx, out, &len, hash_len(h)));
    EVP_MAC_CTX_free(ctx);
}

bool hmac_check(enum hash h, struct bytes key, const struct bytes *parts, size_t n,
                struct bytes expected)
{
    if (expected.len < HMAC_TRUNCATED_MIN || expected.len > hash_len(h))
        return false;
    SECRET mac = prf(h, key, parts, n);
    return secret_equal(bytes(mac.b, expected.len), expected);
}

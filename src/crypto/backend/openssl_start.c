/* Providers and algorithms: loaded and fetched once, before any thread starts. */
#include "crypto/backend/openssl.h"
#include "crypto/selftest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

struct openssl openssl;
static char problem[160];

/* OpenSSL's names, in the order of the enums. */
static const char *const hash_names[HASH_COUNT] = {"MD5", "SHA1", "SHA2-256", "SHA2-384",
                                                   "SHA2-512"};
static const char *const cipher_names[CIPHER_COUNT] = {
    [CIPHER_DES_CBC] = "DES-CBC",         [CIPHER_3DES_CBC] = "DES-EDE3-CBC",
    [CIPHER_AES_128_CBC] = "AES-128-CBC", [CIPHER_AES_192_CBC] = "AES-192-CBC",
    [CIPHER_AES_256_CBC] = "AES-256-CBC", [CIPHER_AES_128_GCM] = "AES-128-GCM",
    [CIPHER_AES_192_GCM] = "AES-192-GCM", [CIPHER_AES_256_GCM] = "AES-256-GCM",
};

void openssl_must(int result)
{
    if (result > 0)
        return;
    ERR_print_errors_fp(stderr);
    abort();
}

enum err openssl_failed(enum err e)
{
    ERR_clear_error();
    return e;
}

const char *crypto_backend_name(void) { return OpenSSL_version(OPENSSL_VERSION); }

/* Both providers are part of Debian 12's libssl3: the default one inside libcrypto.so.3, legacy as
 * ossl-modules/legacy.so. */
static enum err missing(const char *algorithm, const char *provider)
{
    snprintf(problem, sizeof problem,
             "%s needs OpenSSL's %s provider, which does not load (Debian package libssl3)",
             algorithm, provider);
    return openssl_failed(ERR_NO_PROVIDER);
}

static enum err fetch_hash(enum hash h, bool used)
{
    OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)hash_names[h],
                                         0),
        OSSL_PARAM_construct_end(),
    };
    if (!openssl.hash[h])
        openssl.hash[h] = EVP_MD_fetch(NULL, hash_names[h], NULL);
    if (!openssl.hash[h])
        return used ? missing(hash_name(h), "default") : openssl_failed(ERR_OK);
    if (openssl.hmac_of[h])
        return ERR_OK;
    openssl.hmac_of[h] = EVP_MAC_CTX_new(openssl.hmac);
    openssl_must(openssl.hmac_of[h] != NULL);
    openssl_must(EVP_MAC_CTX_set_params(openssl.hmac_of[h], digest));
    return ERR_OK;
}

static enum err fetch_cipher(enum cipher c, bool used)
{
    bool old = c == CIPHER_DES_CBC;
    if (c == CIPHER_NULL || openssl.cipher[c] || (old && !used))
        return ERR_OK;
    if (old && !openssl.legacy)
        openssl.legacy = OSSL_PROVIDER_load(NULL, "legacy");
    openssl.cipher[c] = EVP_CIPHER_fetch(NULL, cipher_names[c], NULL);
    if (!openssl.cipher[c] && used)
        return missing(cipher_name(c), old ? "legacy" : "default");
    return openssl_failed(ERR_OK);
}

static enum err fetch(struct crypto_use use)
{
    if (!openssl.standard)
        openssl.standard = OSSL_PROVIDER_load(NULL, "default");
    if (!openssl.hmac)
        openssl.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!openssl.standard || !openssl.hmac)
        return missing("hmac", "default");
    enum err e = ERR_OK;
    for (unsigned h = 0; h < HASH_COUNT && e == ERR_OK; h++)
        e = fetch_hash((enum hash)h, use.hashes >> h & 1);
    for (unsigned c = 0; c < CIPHER_COUNT && e == ERR_OK; c++)
        e = fetch_cipher((enum cipher)c, use.ciphers >> c & 1);
    return e;
}

enum err crypto_start(struct crypto_use use, const char **ret_text)
{
    enum err e = fetch(use);
    if (e != ERR_OK) {
        *ret_text = problem;
        return e;
    }
    openssl_dh_start(use.dh_groups);
    return crypto_self_test(use, &crypto_vectors, ret_text);
}

void crypto_stop(void)
{
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        EVP_MD_free(openssl.hash[h]);
        EVP_MAC_CTX_free(openssl.hmac_of[h]);
    }
    for (unsigned c = 0; c < CIPHER_COUNT; c++)
        EVP_CIPHER_free(openssl.cipher[c]);
    EVP_MAC_free(openssl.hmac);
    if (openssl.legacy)
        OSSL_PROVIDER_unload(openssl.legacy);
    if (openssl.standard)
        OSSL_PROVIDER_unload(openssl.standard);
    openssl = (struct openssl){0};
    openssl_dh_stop();
}

#include "cmd/names.h"

#include <assert.h>

const char *name_esp_cipher(enum cipher c)
{
    static const char *const name[CIPHER_COUNT] = {[CIPHER_NULL] = "none",
                                                   [CIPHER_DES_CBC] = "des",
                                                   [CIPHER_3DES_CBC] = "3des",
                                                   [CIPHER_AES_128_CBC] = "aes-128",
                                                   [CIPHER_AES_192_CBC] = "aes-192",
                                                   [CIPHER_AES_256_CBC] = "aes-256",
                                                   [CIPHER_AES_128_GCM] = "aes-gcm-128",
                                                   [CIPHER_AES_192_GCM] = "aes-gcm-192",
                                                   [CIPHER_AES_256_GCM] = "aes-gcm-256"};
    assert((unsigned)c < CIPHER_COUNT);
    return name[c];
}

const char *name_cipher(enum cipher c)
{
    static const char *const name[CIPHER_COUNT] = {[CIPHER_NULL] = "none",
                                                   [CIPHER_DES_CBC] = "des-cbc",
                                                   [CIPHER_3DES_CBC] = "3des-cbc",
                                                   [CIPHER_AES_128_CBC] = "aes128-cbc",
                                                   [CIPHER_AES_192_CBC] = "aes192-cbc",
                                                   [CIPHER_AES_256_CBC] = "aes256-cbc",
                                                   [CIPHER_AES_128_GCM] = "aes128-gcm",
                                                   [CIPHER_AES_192_GCM] = "aes192-gcm",
                                                   [CIPHER_AES_256_GCM] = "aes256-gcm"};
    assert((unsigned)c < CIPHER_COUNT);
    return name[c];
}

const char *name_esp_auth(enum auth a) { return a == AUTH_NONE ? "none" : name_hash(auth_hash(a)); }

const char *name_esp_auth_long(enum auth a)
{
    if (a == AUTH_NONE)
        return "none";
    switch (auth_hash(a)) {
    case HASH_MD5:
        return "md5-96";
    case HASH_SHA1:
        return "sha1-96";
    case HASH_SHA256:
        return "sha256-128";
    case HASH_SHA384:
        return "sha384-192";
    case HASH_SHA512:
        return "sha512-256";
    case HASH_COUNT:
        break;
    }
    return "unknown";
}

const char *name_hash(enum hash h)
{
    static const char *const name[HASH_COUNT] = {[HASH_MD5] = "md5",
                                                 [HASH_SHA1] = "sha1",
                                                 [HASH_SHA256] = "sha256",
                                                 [HASH_SHA384] = "sha384",
                                                 [HASH_SHA512] = "sha512"};
    assert((unsigned)h < HASH_COUNT);
    return name[h];
}

const char *name_ike_cipher(const struct model_ike_proposal *p)
{
    switch (p->cipher) {
    case MODEL_IKE_DES:
        return "des-cbc";
    case MODEL_IKE_3DES:
        return "3des-cbc";
    case MODEL_IKE_AES:
        return p->key_bits == 128 ? "aes128-cbc" : p->key_bits == 192 ? "aes192-cbc" : "aes256-cbc";
    }
    return "unknown";
}

const char *name_ike_auth(enum model_ike_hash h)
{
    switch (h) {
    case MODEL_IKE_MD5:
        return "hmac-md5-96";
    case MODEL_IKE_SHA1:
        return "hmac-sha1-96";
    case MODEL_IKE_SHA256:
        return "hmac-sha256-128";
    case MODEL_IKE_SHA384:
        return "hmac-sha384-192";
    case MODEL_IKE_SHA512:
        return "hmac-sha512-256";
    }
    return "unknown";
}

const char *name_ike_prf(enum model_ike_hash h)
{
    switch (h) {
    case MODEL_IKE_MD5:
        return "hmac-md5";
    case MODEL_IKE_SHA1:
        return "hmac-sha1";
    case MODEL_IKE_SHA256:
        return "hmac-sha256";
    case MODEL_IKE_SHA384:
        return "hmac-sha384";
    case MODEL_IKE_SHA512:
        return "hmac-sha512";
    }
    return "unknown";
}

const char *name_ike_method(enum model_ike_auth a)
{
    switch (a) {
    case MODEL_AUTH_PSK:
        return "Pre-shared-keys";
    case MODEL_AUTH_DSS:
        return "DSA-signatures";
    case MODEL_AUTH_RSA:
        return "RSA-signatures";
    }
    return "unknown";
}

#include "gdoi/numbers.h"

enum { BLOCK_DES = 8, BLOCK_AES = 16, SALT = 4, KEY_DES = 8, KEY_3DES = 24 };

static enum err aes_key_len(unsigned bits, size_t *ret)
{
    if (bits != 128 && bits != 192 && bits != 256)
        return ERR_VALUE;
    *ret = bits / 8;
    return ERR_OK;
}

enum err gdoi_esp_key_len(unsigned transform, unsigned bits, size_t *ret)
{
    switch (transform) {
    case GDOI_ESP_NULL:
        *ret = 0;
        return ERR_OK;
    case GDOI_ESP_DES:
        *ret = KEY_DES;
        return ERR_OK;
    case GDOI_ESP_3DES:
        *ret = KEY_3DES;
        return ERR_OK;
    case GDOI_ESP_AES_CBC:
        return aes_key_len(bits, ret);
    case GDOI_ESP_AES_CTR:   /* RFC 3686 5.1 */
    case GDOI_ESP_AES_GCM_8: /* RFC 4106 8.1 */
    case GDOI_ESP_AES_GCM_12:
    case GDOI_ESP_AES_GCM_16: {
        size_t key = 0;
        enum err e = aes_key_len(bits, &key);
        if (e == ERR_OK)
            *ret = key + SALT;
        return e;
    }
    default:
        return ERR_TYPE;
    }
}

/* RFC 6407 5.6.1.2: as long as the output of the hash. */
enum err gdoi_auth_key_len(unsigned auth, size_t *ret)
{
    static const uint8_t len[] = {
        [GDOI_AUTH_HMAC_MD5] = 16,    [GDOI_AUTH_HMAC_SHA1] = 20,   [GDOI_AUTH_HMAC_SHA256] = 32,
        [GDOI_AUTH_HMAC_SHA384] = 48, [GDOI_AUTH_HMAC_SHA512] = 64,
    };
    if (auth >= ARRAY_LEN(len) || len[auth] == 0)
        return ERR_TYPE;
    *ret = len[auth];
    return ERR_OK;
}

/* A key length may come with ciphers that have but one (RFC 6407 5.3.3), with or without parity
 * bits. */
enum err gdoi_kek_key_len(unsigned kek_alg, unsigned bits, size_t *ret_iv, size_t *ret_key)
{
    size_t key = 0;

    switch (kek_alg) {
    case GDOI_KEK_ALG_DES:
        if (bits != 0 && bits != 56 && bits != 64)
            return ERR_VALUE;
        key = KEY_DES;
        break;
    case GDOI_KEK_ALG_3DES:
        if (bits != 0 && bits != 168 && bits != 192)
            return ERR_VALUE;
        key = KEY_3DES;
        break;
    case GDOI_KEK_ALG_AES: {
        enum err e = aes_key_len(bits, &key);
        if (e)
            return e;
        break;
    }
    default:
        return ERR_TYPE;
    }
    *ret_iv = kek_alg == GDOI_KEK_ALG_AES ? BLOCK_AES : BLOCK_DES;
    *ret_key = key;
    return ERR_OK;
}

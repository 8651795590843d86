#include "crypto/packet.h"

#include <assert.h>

static const struct {
    const char *name;
    uint8_t key, icv;
    enum hash hash;
} auths[AUTH_COUNT] = {
    [AUTH_NONE] = {"none", 0, 0, HASH_COUNT},
    [AUTH_HMAC_MD5_96] = {"hmac-md5-96", 16, 12, HASH_MD5},             /* RFC 2403 */
    [AUTH_HMAC_SHA1_96] = {"hmac-sha1-96", 20, 12, HASH_SHA1},          /* RFC 2404 */
    [AUTH_HMAC_SHA256_128] = {"hmac-sha-256-128", 32, 16, HASH_SHA256}, /* RFC 4868 */
    [AUTH_HMAC_SHA384_192] = {"hmac-sha-384-192", 48, 24, HASH_SHA384},
    [AUTH_HMAC_SHA512_256] = {"hmac-sha-512-256", 64, 32, HASH_SHA512},
};

size_t auth_key_len(enum auth a)
{
    assert((unsigned)a < AUTH_COUNT);
    return auths[a].key;
}

size_t auth_icv_len(enum auth a)
{
    assert((unsigned)a < AUTH_COUNT);
    return auths[a].icv;
}

const char *auth_name(enum auth a)
{
    assert((unsigned)a < AUTH_COUNT);
    return auths[a].name;
}

enum hash auth_hash(enum auth a)
{
    assert((unsigned)a < AUTH_COUNT && a != AUTH_NONE);
    return auths[a].hash;
}

size_t packet_icv_len(enum cipher c, enum auth a)
{
    return cipher_is_counter_mode(c) ? 16 : auth_icv_len(a);
}

enum err packet_key_check(enum cipher c, enum auth a, struct bytes cipher_key,
                          struct bytes auth_key)
{
    if ((unsigned)c >= CIPHER_COUNT || (unsigned)a >= AUTH_COUNT)
        return ERR_TYPE;
    if (cipher_is_counter_mode(c) != (a == AUTH_NONE))
        return ERR_TYPE;
    bool fits = cipher_key.len == cipher_key_len(c) && auth_key.len == auth_key_len(a);
    return fits ? ERR_OK : ERR_LENGTH;
}

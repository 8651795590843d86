#include "crypto/cipher.h"

#include "base/compiler.h"

#include <assert.h>

static const struct {
    const char *name;
    uint8_t key, block, iv;
} ciphers[CIPHER_COUNT] = {
    [CIPHER_NULL] = {"null", 0, 1, 0},
    [CIPHER_DES_CBC] = {"des-cbc", 8, 8, 8},
    [CIPHER_3DES_CBC] = {"3des-cbc", 24, 8, 8},
    [CIPHER_AES_128_CBC] = {"aes-128-cbc", 16, 16, 16},
    [CIPHER_AES_192_CBC] = {"aes-192-cbc", 24, 16, 16},
    [CIPHER_AES_256_CBC] = {"aes-256-cbc", 32, 16, 16},
    [CIPHER_AES_128_GCM] = {"aes-128-gcm", 20, 16, 8},
    [CIPHER_AES_192_GCM] = {"aes-192-gcm", 28, 16, 8},
    [CIPHER_AES_256_GCM] = {"aes-256-gcm", 36, 16, 8},
};

size_t cipher_key_len(enum cipher c)
{
    assert((unsigned)c < CIPHER_COUNT);
    return ciphers[c].key;
}

size_t cipher_block(enum cipher c)
{
    assert((unsigned)c < CIPHER_COUNT);
    return ciphers[c].block;
}

size_t cipher_iv_len(enum cipher c)
{
    assert((unsigned)c < CIPHER_COUNT);
    return ciphers[c].iv;
}

const char *cipher_name(enum cipher c)
{
    assert((unsigned)c < CIPHER_COUNT);
    return ciphers[c].name;
}

bool cipher_is_counter_mode(enum cipher c)
{
    return c == CIPHER_AES_128_GCM || c == CIPHER_AES_192_GCM || c == CIPHER_AES_256_GCM;
}

void des_set_parity(uint8_t *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t seven = key[i] & 0xfe;
        key[i] = (uint8_t)(seven | !__builtin_parity(seven));
    }
}

/* RFC 2409 appendix A: four weak keys, twelve semi-weak ones. */
static const uint8_t weak_keys[][8] = {
    {0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
    {0x1f, 0x1f, 0x1f, 0x1f, 0xe0, 0xe0, 0xe0, 0xe0},
    {0xe0, 0xe0, 0xe0, 0xe0, 0x1f, 0x1f, 0x1f, 0x1f},
    {0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe},
    {0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe},
    {0x1f, 0xe0, 0x1f, 0xe0, 0x0e, 0xf1, 0x0e, 0xf1},
    {0x01, 0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1},
    {0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e, 0xfe},
    {0x01, 0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e},
    {0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1, 0xfe},
    {0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01},
    {0xe0, 0x1f, 0xe0, 0x1f, 0xf1, 0x0e, 0xf1, 0x0e},
    {0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1, 0x01},
    {0xfe, 0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e},
    {0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e, 0x01},
    {0xfe, 0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1},
};

/* The parity bits are no part of the key, so they are left out. */
static bool same_des_key(const uint8_t *a, const uint8_t *b)
{
    uint8_t different = 0;
    for (size_t i = 0; i < 8; i++)
        different |= (a[i] ^ b[i]) & 0xfe;
    return different == 0;
}

bool des_key_is_weak(struct bytes key)
{
    assert(key.len == 8 || key.len == 24);
    if (key.len == 24) /* RFC 2451 section 2.3: as weak as single DES */
        return same_des_key(key.data, key.data + 8) || same_des_key(key.data + 8, key.data + 16);
    bool weak = false;
    for (size_t i = 0; i < ARRAY_LEN(weak_keys); i++)
        weak |= same_des_key(key.data, weak_keys[i]);
    return weak;
}

#include "esp/random.h"

#include "crypto/cipher.h"
#include "crypto/secret.h"

#include <assert.h>
#include <string.h>

enum { KEY = 32, IV = 16 };

/* CBC over zeros is OFB: each block is the encryption of the one before. */
static void refill(struct esp_random *r)
{
    SECRET seed = secret_of(bytes(r->pool, ESP_SEED));
    memset(r->pool, 0, sizeof r->pool);
    cbc_encrypt(CIPHER_AES_256_CBC, bytes(seed.b, KEY), seed.b + KEY, r->pool, sizeof r->pool);
    r->used = ESP_SEED;
}

void esp_random_seed(struct esp_random *r, const uint8_t seed[ESP_SEED])
{
    memcpy(r->pool, seed, ESP_SEED);
    refill(r);
}

void esp_random_take(struct esp_random *r, uint8_t *out, size_t len)
{
    assert(len <= IV);
    if (sizeof r->pool - r->used < len)
        refill(r);
    memcpy(out, r->pool + r->used, len);
    memset(r->pool + r->used, 0, len);
    r->used += len;
}

void esp_random_wipe(struct esp_random *r) { explicit_bzero(r, sizeof *r); }

#pragma once
/* Initialisation vectors of CBC must be unpredictable (RFC 3602 3). They are the key stream of
 * AES-256 in OFB; each refill first takes the next key and IV for itself, so that what was handed
 * out cannot be found again from what is kept ("fast key erasure"). */
#include <stddef.h>
#include <stdint.h>

enum { ESP_SEED = 48, ESP_RANDOM_POOL = 4096 };

struct esp_random {
    uint8_t pool[ESP_RANDOM_POOL]; /* the first ESP_SEED octets are the next key and IV */
    size_t used;
};

void esp_random_seed(struct esp_random *r, const uint8_t seed[ESP_SEED]);
/* len <= 16 */
void esp_random_take(struct esp_random *r, uint8_t *out, size_t len);
void esp_random_wipe(struct esp_random *r);

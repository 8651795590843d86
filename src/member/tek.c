#include "member/tek.h"

#include <stdlib.h>

struct tek *tek_new(void)
{
    struct tek *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->send_until = t->drop_at = INSTANT_NEVER;
    return t;
}

void tek_free(struct tek *t)
{
    if (!t)
        return;
    explicit_bzero(t, sizeof *t);
    free(t);
}

void tek_set_digest(struct tek *t)
{
    static const char label[] = "conclave key digest";
    uint8_t hash[HASH_MAX];

    hash_parts(HASH_SHA256,
               PARTS(bytes_str(label), bytes(&t->spi, sizeof t->spi), secret_bytes(&t->key),
                     secret_bytes(&t->auth_key)),
               hash);
    memcpy(t->digest, hash, sizeof t->digest);
    explicit_bzero(hash, sizeof hash);
}

enum esp_slot tek_slot(const struct tek *t, instant_t now)
{
    if (t->receive_only || instant_reached(t->send_until, now))
        return ESP_SLOT_PREVIOUS;
    return instant_reached(t->send_at, now) ? ESP_SLOT_CURRENT : ESP_SLOT_NEXT;
}

bool tek_is_live(const struct tek *t, instant_t now)
{
    return !instant_reached(t->expiry, now) && !instant_reached(t->drop_at, now);
}

bool tek_sends(const struct tek *t, instant_t now)
{
    return tek_is_live(t, now) && tek_slot(t, now) == ESP_SLOT_CURRENT;
}

bool tek_is_succeeded(const struct tek *t)
{
    return t->receive_only || !instant_is_never(t->send_until);
}

bool tek_same_key(const struct tek *a, const struct tek *b)
{
    return a->cipher == b->cipher && a->auth == b->auth && a->window_ms == b->window_ms &&
           secret_equal(secret_bytes(&a->key), secret_bytes(&b->key)) &&
           secret_equal(secret_bytes(&a->auth_key), secret_bytes(&b->auth_key));
}

bool tek_same(const struct tek *a, const struct tek *b)
{
    return a->spi == b->spi && (ip_equal(a->server, b->server) || tek_same_key(a, b));
}

static bool ports_overlap(uint16_t a, uint16_t b) { return a == b || a == 0 || b == 0; }

static bool selector_overlaps(const struct esp_selector *a, const struct esp_selector *b)
{
    return prefix_overlaps(a->source, b->source) &&
           prefix_overlaps(a->destination, b->destination) &&
           (a->protocol == b->protocol || a->protocol == 0 || b->protocol == 0) &&
           ports_overlap(a->source_port, b->source_port) &&
           ports_overlap(a->destination_port, b->destination_port);
}

bool tek_overlaps(const struct tek *a, const struct tek *b)
{
    for (size_t i = 0; i < a->n_selectors; i++) {
        for (size_t j = 0; j < b->n_selectors; j++) {
            if (selector_overlaps(&a->selectors[i], &b->selectors[j]))
                return true;
        }
    }
    return false;
}

static bool selector_equal(const struct esp_selector *a, const struct esp_selector *b)
{
    return prefix_equal(a->source, b->source) && prefix_equal(a->destination, b->destination) &&
           a->protocol == b->protocol && a->source_port == b->source_port &&
           a->destination_port == b->destination_port;
}

static bool has_selector(const struct tek *t, const struct esp_selector *s)
{
    for (size_t i = 0; i < t->n_selectors; i++) {
        if (selector_equal(&t->selectors[i], s))
            return true;
    }
    return false;
}

bool tek_same_sa(const struct tek *a, const struct tek *b)
{
    for (size_t i = 0; i < b->n_selectors; i++) {
        if (has_selector(a, &b->selectors[i]))
            return true;
    }
    return false;
}

bool tek_will_send(const struct tek *t)
{
    return !t->receive_only && instant_before(t->send_at, t->expiry);
}

#include "member/keyring.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

struct tek *tek_new(void)
{
    struct tek *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->drop_at = INSTANT_NEVER;
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

static bool selector_overlaps(const struct esp_selector *a, const struct esp_selector *b)
{
    return prefix_overlaps(a->source, b->source) &&
           prefix_overlaps(a->destination, b->destination) &&
           (a->protocol == b->protocol || a->protocol == 0 || b->protocol == 0) &&
           (a->source_port == b->source_port || a->source_port == 0 || b->source_port == 0) &&
           (a->destination_port == b->destination_port || a->destination_port == 0 ||
            b->destination_port == 0);
}

static bool overlaps(const struct tek *a, const struct tek *b)
{
    for (size_t i = 0; i < a->n_selectors; i++) {
        for (size_t j = 0; j < b->n_selectors; j++) {
            if (selector_overlaps(&a->selectors[i], &b->selectors[j]))
                return true;
        }
    }
    return false;
}

static bool is_live(const struct tek *t, instant_t now)
{
    return !instant_reached(t->expiry, now) && !instant_reached(t->drop_at, now);
}

/* Whether b takes over from a, at b's send_at. */
static bool succeeds(const struct tek *b, const struct tek *a)
{
    if (a == b || b->receive_only || !overlaps(a, b))
        return false;
    if (b->send_at.ns != a->send_at.ns)
        return instant_before(a->send_at, b->send_at);
    return instant_before(a->expiry, b->expiry);
}

static bool has_successor(const struct keyring *k, const struct tek *t)
{
    for (size_t i = 0; i < k->n; i++) {
        if (succeeds(k->teks[i], t))
            return true;
    }
    return false;
}

enum esp_slot keyring_slot(const struct keyring *k, const struct tek *t, instant_t now)
{
    if (t->receive_only)
        return ESP_SLOT_PREVIOUS;
    if (!instant_reached(t->send_at, now))
        return ESP_SLOT_NEXT;
    for (size_t i = 0; i < k->n; i++) {
        const struct tek *other = k->teks[i];
        if (succeeds(other, t) && instant_reached(other->send_at, now) && is_live(other, now))
            return ESP_SLOT_PREVIOUS;
    }
    return ESP_SLOT_CURRENT;
}

bool keyring_can_send(const struct keyring *k, instant_t now)
{
    for (size_t i = 0; i < k->n; i++) {
        if (keyring_slot(k, k->teks[i], now) == ESP_SLOT_CURRENT && is_live(k->teks[i], now))
            return true;
    }
    return false;
}

instant_t keyring_due(const struct keyring *k, instant_t now)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < k->n; i++) {
        const struct tek *t = k->teks[i];
        due = instant_min(due, instant_min(t->expiry, t->drop_at));
        if (!instant_reached(t->send_at, now))
            due = instant_min(due, t->send_at);
    }
    return due;
}

instant_t keyring_end(const struct keyring *k)
{
    instant_t end = INSTANT_NEVER;

    for (size_t i = 0; i < k->n; i++) {
        if (!k->teks[i]->receive_only && !has_successor(k, k->teks[i]))
            end = instant_min(end, k->teks[i]->expiry);
    }
    return end;
}

static void remove_at(struct keyring *k, size_t i)
{
    tek_free(k->teks[i]);
    k->n--;
    for (; i < k->n; i++)
        k->teks[i] = k->teks[i + 1];
}

size_t keyring_expire(struct keyring *k, instant_t now)
{
    size_t before = k->n;

    for (size_t i = k->n; i-- > 0;) {
        if (!is_live(k->teks[i], now))
            remove_at(k, i);
    }
    return before - k->n;
}

void keyring_clear(struct keyring *k)
{
    while (k->n > 0)
        remove_at(k, k->n - 1);
}

static struct tek *find(const struct keyring *k, const struct tek *like)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->teks[i]->spi == like->spi && ip_equal(k->teks[i]->server, like->server))
            return k->teks[i];
    }
    return NULL;
}

static bool same_key(const struct tek *a, const struct tek *b)
{
    return a->cipher == b->cipher && a->auth == b->auth &&
           secret_equal(secret_bytes(&a->key), secret_bytes(&b->key)) &&
           secret_equal(secret_bytes(&a->auth_key), secret_bytes(&b->auth_key));
}

/* ERR_OK when the offer can be taken: no known SPI with another key, and room for what is new. */
static enum err check_offer(const struct keyring *k, const struct keyring_offer *offer)
{
    size_t n = k->n;

    for (size_t i = 0; i < offer->n; i++) {
        const struct tek *held = find(k, offer->teks[i]);
        if (held && !same_key(held, offer->teks[i]))
            return ERR_CONFLICT;
        n += held == NULL;
    }
    return n > MEMBER_TEKS_MAX ? ERR_TOO_MANY : ERR_OK;
}

static bool holds_live(const struct keyring *k, const struct tek *t, instant_t now)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct tek *held = k->teks[i];
        if (!held->receive_only && is_live(held, now) && overlaps(held, t))
            return true;
    }
    return false;
}

/* Of overlapping TEKs of one offer, the one with the least life left is current: it sends at once,
 * and the GAP's delay speaks for the others. A TEK alone waits for the delay only where a key is
 * held: "wait 0" means holding no live key (decisions M2). */
static instant_t send_at(const struct keyring *k, const struct keyring_offer *offer,
                         const struct tek *t, instant_t now)
{
    instant_t delayed = instant_add(offer->received, span_s(offer->has_gap ? offer->atd_s : 0));
    bool later_one = false, earlier_one = false;

    for (size_t i = 0; i < offer->n; i++) {
        const struct tek *other = offer->teks[i];
        if (other == t || other->receive_only || !overlaps(other, t))
            continue;
        later_one = later_one || instant_before(t->expiry, other->expiry);
        earlier_one = earlier_one || instant_before(other->expiry, t->expiry);
    }
    if (earlier_one)
        return delayed;
    if (later_one || !holds_live(k, t, now))
        return offer->received;
    return delayed;
}

static bool is_offered(const struct keyring_offer *offer, const struct tek *held)
{
    for (size_t i = 0; i < offer->n; i++) {
        if (offer->teks[i]->spi == held->spi && ip_equal(offer->teks[i]->server, held->server))
            return true;
    }
    return false;
}

/* What a TEK's end becomes now that a successor is known. Later messages never move it (decisions
 * M1); without a GAP the key lives to its own expiry (S30). */
static void set_drop(struct tek *t, const struct keyring_offer *offer)
{
    if (instant_is_never(t->drop_at) && offer->has_gap)
        t->drop_at = instant_add(offer->received, span_s(offer->dtd_s));
}

/* Forgets what the server no longer names and nothing succeeds. `offered` tells which of the ring's
 * teks were named. */
static void drop_unnamed(struct keyring *k, const struct keyring_offer *offer, const bool *offered)
{
    for (size_t i = k->n; i-- > 0;) {
        struct tek *t = k->teks[i];
        if (t->receive_only || has_successor(k, t))
            set_drop(t, offer);
        else if (!offered[i])
            remove_at(k, i);
    }
}

enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                      size_t *ret_learned)
{
    bool offered[MEMBER_TEKS_MAX] = {false};
    size_t learned = 0, held = k->n;
    enum err e = check_offer(k, offer);

    for (size_t i = 0; i < held && !e; i++)
        offered[i] = is_offered(offer, k->teks[i]);
    for (size_t i = 0; i < offer->n && !e; i++)
        offer->teks[i]->send_at = send_at(k, offer, offer->teks[i], now);
    for (size_t i = 0; i < offer->n; i++) {
        struct tek *t = offer->teks[i], *known = find(k, t);
        if (e || known) {
            if (!e && t->receive_only)
                known->receive_only = true;
            tek_free(t);
            continue;
        }
        offered[k->n] = true;
        k->teks[k->n++] = t;
        learned++;
    }
    offer->n = 0;
    if (e)
        return e;
    drop_unnamed(k, offer, offered);
    keyring_expire(k, now);
    *ret_learned = learned;
    return ERR_OK;
}

const struct esp_vpn_install *keyring_install(const struct keyring *k, const char *vpn,
                                              instant_t now, struct arena *arena)
{
    struct esp_vpn_install *install = arena_alloc(arena, sizeof *install);
    struct esp_sa_install *sas = arena_alloc(arena, (k->n ? k->n : 1) * sizeof *sas);

    for (size_t i = 0; i < k->n; i++) {
        const struct tek *t = k->teks[i];
        sas[i] = (struct esp_sa_install){
            .spi = t->spi,
            .server = t->server,
            .slot = keyring_slot(k, t, now),
            .cipher = t->cipher,
            .auth = t->auth,
            .key = t->key,
            .auth_key = t->auth_key,
            .selectors = arena_copy(arena, t->selectors, t->n_selectors * sizeof *t->selectors),
            .n_selectors = t->n_selectors,
        };
    }
    *install = (struct esp_vpn_install){.vpn = vpn, .sas = sas, .n_sas = k->n};
    return install;
}

#include "member/keyring.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the ring ---- */

uint32_t keyring_window_ms(const struct keyring *k)
{
    uint32_t least = 0;

    for (size_t i = 0; i < k->n; i++) {
        uint32_t w = k->teks[i]->window_ms;
        least = w && (!least || w < least) ? w : least;
    }
    return least;
}

bool keyring_holds(const struct keyring *k, uint32_t spi, struct ip server)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->teks[i]->spi == spi && ip_equal(k->teks[i]->server, server))
            return true;
    }
    return false;
}

bool keyring_can_send(const struct keyring *k, instant_t now)
{
    for (size_t i = 0; i < k->n; i++) {
        if (tek_sends(k->teks[i], now))
            return true;
    }
    return false;
}

static instant_t if_later(instant_t due, instant_t now)
{
    return instant_reached(due, now) ? INSTANT_NEVER : due;
}

instant_t keyring_due(const struct keyring *k, instant_t now)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < k->n; i++) {
        const struct tek *t = k->teks[i];
        due = instant_min(due, instant_min(t->expiry, t->drop_at));
        due = instant_min(due, if_later(t->send_at, now));
        due = instant_min(due, if_later(t->send_until, now));
    }
    return due;
}

instant_t keyring_end(const struct keyring *k)
{
    instant_t end = INSTANT_NEVER;

    for (size_t i = 0; i < k->n; i++) {
        if (!tek_is_succeeded(k->teks[i]))
            end = instant_min(end, k->teks[i]->expiry);
    }
    return end;
}

struct tek *keyring_take(struct keyring *k, size_t at)
{
    struct tek *t = k->teks[at];

    k->n--;
    memmove(k->teks + at, k->teks + at + 1, (k->n - at) * sizeof *k->teks);
    return t;
}

void keyring_insert(struct keyring *k, size_t at, struct tek *t)
{
    assert(k->n + k->n_ended < MEMBER_TEKS_MAX && at <= k->n);
    memmove(k->teks + at + 1, k->teks + at, (k->n - at) * sizeof *k->teks);
    k->teks[at] = t;
    k->n++;
}

size_t keyring_newest(const struct keyring *k, uint32_t ret_spis[MEMBER_TEKS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++) {
        if (tek_is_succeeded(k->teks[i]))
            continue;
        size_t at = n++;
        for (; at > 0 && ret_spis[at - 1] > k->teks[i]->spi; at--)
            ret_spis[at] = ret_spis[at - 1];
        ret_spis[at] = k->teks[i]->spi;
    }
    return n;
}

/* ---- the end of a key ---- */

/* What it protected is remembered, once, and nothing else. */
static void close_traffic(struct keyring *k, struct tek *t)
{
    for (size_t i = 0; i < k->n_ended; i++) {
        if (tek_same_sa(k->ended[i], t)) {
            tek_free(t);
            return;
        }
    }
    assert(k->n + k->n_ended < MEMBER_TEKS_MAX);
    secret_wipe(&t->key);
    secret_wipe(&t->auth_key);
    k->ended[k->n_ended++] = t;
}

size_t keyring_expire(struct keyring *k, instant_t now)
{
    size_t ended = 0;

    for (size_t i = 0; i < k->n;) {
        if (tek_is_live(k->teks[i], now)) {
            i++;
            continue;
        }
        struct tek *t = keyring_take(k, i);
        if (tek_is_succeeded(t)) {
            tek_free(t);
        } else {
            close_traffic(k, t);
            ended++;
        }
    }
    return ended;
}

static bool is_followed(const struct keyring *k, const struct tek *t)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct tek *b = k->teks[i];
        if (b != t && tek_will_send(b) && b->send_at.ns == t->send_until.ns && tek_overlaps(b, t))
            return true;
    }
    return false;
}

/* A key whose successor is gone before its turn goes on sending. */
static void go_on(struct keyring *k, instant_t now)
{
    for (size_t i = 0; i < k->n; i++) {
        struct tek *t = k->teks[i];
        if (!t->receive_only && !instant_reached(t->send_until, now) && !is_followed(k, t))
            t->send_until = t->drop_at = INSTANT_NEVER;
    }
}

/* Of those learned before `until` the ones with that SPI; 0: all. */
static size_t delete (struct keyring *k, uint32_t spi, instant_t until, instant_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n;) {
        const struct tek *t = k->teks[i];
        if ((spi != 0 && t->spi != spi) || !instant_before(t->learned, until)) {
            i++;
            continue;
        }
        close_traffic(k, keyring_take(k, i));
        n++;
    }
    if (n > 0)
        go_on(k, now);
    return n;
}

size_t keyring_delete(struct keyring *k, uint32_t spi, instant_t now)
{
    return delete (k, spi, INSTANT_NEVER, now);
}

size_t keyring_delete_all(struct keyring *k, instant_t until, instant_t now)
{
    return delete (k, 0, until, now);
}

void keyring_clear(struct keyring *k)
{
    while (k->n > 0)
        tek_free(k->teks[--k->n]);
    while (k->n_ended > 0)
        tek_free(k->ended[--k->n_ended]);
}

/* ---- the data path ---- */

static struct esp_sa_install sa_of(const struct tek *t, instant_t now, struct arena *arena)
{
    return (struct esp_sa_install){
        .spi = t->spi,
        .server = t->server,
        .slot = tek_slot(t, now),
        .cipher = t->cipher,
        .auth = t->auth,
        .key = t->key,
        .auth_key = t->auth_key,
        .transport_mode = t->transport_mode,
        .window_ms = t->window_ms,
        .selectors = arena_copy(arena, t->selectors, t->n_selectors * sizeof *t->selectors),
        .n_selectors = t->n_selectors,
    };
}

static void close_selectors(const struct tek *t, struct esp_selector *closed,
                            struct esp_vpn_install *to)
{
    memcpy(closed + to->n_closed, t->selectors, t->n_selectors * sizeof *closed);
    to->n_closed += t->n_selectors;
}

/* What has ended, and what waits for its turn: its predecessor may end first. */
static void add_closed(const struct keyring *k, instant_t now, struct arena *arena,
                       struct esp_vpn_install *to)
{
    size_t n = 1;

    for (size_t i = 0; i < k->n_ended; i++)
        n += k->ended[i]->n_selectors;
    for (size_t i = 0; i < k->n; i++)
        n += k->teks[i]->n_selectors;
    struct esp_selector *closed = arena_alloc(arena, n * sizeof *closed);
    for (size_t i = 0; i < k->n_ended; i++)
        close_selectors(k->ended[i], closed, to);
    for (size_t i = 0; i < k->n; i++) {
        if (tek_slot(k->teks[i], now) == ESP_SLOT_NEXT)
            close_selectors(k->teks[i], closed, to);
    }
    to->closed = closed;
}

const struct esp_vpn_install *keyring_install(const struct keyring *k, const char *vpn,
                                              instant_t now, struct arena *arena)
{
    struct esp_vpn_install *install = arena_alloc(arena, sizeof *install);
    struct esp_sa_install *sas = arena_alloc(arena, (k->n ? k->n : 1) * sizeof *sas);

    for (size_t i = 0; i < k->n; i++)
        sas[i] = sa_of(k->teks[i], now, arena);
    *install = (struct esp_vpn_install){.vpn = vpn, .sas = sas, .n_sas = k->n};
    add_closed(k, now, arena, install);
    return install;
}

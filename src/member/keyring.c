#include "member/keyring.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the ring ---- */

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

/* Takes a TEK out of the ring without freeing it. */
static struct tek *take_at(struct keyring *k, size_t i)
{
    struct tek *t = k->teks[i];

    k->n--;
    for (; i < k->n; i++)
        k->teks[i] = k->teks[i + 1];
    return t;
}

/* Only what it protected is remembered. */
static void end_without_successor(struct keyring *k, struct tek *t)
{
    assert(k->n_ended < MEMBER_TEKS_MAX); /* a PULL clears the list and fills the ring */
    secret_wipe(&t->key);
    secret_wipe(&t->auth_key);
    k->ended[k->n_ended++] = t;
}

size_t keyring_expire(struct keyring *k, instant_t now)
{
    size_t before = k->n_ended;

    for (size_t i = 0; i < k->n;) {
        if (tek_is_live(k->teks[i], now)) {
            i++;
            continue;
        }
        struct tek *t = take_at(k, i);
        if (tek_is_succeeded(t))
            tek_free(t);
        else
            end_without_successor(k, t);
    }
    return k->n_ended - before;
}

void keyring_clear(struct keyring *k)
{
    while (k->n > 0)
        tek_free(k->teks[--k->n]);
    while (k->n_ended > 0)
        tek_free(k->ended[--k->n_ended]);
}

/* ---- a PULL ---- */

/* The index of the TEK that `like` is about, or k->n. */
static size_t index_of(const struct keyring *k, const struct tek *like)
{
    size_t i = 0;

    while (i < k->n && !tek_same(k->teks[i], like))
        i++;
    return i;
}

/* ERR_OK when the offer can be taken: no known SPI with another key, and room for what is new. */
static enum err check_offer(const struct keyring *k, const struct keyring_offer *offer)
{
    size_t n = k->n;

    for (size_t i = 0; i < offer->n; i++) {
        size_t held = index_of(k, offer->teks[i]);
        if (held < k->n && !tek_same_key(k->teks[held], offer->teks[i]))
            return ERR_CONFLICT;
        n += held == k->n;
    }
    return n > MEMBER_TEKS_MAX ? ERR_TOO_MANY : ERR_OK;
}

static bool sends_for(const struct keyring *k, const struct tek *t, instant_t now)
{
    for (size_t i = 0; i < k->n; i++) {
        if (tek_sends(k->teks[i], now) && tek_overlaps(k->teks[i], t))
            return true;
    }
    return false;
}

/* Of two keys of one SA in one offer, the one with less life left is current: it sends at once, and
 * the GAP's delay speaks for the other. A key alone waits for the delay only where another one
 * sends: "wait 0" means holding no live key (decisions M2). */
static instant_t send_at(const struct keyring *k, const struct keyring_offer *offer,
                         const struct tek *t, instant_t now)
{
    instant_t delayed = instant_add(offer->received, span_s(offer->atd_s));
    bool later_one = false, earlier_one = false;

    for (size_t i = 0; i < offer->n; i++) {
        const struct tek *other = offer->teks[i];
        if (other == t || other->receive_only || !tek_same_selectors(other, t))
            continue;
        later_one = later_one || instant_before(t->expiry, other->expiry);
        earlier_one = earlier_one || instant_before(other->expiry, t->expiry);
    }
    if (earlier_one)
        return delayed;
    return later_one || !sends_for(k, t, now) ? offer->received : delayed;
}

/* The old key goes DTD after the message, and never before the new one sends: a server whose DTD is
 * the smaller one must not silence its members. */
static instant_t drop_at(const struct keyring_offer *offer, instant_t successor_sends)
{
    if (!offer->has_dtd)
        return INSTANT_NEVER;
    return instant_max(instant_add(offer->received, span_s(offer->dtd_s)), successor_sends);
}

/* The same successor, told again, moves nothing (decisions M1); another one never brings the drop
 * forward. NEVER: there is none any more. */
static void set_end(struct tek *t, instant_t successor_sends, const struct keyring_offer *offer)
{
    instant_t drop = drop_at(offer, successor_sends);

    if (t->send_until.ns == successor_sends.ns)
        return;
    if (!instant_is_never(successor_sends) && !instant_is_never(t->drop_at))
        drop = instant_max(drop, t->drop_at);
    t->send_until = successor_sends;
    t->drop_at = drop;
}

static void receive_only(struct tek *t, const struct keyring_offer *offer)
{
    t->receive_only = true;
    if (instant_is_never(t->drop_at))
        t->drop_at = drop_at(offer, offer->received);
}

/* Plans the end of a TEK that the offer names; `outgoing`: as one to receive with. A successor that
 * is not offered any more will not come. */
static void follow(struct tek *t, bool outgoing, struct tek *const *offered, size_t n,
                   const struct keyring_offer *offer, instant_t now)
{
    instant_t next = INSTANT_NEVER;

    for (size_t i = 0; i < n; i++) {
        if (tek_succeeds(offered[i], t))
            next = instant_min(next, offered[i]->send_at);
    }
    if (t->receive_only || (outgoing && instant_is_never(next)))
        receive_only(t, offer);
    else if (!instant_reached(t->send_until, now))
        set_end(t, next, offer);
}

/* What becomes of a TEK that the server no longer names: false when it goes at once. While offered
 * keys take over its traffic it is kept for those who still send with it. */
static bool outlives(struct tek *t, struct tek *const *offered, size_t n,
                     const struct keyring_offer *offer, instant_t now)
{
    instant_t next = INSTANT_NEVER;

    for (size_t i = 0; i < n; i++) {
        if (tek_will_send(offered[i]) && tek_overlaps(offered[i], t))
            next = instant_min(next, offered[i]->send_at);
    }
    if (instant_is_never(next))
        return false;
    if (tek_slot(t, now) == ESP_SLOT_NEXT)
        receive_only(t, offer);
    else if (tek_slot(t, now) == ESP_SLOT_CURRENT)
        set_end(t, next, offer);
    return true;
}

/* Puts the offered TEKs into `fresh`, those that are known already from k; the number of new ones.
 */
static size_t take_offered(struct keyring *k, struct keyring_offer *offer, struct keyring *fresh)
{
    size_t learned = 0;

    for (size_t i = 0; i < offer->n; i++) {
        struct tek *t = offer->teks[i];
        size_t held = index_of(k, t);
        if (held == k->n) {
            fresh->teks[fresh->n++] = t;
            learned++;
            continue;
        }
        fresh->teks[fresh->n++] = take_at(k, held);
        tek_free(t);
    }
    offer->n = 0;
    return learned;
}

enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                      size_t *ret_learned)
{
    bool outgoing[MEMBER_TEKS_MAX] = {false};
    struct keyring fresh = {0};
    enum err e = check_offer(k, offer);

    for (size_t i = 0; i < offer->n && !e; i++) {
        offer->teks[i]->send_at = send_at(k, offer, offer->teks[i], now);
        outgoing[i] = offer->teks[i]->receive_only;
    }
    while (e && offer->n > 0)
        tek_free(offer->teks[--offer->n]);
    if (e)
        return e;
    *ret_learned = take_offered(k, offer, &fresh);
    size_t n = fresh.n;
    for (size_t i = 0; i < n; i++)
        follow(fresh.teks[i], outgoing[i], fresh.teks, n, offer, now);
    while (k->n > 0) {
        struct tek *t = take_at(k, 0);
        if (outlives(t, fresh.teks, n, offer, now))
            fresh.teks[fresh.n++] = t;
        else
            tek_free(t);
    }
    keyring_clear(k);
    *k = fresh;
    keyring_expire(k, now);
    return ERR_OK;
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
        .selectors = arena_copy(arena, t->selectors, t->n_selectors * sizeof *t->selectors),
        .n_selectors = t->n_selectors,
    };
}

static void add_closed(const struct keyring *k, struct arena *arena, struct esp_vpn_install *to)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n_ended; i++)
        n += k->ended[i]->n_selectors;
    struct esp_selector *closed = arena_alloc(arena, (n ? n : 1) * sizeof *closed);
    for (size_t i = 0; i < k->n_ended; i++) {
        const struct tek *t = k->ended[i];
        memcpy(closed + to->n_closed, t->selectors, t->n_selectors * sizeof *closed);
        to->n_closed += t->n_selectors;
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
    add_closed(k, arena, install);
    return install;
}

/* What a message that brings keys does to those that are held: the PULL, which is the whole truth,
 * and the push, which is a delta (decisions M1-M3). */
#include "member/keyring.h"

/* The index of the TEK that `like` is about, or k->n. */
static size_t index_of(const struct keyring *k, const struct tek *like)
{
    size_t i = 0;

    while (i < k->n && !tek_same(k->teks[i], like))
        i++;
    return i;
}

/* ERR_OK when the offer can be taken: no known SPI with another key, and room for what is new. */
static enum err check_offer(const struct keyring *k, const struct keyring_offer *offer, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < offer->n; i++) {
        size_t held = index_of(k, offer->teks[i]);
        if (held < k->n && !tek_same_key(k->teks[held], offer->teks[i]))
            return ERR_CONFLICT;
        n += held == k->n;
    }
    return n > room ? ERR_TOO_MANY : ERR_OK;
}

/* The held key that `offered` is about, when it sends here already, or NULL. */
static const struct tek *sending(const struct keyring *k, const struct tek *offered, instant_t now)
{
    size_t held = index_of(k, offered);
    return held < k->n && tek_sends(k->teks[held], now) ? k->teks[held] : NULL;
}

/* A push may have brought the next key since message 1 of this PULL: the first of those to send. */
static instant_t overtaken_at(const struct keyring *k, const struct keyring_offer *offer,
                              const struct tek *t)
{
    instant_t first = INSTANT_NEVER;

    for (size_t i = 0; i < k->n; i++) {
        const struct tek *newer = k->teks[i];
        if (instant_before(offer->asked, newer->learned) && tek_will_send(newer) &&
            tek_same_sa(newer, t))
            first = instant_min(first, newer->send_at);
    }
    return first;
}

/* Of two keys of one SA in one offer the earlier one is current: it sends at once, and the GAP's
 * delay speaks for the later one. (Not the one with less life left: lifetimes may have been
 * shortened.) But one that sends here already is the older one if it also ends first, wherever it
 * stands: some servers may list the new key first. None begins after a key that is newer: then it
 * never sends.
 *
 * A key alone waits for the delay where another one sends, and where none does but others send
 * elsewhere: it may be the next one of an ipsec-sa whose policy was changed, or of one that is new,
 * and nobody else sends under it yet (M7). "Wait 0" means holding no live key (decisions M2). And
 * it waits where the offer says so. */
static instant_t send_at(const struct keyring *k, const struct keyring_offer *offer, size_t at,
                         instant_t now)
{
    const struct tek *t = offer->teks[at];
    instant_t delayed = instant_add(offer->received, span_s(offer->atd_s));
    instant_t newer = overtaken_at(k, offer, t);
    bool is_current = !instant_is_never(newer);

    for (size_t i = 0; i < offer->n; i++) {
        const struct tek *other = offer->teks[i], *held = sending(k, other, now);
        if (i == at || other->receive_only || !tek_same_sa(other, t))
            continue;
        if (i < at || (held && instant_before(other->expiry, t->expiry)))
            return delayed;
        is_current = true;
        if (held)
            newer = instant_min(newer, held->send_at);
    }
    is_current = is_current || sending(k, t, now) || (!offer->waits && !keyring_can_send(k, now));
    return is_current ? instant_min(offer->received, newer) : delayed;
}

static void plan_sending(const struct keyring *k, struct keyring_offer *offer, instant_t now)
{
    for (size_t i = 0; i < offer->n; i++)
        offer->teks[i]->send_at = send_at(k, offer, i, now);
}

static void refuse(struct keyring_offer *offer)
{
    while (offer->n > 0)
        tek_free(offer->teks[--offer->n]);
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

/* Whether b takes over from a, at b's send_at. Of two that begin together the earlier one in the
 * server's order is the older. */
static bool succeeds(const struct keyring *k, size_t b, size_t a)
{
    const struct tek *old = k->teks[a], *new = k->teks[b];

    if (a == b || !tek_will_send(new) || !tek_same_sa(old, new))
        return false;
    if (new->send_at.ns != old->send_at.ns)
        return instant_before(old->send_at, new->send_at);
    return a < b;
}

/* Plans the end of TEK `at` of what the offer names; `outgoing`: as one to receive with. A
 * successor that is not offered any more will not come. */
static void follow(struct keyring *named, size_t at, bool outgoing,
                   const struct keyring_offer *offer, instant_t now)
{
    struct tek *t = named->teks[at];
    instant_t next = INSTANT_NEVER;

    for (size_t i = 0; i < named->n; i++) {
        if (succeeds(named, i, at))
            next = instant_min(next, named->teks[i]->send_at);
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
        fresh->teks[fresh->n++] = keyring_take(k, held);
        tek_free(t);
    }
    offer->n = 0;
    return learned;
}

/* What a push has brought since the PULL began may not be in the snapshot of message 2, whichever
 * of them arrived first (decisions M9): it stays as if it had been named last. */
static void take_newer(struct keyring *k, const struct keyring_offer *offer, struct keyring *fresh)
{
    for (size_t i = 0; i < k->n;) {
        if (instant_before(offer->asked, k->teks[i]->learned))
            fresh->teks[fresh->n++] = keyring_take(k, i);
        else
            i++;
    }
}

enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                      size_t *ret_learned)
{
    bool outgoing[MEMBER_TEKS_MAX] = {false};
    struct keyring fresh = {0};
    enum err e = check_offer(k, offer, MEMBER_TEKS_MAX - k->n);

    if (e) {
        refuse(offer);
        return e;
    }
    plan_sending(k, offer, now);
    for (size_t i = 0; i < offer->n; i++)
        outgoing[i] = offer->teks[i]->receive_only;
    *ret_learned = take_offered(k, offer, &fresh);
    take_newer(k, offer, &fresh);
    for (size_t i = 0; i < fresh.n; i++)
        follow(&fresh, i, outgoing[i], offer, now);
    size_t n = fresh.n;
    while (k->n > 0) {
        struct tek *t = keyring_take(k, 0);
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

/* ---- a push ---- */

static bool is_listed_after(const struct keyring_offer *offer, size_t at, const struct tek *t)
{
    for (size_t i = at + 1; i < offer->n; i++) {
        if (tek_same(offer->teks[i], t))
            return true;
    }
    return false;
}

/* Where a new key belongs: behind the one that it succeeds, so that policies keep their order, and
 * in front of those that the same offer lists after it. One on its way out may stand anywhere. */
static size_t place_of(const struct keyring *k, const struct keyring_offer *offer, size_t at,
                       instant_t now)
{
    size_t place = k->n;

    for (size_t i = k->n; i > 0; i--) {
        const struct tek *t = k->teks[i - 1];
        if (!tek_same_sa(t, offer->teks[at]) || tek_slot(t, now) == ESP_SLOT_PREVIOUS)
            continue;
        if (!is_listed_after(offer, at, t))
            return i;
        place = i - 1;
    }
    return place;
}

/* It succeeds every key of its SA that stands before it, and is succeeded by those behind it. */
static void chain(struct keyring *k, size_t at, const struct keyring_offer *offer, instant_t now)
{
    struct tek *t = k->teks[at];

    for (size_t i = 0; i < k->n; i++) {
        struct tek *other = k->teks[i];
        if (i == at || tek_slot(other, now) == ESP_SLOT_PREVIOUS || !tek_same_sa(other, t))
            continue;
        if (i < at && instant_before(t->send_at, other->send_until))
            set_end(other, t->send_at, offer);
        else if (i > at && instant_before(other->send_at, t->send_until))
            set_end(t, other->send_at, offer);
    }
}

/* It has a key again, and is closed by that key's end. */
static void reopen(struct keyring *k, const struct tek *t)
{
    for (size_t i = 0; i < k->n_ended; i++) {
        if (!tek_same_sa(k->ended[i], t))
            continue;
        tek_free(k->ended[i]);
        k->ended[i] = k->ended[--k->n_ended];
        return;
    }
}

static void take_new(struct keyring *k, const struct keyring_offer *offer, size_t at, instant_t now)
{
    struct tek *t = offer->teks[at];
    size_t place = place_of(k, offer, at, now);

    keyring_insert(k, place, t);
    if (t->receive_only) {
        receive_only(t, offer);
    } else if (tek_will_send(t)) {
        chain(k, place, offer, now);
        reopen(k, t);
    }
}

enum err keyring_push(struct keyring *k, instant_t now, struct keyring_offer *offer,
                      size_t *ret_learned)
{
    enum err e = check_offer(k, offer, MEMBER_TEKS_MAX - k->n - k->n_ended);

    if (e) {
        refuse(offer);
        return e;
    }
    plan_sending(k, offer, now);
    *ret_learned = 0;
    for (size_t i = 0; i < offer->n; i++) {
        if (index_of(k, offer->teks[i]) < k->n) {
            tek_free(offer->teks[i]);
            continue;
        }
        take_new(k, offer, i, now);
        ++*ret_learned;
    }
    offer->n = 0;
    keyring_expire(k, now);
    return ERR_OK;
}

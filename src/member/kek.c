#include "member/kek.h"

static bool same_spi(const struct kek *a, const struct ike1_cookies *cookies)
{
    return a->present && bytes_equal(ike1_cookies_bytes(&a->cookies), ike1_cookies_bytes(cookies));
}

static void forget(struct kek *k) { explicit_bzero(k, sizeof *k); }

void keks_wipe(struct keks *k)
{
    forget(&k->current);
    forget(&k->previous);
}

struct kek *keks_find(struct keks *k, const struct ike1_cookies *cookies)
{
    if (same_spi(&k->current, cookies))
        return &k->current;
    return same_spi(&k->previous, cookies) ? &k->previous : NULL;
}

/* The public key belongs to the KEK: a new one needs a new KEK (decisions M17). */
static bool same_key(const struct kek *a, const struct kek *b)
{
    return a->cipher == b->cipher && a->sig_hash == b->sig_hash &&
           secret_equal(secret_bytes(&a->iv), secret_bytes(&b->iv)) &&
           secret_equal(secret_bytes(&a->key), secret_bytes(&b->key)) &&
           bytes_equal(bytes(a->sig_key, a->sig_key_len), bytes(b->sig_key, b->sig_key_len));
}

static bool conflict(const struct kek *held, const struct kek *offered)
{
    return same_spi(held, &offered->cookies) && !same_key(held, offered);
}

enum err keks_check(const struct keks *k, const struct kek *offered)
{
    return conflict(&k->current, offered) || conflict(&k->previous, offered) ? ERR_CONFLICT
                                                                             : ERR_OK;
}

/* A new one takes its place; the old one goes on receiving, if it is the same server's: what
 * another one says of its keys, its clock and itself concerns this member no more. */
static void replace(struct keks *k, const struct kek *by)
{
    if (k->current.present)
        k->previous = k->current;
    k->current = *by;
    if (k->previous.present && !ip_equal(k->previous.server, by->server))
        forget(&k->previous);
}

/* What the PULL says again about a KEK that is held. */
static struct kek again(const struct kek *held, const struct kek *offered)
{
    struct kek k = *offered;

    k.learned = held->learned;
    k.expiry = instant_min(offered->expiry, held->expiry);
    if (k.sequence < held->sequence)
        k.sequence = held->sequence;
    return k;
}

void keks_pull(struct keks *k, instant_t asked, const struct kek *offered)
{
    if (k->current.present && ip_equal(k->current.server, offered->server) &&
        instant_before(asked, k->current.learned) && offered->sequence < keks_sequence(k))
        return;
    k->ack = offered->ack;
    if (!offered->present) {
        keks_wipe(k);
        return;
    }
    struct kek *held = keks_find(k, &offered->cookies);
    if (!held) {
        bool anew = offered->sequence < keks_sequence(k);
        replace(k, offered);
        if (anew)
            forget(&k->previous);
        return;
    }
    struct kek merged = again(held, offered);
    if (held == &k->previous)
        forget(&k->previous);
    k->current = merged;
    forget(&merged);
}

bool keks_push(struct keks *k, const struct kek *offered)
{
    k->ack = offered->ack;
    if (keks_find(k, &offered->cookies))
        return false;
    replace(k, offered);
    return true;
}

size_t keks_delete(struct keks *k, const struct ike1_cookies *cookies)
{
    bool current = k->current.present && (!cookies || same_spi(&k->current, cookies));
    bool previous = k->previous.present && (!cookies || current || same_spi(&k->previous, cookies));

    if (current)
        forget(&k->current);
    if (previous)
        forget(&k->previous);
    return (size_t)current + previous;
}

static instant_t current_end(const struct keks *k)
{
    return k->current.present ? k->current.expiry : INSTANT_NEVER;
}

static instant_t previous_end(const struct keks *k)
{
    return k->previous.present ? instant_add(k->previous.expiry, MEMBER_KEK_GRACE) : INSTANT_NEVER;
}

void keks_expire(struct keks *k, instant_t now)
{
    if (instant_reached(current_end(k), now)) {
        k->previous = k->current;
        forget(&k->current);
    }
    if (instant_reached(previous_end(k), now))
        forget(&k->previous);
}

instant_t keks_due(const struct keks *k) { return instant_min(current_end(k), previous_end(k)); }

uint32_t keks_floor(const struct keks *k, const struct kek *carrier)
{
    uint32_t all = keks_sequence(k);

    return carrier == &k->previous && all > carrier->sequence ? all : carrier->sequence;
}

uint32_t keks_sequence(const struct keks *k)
{
    const struct kek *a = &k->current, *b = &k->previous;

    if (!a->present)
        return b->present ? b->sequence : 0;
    bool both = b->present && ip_equal(a->server, b->server);
    return both && b->sequence > a->sequence ? b->sequence : a->sequence;
}

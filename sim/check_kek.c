#include "sim/check_kek.h"

#include "sim/check.h"
#include "sim/world.h"

#include <stdlib.h>

enum { KEKS_MAX = 64, SAMPLE = 16 };

/* The member counts a lifetime from its receipt of message 2, which is repeated as it was built for
 * 10 s (decisions M9). */
#define REPEATED span_ms(10000 + 1000)

struct check_keks {
    struct check_kek keks[KEKS_MAX];
    const struct check_kek *held[WORLD_NODES_MAX]; /* NULL: none so far in this life */
    struct check_keks_report report;
};

struct check_keks *check_keks_new(void)
{
    struct check_keks *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    return c;
}

void check_keks_free(struct check_keks *c) { free(c); }

struct check_keks_report check_keks_report(const struct check_keks *c) { return c->report; }

static struct check_kek *find(struct check_keks *c, struct bytes spi)
{
    for (size_t i = 0; i < KEKS_MAX; i++) {
        if (c->keks[i].used && bytes_equal(BYTES_OF(c->keks[i].spi), spi))
            return &c->keks[i];
    }
    return NULL;
}

const struct check_kek *check_keks_find(struct check_keks *c, struct bytes spi)
{
    return find(c, spi);
}

void check_keks_ask(struct check_keks *c)
{
    for (size_t i = 0; i < KEKS_MAX; i++)
        c->keks[i].gone = true;
}

static bool is_held(const struct check_keks *c, const struct check_kek *k)
{
    for (size_t n = 0; n < WORLD_NODES_MAX; n++) {
        if (c->held[n] == k)
            return true;
    }
    return false;
}

/* A free place, or that of one which ended long ago and nobody remembers. */
static struct check_kek *place(struct check_keks *c, instant_t now)
{
    for (size_t i = 0; i < KEKS_MAX; i++) {
        struct check_kek *k = &c->keks[i];
        if (!k->used ||
            (instant_reached(instant_add(k->expiry, span_s(60)), now) && !is_held(c, k)))
            return k;
    }
    abort(); /* KEKS_MAX is too small for this world */
}

bool check_keks_truth(struct check_keks *c, const struct world *w, uint32_t group,
                      const struct kek_generation *kek)
{
    uint8_t hash[HASH_MAX];

    struct check_kek *known = find(c, BYTES_OF(kek->spi));

    if (known) {
        known->gone = false;
        return false;
    }
    struct check_kek *k = place(c, w->now);
    *k = (struct check_kek){.used = true,
                            .group = group,
                            .created = kek->created,
                            .expiry = kek->expiry,
                            .cipher = kek->cipher,
                            .iv = kek->iv,
                            .key = kek->key};
    memcpy(k->spi, kek->spi, KEK_SPI);
    hash_parts(HASH_SHA256,
               PARTS(bytes_str(MEMBER_KEK_DIGEST_LABEL), BYTES_OF(kek->spi), secret_bytes(&kek->iv),
                     secret_bytes(&kek->key), bytes(kek->signer->spki, kek->signer->spki_len)),
               hash);
    memcpy(k->digest, hash, CHECK_DIGEST);
    c->report.keks++;
    return true;
}

void check_keks_datagram(const struct check_keks *c, const struct world *w, struct bytes datagram)
{
    for (size_t i = 0; i < KEKS_MAX; i++) {
        const struct check_kek *k = &c->keks[i];
        size_t len = k->key.len < SAMPLE ? k->key.len : SAMPLE;
        if (k->used && memmem(datagram.data, datagram.len, k->key.b, len))
            check_broken(w, "no KEK's octets are on the wire", "");
    }
}

/* What the member holds, made at `held`, is the newest that there was when it registered. */
static void check_newest(struct check_keks *c, const struct world *w, const char *name,
                         const struct member_vpn_view *v, instant_t held)
{
    for (size_t i = 0; i < KEKS_MAX; i++) {
        const struct check_kek *k = &c->keks[i];
        if (k->used && !k->gone && k->group == v->model->group_id &&
            instant_before(held, k->created) &&
            instant_before(instant_add(k->created, CHECK_SNAPSHOT_AGE), v->registered_at) &&
            instant_before(instant_add(w->now, span_s(1)), k->expiry)) /* whole seconds are told */
            check_broken(w, "a registration brings the newest KEK", name);
    }
}

static void check_held(struct check_keks *c, const struct world *w, size_t node,
                       const struct member_vpn_view *v)
{
    const char *name = w->nodes[node].name;
    const struct check_kek *k = check_keks_find(c, v->kek.cookies), *before = c->held[node];

    if (!k || !bytes_equal(BYTES_OF(k->digest), bytes(v->kek.key_digest, CHECK_DIGEST)))
        check_broken(w, "a member's KEK is the server's", name);
    if (before && instant_before(k->created, before->created))
        check_broken(w, "no member goes back to an older KEK", name);
    if (instant_before(instant_add(k->expiry, REPEATED), w->now))
        check_broken(w, "nobody holds a KEK after its expiry", name);
    check_newest(c, w, name, v, k->created);
    c->report.learned += k != before;
    c->held[node] = k;
}

void check_keks_member(struct check_keks *c, const struct world *w, size_t node)
{
    struct member_vpn_view v = member_vpn(w->nodes[node].member, 0);

    if (v.kek.cookies.len > 0)
        check_held(c, w, node, &v);
    else if (!instant_is_never(v.registered_at))
        check_newest(c, w, w->nodes[node].name, &v, (instant_t){INT64_MIN});
}

void check_keks_kill(struct check_keks *c, size_t node) { c->held[node] = NULL; }

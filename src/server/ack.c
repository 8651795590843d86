#include "server/ack.h"

#include "crypto/hash.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "ike1/numbers.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

void ack_keys_wipe(struct ack_keys *k)
{
    for (size_t i = 0; i < ACK_READINGS; i++)
        secret_wipe(&k->key[i]);
    *k = (struct ack_keys){0};
}

/* ---- whether it is one ---- */

/* What an acknowledgement claims to be. */
struct claim {
    struct group *group;
    const struct kek_generation *kek;
    struct registry_member *member;
    struct gdoi_ack ack;
};

static const struct kek_generation *kek_of(const struct server *s, const struct ike1_header *h,
                                           struct group **ret)
{
    const uint8_t *spi = ike1_cookies_bytes(&h->cookies).data;

    for (size_t i = 0; i < s->n_groups; i++) {
        const struct kek_generation *kek = group_kek(s->groups[i], spi);
        if (!kek)
            continue;
        *ret = s->groups[i];
        return kek;
    }
    return NULL;
}

/* Of those behind one address the one that pushes go to, or went to last. */
static struct registry_member *member_at(const struct group *g, struct ip address)
{
    struct registry_member *first = registry_at_address(&g->registry, address);

    for (struct registry_member *m = first; m; m = registry_same_address(m)) {
        if (m->status == REGISTRY_ACTIVE)
            return m;
    }
    return first;
}

static enum err read_ack(const struct ike1_header *h, struct bytes datagram, struct gdoi_ack *ret)
{
    struct chain c;
    uint8_t payload;

    if (h->flags != 0 || h->message_id != 0)
        return ERR_VALUE;
    enum err e = ike1_payloads_parse(datagram, h->next_payload, IKE1_CLEAR_ALIGN, &c);
    if (!e)
        e = gdoi_shape_check(GDOI_PUSH_ACK, &c, &payload);
    return e ? e : gdoi_ack_parse(&c, ret);
}

/* ack_key = prf(base_key, label | 0 | SPI | L), base_key the KEK without its IV (RFC 8263 3.2). */
static void derive(const struct kek_generation *kek, struct ack_keys *k)
{
    static const uint16_t readings[ACK_READINGS] = {GDOI_ACK_L_SHA256, GDOI_ACK_L_SHA256_OTHER};
    struct ike1_cookies spi;
    uint8_t input[GDOI_ACK_KEY_INPUT];

    memcpy(&spi, kek->spi, sizeof spi);
    memcpy(k->spi, kek->spi, sizeof k->spi);
    for (size_t i = 0; i < ACK_READINGS; i++) {
        gdoi_ack_key_input(&spi, readings[i], input);
        k->key[i] = prf(HASH_SHA256, secret_bytes(&kek->key), PARTS(BYTES_OF(input)));
    }
    k->known = true;
}

/* Made at the first acknowledgement under a KEK; they push out those of the oldest. */
static const struct ack_keys *keys_of(struct push *p, const struct kek_generation *kek)
{
    size_t last = ARRAY_LEN(p->acks) - 1;

    for (size_t i = 0; i <= last; i++) {
        if (p->acks[i].known && bytes_equal(BYTES_OF(p->acks[i].spi), BYTES_OF(kek->spi)))
            return &p->acks[i];
    }
    ack_keys_wipe(&p->acks[last]);
    for (size_t i = last; i > 0; i--)
        p->acks[i] = p->acks[i - 1];
    derive(kek, &p->acks[0]);
    return &p->acks[0];
}

static bool is_authentic(struct push *p, const struct claim *c)
{
    const struct ack_keys *k = keys_of(p, c->kek);

    for (size_t i = 0; i < ACK_READINGS; i++) {
        if (c->ack.hash.len == hash_len(HASH_SHA256) &&
            hmac_check(HASH_SHA256, secret_bytes(&k->key[i]), PARTS(c->ack.covered), c->ack.hash))
            return true;
    }
    return false;
}

/* The cheapest first; nothing is computed for an address that is nobody's. */
static enum err check(struct server *s, struct endpoint from, struct endpoint to,
                      const struct ike1_header *header, struct bytes datagram, struct claim *c)
{
    c->kek = kek_of(s, header, &c->group);
    if (!c->kek)
        return ERR_UNKNOWN_SA;
    if (c->kek->retired ||
        (c->kek->policy->type == MODEL_PUSH_MULTICAST && c->group->push->announcement.unanswered))
        return ERR_UNEXPECTED; /* a removed member may have made it (M18); nobody was asked (M15) */
    c->member = member_at(c->group, from.ip);
    if (!c->member || !ip_equal(to.ip, c->group->model->server_address))
        return ERR_ADDRESS;
    enum err e = read_ack(header, datagram, &c->ack);
    if (e)
        return e;
    if (!announce_expects(c->group, c->ack.seq))
        return ERR_REPLAY;
    if (!ip_equal(c->ack.ip, from.ip)) /* that of its last PULL: RFC 8263 3.4 */
        return ERR_IDENTITY;
    return is_authentic(c->group->push, c) ? ERR_OK : ERR_AUTH;
}

/* ---- what it does ---- */

static void refuse_ack(struct server *s, struct endpoint from, const struct claim *c, enum err err,
                       struct effects *out)
{
    if (c->group)
        c->group->push->counters.acks_refused[err]++;
    server_drop(s, from, err, "acknowledgement", out);
    if (err != ERR_AUTH)
        return;
    struct event e = event_of(EV_ACK_FORGED);
    event_add_str(&e, "group", c->group->model->name);
    event_add_endpoint(&e, "peer", from);
    event_add_str(&e, "gateway", c->member->gateway->name);
    effects_tell(out, &e);
}

static void tell_reinstated(const struct claim *c, struct endpoint from, struct effects *out)
{
    struct event e = event_of(EV_MEMBER_REINSTATED);

    event_add_str(&e, "group", c->group->model->name);
    event_add_endpoint(&e, "peer", from);
    event_add_str(&e, "gateway", c->member->gateway->name);
    effects_tell(out, &e);
}

static void accept(struct server *s, const struct claim *c, struct endpoint from,
                   struct effects *out)
{
    struct push_counters *counters = &c->group->push->counters;
    const struct announcement *a = &c->group->push->announcement;
    struct registry_member *m = c->member;
    bool was_proven = m->proven;

    counters->acks++;
    if (m->status == REGISTRY_ACTIVE && m->version == (uint16_t)a->version)
        counters->acks_repeated++;
    bool brought = announce_brought_keys(a, c->ack.seq);
    bool reinstated = registry_acknowledged(m, brought ? a->version : m->version);
    if (reinstated) {
        counters->reinstated++;
        tell_reinstated(c, from, out);
    }
    if (reinstated || !was_proven)
        persist_member(s, c->group, m, out);
}

void ack_datagram(struct server *s, struct endpoint from, struct endpoint to,
                  const struct ike1_header *header, const uint8_t *datagram, size_t len,
                  struct effects *out)
{
    struct claim c = {0};
    enum err e = check(s, from, to, header, bytes(datagram, len), &c);

    if (e)
        refuse_ack(s, from, &c, e, out);
    else
        accept(s, &c, from, out);
}

/* Informational exchanges (RFC 2409 5.7). What is protected by the SA acts; what comes in clear is
 * shown to the operator as a hint and never acts (decisions S34). */
#include "sa/phase1_internal.h"

#include <assert.h>

enum { FIRST_STATUS = 16384 }; /* RFC 2408 3.14.1: smaller types are errors */

/* Of one informational message: what it asks for. */
struct findings {
    bool deletes_this, initial_contact;
    uint16_t type; /* of the first other notification */
    struct bytes data;
};

/* --- sending --- */

static bool send_protected(struct phase1_table *t, struct phase1_sa *sa,
                           const struct ike1_notify *n, const struct ike1_delete *d,
                           struct effects *out)
{
    uint8_t buffer[DATAGRAM_MAX];
    struct wr w = wr_of(buffer, sizeof buffer);
    struct exchange_iv iv;
    uint32_t id = phase1_new_informational(sa, t->drbg);

    if (id == 0)
        return false; /* the SA has had its share of exchanges and is about to be replaced */
    struct chain_wr chain = exchange_build(sa, &w, IKE1_EXCHANGE_INFORMATIONAL, id);
    if (n)
        ike1_notify_write(&chain, n);
    if (d)
        ike1_delete_write(&chain, d);
    exchange_iv_start(sa, id, &iv);
    if (exchange_seal(sa, &iv, &w, id, NULL, 0) != ERR_OK)
        return false; /* only notification data of the caller's can be that long */
    t->counters.sent++;
    exchange_send(sa, wr_bytes(&w), out);
    return true;
}

static struct ike1_notify notify_of(const struct phase1_sa *sa, uint16_t type)
{
    return (struct ike1_notify){.doi = sa->doi,
                                .protocol = IKE1_PROTOCOL_ISAKMP,
                                .type = type,
                                .spi = ike1_cookies_bytes(&sa->cookies)};
}

/* RFC 2408 3.15: protocol ISAKMP, the SPI is the cookie pair. */
static struct ike1_delete delete_of(const struct phase1_sa *sa)
{
    return (struct ike1_delete){.doi = sa->doi,
                                .protocol = IKE1_PROTOCOL_ISAKMP,
                                .spi_size = sizeof sa->cookies,
                                .n_spis = 1,
                                .spis = ike1_cookies_bytes(&sa->cookies)};
}

static void tell_sent(const struct phase1_sa *sa, uint16_t type, struct effects *out)
{
    struct event e = phase1_event(EV_NOTIFY_SENT, sa->peer, phase1_remote(sa), sa->local);
    event_add_str(&e, "type", ike1_notify_name(type));
    effects_tell(out, &e);
}

void phase1_notify(struct phase1_table *t, struct phase1_sa *sa, uint16_t type, uint32_t doi,
                   struct bytes data, struct effects *out)
{
    struct ike1_notify n = notify_of(sa, type);
    n.doi = doi;
    n.data = data;
    if (send_protected(t, sa, &n, NULL, out))
        tell_sent(sa, type, out);
}

void phase1_delete(struct phase1_table *t, struct phase1_sa *sa, struct effects *out)
{
    struct ike1_delete d = delete_of(sa);
    (void)send_protected(t, sa, NULL, &d, out);
}

/* Why, and that the SA is gone: the peer may have it up already. */
void phase1_refuse(struct phase1_table *t, struct phase1_sa *sa, uint16_t type, struct effects *out)
{
    struct ike1_notify n = notify_of(sa, type);
    struct ike1_delete d = delete_of(sa);
    if (send_protected(t, sa, &n, &d, out))
        tell_sent(sa, type, out);
}

void phase1_end(struct phase1_table *t, struct phase1_sa *sa, bool tell_peer, struct effects *out)
{
    phase1_free_dead(t);
    assert(sa->at != PHASE1_AT_END);
    if (sa->at == PHASE1_AT_UP) {
        if (tell_peer)
            phase1_delete(t, sa, out);
        phase1_tell_down(sa, PHASE1_CAUSE_LOCAL, out);
    }
    phase1_bury(t, sa);
}

/* Of PHASE1_NOTIFY_BUCKETS: addresses, hashed with a secret. */
size_t phase1_source_bucket(const struct phase1_call *c)
{
    uint64_t hash = map_hash(c->t->by_source.seed, bytes(&c->from.ip, sizeof c->from.ip));
    return hash % PHASE1_NOTIFY_BUCKETS;
}

/* Unprotected, to a peer whose message started nothing: a courtesy that is limited per address,
 * because anybody can ask for it in anybody's name. It is hardly larger than what asked for it. */
void phase1_notify_clear(struct phase1_call *c, const struct ike1_cookies *cookies, uint32_t doi,
                         uint16_t type)
{
    struct phase1_table *t = c->t;
    instant_t *next = &t->notify_next[phase1_source_bucket(c)];
    uint8_t buffer[IKE1_HEADER + 64];
    struct wr w = wr_of(buffer, sizeof buffer);

    if (next->ns != 0 && !instant_reached(*next, c->now))
        return;
    *next = instant_add(c->now, PHASE1_NOTIFY_CLEAR_GAP);
    struct ike1_header h = {.cookies = *cookies,
                            .exchange = IKE1_EXCHANGE_INFORMATIONAL,
                            .message_id = drbg_u32(t->drbg)};
    struct chain_wr chain = ike1_header_write(&w, &h);
    struct ike1_notify n = {.doi = doi,
                            .protocol = IKE1_PROTOCOL_ISAKMP,
                            .type = type,
                            .spi = ike1_cookies_bytes(cookies)};
    ike1_notify_write(&chain, &n);
    ike1_message_end(&w);
    assert(wr_end(&w) == ERR_OK);
    t->counters.sent++;
    effects_send(c->out, c->to, c->from, wr_bytes(&w));
}

/* --- receiving --- */

static void tell(struct phase1_call *c, const struct phase1_sa *sa, const struct ike1_notify *n,
                 bool protected)
{
    struct event e = phase1_event(EV_NOTIFY_RECEIVED, sa->peer, c->from, c->to);
    event_add_str(&e, "type", ike1_notify_name(n->type));
    event_add_u64(&e, "number", n->type);
    event_add_str(&e, "protected", protected ? "yes" : "no, so it is only a hint");
    effects_tell(c->out, &e);
}

/* The SA with these cookies, or the one that still waits for the responder's. */
static struct phase1_sa *find(struct phase1_call *c)
{
    struct phase1_sa *sa = phase1_find(c->t, &c->header->cookies);
    struct ike1_cookies waiting = c->header->cookies;

    memset(waiting.r, 0, sizeof waiting.r);
    if (!sa)
        sa = phase1_find(c->t, &waiting);
    return sa && endpoint_equal(phase1_remote(sa), c->from) ? sa : NULL;
}

static enum err take_clear(struct phase1_call *c)
{
    struct phase1_sa *sa = find(c);
    struct chain chain;
    struct ike1_notify n;

    if (!sa)
        return ERR_UNKNOWN_SA;
    if (!sa->hs || sa->at == PHASE1_AT_UP || sa->hs->hint)
        return ERR_UNEXPECTED;
    enum err e = ike1_payloads_parse(bytes(c->datagram, c->len), c->header->next_payload,
                                     IKE1_CLEAR_ALIGN, &chain);
    if (e == ERR_OK)
        e = ike1_shape_check(ike1_shape_of(IKE1_INFORMATIONAL_CLEAR), &chain, NULL);
    const struct chain_payload *p = e ? NULL : chain_find(&chain, IKE1_PAYLOAD_N);
    if (!p)
        return e ? e : ERR_MISSING;
    e = ike1_notify_parse(p->body, &n);
    if (e)
        return e;
    sa->hs->hint = n.type;
    tell(c, sa, &n, false);
    return ERR_OK;
}

static bool has_keys(const struct phase1_sa *sa)
{
    return sa->at == PHASE1_I_SENT_5 || sa->at == PHASE1_R_SENT_4 || sa->at == PHASE1_AR_SENT_2 ||
           sa->at == PHASE1_AT_UP;
}

/* Others of the same peer go with it, each by its own timer. */
static void take_delete(struct phase1_call *c, struct phase1_sa *sa, const struct ike1_delete *d,
                        struct findings *f)
{
    if (d->protocol != IKE1_PROTOCOL_ISAKMP || d->spi_size != sizeof sa->cookies)
        return;
    for (size_t i = 0; i < d->n_spis; i++) {
        struct bytes spi = ike1_delete_spi(d, i);
        struct phase1_sa *other = phase1_pair_first(c->t, sa);
        if (bytes_equal(spi, ike1_cookies_bytes(&sa->cookies)))
            f->deletes_this = true;
        for (; other; other = other->older) {
            if (other != sa && other->cause == PHASE1_CAUSE_NONE &&
                bytes_equal(spi, ike1_cookies_bytes(&other->cookies)))
                phase1_doom(c->t, other, PHASE1_CAUSE_DELETED, c->now);
        }
    }
}

static void take_notify(struct phase1_call *c, struct phase1_sa *sa, const struct ike1_notify *n,
                        struct findings *f)
{
    tell(c, sa, n, true);
    if (n->type == IKE1_NOTIFY_INITIAL_CONTACT)
        f->initial_contact = true;
    else if (f->type == 0) {
        f->type = n->type;
        f->data = n->data;
    }
}

static enum err read_payload(struct phase1_call *c, struct phase1_sa *sa,
                             const struct chain_payload *p, struct findings *f)
{
    struct ike1_notify n;
    struct ike1_delete d;
    enum err e = ERR_OK;

    if (p->type == IKE1_PAYLOAD_N && !(e = ike1_notify_parse(p->body, &n)) && f)
        take_notify(c, sa, &n, f);
    if (p->type == IKE1_PAYLOAD_D && !(e = ike1_delete_parse(p->body, &d)) && f)
        take_delete(c, sa, &d, f);
    return e;
}

/* With f NULL only looks whether it can be read, so that a message acts wholly or not at all. */
static enum err read_all(struct phase1_call *c, struct phase1_sa *sa, const struct chain *chain,
                         struct findings *f)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < chain->n && e == ERR_OK; i++)
        e = read_payload(c, sa, &chain->p[i], f);
    return e;
}

/* A refusal that holds the keys comes from the peer himself. */
static void act_on_starting(struct phase1_call *c, struct phase1_sa *sa, const struct findings *f)
{
    if (!f->deletes_this && (f->type == 0 || f->type >= FIRST_STATUS))
        return;
    if (f->type)
        sa->hs->hint = f->type;
    phase1_fail(c, sa, ERR_REFUSED, &sa->peer->where, "the peer refused, under protection");
    c->outcome.notify_data = f->data;
}

static void act(struct phase1_call *c, struct phase1_sa *sa, const struct findings *f)
{
    if (f->initial_contact)
        phase1_initial_contact(c->t, sa, c->now);
    c->outcome.notify_type = f->type;
    c->outcome.notify_data = f->data;
    if (f->deletes_this) {
        phase1_down(c, sa, PHASE1_CAUSE_DELETED);
    } else if (f->type) {
        c->outcome.kind = PHASE1_NOTIFIED;
        c->outcome.sa = sa;
    }
}

/* HDR*, HASH(1), N/D. */
static enum err open_protected(struct phase1_call *c, struct phase1_sa *sa, struct chain *ret)
{
    uint32_t id = c->header->message_id;
    struct exchange_iv iv;

    if (id == 0)
        return ERR_VALUE;
    if (exchange_id_used(sa, id))
        return ERR_REPLAY;
    exchange_iv_start(sa, id, &iv);
    enum err e = exchange_open(sa, &iv, c->header, c->datagram, c->len, ret);
    if (e == ERR_OK)
        e = ike1_shape_check(ike1_shape_of(IKE1_INFORMATIONAL), ret, NULL);
    if (e == ERR_OK)
        e = exchange_check_hash(sa, id, NULL, 0, ret);
    if (e == ERR_OK)
        e = phase1_claim_informational(sa, id);
    return e;
}

enum err phase1_informational(struct phase1_call *c)
{
    struct findings f = {0};
    struct chain chain;

    if (!(c->header->flags & IKE1_FLAG_ENCRYPTION))
        return take_clear(c);
    struct phase1_sa *sa = phase1_find(c->t, &c->header->cookies);
    if (!sa || !endpoint_equal(phase1_remote(sa), c->from))
        return ERR_UNKNOWN_SA;
    if (!has_keys(sa))
        return ERR_UNEXPECTED;
    enum err e = open_protected(c, sa, &chain);
    if (e == ERR_OK)
        e = read_all(c, sa, &chain, NULL);
    if (e)
        return e;
    e = read_all(c, sa, &chain, &f);
    assert(e == ERR_OK);
    if (sa->at == PHASE1_AT_UP)
        act(c, sa, &f);
    else
        act_on_starting(c, sa, &f);
    return ERR_OK;
}

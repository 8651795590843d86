#include "server/pull.h"

#include "gdoi/numbers.h"
#include "gdoi/sa.h"
#include "gdoi/shape.h"
#include "sa/exchange.h"
#include "server/offer.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/refuse.h"
#include "server/state.h"

#include <assert.h>
#include <stdlib.h>

/* What every step of a PULL is about. */
struct request {
    instant_t now;
    struct phase1_sa *sa;
    const struct ike1_header *header;
    uint8_t *datagram;
    size_t len;
    uint64_t fingerprint; /* of the datagram as it came */
    struct endpoint from;
    struct effects *out;
};

static void drop(struct server *s, const struct request *q, enum err why, const char *what)
{
    server_drop(s, q->from, why, what, q->out);
}

/* Sends the sealed message in `w` and keeps it for repeats of the request. */
static void answer(struct server *s, struct pull *p, const struct request *q, const struct wr *w)
{
    struct bytes message = wr_bytes(w);

    free(p->answer);
    p->answer = malloc(message.len);
    if (p->answer)
        memcpy(p->answer, message.data, message.len);
    p->answer_len = p->answer ? message.len : 0; /* no memory: repeats go unanswered */
    p->taken = q->fingerprint;
    p->repeats = 0;
    heap_set(&s->pulls.due, &p->due, instant_add(q->now, SERVER_PULL_LIFE));
    exchange_send(q->sa, message, q->out);
}

/* ---- message 1, message 2 ---- */

static void send_offer(struct server *s, const struct request *q, struct group *g,
                       const struct exchange_iv *iv, struct bytes ni)
{
    uint8_t room[DATAGRAM_MAX];
    struct wr w = wr_of(room, sizeof room);
    struct pull *p = pulls_add(&s->pulls, q->sa, q->header, g);

    if (!p) {
        drop(s, q, ERR_NOMEM, "registration");
        return;
    }
    struct pull_open *open = p->open;
    open->iv = *iv;
    open->ni_len = ni.len;
    memcpy(open->ni, ni.data, ni.len);
    drbg_fill(&s->drbg, open->nr, sizeof open->nr);
    open->offer = offer_take(g, q->now, phase1_peer_is_native(q->sa));

    struct chain_wr c =
        exchange_build(q->sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, q->header->message_id);
    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, BYTES_OF(open->nr));
    offer_write_sa(&c, g, &open->offer, phase1_remote(q->sa).ip, q->now);
    enum err e = exchange_seal(q->sa, &open->iv, &w, q->header->message_id, &ni, 1);
    assert(e == ERR_OK); /* server_new() has seen to it that every offer fits */
    answer(s, p, q, &w);
}

/* Reads message 1; what is wrong with it is the payload's fault at *ret_payload. */
static enum err read_message_1(const struct chain *c, struct bytes *ret_ni,
                               struct gdoi_group_id *ret_id, uint8_t *ret_payload)
{
    enum err e = gdoi_shape_check(GDOI_PULL_1, c, ret_payload);

    if (e)
        return e;
    *ret_payload = IKE1_PAYLOAD_NONCE;
    e = ike1_data_parse(IKE1_PAYLOAD_NONCE, chain_find(c, IKE1_PAYLOAD_NONCE)->body, ret_ni);
    if (e)
        return e;
    if (ret_ni->len > GDOI_NONCE_MAX)
        return ERR_LENGTH;
    *ret_payload = IKE1_PAYLOAD_ID;
    e = gdoi_group_id_parse(chain_find(c, IKE1_PAYLOAD_ID)->body, ret_id);
    return e == ERR_TYPE ? ERR_VALUE : e; /* the payload is known, its identification type is not */
}

static void message_1(struct server *s, const struct request *q, const struct exchange_iv *iv,
                      const struct chain *c)
{
    struct bytes ni = {0};
    struct gdoi_group_id id;
    struct group *g = NULL;
    uint8_t payload = 0;
    struct refusal r = {0};
    enum err e = read_message_1(c, &ni, &id, &payload);

    if (e)
        r = refuse_form(e, payload, "1");
    else
        r = refuse_unknown(s, q->sa, &id, &g, q->out);
    if (!r.err)
        r = refuse_unauthorised(s, q->sa, g, q->now);
    if (r.err)
        refuse(s, q->sa, g, &r, q->out);
    else
        send_offer(s, q, g, iv, ni);
}

/* An SA whose message ids are used up has done its duty: the member makes a new one. */
static void retire(struct server *s, const struct request *q)
{
    struct event e = server_event(EV_LIMIT, q->sa);

    event_add_str(&e, "what", "message ids of a phase 1 SA");
    event_add_u64(&e, "limit", PHASE1_EXCHANGES_MAX);
    effects_tell(q->out, &e);
    pull_end_all(s, q->sa, q->out);
    phase1_end(s->phase1, q->sa, true, q->out);
}

static void new_exchange(struct server *s, const struct request *q)
{
    struct exchange_iv iv;
    struct chain c;

    if (q->header->message_id == 0 || exchange_id_used(q->sa, q->header->message_id)) {
        drop(s, q, q->header->message_id ? ERR_REPLAY : ERR_VALUE, "message id");
        return;
    }
    if (s->pulls.index.n >= SERVER_PULLS_MAX || pulls_count(q->sa) >= SERVER_PULLS_PER_SA_MAX) {
        drop(s, q, ERR_LIMIT, "registrations at the same time");
        return;
    }
    exchange_iv_start(q->sa, q->header->message_id, &iv);
    enum err e = exchange_open(q->sa, &iv, q->header, q->datagram, q->len, &c);
    if (!e)
        e = exchange_check_hash(q->sa, q->header->message_id, NULL, 0, &c);
    if (e) {
        drop(s, q, e, "message 1");
        return;
    }
    e = exchange_claim_id(q->sa, q->header->message_id);
    if (e == ERR_LIMIT)
        retire(s, q);
    else if (e)
        drop(s, q, e, "message id");
    else
        message_1(s, q, &iv, &c);
}

/* ---- message 3, message 4 ---- */

static void count_registration(struct rate *r, instant_t now)
{
    if (instant_since(now, r->since).ns >= NS_PER_S)
        *r = (struct rate){.since = now, .best = r->best};
    r->n++;
    r->best = r->n > r->best ? r->n : r->best;
}

uint16_t server_spread(const struct server *s, const struct group *g)
{
    uint32_t rate = s->rate.best > SERVER_REGISTRATIONS_S ? s->rate.best : SERVER_REGISTRATIONS_S;
    size_t spread = (g->registry.n + rate - 1) / rate;

    if (4 * spread < g->atd_s)
        return 0;
    return spread < UINT16_MAX ? (uint16_t)spread : UINT16_MAX;
}

static void tell_registered(const struct request *q, const struct group *g)
{
    struct event e = server_event(EV_MEMBER_REGISTERED, q->sa);

    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "version", g->version);
    event_add_u64(&e, "members", g->registry.n);
    effects_tell(q->out, &e);
}

static enum err write_message_4(struct server *s, const struct pull *p, const struct request *q,
                                struct wr *w)
{
    struct pull_open *open = p->open;
    const struct bytes prefix[] = {bytes(open->ni, open->ni_len), BYTES_OF(open->nr)};
    struct chain_wr c =
        exchange_build(q->sa, w, IKE1_EXCHANGE_GROUPKEY_PULL, q->header->message_id);
    enum err e = offer_write_keys(&c, p->group, &open->offer);

    if (e)
        return e;
    if (phase1_peer_is_native(q->sa))
        offer_write_state(
            &c, p->group,
            &(struct offer_state){.spread = server_spread(s, p->group), .clock = &s->clock},
            q->now);
    return exchange_seal(q->sa, &open->iv, w, q->header->message_id, prefix, ARRAY_LEN(prefix));
}

/* Acknowledgements are found by address: who was struck there has been replaced (decisions M15). */
static void forget_struck(struct group *g, const struct request *q)
{
    struct model_identity self = phase1_peer_identity(q->sa);
    struct registry_member *m = registry_at_address(&g->registry, phase1_remote(q->sa).ip);

    while (m) {
        struct registry_member *next = registry_same_address(m);
        if (m->status == REGISTRY_STRUCK && !registry_is(m, self)) {
            persist_forget_member(g, m, q->out);
            registry_remove(&g->registry, m);
        }
        m = next;
    }
}

static enum err register_member(struct server *s, const struct pull *p, const struct request *q)
{
    struct group *g = p->group;
    struct registration r = {.gateway = phase1_peer(q->sa)->owner,
                             .identity = phase1_peer_identity(q->sa),
                             .remote = phase1_remote(q->sa),
                             .now = q->now,
                             .version = p->open->offer.version, /* M9: not the group's by now */
                             .native = phase1_peer_is_native(q->sa)};
    enum err e = registry_put(&g->registry, &r);

    if (e)
        return e;
    const struct registry_member *m = registry_find(&g->registry, r.identity);
    persist_member(s, g, m, q->out);
    push_to_latecomer(g, m, q->now);
    forget_struck(g, q);
    count_registration(&s->rate, q->now);
    g->counters.pulls_succeeded++;
    return ERR_OK;
}

/* HASH(3) held and the member is still welcome: the keys go out. */
static void complete(struct server *s, struct pull *p, const struct request *q)
{
    uint8_t room[DATAGRAM_MAX];
    struct wr w = wr_of(room, sizeof room);
    enum err e = write_message_4(s, p, q, &w);

    if (e) { /* a key of the offer was dropped meanwhile: the member has to ask again (M9) */
        pull_abandon(s, p, q->sa, e, q->out);
        return;
    }
    e = register_member(s, p, q);
    if (e) {
        struct refusal r = refuse_limit(e, "the registry is full");
        refuse(s, q->sa, p->group, &r, q->out);
        pulls_forget(&s->pulls, p, q->sa);
        return;
    }
    tell_registered(q, p->group);
    pulls_complete(p);
    answer(s, p, q, &w);
    push_timer(s, q->now,
               q->out); /* behind the answer: for who came too late for the newest keys */
}

/* A GAP in message 3 asks for sender ids (RFC 6407 3.3). Only counter modes need them and no group
 * has one, so there are none to give: the request is legal and without effect. */
static struct refusal read_message_3(const struct chain *c)
{
    uint8_t payload = 0;
    struct gdoi_gap gap;
    enum err e = gdoi_shape_check(GDOI_PULL_3, c, &payload);
    const struct chain_payload *p = chain_find(c, IKE1_PAYLOAD_GAP);

    if (!e && p) {
        payload = IKE1_PAYLOAD_GAP;
        e = gdoi_gap_parse(p->body, &GDOI_RFC6407, &gap);
    }
    return e ? refuse_form(e, payload, "3") : (struct refusal){0};
}

static void message_3(struct server *s, struct pull *p, const struct request *q,
                      const struct chain *c)
{
    struct refusal r = read_message_3(c);

    if (!r.err)
        r = refuse_unauthorised(s, q->sa, p->group, q->now);
    if (r.err) {
        refuse(s, q->sa, p->group, &r, q->out);
        pulls_forget(&s->pulls, p, q->sa);
        return;
    }
    complete(s, p, q);
}

static void repeat(struct server *s, struct pull *p, const struct request *q)
{
    if (p->repeats == SERVER_PULL_REPEATS_MAX || p->answer_len == 0) {
        drop(s, q, ERR_LIMIT, "repeats of one message");
        return;
    }
    p->repeats++;
    p->group->counters.pulls_repeated++;
    exchange_send(q->sa, bytes(p->answer, p->answer_len), q->out);
}

static void known_exchange(struct server *s, struct pull *p, const struct request *q)
{
    struct chain c;

    if (q->fingerprint == p->taken) {
        repeat(s, p, q);
        return;
    }
    if (p->state == PULL_DONE) {
        drop(s, q, ERR_REPLAY, "message of a completed registration");
        return;
    }
    const struct bytes prefix[] = {bytes(p->open->ni, p->open->ni_len), BYTES_OF(p->open->nr)};
    struct exchange_iv iv = p->open->iv;
    enum err e = exchange_open(q->sa, &iv, q->header, q->datagram, q->len, &c);
    if (!e)
        e = exchange_check_hash(q->sa, q->header->message_id, prefix, ARRAY_LEN(prefix), &c);
    if (e) {
        drop(s, q, e, "message 3");
        return;
    }
    p->open->iv = iv;
    message_3(s, p, q, &c);
}

/* ---- from outside ---- */

void pull_datagram(struct server *s, instant_t now, struct endpoint from, struct endpoint to,
                   const struct ike1_header *header, uint8_t *datagram, size_t len,
                   struct effects *out)
{
    struct request q = {.now = now,
                        .sa = phase1_find(s->phase1, &header->cookies),
                        .header = header,
                        .datagram = datagram,
                        .len = len,
                        .from = from,
                        .out = out};

    if (!q.sa) {
        drop(s, &q, ERR_UNKNOWN_SA, "groupkey-pull");
    } else if (phase1_state(q.sa) != PHASE1_STATE_UP || header->flags != IKE1_FLAG_ENCRYPTION) {
        drop(s, &q, ERR_UNEXPECTED, "groupkey-pull");
    } else if (!endpoint_equal(from, phase1_remote(q.sa)) ||
               !endpoint_equal(to, phase1_local(q.sa))) {
        drop(s, &q, ERR_ADDRESS, "groupkey-pull");
    } else {
        q.fingerprint = map_hash(s->pulls.index.seed, bytes(datagram, len));
        struct pull *p = pulls_find(&s->pulls, header);
        if (p)
            known_exchange(s, p, &q);
        else
            new_exchange(s, &q);
    }
}

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

enum pull_state { PULL_OFFERED, PULL_DONE };

/* What message 3 needs, given back once it was there. */
struct pull_open {
    struct exchange_iv iv;
    uint8_t ni[GDOI_NONCE_MAX], nr[SERVER_NONCE];
    size_t ni_len;
    struct offer offer;
};
/* The key of the index: cookies and message id. */
struct pull_key {
    struct ike1_cookies cookies;
    uint32_t message_id;
};
static_assert(sizeof(struct pull_key) == sizeof(struct ike1_cookies) + sizeof(uint32_t),
              "no padding: its octets are compared");
struct pull {
    struct heap_node due;
    struct pull_key key;
    struct pull *next; /* of the same SA */
    struct group *group;
    enum pull_state state;
    struct pull_open *open; /* PULL_OFFERED */
    uint64_t taken;         /* fingerprint of the datagram that was answered last */
    uint8_t repeats;
    uint8_t *answer; /* to that datagram */
    size_t answer_len;
};

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

static struct bytes key_bytes(const struct pull_key *k) { return bytes(k, sizeof *k); }

static void drop(struct server *s, const struct request *q, enum err why, const char *what)
{
    server_drop(s, q->from, why, what, q->out);
}

static void close_open(struct pull *p)
{
    if (p->open)
        explicit_bzero(p->open, sizeof *p->open);
    free(p->open);
    p->open = NULL;
}

static void pull_free(struct pull *p)
{
    close_open(p);
    free(p->answer); /* ciphertext */
    free(p);
}

/* Takes p off the list of its SA; NULL: that is gone. */
static void unhang(struct phase1_sa *sa, const struct pull *p)
{
    if (!sa)
        return;
    if (phase1_user(sa) == p)
        phase1_set_user(sa, p->next);
    for (struct pull *at = phase1_user(sa); at; at = at->next) {
        if (at->next == p)
            at->next = p->next;
    }
}

static void forget(struct server *s, struct pull *p, struct phase1_sa *sa)
{
    unhang(sa, p);
    map_remove(&s->pulls.index, key_bytes(&p->key));
    heap_remove(&s->pulls.due, &p->due);
    pull_free(p);
    if (s->pulls.index.n == 0) { /* after a storm of registrations the tables are large */
        map_free(&s->pulls.index);
        heap_free(&s->pulls.due);
    }
}

/* The member did not finish. Its row, if it has one, says so. */
static void tell_aborted(const struct pull *p, const struct phase1_sa *sa, enum err why,
                         struct effects *out)
{
    struct event e = sa ? server_event(EV_PULL_ABORTED, sa) : event_of(EV_PULL_ABORTED);

    p->group->counters.pulls_failed++;
    if (sa) {
        struct registry_member *m = registry_find(&p->group->registry, phase1_peer_identity(sa));
        if (m)
            registry_failed(m);
    }
    event_add_str(&e, "group", p->group->model->name);
    event_add_err(&e, why);
    effects_tell(out, &e);
}

static void abandon(struct server *s, struct pull *p, struct phase1_sa *sa, enum err why,
                    struct effects *out)
{
    if (p->state == PULL_OFFERED)
        tell_aborted(p, sa, why, out);
    forget(s, p, sa);
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

static struct pull *pull_new(struct server *s, const struct request *q, struct group *g)
{
    struct pull *p = calloc(1, sizeof *p);
    struct pull_open *open = calloc(1, sizeof *open);

    if (!p || !open) {
        free(p);
        free(open);
        return NULL;
    }
    p->key = (struct pull_key){q->header->cookies, q->header->message_id};
    p->group = g;
    p->open = open;
    p->next = phase1_user(q->sa);
    phase1_set_user(q->sa, p);
    map_put(&s->pulls.index, key_bytes(&p->key), p);
    return p;
}

static void send_offer(struct server *s, const struct request *q, struct group *g,
                       const struct exchange_iv *iv, struct bytes ni)
{
    uint8_t room[DATAGRAM_MAX];
    struct wr w = wr_of(room, sizeof room);
    struct pull *p = pull_new(s, q, g);

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

static size_t count_of(const struct phase1_sa *sa)
{
    size_t n = 0;

    for (const struct pull *p = phase1_user(sa); p; p = p->next)
        n++;
    return n;
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
    if (s->pulls.index.n >= SERVER_PULLS_MAX || count_of(q->sa) >= SERVER_PULLS_PER_SA_MAX) {
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
static void forget_struck(struct server *s, struct group *g, const struct request *q)
{
    struct model_identity self = phase1_peer_identity(q->sa);
    struct registry_member *m = registry_at_address(&g->registry, phase1_remote(q->sa).ip);

    while (m) {
        struct registry_member *next = registry_same_address(m);
        if (m->status == REGISTRY_STRUCK && !registry_is(m, self)) {
            persist_forget_member(s, g, m, q->out);
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
    forget_struck(s, g, q);
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
        abandon(s, p, q->sa, e, q->out);
        return;
    }
    e = register_member(s, p, q);
    if (e) {
        struct refusal r = refuse_limit(e, "the registry is full");
        refuse(s, q->sa, p->group, &r, q->out);
        forget(s, p, q->sa);
        return;
    }
    tell_registered(q, p->group);
    p->state = PULL_DONE;
    close_open(p);
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
        forget(s, p, q->sa);
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
    struct pull_key key = {header->cookies, header->message_id};

    if (!q.sa) {
        drop(s, &q, ERR_UNKNOWN_SA, "groupkey-pull");
    } else if (phase1_state(q.sa) != PHASE1_STATE_UP || header->flags != IKE1_FLAG_ENCRYPTION) {
        drop(s, &q, ERR_UNEXPECTED, "groupkey-pull");
    } else if (!endpoint_equal(from, phase1_remote(q.sa)) ||
               !endpoint_equal(to, phase1_local(q.sa))) {
        drop(s, &q, ERR_ADDRESS, "groupkey-pull");
    } else {
        q.fingerprint = map_hash(s->pulls.index.seed, bytes(datagram, len));
        struct pull *p = map_get(&s->pulls.index, key_bytes(&key));
        if (p)
            known_exchange(s, p, &q);
        else
            new_exchange(s, &q);
    }
}

instant_t pull_due(const struct server *s) { return heap_due(&s->pulls.due); }

void pull_timer(struct server *s, instant_t now, struct effects *out)
{
    while (instant_reached(pull_due(s), now)) {
        struct pull *p = HEAP_OBJECT(heap_first(&s->pulls.due), struct pull, due);
        abandon(s, p, phase1_find(s->phase1, &p->key.cookies), ERR_TIMEOUT, out);
    }
}

void pull_end_all(struct server *s, struct phase1_sa *sa, struct effects *out)
{
    while (phase1_user(sa))
        abandon(s, phase1_user(sa), sa, ERR_CLOSED, out);
}

void pull_end_group(struct server *s, const struct group *g, struct effects *out)
{
    struct pull *p, **all = calloc(s->pulls.index.n + 1, sizeof(struct pull *));
    size_t cursor = 0, n = 0;

    if (!all)
        abort(); /* as in base/map.h */
    while ((p = map_next(&s->pulls.index, &cursor))) {
        if (p->group == g)
            all[n++] = p;
    }
    for (size_t i = 0; i < n; i++)
        abandon(s, all[i], phase1_find(s->phase1, &all[i]->key.cookies), ERR_CLOSED, out);
    free(all);
}

void pulls_free(struct pulls *p)
{
    size_t cursor = 0;
    struct pull *each;

    while ((each = map_next(&p->index, &cursor)))
        pull_free(each);
    map_free(&p->index);
    heap_free(&p->due);
}

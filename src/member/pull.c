/* GROUPKEY-PULL, the member's side (RFC 6407 3.2, 3.3):
 *
 *   HDR*, HASH(1), Ni, ID        -->
 *                                <--   HDR*, HASH(2), Nr, SA
 *   HDR*, HASH(3)                -->
 *                                <--   HDR*, HASH(4), [SEQ,] KD [, N]
 */
#include "gdoi/id.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "member/vpn.h"

#include <assert.h>
#include <stdlib.h>

enum { NI_LEN = 32 };

static void send(struct vpn *v, struct effects *out)
{
    exchange_send(v->pull.sa, bytes(v->pull.sent, v->pull.sent_len), out);
    v->pull.tries++;
}

static void arm(struct member *m, struct vpn *v, instant_t now)
{
    span_t wait = MEMBER_PULL_RETRANSMIT_FIRST;
    span_t most =
        vpn_is_urgent(v, now) ? MEMBER_PULL_RETRANSMIT_URGENT : MEMBER_PULL_RETRANSMIT_MAX;

    for (unsigned i = 1; i < v->pull.tries && wait.ns < most.ns; i++)
        wait = span_times(wait, 2);
    wait = span_min(wait, most);
    /* up to a tenth more, so that members cut off together do not speak together */
    wait.ns += (int64_t)drbg_below(&m->drbg, (uint64_t)wait.ns / 10);
    v->due[DUE_RETRANSMIT] = instant_add(now, wait);
}

void vpn_pull_end(struct vpn *v)
{
    if (v->pull.sa)
        phase1_set_user(v->pull.sa, NULL);
    free(v->pull.policy);
    explicit_bzero(&v->pull, sizeof v->pull);
    v->due[DUE_RETRANSMIT] = INSTANT_NEVER;
}

/* Seals what `w` holds, keeps it for repeats, sends it. */
static enum err seal_and_send(struct member *m, struct vpn *v, instant_t now, struct wr *w,
                              const struct bytes *prefix, size_t n_prefix, struct effects *out)
{
    enum err e = exchange_seal(v->pull.sa, &v->pull.iv, w, v->pull.message_id, prefix, n_prefix);

    if (e)
        return e;
    v->pull.sent_len = w->len;
    v->pull.tries = 0;
    send(v, out);
    arm(m, v, now);
    return ERR_OK;
}

void vpn_pull_start(struct member *m, struct vpn *v, struct phase1_sa *sa, bool was_up,
                    instant_t now, struct effects *out)
{
    uint32_t id = exchange_new_id(sa, &m->drbg);

    if (id == 0) { /* the SA has had its share of exchanges */
        phase1_end(m->phase1, sa, true, out);
        vpn_attempt(m, v, now, out);
        return;
    }
    v->pull = (struct pull){.sa = sa, .sa_was_up = was_up, .message_id = id, .ni_len = NI_LEN};
    phase1_set_user(sa, v);
    exchange_iv_start(sa, id, &v->pull.iv);
    drbg_fill(&m->drbg, v->pull.ni, NI_LEN);

    struct wr w = wr_of(v->pull.sent, sizeof v->pull.sent);
    struct chain_wr c = exchange_build(sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, id);
    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, bytes(v->pull.ni, NI_LEN));
    gdoi_group_id_write(&c, v->model->group_id);
    enum err e = seal_and_send(m, v, now, &w, NULL, 0, out);
    if (e)
        vpn_failed(m, v, now, e, bytes_str("message 1 could not be built"), out);
}

void vpn_pull_retransmit(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    unsigned most = v->pull.sa_was_up ? MEMBER_PULL_TRIES_LIVE : MEMBER_PULL_TRIES;

    if (v->pull.tries < most) {
        send(v, out);
        arm(m, v, now);
        return;
    }
    v->counters.pull_timeout++;
    if (v->pull.sa_was_up) {
        /* The server may have lost this SA: a new phase 1 with the same server (decisions M7). */
        struct phase1_sa *sa = v->pull.sa;
        vpn_pull_end(v);
        phase1_end(m->phase1, sa, false, out);
        v->fresh_phase1 = true;
        vpn_attempt(m, v, now, out);
        return;
    }
    vpn_failed(m, v, now, ERR_TIMEOUT, bytes(NULL, 0), out);
}

/* Opens a message of this exchange; the IV chain moves only when its HASH holds, so that nobody who
 * merely saw the cookies can disturb the exchange. */
static enum err open_message(struct vpn *v, const struct ike1_header *header, uint8_t *datagram,
                             size_t len, const struct bytes *prefix, size_t n_prefix,
                             enum gdoi_message shape, struct chain *ret)
{
    struct exchange_iv iv = v->pull.iv;
    enum err e = exchange_open(v->pull.sa, &iv, header, datagram, len, ret);

    if (!e)
        e = exchange_check_hash(v->pull.sa, v->pull.message_id, prefix, n_prefix, ret);
    if (!e)
        v->pull.iv = iv;
    if (!e)
        e = gdoi_shape_check(shape, ret, NULL);
    return e;
}

static enum err parse_message_2(struct member *m, struct vpn *v, const struct chain *c)
{
    struct bytes nr;
    enum err e = ike1_data_parse(IKE1_PAYLOAD_NONCE, chain_find(c, IKE1_PAYLOAD_NONCE)->body, &nr);

    if (e)
        return e;
    if (nr.len > GDOI_NONCE_MAX)
        return ERR_LENGTH;
    memcpy(v->pull.nr, nr.data, nr.len);
    v->pull.nr_len = nr.len;
    v->pull.policy = malloc(sizeof *v->pull.policy);
    if (!v->pull.policy)
        return ERR_NOMEM;
    return gdoi_sa_parse(chain_find(c, IKE1_PAYLOAD_SA)->body, &GDOI_RFC6407, &m->tolerated,
                         v->pull.policy);
}

/* The message was the server's, but this member cannot go on with it: RFC 6407 3.3, "MUST tear
 * down". */
static void reject(struct member *m, struct vpn *v, instant_t now, enum err err, const char *what,
                   struct effects *out)
{
    struct phase1_sa *sa = v->pull.sa;

    v->counters.pull_aborted++;
    vpn_pull_end(v);
    phase1_end(m->phase1, sa, true, out);
    vpn_failed(m, v, now, err, bytes_str(what), out);
}

static void message_2(struct member *m, struct vpn *v, instant_t now, const struct chain *c,
                      struct effects *out)
{
    enum err e = parse_message_2(m, v, c);
    if (e) {
        reject(m, v, now, e, "the SA payload of message 2 cannot be read", out);
        return;
    }
    v->pull.received = now;
    v->pull.has_policy = true;

    struct wr w = wr_of(v->pull.sent, sizeof v->pull.sent);
    exchange_build(v->pull.sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, v->pull.message_id);
    struct bytes prefix[] = {bytes(v->pull.ni, v->pull.ni_len), bytes(v->pull.nr, v->pull.nr_len)};
    e = seal_and_send(m, v, now, &w, prefix, ARRAY_LEN(prefix), out);
    if (e)
        vpn_failed(m, v, now, e, bytes_str("message 3 could not be built"), out);
}

struct message_4 {
    bool has_seq, has_state;
    uint32_t seq;
    struct gdoi_kd kd;
    struct gdoi_state state;
};

static enum err parse_message_4(struct member *m, struct vpn *v, const struct chain *c,
                                struct message_4 *ret)
{
    const struct chain_payload *seq = chain_find(c, IKE1_PAYLOAD_SEQ),
                               *n = chain_find(c, IKE1_PAYLOAD_N);
    enum err e = gdoi_kd_parse(chain_find(c, IKE1_PAYLOAD_KD)->body, &ret->kd, NULL);

    if (!e)
        e = gdoi_kd_match(v->pull.policy, &ret->kd, NULL, &m->tolerated);
    if (!e && seq) {
        ret->has_seq = true;
        e = gdoi_seq_parse(seq->body, &ret->seq);
    }
    if (!e && ret->has_seq != v->pull.policy->has_sak)
        e = ret->has_seq ? ERR_CONFLICT : ERR_MISSING; /* 6407 3.2: SEQ exactly when SAK */
    struct ike1_notify notify;
    if (!e && n && !ike1_notify_parse(n->body, &notify) && gdoi_is_state(&notify)) {
        ret->has_state = true;
        e = gdoi_state_parse(&notify, &ret->state);
    }
    return e;
}

static void tell_refusal(struct vpn *v, const struct policy_refusal *r, struct effects *out)
{
    if (r->n == 0)
        return;
    struct event e = vpn_event(v, EV_POLICY_REJECTED);
    event_add_fmt(&e, "spi", "%08x", r->spi);
    event_add_err(&e, r->err);
    event_add_str(&e, "what", r->what);
    event_add_u64(&e, "policies", r->n);
    effects_tell(out, &e);
    v->counters.policies_rejected += r->n;
    if (r->err == ERR_TOO_MANY)
        v->counters.exceed_maximum_keys++;
    if (r->err == ERR_TYPE)
        v->counters.unsupported_algorithm++;
}

/* Takes the keys of message 4 into the ring. */
static enum err take_keys(struct vpn *v, instant_t now, const struct message_4 *m4,
                          struct effects *out, size_t *ret_learned)
{
    struct tek *teks[MEMBER_TEKS_MAX];
    struct policy_refusal refusal;
    const struct gdoi_sa *sa = v->pull.policy;
    struct keyring_offer offer = {.teks = teks,
                                  .has_gap = sa->has_gap && (sa->gap.has_atd || sa->gap.has_dtd),
                                  .atd_s = sa->gap.atd,
                                  .dtd_s = sa->gap.dtd,
                                  .received = v->pull.received};

    policy_teks(sa, &m4->kd, vpn_peer(v)->address, v->pull.received, teks, &offer.n, &refusal);
    tell_refusal(v, &refusal, out);
    if (offer.n == 0 && sa->n_sats > 0)
        return ERR_POLICY;
    struct kek kek = {0};
    enum err e = ERR_OK;
    if (sa->has_sak)
        e = policy_kek(sa, &m4->kd, vpn_peer(v)->address, v->pull.received, m4->seq, &kek);
    for (size_t i = 0; e && i < offer.n; i++)
        tek_free(teks[i]);
    if (!e)
        e = keyring_pull(&v->keys, now, &offer, ret_learned);
    if (!e) {
        explicit_bzero(&v->kek, sizeof v->kek);
        v->kek = kek;
    }
    explicit_bzero(&kek, sizeof kek);
    return e;
}

static void message_4(struct member *m, struct vpn *v, instant_t now, const struct chain *c,
                      struct effects *out)
{
    struct message_4 *m4 = calloc(1, sizeof *m4);
    size_t learned = 0;
    enum err e = m4 ? parse_message_4(m, v, c, m4) : ERR_NOMEM;

    if (!e)
        e = take_keys(v, now, m4, out, &learned);
    if (!e) {
        v->spread_s = m4->has_state ? m4->state.spread : 0;
        v->atd_s = m4->has_state && m4->state.activation_delay ? m4->state.activation_delay
                                                               : MEMBER_ATD_DEFAULT_S;
    }
    free(m4);
    if (e) {
        reject(m, v, now, e,
               e == ERR_POLICY ? "no policy of the group can be installed"
                               : "the keys of message 4 cannot be taken",
               out);
        return;
    }
    vpn_pull_end(v);
    vpn_registered(m, v, now, learned, out);
}

void vpn_pull_datagram(struct member *m, struct vpn *v, instant_t now,
                       const struct ike1_header *header, uint8_t *datagram, size_t len,
                       struct effects *out)
{
    struct pull *p = &v->pull;
    struct bytes prefix[] = {bytes(p->ni, p->ni_len), bytes(p->nr, p->nr_len)};
    struct chain c;

    if (header->message_id != p->message_id) {
        m->dropped[ERR_UNEXPECTED]++;
        return;
    }
    enum err e = open_message(v, header, datagram, len, prefix, p->has_policy ? 2 : 1,
                              p->has_policy ? GDOI_PULL_4 : GDOI_PULL_2, &c);
    if (e) {
        m->dropped[e]++; /* a repeat, a forgery, a damaged one: the retransmission timer goes on */
        return;
    }
    if (p->has_policy)
        message_4(m, v, now, &c, out);
    else
        message_2(m, v, now, &c, out);
}

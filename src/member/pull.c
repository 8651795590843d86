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
    v->due[DUE_RETRANSMIT] = instant_min(instant_add(now, wait), v->pull.forgotten);
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
static void seal_and_send(struct member *m, struct vpn *v, instant_t now, struct wr *w,
                          const struct bytes *prefix, size_t n_prefix, struct effects *out)
{
    struct pull *p = &v->pull;
    enum err e = exchange_seal(p->sa, &p->iv, w, p->message_id, prefix, n_prefix);

    assert(e == ERR_OK); /* `sent` has room for messages 1 and 3 with the longest HASH */
    (void)e;
    p->sent_len = w->len;
    p->tries = 0;
    send(v, out);
    arm(m, v, now);
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
    v->pull = (struct pull){.sa = sa,
                            .sa_was_up = was_up,
                            .message_id = id,
                            .ni_len = NI_LEN,
                            .asked = now,
                            .forgotten = INSTANT_NEVER};
    v->beat.is_called = false;
    phase1_set_user(sa, v);
    exchange_iv_start(sa, id, &v->pull.iv);
    drbg_fill(&m->drbg, v->pull.ni, NI_LEN);

    struct wr w = wr_of(v->pull.sent, sizeof v->pull.sent);
    struct chain_wr c = exchange_build(sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, id);
    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, bytes(v->pull.ni, NI_LEN));
    gdoi_group_id_write(&c, v->model->group_id);
    seal_and_send(m, v, now, &w, NULL, 0, out);
}

/* The server may have lost this SA: a new phase 1 with the same server (decisions M7). */
static void renew_phase1(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    struct phase1_sa *sa = v->pull.sa;

    vpn_pull_end(v);
    phase1_end(m->phase1, sa, false, out);
    vpn_attempt(m, v, now, out);
}

void vpn_pull_retransmit(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    unsigned most = v->pull.sa_was_up ? MEMBER_PULL_TRIES_LIVE : MEMBER_PULL_TRIES;

    if (v->pull.tries < most && !instant_reached(v->pull.forgotten, now)) {
        send(v, out);
        arm(m, v, now);
        return;
    }
    v->counters.pull_timeout++;
    if (v->pull.sa_was_up)
        renew_phase1(m, v, now, out);
    else
        vpn_failed(m, v, now, ERR_TIMEOUT, bytes(NULL, 0), out);
}

/* Opens a message of this exchange; the IV chain moves only when its HASH holds, so that nobody who
 * merely saw the cookies can disturb the exchange. */
static enum err open_message(struct vpn *v, const struct ike1_header *header, uint8_t *datagram,
                             size_t len, struct chain *ret)
{
    struct pull *p = &v->pull;
    const struct bytes prefix[] = {bytes(p->ni, p->ni_len), bytes(p->nr, p->nr_len)};
    struct exchange_iv iv = p->iv;
    enum err e = exchange_open(p->sa, &iv, header, datagram, len, ret);

    if (!e)
        e = exchange_check_hash(p->sa, p->message_id, prefix, p->policy ? 2 : 1, ret);
    if (!e)
        p->iv = iv;
    return e;
}

static enum err parse_nonce(struct vpn *v, const struct chain *c)
{
    struct bytes nr;
    enum err e = ike1_data_parse(IKE1_PAYLOAD_NONCE, chain_find(c, IKE1_PAYLOAD_NONCE)->body, &nr);

    if (e)
        return e;
    if (nr.len > GDOI_NONCE_MAX)
        return ERR_LENGTH;
    memcpy(v->pull.nr, nr.data, nr.len);
    v->pull.nr_len = nr.len;
    return ERR_OK;
}

static enum err parse_message_2(struct member *m, struct vpn *v, const struct chain *c)
{
    enum err e = gdoi_shape_check(GDOI_PULL_2, c, NULL);

    if (!e)
        e = parse_nonce(v, c);
    if (e)
        return e;
    v->pull.policy = malloc(sizeof *v->pull.policy);
    if (!v->pull.policy)
        abort(); /* like every container: limits are checked where sizes enter */
    struct gdoi_dialect dialect = member_dialect(m, phase1_peer_knows_stamps(v->pull.sa));
    return gdoi_sa_parse(chain_find(c, IKE1_PAYLOAD_SA)->body, &dialect, &m->tolerated,
                         v->pull.policy);
}

/* The message was the server's, but this member cannot go on with it: RFC 6407 3.3, "SHOULD tear
 * down the Phase 1 session after notifying the GCKS". */
static void reject(struct member *m, struct vpn *v, instant_t now, enum err err, const char *what,
                   struct effects *out)
{
    struct phase1_sa *sa = v->pull.sa;

    v->counters.pull_aborted++;
    vpn_pull_end(v);
    phase1_end(m->phase1, sa, true, out);
    vpn_failed(m, v, now, err, bytes_str(what), out);
}

static void reject_policy(struct member *m, struct vpn *v, instant_t now,
                          const struct policy_refusal *r, struct effects *out)
{
    struct event e = vpn_event(v, EV_POLICY_REJECTED);

    event_add_fmt(&e, "spi", "%08x", r->spi);
    event_add_err(&e, r->err);
    event_add_str(&e, "what", r->what);
    event_add_u64(&e, "policies", r->n);
    effects_tell(out, &e);
    vpn_policy_refused(v, r);
    reject(m, v, now, r->err, r->what, out);
}

static void send_message_3(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    struct pull *p = &v->pull;
    struct wr w = wr_of(p->sent, sizeof p->sent);
    const struct bytes prefix[] = {bytes(p->ni, p->ni_len), bytes(p->nr, p->nr_len)};

    exchange_build(p->sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, p->message_id);
    seal_and_send(m, v, now, &w, prefix, ARRAY_LEN(prefix), out);
}

static void message_2(struct member *m, struct vpn *v, instant_t now, const struct chain *c,
                      struct effects *out)
{
    struct policy_refusal refusal;
    enum err e = parse_message_2(m, v, c);

    if (e) {
        reject(m, v, now, e, "message 2 of the server cannot be read", out);
        return;
    }
    if (policy_check(v->pull.policy, m->config.transport_mode, &refusal)) {
        reject_policy(m, v, now, &refusal, out);
        return;
    }
    v->pull.received = now;
    v->pull.forgotten = instant_add(now, MEMBER_PULL_LIFE);
    send_message_3(m, v, now, out);
}

struct message_4 {
    uint32_t seq;
    struct gdoi_kd kd;
    bool has_state;
    struct gdoi_state state;
};

/* What a native server tells of itself. From any other the number may mean anything; what cannot be
 * read is a newer server's, and does not make its keys worse. */
static void read_state(struct vpn *v, const struct chain *c, struct message_4 *ret)
{
    struct ike1_notify n;

    for (size_t i = 0; i < c->n && phase1_peer_is_native(v->pull.sa); i++) {
        if (c->p[i].type == IKE1_PAYLOAD_N && ike1_notify_parse(c->p[i].body, &n) == ERR_OK &&
            gdoi_is_state(&n) && gdoi_state_parse(&n, &ret->state) == ERR_OK)
            ret->has_state = true;
    }
}

static enum err parse_message_4(struct member *m, struct vpn *v, const struct chain *c,
                                struct message_4 *ret)
{
    const struct gdoi_sa *policy = v->pull.policy;
    enum err e = gdoi_shape_check(GDOI_PULL_4, c, NULL);
    const struct chain_payload *seq = chain_find(c, IKE1_PAYLOAD_SEQ);

    if (!e && !seq != !policy->has_sak) /* RFC 6407 3.2: SEQ exactly when SAK */
        e = seq ? ERR_CONFLICT : ERR_MISSING;
    if (!e && seq)
        e = gdoi_seq_parse(seq->body, &ret->seq);
    if (!e)
        e = gdoi_kd_parse(chain_find(c, IKE1_PAYLOAD_KD)->body, &ret->kd, NULL);
    if (!e)
        e = gdoi_kd_match(policy, &ret->kd, NULL, &m->tolerated);
    if (!e)
        read_state(v, c, ret);
    return e;
}

static enum err take_teks(struct vpn *v, instant_t now, const struct message_4 *m4,
                          size_t *ret_learned)
{
    const struct pull *p = &v->pull;
    struct tek *teks[GDOI_TEKS_MAX];
    struct keyring_offer offer = {.teks = teks,
                                  .waits = phase1_peer_is_native(p->sa),
                                  .atd_s = p->policy->gap.atd,
                                  .has_dtd = p->policy->gap.has_dtd,
                                  .dtd_s = p->policy->gap.dtd,
                                  .asked = p->asked,
                                  .received = p->received};

    policy_teks(p->policy, &m4->kd, vpn_peer(v)->address, p->received, teks, &offer.n);
    return keyring_pull(&v->keys, now, &offer, ret_learned);
}

/* The group clock as message 4 tells it; message 3 left when message 2 came. A clock that was
 * measured with this server before serves on when this answer is too late for the window; one that
 * was measured with another server says nothing here. */
static enum err read_clock(const struct vpn *v, instant_t now, const struct message_4 *m4,
                           struct member_clock *ret, const char **ret_what)
{
    uint32_t window_ms = policy_window_ms(v->pull.policy);
    bool told = m4->has_state && m4->state.clock_valid;
    bool same = ip_equal(v->clock_of, vpn_peer(v)->address);

    *ret = same ? v->clock : (struct member_clock){0};
    enum err e = told ? member_clock_measure(ret, gdoi_state_clock(&m4->state), v->pull.received,
                                             now, window_ms)
                      : ERR_POLICY;
    if (!e || window_ms == 0 || (e == ERR_TIMEOUT && ret->set))
        return ERR_OK;
    *ret_what = told ? "the answer took too long to set the group clock by"
                     : "the keys have time stamps, and the server tells no group clock";
    return e;
}

static void take_clock(struct vpn *v, const struct member_clock *clock, struct effects *out)
{
    v->clock = *clock;
    v->clock_of = vpn_peer(v)->address;
    if (clock->set)
        vpn_tell_clock(v, out);
}

/* Takes the keys of message 4: all, or none. */
static enum err take_keys(struct member *m, struct vpn *v, instant_t now,
                          const struct message_4 *m4, size_t *ret_learned)
{
    const struct pull *p = &v->pull;
    struct kek kek = {.server = vpn_peer(v)->address};
    enum err e = ERR_OK;

    if (p->policy->has_sak) {
        if (p->policy->sak.management) /* RFC 6407 5.3: it has no place in a PULL */
            gdoi_tolerate(&m->tolerated, TOLERATED_MANAGEMENT);
        policy_kek(p->policy, &m4->kd, vpn_peer(v)->address, p->received, m4->seq, &kek);
        e = keks_check(&v->keks, &kek);
    }
    if (!e)
        e = take_teks(v, now, m4, ret_learned);
    if (!e) {
        if (kek.present && !keks_find(&v->keks, &kek.cookies))
            member_kek_learned(m, &kek);
        keks_pull(&v->keks, p->asked, &kek);
    }
    explicit_bzero(&kek, sizeof kek);
    return e;
}

static void message_4(struct member *m, struct vpn *v, instant_t now, const struct chain *c,
                      struct effects *out)
{
    struct message_4 m4 = {0};
    struct member_clock clock;
    const char *what = "the keys of message 4 cannot be taken";
    size_t learned = 0;
    enum err e = parse_message_4(m, v, c, &m4);

    if (!e)
        e = read_clock(v, now, &m4, &clock, &what);
    if (!e)
        e = take_keys(m, v, now, &m4, &learned);
    if (e) {
        reject(m, v, now, e, what, out);
        return;
    }
    take_clock(v, &clock, out);
    v->knows_stamps = phase1_peer_knows_stamps(v->pull.sa);
    v->beat.native = phase1_peer_is_native(v->pull.sa);
    heartbeat_told(v, m4.has_state ? &m4.state : NULL);
    vpn_pull_end(v);
    vpn_registered(m, v, now, learned, out);
    heartbeat_start(m, v, now, m4.has_state ? &m4.state : NULL, out);
}

/* A datagram that does not authenticate is a repeat, a forgery, or damaged: it changes nothing, and
 * the retransmission timer goes on. */
void vpn_pull_datagram(struct member *m, struct vpn *v, instant_t now,
                       const struct ike1_header *header, uint8_t *datagram, size_t len,
                       struct effects *out)
{
    bool second = v->pull.policy == NULL;
    struct endpoint from = phase1_remote(v->pull.sa);
    struct chain c;

    if (header->message_id != v->pull.message_id) {
        member_drop(m, from, ERR_UNEXPECTED, "groupkey-pull", out);
        return;
    }
    enum err e = open_message(v, header, datagram, len, &c);
    if (e) {
        member_drop(m, from, e, second ? "message 2" : "message 4", out);
        return;
    }
    if (second)
        message_2(m, v, now, &c, out);
    else
        message_4(m, v, now, &c, out);
    explicit_bzero(datagram, len);
}

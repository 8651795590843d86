/* Datagrams come in here: cheapest check first, and an error anywhere means that the datagram has
 * changed nothing. */
#include "sa/phase1_internal.h"

#include <assert.h>

typedef enum err take(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);

/* What an SA waits for. */
static const struct {
    take *take;
    enum ike1_message shape;
    bool sealed;
} waiting[PHASE1_AT_COUNT] = {
    [PHASE1_I_SENT_1] = {phase1_main_2, IKE1_MAIN_2, false},
    [PHASE1_R_SENT_2] = {phase1_main_3, IKE1_MAIN_3, false},
    [PHASE1_I_SENT_3] = {phase1_main_4, IKE1_MAIN_4, false},
    [PHASE1_R_SENT_4] = {phase1_main_5, IKE1_MAIN_5, true},
    [PHASE1_I_SENT_5] = {phase1_main_6, IKE1_MAIN_6, true},
    [PHASE1_AI_SENT_1] = {phase1_aggressive_2, IKE1_AGGRESSIVE_2, false},
    [PHASE1_AR_SENT_2] = {phase1_aggressive_3, IKE1_AGGRESSIVE_3, true},
};

static bool is_zero(const uint8_t cookie[IKE1_COOKIE])
{
    static const uint8_t zero[IKE1_COOKIE];
    return bytes_equal(bytes(cookie, IKE1_COOKIE), BYTES_OF(zero));
}

static bool is_sealed(const struct phase1_call *c)
{
    return c->header->flags & IKE1_FLAG_ENCRYPTION;
}

static enum err read_clear(struct phase1_call *c, enum ike1_message shape, struct chain *ret)
{
    enum err e = ike1_payloads_parse(bytes(c->datagram, c->len), c->header->next_payload,
                                     IKE1_CLEAR_ALIGN, ret);
    return e ? e : ike1_shape_check(ike1_shape_of(shape), ret, NULL);
}

static enum err read_sealed(struct phase1_call *c, const struct phase1_sa *sa,
                            enum ike1_message shape, struct chain *ret)
{
    memcpy(c->iv, sa->iv, sizeof c->iv);
    enum err e = phase1_decrypt(sa, c->iv, c->header->next_payload, c->datagram, c->len, ret);
    return e ? e : ike1_shape_check(ike1_shape_of(shape), ret, NULL);
}

/* Message 1 of a stranger, or of an exchange that has begun. */
static enum err take_first(struct phase1_call *c)
{
    struct phase1_sa *sa = phase1_half_open_find(c->t, c);
    struct chain chain;
    bool aggressive = c->header->exchange == IKE1_EXCHANGE_AGGRESSIVE;

    if (!c->t->peers.config.responder || is_sealed(c))
        return ERR_UNEXPECTED;
    if (sa)
        return phase1_repeated(c, sa);
    enum err e = read_clear(c, aggressive ? IKE1_AGGRESSIVE_1 : IKE1_MAIN_1, &chain);
    if (e)
        return e;
    return aggressive ? phase1_aggressive_first(c, &chain) : phase1_main_first(c, &chain);
}

/* An identical repeat gets the cached answer; while a job works on it, nothing; anything else is a
 * replay. The main mode initiator does not answer repeats: his timer does, and two clocks would
 * multiply datagrams. */
enum err phase1_repeated(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;

    c->t->counters.duplicates++;
    if (!hs || hs->answered != c->digest)
        return ERR_REPLAY;
    if (hs->sent.len && (!sa->initiator || sa->at == PHASE1_AT_UP))
        phase1_send_again(c, sa);
    return ERR_OK;
}

static bool is_repeat(const struct phase1_call *c, const struct phase1_sa *sa)
{
    return sa->hs && (sa->hs->answered == c->digest || sa->hs->pending == c->digest);
}

static enum err take_next(struct phase1_call *c, struct phase1_sa *sa)
{
    bool aggressive = c->header->exchange == IKE1_EXCHANGE_AGGRESSIVE;
    enum ike1_message shape = waiting[sa->at].shape;
    bool sealed = waiting[sa->at].sealed;
    struct chain chain;

    if (aggressive !=
        phase1_is_mode_aggressive(sa)) /* RFC 2409 5: MUST NOT switch exchange types */
        return ERR_UNEXPECTED;
    if (is_repeat(c, sa))
        return phase1_repeated(c, sa);
    if (!waiting[sa->at].take)
        return ERR_UNEXPECTED;
    if (is_sealed(c) != sealed && sa->at != PHASE1_AR_SENT_2)
        return ERR_UNEXPECTED;
    enum err e = is_sealed(c) ? read_sealed(c, sa, shape, &chain) : read_clear(c, shape, &chain);
    if (e == ERR_OK)
        e = waiting[sa->at].take(c, sa, &chain);
    if (e == ERR_OK)
        return ERR_OK;
    if (sealed)
        phase1_suspect(c, sa,
                       "the peer's last message does not open: is the pre-shared key the same?");
    else if (e != ERR_LIMIT) /* which is told by its own event */
        phase1_tell_dropped(c, sa, e, ike1_shape_of(shape)->name);
    return e;
}

/* By both cookies; message 2 finds the SA that still lacks the responder's. From the SA's own
 * endpoint only. */
static struct phase1_sa *find(const struct phase1_call *c)
{
    struct ike1_cookies started = c->header->cookies;
    struct phase1_sa *sa = phase1_find(c->t, &started);

    memset(started.r, 0, sizeof started.r);
    if (!sa)
        sa = phase1_find(c->t, &started);
    return sa && endpoint_equal(phase1_remote(sa), c->from) ? sa : NULL;
}

static enum err take_datagram(struct phase1_call *c)
{
    if (c->header->exchange == IKE1_EXCHANGE_INFORMATIONAL)
        return phase1_informational(c);
    if (c->header->exchange != IKE1_EXCHANGE_MAIN &&
        c->header->exchange != IKE1_EXCHANGE_AGGRESSIVE)
        return ERR_TYPE;
    if (c->header->message_id != 0) /* RFC 2408 3.1 */
        return ERR_VALUE;
    if (is_zero(c->header->cookies.r))
        return take_first(c);
    struct phase1_sa *sa = find(c);
    if (!sa)
        return ERR_UNKNOWN_SA;
    sa->traffic.in_datagrams++;
    sa->traffic.in_octets += c->len;
    return take_next(c, sa);
}

/* A dropped datagram about which nothing else was said. */
static void tell_ignored(struct phase1_call *c, enum err err)
{
    struct event e = event_of(EV_DATAGRAM_DROPPED);

    event_add_endpoint(&e, "peer", c->from);
    event_add_str(&e, "what", ike1_exchange_name(c->header->exchange));
    event_add_err(&e, err);
    effects_tell(c->out, &e);
}

struct phase1_outcome phase1_datagram(struct phase1_table *t, instant_t now, struct endpoint from,
                                      struct endpoint to, const struct ike1_header *header,
                                      uint8_t *datagram, size_t len, struct effects *out)
{
    struct phase1_call c = {.t = t,
                            .now = now,
                            .out = out,
                            .from = from,
                            .to = to,
                            .header = header,
                            .datagram = datagram,
                            .len = len};

    assert(len >= IKE1_HEADER);
    phase1_free_dead(t);
    t->counters.received++;
    c.digest = map_hash(t->by_first.seed, bytes(datagram, len)) | 1; /* 0: none */
    size_t told = out->n;
    enum err e = take_datagram(&c);
    if (e)
        t->counters.dropped[e]++;
    if (e && e != ERR_LIMIT && out->n == told) /* a limit was told when it was reached */
        tell_ignored(&c, e);
    return c.outcome;
}

struct phase1_sa *phase1_initiate(struct phase1_table *t, instant_t now,
                                  const struct phase1_peer *peer, struct endpoint local,
                                  struct endpoint remote, struct effects *out)
{
    struct phase1_call c = {.t = t, .now = now, .out = out, .from = remote, .to = local};
    bool aggressive = peer->policy->mode == MODEL_MODE_AGGRESSIVE;

    phase1_free_dead(t);
    if (t->by_cookies.n >= PHASE1_SAS_MAX)
        return NULL;
    struct ike1_cookies cookies = {0};
    phase1_fresh_cookie(t, &cookies, cookies.i);
    struct phase1_sa *sa =
        phase1_sa_new(t, peer, NULL, aggressive ? PHASE1_AI_GENERATING : PHASE1_I_SENT_1, &cookies,
                      local, remote);
    sa->initiator = true;
    if (aggressive)
        phase1_aggressive_start(&c, sa);
    else
        phase1_main_start(&c, sa);
    return sa;
}

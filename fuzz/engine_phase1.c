/* Two phase 1 tables under a list of events: time, datagrams that come late, twice, changed or
 * never, jobs that finish late or in another order, protected informational messages with any
 * payloads, ends, raw octets. The toy world's cryptography. The first octet chooses the mode and
 * whether the keys are equal.
 *
 * Each event is an octet (what) with its arguments behind it. After each one check() has to hold.
 */
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "ike1/numbers.h"
#include "sa/exchange.h"
#include "sa/job.h"
#include "sa/phase1_internal.h"
#include "wire/rd.h"

#include <stdlib.h>

enum { I, R, SIDES, QUEUE = 24, JOBS = 8, EVENTS = 300, STARTS_MAX = 12 };

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
struct side {
    struct model_ike_policy policy;
    struct phase1_peer peer;
    struct endpoint at;
    struct drbg drbg;
    struct phase1_table *table;
    struct effects out;
    struct packet sent[QUEUE];
    size_t n_sent;
    struct job jobs[JOBS];
    size_t n_jobs, n_up; /* n_up: outcomes */
};
struct world {
    instant_t now;
    struct side side[SIDES];
    bool same_key;
    size_t n_starts;
};
static struct world *w;

static const struct model_ike_proposal proposal = {.name = "p",
                                                   .auth = MODEL_AUTH_PSK,
                                                   .hash = MODEL_IKE_SHA256,
                                                   .dh_group = 19,
                                                   .cipher = MODEL_IKE_AES,
                                                   .key_bits = 128,
                                                   .lifetime_s = 600};
static const struct model_ike_proposal *const proposals[] = {&proposal};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void collect(struct side *s)
{
    for (const struct effect *e = s->out.first; e; e = e->next) {
        demand(e->kind != EFFECT_INSTALL);
        if (e->kind == EFFECT_SEND && s->n_sent < QUEUE) {
            struct packet *p = &s->sent[s->n_sent++];
            *p = (struct packet){e->send.from, e->send.to, e->send.datagram.len, {0}};
            memcpy(p->data, e->send.datagram.data, p->len);
        }
        if (e->kind == EFFECT_JOB && s->n_jobs < JOBS)
            s->jobs[s->n_jobs++] = *e->job;
    }
    effects_reset(&s->out);
}

/* An outcome names an SA that may be asked about. */
static void note(struct side *s, struct phase1_outcome o)
{
    if (o.kind != PHASE1_NOTHING) {
        demand(o.sa != NULL && phase1_peer(o.sa) == &s->peer);
        demand(phase1_cookies(o.sa).len == sizeof(struct ike1_cookies));
        demand((o.kind == PHASE1_UP || o.kind == PHASE1_NOTIFIED) ==
               (phase1_state(o.sa) == PHASE1_STATE_UP));
        demand((o.kind == PHASE1_FAILED) == (o.err != ERR_OK));
        s->n_up += o.kind == PHASE1_UP;
    }
    collect(s);
}

static void give(struct side *s, const struct packet *p)
{
    static struct packet copy;
    struct ike1_header h;
    copy = *p;
    if (ike1_header_parse(bytes(copy.data, copy.len), &h) != ERR_OK)
        return;
    size_t sends = 0;
    struct phase1_outcome o =
        phase1_datagram(s->table, w->now, copy.from, copy.to, &h, copy.data, copy.len, &s->out);
    for (const struct effect *e = s->out.first; e; e = e->next)
        sends += e->kind == EFFECT_SEND;
    demand(sends <= 2); /* nobody gets many datagrams out of one */
    note(s, o);
}

static struct bytes some(struct rd *r, size_t n)
{
    return rd_take(r, n < rd_left(r) ? n : rd_left(r));
}

static void on_packet(struct side *from, struct side *to, struct rd *r, unsigned how)
{
    if (from->n_sent == 0)
        return;
    size_t at = rd_u8(r) % from->n_sent;
    struct packet p = from->sent[at];
    if (how != 3) { /* 3: twice, so it stays */
        from->n_sent--;
        memmove(from->sent + at, from->sent + at + 1, (from->n_sent - at) * sizeof p);
    }
    if (how == 1) /* lost */
        return;
    if (how == 2)
        p.data[rd_u16(r) % p.len] ^= (uint8_t)(rd_u8(r) | 1);
    give(to, &p);
}

static struct phase1_sa *any_up(const struct side *s)
{
    size_t cursor = 0;
    struct phase1_sa *sa;
    while ((sa = phase1_next(s->table, &cursor)) && phase1_state(sa) != PHASE1_STATE_UP)
        ;
    return sa;
}

/* HASH(1) is right; what follows it is whatever the input says. */
static void informational(struct side *from, struct rd *r)
{
    struct phase1_sa *sa = any_up(from);
    uint32_t id = sa ? exchange_new_id(sa, &from->drbg) : 0;
    uint8_t buffer[DATAGRAM_MAX];
    struct wr wr = wr_of(buffer, sizeof buffer);
    struct exchange_iv iv;

    if (id == 0)
        return;
    struct chain_wr c = exchange_build(sa, &wr, IKE1_EXCHANGE_INFORMATIONAL, id);
    for (uint8_t n = rd_u8(r) % 4; n > 0; n--) {
        chain_open(&c, rd_u8(r) % 16);
        if (rd_u8(r) & 1) /* a beginning that may well be right: DOI, protocol, SPI size */
            wr_put(&wr, bytes((uint8_t[]){0, 0, 0, 1, IKE1_PROTOCOL_ISAKMP, 16}, 6));
        wr_put(&wr, some(r, rd_u8(r) % 64));
        if (rd_u8(r) & 1)
            wr_put(&wr, phase1_cookies(sa));
        chain_close(&c);
    }
    exchange_iv_start(sa, id, &iv);
    if (exchange_seal(sa, &iv, &wr, id, NULL, 0) == ERR_OK)
        exchange_send(sa, wr_bytes(&wr), &from->out);
    collect(from);
}

static void raw(struct side *to, struct rd *r)
{
    struct packet p = {.from = w->side[to == &w->side[I]].at, .to = to->at};
    struct bytes b = some(r, rd_u8(r));
    if (b.len)
        memcpy(p.data, b.data, p.len = b.len);
    give(to, &p);
}

static void run_timers(void)
{
    for (int s = 0; s < SIDES; s++) {
        struct side *side = &w->side[s];
        while (instant_reached(phase1_due(side->table), w->now))
            note(side, phase1_timer(side->table, w->now, &side->out));
    }
}

static void run_job(struct side *s, size_t at)
{
    struct job_result result;
    struct job job = s->jobs[at];

    memmove(s->jobs + at, s->jobs + at + 1, (--s->n_jobs - at) * sizeof job);
    job_run(&job, &result);
    note(s, phase1_job_done(s->table, w->now, &result, &s->out));
}

static void begin(void)
{
    struct side *s = &w->side[I];
    if (w->n_starts++ < STARTS_MAX)
        phase1_initiate(s->table, w->now, &s->peer, s->at, w->side[R].at, &s->out);
    collect(s);
}

static void end(struct side *s, uint8_t tell)
{
    size_t cursor = 0;
    struct phase1_sa *sa = phase1_next(s->table, &cursor);
    if (sa)
        phase1_end(s->table, sa, tell & 1, &s->out);
    collect(s);
}

static void step(struct rd *r)
{
    uint8_t what = rd_u8(r);
    struct side *s = &w->side[what >> 7], *other = &w->side[!(what >> 7)];

    switch (what & 15) {
    case 0:
        w->now = instant_add(w->now, span_ms(20 * rd_u8(r)));
        run_timers();
        break;
    case 1:
        w->now = instant_add(w->now, span_s(3 * rd_u8(r)));
        run_timers();
        break;
    case 2:
        begin();
        break;
    case 3:
        informational(s, r);
        break;
    case 4:
        raw(s, r);
        break;
    case 5:
        end(s, rd_u8(r));
        break;
    case 6:
    case 7:
    case 8:
        on_packet(s, other, r, (what & 15) - 5u); /* lost, changed, twice */
        break;
    case 9:
    case 10:
        if (s->n_jobs)
            run_job(s, rd_u8(r) % s->n_jobs);
        break;
    default:
        on_packet(s, other, r, 0);
        break;
    }
}

/* ---- what holds after every event ---- */

static void check_counts(const struct side *s)
{
    size_t cursor = 0, n = 0, up = 0, half_open = 0;
    struct phase1_sa *sa;

    while ((sa = phase1_next(s->table, &cursor))) {
        n++;
        up += phase1_state(sa) == PHASE1_STATE_UP;
        half_open += phase1_state(sa) != PHASE1_STATE_UP && !phase1_is_initiator(sa);
        demand(sa->timer.at != 0);
        demand(phase1_find(s->table, &sa->cookies) == sa);
        demand(sa->n_ids <= PHASE1_EXCHANGES_MAX + PHASE1_LAST_WORDS);
    }
    demand(n == phase1_count(s->table, false) && up == phase1_count(s->table, true));
    demand(half_open == s->table->n_half_open && half_open <= PHASE1_HALF_OPEN_PER_IP_MAX);
    demand(s->table->by_first.n == half_open);
}

/* Two ends with the same cookies that are both up have the same keys; without the same secret none
 * is. */
static void check(void)
{
    size_t cursor = 0;
    struct phase1_sa *i;

    check_counts(&w->side[I]);
    check_counts(&w->side[R]);
    demand(w->same_key || (w->side[I].n_up == 0 && w->side[R].n_up == 0));
    while ((i = phase1_next(w->side[I].table, &cursor))) {
        const struct phase1_sa *r = phase1_find(w->side[R].table, &i->cookies);
        if (!r || phase1_state(i) != PHASE1_STATE_UP || phase1_state(r) != PHASE1_STATE_UP)
            continue;
        demand(bytes_equal(phase1_skeyid_a(i), phase1_skeyid_a(r)));
        demand(bytes_equal(phase1_cipher_key(i), phase1_cipher_key(r)));
    }
}

static void open_side(int s, uint8_t options)
{
    struct side *side = &w->side[s];
    uint8_t seed[DRBG_SEED] = {(uint8_t)(s + 1)};
    struct phase1_config config = {&side->peer, 1, s == R};

    side->drbg = drbg_of(seed);
    side->at = (struct endpoint){ip_v4(0x0a000001u + (uint32_t)s), IKE_PORT};
    side->policy =
        (struct model_ike_policy){.name = "policy",
                                  .mode = options & 1 ? MODEL_MODE_AGGRESSIVE : MODEL_MODE_MAIN,
                                  .proposals = proposals,
                                  .n_proposals = 1,
                                  .psk = bytes_str(s == R && !w->same_key ? "another" : "one")};
    side->peer = (struct phase1_peer){
        .name = "peer", .policy = &side->policy, .address = ip_v4(0x0a000002u - (uint32_t)s)};
    demand(phase1_table_new(&config, &side->drbg, &side->table) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));
    uint8_t options = rd_u8(&r);
    const char *text;

    demand(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK);
    w = calloc(1, sizeof *w);
    demand(w != NULL);
    w->now = (instant_t){1000 * NS_PER_S};
    w->same_key = !(options & 2);
    open_side(I, options);
    open_side(R, options);
    for (int n = 0; n < EVENTS && rd_left(&r) > 0; n++) {
        step(&r);
        check();
    }
    for (int s = 0; s < SIDES; s++) {
        phase1_table_free(w->side[s].table);
        effects_free(&w->side[s].out);
    }
    free(w);
    return 0;
}

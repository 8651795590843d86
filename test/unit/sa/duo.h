#pragma once
/* Two tables, an initiator and a responder, cranked by hand on a virtual clock: every datagram and
 * every job passes through the test, which may drop, repeat, change or delay it. */
#include "base/events.h"
#include "crypto/crypto.h"
#include "ike1/payload.h"
#include "sa/exchange.h"
#include "sa/job.h"
#include "sa/phase1.h"

// clang-format off
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>

enum { I, R, SIDES };
enum { DUO_PACKETS = 64, DUO_JOBS = 16, DUO_EVENTS = 64, DUO_PROPOSALS = 8 };

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};

struct duo_side {
    struct model_ike_proposal proposals[DUO_PROPOSALS];
    const struct model_ike_proposal *list[DUO_PROPOSALS];
    struct model_ike_policy policy;
    struct phase1_peer peer;
    struct endpoint endpoint;
    struct drbg drbg;
    struct phase1_table *table;
    struct effects out;
    struct packet packets[DUO_PACKETS]; /* sent and not yet taken */
    size_t n_packets;
    struct job jobs[DUO_JOBS];   /* not yet run, the oldest first */
    size_t jobs_waiting, n_jobs; /* n_jobs: ever */
    struct event events[DUO_EVENTS];
    size_t n_events;
    struct phase1_outcome last; /* the last one that was not NOTHING */
    size_t n_outcomes[PHASE1_NOTIFIED + 1];
};

struct duo {
    instant_t now;
    struct duo_side side[SIDES];
    struct phase1_sa *sa; /* the initiator's first */
};

#define WHERE(what) ((struct model_where){"duo.conf", "test " what, 7})

static inline struct model_ike_proposal duo_proposal(enum model_ike_cipher cipher, uint16_t bits,
                                                     enum model_ike_hash hash, uint16_t group,
                                                     uint32_t lifetime_s)
{
    return (struct model_ike_proposal){.name = "p",
                                       .where = WHERE("proposal"),
                                       .auth = MODEL_AUTH_PSK,
                                       .hash = hash,
                                       .dh_group = group,
                                       .cipher = cipher,
                                       .key_bits = bits,
                                       .lifetime_s = lifetime_s};
}

/* Main mode, AES-128, SHA-256, group 19, identities by address: what a test may then change before
 * duo_open(). */
static inline struct duo *duo_new(void)
{
    static bool started; /* the self-tests take a while */
    const char *text;
    if (!started)
        assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    started = true;
    struct duo *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->now = (instant_t){1000 * NS_PER_S};
    for (int s = 0; s < SIDES; s++) {
        struct duo_side *side = &d->side[s];
        uint8_t seed[DRBG_SEED] = {(uint8_t)(s + 1)};
        side->drbg = drbg_of(seed);
        side->proposals[0] = duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA256, 19, 3600);
        for (size_t i = 0; i < DUO_PROPOSALS; i++)
            side->list[i] = &side->proposals[i];
        side->policy = (struct model_ike_policy){.name = s == I ? "policy-i" : "policy-r",
                                                 .where = WHERE("policy"),
                                                 .mode = MODEL_MODE_MAIN,
                                                 .proposals = side->list,
                                                 .n_proposals = 1,
                                                 .psk = bytes_str("a secret of theirs")};
        side->endpoint = (struct endpoint){ip_v4(s == I ? 0x0a000001 : 0x0a000002), IKE_PORT};
        side->peer = (struct phase1_peer){.name = s == I ? "server" : "site-1",
                                          .where = WHERE("gateway"),
                                          .policy = &side->policy,
                                          .address = ip_v4(s == I ? 0x0a000002 : 0x0a000001)};
    }
    return d;
}

static inline void duo_aggressive(struct duo *d)
{
    d->side[I].policy.mode = d->side[R].policy.mode = MODEL_MODE_AGGRESSIVE;
}

static inline void duo_open(struct duo *d)
{
    for (int s = 0; s < SIDES; s++) {
        static const struct model_where where = {"duo.conf", "test peers", 7};
        struct phase1_config config = {&d->side[s].peer, 1, s == R, &where};
        assert_int_equal(phase1_table_new(&config, &d->side[s].drbg, &d->side[s].table), ERR_OK);
    }
}

static inline void duo_free(struct duo *d)
{
    for (int s = 0; s < SIDES; s++) {
        phase1_table_free(d->side[s].table);
        effects_free(&d->side[s].out);
    }
    free(d);
}

/* Carries out what a side wants: into its queues. */
static inline void duo_collect(struct duo *d, int s)
{
    struct duo_side *side = &d->side[s];
    for (const struct effect *e = side->out.first; e; e = e->next) {
        switch (e->kind) {
        case EFFECT_SEND: {
            assert_true(side->n_packets < DUO_PACKETS);
            struct packet *p = &side->packets[side->n_packets++];
            p->from = e->send.from;
            p->to = e->send.to;
            p->len = e->send.datagram.len;
            memcpy(p->data, e->send.datagram.data, p->len);
            break;
        }
        case EFFECT_JOB:
            assert_true(side->jobs_waiting < DUO_JOBS);
            side->jobs[side->jobs_waiting++] = *e->job;
            side->n_jobs++;
            break;
        case EFFECT_TELL:
            if (side->n_events < DUO_EVENTS)
                side->events[side->n_events++] = *e->event;
            break;
        case EFFECT_PERSIST:
        case EFFECT_FANOUT:
        case EFFECT_MULTICAST:
        case EFFECT_CLOCK:
        case EFFECT_INSTALL:
            fail();
        }
    }
    effects_reset(&side->out);
}

static inline struct phase1_outcome duo_note(struct duo *d, int s, struct phase1_outcome o)
{
    if (o.kind != PHASE1_NOTHING)
        d->side[s].last = o;
    d->side[s].n_outcomes[o.kind]++;
    duo_collect(d, s);
    return o;
}

static inline void duo_start(struct duo *d)
{
    struct duo_side *side = &d->side[I];
    d->sa = phase1_initiate(side->table, d->now, &side->peer, side->endpoint, d->side[R].endpoint,
                            &side->out);
    assert_non_null(d->sa);
    duo_collect(d, I);
}

/* Delivers a copy, so that the packet may be delivered again. */
static inline struct phase1_outcome duo_deliver(struct duo *d, int s, const struct packet *p)
{
    static struct packet copy;
    struct ike1_header header;
    copy = *p;
    if (ike1_header_parse(bytes(copy.data, copy.len), &header) != ERR_OK)
        return (struct phase1_outcome){0};
    return duo_note(d, s,
                    phase1_datagram(d->side[s].table, d->now, copy.from, copy.to, &header,
                                    copy.data, copy.len, &d->side[s].out));
}

/* Takes the oldest packet that a side has sent. */
static inline struct packet duo_take(struct duo *d, int s)
{
    struct duo_side *side = &d->side[s];
    assert_true(side->n_packets > 0);
    struct packet p = side->packets[0];
    side->n_packets--;
    memmove(side->packets, side->packets + 1, side->n_packets * sizeof p);
    return p;
}

/* Brings the oldest packet of side `from` to the other one. */
static inline struct phase1_outcome duo_pass(struct duo *d, int from)
{
    struct packet p = duo_take(d, from);
    return duo_deliver(d, 1 - from, &p);
}

static inline struct phase1_outcome duo_job(struct duo *d, int s)
{
    struct duo_side *side = &d->side[s];
    struct job_result result;
    assert_int_not_equal(side->jobs_waiting, 0);
    job_run(&side->jobs[0], &result);
    side->jobs_waiting--;
    memmove(side->jobs, side->jobs + 1, side->jobs_waiting * sizeof side->jobs[0]);
    job_wipe(&side->jobs[side->jobs_waiting]);
    struct phase1_outcome o =
        duo_note(d, s, phase1_job_done(side->table, d->now, &result, &side->out));
    job_result_wipe(&result);
    return o;
}

/* Until nobody has anything to do without the clock moving. */
static inline void duo_settle(struct duo *d)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (int s = 0; s < SIDES; s++) {
            while (d->side[s].jobs_waiting) {
                duo_job(d, s);
                busy = true;
            }
            while (d->side[s].n_packets) {
                duo_pass(d, s);
                busy = true;
            }
        }
    }
}

static inline instant_t duo_due(const struct duo *d)
{
    return instant_min(phase1_due(d->side[I].table), phase1_due(d->side[R].table));
}

/* Moves the clock to `to`, with every timer on the way; datagrams stay in the queues. */
static inline void duo_until(struct duo *d, instant_t to)
{
    while (instant_reached(duo_due(d), to)) {
        d->now = instant_max(d->now, duo_due(d));
        for (int s = 0; s < SIDES; s++) {
            while (instant_reached(phase1_due(d->side[s].table), d->now))
                duo_note(d, s, phase1_timer(d->side[s].table, d->now, &d->side[s].out));
        }
    }
    d->now = to;
}

static inline void duo_wait(struct duo *d, span_t span) { duo_until(d, instant_add(d->now, span)); }

static inline const struct event *duo_event(const struct duo *d, int s, enum event_id id)
{
    for (size_t i = d->side[s].n_events; i-- > 0;) {
        if (d->side[s].events[i].id == id)
            return &d->side[s].events[i];
    }
    return NULL;
}

static inline size_t duo_n_events(const struct duo *d, int s, enum event_id id)
{
    size_t n = 0;
    for (size_t i = 0; i < d->side[s].n_events; i++)
        n += d->side[s].events[i].id == id;
    return n;
}

/* The event's field holds that text somewhere. */
static inline void duo_says(const struct event *e, const char *key, const char *part)
{
    assert_non_null(e);
    struct bytes b = event_find_text(e, key);
    char text[EVENT_TEXT_MAX + 1] = {0};
    memcpy(text, b.data, b.len);
    if (!strstr(text, part))
        fail_msg("%s=%s, wanted %s", key, text, part);
}

static inline struct phase1_sa *duo_only_sa(struct duo *d, int s)
{
    size_t cursor = 0;
    assert_int_equal(phase1_count(d->side[s].table, false), 1);
    return phase1_next(d->side[s].table, &cursor);
}

static inline void duo_assert_up(struct duo *d)
{
    assert_int_equal(d->side[I].last.kind, PHASE1_UP);
    assert_int_equal(d->side[R].last.kind, PHASE1_UP);
    struct phase1_sa *i = d->side[I].last.sa, *r = d->side[R].last.sa;
    assert_int_equal(phase1_state(i), PHASE1_STATE_UP);
    assert_int_equal(phase1_state(r), PHASE1_STATE_UP);
    assert_true(bytes_equal(phase1_cookies(i), phase1_cookies(r)));
}

#pragma once
/* One group member and one key server on a virtual clock; every datagram passes through the test.
 * The server is the real engine, or a fake one: real phase 1, and whatever the test answers to a
 * PULL. */
#include "crypto/crypto.h"
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/push.h"
#include "gdoi/sa.h"
#include "ike1/payload.h"
#include "member/limits.h"
#include "member/member.h"
#include "sa/exchange.h"
#include "sa/job.h"
#include "sa/phase1_internal.h"
#include "server/server.h"
#include "test/check.h"
#include "unit/server/two_groups.h"

#include <stdlib.h>

enum { DUO_START = 5000, DUO_PACKETS = 64, DUO_EVENTS = 256, DUO_VPNS = 2, DUO_SAS = 8 };

struct packet {
    bool to_server;
    instant_t at; /* when it was sent */
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
/* What the data path was told last about a VPN. */
struct installed {
    unsigned times;
    size_t n_sas, n_closed;
    struct esp_sa_install sas[DUO_SAS];
};
struct fake {
    struct phase1_peer peer;
    struct drbg drbg;
    struct phase1_table *phase1;
    struct phase1_sa *sa; /* with the member; NULL: none is up */
    uint32_t message_id;
    struct exchange_iv iv;
    uint8_t ni[GDOI_NONCE_MAX], nr[24];
    size_t ni_len;
    uint32_t group; /* that the member asked for */
};
struct duo {
    instant_t now;
    struct two_groups m; /* all of this may be changed before duo_open() */
    struct model_member_gateway gateway;
    struct model_vpn vpns[DUO_VPNS];
    struct model_member model;
    bool is_fake;
    struct server *server;
    struct fake fake;
    struct member *member;
    struct effects out;
    bool cut; /* what the member sends goes nowhere, but is counted */
    struct packet packets[DUO_PACKETS];
    size_t n_packets, n_sent;
    struct event events[DUO_EVENTS]; /* of the member */
    size_t n_events;
    struct installed installed[DUO_VPNS];
    span_t clock[DUO_VPNS]; /* the group clock, as the data path was told last */
    size_t n_clocks[DUO_VPNS];
    bool clock_was_first; /* blue's, before any install with keys */
};

static const struct endpoint site_2 = {{4, {10, 0, 0, 2}}, 848};

/* Member site-2 with VPN "blue" and, if n_vpns is made 2, "red": one gateway for both. */
static inline struct duo *duo_new(void)
{
    const char *text;
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    struct duo *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now = (instant_t){DUO_START * NS_PER_S};
    two_groups_init(&w->m);
    w->m.groups[1].server_address = blue_at.ip;
    w->gateway = (struct model_member_gateway){.name = "ks",
                                               .policy = &w->m.policy,
                                               .servers = {blue_at.ip},
                                               .n_servers = 1,
                                               .local_address = site_2.ip};
    w->vpns[0] = (struct model_vpn){.name = "blue", .gateway = &w->gateway, .group_id = BLUE};
    w->vpns[1] = (struct model_vpn){.name = "red", .gateway = &w->gateway, .group_id = RED};
    w->model = (struct model_member){
        .gateways = &w->gateway, .n_gateways = 1, .vpns = w->vpns, .n_vpns = 1};
    return w;
}

/* ---- effects ---- */

static inline void duo_install(struct duo *w, const struct esp_vpn_install *in)
{
    struct installed *to = &w->installed[strcmp(in->vpn, "red") == 0];
    assert_true(in->n_sas <= DUO_SAS);
    to->times++;
    to->n_sas = in->n_sas;
    to->n_closed = in->n_closed;
    for (size_t i = 0; i < in->n_sas; i++)
        to->sas[i] = in->sas[i];
}

static inline void duo_clock(struct duo *w, const char *vpn, span_t offset)
{
    size_t i = strcmp(vpn, "red") == 0;
    w->clock[i] = offset;
    w->n_clocks[i]++;
    w->clock_was_first = w->clock_was_first || w->installed[0].n_sas == 0;
}

static inline void duo_queue(struct duo *w, bool to_server, const struct effect *e)
{
    w->n_sent += to_server;
    if (to_server && w->cut)
        return;
    assert_true(w->n_packets < DUO_PACKETS);
    struct packet *p = &w->packets[w->n_packets++];
    p->to_server = to_server;
    p->at = w->now;
    p->from = e->send.from;
    p->to = e->send.to;
    p->len = e->send.datagram.len;
    assert_true(p->len <= sizeof p->data);
    memcpy(p->data, e->send.datagram.data, p->len);
}

static inline void duo_outcome(struct fake *f, struct phase1_outcome o)
{
    if (o.kind == PHASE1_UP)
        f->sa = o.sa;
    if (o.kind == PHASE1_DOWN && o.sa == f->sa)
        f->sa = NULL;
}

static inline void duo_carry(struct duo *w, bool of_member);
static inline void duo_job(struct duo *w, bool of_member, const struct job *job)
{
    struct job_result result;
    struct effects before = w->out;

    struct job own = *job;
    job_run(&own, &result);
    job_wipe(&own);
    w->out = (struct effects){0};
    if (of_member)
        member_job_done(w->member, w->now, &result, &w->out);
    else if (w->is_fake)
        duo_outcome(&w->fake, phase1_job_done(w->fake.phase1, w->now, &result, &w->out));
    else
        server_job_done(w->server, w->now, &result, &w->out);
    duo_carry(w, of_member);
    effects_free(&w->out);
    job_result_wipe(&result);
    w->out = before;
}

static inline void duo_carry(struct duo *w, bool of_member)
{
    for (const struct effect *e = w->out.first; e; e = e->next) {
        if (e->kind == EFFECT_SEND)
            duo_queue(w, of_member, e);
        else if (e->kind == EFFECT_JOB)
            duo_job(w, of_member, e->job);
        else if (e->kind == EFFECT_INSTALL)
            duo_install(w, e->install);
        else if (e->kind == EFFECT_PERSIST)
            server_stored(w->server, w->now, e->persist->id, ERR_OK, &w->out);
        else if (e->kind == EFFECT_CLOCK)
            duo_clock(w, e->clock.vpn, e->clock.offset);
        else if (e->kind == EFFECT_TELL && of_member && w->n_events < DUO_EVENTS)
            w->events[w->n_events++] = *e->event;
    }
    effects_reset(&w->out);
}

/* ---- life ---- */

static inline void duo_open_fake(struct duo *w)
{
    static const uint8_t seed[DRBG_SEED] = {7};
    struct fake *f = &w->fake;
    f->drbg = drbg_of(seed);
    f->peer = (struct phase1_peer){.name = "site-2", .policy = &w->m.policy, .address = site_2.ip};
    struct phase1_config config = {&f->peer, 1, true};
    assert_int_equal(phase1_table_new(&config, &f->drbg, &f->phase1), ERR_OK);
}

static inline void duo_open_real(struct duo *w)
{
    static const uint8_t seed[DRBG_SEED] = {5};
    assert_int_equal(server_new(&(struct server_config){.model = &w->m.model}, seed, w->now,
                                &w->out, &w->server),
                     ERR_OK);
    duo_carry(w, false);
}

/* Starts both; the member's first message is in the queue. */
static inline void duo_open(struct duo *w)
{
    static const uint8_t seed[DRBG_SEED] = {6};
    struct member_config config = {
        .model = &w->model, .local_port = IKE_PORT, .server_port = IKE_PORT};
    if (w->is_fake)
        duo_open_fake(w);
    else
        duo_open_real(w);
    assert_int_equal(member_new(&config, seed, &w->member), ERR_OK);
    member_start(w->member, w->now, &w->out);
    duo_carry(w, true);
}

static inline void duo_close(struct duo *w)
{
    member_free(w->member);
    server_free(w->server);
    phase1_table_free(w->fake.phase1);
    effects_free(&w->out);
    free(w);
}

/* ---- datagrams ---- */

static inline struct packet duo_take(struct duo *w)
{
    assert_true(w->n_packets > 0);
    struct packet p = w->packets[0];
    memmove(w->packets, w->packets + 1, --w->n_packets * sizeof p);
    return p;
}

/* A copy of the datagram arrives. */
static inline void duo_give(struct duo *w, const struct packet *p)
{
    uint8_t copy[DATAGRAM_MAX];
    struct ike1_header h;

    memcpy(copy, p->data, p->len);
    if (!p->to_server)
        member_datagram(w->member, w->now, p->from, p->to, copy, p->len, &w->out);
    else if (!w->is_fake)
        server_datagram(w->server, w->now, p->from, p->to, copy, p->len, &w->out);
    else if (ike1_header_parse(bytes(copy, p->len), &h) == ERR_OK)
        duo_outcome(&w->fake, phase1_datagram(w->fake.phase1, w->now, p->from, p->to, &h, copy,
                                              p->len, &w->out));
    duo_carry(w, !p->to_server);
}

static inline bool packet_is_pull(const struct packet *p)
{
    return p->len > 18 && p->data[18] == IKE1_EXCHANGE_GROUPKEY_PULL;
}

/* Delivers until a message of a PULL is next, or nothing. */
static inline void duo_phase1(struct duo *w)
{
    while (w->n_packets > 0 && !packet_is_pull(&w->packets[0])) {
        struct packet p = duo_take(w);
        duo_give(w, &p);
    }
}
static inline void duo_run(struct duo *w)
{
    while (w->n_packets > 0) {
        struct packet p = duo_take(w);
        duo_give(w, &p);
    }
}
/* Delivers n datagrams and takes the next one. */
static inline struct packet duo_nth(struct duo *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct packet p = duo_take(w);
        duo_give(w, &p);
    }
    return duo_take(w);
}

/* ---- time ---- */

static inline double duo_time(const struct duo *w) { return (double)w->now.ns / 1e9 - DUO_START; }

static inline void duo_timer(struct duo *w)
{
    if (instant_reached(member_due(w->member), w->now)) {
        member_timer(w->member, w->now, &w->out);
        duo_carry(w, true);
    }
    if (w->server && instant_reached(server_due(w->server), w->now)) {
        server_timer(w->server, w->now, &w->out);
        duo_carry(w, false);
    }
    if (w->is_fake && instant_reached(phase1_due(w->fake.phase1), w->now)) {
        duo_outcome(&w->fake, phase1_timer(w->fake.phase1, w->now, &w->out));
        duo_carry(w, false);
    }
}

static inline instant_t duo_due(const struct duo *w)
{
    instant_t due = member_due(w->member);
    if (w->server)
        due = instant_min(due, server_due(w->server));
    return w->is_fake ? instant_min(due, phase1_due(w->fake.phase1)) : due;
}

/* Moves the clock to the next timer; what it sends stays in the queue. */
static inline void duo_tick(struct duo *w)
{
    w->now = instant_max(w->now, duo_due(w));
    duo_timer(w);
}

/* Lives on to second `s`, delivering everything at once. */
static inline void duo_until(struct duo *w, double s)
{
    instant_t to = {(int64_t)((DUO_START + s) * 1e9)};
    duo_run(w);
    while (instant_reached(duo_due(w), to)) {
        duo_tick(w);
        duo_run(w);
    }
    w->now = to;
}
/* The same without an answer from anybody. */
static inline void duo_alone_until(struct duo *w, double s)
{
    w->cut = true;
    w->n_packets = 0;
    duo_until(w, s);
    w->cut = false;
}

/* ---- what it came to ---- */

static inline struct member_vpn_view duo_vpn(const struct duo *w, size_t i)
{
    return member_vpn(w->member, i);
}

static inline size_t duo_events(const struct duo *w, enum event_id id)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_events; i++)
        n += w->events[i].id == id;
    return n;
}

static inline void duo_says(const struct duo *w, enum event_id id, const char *key,
                            const char *part)
{
    char text[EVENT_TEXT_MAX + 1] = "(no such event)";
    for (size_t i = 0; i < w->n_events; i++) {
        if (w->events[i].id != id)
            continue;
        struct bytes b = event_find_text(&w->events[i], key);
        memcpy(text, b.data ? b.data : (const uint8_t *)"", b.len);
        text[b.len] = '\0';
    }
    if (!strstr(text, part))
        fail_msg("%s: %s=%s, wanted %s", event_name(id), key, text, part);
}

static inline void duo_last_error(const struct duo *w, enum err err, const char *part)
{
    struct member_vpn_view v = duo_vpn(w, 0);
    char text[GDOI_REASON_TEXT_MAX + 1] = {0};
    memcpy(text, v.last_error_text.data, v.last_error_text.len);
    assert_string_equal(err_name(v.last_error), err_name(err));
    if (!strstr(text, part))
        fail_msg("last error: %s, wanted %s", text, part);
}

static inline uint64_t duo_dropped(const struct duo *w, enum err e)
{
    return member_dropped(w->member)[e];
}

/* The member's SA of phase 1; there is one. */
static inline struct phase1_sa *duo_sa(const struct duo *w)
{
    size_t cursor = 0;
    struct phase1_sa *sa = phase1_next(member_phase1(w->member), &cursor);
    assert_non_null(sa);
    return sa;
}

/* ---- the fake server ---- */

/* Reads message 1, or message 3 when `third`. */
static inline enum err fake_read(struct duo *w, bool third)
{
    struct fake *f = &w->fake;
    struct packet p = duo_take(w);
    struct ike1_header h;
    struct chain c;
    const struct bytes prefix[] = {bytes(f->ni, f->ni_len), BYTES_OF(f->nr)};

    assert_true(packet_is_pull(&p) && p.to_server && f->sa);
    assert_int_equal(ike1_header_parse(bytes(p.data, p.len), &h), ERR_OK);
    if (!third) {
        f->message_id = h.message_id;
        exchange_iv_start(f->sa, h.message_id, &f->iv);
    }
    enum err e = exchange_open(f->sa, &f->iv, &h, p.data, p.len, &c);
    if (!e)
        e = exchange_check_hash(f->sa, h.message_id, prefix, third ? 2 : 0, &c);
    if (e || third)
        return e;
    struct bytes ni = chain_find(&c, IKE1_PAYLOAD_NONCE)->body;
    struct bytes id = chain_find(&c, IKE1_PAYLOAD_ID)->body;
    memcpy(f->ni, ni.data, ni.len);
    f->ni_len = ni.len;
    f->group = id.data[id.len - 1];
    drbg_fill(&f->drbg, f->nr, sizeof f->nr);
    return ERR_OK;
}

/* What stands behind HASH in a message of the fake server. */
struct fake_answer {
    const struct gdoi_sa *sa; /* message 2 */
    struct bytes nonce;       /* message 2; empty: a proper one */
    const uint32_t *seq;      /* message 4 */
    const struct gdoi_kd *kd;
    const struct gdoi_state *state;
    uint8_t extra; /* a payload of this type that does not belong there; 0: none */
};

static inline void fake_send(struct duo *w, const struct fake_answer *a)
{
    struct fake *f = &w->fake;
    uint8_t room[DATAGRAM_MAX];
    struct wr out = wr_of(room, sizeof room);
    const struct bytes prefix[] = {bytes(f->ni, f->ni_len), BYTES_OF(f->nr)};
    struct chain_wr c = exchange_build(f->sa, &out, IKE1_EXCHANGE_GROUPKEY_PULL, f->message_id);
    bool second = a->sa || a->nonce.len;

    if (second)
        ike1_data_write(&c, IKE1_PAYLOAD_NONCE, a->nonce.len ? a->nonce : BYTES_OF(f->nr));
    if (a->sa)
        gdoi_sa_write(&c, &GDOI_STAMPS, a->sa);
    if (a->seq)
        gdoi_seq_write(&c, *a->seq);
    if (a->kd)
        gdoi_kd_write(&c, a->kd);
    if (a->state)
        gdoi_state_write(&c, a->state);
    if (a->extra)
        ike1_data_write(&c, a->extra, bytes_str("surplus, surplus"));
    assert_int_equal(exchange_seal(f->sa, &f->iv, &out, f->message_id, prefix, second ? 1 : 2),
                     ERR_OK);
    exchange_send(f->sa, wr_bytes(&out), &w->out);
    duo_carry(w, false);
}

/* Message 2 in the queue, messages 1 read. */
static inline void fake_offer(struct duo *w, const struct gdoi_sa *sa)
{
    duo_phase1(w);
    assert_int_equal(fake_read(w, false), ERR_OK);
    fake_send(w, &(struct fake_answer){.sa = sa});
}
/* A whole PULL. */
static inline void fake_serve(struct duo *w, const struct gdoi_sa *sa, const uint32_t *seq,
                              const struct gdoi_kd *kd)
{
    fake_offer(w, sa);
    struct packet p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(fake_read(w, true), ERR_OK);
    fake_send(w, &(struct fake_answer){.seq = seq, .kd = kd});
    p = duo_take(w);
    duo_give(w, &p);
}

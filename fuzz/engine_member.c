/* The group member under a list of events: time, datagrams that come late, twice, changed or never,
 * raw octets of strangers, notifications, an operator; and a key server that has the phase 1 keys
 * but answers whatever the input says, and pushes it too, well signed or not. Two VPNs over one
 * gateway with two addresses, in the toy world's cryptography.
 *
 * Each event is an octet (what) with its arguments behind it. After each one the engine has to be
 * in order: see check(). */
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "fuzz/offer.h"
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/push.h"
#include "gdoi/sa.h"
#include "member/vpn.h"
#include "sa/job.h"
#include "unit/server/two_groups.h"
#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CLOCK_S = 1790000000, /* of the server, at the instant 0 */
    QUEUE = 24,
    TAPE = 16,
    EVENTS = 300,
    ODD_MAX = 64,
    VPNS = 2,
    SENDS_MAX = 8 /* of one event: a repeat, a Delete, and a new attempt of each VPN */
};

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
/* The server's side of the PULL that it saw last. */
struct serving {
    struct phase1_sa *sa;
    struct ike1_cookies cookies;
    uint32_t message_id;
    struct exchange_iv after_1, after_2, after_3;
    uint8_t ni[GDOI_NONCE_MAX], nr[16];
    size_t ni_len;
    bool offered, asked; /* message 2 has been sent; message 3 has come */
    struct gdoi_sa offer;
};
struct world {
    instant_t now;
    struct two_groups m;
    struct model_member_gateway gateway;
    struct model_vpn vpns[VPNS];
    struct model_member model;
    struct member *member;
    struct effects out;
    struct phase1_peer peer; /* the member, for the server */
    struct drbg drbg;
    struct phase1_table *phase1;
    struct serving serving;
    struct packet up[QUEUE], down[QUEUE], tape[TAPE]; /* to the server, from it, seen once */
    size_t n_up, n_down, n_tape;
    enum esp_slot slot[VPNS][2 * SPIS]; /* as seen last, NEXT when not held */
    bool held[VPNS][2 * SPIS];
    uint64_t pulls[VPNS];    /* completed, as seen last */
    uint64_t accepted[VPNS]; /* pushes, as seen last */
    bool has_clock[VPNS];    /* the group clock, as the data path was told last */
    span_t clock[VPNS];
    instant_t clock_at[VPNS];
    size_t installed[VPNS]; /* number of SAs that the data path knows of */
    struct material material;
};
static struct world *w;

#define demand(condition) ((condition) ? (void)0 : found(#condition, __LINE__))
__attribute__((noreturn)) static void found(const char *what, int line)
{
    fprintf(stderr, "engine_member.c:%d: does not hold: %s\n", line, what);
    abort();
}

/* ---- carrying ---- */

static void push(struct packet *queue, size_t *n, struct endpoint from, struct endpoint to,
                 struct bytes data)
{
    if (*n == QUEUE || data.len > DATAGRAM_MAX)
        return;
    struct packet *p = &queue[(*n)++];
    *p = (struct packet){.from = from, .to = to, .len = data.len};
    if (data.len)
        memcpy(p->data, data.data, data.len);
}

static struct packet take(struct packet *queue, size_t *n, size_t at)
{
    struct packet p = queue[at];
    memmove(queue + at, queue + at + 1, (--*n - at) * sizeof p);
    return p;
}

static void collect_server(void)
{
    struct effects todo = w->out;

    w->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        struct job_result result;
        if (e->kind == EFFECT_SEND)
            push(w->down, &w->n_down, e->send.from, e->send.to, e->send.datagram);
        if (e->kind != EFFECT_JOB)
            continue;
        job_run(e->job, &result);
        (void)phase1_job_done(w->phase1, w->now, &result, &w->out);
        job_result_wipe(&result);
    }
    effects_free(&todo);
    if (w->out.n)
        collect_server();
}

static void note_install(const struct esp_vpn_install *in)
{
    size_t vpn = strcmp(in->vpn, "red") == 0;
    w->installed[vpn] = in->n_sas;
    for (size_t i = 0; i < in->n_sas; i++) {
        const struct esp_sa_install *sa = &in->sas[i];
        demand(sa->spi >= FIRST_SPI && sa->spi < FIRST_SPI + SPIS &&
               w->material.told[sa->spi - FIRST_SPI]);
        demand(sa->n_selectors > 0 && sa->n_selectors <= ESP_SELECTORS_MAX);
        demand(sa->key.len == cipher_key_len(sa->cipher));
        demand(sa->auth_key.len == auth_key_len(sa->auth));
        demand(sa->window_ms <= MEMBER_WINDOW_MAX_MS);
        demand(sa->window_ms == 0 || w->has_clock[vpn]);
    }
}

/* Unless a registration has measured it, the clock goes back by drift at most (decisions M21). */
static void note_clock(const char *name, span_t offset)
{
    size_t vpn = strcmp(name, "red") == 0;
    int64_t drift = instant_since(w->now, w->clock_at[vpn]).ns / 1000000 * MEMBER_CLOCK_DRIFT_PPM;

    if (w->has_clock[vpn] && w->member->vpns[vpn].clock.measured.ns != w->now.ns)
        demand(offset.ns >= w->clock[vpn].ns - drift);
    w->has_clock[vpn] = true;
    w->clock[vpn] = offset;
    w->clock_at[vpn] = w->now;
}

static void collect_member(void)
{
    struct effects todo = w->out;
    size_t sends = 0;

    w->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        struct job_result result;
        if (e->kind == EFFECT_SEND) {
            push(w->up, &w->n_up, e->send.from, e->send.to, e->send.datagram);
            sends++;
        }
        if (e->kind == EFFECT_CLOCK)
            note_clock(e->clock.vpn, e->clock.offset);
        if (e->kind == EFFECT_INSTALL)
            note_install(e->install);
        if (e->kind != EFFECT_JOB)
            continue;
        job_run(e->job, &result);
        member_job_done(w->member, w->now, &result, &w->out);
        job_result_wipe(&result);
    }
    demand(sends <= SENDS_MAX);
    effects_free(&todo);
    if (w->out.n)
        collect_member();
}

static void give_member(const struct packet *p)
{
    static struct packet copy;
    copy = *p;
    w->tape[w->n_tape++ % TAPE] = copy;
    member_datagram(w->member, w->now, copy.from, copy.to, copy.data, copy.len, &w->out);
    collect_member();
}

/* ---- the server ---- */

static void read_first(struct serving *s, const struct ike1_header *h, struct packet *p)
{
    struct serving fresh = {.sa = s->sa, .cookies = h->cookies, .message_id = h->message_id};
    struct chain c;

    exchange_iv_start(s->sa, h->message_id, &fresh.after_1);
    if (exchange_open(s->sa, &fresh.after_1, h, p->data, p->len, &c) ||
        exchange_check_hash(s->sa, h->message_id, NULL, 0, &c))
        return;
    const struct chain_payload *ni = chain_find(&c, IKE1_PAYLOAD_NONCE);
    demand(ni && ni->body.len <= sizeof fresh.ni); /* what authenticates is the member's own */
    memcpy(fresh.ni, ni->body.data, ni->body.len);
    fresh.ni_len = ni->body.len;
    drbg_fill(&w->drbg, fresh.nr, sizeof fresh.nr);
    *s = fresh;
}

static void read_third(struct serving *s, const struct ike1_header *h, struct packet *p)
{
    const struct bytes prefix[] = {bytes(s->ni, s->ni_len), BYTES_OF(s->nr)};
    struct exchange_iv iv = s->after_2;
    struct chain c;

    if (exchange_open(s->sa, &iv, h, p->data, p->len, &c) ||
        exchange_check_hash(s->sa, h->message_id, prefix, 2, &c))
        return;
    s->after_3 = iv;
    s->asked = true;
}

static void give_server(struct packet *p)
{
    struct serving *s = &w->serving;
    struct ike1_header h;

    if (p->len > DATAGRAM_MAX || ike1_header_parse(bytes(p->data, p->len), &h))
        return;
    if (h.exchange != IKE1_EXCHANGE_GROUPKEY_PULL) {
        (void)phase1_datagram(w->phase1, w->now, p->from, p->to, &h, p->data, p->len, &w->out);
        collect_server();
        return;
    }
    s->sa = phase1_find(w->phase1, &h.cookies);
    if (!s->sa || phase1_state(s->sa) != PHASE1_STATE_UP)
        return;
    if (s->offered && h.message_id == s->message_id)
        read_third(s, &h, p);
    else
        read_first(s, &h, p);
}

static void put_odd(struct chain_wr *c, struct rd *r)
{
    uint8_t type = rd_u8(r);
    struct bytes body = some(r, rd_u8(r) % ODD_MAX);

    chain_open(c, type);
    wr_put(c->w, body);
    chain_close(c);
}

static bool is_serving(void)
{
    const struct serving *s = &w->serving;
    struct phase1_sa *sa = s->ni_len ? phase1_find(w->phase1, &s->cookies) : NULL;

    w->serving.sa = sa;
    return sa && phase1_state(sa) == PHASE1_STATE_UP;
}

static void seal_and_send(struct wr *out, struct exchange_iv *iv, size_t n_prefix)
{
    struct serving *s = &w->serving;
    const struct bytes prefix[] = {bytes(s->ni, s->ni_len), BYTES_OF(s->nr)};

    if (exchange_seal(s->sa, iv, out, s->message_id, prefix, n_prefix))
        return;
    exchange_send(s->sa, wr_bytes(out), &w->out);
    collect_server();
}

static void message_2(struct rd *r)
{
    struct serving *s = &w->serving;
    uint8_t room[DATAGRAM_MAX], what = rd_u8(r);
    struct wr out = wr_of(room, sizeof room);

    if (!is_serving())
        return;
    struct chain_wr c = exchange_build(s->sa, &out, IKE1_EXCHANGE_GROUPKEY_PULL, s->message_id);
    if (!(what & 1))
        ike1_data_write(&c, IKE1_PAYLOAD_NONCE, BYTES_OF(s->nr));
    if (!(what & 2)) {
        offer_from(r, &s->offer);
        gdoi_sa_write(&c, &GDOI_STAMPS, &s->offer);
    }
    if (what & 4)
        put_odd(&c, r);
    s->after_2 = s->after_1;
    s->offered = true;
    seal_and_send(&out, &s->after_2, 1);
}

/* What the server's clock shows: right, or off by up to two minutes. */
static uint32_t clock_from(struct rd *r, bool told)
{
    uint32_t right = (uint32_t)(CLOCK_S + w->now.ns / NS_PER_S);
    return told ? right + rd_u8(r) - 128 : 0;
}

static void message_4(struct rd *r)
{
    struct serving *s = &w->serving;
    uint8_t room[DATAGRAM_MAX], what = rd_u8(r);
    struct wr out = wr_of(room, sizeof room);
    struct gdoi_kd kd;

    if (!is_serving() || !s->asked)
        return;
    struct chain_wr c = exchange_build(s->sa, &out, IKE1_EXCHANGE_GROUPKEY_PULL, s->message_id);
    if (s->offer.has_sak ^ (what & 1))
        gdoi_seq_write(&c, what);
    kd_from(&w->material, r, &s->offer, &kd);
    if (!(what & 2) && kd.n_teks + kd.has_kek > 0)
        gdoi_kd_write(&c, &kd);
    if (what & 4)
        gdoi_state_write(&c, &(struct gdoi_state){.heartbeat = 60,
                                                  .clock_valid = what & 0x10,
                                                  .clock_s = clock_from(r, what & 0x10),
                                                  .spread = rd_u8(r),
                                                  .activation_delay = rd_u8(r)});
    if (what & 8)
        put_odd(&c, r);
    struct exchange_iv iv = s->after_3;
    seal_and_send(&out, &iv, 2);
}

/* ---- pushes ---- */

/* A KEK that the member holds, or NULL. */
static struct kek *held_kek(uint8_t which)
{
    struct keks *k = &w->member->vpns[which & 1].keks;
    struct kek *kek = which & 2 ? &k->previous : &k->current;
    return kek->present ? kek : NULL;
}

static void put_deletes(struct rd *r, struct chain_wr *c, const struct kek *carrier)
{
    uint8_t what = rd_u8(r);
    const uint32_t spis[] = {what & 0x80 ? 0 : FIRST_SPI + what % SPIS, FIRST_SPI + 1};
    static const struct ike1_cookies all = {{0}, {0}};

    gdoi_delete_teks_write(c, spis, what & 0x80 ? 1 : 2);
    if (what & 0x40)
        gdoi_delete_kek_write(c, what & 0x20 ? &all : &carrier->cookies);
}

static void put_content(struct rd *r, struct chain_wr *c, const struct kek *carrier, uint8_t what)
{
    struct gdoi_sa sa;
    struct gdoi_kd kd;

    if (what & 0x10)
        put_deletes(r, c, carrier);
    if (what & 0x20) {
        offer_from(r, &sa);
        gdoi_sa_write(c, &GDOI_STAMPS, &sa);
        kd_from(&w->material, r, &sa, &kd);
        if (kd.n_teks + kd.has_kek > 0)
            gdoi_kd_write(c, &kd);
    }
    if (what & 0x40)
        gdoi_state_write(c, &(struct gdoi_state){.has_kek = true,
                                                 .kek = carrier->cookies,
                                                 .re_register = what & 4,
                                                 .clock_valid = what & 8,
                                                 .clock_s = clock_from(r, what & 8),
                                                 .heartbeat = rd_u8(r),
                                                 .spread = rd_u8(r),
                                                 .activation_delay = rd_u8(r)});
    if (what & 0x80)
        put_odd(c, r);
}

static void sign(struct wr *out, size_t payloads_end, size_t sig_at)
{
    struct wr whole = *out;
    uint8_t digest[HASH_MAX];
    size_t len;

    ike1_message_end(&whole);
    hash_parts(HASH_SHA256, PARTS(bytes_str(GDOI_REKEY_LABEL), bytes(out->data, payloads_end)),
               digest);
    demand(rsa_sign(w->material.signer, HASH_SHA256, bytes(digest, hash_len(HASH_SHA256)),
                    RSA_DIGEST_INFO, out->data + sig_at, out->len - sig_at, &len) == ERR_OK);
}

static uint64_t pushes_accepted(void)
{
    return w->member->vpns[0].pushes.accepted + w->member->vpns[1].pushes.accepted;
}

/* What is signed by nobody, or was changed under way, does nothing. */
static void deliver(struct rd *r, struct packet *p, bool forged, struct kek *carrier)
{
    uint64_t before = pushes_accepted();
    uint32_t sequence = carrier->sequence;
    uint8_t change = rd_u8(r);

    if (change & 1) {
        p->data[rd_u16(r) % p->len] ^= (uint8_t)(change | 2);
        forged = true;
    }
    give_member(p);
    demand(!forged || pushes_accepted() == before);
    demand(!forged || carrier->sequence == sequence);
}

static void push_keys(struct rd *r)
{
    uint8_t what = rd_u8(r), how = rd_u8(r);
    struct kek *carrier = held_kek(what);
    struct packet p = {.from = how & 1 ? red_at : blue_at,
                       .to = {how & 2 ? group_at.ip : w->gateway.local_address, 848}};
    struct wr out = wr_of(p.data, sizeof p.data);
    uint8_t iv[CIPHER_BLOCK_MAX];

    if (!carrier)
        return;
    struct ike1_header h = {.cookies = carrier->cookies,
                            .exchange = IKE1_EXCHANGE_GROUPKEY_PUSH,
                            .flags = IKE1_FLAG_ENCRYPTION};
    struct chain_wr c = ike1_header_write(&out, &h);
    gdoi_seq_write(&c, carrier->sequence + (how & 4 ? 0 : 1 + (how >> 5)));
    put_content(r, &c, carrier, what);
    size_t end = out.len;
    size_t sig_at = ike1_data_reserve(&c, IKE1_PAYLOAD_SIG, sign_key_bits(w->material.signer) / 8);
    if (out.err)
        return;
    ike1_message_end(&out);
    if (!(how & 8))
        sign(&out, end, sig_at);
    ike1_message_pad(&out, cipher_block(carrier->cipher));
    memcpy(iv, carrier->iv.b, sizeof iv);
    cbc_encrypt(carrier->cipher, secret_bytes(&carrier->key), iv, p.data + IKE1_HEADER,
                out.len - IKE1_HEADER);
    p.len = out.len;
    deliver(r, &p, how & 8, carrier);
}

/* Under the SA: an error or a status with data, or its end. */
static void informational(struct rd *r)
{
    uint16_t type = rd_u16(r);
    struct bytes data = some(r, rd_u8(r) % ODD_MAX);

    if (!is_serving())
        return;
    if (type == 0)
        phase1_end(w->phase1, w->serving.sa, true, &w->out);
    else
        phase1_notify(w->phase1, w->serving.sa, type, IKE1_DOI_GDOI, data, &w->out);
    collect_server();
}

/* ---- events ---- */

static void pass(span_t span, bool serve_timers)
{
    w->now = instant_add(w->now, span);
    if (!serve_timers)
        return;
    member_timer(w->member, w->now, &w->out);
    collect_member();
    demand(!instant_reached(member_due(w->member), w->now));
    while (instant_reached(phase1_due(w->phase1), w->now))
        (void)phase1_timer(w->phase1, w->now, &w->out);
    collect_server();
}

static void raw(struct rd *r)
{
    struct packet p = {.from = rd_u8(r) & 1 ? red_at : blue_at,
                       .to = {w->gateway.local_address, 848}};
    struct bytes b = some(r, rd_u8(r));

    p.len = b.len;
    if (b.len)
        memcpy(p.data, b.data, b.len);
    give_member(&p);
}

/* The oldest datagram, or the one that the argument names, of a queue. */
static void on_packet(struct rd *r, unsigned how)
{
    uint8_t which = rd_u8(r);
    bool up = which & 1;
    size_t *n = up ? &w->n_up : &w->n_down;

    if (*n == 0)
        return;
    struct packet p = take(up ? w->up : w->down, n, (which >> 1) % *n);
    if (how == 1) /* lost */
        return;
    if (how == 2 && p.len) /* changed */
        p.data[rd_u16(r) % p.len] ^= (uint8_t)(rd_u8(r) | 1);
    if (up) {
        give_server(&p);
        return;
    }
    give_member(&p);
    if (how == 3) /* twice */
        give_member(&p);
}

/* Everything under way arrives in order, answers included. */
static void pump(void)
{
    for (unsigned i = 0; i < 2 * QUEUE && w->n_up + w->n_down > 0; i++) {
        struct packet p;
        if (w->n_up) {
            p = take(w->up, &w->n_up, 0);
            give_server(&p);
        } else {
            p = take(w->down, &w->n_down, 0);
            give_member(&p);
        }
    }
}

static void step(struct rd *r)
{
    static const char *const names[] = {"blue", "red", NULL};
    uint8_t what = rd_u8(r);

    switch (what & 15) {
    case 0:
        pass(span_ms(100 * (1 + rd_u8(r))), true);
        break;
    case 1:
        pass(span_s(10 * (1 + rd_u8(r))), true);
        break;
    case 2:
        pass(span_ms(40 * rd_u8(r)), false);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        on_packet(r, (what & 15) - 3u);
        break;
    case 7:
        pump();
        break;
    case 8:
        message_2(r);
        break;
    case 9:
        message_4(r);
        break;
    case 10:
        raw(r);
        break;
    case 11: /* again, from the tape */
        if (w->n_tape) {
            struct packet p = w->tape[rd_u8(r) % (w->n_tape < TAPE ? w->n_tape : TAPE)];
            give_member(&p);
        }
        break;
    case 12:
        informational(r);
        break;
    case 13:
        demand(member_reregister(w->member, w->now, names[(what >> 4) % 3], &w->out) == ERR_OK);
        collect_member();
        break;
    case 14: /* the server forgets the SA and says nothing, or ESP comes that nobody can open */
        if (what & 16)
            member_unknown_spi(w->member, w->now, FIRST_SPI, &w->out);
        if (what & 16)
            collect_member();
        else if (is_serving())
            phase1_end(w->phase1, w->serving.sa, false, &w->out);
        collect_server();
        break;
    case 15:
        if (what & 16) {
            push_keys(r);
            break;
        }
        pump();
        message_2(r);
        pump();
        message_4(r);
        pump();
        break;
    }
}

/* ---- what holds after every event ---- */

/* Two servers may use one SPI for two keys. */
static size_t place_of(const struct tek *t)
{
    return t->spi - FIRST_SPI + (ip_equal(t->server, red_at.ip) ? SPIS : 0);
}

/* Nobody sends again with a key that somebody has taken over from (two PULLs in one event may drop
 * it and bring it again), and two keys of one SA do not send at the same time. */
static void check_slots(size_t vpn, const struct vpn *v)
{
    const struct keyring *k = &v->keys;
    bool once = v->counters.pull_succeeded <= w->pulls[vpn] + 1;
    enum esp_slot seen[2 * SPIS] = {ESP_SLOT_NEXT};

    for (size_t i = 0; i < k->n; i++) {
        const struct tek *t = k->teks[i];
        enum esp_slot slot = tek_slot(t, w->now), *before = &w->slot[vpn][place_of(t)];
        demand(!once || slot != ESP_SLOT_CURRENT || *before != ESP_SLOT_PREVIOUS);
        seen[place_of(t)] = slot;
        for (size_t j = 0; j < i && slot == ESP_SLOT_CURRENT; j++) {
            const struct tek *o = k->teks[j];
            demand(tek_slot(o, w->now) != ESP_SLOT_CURRENT || !tek_same_sa(o, t) ||
                   o->expiry.ns == t->expiry.ns);
        }
    }
    memcpy(w->slot[vpn], seen, sizeof seen);
}

/* No key comes but by a completed PULL or a push that was taken. */
static void check_learned(size_t vpn, const struct vpn *v)
{
    bool held[2 * SPIS] = {false};

    for (size_t i = 0; i < v->keys.n; i++) {
        size_t at = place_of(v->keys.teks[i]);
        held[at] = true;
        demand(w->held[vpn][at] || v->counters.pull_succeeded > w->pulls[vpn] ||
               v->pushes.accepted > w->accepted[vpn]);
    }
    memcpy(w->held[vpn], held, sizeof held);
    w->pulls[vpn] = v->counters.pull_succeeded;
    w->accepted[vpn] = v->pushes.accepted;
}

static void check_vpn(size_t i)
{
    const struct vpn *v = &w->member->vpns[i];
    size_t ended_selectors = 0;

    demand(v->keys.n + v->keys.n_ended <= MEMBER_TEKS_MAX);
    demand(!instant_is_never(v->due[DUE_HEARTBEAT]) || v->beat.missed == 0 ||
           v->beat.missed >= v->model->heartbeat_threshold || !heartbeat_is_watched(v));
    demand(w->installed[i] == v->keys.n); /* the data path knows what the engine knows */
    demand((v->pull.sa != NULL) == (v->state == MEMBER_PULL));
    demand(!v->pull.sa || phase1_user(v->pull.sa) == v);
    demand(v->state != MEMBER_PULL || !instant_is_never(v->due[DUE_RETRANSMIT]));
    demand((v->state != MEMBER_WAITING && v->state != MEMBER_REGISTERED) ||
           !instant_is_never(v->due[DUE_ATTEMPT]));
    demand(v->due[DUE_KEK].ns == keks_due(&v->keks).ns);
    for (size_t k = 0; k < v->keys.n_ended; k++)
        ended_selectors += v->keys.ended[k]->n_selectors + v->keys.ended[k]->key.len;
    demand(v->keys.n_ended == 0 || ended_selectors > 0);
    check_slots(i, v);
    check_learned(i, v);
}

/* Exactly the groups of the held KEKs are heard. */
static void check_memberships(void)
{
    struct member *m = w->member;

    demand(m->n_memberships <= 1); /* there is one interface, and one group */
    size_t before = m->n_memberships;
    multicast_follow(m, &w->out);
    demand(w->out.n == 0 && m->n_memberships == before);
}

static void check(void)
{
    size_t used = 0, pulling = 0, cursor = 0;
    struct phase1_sa *sa;

    for (size_t i = 0; i < VPNS; i++) {
        check_vpn(i);
        pulling += w->member->vpns[i].state == MEMBER_PULL;
    }
    while ((sa = phase1_next(w->member->phase1, &cursor)))
        used += phase1_user(sa) != NULL;
    demand(used == pulling);
    check_memberships();
    demand(phase1_count(w->member->phase1, false) <= 2 * PHASE1_PER_PAIR_MAX);
    demand(!instant_is_never(member_due(w->member))); /* never asleep for ever */
}

static void open_member(void)
{
    static const uint8_t seed[DRBG_SEED] = {1};

    w->gateway = (struct model_member_gateway){.name = "ks",
                                               .policy = &w->m.policy,
                                               .servers = {blue_at.ip, red_at.ip},
                                               .n_servers = 2,
                                               .local_address = ip_v4(0x0a000002)};
    w->vpns[0] = (struct model_vpn){.name = "blue",
                                    .gateway = &w->gateway,
                                    .group_id = BLUE,
                                    .external_interface = "eth1",
                                    .heartbeat_threshold = 2,
                                    .recovery_probe = true};
    w->vpns[1] = (struct model_vpn){
        .name = "red", .gateway = &w->gateway, .group_id = RED, .external_interface = "eth1"};
    w->model = (struct model_member){
        .gateways = &w->gateway, .n_gateways = 1, .vpns = w->vpns, .n_vpns = VPNS};
    struct member_config config = {
        .model = &w->model, .local_port = IKE_PORT, .server_port = IKE_PORT};
    demand(member_new(&config, seed, &w->member) == ERR_OK);
    member_start(w->member, w->now, &w->out);
    collect_member();
}

static void open_world(void)
{
    static bool started;
    static const uint8_t seed[DRBG_SEED] = {2};
    const char *text;

    if (!started)
        demand(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK);
    started = true;
    w = calloc(1, sizeof *w);
    demand(w != NULL);
    w->now = (instant_t){1000 * NS_PER_S};
    for (uint8_t i = 0; i < KEY; i++)
        w->material.key[i] = (uint8_t)(i * 7 + 1);
    two_groups_init(&w->m);
    demand(sign_key_generate_rsa(RSA_BITS_MIN, w->material.key, &w->material.signer) == ERR_OK);
    demand(sign_key_spki(w->material.signer, w->material.spki, sizeof w->material.spki,
                         &w->material.spki_len) == ERR_OK);
    w->drbg = drbg_of(seed);
    w->peer = (struct phase1_peer){
        .name = "site-2", .policy = &w->m.policy, .address = ip_v4(0x0a000002)};
    struct phase1_config config = {&w->peer, 1, true};
    demand(phase1_table_new(&config, &w->drbg, &w->phase1) == ERR_OK);
    open_member();
}

static void close_world(void)
{
    member_stop(w->member, w->now, &w->out);
    demand(phase1_count(w->member->phase1, false) == 0);
    demand(instant_is_never(member_due(w->member)));
    member_free(w->member);
    sign_key_free(w->material.signer);
    phase1_table_free(w->phase1);
    effects_free(&w->out);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));

    open_world();
    check();
    for (size_t i = 0; i < EVENTS && rd_left(&r); i++) {
        step(&r);
        check();
    }
    close_world();
    return 0;
}

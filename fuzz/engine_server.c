/* The key server under a list of events: time, datagrams of members that come late, twice, changed
 * or never, messages that nobody should send, raw octets of strangers. Three members in the toy
 * world's cryptography: site-1 and site-2 may join the group "blue", site-3 may join nothing. In
 * lists of odd length "blue" has server-member-communication.
 *
 * Each event is an octet (what) with its arguments behind it. After each one the engine has to be
 * in order: see check(). */
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "sa/job.h"
#include "server/groups.h"
#include "server/limits.h"
#include "server/members.h"
#include "server/push.h"
#include "server/state.h"
#include "unit/server/pull_client.h"
#include "unit/server/two_groups.h"
#include "wire/rd.h"

#include <stdlib.h>

enum { CLIENTS = 3, QUEUE = 24, JOBS = 8, TAPE = 16, EVENTS = 400, ODD_MAX = 48, OUTSIDER = 2 };

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
struct world {
    instant_t now;
    struct two_groups m;
    struct server *server;
    struct effects out;
    struct pull_client gm[CLIENTS];
    struct packet up[QUEUE], down[QUEUE], tape[TAPE]; /* to the server, from it, seen once */
    size_t n_up, n_down, n_tape;
    struct job jobs[JOBS]; /* of the server */
    size_t n_jobs;
    bool store_fails;
    uint32_t pushed; /* SEQ of the last push */
};
static struct world *w;

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* ---- carrying ---- */

static void push(struct packet *queue, size_t *n, size_t room, struct endpoint from,
                 struct endpoint to, struct bytes data)
{
    if (*n == room || data.len > DATAGRAM_MAX)
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

/* One too many is lost, as with a host whose workers are busy. */
static void keep_job(const struct job *job)
{
    struct job own = *job;

    if (w->n_jobs < JOBS) {
        w->jobs[w->n_jobs++] = own;
        return;
    }
    struct job_result lost = {.id = own.id, .kind = own.kind, .err = ERR_LIMIT};
    server_job_done(w->server, w->now, &lost, &w->out);
    job_wipe(&own);
}

/* What is pushed is what the server holds, under a KEK that it holds and no removal has retired;
 * its numbers only grow, and the store has each of them. */
static void check_pushed_keys(const struct kek_generation *kek, const struct chain *c)
{
    static struct gdoi_sa sa;
    static struct gdoi_kd kd;
    const struct chain_payload *p = chain_find(c, IKE1_PAYLOAD_SA);

    if (!p)
        return;
    demand(!kek->retired);
    demand(gdoi_sa_parse(p->body, &GDOI_STAMPS, NULL, &sa) == ERR_OK);
    demand(gdoi_kd_parse(chain_find(c, IKE1_PAYLOAD_KD)->body, &kd, NULL) == ERR_OK);
    demand(gdoi_kd_match(&sa, &kd, NULL, NULL) == ERR_OK);
    for (size_t i = 0; i < kd.n_teks; i++) {
        const struct generation *g = mint_find(&w->server->mint, kd.teks[i].spi);
        demand(!g || bytes_equal(kd.teks[i].cipher_key, secret_bytes(&g->key)));
    }
}

static void check_pushed(const struct effect *e)
{
    const struct group *g = w->server->groups[0];
    uint8_t data[DATAGRAM_MAX], iv[CIPHER_BLOCK_MAX];
    size_t len = e->fanout.datagram.len;
    struct ike1_header h;
    struct chain c;
    uint32_t seq;

    demand(e->fanout.n > 0 && e->fanout.n <= OUTSIDER && len <= sizeof data);
    memcpy(data, e->fanout.datagram.data, len);
    demand(ike1_header_parse(bytes(data, len), &h) == ERR_OK);
    const struct kek_generation *kek = group_kek(g, ike1_cookies_bytes(&h.cookies).data);
    if (!kek) /* it ended while the message was on its way */
        return;
    memcpy(iv, kek->iv.b, kek->iv.len);
    cbc_decrypt(kek->cipher, secret_bytes(&kek->key), iv, data + IKE1_HEADER, len - IKE1_HEADER);
    demand(ike1_payloads_parse(bytes(data, len), h.next_payload, cipher_block(kek->cipher), &c) ==
           ERR_OK);
    demand(gdoi_shape_check(GDOI_PUSH, &c, NULL) == ERR_OK);
    demand(gdoi_seq_parse(c.p[0].body, &seq) == ERR_OK);
    demand(seq > w->pushed && seq <= g->push_seq_durable);
    w->pushed = seq;
    check_pushed_keys(kek, &c);
}

static void collect_server(void)
{
    for (const struct effect *e = w->out.first; e; e = e->next) {
        if (e->kind == EFFECT_SEND)
            push(w->down, &w->n_down, QUEUE, e->send.from, e->send.to, e->send.datagram);
        if (e->kind == EFFECT_FANOUT)
            check_pushed(e);
        if (e->kind == EFFECT_JOB)
            keep_job(e->job);
        if (e->kind == EFFECT_PERSIST && e->persist->id)
            server_stored(w->server, w->now, e->persist->id, w->store_fails ? ERR_SYSTEM : ERR_OK,
                          &w->out);
        demand(e->kind != EFFECT_INSTALL);
    }
    effects_reset(&w->out);
}

static void collect_client(struct pull_client *gm)
{
    struct effects todo = gm->out;

    gm->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        struct job_result result;
        if (e->kind == EFFECT_SEND)
            push(w->up, &w->n_up, QUEUE, e->send.from, e->send.to, e->send.datagram);
        if (e->kind != EFFECT_JOB)
            continue;
        job_run(e->job, &result);
        pull_client_job(gm, w->now, &result);
    }
    effects_free(&todo);
    if (gm->out.n)
        collect_client(gm);
}

static void give_server(const struct packet *p)
{
    static struct packet copy;
    copy = *p;
    server_datagram(w->server, w->now, copy.from, copy.to, copy.data, copy.len, &w->out);
    size_t sends = 0;
    for (const struct effect *e = w->out.first; e; e = e->next)
        sends += e->kind == EFFECT_SEND;
    demand(sends <= 2); /* nobody gets many datagrams out of one */
    collect_server();
}

/* What a member has been given is what the server holds under that SPI, and no outsider has any. */
static void check_keys(const struct pull_client *gm)
{
    demand(gm != &w->gm[OUTSIDER]);
    for (size_t i = 0; i < gm->n_keys; i++) {
        const struct pull_client_key *key = &gm->keys[i];
        const struct generation *g = mint_find(&w->server->mint, key->spi);
        if (!g)
            continue;
        demand(bytes_equal(bytes(key->cipher_key, key->cipher_len), secret_bytes(&g->key)));
        demand(bytes_equal(bytes(key->auth_key, key->auth_len), secret_bytes(&g->auth_key)));
    }
    demand(gm->kek.present == w->m.groups[0].communication.present);
    const struct kek_generation *kek =
        gm->kek.present ? group_kek(w->server->groups[0], ike1_cookies_bytes(&gm->kek.spi).data)
                        : NULL;
    demand(!kek || bytes_equal(bytes(gm->kek.key, gm->kek.key_len), secret_bytes(&kek->key)));
}

static void give_client(struct packet *p)
{
    size_t i = (size_t)p->to.ip.b[3] - 1;

    if (i >= CLIENTS || p->len < IKE1_HEADER)
        return;
    struct pull_client *gm = &w->gm[i];
    if (p->data[18] != IKE1_EXCHANGE_GROUPKEY_PULL) {
        pull_client_phase1(gm, w->now, p->from, p->data, p->len);
        collect_client(gm);
    } else if (gm->sa && pull_client_2(gm, bytes(p->data, p->len)) != ERR_OK &&
               pull_client_4(gm, bytes(p->data, p->len)) == ERR_OK) {
        check_keys(gm);
    }
}

/* ---- events ---- */

/* As many octets as there are, up to n. */
static struct bytes some(struct rd *r, size_t n)
{
    return rd_take(r, n < rd_left(r) ? n : rd_left(r));
}

static struct bytes odd_body; /* of the payload that odd() writes */
static uint8_t odd_type;
static void odd(struct chain_wr *c)
{
    chain_open(c, odd_type);
    wr_put(c->w, odd_body);
    chain_close(c);
}

static void send_message(struct pull_client *gm, struct rd *r, bool first)
{
    uint8_t room[DATAGRAM_MAX], what = rd_u8(r);

    odd_type = rd_u8(r);
    odd_body = some(r, rd_u8(r) % ODD_MAX);
    pull_client_more *more = what & 1 ? odd : NULL;
    if (!gm->sa || (!first && (gm->message_id == 0 || gm->nr_len == 0)))
        return;
    struct bytes m = !first     ? pull_client_3(gm, more, room)
                     : what & 2 ? pull_client_any_1(gm, odd, room)
                                : pull_client_1(gm, what & 4 ? RED : BLUE, more, room);
    if (!m.len)
        return;
    push(w->up, &w->n_up, QUEUE, gm->local, gm->server, m);
}

static void run_timers(void)
{
    server_timer(w->server, w->now, &w->out);
    collect_server();
    demand(!instant_reached(server_due(w->server), w->now));
    for (size_t i = 0; i < CLIENTS; i++) {
        pull_client_timer(&w->gm[i], w->now);
        collect_client(&w->gm[i]);
    }
}

static void run_job(size_t at)
{
    struct job_result result;
    struct job job = w->jobs[at];

    memmove(w->jobs + at, w->jobs + at + 1, (--w->n_jobs - at) * sizeof job);
    job_run(&job, &result);
    job_wipe(&job);
    server_job_done(w->server, w->now, &result, &w->out);
    job_result_wipe(&result);
    collect_server();
}

static void raw(struct rd *r)
{
    struct endpoint from = {ip_v4(0x0a000001u + rd_u8(r) % 4), 848};
    struct bytes b = some(r, rd_u8(r));
    struct packet p = {.from = from, .to = blue_at, .len = b.len};

    if (b.len)
        memcpy(p.data, b.data, b.len);
    give_server(&p);
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
        w->tape[w->n_tape++ % TAPE] = p;
        give_server(&p);
        if (how == 3) /* twice */
            give_server(&p);
    } else {
        give_client(&p);
    }
}

/* An acknowledgement of member i, right but for what the octet says. */
static void acknowledge(struct rd *r, size_t i)
{
    const struct group *g = w->server->groups[0];
    uint8_t how = rd_u8(r), input[GDOI_ACK_KEY_INPUT], *hash;
    const struct kek_generation *kek = g->kek[how & 1 ? GROUP_KEK_PREVIOUS : GROUP_KEK_CURRENT];
    struct endpoint from = {ip_v4(0x0a000001u + (uint32_t)i), 848};
    struct packet p = {.from = from, .to = blue_at};
    struct ike1_cookies spi;
    struct bytes covered;

    if (!kek)
        return;
    memcpy(&spi, kek->spi, sizeof spi);
    struct wr out = wr_of(p.data, sizeof p.data);
    uint32_t seq = g->push_seq + (how & 2 ? rd_u8(r) : 0) - (how & 4 ? rd_u8(r) : 0);
    gdoi_ack_key_input(&spi, how & 8 ? GDOI_ACK_L_SHA256_OTHER : GDOI_ACK_L_SHA256, input);
    SECRET key = prf(HASH_SHA256, secret_bytes(&kek->key), PARTS(BYTES_OF(input)));
    demand(gdoi_ack_write(&out, &spi, seq, from.ip, hash_len(HASH_SHA256), &hash, &covered) ==
           ERR_OK);
    hmac_parts(HASH_SHA256, secret_bytes(&key), PARTS(covered), hash);
    if (how & 16)
        p.data[rd_u8(r) % out.len] ^= (uint8_t)(rd_u8(r) | 1);
    p.len = how & 32 ? rd_u8(r) % out.len : out.len;
    size_t awaiting = members_awaiting(g);
    give_server(&p);
    if (how & 64)
        give_server(&p); /* again */
    demand(members_awaiting(g) + 2 >= awaiting);
}

/* The operator wants new keys of some kind; members answer pushes. */
static void operate(struct rd *r, unsigned what)
{
    struct group *g = w->server->groups[0];

    switch (what) {
    case 0:
        group_rekey(g, NULL);
        break;
    case 1:
        group_rekey_kek(g);
        break;
    case 2:
        group_exclude(g, span_s(rd_u8(r)));
        break;
    case 3:
        push_delete(w->server, g, w->now, &(struct push_delete){.all_teks = true, .kek = true},
                    &w->out);
        groups_clear(w->server, g, &w->out);
        server_timer(w->server, w->now, &w->out);
        collect_server();
        break;
    default:
        acknowledge(r, what % CLIENTS);
    }
}

static void step(struct rd *r)
{
    uint8_t what = rd_u8(r);
    struct pull_client *gm = &w->gm[(what >> 4) % CLIENTS];

    switch (what & 15) {
    case 0:
        w->now = instant_add(w->now, span_ms(100 * (1 + rd_u8(r))));
        run_timers();
        break;
    case 1:
        w->now = instant_add(w->now, span_s(30 * (1 + rd_u8(r))));
        run_timers();
        break;
    case 2:
        if (!gm->sa && phase1_count(gm->table, false) < 4)
            pull_client_start(gm, w->now);
        collect_client(gm);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        on_packet(r, (what & 15) - 3u);
        break;
    case 7:
        if (w->n_jobs)
            run_job(rd_u8(r) % w->n_jobs);
        break;
    case 8:
        send_message(gm, r, true);
        break;
    case 9:
        send_message(gm, r, false);
        break;
    case 10:
        raw(r);
        break;
    case 11: /* again, from the tape */
        if (w->n_tape)
            give_server(&w->tape[rd_u8(r) % (w->n_tape < TAPE ? w->n_tape : TAPE)]);
        break;
    case 12: /* the operator changes a list, or the disk its mind */
        if (what >> 4 == 15)
            w->store_fails = !w->store_fails;
        else
            w->server->listed[(what >> 4) % OUTSIDER] ^= 1;
        break;
    case 13:
        operate(r, what >> 4);
        break;
    case 14: /* time passes, and nobody serves the timers */
        w->now = instant_add(w->now, span_ms(40 * rd_u8(r)));
        break;
    case 15:
        if (gm->sa) {
            phase1_end(gm->table, gm->sa, rd_u8(r) & 1, &gm->out);
            gm->sa = NULL;
        }
        collect_client(gm);
        break;
    }
}

/* ---- what holds after every event ---- */

static void check_sa(const struct group_sa *sa)
{
    const struct generation *next = sa->slot[GROUP_NEXT], *current = sa->slot[GROUP_CURRENT],
                            *previous = sa->slot[GROUP_PREVIOUS];

    demand(current || !previous);
    demand(!next || !previous); /* one changeover at a time */
    demand(!next || !current || next->number > current->number);
    demand(!previous || previous->number < current->number);
    demand(!group_newest(sa) || sa->numbers >= group_newest(sa)->number);
    demand(!sa->slot[GROUP_MINTED]); /* the store answers at once here */
    for (size_t i = 0; i < GROUP_SLOTS; i++) {
        const struct generation *g = sa->slot[i];
        demand(!g || (g->spi >= 256 && mint_find(&w->server->mint, g->spi) == g));
        demand(!g || g->time.created.ns <= w->now.ns);
    }
}

static void check_kek(const struct group *g)
{
    const struct kek_generation *current = g->kek[GROUP_KEK_CURRENT],
                                *previous = g->kek[GROUP_KEK_PREVIOUS];

    demand(current == NULL || g->signer != NULL);
    demand(!previous || previous->number < current->number);
    demand(!current || current->created.ns <= w->now.ns);
    demand(g->push_seq <= g->push_seq_durable && g->push_seq_durable <= g->push_seq_given);
}

static void check_group(const struct group *g)
{
    uint64_t pulls = 0;
    struct group_delays d = group_delays(g, w->now);

    check_kek(g);
    demand(d.activation <= d.deactivation);
    demand(d.deactivation <= 3 * g->model->atd_s + UINT8_MAX); /* operate() spreads over an octet */
    for (size_t i = 0; i < g->n_sas; i++)
        check_sa(&g->sas[i]);
    demand(g->registry.n <= OUTSIDER);
    for (size_t i = 0; i < g->registry.n; i++) {
        const struct registry_member *m = g->registry.members[i];
        demand(m->gateway != &w->m.gateways[OUTSIDER] && m->at == i);
        demand(registry_at_address(&g->registry, m->remote.ip) != NULL);
        pulls += m->pulls_succeeded;
    }
    demand(pulls == g->counters.pulls_succeeded);
}

static void check(void)
{
    const struct server *s = w->server;
    size_t hanging = 0, cursor = 0;
    struct phase1_sa *sa;

    for (size_t i = 0; i < s->n_groups; i++)
        check_group(s->groups[i]);
    demand(s->groups[1]->registry.n == 0); /* red is served elsewhere */
    demand(s->pulls.index.n == s->pulls.due.n && s->pulls.index.n <= SERVER_PULLS_MAX);
    while ((sa = phase1_next(s->phase1, &cursor)))
        hanging += phase1_user(sa) != NULL;
    demand(hanging <= s->pulls.index.n);
}

static void open_world(bool communication)
{
    static bool started;
    const uint8_t seed[DRBG_SEED] = {1};
    const char *text;

    if (!started)
        demand(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK);
    started = true;
    w = calloc(1, sizeof *w);
    demand(w != NULL);
    w->now = (instant_t){1000 * NS_PER_S};
    two_groups_init(&w->m);
    w->m.groups[0].n_sas = 2;
    if (communication)
        w->m.groups[0].communication = two_groups_communication();
    demand(server_new(&(struct server_config){.model = &w->m.model}, seed, w->now, &w->out,
                      &w->server) == ERR_OK);
    collect_server();
    if (communication)
        run_job(0); /* the key pair that signs: nobody waits for it here */
    for (uint8_t i = 0; i < CLIENTS; i++) {
        struct pull_client_config config = {.proposal = w->m.ike_list,
                                            .psk = w->m.policy.psk,
                                            .local = {ip_v4(0x0a000001u + i), 848},
                                            .server = blue_at,
                                            .seed = i};
        pull_client_open(&w->gm[i], &config);
    }
}

static void close_world(void)
{
    for (size_t i = 0; i < w->n_jobs; i++)
        job_wipe(&w->jobs[i]);
    server_stop(w->server, w->now, &w->out);
    demand(phase1_count(w->server->phase1, false) == 0 && w->server->pulls.index.n == 0);
    for (size_t i = 0; i < CLIENTS; i++)
        pull_client_close(&w->gm[i]);
    server_free(w->server);
    effects_free(&w->out);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));

    open_world(size % 2);
    for (size_t i = 0; i < EVENTS && rd_left(&r); i++) {
        step(&r);
        check();
    }
    close_world();
    return 0;
}

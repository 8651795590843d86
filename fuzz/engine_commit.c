/* The key server under other configurations: a list of commits, operators' commands, registrations,
 * lost answers, a disk that is slow, full or loses power, and ends of the process at any of these,
 * after which another server goes on. Two members, in the toy world's cryptography.
 *
 * Each event is an octet (what) with its arguments behind it. What leaves the server is judged by
 * the laws of a group: no key that the disk does not have, no SEQ twice under one KEK, no key under
 * a KEK that a removal has retired. A model that was replaced is freed at once. */
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "sa/job.h"
#include "server/gateways.h"
#include "server/limits.h"
#include "server/operator.h"
#include "server/state.h"
#include "store/memory.h"
#include "unit/server/pull_client.h"
#include "unit/server/two_groups.h"
#include "wire/rd.h"

#include <stdlib.h>

enum { CLIENTS = 2, EVENTS = 160, QUEUE = 64, KEKS = 2048, DOWN = 8, HANDS = 40 };

/* A transaction on its way to the disk. */
struct waiting {
    struct arena arena;
    struct store_tx *tx;
};
/* A KEK that has ever been: under its SPI each SEQ comes once. */
struct known_kek {
    uint8_t spi[KEK_SPI];
    enum cipher cipher;
    struct secret iv, key;
    uint32_t last;
    bool retired;
};
struct datagram {
    struct endpoint from;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
struct world {
    instant_t now;
    struct two_groups base;   /* what the members know */
    struct two_groups *model; /* the server's */
    struct server *server;
    unsigned lives;
    struct effects out;
    struct store_memory *disk;
    struct waiting queue[QUEUE];
    size_t n_queue;
    bool slow, full; /* the disk: nothing is stored before an event says so; all fails */
    struct known_kek keks[KEKS];
    size_t n_keks;
    struct pull_client gm[CLIENTS];
    struct datagram down[DOWN]; /* from the server to the member whose turn it is */
    size_t n_down;
};
static struct world *w;

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* ---- the disk ---- */

static struct store_tx *copy_of(struct arena *a, const struct store_tx *tx)
{
    struct store_tx *copy = store_tx_new(a, tx->id, tx->durable);

    for (const struct store_op *op = tx->first; op; op = op->next) {
        if (op->put)
            store_put(a, copy, op->table, op->key, op->value);
        else
            store_delete(a, copy, op->table, op->key);
    }
    return copy;
}

/* The oldest one. What nobody waits for is tried until it works. */
static bool store_one(void)
{
    if (w->n_queue == 0)
        return false;
    struct waiting first = w->queue[0];
    enum err e = w->full ? ERR_SYSTEM : store_memory_commit(w->disk, first.tx);
    if (e && first.tx->id == 0)
        return false;
    memmove(w->queue, w->queue + 1, --w->n_queue * sizeof first);
    if (first.tx->id)
        server_stored(w->server, w->now, first.tx->id, e, &w->out);
    arena_free(&first.arena);
    return true;
}

static void persist(const struct store_tx *tx)
{
    while (w->n_queue == QUEUE) { /* a disk is not that slow */
        bool full = w->full;
        w->full = false;
        demand(store_one());
        w->full = full;
    }
    struct waiting *last = &w->queue[w->n_queue++];
    *last = (struct waiting){.tx = NULL};
    last->tx = copy_of(&last->arena, tx);
}

static void forget_queue(void)
{
    while (w->n_queue > 0)
        arena_free(&w->queue[--w->n_queue].arena);
}

/* Whether these octets would be there after a power cut. */
static bool is_durable(enum store_table table, struct bytes octets)
{
    struct store_memory *copy = store_memory_copy(w->disk);
    struct arena a = {0};
    size_t n;
    const struct store_row *rows = store_memory_rows(copy, &a, &n);
    bool found = false;

    for (size_t i = 0; i < n; i++)
        found = found || (rows[i].table == table &&
                          memmem(rows[i].value.data, rows[i].value.len, octets.data, octets.len));
    arena_free(&a);
    store_memory_free(copy);
    return found;
}

/* ---- what leaves ---- */

static struct known_kek *known(const uint8_t *spi)
{
    for (size_t i = w->n_keks; i-- > 0;) {
        if (bytes_equal(BYTES_OF(w->keks[i].spi), bytes(spi, KEK_SPI)))
            return &w->keks[i];
    }
    return NULL;
}

static void look_at_keks(void)
{
    const struct group *g;

    for (size_t i = 0; (g = server_any_group(w->server, i)); i++) {
        /* one that is given up on its way to the disk may come back with another life */
        for (size_t slot = GROUP_KEK_MINTED; slot < GROUP_KEK_SLOTS; slot++) {
            const struct kek_generation *k = g->kek[slot];
            if (!k)
                continue;
            struct known_kek *old = known(k->spi);
            demand(old || w->n_keks < KEKS);
            if (!old) {
                old = &w->keks[w->n_keks++];
                *old = (struct known_kek){.cipher = k->cipher, .iv = k->iv, .key = k->key};
                memcpy(old->spi, k->spi, KEK_SPI);
            }
            demand(!old->retired || k->retired); /* it is for ever */
            old->retired = k->retired;
        }
    }
}

static void check_keys(const struct known_kek *kek, const struct chain *c)
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
    for (size_t i = 0; i < kd.n_teks; i++)
        demand(is_durable(STORE_TEK, kd.teks[i].cipher_key));
}

static void check_push(const struct effect *e)
{
    uint8_t data[DATAGRAM_MAX], iv[CIPHER_BLOCK_MAX];
    size_t len = e->fanout.datagram.len;
    struct ike1_header h;
    struct chain c;
    uint32_t seq;

    demand(e->fanout.n > 0 && e->fanout.n <= CLIENTS && len <= sizeof data);
    memcpy(data, e->fanout.datagram.data, len);
    demand(ike1_header_parse(bytes(data, len), &h) == ERR_OK);
    struct known_kek *kek = known(ike1_cookies_bytes(&h.cookies).data);
    if (!kek) {
        abort();
        return;
    }
    memcpy(iv, kek->iv.b, kek->iv.len);
    cbc_decrypt(kek->cipher, secret_bytes(&kek->key), iv, data + IKE1_HEADER, len - IKE1_HEADER);
    demand(ike1_payloads_parse(bytes(data, len), h.next_payload, cipher_block(kek->cipher), &c) ==
           ERR_OK);
    demand(gdoi_shape_check(GDOI_PUSH, &c, NULL) == ERR_OK);
    demand(gdoi_seq_parse(c.p[0].body, &seq) == ERR_OK);
    demand(seq > kek->last);
    kek->last = seq;
    check_keys(kek, &c);
}

static void run(const struct job *job)
{
    struct job own = *job;
    struct job_result result;

    job_run(&own, &result);
    job_wipe(&own);
    server_job_done(w->server, w->now, &result, &w->out);
    job_result_wipe(&result);
}

static void keep_datagram(const struct effect *e)
{
    if (w->n_down == DOWN)
        return;
    struct datagram *d = &w->down[w->n_down++];
    d->from = e->send.from;
    d->len = e->send.datagram.len;
    memcpy(d->data, e->send.datagram.data, d->len);
}

static void carry_out(const struct effect *e)
{
    look_at_keks();
    if (e->kind == EFFECT_SEND)
        keep_datagram(e);
    if (e->kind == EFFECT_FANOUT)
        check_push(e);
    if (e->kind == EFFECT_JOB)
        run(e->job);
    if (e->kind == EFFECT_PERSIST)
        persist(e->persist);
}

/* In their order; what an answer to one of them brings comes behind. */
static void collect(void)
{
    const struct effect *e = w->out.first;

    while (e || (!w->slow && w->n_queue > 0)) {
        const struct effect *last = w->out.last;
        for (; e; e = e->next) {
            carry_out(e);
            last = e;
        }
        if (!w->slow && !store_one())
            break;
        e = last ? last->next : w->out.first;
    }
    effects_reset(&w->out);
}

/* ---- members ---- */

static void give_server(struct pull_client *gm, struct bytes datagram)
{
    uint8_t copy[DATAGRAM_MAX];

    memcpy(copy, datagram.data, datagram.len);
    server_datagram(w->server, w->now, gm->local, gm->server, copy, datagram.len, &w->out);
    collect();
}

static void serve(struct pull_client *gm)
{
    struct effects todo = gm->out;

    gm->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        struct job_result result;
        if (e->kind == EFFECT_SEND)
            give_server(gm, e->send.datagram);
        if (e->kind != EFFECT_JOB)
            continue;
        job_run(e->job, &result);
        pull_client_job(gm, w->now, &result);
    }
    effects_free(&todo);
}

static void connect(struct pull_client *gm)
{
    if (gm->sa)
        phase1_end(gm->table, gm->sa, false, &gm->out);
    gm->sa = NULL;
    effects_reset(&gm->out);
    w->n_down = 0;
    pull_client_start(gm, w->now);
    for (int i = 0; i < HANDS && (gm->out.n || w->n_down); i++) {
        serve(gm);
        for (size_t k = 0, n = w->n_down; k < n; k++)
            pull_client_phase1(gm, w->now, w->down[k].from, w->down[k].data, w->down[k].len);
        w->n_down = 0;
    }
}

/* The first answer that the reader takes. */
static bool answered(struct pull_client *gm, enum err (*read)(struct pull_client *, struct bytes))
{
    bool well = false;

    for (size_t i = 0; i < w->n_down && !well; i++)
        well = w->down[i].len > IKE1_HEADER && w->down[i].data[18] == IKE1_EXCHANGE_GROUPKEY_PULL &&
               read(gm, bytes(w->down[i].data, w->down[i].len)) == ERR_OK;
    w->n_down = 0;
    return well;
}

/* What a registration brings is durable, and live. */
static void check_registration(const struct pull_client *gm)
{
    for (size_t i = 0; i < gm->n_keys; i++)
        demand(is_durable(STORE_TEK, bytes(gm->keys[i].cipher_key, gm->keys[i].cipher_len)));
    for (size_t i = 0; i < gm->offer.n_sats; i++)
        demand(gm->offer.sats[i].life.seconds > 0);
    if (!gm->kek.present)
        return;
    demand(gm->offer.sak.lifetime > 0);
    demand(is_durable(STORE_KEK, bytes(gm->kek.key, gm->kek.key_len)));
}

static bool pull(struct pull_client *gm, uint32_t group)
{
    uint8_t room[DATAGRAM_MAX];

    if (!gm->sa)
        return false;
    w->n_down = 0;
    give_server(gm, pull_client_1(gm, group, NULL, room));
    if (!answered(gm, pull_client_2))
        return false;
    give_server(gm, pull_client_3(gm, NULL, room));
    if (answered(gm, pull_client_4))
        check_registration(gm);
    return true;
}

static void enrol(struct pull_client *gm, uint32_t group)
{
    if (pull(gm, group))
        return;
    connect(gm);
    (void)pull(gm, group);
}

/* ---- configurations ---- */

static const char *const certificates[] = {NULL, "one", "two"};

static struct model_communication communication_of(unsigned bits)
{
    struct model_communication c = two_groups_communication();

    if (!(bits & 1)) /* as src/model/build_server.c leaves it */
        return (struct model_communication){0};
    c.lifetime_s = bits & 2 ? 300 : 1800;
    c.heartbeat_s = bits & 4 ? 60 : 300;
    c.certificate = certificates[bits >> 4 & 3 ? (bits >> 4 & 3) - 1 : 0];
    if (bits & 8) {
        c.type = MODEL_PUSH_MULTICAST;
        c.multicast_group = ip_v4(0xe2010101 + (bits >> 6 & 1));
        c.multicast_interface = bits >> 7 ? "eth1" : "eth0";
    }
    return c;
}

static struct two_groups *model_of(struct rd *r)
{
    struct two_groups *m = calloc(1, sizeof *m);
    unsigned a = rd_u8(r), b = rd_u8(r), c = rd_u8(r);

    demand(m != NULL);
    two_groups_init(m);
    m->groups[0].communication = communication_of(b);
    m->groups[1].communication = communication_of(c);
    m->groups[0].n_sas = a & 3 ? (a & 3) - 1 : 2;
    m->groups[0].atd_s = a & 4 ? 30 : 15;
    m->hour.lifetime_s = a & 8 ? 300 : 3600;
    m->groups[0].n_gateways = a & 16 ? 1 : 2;
    m->groups[0].anti_replay_window_ms = a & 32 ? 100000 : 0;
    m->policies[0].protocol = a & 64 ? 6 : 0;
    a = rd_u8(r);
    m->model.n_groups = a & 1 ? 1 : 2;
    if (a & 2)
        m->model.groups = &m->groups[1];
    m->model.n_groups = a & 2 ? 1 : m->model.n_groups;
    m->groups[0].id = a & 4 ? 8 : BLUE;
    m->groups[0].name = a & 8 ? "azure" : "blue";
    m->groups[0].server_address = a & 16 ? ip_v4(0x0a0000fc) : blue_at.ip;
    m->policy.psk = bytes_str(a & 32 ? "another" : "between us");
    m->model.n_gateways = a & 64 && m->groups[0].n_gateways == 1 && (a & 3) == 1 ? 1 : 3;
    return m;
}

static void name_key_pairs(struct server_certificate list[2])
{
    for (size_t i = 0; i < 2; i++) {
        uint8_t entropy[SIGN_ENTROPY] = {(uint8_t)(i + 1)};
        list[i] = (struct server_certificate){.name = certificates[i + 1]};
        demand(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &list[i].key) == ERR_OK);
    }
}

/* Whoever looks into the old model afterwards reads freed memory. */
static void commit(struct two_groups *next)
{
    struct server_certificate list[2];
    const struct model_server *was = w->server->model;

    name_key_pairs(list);
    const struct server_config config = {
        .model = &next->model, .certificates = list, .n_certificates = 2};
    enum err e = server_reconfigure(w->server, w->now, &config, &w->out);
    for (size_t i = 0; i < 2; i++)
        sign_key_free(list[i].key);
    demand(w->server->model == (e ? was : &next->model));
    free(e ? next : w->model);
    w->model = e ? w->model : next;
    collect();
}

/* ---- lives of the server ---- */

static void boot(void)
{
    const uint8_t seed[DRBG_SEED] = {(uint8_t)++w->lives}; /* no key comes twice by chance */
    struct server_certificate list[2];
    struct arena a = {0};

    name_key_pairs(list);
    struct server_config config = {
        .model = &w->model->model, .certificates = list, .n_certificates = 2};
    config.rows = store_memory_rows(w->disk, &a, &config.n_rows);
    demand(server_new(&config, seed, w->now, &w->out, &w->server) == ERR_OK);
    for (size_t i = 0; i < 2; i++)
        sign_key_free(list[i].key);
    arena_free(&a);
    server_wall(w->server, w->now, (span_t){w->now.ns + span_s(1700000000).ns}, &w->out);
    collect();
}

static void die(bool power)
{
    server_free(w->server);
    w->server = NULL;
    forget_queue();
    effects_reset(&w->out);
    if (power)
        store_memory_power_cut(w->disk);
    else
        store_memory_kill(w->disk);
}

/* ---- events ---- */

static void wait_for(span_t span)
{
    instant_t to = instant_add(w->now, span);

    for (int i = 0; i < 4000 && instant_reached(server_due(w->server), to); i++) {
        w->now = instant_max(w->now, server_due(w->server));
        server_timer(w->server, w->now, &w->out);
        collect();
    }
    w->now = instant_max(w->now, to);
}

static void operate(unsigned what)
{
    const struct operator_who who = {.gateway = what & 8 ? "site-1" : "site-2"};
    struct operator_answer a = {0};
    struct group *g =
        server_n_groups(w->server) ? (struct group *)(uintptr_t)server_group(w->server, 0) : NULL;
    enum err e = ERR_OK;

    if (!g)
        return;
    switch (what & 7) {
    case 0:
    case 1:
        e = server_rekey(w->server, w->now, g, &(struct operator_rekey){.kek = what & 1}, &w->out,
                         &a);
        break;
    case 2:
    case 3:
        e = server_clear(w->server, w->now, g, what & 1, &w->out, &a);
        break;
    case 4:
    case 5:
        e = server_remove(w->server, w->now, g, &who, what & 1, &w->out, &a);
        break;
    case 6:
        e = server_lift(w->server, w->now, g, &who, &w->out, &a);
        break;
    default:
        e = server_forget(w->server, w->now, g, &who, &w->out, &a);
    }
    demand(!e || a.sentence[0]);
    collect();
}

static void use_disk(unsigned what)
{
    switch (what & 3) {
    case 0:
        w->slow = !w->slow;
        break;
    case 1:
        w->full = !w->full;
        break;
    default:
        for (unsigned n = what >> 2; n > 0 && store_one(); n--)
            ;
    }
    collect();
}

static void step(struct rd *r)
{
    uint8_t what = rd_u8(r);

    switch (what & 7) {
    case 0:
        wait_for(span_ms(50 * (1 + (what >> 3))));
        break;
    case 1:
        wait_for(span_s(1 + 30 * (what >> 3)));
        break;
    case 2:
    case 3:
        enrol(&w->gm[what >> 3 & 1], what & 16 ? RED : what & 32 ? 8 : BLUE);
        break;
    case 4:
        commit(model_of(r));
        break;
    case 5:
        die(what & 8);
        w->now = instant_add(w->now, span_s(what & 16 ? 60 * (what >> 5) : 1));
        boot();
        break;
    case 6:
        operate(what >> 3);
        break;
    case 7:
        use_disk(what >> 3);
        break;
    }
}

/* ---- what holds after every event ---- */

static void check_sa(const struct group_sa *sa)
{
    const struct generation *next = sa->slot[GROUP_NEXT], *current = sa->slot[GROUP_CURRENT],
                            *previous = sa->slot[GROUP_PREVIOUS];

    demand(!next || !previous); /* one changeover at a time */
    demand(!next || !current || next->number > current->number);
    demand(!previous || (current && previous->number < current->number));
    for (size_t i = 0; i < GROUP_SLOTS; i++) {
        const struct generation *t = sa->slot[i];
        demand(!t || mint_find(&w->server->mint, t->spi) == t);
        demand(!t || t->number <= sa->numbers);
    }
}

static void check(void)
{
    const struct server *s = w->server;
    const struct group *g;

    demand(s->n_groups == w->model->model.n_groups && s->n_leaving <= SERVER_LEAVING_MAX);
    for (size_t i = 0; (g = server_any_group(s, i)); i++) {
        demand(g->push_seq <= g->push_seq_durable && g->push_seq_durable <= g->push_seq_given);
        demand(g->registry.n <= CLIENTS);
        for (size_t k = 0; k < g->n_sas; k++)
            check_sa(&g->sas[k]);
    }
    for (size_t i = 0; i < s->n_groups; i++) {
        demand(s->groups[i]->model == &s->model->groups[i]);
        for (size_t k = 0; k < s->groups[i]->registry.n; k++)
            demand(server_lists(s, s->groups[i], s->groups[i]->registry.members[k]->gateway));
    }
}

static void open_world(void)
{
    static bool started;
    const char *text;

    if (!started)
        demand(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK);
    started = true;
    w = calloc(1, sizeof *w);
    demand(w != NULL);
    w->now = (instant_t){1000 * NS_PER_S};
    two_groups_init(&w->base);
    w->model = calloc(1, sizeof *w->model);
    demand(w->model != NULL);
    two_groups_init(w->model);
    w->model->groups[0].communication = two_groups_communication();
    w->disk = store_memory_new();
    store_memory_kill(w->disk);
    boot();
    for (uint8_t i = 0; i < CLIENTS; i++) {
        struct pull_client_config config = {.proposal = w->base.ike_list,
                                            .psk = w->base.policy.psk,
                                            .local = {ip_v4(0x0a000001u + i), 848},
                                            .server = blue_at,
                                            .seed = i};
        pull_client_open(&w->gm[i], &config);
    }
}

static void close_world(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        pull_client_close(&w->gm[i]);
    die(false);
    effects_free(&w->out);
    store_memory_free(w->disk);
    free(w->model);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(bytes(data, size));

    open_world();
    for (size_t i = 0; i < EVENTS && rd_left(&r); i++) {
        step(&r);
        check();
    }
    close_world();
    return 0;
}

#include "sim/world.h"

#include "ike1/header.h"
#include "ike1/numbers.h"
#include "sa/job.h"
#include "sim/check.h"
#include "store/tx.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum thing_kind { THING_DATAGRAM, THING_JOB, THING_CALL };

/* Something that will happen. */
struct thing {
    struct heap_node due;
    enum thing_kind kind;
    size_t node;
    uint32_t incarnation;
    union {
        struct {
            struct endpoint from, to;
            size_t len;
        } datagram;
        struct job_result *result;
        struct {
            void (*fn)(struct world *w, uint64_t arg);
            uint64_t arg;
        } call;
    };
    uint8_t octets[];
};

static struct thing *thing_new(enum thing_kind kind, size_t node, size_t octets)
{
    struct thing *t = calloc(1, sizeof *t + octets);
    if (!t)
        abort();
    t->kind = kind;
    t->node = node;
    return t;
}

static void thing_free(struct thing *t)
{
    if (t->kind == THING_JOB) {
        job_result_wipe(t->result);
        free(t->result);
    }
    free(t);
}

static struct node *node_of_due(struct world *w, struct heap_node *due)
{
    uintptr_t at = (uintptr_t)due, first = (uintptr_t)w->nodes;
    if (at < first || at >= (uintptr_t)(w->nodes + WORLD_NODES_MAX))
        return NULL;
    return HEAP_OBJECT(due, struct node, due);
}

static void trace(struct world *w, const void *data, size_t len)
{
    uint64_t h = map_hash(w->trace, bytes(data, len));
    w->trace[1] = w->trace[0] ^ h;
    w->trace[0] = h;
}

static void trace_u64(struct world *w, uint64_t value)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(value >> (8 * i));
    trace(w, b, sizeof b);
}

void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){
        .now = {span_s(WORLD_START_S).ns}, .prng = prng_of(seed), .trace = {seed, 1}};
    w->check = check_new();
}

void world_free(struct world *w)
{
    struct heap_node *due;

    for (size_t i = 0; i < w->n_nodes; i++)
        world_kill(w, i);
    while ((due = heap_first(&w->heap))) {
        heap_remove(&w->heap, due);
        thing_free(HEAP_OBJECT(due, struct thing, due));
    }
    heap_free(&w->heap);
    effects_free(&w->effects);
    check_free(w->check);
}

size_t world_find(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        if (strcmp(w->nodes[i].name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

size_t world_add(struct world *w, enum node_kind kind, const char *name, const struct model *model,
                 struct link link)
{
    assert(w->n_nodes < WORLD_NODES_MAX);
    struct node *n = &w->nodes[w->n_nodes];
    *n = (struct node){.kind = kind, .model = model, .link = link};
    snprintf(n->name, sizeof n->name, "%s", name);
    n->ip = kind == NODE_SERVER ? model->server->groups[0].server_address
                                : model->member->gateways[0].local_address;
    return w->n_nodes++;
}

static bool node_has(const struct node *n, struct ip ip)
{
    if (n->kind == NODE_MEMBER)
        return ip_equal(n->ip, ip);
    for (size_t i = 0; i < n->model->server->n_groups; i++) {
        if (ip_equal(n->model->server->groups[i].server_address, ip))
            return true;
    }
    return false;
}

static struct node *node_at(struct world *w, struct ip ip)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        if (node_has(&w->nodes[i], ip))
            return &w->nodes[i];
    }
    return NULL;
}

static void put_on_wire(struct world *w, const struct node *to_node, struct endpoint from,
                        struct endpoint to, struct bytes datagram)
{
    const struct link *l = &to_node->link;
    struct thing *t = thing_new(THING_DATAGRAM, (size_t)(to_node - w->nodes), datagram.len);
    int64_t range = l->delay_max.ns - l->delay_min.ns;
    int64_t delay = l->delay_min.ns;

    if (range > 0)
        delay += (int64_t)prng_below(&w->prng, STREAM_NETWORK, (uint64_t)range);
    t->datagram.from = from;
    t->datagram.to = to;
    t->datagram.len = datagram.len;
    t->incarnation = to_node->incarnation;
    memcpy(t->octets, datagram.data, datagram.len);
    if (prng_chance(&w->prng, STREAM_NETWORK, l->flip_ppm))
        t->octets[prng_below(&w->prng, STREAM_NETWORK, datagram.len)] ^=
            (uint8_t)(1u << prng_below(&w->prng, STREAM_NETWORK, 8));
    heap_set(&w->heap, &t->due, instant_add(w->now, (span_t){delay}));
}

void world_inject(struct world *w, struct endpoint from, struct endpoint to, struct bytes datagram)
{
    const struct node *n = node_at(w, to.ip);
    if (n && datagram.len > 0)
        put_on_wire(w, n, from, to, datagram);
}

static void record(struct world *w, struct endpoint from, struct endpoint to, struct bytes datagram)
{
    struct record *r = &w->records[w->n_records++ % ARRAY_LEN(w->records)];
    r->from = from;
    r->to = to;
    r->len = datagram.len < sizeof r->data ? datagram.len : sizeof r->data;
    memcpy(r->data, datagram.data, r->len);
}

void world_replay(struct world *w, bool from_stranger)
{
    static const struct endpoint stranger = {{4, {203, 0, 113, 5}}, 848};
    size_t n = w->n_records < WORLD_RECORDS ? w->n_records : WORLD_RECORDS;

    for (size_t i = w->n_records - n; i < w->n_records; i++) {
        const struct record *r = &w->records[i % WORLD_RECORDS];
        world_inject(w, from_stranger ? stranger : r->from, r->to, bytes(r->data, r->len));
    }
}

static void maybe_replay(struct world *w, const struct link *l)
{
    if (!prng_chance(&w->prng, STREAM_FAULTS, l->replay_ppm))
        return;
    size_t n = w->n_records < ARRAY_LEN(w->records) ? w->n_records : ARRAY_LEN(w->records);
    const struct record *r = &w->records[prng_below(&w->prng, STREAM_FAULTS, n)];
    world_inject(w, r->from, r->to, bytes(r->data, r->len));
}

/* The link that matters is the one of the node that is not the server: its site's uplink. */
static const struct link *link_of(const struct node *a, const struct node *b)
{
    return a->kind == NODE_MEMBER ? &a->link : &b->link;
}

static bool is_pull(struct bytes datagram)
{
    struct ike1_header h;
    return ike1_header_parse(datagram, &h) == ERR_OK && h.exchange == IKE1_EXCHANGE_GROUPKEY_PULL;
}

static void send(struct world *w, struct node *n, struct endpoint from, struct endpoint to,
                 struct bytes datagram)
{
    struct node *peer = node_at(w, to.ip);
    bool dropped = w->drop_in > 0 && --w->drop_in == 0;

    w->n_sent++;
    check_datagram(w->check, w, datagram);
    trace_u64(w, datagram.len);
    trace(w, datagram.data, datagram.len);
    if (!peer)
        return;
    peer->n_told += is_pull(datagram);
    const struct link *l = link_of(n, peer);
    record(w, from, to, datagram);
    maybe_replay(w, l);
    if (dropped || n->cut || peer->cut || prng_chance(&w->prng, STREAM_NETWORK, l->loss_ppm)) {
        w->n_lost++;
        return;
    }
    put_on_wire(w, peer, from, to, datagram);
    if (prng_chance(&w->prng, STREAM_NETWORK, l->duplicate_ppm))
        put_on_wire(w, peer, from, to, datagram);
}

static void start_job(struct world *w, const struct node *n, const struct job *job)
{
    struct thing *t = thing_new(THING_JOB, (size_t)(n - w->nodes), 0);
    t->incarnation = n->incarnation;
    t->result = calloc(1, sizeof *t->result);
    if (!t->result)
        abort();
    job_run(job, t->result);
    span_t takes = span_ms(1 + (int64_t)prng_below(&w->prng, STREAM_NETWORK, 20));
    heap_set(&w->heap, &t->due, instant_add(w->now, takes));
}

static void tell(struct world *w, const struct node *n, const struct event *e)
{
    char line[1024];

    w->n_events[e->id]++;
    trace_u64(w, (uint64_t)e->id);
    if (w->print_events)
        printf("%10.3f %-8s %s\n", (double)w->now.ns / 1e9 - WORLD_START_S, n->name,
               event_line(e, line, sizeof line));
    if (w->on_event)
        w->on_event(w->on_event_ctx, (size_t)(n - w->nodes), e);
}

static void carry_out(struct world *w, struct node *n)
{
    for (const struct effect *e = w->effects.first; e; e = e->next) {
        switch (e->kind) {
        case EFFECT_PERSIST:
            server_stored(n->server, w->now, e->persist->id, ERR_OK, &w->effects);
            break;
        case EFFECT_SEND:
            send(w, n, e->send.from, e->send.to, e->send.datagram);
            break;
        case EFFECT_FANOUT:
            for (size_t i = 0; i < e->fanout.n; i++)
                send(w, n, e->fanout.from, e->fanout.to[i], e->fanout.datagram);
            break;
        case EFFECT_MULTICAST:
            break;
        case EFFECT_JOB:
            start_job(w, n, e->job);
            break;
        case EFFECT_TELL:
            tell(w, n, e->event);
            break;
        case EFFECT_INSTALL:
            check_install(w->check, w, (size_t)(n - w->nodes), e->install);
            break;
        }
    }
    effects_reset(&w->effects);
    instant_t due = n->server   ? server_due(n->server)
                    : n->member ? member_due(n->member)
                                : INSTANT_NEVER;
    heap_set(&w->heap, &n->due, due);
    check_step(w->check, w, (size_t)(n - w->nodes));
}

void world_boot(struct world *w, size_t node)
{
    struct node *n = &w->nodes[node];
    uint8_t seed[DRBG_SEED];

    assert(!n->up);
    n->up = true;
    n->incarnation++;
    prng_fill(&w->prng, STREAM_ENTROPY, seed, sizeof seed);
    enum err e;
    if (n->kind == NODE_SERVER) {
        e = server_new(&(struct server_config){.model = n->model->server}, seed, w->now,
                       &w->effects, &n->server);
    } else {
        struct member_config config = {n->model->member, IKE_PORT, IKE_PORT};
        e = member_new(&config, seed, &n->member);
        if (!e)
            member_start(n->member, w->now, &w->effects);
    }
    if (e) {
        fprintf(stderr, "world: %s does not start: %s\n", n->name, err_text(e));
        abort();
    }
    carry_out(w, n);
}

void world_kill(struct world *w, size_t node)
{
    struct node *n = &w->nodes[node];

    if (!n->up)
        return;
    n->up = false;
    n->incarnation++;
    server_free(n->server);
    member_free(n->member);
    n->server = NULL;
    n->member = NULL;
    heap_remove(&w->heap, &n->due);
    check_kill(w->check, w, node);
}

void world_register(struct world *w, size_t node)
{
    struct node *n = &w->nodes[node];

    if (!n->member)
        return;
    enum err e = member_reregister(n->member, w->now, NULL, &w->effects);
    assert(e == ERR_OK);
    (void)e;
    carry_out(w, n);
}

void world_at(struct world *w, instant_t at, void (*fn)(struct world *w, uint64_t arg),
              uint64_t arg)
{
    struct thing *t = thing_new(THING_CALL, 0, 0);
    t->call.fn = fn;
    t->call.arg = arg;
    heap_set(&w->heap, &t->due, at);
}

static void deliver(struct world *w, struct node *n, struct thing *t)
{
    uint8_t *octets = t->octets;

    w->n_delivered++;
    trace_u64(w, (uint64_t)t->node);
    if (n->server)
        server_datagram(n->server, w->now, t->datagram.from, t->datagram.to, octets,
                        t->datagram.len, &w->effects);
    else
        member_datagram(n->member, w->now, t->datagram.from, t->datagram.to, octets,
                        t->datagram.len, &w->effects);
    carry_out(w, n);
}

static void job_done(struct world *w, struct node *n, const struct thing *t)
{
    if (n->server)
        server_job_done(n->server, w->now, t->result, &w->effects);
    else
        member_job_done(n->member, w->now, t->result, &w->effects);
    carry_out(w, n);
}

static void happen(struct world *w, struct thing *t)
{
    struct node *n = &w->nodes[t->node];
    bool alive = n->up && n->incarnation == t->incarnation;

    if (t->kind == THING_CALL)
        t->call.fn(w, t->call.arg);
    else if (t->kind == THING_DATAGRAM && n->up && !n->cut)
        deliver(w, n, t);
    else if (t->kind == THING_JOB && alive)
        job_done(w, n, t);
    thing_free(t);
}

bool world_step(struct world *w, instant_t until)
{
    struct heap_node *due = heap_first(&w->heap);

    if (!due || instant_before(until, due->due)) {
        w->now = instant_max(w->now, until);
        return false;
    }
    w->now = instant_max(w->now, due->due);
    w->n_steps++;
    trace_u64(w, (uint64_t)w->now.ns);
    heap_remove(&w->heap, due);
    struct node *n = node_of_due(w, due);
    if (!n) {
        happen(w, HEAP_OBJECT(due, struct thing, due));
        return true;
    }
    if (n->server)
        server_timer(n->server, w->now, &w->effects);
    else
        member_timer(n->member, w->now, &w->effects);
    carry_out(w, n);
    return true;
}

void world_run(struct world *w, instant_t until)
{
    while (world_step(w, until))
        ;
}

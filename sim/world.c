#include "sim/world.h"

#include "ike1/numbers.h"
#include "sa/job.h"
#include "server/operator.h"
#include "sim/check.h"
#include "store/tx.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum thing_kind { THING_DATAGRAM, THING_JOB, THING_CALL, THING_TX };

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
            struct arena arena;
            struct store_tx *tx;
        } stored;
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
    if (t->kind == THING_TX)
        arena_free(&t->stored.arena);
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

void world_trace(struct world *w, struct bytes what) { trace(w, what.data, what.len); }

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
    for (size_t i = 0; i < w->n_nodes; i++) {
        disk_free(&w->nodes[i].disk);
    }
    map_free(&w->by_ip);
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

static void map_address(struct world *w, const struct ip *ip, struct node *n)
{
    struct bytes key = bytes(ip, sizeof *ip);

    if (!map_get(&w->by_ip, key))
        map_put(&w->by_ip, key, n);
}

static void map_addresses(struct world *w, struct node *n)
{
    map_address(w, &n->ip, n);
    for (size_t i = 0; n->kind == NODE_SERVER && i < n->model->server->n_groups; i++)
        map_address(w, &n->model->server->groups[i].server_address, n);
}

size_t world_add(struct world *w, enum node_kind kind, const char *name, const struct model *model,
                 struct link link)
{
    assert(w->n_nodes < WORLD_NODES_MAX);
    struct node *n = &w->nodes[w->n_nodes];
    *n = (struct node){
        .kind = kind, .model = model, .link = link, .disk = disk_of(), .removed_at = INSTANT_NEVER};
    snprintf(n->name, sizeof n->name, "%s", name);
    n->ip = kind == NODE_SERVER ? model->server->groups[0].server_address
                                : model->member->gateways[0].local_address;
    map_addresses(w, n);
    return w->n_nodes++;
}

void world_arrival(struct world *w, size_t node, instant_t at, struct endpoint from,
                   struct endpoint to, struct bytes datagram, unsigned flip_ppm)
{
    struct thing *t = thing_new(THING_DATAGRAM, node, datagram.len);

    t->datagram.from = from;
    t->datagram.to = to;
    t->datagram.len = datagram.len;
    t->incarnation = w->nodes[node].incarnation;
    memcpy(t->octets, datagram.data, datagram.len);
    if (prng_chance(&w->prng, STREAM_NETWORK, flip_ppm))
        t->octets[prng_below(&w->prng, STREAM_NETWORK, datagram.len)] ^=
            (uint8_t)(1u << prng_below(&w->prng, STREAM_NETWORK, 8));
    heap_set(&w->heap, &t->due, at);
}

static void start_job(struct world *w, const struct node *n, const struct job *job)
{
    struct thing *t = thing_new(THING_JOB, (size_t)(n - w->nodes), 0);
    t->incarnation = n->incarnation;
    t->result = calloc(1, sizeof *t->result);
    if (!t->result)
        abort();
    struct job own = *job;
    job_run(&own, t->result);
    job_wipe(&own);
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

/* ---- certificates ---- */

struct certificates {
    struct server_certificate list[MODEL_GROUPS_MAX];
    size_t n;
};

/* The key pair that `certificate` names: its name ends with the number of its bits. */
static struct sign_key *key_of(const char *name)
{
    uint8_t entropy[SIGN_ENTROPY] = {0};
    const char *bits = strrchr(name, '-');
    struct sign_key *key = NULL;

    for (size_t i = 0; i < sizeof entropy && name[i]; i++)
        entropy[i] = (uint8_t)name[i];
    if (!bits || sign_key_generate_rsa((unsigned)strtoul(bits + 1, NULL, 10), entropy, &key)) {
        fprintf(stderr, "world: certificate %s: expected a name as push-2048\n", name);
        abort();
    }
    return key;
}

static struct certificates certificates_of(const struct model_server *model)
{
    struct certificates c = {.n = 0};

    for (size_t i = 0; i < model->n_groups; i++) {
        const char *name = model->groups[i].communication.certificate;
        bool known = !name;
        for (size_t k = 0; k < c.n; k++)
            known = known || strcmp(c.list[k].name, name) == 0;
        if (!known)
            c.list[c.n++] = (struct server_certificate){name, key_of(name)};
    }
    return c;
}

/* Those that the server did not take. */
static void certificates_free(struct certificates *c)
{
    for (size_t i = 0; i < c->n; i++)
        sign_key_free(c->list[i].key);
}

/* ---- disk ---- */

static struct store_tx *tx_copy(struct arena *a, const struct store_tx *tx)
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

static void persist(struct world *w, struct node *n, const struct store_tx *tx)
{
    struct thing *t = thing_new(THING_TX, (size_t)(n - w->nodes), 0);
    struct disk *d = &n->disk;
    uint64_t range = (uint64_t)(d->delay_max.ns - d->delay_min.ns) + 1;
    span_t takes = {d->delay_min.ns + (int64_t)prng_below(&w->prng, STREAM_NETWORK, range)};

    t->incarnation = n->incarnation;
    t->stored.tx = tx_copy(&t->stored.arena, tx);
    d->busy_until = instant_add(instant_max(w->now, d->busy_until), takes);
    heap_set(&w->heap, &t->due, d->busy_until);
}

static void boot_later(struct world *w, uint64_t node)
{
    if (!w->nodes[node].up)
        world_boot(w, (size_t)node);
}

bool world_boundary(struct world *w, size_t node, const char *kind)
{
    if (w->kill_at == 0 || w->nodes[node].kind != NODE_SERVER || ++w->n_boundaries != w->kill_at)
        return false;
    w->boundary = kind;
    if (w->cuts_power)
        world_power_cut(w, node);
    else
        world_kill(w, node);
    world_at(w, instant_add(w->now, w->back_after), boot_later, node);
    return true;
}

/* ---- effects ---- */

static void hear_multicast(struct node *n, bool join, struct ip group)
{
    size_t i = 0;

    while (i < n->n_joined && !ip_equal(n->joined[i], group))
        i++;
    if (join && i == n->n_joined) {
        assert(i < WORLD_JOINED_MAX);
        n->joined[n->n_joined++] = group;
    } else if (!join && i < n->n_joined) {
        n->joined[i] = n->joined[--n->n_joined];
    }
}

/* One effect; false: the node was killed. */
static bool do_effect(struct world *w, struct node *n, const struct effect *e)
{
    size_t at = (size_t)(n - w->nodes);

    switch (e->kind) {
    case EFFECT_PERSIST:
        persist(w, n, e->persist);
        return true;
    case EFFECT_SEND:
        return network_send(w, at, e->send.from, &e->send.to, 1, e->send.datagram);
    case EFFECT_FANOUT:
        if (e->fanout.interface)
            snprintf(w->multicast_interface, sizeof w->multicast_interface, "%s",
                     e->fanout.interface);
        return network_send(w, at, e->fanout.from, e->fanout.to, e->fanout.n, e->fanout.datagram);
    case EFFECT_MULTICAST:
        hear_multicast(n, e->multicast.join, e->multicast.group);
        return true;
    case EFFECT_JOB:
        start_job(w, n, e->job);
        return true;
    case EFFECT_TELL:
        tell(w, n, e->event);
        return true;
    case EFFECT_CLOCK: /* simulated members send no packets */
        return true;
    case EFFECT_INSTALL:
        check_install(w->check, w, at, e->install);
        if (w->on_install)
            w->on_install(w->on_install_ctx, at, e->install);
        return true;
    }
    return true;
}

static void carry_out(struct world *w, struct node *n)
{
    bool alive = true;

    for (const struct effect *e = w->effects.first; alive && e; e = e->next)
        alive = do_effect(w, n, e);
    if (alive && w->effects.n > 0)
        alive = !world_boundary(w, (size_t)(n - w->nodes), "after a step");
    effects_reset(&w->effects);
    if (!alive)
        return;
    instant_t due = n->server   ? server_due(n->server)
                    : n->member ? member_due(n->member)
                                : INSTANT_NEVER;
    heap_set(&w->heap, &n->due, n->frozen ? INSTANT_NEVER : due);
    check_step(w->check, w, (size_t)(n - w->nodes));
}

/* Engines run on the world's clock whatever is rebooted; the store does not know that. */
static struct store_clock clock_of(const struct world *w, const struct node *n)
{
    struct store_clock c = {.boottime = w->now, .realtime_ns = w->now.ns + w->wall.ns};

    memcpy(c.boot_id, &n->boots, sizeof n->boots);
    return c;
}

static enum err boot_server(struct world *w, struct node *n, const uint8_t seed[DRBG_SEED])
{
    struct arena rows = {0};
    struct store_clock clock = clock_of(w, n);

    n->boots += n->power_cut;
    memcpy(clock.boot_id, &n->boots, sizeof n->boots);
    struct store_shift s = {0};
    if (n->disk.n_stored > 0)
        s = store_shift(&n->disk.noted, &clock);
    bool moved = n->disk.n_stored > 0 && s.shift.ns != n->disk.noted.shift.ns;
    n->disk.noted = clock;
    n->disk.noted.shift = s.shift;
    struct certificates c = certificates_of(n->model->server);
    struct server_config config = {.model = n->model->server,
                                   .shift = s.shift,
                                   .keys_lost = n->disk.restored,
                                   .clock_lost = s.lost,
                                   .certificates = c.list,
                                   .n_certificates = c.n};
    if (s.lost || moved)
        check_clock_lost(w->check, w);
    config.rows = disk_rows(&n->disk, n->power_cut, &rows, &config.n_rows);
    enum err e = server_new(&config, seed, w->now, &w->effects, &n->server);
    n->power_cut = n->disk.restored = false;
    certificates_free(&c);
    arena_free(&rows);
    return e;
}

/* What the calendar shows. */
static void tell_wall(struct world *w, struct node *n)
{
    span_t utc = {span_s(WORLD_UTC_S).ns + w->now.ns + w->wall.ns};

    if (n->server)
        server_wall(n->server, w->now, utc, &w->effects);
}

void world_boot(struct world *w, size_t node)
{
    struct node *n = &w->nodes[node];
    uint8_t seed[DRBG_SEED];
    enum err e;

    assert(!n->up);
    n->up = true;
    n->incarnation++;
    prng_fill(&w->prng, STREAM_ENTROPY, seed, sizeof seed);
    if (n->kind == NODE_SERVER) {
        e = boot_server(w, n, seed);
    } else {
        struct member_config config = {
            .model = n->model->member, .local_port = IKE_PORT, .server_port = IKE_PORT};
        e = member_new(&config, seed, &n->member);
        if (!e)
            member_start(n->member, w->now, &w->effects);
    }
    if (e) {
        fprintf(stderr, "world: %s does not start: %s\n", n->name, err_text(e));
        abort();
    }
    tell_wall(w, n);
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
    n->n_joined = 0;
    n->frozen = false;
    n->disk.busy_until = w->now;
    heap_remove(&w->heap, &n->due);
    check_kill(w->check, w, node);
}

void world_power_cut(struct world *w, size_t node)
{
    world_kill(w, node);
    w->nodes[node].power_cut = true;
}

/* Removals end with their group (the one that was there first): one that comes back is another. */
static void forget_removals(struct world *w, const struct model_server *to)
{
    for (size_t i = 0; i < to->n_groups; i++) {
        if (to->groups[i].id == w->nodes[0].model->server->groups[0].id)
            return;
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        w->nodes[i].removed_at = INSTANT_NEVER;
}

void world_commit(struct world *w, size_t node, const struct model *model)
{
    struct node *n = &w->nodes[node];

    forget_removals(w, model->server);
    n->model = model;
    map_addresses(w, n);
    if (!n->server)
        return;
    struct certificates c = certificates_of(model->server);
    struct server_config config = {
        .model = model->server, .certificates = c.list, .n_certificates = c.n};
    enum err e = server_reconfigure(n->server, w->now, &config, &w->effects);
    certificates_free(&c);
    if (e) {
        fprintf(stderr, "world: %s refuses its configuration: %s\n", n->name, err_text(e));
        abort();
    }
    carry_out(w, n);
}

/* ERR_BUSY: it was done already. */
static void operated(struct world *w, enum err e, const struct operator_answer *why)
{
    if (e && e != ERR_BUSY) {
        fprintf(stderr, "world: the operator is refused: %s: %s\n", err_text(e), why->sentence);
        abort();
    }
    carry_out(w, &w->nodes[0]);
}

void world_rekey(struct world *w, struct group *g)
{
    struct operator_answer why;
    struct operator_rekey all = {0};

    operated(w, server_rekey(w->nodes[0].server, w->now, g, &all, &w->effects, &why), &why);
}

void world_clear(struct world *w, struct group *g, bool immediately)
{
    struct operator_answer why;

    operated(w, server_clear(w->nodes[0].server, w->now, g, immediately, &w->effects, &why), &why);
}

void world_remove(struct world *w, struct group *g, size_t node, bool immediately)
{
    struct operator_who who = {.address = w->nodes[node].ip};
    struct operator_answer why;

    w->nodes[node].removed_at = instant_min(w->nodes[node].removed_at, w->now);
    operated(w, server_remove(w->nodes[0].server, w->now, g, &who, immediately, &w->effects, &why),
             &why);
}

void world_lift(struct world *w, struct group *g, size_t node)
{
    struct operator_who who = {.address = w->nodes[node].ip};
    struct operator_answer why;

    w->nodes[node].removed_at = INSTANT_NEVER;
    operated(w, server_lift(w->nodes[0].server, w->now, g, &who, &w->effects, &why), &why);
}

void world_wall(struct world *w, span_t by) { w->wall.ns += by.ns; }

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

/* Stored, or not; then the answer. A kill in between leaves a row that nobody was told of. */
static void tx_done(struct world *w, struct node *n, struct thing *t)
{
    size_t at = (size_t)(n - w->nodes);

    if (world_boundary(w, at, "before a commit"))
        return;
    enum err e = disk_apply(&n->disk, t->stored.tx);
    span_t shift = n->disk.noted.shift;
    n->disk.noted = clock_of(w, n);
    n->disk.noted.shift = shift;
    if (world_boundary(w, at, "before the answer to a commit") || t->stored.tx->id == 0)
        return;
    server_stored(n->server, w->now, t->stored.tx->id, e, &w->effects);
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
    else if (t->kind == THING_TX && alive)
        tx_done(w, n, t);
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
    tell_wall(w, n);
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

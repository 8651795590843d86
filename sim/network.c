#include "ike1/vendor.h"
#include "sim/check.h"
#include "sim/world.h"

#include <assert.h>

/* What lies on the way to a node: delay, damage. */
static instant_t put_on_wire(struct world *w, size_t node, struct endpoint from, struct endpoint to,
                             struct bytes datagram)
{
    const struct link *l = &w->nodes[node].link;
    int64_t range = l->delay_max.ns - l->delay_min.ns;
    int64_t delay = l->delay_min.ns;

    if (range > 0)
        delay += (int64_t)prng_below(&w->prng, STREAM_NETWORK, (uint64_t)range);
    instant_t at = instant_add(w->now, (span_t){delay});
    world_arrival(w, node, at, from, to, datagram, l->flip_ppm);
    return at;
}

static struct node *node_at(const struct world *w, struct ip ip)
{
    return map_get(&w->by_ip, bytes(&ip, sizeof ip));
}

void world_inject(struct world *w, struct endpoint from, struct endpoint to, struct bytes datagram)
{
    const struct node *n = node_at(w, to.ip);
    if (n && datagram.len > 0)
        put_on_wire(w, (size_t)(n - w->nodes), from, to, datagram);
}

static void record(struct world *w, enum wire_kind kind, struct endpoint from, struct endpoint to,
                   struct bytes datagram)
{
    struct record *r = &w->records[w->n_records++ % ARRAY_LEN(w->records)];
    r->kind = kind;
    r->at = w->now;
    r->from = from;
    r->to = to;
    r->len = datagram.len < sizeof r->data ? datagram.len : sizeof r->data;
    memcpy(r->data, datagram.data, r->len);
}

void world_replay(struct world *w, bool from_stranger, enum wire_kind kind)
{
    static const struct endpoint stranger = {{4, {203, 0, 113, 5}}, 848};
    size_t n = w->n_records < WORLD_RECORDS ? w->n_records : WORLD_RECORDS;

    for (size_t i = w->n_records - n; i < w->n_records; i++) {
        const struct record *r = &w->records[i % WORLD_RECORDS];
        if (kind == WIRE_COUNT || kind == r->kind)
            world_inject(w, from_stranger ? stranger : r->from, r->to, bytes(r->data, r->len));
    }
}

/* Less than the checker's tolerance for pushes, with what a link delays (sim/check.c). */
#define HELD_BACK_LEAST span_ms(300)
#define HELD_BACK_MOST span_s(60)
/* ... from a native that is pushed to alone: half the activation-time-delay of the months, 15 s,
 * and a little (src/member/limits.h). */
#define HELD_BACK_UNKNOWN span_ms(8500)

/* A push tells how long to wait, from its receipt on (RFC 6407 5.4.1). Who holds it back from a
 * member that has had none of its repeats makes that one late by as much. Natives in a unicast
 * group know its age by the group clock, and ask when it is more than some seconds; in a message
 * for a whole multicast group nothing says so, and no law can hold for it. Longer than a changeover
 * ago everybody has had it or was cut off. */
static bool is_held_back(const struct world *w, const struct record *r)
{
    span_t age = instant_since(w->now, r->at);
    span_t most = ip_is_multicast(r->to.ip) ? HELD_BACK_MOST : HELD_BACK_UNKNOWN;

    return r->kind == WIRE_PUSH && age.ns > HELD_BACK_LEAST.ns && age.ns < most.ns;
}

static void maybe_replay(struct world *w, const struct link *l)
{
    if (!prng_chance(&w->prng, STREAM_FAULTS, l->replay_ppm))
        return;
    size_t n = w->n_records < ARRAY_LEN(w->records) ? w->n_records : ARRAY_LEN(w->records);
    const struct record *r = &w->records[prng_below(&w->prng, STREAM_FAULTS, n)];
    if (!is_held_back(w, r))
        world_inject(w, r->from, r->to, bytes(r->data, r->len));
}

/* ---- faults for one kind of datagram ---- */

void network_rule(struct world *w, enum wire_kind kind, size_t node, unsigned loss_ppm)
{
    size_t i = 0;

    while (i < w->n_rules && (w->rules[i].kind != kind || w->rules[i].node != node))
        i++;
    assert(i < WORLD_RULES);
    if (i == w->n_rules)
        w->n_rules++;
    w->rules[i] = (struct rule){kind, node, loss_ppm};
}

static bool is_lost_by_rule(struct world *w, size_t member, enum wire_kind kind)
{
    bool lost = false;

    for (size_t i = 0; i < w->n_rules; i++) {
        const struct rule *r = &w->rules[i];
        bool applies = (r->kind == WIRE_COUNT || r->kind == kind) &&
                       (r->node == SIZE_MAX || r->node == member);
        lost = (applies && prng_chance(&w->prng, STREAM_NETWORK, r->loss_ppm)) || lost;
    }
    return lost;
}

static bool is_dropped(struct world *w, enum wire_kind kind)
{
    if (w->drop_in == 0 || (w->drop_kind != WIRE_COUNT && w->drop_kind != kind))
        return false;
    return --w->drop_in == 0;
}

/* ---- sending ---- */

struct sending {
    struct node *from_node;
    struct endpoint from, to;
    struct bytes datagram;
    enum wire_kind kind;
    const struct opened *push; /* NULL unless it is one */
};

static bool is_push(enum wire_kind kind)
{
    return kind == WIRE_PUSH || kind == WIRE_DELETE || kind == WIRE_HEARTBEAT;
}

/* What remains of a phase 1 message when vendor ids do not pass: octets that mean nothing. */
static void hide_vendor_ids(uint8_t *octets, size_t len)
{
    static const enum ike1_vendor vendors[] = {IKE1_VENDOR_CONCLAVE, IKE1_VENDOR_D3P};

    for (size_t i = 0; i < ARRAY_LEN(vendors); i++) {
        struct bytes id = ike1_vendor_id(vendors[i]);
        uint8_t *at = memmem(octets, len, id.data, id.len);
        if (at)
            memset(at, 0, id.len);
    }
}

/* The link that matters is the one of the node that is not the server: its site's uplink. */
static void send_to(struct world *w, const struct sending *s, struct node *peer)
{
    const struct node *site = s->from_node->kind == NODE_MEMBER ? s->from_node : peer;
    const struct link *l = &site->link;
    size_t to = (size_t)(peer - w->nodes);
    struct passing p = {
        (size_t)(s->from_node - w->nodes), to, s->kind, s->push, true, INSTANT_NEVER};

    peer->told[s->kind]++;
    s->from_node->said[s->kind]++;
    if (s->push)
        check_pushes_to(check_pushes(w->check), w, to, s->kind, s->push);
    record(w, s->kind, s->from, s->to, s->datagram);
    maybe_replay(w, l);
    bool dropped = is_dropped(w, s->kind);
    p.lost = is_lost_by_rule(w, (size_t)(site - w->nodes), s->kind) || dropped ||
             s->from_node->cut || peer->cut || prng_chance(&w->prng, STREAM_NETWORK, l->loss_ppm);
    if (p.lost) {
        w->n_lost++;
    } else {
        uint8_t seen[4096];
        struct bytes datagram = s->datagram;
        if (site->foreign && s->kind == WIRE_PHASE1 && datagram.len <= sizeof seen) {
            memcpy(seen, datagram.data, datagram.len);
            hide_vendor_ids(seen, datagram.len);
            datagram.data = seen;
        }
        p.arrives = put_on_wire(w, to, s->from, s->to, datagram);
        if (prng_chance(&w->prng, STREAM_NETWORK, l->duplicate_ppm))
            put_on_wire(w, to, s->from, s->to, s->datagram);
    }
    if (w->on_passing)
        w->on_passing(w->on_passing_ctx, &p);
}

static bool has_joined(const struct node *n, struct ip group)
{
    for (size_t i = 0; i < n->n_joined; i++) {
        if (ip_equal(n->joined[i], group))
            return true;
    }
    return false;
}

static void send_to_group(struct world *w, const struct sending *s)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        if (w->nodes[i].up && has_joined(&w->nodes[i], s->to.ip))
            send_to(w, s, &w->nodes[i]);
    }
}

bool network_send(struct world *w, size_t from_node, struct endpoint from,
                  const struct endpoint *to, size_t n, struct bytes datagram)
{
    static struct opened push;
    enum wire_kind kind = check_datagram(w->check, w, from_node, datagram, &push);
    struct sending s = {.from_node = &w->nodes[from_node],
                        .from = from,
                        .datagram = datagram,
                        .kind = kind,
                        .push = is_push(kind) ? &push : NULL};

    world_trace(w, datagram);
    for (size_t i = 0; i < n; i++) {
        struct node *peer = node_at(w, to[i].ip);
        if (world_boundary(w, from_node, "before a datagram"))
            return false;
        w->n_sent++;
        s.to = to[i];
        if (ip_is_multicast(to[i].ip))
            send_to_group(w, &s);
        else if (peer)
            send_to(w, &s, peer);
    }
    return true;
}

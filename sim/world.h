#pragma once
/* The whole world in one process: a key server, members, a stranger and the network between them,
 * on a virtual clock with one seed. One event a step: the clock moves to it, exactly one engine is
 * called, its effects are carried out, the checks run. The same seed gives the same trace whatever
 * compiled it. */
#include "base/heap.h"
#include "base/ip.h"
#include "base/map.h"
#include "member/member.h"
#include "model/model.h"
#include "sa/effects.h"
#include "server/server.h"
#include "sim/disk.h"
#include "sim/opened.h"
#include "sim/prng.h"

enum {
    WORLD_NODES_MAX = 512,
    WORLD_START_S = 10000,
    WORLD_UTC_S = 1700000000, /* when the clock was 0 */
    WORLD_RECORDS = 256,
    WORLD_RULES = 16,
    WORLD_JOINED_MAX = 4
};

/* How a link treats each datagram. */
struct link {
    span_t delay_min, delay_max; /* uniform: unequal delays reorder */
    unsigned loss_ppm, duplicate_ppm, flip_ppm,
        replay_ppm; /* replay: something recorded earlier comes again */
};

enum node_kind { NODE_SERVER, NODE_MEMBER };
struct node {
    enum node_kind kind;
    char name[32];
    const struct model *model;
    struct ip ip;
    bool up;
    bool cut;     /* no datagram passes */
    bool frozen;  /* its timer does not run: it answers and does nothing of its own */
    bool foreign; /* vendor ids do not pass */
    struct server *server;
    struct member *member;
    struct heap_node due;
    unsigned told[WIRE_COUNT], said[WIRE_COUNT]; /* datagrams that were sent to it, and by it */
    uint32_t incarnation; /* jobs and datagrams of an earlier life are not delivered */
    struct link link;
    struct disk disk;                   /* servers */
    bool power_cut;                     /* its machine ended, not only its process */
    uint32_t boots;                     /* of the machine */
    struct ip joined[WORLD_JOINED_MAX]; /* multicast groups */
    size_t n_joined;
    instant_t removed_at; /* by the operator, from the first of its groups; NEVER */
};

/* A fault for one kind of datagram, on top of what the links do. */
struct rule {
    enum wire_kind kind; /* WIRE_COUNT: all */
    size_t node;         /* from or to that member; SIZE_MAX: all */
    unsigned loss_ppm;
};

/* One datagram for one node, as it leaves. */
struct passing {
    size_t from, to;
    enum wire_kind kind;
    const struct opened *push; /* NULL unless it is one */
    bool lost;
    instant_t arrives;
};

struct check;
struct world {
    instant_t now;
    struct prng prng;
    struct heap heap; /* datagrams under way, jobs, script, and each node's due */
    struct node nodes[WORLD_NODES_MAX];
    size_t n_nodes;
    struct effects effects;
    struct check *check;
    uint64_t trace[2]; /* running hash of everything that happened */
    uint64_t n_steps, n_sent, n_lost, n_delivered;
    unsigned drop_in; /* the datagram sent so many from now is lost: 1 is the next, 0 none */
    enum wire_kind drop_kind; /* only those count; WIRE_COUNT: all do */
    struct rule rules[WORLD_RULES];
    size_t n_rules;
    struct map by_ip; /* nodes */
    /* Where a server may be killed: before each commit, before each answer to one, before each
     * datagram and after its last effect of a step. Counted from 1 while kill_at is not 0. */
    uint64_t n_boundaries, kill_at;
    span_t back_after;    /* ... and is started again so much later */
    bool cuts_power;      /* its machine ends, not only its process */
    const char *boundary; /* what kind of boundary it was killed at */
    uint64_t n_events[EVENT_COUNT];
    bool print_events;
    span_t wall;                  /* how far the server's calendar is off */
    char multicast_interface[32]; /* that the last multicast left through */
    struct record {               /* what an eavesdropper recorded last, for replays */
        instant_t at;
        struct endpoint from, to;
        enum wire_kind kind;
        size_t len;
        uint8_t data[2048];
    } records[WORLD_RECORDS];
    size_t n_records;
    /* Told of each event of an engine, after it was counted: scenarios and tests. NULL: nobody. */
    void (*on_event)(void *ctx, size_t node, const struct event *e);
    void *on_event_ctx;
    void (*on_install)(void *ctx, size_t node, const struct esp_vpn_install *install);
    void *on_install_ctx;
    void (*on_passing)(void *ctx, const struct passing *p); /* ... of each datagram */
    void *on_passing_ctx;
};

void world_init(struct world *w, uint64_t seed);
void world_free(struct world *w);
/* A server's disk is empty. A node that is down. The model outlives the world. The index of the
 * node. */
size_t world_add(struct world *w, enum node_kind kind, const char *name, const struct model *model,
                 struct link link);
void world_boot(struct world *w, size_t node);
/* Ends a node at once: kill -9. Nothing is told to anybody. */
void world_kill(struct world *w, size_t node);
/* Ends a server's whole machine: what the system had not written yet is lost. */
void world_power_cut(struct world *w, size_t node);
/* The operator of a server commits another configuration; the model outlives the world. */
void world_commit(struct world *w, size_t node, const struct model *model);
/* The operator of the server (node 0) removes a member from a group, and lets it back. */
void world_remove(struct world *w, struct group *g, size_t node, bool immediately);
void world_lift(struct world *w, struct group *g, size_t node);
/* ... wants new keys of a group; wants that everybody comes for them. */
void world_rekey(struct world *w, struct group *g);
void world_clear(struct world *w, struct group *g, bool immediately);
/* Somebody sets the server's calendar. */
void world_wall(struct world *w, span_t by);
/* The operator of a member wants it to register again. */
void world_register(struct world *w, size_t node);
/* Calls fn(w, arg) at `at`. */
void world_at(struct world *w, instant_t at, void (*fn)(struct world *w, uint64_t arg),
              uint64_t arg);
/* A datagram from nowhere, or from a recorded address. */
void world_inject(struct world *w, struct endpoint from, struct endpoint to, struct bytes datagram);
/* All of a kind (WIRE_COUNT: all) that was recorded comes again, from where it came or from a
 * stranger's address. */
void world_replay(struct world *w, bool from_stranger, enum wire_kind kind);
/* Takes the nearest event; false when there is none before `until`, the clock is then at `until`.
 */
bool world_step(struct world *w, instant_t until);
void world_run(struct world *w, instant_t until);
/* Passed on to network.c: one datagram from an engine to each of n endpoints; a multicast address
 * means all who have joined. False: the sender was killed meanwhile. */
bool network_send(struct world *w, size_t from_node, struct endpoint from,
                  const struct endpoint *to, size_t n, struct bytes datagram);
/* Faults for a kind of datagram; 0 takes the rule away. */
void network_rule(struct world *w, enum wire_kind kind, size_t node, unsigned loss_ppm);
/* A datagram for that node comes at `at`. */
void world_arrival(struct world *w, size_t node, instant_t at, struct endpoint from,
                   struct endpoint to, struct bytes datagram, unsigned flip_ppm);
/* A place where a server may be killed; true: it was. */
bool world_boundary(struct world *w, size_t node, const char *kind);
void world_trace(struct world *w, struct bytes what);
size_t world_find(const struct world *w, const char *name); /* SIZE_MAX: none */

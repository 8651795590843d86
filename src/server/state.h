#pragma once
/* The server's insides, shared by its own files only. */
#include "gdoi/dialect.h"
#include "group/clock.h"
#include "server/ban.h"
#include "server/certified.h"
#include "server/leaving.h"
#include "server/order_tx.h"
#include "server/pulls.h"
#include "server/server.h"
#include "server/signing.h"

/* How many registrations this server gets done in a second at its best. */
struct rate {
    instant_t since;
    uint32_t n, best;
};

struct server {
    const struct model_server *model;
    span_t shift; /* from the store's time to the engine's */
    struct drbg drbg;
    struct mint mint;
    struct phase1_peer *peers; /* one per gateway of the model, in its order */
    uint64_t *listed;          /* ... the groups that list it: bit i for groups[i] */
    struct phase1_table *phase1;
    struct group **groups;
    size_t n_groups;
    uint16_t port;           /* pushes leave from */
    uint64_t sign_jobs;      /* ids given out to signatures of pushes */
    struct leaving *leaving; /* groups that are gone, but for what their members are still told */
    size_t n_leaving;
    uint64_t transactions; /* ids given out to those whose answer somebody waits for */
    struct order_txs orders;
    struct pulls pulls;
    struct bans bans;
    struct signing signing;
    struct certified certified;
    struct group_clock clock;
    instant_t clock_kept; /* when its row was written last */
    struct rate rate;
    struct gdoi_tolerated tolerated;
    uint64_t dropped[ERR_COUNT];
};

/* A group of that model, without keys. */
struct group *server_group_new(struct server *s, const struct model_group *model);
/* Hands the groups their signers. A KEK that was made with another key pair is replaced. */
void server_use_certificates(struct server *s);
/* Seconds over which members should spread their re-registrations; 0 while they are so few that it
 * does not matter (decisions M10). */
uint16_t server_spread(const struct server *s, const struct group *g);
/* The group that members ask for by that group-id; NULL: none. Those that are leaving are not asked
 * for. */
struct group *server_group_by_id(const struct server *s, uint32_t id);
/* Groups, then those that are leaving; NULL: no more. */
struct group *server_any_group(const struct server *s, size_t i);
/* Ends the phase 1 SAs of which `ends` says so (NULL: all), with their exchanges and with notice to
 * the peers. */
void server_end_phase1(struct server *s,
                       bool (*ends)(const struct phase1_sa *sa, const void *context),
                       const void *context, struct effects *out);
/* Counts the datagram and tells; nothing else happens. */
void server_drop(struct server *s, struct endpoint from, enum err why, const char *what,
                 struct effects *out);
/* An event about the peer of a phase 1 SA: peer, gateway. */
struct event server_event(enum event_id id, const struct phase1_sa *sa);

#pragma once
/* The key server engine (GCKS, RFC 6407): phase 1 as responder, GROUPKEY-PULL, key generations of
 * each group. State + now + input -> effects; see sa/effects.h. One engine serves all groups of one
 * configuration. */
#include "base/instant.h"
#include "base/ip.h"
#include "crypto/drbg.h"
#include "group/clock.h"
#include "group/group.h"
#include "model/model.h"
#include "sa/effects.h"
#include "sa/phase1.h"
#include "store/tx.h"

struct bans;
struct job_result;
struct server;
struct sign_key;

/* A key pair that `certificate NAME` names. */
struct server_certificate {
    const char *name;
    struct sign_key *key;
};

/* What a server starts with. */
struct server_config {
    const struct model_server *model; /* outlives the server */
    /* What a store kept of the server that was here before; NULL, 0: this is the first one. The
     * rows are read before server_new() returns. */
    const struct store_row *rows;
    size_t n_rows;
    uint16_t port;   /* where the server is reached; 0: 848 (RFC 6407 2.2) */
    span_t shift;    /* from the store's time to `now`'s clock (store/clock.h) */
    bool keys_lost;  /* the store is an older copy: its keys must not be used again (M12) */
    bool clock_lost; /* nobody knows how long the server was away: new keys at once (M12) */
    /* Every one that the model names; a key that the server keeps is taken out. */
    struct server_certificate *certificates;
    size_t n_certificates;
};
/* Goes on with what the rows hold, and makes the generations that are missing, so `now` starts
 * their lives. ERR_UNBUILT, ERR_TYPE, ERR_CONFIG, ERR_LIMIT, ERR_NOT_FOUND: a statement that cannot
 * be served, told in `out`; ERR_CONFLICT: gateways that cannot be told apart. */
MUST_USE enum err server_new(const struct server_config *config, const uint8_t seed[DRBG_SEED],
                             instant_t now, struct effects *out, struct server **ret);
void server_free(struct server *s); /* wipes */

/* Another configuration for a server at work: its model, which must outlive it from now on (the
 * present one is of no use any more when this returns), and its certificates. What happens to live
 * groups: server/change.h; each difference is told (EV_COMMIT). Errors as those of server_new():
 * then nothing has changed. */
MUST_USE enum err server_reconfigure(struct server *s, instant_t now,
                                     const struct server_config *config, struct effects *out);

/* Inputs. The datagram's octets are decrypted in place. `to` is the address it arrived at. */
void server_datagram(struct server *s, instant_t now, struct endpoint from, struct endpoint to,
                     uint8_t *datagram, size_t len, struct effects *out);
/* A sign_key that the server keeps is taken out of the result. */
void server_job_done(struct server *s, instant_t now, struct job_result *result,
                     struct effects *out);
/* The answer to a transaction (EFFECT_PERSIST): durable, or why not. */
void server_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out);
/* What the calendar shows: UTC since 1970, every some seconds. The first one sets the group clock,
 * unless it was restored; until then no group with time stamps is served. The others slew it. */
void server_wall(struct server *s, instant_t now, span_t utc, struct effects *out);
/* Does what is due at `now`; call when server_due() is reached. */
void server_timer(struct server *s, instant_t now, struct effects *out);
instant_t server_due(const struct server *s);
void server_reseed(struct server *s, const uint8_t seed[DRBG_SEED]);
/* Deletes phase 1 SAs with notice to the peers: a clean stop. */
void server_stop(struct server *s, instant_t now, struct effects *out);

/* Where the server sends from: the addresses of its groups, and of those that are gone until their
 * members have been told; at most `max`. */
size_t server_addresses(const struct server *s, struct ip *ret, size_t max);
/* Read-only, for `show`, simulations and tests. */
size_t server_n_groups(const struct server *s);
struct group *server_group_named(const struct server *s, const char *name); /* NULL: none */
const struct group *server_group(const struct server *s, size_t i);
const struct phase1_table *server_phase1(const struct server *s);
/* Whether a group at work signs with that key pair. */
bool server_signs_with(const struct server *s, const struct sign_key *key);
const struct group_clock *server_clock(const struct server *s);
const struct bans *server_bans(const struct server *s); /* server/ban.h */
/* Datagrams that no part of the engine took, by reason (those of phase 1 are in phase1_counters()).
 */
const uint64_t *server_dropped(const struct server *s);                /* ERR_COUNT entries */
const struct gdoi_tolerated *server_tolerated(const struct server *s); /* gdoi/dialect.h */

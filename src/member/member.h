#pragma once
/* The group member engine (RFC 6407): phase 1 as initiator, GROUPKEY-PULL, the three key slots of
 * each SA, and what the data path has to install. State + now + input -> effects; see sa/effects.h.
 * One engine serves all VPNs of one configuration. */
#include "base/instant.h"
#include "base/ip.h"
#include "crypto/drbg.h"
#include "esp/install.h"
#include "model/model.h"
#include "sa/effects.h"
#include "sa/phase1.h"

struct gdoi_tolerated;
struct job_result;
struct member;

/* The model must outlive the member. server_port: UDP port of the servers, normally IKE_PORT. */
struct member_config {
    const struct model_member *model;
    uint16_t local_port, server_port;
};
MUST_USE enum err member_new(const struct member_config *config, const uint8_t seed[DRBG_SEED],
                             struct member **ret);
void member_free(struct member *m); /* wipes */

/* Starts the first registrations of all VPNs and installs the fail-close state. Call once. */
void member_start(struct member *m, instant_t now, struct effects *out);
/* Inputs, as in server/server.h. */
void member_datagram(struct member *m, instant_t now, struct endpoint from, struct endpoint to,
                     uint8_t *datagram, size_t len, struct effects *out);
void member_job_done(struct member *m, instant_t now, const struct job_result *result,
                     struct effects *out);
void member_timer(struct member *m, instant_t now, struct effects *out);
instant_t member_due(const struct member *m);
void member_reseed(struct member *m, const uint8_t seed[DRBG_SEED]);
/* The operator's "register again now": all keys stay until the answer (make before break). vpn
 * NULL: all. */
MUST_USE enum err member_reregister(struct member *m, instant_t now, const char *vpn,
                                    struct effects *out);
/* Deletes phase 1 SAs with notice; the data path keeps its last state (fail-close is the host's).
 */
void member_stop(struct member *m, instant_t now, struct effects *out);

/* Read-only views for `show`, simulations and tests. */
enum member_vpn_state {
    MEMBER_IDLE,
    MEMBER_PHASE1,
    MEMBER_PULL,
    MEMBER_REGISTERED,
    MEMBER_WAITING
};
struct member_counters {
    uint64_t pull_succeeded, pull_failed, pull_timeout, pull_aborted, server_failover;
    uint64_t policies_rejected, exceed_maximum_keys, exceed_maximum_policies, unsupported_algorithm;
};
struct member_sa_view {
    uint32_t spi;
    struct ip server;
    enum esp_slot slot;
    enum cipher cipher;
    enum auth auth;
    instant_t expiry;
    instant_t switch_at; /* when it began or will begin to send */
    instant_t drop_at;   /* NEVER until a successor is known */
    const struct esp_selector *selectors;
    size_t n_selectors;
    const uint8_t *key_digest; /* 8 octets of a one-way digest: lets checkers compare keys without
                                  seeing them */
};
struct member_kek_view {
    struct bytes cookies; /* 16 octets; empty = no KEK */
    struct ip server;
    enum cipher cipher;
    enum hash sig_hash;
    instant_t expiry;
    uint32_t sequence;
    const uint8_t *key_digest; /* 8 octets, as of a TEK: SHA-256 over the label below, cookies, IV,
                                  key and public key, cut */
};
#define MEMBER_KEK_DIGEST_LABEL "conclave kek digest"
struct member_vpn_view {
    const struct model_vpn *model;
    enum member_vpn_state state;
    const char *state_name;
    struct ip server;        /* the one that answered last, or is being tried */
    instant_t registered_at; /* NEVER before the first time */
    instant_t due;           /* next re-registration or retry */
    enum err last_error;     /* of the last failed attempt, ERR_OK after a success */
    struct bytes last_error_text;
    struct member_counters counters;
    struct member_kek_view kek;
    size_t n_sas;
};
size_t member_n_vpns(const struct member *m);
struct member_vpn_view member_vpn(const struct member *m, size_t i);
struct member_sa_view member_sa(const struct member *m, size_t vpn, size_t i, instant_t now);
const struct phase1_table *member_phase1(const struct member *m);
const uint64_t *member_dropped(const struct member *m);                /* ERR_COUNT entries */
const struct gdoi_tolerated *member_tolerated(const struct member *m); /* gdoi/dialect.h */

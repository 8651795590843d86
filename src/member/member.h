#pragma once
/* The group member engine (RFC 6407): phase 1 as initiator, GROUPKEY-PULL, GROUPKEY-PUSH received
 * and acknowledged (RFC 8263), heartbeats watched, the three key slots of each SA, and what the
 * data path has to install. State + now + input -> effects; see sa/effects.h.
 * One engine serves all VPNs of one configuration. */
#include "base/instant.h"
#include "base/ip.h"
#include "crypto/drbg.h"
#include "esp/install.h"
#include "model/model.h"
#include "sa/effects.h"
#include "sa/phase1.h"

struct gdoi_dialect;
struct gdoi_tolerated;
struct job_result;
struct member;

/* The model must outlive the member. server_port: UDP port of the servers, normally IKE_PORT. */
struct member_config {
    const struct model_member *model;
    uint16_t local_port, server_port;
    const struct gdoi_dialect *dialect; /* of the servers; NULL: RFC 6407 */
    bool transport_mode;                /* the data path can do it (esp/install.h); ours can not */
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
/* ESP came that the group's policies cover, under a SPI that nobody here holds: perhaps a rekey was
 * missed (decisions M6). VPNs with `recovery-probe` register again, within the group's spread, and
 * then not before 10, 20, 40 ... 320 s; for all others it does nothing. */
void member_unknown_spi(struct member *m, instant_t now, uint32_t spi, struct effects *out);
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
/* Of GROUPKEY-PUSH: what arrived under a KEK of this VPN. */
struct member_push_counters {
    uint64_t accepted;            /* heartbeats among them */
    uint64_t rejected[ERR_COUNT]; /* by reason */
    uint64_t keys_learned, keks_learned;
    uint64_t keys_deleted, keks_deleted;
    uint64_t acks_sent;
    uint64_t heartbeats_received, heartbeats_missed;
    uint64_t states_differed; /* heartbeats that told of keys that are not held */
    uint64_t recovery_probes;
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
    uint32_t window_ms;  /* of its time stamps; 0: none */
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
    instant_t learned, expiry;
    struct ip source;          /* who pushes under it */
    struct ip multicast_group; /* where it is heard; IP_NONE: unicast */
    uint16_t ack;              /* the acknowledgement asked for (gdoi_ack_name()), 0: none */
    uint32_t sequence;         /* of the last push taken under it */
    const uint8_t *key_digest; /* 8 octets, as of a TEK: SHA-256 over the label below, cookies, IV,
                                  key and public key, cut */
};
#define MEMBER_KEK_DIGEST_LABEL "conclave kek digest"
struct member_heartbeat_view {
    bool watched;        /* the server has told an interval, and heartbeat-threshold is not 0 */
    uint32_t interval_s; /* as the server told; 0: it sends none */
    unsigned missed;     /* in a row */
    instant_t last;      /* when a heartbeat came; NEVER: none yet */
    instant_t next;      /* when the next one counts as missed; NEVER when not watched */
};
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
    struct member_kek_view previous_kek; /* receives only, until it expires */
    struct member_push_counters pushes;
    struct member_heartbeat_view heartbeat;
    bool clock_set;
    span_t clock_offset; /* the group clock: time since 1970 is the member's clock plus this */
    uint32_t activation_delay_s, spread_s; /* as the server told, or the default and 0 */
    size_t n_sas;
};
size_t member_n_vpns(const struct member *m);
struct member_vpn_view member_vpn(const struct member *m, size_t i);
struct member_sa_view member_sa(const struct member *m, size_t vpn, size_t i, instant_t now);
const struct phase1_table *member_phase1(const struct member *m);
const uint64_t *member_dropped(const struct member *m);                /* ERR_COUNT entries */
const struct gdoi_tolerated *member_tolerated(const struct member *m); /* gdoi/dialect.h */

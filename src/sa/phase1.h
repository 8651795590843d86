#pragma once
/* ISAKMP phase 1 (RFC 2409 5.4, main and aggressive mode with pre-shared keys), initiator and
 * responder, as a table of SAs.
 *
 *   initiator                         responder              main mode
 *   HDR, SA                  -->
 *                            <--      HDR, SA
 *   HDR, KE, Ni              -->
 *                            <--      HDR, KE, Nr
 *   HDR*, IDii, HASH_I       -->
 *                            <--      HDR*, IDir, HASH_R
 *
 * One table per engine. Messages of exchanges 2, 4 and 5 go in by phase1_datagram(); exchanges
 * under an SA (the PULL) belong to the server and the member, which use sa/exchange.h. Each call
 * reports at most one outcome. */
#include "base/instant.h"
#include "base/ip.h"
#include "crypto/drbg.h"
#include "ike1/header.h"
#include "model/model.h"
#include "sa/effects.h"
#include "sa/limits.h"

struct job_result;
struct phase1_sa;
struct phase1_table;

/* One configured peer. The server makes one per gateway, the member one per (gateway, server
 * address). */
struct phase1_peer {
    const char *name; /* the gateway's, for events */
    struct model_where where;
    const struct model_ike_policy *policy;
    struct model_identity local;  /* what we say we are; MODEL_ID_NONE: our address */
    struct model_identity remote; /* what the peer must say; MODEL_ID_NONE: its address */
    struct ip address;            /* IP_NONE: any address, found by identity (aggressive mode) */
    struct ip local_address;      /* IP_NONE: any */
    bool dynamic;
    const void *owner; /* the model_server_gateway or model_member_gateway */
};

enum phase1_outcome_kind {
    PHASE1_NOTHING,
    PHASE1_UP,     /* established and both sides authenticated */
    PHASE1_FAILED, /* never came up: err says why, sa is gone after this call returns to the loop */
    PHASE1_DOWN,   /* lifetime over, deleted by the peer or by us */
    PHASE1_NOTIFIED, /* a protected notification that is not about phase 1 itself */
};
struct phase1_outcome {
    enum phase1_outcome_kind kind;
    struct phase1_sa *sa; /* valid until the next call into the table */
    enum err err;
    uint16_t notify_type; /* PHASE1_NOTIFIED, and a refusal's type with PHASE1_FAILED (0: none) */
    struct bytes notify_data; /* view, valid like sa */
};

/* Counters of dropped and tolerated datagrams, by reason: engines add, `show` reads. */
struct phase1_counters {
    uint64_t received, sent, retransmitted, duplicates, established, failed;
    uint64_t doi_ipsec; /* first messages with DOI 1, tolerated (decisions M26) */
    uint64_t dropped[ERR_COUNT];
};

/* `peers` must outlive the table; peers with equal address and equal identity are ERR_CONFLICT.
 * responder: answer strangers' first messages. The DRBG is the engine's and outlives the table. */
struct phase1_config {
    const struct phase1_peer *peers;
    size_t n_peers;
    bool responder;
    const struct model_where *where; /* of the hierarchy that lists the peers; NULL: none */
};
MUST_USE enum err phase1_table_new(const struct phase1_config *config, struct drbg *drbg,
                                   struct phase1_table **ret);
void phase1_table_free(struct phase1_table *t); /* wipes */

/* Another set of peers for a table at work: made first, because that may fail (as
 * phase1_table_new()), then put in place of the present one, which may not. heirs[i]: whom
 * config.peers[i] has become, one of the new peers; phase 1 must mean the same with both. An SA
 * goes on with its heir; those whose peer has none (NULL) must have been ended. */
struct phase1_peers;
MUST_USE enum err phase1_peers_new(const struct phase1_config *config, struct drbg *drbg,
                                   struct phase1_peers **ret);
void phase1_peers_free(struct phase1_peers *p); /* NULL allowed */
/* Takes `now`. */
void phase1_peers_replace(struct phase1_table *t, struct phase1_peers *now,
                          const struct phase1_peer *const *heirs);

/* Starts main or aggressive mode with a peer, as its policy says. NULL when PHASE1_SAS_MAX is
 * reached. */
struct phase1_sa *phase1_initiate(struct phase1_table *t, instant_t now,
                                  const struct phase1_peer *peer, struct endpoint local,
                                  struct endpoint remote, struct effects *out);
/* Keys are about to end (decisions M7): this SA's messages are repeated at short intervals. Right
 * after phase1_initiate(). */
void phase1_hurry(struct phase1_sa *sa);
/* A datagram of exchange type 2, 4 or 5 whose header was parsed. The octets may be decrypted in
 * place. */
struct phase1_outcome phase1_datagram(struct phase1_table *t, instant_t now, struct endpoint from,
                                      struct endpoint to, const struct ike1_header *header,
                                      uint8_t *datagram, size_t len, struct effects *out);
/* Each job's result comes back once, also when its SA has ended meanwhile. */
struct phase1_outcome phase1_job_done(struct phase1_table *t, instant_t now,
                                      const struct job_result *result, struct effects *out);
/* Handles the one object that is due first, if phase1_due() has been reached. Call until it is not.
 */
struct phase1_outcome phase1_timer(struct phase1_table *t, instant_t now, struct effects *out);
instant_t phase1_due(const struct phase1_table *t);

/* Ends an SA: sends a protected Delete to an established peer when told so, wipes and frees. */
void phase1_end(struct phase1_table *t, struct phase1_sa *sa, bool tell_peer, struct effects *out);
/* Sends a notification in an informational exchange under an established SA (RFC 2409 5.7). */
void phase1_notify(struct phase1_table *t, struct phase1_sa *sa, uint16_t type, uint32_t doi,
                   struct bytes data, struct effects *out);

/* Look-ups: the SA with these cookies (both), or NULL. It may still be starting: phase1_state(). */
struct phase1_sa *phase1_find(const struct phase1_table *t, const struct ike1_cookies *cookies);
struct phase1_sa *phase1_next(const struct phase1_table *t, size_t *cursor); /* all SAs, for show */
const struct phase1_counters *phase1_counters(const struct phase1_table *t);
size_t phase1_count(const struct phase1_table *t, bool established_only);

/* Facts about one SA. The peer is known from the start; who he says he is has been authenticated
 * when the state is UP. */
enum phase1_state { PHASE1_STATE_STARTING, PHASE1_STATE_UP };
const struct phase1_peer *phase1_peer(const struct phase1_sa *sa);
enum phase1_state phase1_state(const struct phase1_sa *sa);
bool phase1_is_initiator(const struct phase1_sa *sa);
bool phase1_peer_is_native(const struct phase1_sa *sa);    /* announced Conclave's vendor id */
bool phase1_peer_knows_stamps(const struct phase1_sa *sa); /* announced that or IP-D3P's */
struct endpoint phase1_local(const struct phase1_sa *sa);
struct endpoint phase1_remote(const struct phase1_sa *sa);
struct bytes phase1_cookies(const struct phase1_sa *sa); /* 16 octets */
instant_t phase1_expiry(const struct phase1_sa *sa);
const struct model_ike_proposal *
phase1_proposal(const struct phase1_sa *sa); /* what was agreed, ours */
enum model_ike_mode phase1_mode(const struct phase1_sa *sa);
/* The authenticated identity of the peer (type, octets), valid while the SA lives. */
struct model_identity phase1_peer_identity(const struct phase1_sa *sa);
struct phase1_traffic {
    uint32_t in_datagrams, out_datagrams;
    uint64_t in_octets, out_octets;
};
struct phase1_traffic phase1_traffic(const struct phase1_sa *sa);
/* Room for the owner of the table to hang its own object on an SA (the server's member, the
 * member's registration). */
void *phase1_user(const struct phase1_sa *sa);
void phase1_set_user(struct phase1_sa *sa, void *user);

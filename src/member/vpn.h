#pragma once
/* Inside the member engine: one VPN, its registration and its keys.
 *
 *            +------------------- all servers failed: wait, then again -------------------+
 *            v                                                                            |
 *   IDLE -> PHASE1 -- up --> PULL -- message 4 --> REGISTERED -- L - 3 ATD --> PHASE1 .. WAITING
 *                              \-- refused, silent --> next server of the list ------------/
 */
#include "gdoi/notify.h"
#include "gdoi/sa.h"
#include "member/clock.h"
#include "member/keyring.h"
#include "member/member.h"
#include "member/policy.h"
#include "sa/exchange.h"

enum vpn_due { DUE_ATTEMPT, DUE_RETRANSMIT, DUE_KEYS, DUE_KEK, DUE_HEARTBEAT, DUE_COUNT };

/* A GROUPKEY-PULL in progress (RFC 6407 3.2). */
struct pull {
    struct phase1_sa *sa; /* NULL: none in progress */
    bool sa_was_up;       /* over a phase 1 SA that had been up before this attempt */
    unsigned tries;       /* sendings of the current message */
    uint32_t message_id;
    struct exchange_iv iv;
    size_t ni_len, nr_len;
    uint8_t ni[GDOI_NONCE_MAX], nr[GDOI_NONCE_MAX];
    instant_t asked;        /* message 1, when it left first */
    instant_t received;     /* message 2: lifetimes and delays count from here (decisions M9) */
    instant_t forgotten;    /* by the server, unless message 3 reaches it before */
    struct gdoi_sa *policy; /* of message 2; NULL: message 1 is out, else message 3 */
    size_t sent_len;
    uint8_t sent[256]; /* message 1 or 3, to be sent again */
};

/* The server's signs of life (decisions M14). */
struct heartbeat {
    bool native;         /* the server announced us: its state notifications mean what we think */
    uint32_t interval_s; /* as told; 0: it sends none */
    unsigned missed;     /* in a row */
    instant_t last;      /* NEVER: none yet */
    instant_t sign;      /* the last message of the server that was genuine */
    /* The digest that made this member register again, and until when it does not do so twice. */
    bool has_asked, is_settled; /* settled: asking has not changed the answer, nor will it */
    uint8_t asked[GDOI_DIGEST];
    instant_t ask_again;
    bool is_called; /* to register again, and no PULL has begun since */
};

/* Registering again because of unknown SPIs. */
struct probe {
    unsigned n;     /* in a row */
    instant_t next; /* not before */
};

struct vpn {
    const struct model_vpn *model;
    const struct phase1_peer *peers; /* one per server address, in order */
    size_t n_peers;
    unsigned state;  /* enum member_vpn_state */
    size_t server;   /* index of the peer being tried or registered with */
    size_t n_failed; /* servers that failed in this round */
    unsigned rounds; /* rounds of the list that failed in a row */
    instant_t due[DUE_COUNT];
    struct pull pull;
    struct keyring keys;
    struct keks keks;
    bool knows_stamps; /* the server that it registered with */
    struct member_clock clock;
    struct ip clock_of; /* the server that it was measured with */
    struct heartbeat beat;
    struct probe probe;
    uint32_t atd_s, spread_s; /* as the server told, or the default and 0 */
    instant_t registered_at;
    enum err last_error;
    char last_error_text[GDOI_REASON_TEXT_MAX];
    struct member_counters counters;
    struct member_push_counters pushes;
};

/* A multicast group that some KEK is heard in. */
struct membership {
    struct ip group;
    const char *interface; /* of the model */
};

struct member {
    struct member_config config;
    struct drbg drbg;
    struct phase1_table *phase1;
    struct phase1_peer *peers;
    size_t n_peers;
    struct vpn *vpns;
    size_t n_vpns;
    struct membership *memberships; /* room for two of each VPN */
    size_t n_memberships;
    struct gdoi_tolerated tolerated;
    uint64_t dropped[ERR_COUNT];
};

/* vpn.c: the registration's life. */
void vpn_start(struct member *m, struct vpn *v, instant_t now, struct effects *out);
void vpn_attempt(struct member *m, struct vpn *v, instant_t now, struct effects *out);
/* In state PHASE1: whether an attempt would do more than wait. */
bool vpn_can_go_on(const struct member *m, const struct vpn *v, instant_t now);
/* The attempt failed: next server, or wait. `text` may be a peer's, and may be empty. */
void vpn_failed(struct member *m, struct vpn *v, instant_t now, enum err err, struct bytes text,
                struct effects *out);
/* The PULL is through: plans the next one. `learned` new keys came. */
void vpn_registered(struct member *m, struct vpn *v, instant_t now, size_t learned,
                    struct effects *out);
/* A push has changed the keys: the data path is told, and the next registration follows from them,
 * if it is still to come. */
void vpn_rekeyed(struct member *m, struct vpn *v, instant_t now, struct effects *out);
/* Registers again at a random time within that span, unless that is under way or due before. */
void vpn_register_within(struct member *m, struct vpn *v, instant_t now, span_t within);
/* The span in which the members of a group may come together: at least a second. */
span_t vpn_spread(const struct vpn *v);
/* +-25 %, so that members that have noticed the same do not come together. */
span_t vpn_jitter(struct member *m, span_t wait);
/* The group clock goes to the data path. */
void vpn_tell_clock(const struct vpn *v, struct effects *out);
void vpn_policy_refused(struct vpn *v, const struct policy_refusal *refusal); /* counts */
/* Nothing more is sent, nothing more is due. */
void vpn_stop(struct vpn *v);
void vpn_timer(struct member *m, struct vpn *v, instant_t now, struct effects *out);
instant_t vpn_due(const struct vpn *v);
/* Whether keys are close to their end, so that retries hurry (decisions M7). */
bool vpn_is_urgent(const struct vpn *v, instant_t now);
struct event vpn_event(const struct vpn *v, enum event_id id);
const struct phase1_peer *vpn_peer(const struct vpn *v);
const char *vpn_state_name(unsigned state);
void vpn_move(struct vpn *v, enum member_vpn_state to);

/* pull.c: the exchange. */
void vpn_pull_start(struct member *m, struct vpn *v, struct phase1_sa *sa, bool was_up,
                    instant_t now, struct effects *out);
void vpn_pull_datagram(struct member *m, struct vpn *v, instant_t now,
                       const struct ike1_header *header, uint8_t *datagram, size_t len,
                       struct effects *out); /* wipes the octets when keys were among them */
void vpn_pull_retransmit(struct member *m, struct vpn *v, instant_t now, struct effects *out);
/* Frees what the exchange holds and gives the phase 1 SA back. */
void vpn_pull_end(struct vpn *v);

/* push.c: a datagram of exchange 33 (RFC 6407 4.4). Octets that were decrypted are wiped. */
void push_datagram(struct member *m, instant_t now, struct endpoint from, struct endpoint to,
                   const struct ike1_header *header, uint8_t *datagram, size_t len,
                   struct effects *out);

/* ack.c: the acknowledgement (RFC 8263). Made before the KEK may be forgotten, sent afterwards. */
enum { ACK_MAX = 160 }; /* SHA-512 and an IPv6 address: 128 */
struct ack {
    size_t len; /* 0: none is wanted, or not one of a kind that is built */
    uint8_t b[ACK_MAX];
};
struct ack ack_of(const struct kek *carrier, uint16_t type, uint32_t seq, struct ip member);
void ack_send(struct member *m, struct vpn *v, const struct ack *ack, struct endpoint to,
              struct effects *out);

/* heartbeat.c: what a native server tells of itself, in message 4 and in heartbeats. */
bool heartbeat_is_watched(const struct vpn *v);
/* Interval, spread and delay are taken as told; NULL: the server tells nothing. */
void heartbeat_told(struct vpn *v, const struct gdoi_state *state);
/* A registration is complete, and message 4 told this: the watch begins anew. */
void heartbeat_start(struct member *m, struct vpn *v, instant_t now, const struct gdoi_state *state,
                     struct effects *out);
/* A genuine message: the server lives. */
void heartbeat_sign(struct vpn *v, instant_t now);
/* The state in a push, which came under the current KEK or the previous one. */
void heartbeat_state(struct member *m, struct vpn *v, instant_t now, const struct gdoi_state *state,
                     bool under_current, struct effects *out);
void heartbeat_due(struct member *m, struct vpn *v, instant_t now, struct effects *out);

/* multicast.c: joins and leaves, so that exactly the groups of the held KEKs are heard. */
void multicast_follow(struct member *m, struct effects *out);

/* How servers speak: as configured; `stamps`: this one has announced that it knows time stamps. */
struct gdoi_dialect member_dialect(const struct member *m, bool stamps);
/* A new KEK: counts what is odd about it. */
void member_kek_learned(struct member *m, const struct kek *kek);
/* member.c: counts a datagram that was not taken, and tells. */
void member_drop(struct member *m, struct endpoint from, enum err why, const char *what,
                 struct effects *out);

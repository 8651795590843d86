#pragma once
/* GROUPKEY-PUSH, the server's side (RFC 6407 4; decisions M4, M5, M13-M18).
 *
 * A changeover that the store has is announced in rounds: each round is a new message with the next
 * SEQ and what is left of every delay and lifetime, one per dialect, encrypted and signed once
 * however many members. Unicast rounds go to those who have not acknowledged, multicast ones to the
 * group. Beside them there are heartbeats (server/beat.h) and deletes.
 *
 * One message of a group is under way at a time, so that they leave in the order of their SEQ:
 *
 *   IDLE --> STORING (its SEQ) --> SIGNING (by a worker) --> it leaves --> IDLE */
#include "crypto/cipher.h"
#include "crypto/secret.h"
#include "group/group.h"
#include "sa/effects.h"
#include "server/ack.h"

struct job_result;
struct server;

enum push_dialect { PUSH_NATIVE, PUSH_RFC6407, PUSH_DIALECTS };
enum push_stage { PUSH_IDLE, PUSH_STORING, PUSH_SIGNING };
/* HEARTBEAT, LAST_CALL: signs of life under the current KEK and under the one before; FAREWELL: the
 * delete of the KEK before, for those who do not know heartbeats (M18.3). */
enum push_kind { PUSH_KEYS, PUSH_HEARTBEAT, PUSH_LAST_CALL, PUSH_FAREWELL, PUSH_DELETE };

/* What a message goes under: a copy, because the KEK may end while it is under way. */
struct push_carrier {
    uint8_t spi[KEK_SPI];
    enum cipher cipher;
    enum hash sig_hash;
    struct secret iv, key;
    struct signing_key *signer;             /* held */
    struct ip multicast_group;              /* IP_NONE: unicast */
    char interface[INTERFACE_NAME_MAX + 1]; /* of multicast */
};

/* Keys that members must not use any more (RFC 6407 5.9). */
struct push_delete {
    bool all_teks, kek; /* every TEK of the group; the KEK that the message goes under */
    const uint32_t *spis;
    size_t n;
};
/* A delete that waits for its turn, or for its repeats. */
struct push_order {
    struct push_order *next;
    struct push_carrier carrier;
    struct push_delete what; /* its SPIs stand behind */
    unsigned rounds_done, rounds_left;
    span_t period;
    instant_t at;
    uint32_t spis[];
};

struct push_message {
    enum push_stage stage;
    enum push_kind kind;
    enum push_dialect dialect;
    uint64_t waits_for; /* a transaction, or a job */
    uint32_t version;   /* of the group when it was begun */
    struct push_carrier carrier;
    uint8_t *octets; /* SIGNING: in clear, the signature's place empty */
    size_t len, signature_at, n_members;
};
struct push_counters {
    uint64_t rounds, pushed, heartbeats, deletes; /* messages; pushed: datagrams of rounds */
    uint64_t failed;                              /* messages that could not be stored or signed */
    uint64_t struck, reinstated;
    uint64_t acks, acks_repeated, acks_refused[ERR_COUNT];
};
enum { PUSH_KEYLESS_MAX = 16 };
struct push {
    uint64_t keys_tx;  /* the transaction that stores keys which are MINTED, 0: none */
    uint32_t keys_seq; /* the SEQ that it stores with them */
    struct push_message message;
    /* The announcement that runs, or ran last. */
    uint32_t version, first_seq; /* acknowledgements count from that SEQ on */
    uint8_t carrier[KEK_SPI];
    bool with_kek, all; /* struct offer_push */
    bool multicast;     /* as its carrier says: the configuration may be another one by now */
    bool unanswered;    /* nobody is asked to acknowledge it */
    bool by_pull;       /* no push brings these keys (M18) */
    unsigned rounds_done, rounds_left, dialects; /* dialects: bits, still to be sent this round */
    instant_t round_at, round_sent, first_sent, strike_at;
    uint32_t keyless[PUSH_KEYLESS_MAX]; /* SEQs since first_seq of messages without keys */
    size_t n_keyless;
    /* Signs of life. */
    instant_t heartbeat_at, last_call_at, farewell_at;
    bool re_register; /* the next last call says so */
    struct push_order *orders;
    struct ack_keys acks[GROUP_KEK_SLOTS];
    size_t told_size; /* of a push with a KEK, when it was too large for a path */
    struct push_counters counters;
};

struct push *push_new(void);
void push_free(struct push *p); /* wipes; NULL allowed */
/* The group's keys are gone: what was under way about them is, too. Deletes stay. */
void push_reset(struct push *p);

/* The next SEQ goes into the group's row that is about to be stored. After SERVER_SEQ_LAST there is
 * none: the group pushes nothing more. */
void push_reserve(struct group *g);
/* The store has new keys: what they are. */
struct push_news {
    bool kek;     /* a KEK is among them */
    bool by_pull; /* of an exclusion */
};
void push_announce(struct server *s, struct group *g, instant_t now, struct push_news news,
                   struct effects *out);
/* After a restart: what an earlier server had not finished starts again, with a fresh SEQ. */
void push_resume(struct server *s, instant_t now, struct effects *out);
/* A member registered with keys that were the newest when it asked: it gets a round (M9). */
void push_to_latecomer(struct group *g, const struct registry_member *m, instant_t now);
/* Tells the members to drop keys, `1 + number-of-retransmission` times. What it names may be
 * dropped as soon as the call is back: it goes under the current KEK as it is now. Without one
 * nothing happens. Of SERVER_DELETES_MAX the one that was told most often gives way. */
void push_delete(struct server *s, struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out);

/* Inputs. False: not about a push. */
bool push_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out);
void push_job_done(struct server *s, instant_t now, const struct job_result *result,
                   struct effects *out);
void push_timer(struct server *s, instant_t now, struct effects *out);
instant_t push_due(const struct server *s);

/* Whether an acknowledgement of that SEQ says that a member has the newest keys: false for those of
 * deletes, which brought none. */
bool push_brought_keys(const struct push *p, uint32_t seq);

/* Read-only, for `show`. */
/* Members that pushes go to and that have not said that they have the newest keys. */
size_t push_awaiting(const struct group *g);
size_t push_struck(const struct group *g);

#pragma once
/* The inside of phase 1, shared by its files and its tests. An SA that is up keeps struct phase1_sa
 * only; what an exchange in progress needs stands in struct phase1_handshake and is dropped soon
 * after. */
#include "base/fsm.h"
#include "base/heap.h"
#include "base/map.h"
#include "crypto/cipher.h"
#include "ike1/payload.h"
#include "ike1/sa.h"
#include "ike1/shape.h"
#include "sa/exchange.h"
#include "sa/job.h"
#include "sa/phase1.h"

void *phase1_zeroed(size_t size); /* aborts when there is no memory */

/* Octets on the heap, wiped when they are replaced or freed. */
struct phase1_blob {
    uint8_t *data;
    size_t len;
};
void phase1_blob_set(struct phase1_blob *b, struct bytes value);
void phase1_blob_free(struct phase1_blob *b);
static inline struct bytes phase1_blob_bytes(const struct phase1_blob *b)
{
    return bytes(b->data, b->len);
}

/* A circular list through its members; a lone link points to itself. */
struct phase1_link {
    struct phase1_link *prev, *next;
};
void phase1_link_init(struct phase1_link *l);
void phase1_link_append(struct phase1_link *list, struct phase1_link *l);
void phase1_link_remove(struct phase1_link *l);

/* Where an SA is: what was sent last, or which job runs. I initiator, R responder, A aggressive. */
enum phase1_at {
    PHASE1_I_SENT_1,
    PHASE1_I_GENERATING,
    PHASE1_I_SENT_3,
    PHASE1_I_KEYING,
    PHASE1_I_SENT_5,
    PHASE1_R_SENT_2,
    PHASE1_R_KEYING,
    PHASE1_R_SENT_4,
    PHASE1_AI_GENERATING,
    PHASE1_AI_SENT_1,
    PHASE1_AI_KEYING,
    PHASE1_AR_KEYING,
    PHASE1_AR_SENT_2,
    PHASE1_AT_UP,
    PHASE1_AT_END,
    PHASE1_AT_COUNT
};

enum phase1_cause {
    PHASE1_CAUSE_NONE,
    PHASE1_CAUSE_EXPIRED,
    PHASE1_CAUSE_DELETED,
    PHASE1_CAUSE_INITIAL_CONTACT,
    PHASE1_CAUSE_TOO_MANY,
    PHASE1_CAUSE_LOCAL,
    PHASE1_CAUSE_COUNT
};

/* A first message is known again by its digest and where it came from. */
enum { PHASE1_FIRST_KEY = sizeof(uint64_t) + sizeof(struct ip) + 2 };

enum { PHASE1_IDS_FEW = 2 };

enum hash phase1_hash_of(const struct model_ike_proposal *p);
enum cipher phase1_cipher_of(const struct model_ike_proposal *p);

struct phase1_handshake {
    struct phase1_sa *sa;
    uint64_t job; /* 0: none runs; key of table.by_job */
    instant_t deadline, resend;
    span_t interval;
    unsigned tries;             /* how often `sent` may still be sent again */
    bool urgent;                /* phase1_hurry() */
    unsigned jobs;              /* how many were started for the peer's messages */
    uint64_t answered, pending; /* digests of messages: `sent` answers it; a job works on it */
    struct phase1_blob sent;    /* our last message */
    struct phase1_blob sa_body; /* SAi_b */
    struct phase1_blob public_i, public_r, nonce_i, nonce_r;
    struct phase1_blob peer_id,
        peer_hash; /* aggressive mode: from its first message, to be checked */
    struct secret private, skeyid;
    uint32_t lifetime_s;
    uint16_t hint;                   /* an unprotected notification's type: shown, never acted on */
    bool suspect;                    /* something did not authenticate */
    bool routable;                   /* responder: a valid message came back with our cookie */
    struct phase1_link age, sibling; /* responder: in table.unproven; in source.all */
    struct phase1_source *source;
    uint8_t first_key[PHASE1_FIRST_KEY]; /* responder: of table.by_first */
};

/* Members cost by the hundred thousand, so this is packed, and its keys take the room that their
 * algorithms need. */
struct phase1_sa {
    struct ike1_cookies cookies;
    const struct phase1_peer *peer; /* with ip: key of table.by_pair, once it is up */
    struct ip ip;                   /* the peer's */
    uint8_t at, n_ids, cause, doi, keys_room;
    bool initiator : 1, native : 1, stamps : 1;
    uint16_t remote_port;
    struct phase1_sa *older; /* in its pair; in table.dead */
    struct phase1_handshake *hs;
    const struct model_ike_proposal *proposal;
    void *user;
    struct heap_node timer;
    instant_t expiry;
    struct phase1_traffic traffic;
    union {
        uint32_t few[PHASE1_IDS_FEW];
        uint32_t *many;
    } ids; /* message ids that were used under this SA: many when more than few */
    struct endpoint local;
    uint8_t iv[CIPHER_BLOCK_MAX]; /* last ciphertext block of phase 1 */
    /* RFC 2409 5 and appendix B, what stays in use: SKEYID_a, then the cipher's key. GDOI never
     * uses SKEYID_d. */
    uint8_t keys[];
};
enum { PHASE1_PAIR_KEY = sizeof(void *) + sizeof(struct ip) };
_Static_assert(offsetof(struct phase1_sa, ip) == offsetof(struct phase1_sa, peer) + sizeof(void *),
               "the key of a pair has no hole");
_Static_assert(sizeof(struct phase1_sa) <= 192, "a member costs 512 octets in all: design.md 5");

static inline struct bytes phase1_skeyid_a(const struct phase1_sa *sa)
{
    return bytes(sa->keys, hash_len(phase1_hash_of(sa->proposal)));
}
static inline struct bytes phase1_cipher_key(const struct phase1_sa *sa)
{
    return bytes(sa->keys + hash_len(phase1_hash_of(sa->proposal)),
                 cipher_key_len(phase1_cipher_of(sa->proposal)));
}

/* One address with half-open exchanges. */
struct phase1_source {
    struct ip ip;
    unsigned n;
    struct phase1_link all; /* oldest first */
};

/* One configured peer, in the chains of its address and of its identity. */
struct phase1_slot {
    const struct phase1_peer *peer;
    struct phase1_slot *same_address, *same_identity;
    struct bytes identity_key;
};

enum { PHASE1_NOTIFY_BUCKETS = 256, PHASE1_NONCE = 32 };

/* Who the peers are, and how to find them: replaced as a whole. */
struct phase1_peers {
    struct phase1_config config;
    struct arena arena; /* slots */
    struct map by_address, by_identity;
};

struct phase1_table {
    struct phase1_peers peers;
    struct drbg *drbg;
    struct map by_cookies, by_first, by_job, by_pair, by_source;
    struct heap timers;
    struct phase1_link unproven;      /* half-open, return path not shown; oldest first */
    struct phase1_sa *dead;           /* ended in the last call: freed by the next */
    size_t n_half_open, n_up, n_jobs; /* n_jobs: unfinished, those of dead SAs too */
    uint64_t next_job;
    struct phase1_counters counters;
    instant_t notify_next[PHASE1_NOTIFY_BUCKETS]; /* unprotected notifications, by address */
    uint64_t refused_last[PHASE1_NOTIFY_BUCKETS]; /* digest of the first message told last */
    instant_t limit_told;
};

/* One input and what comes of it. */
struct phase1_call {
    struct phase1_table *t;
    instant_t now;
    struct effects *out;
    struct phase1_outcome outcome;
    struct endpoint from, to;
    const struct ike1_header *header;
    uint8_t *datagram;
    size_t len;
    uint64_t digest;
    uint8_t
        iv[CIPHER_BLOCK_MAX]; /* of the SA after this datagram, taken over when it authenticates */
};

/* phase1_table.c */
struct phase1_sa *phase1_sa_new(struct phase1_table *t, const struct phase1_peer *peer,
                                const struct model_ike_proposal *proposal, enum phase1_at at,
                                const struct ike1_cookies *cookies, struct endpoint local,
                                struct endpoint remote);
void phase1_fresh_cookie(struct phase1_table *t, struct ike1_cookies *cookies, uint8_t *half);
void phase1_move(struct phase1_sa *sa, enum phase1_at at);
void phase1_rekey_cookies(struct phase1_table *t, struct phase1_sa *sa,
                          const struct ike1_cookies *cookies);
void phase1_bury(struct phase1_table *t, struct phase1_sa *sa);
void phase1_free_dead(struct phase1_table *t);
void phase1_schedule(struct phase1_table *t, struct phase1_sa *sa);
void phase1_handshake_drop(struct phase1_table *t, struct phase1_sa *sa);
bool phase1_is_mode_aggressive(const struct phase1_sa *sa);

/* phase1_pair.c */
struct bytes phase1_pair_key(const struct phase1_sa *sa);
struct phase1_sa *phase1_pair_first(const struct phase1_table *t, const struct phase1_sa *like);
void phase1_pair_add(struct phase1_table *t, struct phase1_sa *sa, instant_t now);
void phase1_pair_remove(struct phase1_table *t, struct phase1_sa *sa);
void phase1_doom(struct phase1_table *t, struct phase1_sa *sa, enum phase1_cause cause,
                 instant_t now);
void phase1_initial_contact(struct phase1_table *t, struct phase1_sa *sa, instant_t now);
/* Whether we have no other SA with whoever is at that address, from ours (initiators). */
bool phase1_is_alone(const struct phase1_table *t, const struct phase1_sa *sa);

/* phase1_peers.c */
void phase1_peers_clear(struct phase1_peers *p); /* what it holds, not itself */
MUST_USE enum err phase1_peer_for_main(const struct phase1_table *t, struct ip remote,
                                       struct ip local, const struct phase1_peer **ret);
MUST_USE enum err phase1_peer_for_aggressive(const struct phase1_table *t, struct ip remote,
                                             struct ip local, const struct ike1_id *id,
                                             const struct phase1_peer **ret);
const struct phase1_peer *phase1_peer_for_id(const struct phase1_table *t,
                                             const struct phase1_sa *sa, const struct ike1_id *id);

/* phase1_identity.c */
struct ike1_id phase1_id_local(const struct phase1_sa *sa);
struct ike1_id phase1_id_remote(const struct phase1_peer *peer, const struct ip *remote);
bool phase1_id_accepted(const struct phase1_peer *peer, struct ip remote, const struct ike1_id *id);
char *phase1_id_text(const struct ike1_id *id, char *out, size_t room);

/* phase1_half_open.c */
void phase1_tell_limit(struct phase1_call *c, const char *which, unsigned limit);
MUST_USE enum err phase1_half_open_room(struct phase1_call *c);
void phase1_half_open_add(struct phase1_table *t, struct phase1_sa *sa, uint64_t digest);
struct phase1_sa *phase1_half_open_find(const struct phase1_table *t, const struct phase1_call *c);
void phase1_half_open_routable(struct phase1_sa *sa);
void phase1_half_open_remove(struct phase1_table *t, struct phase1_sa *sa);

/* phase1_proposal.c */
struct phase1_choice {
    const struct model_ike_proposal *proposal; /* ours */
    struct ike1_transform transform;           /* theirs */
    uint32_t lifetime_s;
};
void phase1_offer(const struct model_ike_policy *policy, struct chain_wr *c);
MUST_USE enum err phase1_choose(const struct model_ike_policy *policy, const struct ike1_sa *offer,
                                size_t ke_len, struct phase1_choice *ret);
void phase1_answer(const struct ike1_sa *offer, const struct phase1_choice *choice,
                   struct chain_wr *c);
MUST_USE enum err phase1_check_answer(const struct model_ike_policy *policy,
                                      const struct ike1_sa *answer, struct phase1_choice *ret);
char *phase1_offer_text(const struct ike1_sa *offer, char *out, size_t room);
char *phase1_policy_text(const struct model_ike_policy *policy, char *out, size_t room);

/* phase1_keys.c */
enum { PHASE1_DES_KEY = 8 };
void phase1_des_key(const struct secret *skeyid_e, uint8_t ret[PHASE1_DES_KEY]);
void phase1_keys_derive(enum hash h, enum cipher c, const struct secret *skeyid,
                        struct bytes shared, const struct ike1_cookies *cookies, uint8_t *ret);
void phase1_iv_derive(enum hash h, struct bytes public_i, struct bytes public_r,
                      uint8_t ret[CIPHER_BLOCK_MAX]);
void phase1_keyed(struct phase1_sa *sa, const struct job_result *result);
struct secret phase1_auth_hash(const struct phase1_sa *sa, bool of_initiator, struct bytes id_body);
bool phase1_auth_check(const struct phase1_sa *sa, bool of_initiator, struct bytes id_body,
                       struct bytes hash);

/* phase1_input.c */
MUST_USE enum err phase1_repeated(struct phase1_call *c, struct phase1_sa *sa);

/* phase1_message.c */
struct chain_wr phase1_begin(const struct phase1_sa *sa, struct wr *w, uint8_t flags);
void phase1_put_offer(struct phase1_sa *sa, struct chain_wr *c);
void phase1_put_ke(const struct phase1_sa *sa, struct chain_wr *c);
void phase1_put_id(const struct phase1_sa *sa, struct chain_wr *c);
void phase1_put_hash(const struct phase1_sa *sa, struct chain_wr *c);
void phase1_put_vendor_ids(const struct phase1_sa *sa, struct chain_wr *c);
void phase1_put_initial_contact(const struct phase1_table *t, const struct phase1_sa *sa,
                                struct chain_wr *c);
void phase1_finish(struct phase1_call *c, struct phase1_sa *sa, struct wr *w);
void phase1_finish_sealed(struct phase1_call *c, struct phase1_sa *sa, struct wr *w);
void phase1_send_again(struct phase1_call *c, struct phase1_sa *sa);
MUST_USE enum err phase1_decrypt(const struct phase1_sa *sa, uint8_t iv[CIPHER_BLOCK_MAX],
                                 uint8_t first, uint8_t *datagram, size_t len, struct chain *ret);
MUST_USE enum err phase1_take_ke(struct phase1_sa *sa, const struct chain *chain,
                                 bool of_initiator);
void phase1_take_vendor_ids(struct phase1_sa *sa, const struct chain *chain);
bool phase1_chain_is_initial(const struct phase1_sa *sa, const struct chain *chain);
/* The payload of that type, which the message's shape has made sure of. */
struct bytes phase1_body(const struct chain *chain, uint8_t type);

/* phase1_timer.c */
void phase1_expect_answer(struct phase1_call *c, struct phase1_sa *sa, unsigned tries);
void phase1_resume(struct phase1_call *c, struct phase1_sa *sa);
void phase1_await_job(struct phase1_call *c, struct phase1_sa *sa);

/* phase1_jobs.c */
void phase1_job_generate(struct phase1_call *c, struct phase1_sa *sa, unsigned group);
MUST_USE enum err phase1_job_room(struct phase1_call *c, size_t most);
void phase1_job_keys(struct phase1_call *c, struct phase1_sa *sa);
void phase1_fresh_nonce(struct phase1_table *t, struct phase1_blob *ret);
void phase1_back_to_waiting(struct phase1_call *c, struct phase1_sa *sa);

/* phase1_main.c, phase1_aggressive.c: take a message, or go on after a job. An error drops the
 * datagram. */
void phase1_main_start(struct phase1_call *c, struct phase1_sa *sa);
MUST_USE enum err phase1_main_first(struct phase1_call *c, const struct chain *chain);
MUST_USE enum err phase1_main_2(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);
MUST_USE enum err phase1_main_3(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);
MUST_USE enum err phase1_main_4(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);
MUST_USE enum err phase1_main_5(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);
MUST_USE enum err phase1_main_6(struct phase1_call *c, struct phase1_sa *sa, const struct chain *m);
void phase1_main_generated(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r);
void phase1_main_keyed_i(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r);
void phase1_main_keyed_r(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r);

void phase1_aggressive_start(struct phase1_call *c, struct phase1_sa *sa);
void phase1_aggressive_forget_answer(struct phase1_call *c, struct phase1_sa *sa);
MUST_USE enum err phase1_aggressive_first(struct phase1_call *c, const struct chain *chain);
MUST_USE enum err phase1_aggressive_2(struct phase1_call *c, struct phase1_sa *sa,
                                      const struct chain *m);
MUST_USE enum err phase1_aggressive_3(struct phase1_call *c, struct phase1_sa *sa,
                                      const struct chain *m);
void phase1_aggressive_generated(struct phase1_call *c, struct phase1_sa *sa,
                                 const struct job_result *r);
void phase1_aggressive_keyed_i(struct phase1_call *c, struct phase1_sa *sa,
                               const struct job_result *r);
void phase1_aggressive_keyed_r(struct phase1_call *c, struct phase1_sa *sa,
                               const struct job_result *r);

/* phase1_common.c */
MUST_USE enum err phase1_unknown_peer(struct phase1_call *c, const struct phase1_peer *peer,
                                      enum err err, const struct ike1_id *id);
MUST_USE enum err phase1_bad_first(struct phase1_call *c, const struct phase1_peer *peer,
                                   enum err err);
MUST_USE enum err phase1_no_proposal(struct phase1_call *c, const struct phase1_peer *peer,
                                     const struct ike1_sa *offer);
struct phase1_sa *phase1_respond(struct phase1_call *c, const struct phase1_peer *peer,
                                 enum phase1_at at, const struct ike1_sa *offer,
                                 const struct phase1_choice *choice, struct bytes sa_body);
MUST_USE enum err phase1_take_answer(struct phase1_call *c, struct phase1_sa *sa,
                                     const struct chain *m);
void phase1_wrong_identity(struct phase1_call *c, struct phase1_sa *sa, const struct ike1_id *said);
/* `last`: the peer's last message, which may hold INITIAL-CONTACT; NULL: none of that kind. */
void phase1_up(struct phase1_call *c, struct phase1_sa *sa, const struct chain *last);

/* exchange.c: as exchange_new_id() and exchange_claim_id(), with room for last words. */
uint32_t phase1_new_informational(struct phase1_sa *sa, struct drbg *drbg);
MUST_USE enum err phase1_claim_informational(struct phase1_sa *sa, uint32_t message_id);

/* phase1_informational.c */
MUST_USE enum err phase1_informational(struct phase1_call *c);
void phase1_notify_clear(struct phase1_call *c, const struct ike1_cookies *cookies, uint32_t doi,
                         uint16_t type);
size_t phase1_source_bucket(const struct phase1_call *c);
void phase1_delete(struct phase1_table *t, struct phase1_sa *sa, struct effects *out);
void phase1_refuse(struct phase1_table *t, struct phase1_sa *sa, uint16_t type,
                   struct effects *out);

/* phase1_events.c */
struct event phase1_event(enum event_id id, const struct phase1_peer *peer, struct endpoint remote,
                          struct endpoint local);
void phase1_tell_refused(struct phase1_call *c, const struct phase1_peer *peer, enum err err,
                         const struct model_where *where, const char *detail);
void phase1_fail(struct phase1_call *c, struct phase1_sa *sa, enum err err,
                 const struct model_where *where, const char *detail);
void phase1_tell_dropped(struct phase1_call *c, const struct phase1_sa *sa, enum err err,
                         const char *detail);
void phase1_suspect(struct phase1_call *c, struct phase1_sa *sa, const char *detail);
void phase1_tell_up(struct phase1_call *c, const struct phase1_sa *sa);
void phase1_tell_down(const struct phase1_sa *sa, enum phase1_cause cause, struct effects *out);
void phase1_down(struct phase1_call *c, struct phase1_sa *sa, enum phase1_cause cause);

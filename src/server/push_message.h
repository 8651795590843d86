#pragma once
/* One message of a group on its way to the members (RFC 6407 4):
 *
 *   IDLE --> STORING (its SEQ) --> SIGNING (by a worker) --> it leaves --> IDLE
 *
 * There is one at a time, so that they leave in the order of their SEQ. */
#include "base/ip.h"
#include "crypto/cipher.h"
#include "crypto/secret.h"
#include "group/kek.h"
#include "sa/effects.h"

struct group;
struct job_result;
struct push;
struct server;

/* What it goes under: a copy, because the KEK may end while it is under way. */
struct push_carrier {
    uint8_t spi[KEK_SPI];
    enum cipher cipher;
    enum hash sig_hash;
    struct secret iv, key;
    struct signing_key *signer;             /* held */
    struct ip multicast_group;              /* IP_NONE: unicast */
    char interface[INTERFACE_NAME_MAX + 1]; /* of multicast */
};
struct push_carrier push_carrier_of(const struct kek_generation *kek);
void push_carrier_wipe(struct push_carrier *c);

enum push_dialect { PUSH_NATIVE, PUSH_RFC6407, PUSH_DIALECTS };
/* HEARTBEAT, LAST_CALL, FAREWELL: server/beat.h. */
enum push_kind { PUSH_KEYS, PUSH_HEARTBEAT, PUSH_LAST_CALL, PUSH_FAREWELL, PUSH_DELETE };
/* What it is, for whom, under what. */
struct push_subject {
    enum push_kind kind;
    enum push_dialect dialect;
    struct push_carrier carrier;
};

enum push_stage { PUSH_IDLE, PUSH_STORING, PUSH_SIGNING };
struct push_message {
    enum push_stage stage;
    struct push_subject subject;
    uint64_t waits_for; /* a transaction, or a job */
    uint8_t *octets;    /* SIGNING: in clear, the signature's place empty */
    size_t len, signature_at, n_members;
};
/* How often something is sent that is sent with repeats, by number-of-retransmission. */
unsigned push_rounds(unsigned n_retransmission, bool multicast);

/* The next SEQ goes into the group's row that is about to be stored. After SERVER_SEQ_LAST there is
 * none: the group pushes nothing more. */
void push_reserve(struct group *g);
/* Begins; none may be under way (asserted). The carrier is taken over. */
void push_begin(struct server *s, struct group *g, instant_t now, struct push_subject what,
                struct effects *out);
/* Forgets what is under way, if anything. */
void push_drop_message(struct push *p);

/* Inputs. The store's answer; false: not about a message. */
bool push_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out);
/* The answer to a JOB_SIGN; of a message that was dropped meanwhile: nothing happens. */
void push_job_done(struct server *s, instant_t now, const struct job_result *result,
                   struct effects *out);

/* What has become of it. */
enum push_outcome { PUSH_LEFT, PUSH_NOTHING_TO_SAY, PUSH_FAILED };

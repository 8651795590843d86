#pragma once
/* What an operator does to a running group: new keys now, remove a member for good (decisions M18)
 * and let it back, have everybody register again. Each call is an input like a datagram: state +
 * now + command -> effects, and an answer for the operator.
 *
 * Members of a group without server-member-communication cannot be told of keys out of turn: they
 * come for them by themselves, before those end that they have. What would have to be told is
 * refused there; a removal takes effect with the next keys. */
#include "base/instant.h"
#include "base/ip.h"
#include "sa/effects.h"

struct group;
struct server;

/* Which member is meant: by one of the three, the others are NULL and IP_NONE. */
struct operator_who {
    const char *gateway;  /* the ike-gateway's name */
    struct ip address;    /* where it registered from, or the gateway's address */
    const char *identity; /* of phase 1, as text: an address or a name */
};

enum { OPERATOR_SENTENCE_MAX = 200 };
struct operator_answer {
    char sentence[OPERATOR_SENTENCE_MAX]; /* of a refusal */
    /* Of one that was done: what happens when, as planned now. */
    bool waits;          /* for the end of the changeover that runs, or for the store */
    bool by_pull;        /* members come for the keys; else they are pushed */
    instant_t made_at;   /* the new keys are made */
    instant_t switch_at; /* everybody sends with them */
    instant_t drop_at;   /* nobody opens anything under the old ones any more */
    uint16_t spread_s;   /* over which the members will come */
    size_t n_members;    /* that are registered, the removed one not counted */
    /* It outlives the server when the transactions from first to last are stored; last 0: nothing
     * has to be. They are answered in this order. */
    uint64_t first_tx, last_tx;
};

/* What to make anew; nothing named: all keys, and the KEK. */
struct operator_rekey {
    const char *sa; /* only this ipsec-sa's key */
    bool kek;       /* only the KEK */
};
/* ERR_NOT_FOUND: no such ipsec-sa; ERR_CONFLICT: a group without pushes, or without a KEK yet. */
MUST_USE enum err server_rekey(struct server *s, instant_t now, struct group *g,
                               const struct operator_rekey *what, struct effects *out,
                               struct operator_answer *ret);
/* Takes a member out of a group until the ban is lifted: its registrations are refused, those under
 * way are aborted, its phase 1 SA is deleted, its row is forgotten, and all others get new keys,
 * none of which goes out under a KEK that it has. immediately: all keys are deleted, and nothing is
 * protected by them any more; no traffic until members have registered again. ERR_NOT_FOUND: nobody
 * is called that; ERR_BUSY: it was removed before (again, immediately: its keys go at once);
 * ERR_CONFLICT: more than one is called that, or `immediately` in a group without pushes;
 * ERR_LIMIT.
 */
MUST_USE enum err server_remove(struct server *s, instant_t now, struct group *g,
                                const struct operator_who *who, bool immediately,
                                struct effects *out, struct operator_answer *ret);
/* Lets a removed member register again. ERR_NOT_FOUND: it is not banned. */
MUST_USE enum err server_lift(struct server *s, instant_t now, struct group *g,
                              const struct operator_who *who, struct effects *out,
                              struct operator_answer *ret);
/* New keys of all kinds that everybody has to come for; immediately: as above. ERR_CONFLICT: a
 * group without pushes, or without a KEK yet. */
MUST_USE enum err server_clear(struct server *s, instant_t now, struct group *g, bool immediately,
                               struct effects *out, struct operator_answer *ret);
/* Forgets a member's registration and ends its phase 1 SA: no more pushes until it registers again.
 * ERR_NOT_FOUND, ERR_CONFLICT. */
MUST_USE enum err server_forget(struct server *s, instant_t now, struct group *g,
                                const struct operator_who *who, struct effects *out,
                                struct operator_answer *ret);

/* After a restart: removals whose new keys were not made yet are not forgotten; deletes of all keys
 * that were perhaps not heard are told again. */
void operator_resume(struct server *s, instant_t now, struct effects *out);

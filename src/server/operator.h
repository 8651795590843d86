#pragma once
/* What an operator does to a running group: remove a member for good and let it back. Each call is
 * an input like a datagram: state + now + command -> effects, and an answer for the operator. */
#include "base/instant.h"
#include "base/ip.h"
#include "sa/effects.h"

struct group;
struct server;

/* The id of its transactions (EFFECT_PERSIST): durable, and the command does not wait for them. */
#define OPERATOR_TX UINT64_MAX

/* Which member is meant: by one of the three, the others are NULL and IP_NONE. */
struct operator_who {
    const char *gateway;  /* the ike-gateway's name */
    struct ip address;    /* where it registered from, or the gateway's address */
    const char *identity; /* of phase 1, as text: an address or a name */
};

/* Why something was refused: a sentence for the operator. */
enum { OPERATOR_SENTENCE_MAX = 200 };
struct operator_refusal {
    char sentence[OPERATOR_SENTENCE_MAX];
};

/* Takes a member out of a group until the ban is lifted (decisions M18.1): its registrations are
 * refused, those under way are aborted, its phase 1 SA is deleted, its row is forgotten.
 * ERR_NOT_FOUND: nobody is called that; ERR_CONFLICT: more than one is; ERR_LIMIT. */
MUST_USE enum err server_remove(struct server *s, instant_t now, struct group *g,
                                const struct operator_who *who, struct effects *out,
                                struct operator_refusal *ret_refusal);
/* Lets a removed member register again. ERR_NOT_FOUND: it is not banned. */
MUST_USE enum err server_lift(struct server *s, instant_t now, struct group *g,
                              const struct operator_who *who, struct effects *out,
                              struct operator_refusal *ret_refusal);
/* The group of that name, or NULL. */
struct group *server_group_named(struct server *s, const char *name);

#pragma once
/* Whom an operator means by the word that he gives (server/operator.h). */
#include "base/ip.h"
#include "sa/phase1.h"
#include "server/ban.h"

struct group;
struct operator_who;
struct server;

/* A phase 1 identity, and where it was seen last. */
struct person {
    enum model_id_type type;
    uint8_t value[BAN_ID_MAX];
    size_t len;
    struct ip address; /* IP_NONE: never */
};
struct model_identity person_identity(const struct person *p); /* a view */

/* Looks among the gateways of the group, where they are now, and among those who were removed from
 * it, whose gateway may be gone by now. How many different ones are meant; *ret is set when it is
 * one. */
size_t person_find(const struct server *s, const struct group *g, const struct operator_who *who,
                   struct person *ret);
/* Whether the SA is of that identity, or may become so: its peer is known before it has proved
 * itself. */
bool person_may_be_at(const struct person *p, const struct phase1_sa *sa);

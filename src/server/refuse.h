#pragma once
/* Who may have a group's keys, and how a refusal reads on the wire and to the operator (decisions
 * S34). On the wire the peer learns little: one notification, with a reason for natives. The
 * operator's line says which peer, which group, why, and which of his statements decided it. */
#include "gdoi/id.h"
#include "gdoi/notify.h"
#include "group/group.h"
#include "ike1/numbers.h"
#include "sa/effects.h"
#include "sa/phase1.h"

struct server;

struct refusal {
    enum err err; /* ERR_OK: not refused */
    enum ike1_notify_type notify;
    enum gdoi_reason reason;         /* with INVALID-ID-INFORMATION */
    bool silent;                     /* not answered: the member shall try another server */
    char what[120];                  /* the operator's line */
    const struct model_where *where; /* the statement that decided; NULL: none did */
};

/* The group that message 1 asks for. An id in host byte order is tolerated when no group has the
 * exact one (decisions M25). */
struct refusal refuse_unknown(struct server *s, const struct phase1_sa *sa,
                              const struct gdoi_group_id *id, struct group **ret,
                              struct effects *out);
/* Whether the SA's peer may register with that group, here and now. */
struct refusal refuse_unauthorised(const struct server *s, const struct phase1_sa *sa,
                                   const struct group *g, instant_t now);
/* A message whose form is not that of a PULL; `payload` decided. message: "1" or "3". */
struct refusal refuse_form(enum err err, uint8_t payload, const char *message);
struct refusal refuse_limit(enum err err, const char *what);

/* Sends the notification under the SA, counts and tells. g: NULL while unknown. */
void refuse(struct server *s, struct phase1_sa *sa, struct group *g, const struct refusal *r,
            struct effects *out);

#pragma once
/* Groups that the configuration has no more. Each goes on, without keys, until its members have
 * been told to drop theirs (server/deletes.h): nobody registers with it, and its number is free. */
#include "base/arena.h"
#include "base/instant.h"
#include "sa/effects.h"

struct group;
struct server;

struct leaving {
    struct group *group;
    struct arena memory; /* of its model */
    instant_t until;     /* at the latest */
};

/* The group is gone, with all that it had, as soon as its members have been told. */
void leaving_add(struct server *s, instant_t now, struct group *g, struct effects *out);
/* A new group with the number of one that is leaving: no SEQ of that one comes again, and it goes
 * at once. */
void leaving_return(struct server *s, struct group *g);
/* Frees groups that have left; at INSTANT_NEVER: all. */
void leaving_bury(struct server *s, instant_t now);
instant_t leaving_due(const struct server *s);

#pragma once
/* Who of a group's members a message is for, and who has stayed silent too long (RFC 8263 6,
 * decisions M15). Who still has to acknowledge is not counted: a member's version is compared with
 * the group's. */
#include "base/arena.h"
#include "base/ip.h"
#include "server/push_message.h"

struct group;
struct server;

/* The endpoints of unicast, in `a`. */
struct endpoint *members_for(const struct group *g, const struct push_subject *what,
                             struct arena *a, size_t *ret_n);
/* Dialects of the members that an announcement still has to reach, as bits. */
unsigned members_dialects(const struct group *g);
bool members_any(const struct group *g, enum push_dialect dialect);
/* The announcement is over. Who had to acknowledge and did not is struck; of the others it is
 * believed that they have it. */
void members_close_announcement(struct server *s, struct group *g, instant_t now,
                                struct effects *out);

/* Read-only, for `show`: members that pushes go to and that have not said that they have the newest
 * keys; those that were struck. */
size_t members_awaiting(const struct group *g);
size_t members_struck(const struct group *g);

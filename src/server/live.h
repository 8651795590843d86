#pragma once
/* Carrying out the table of change.h on live groups, when the configuration of a server at work
 * changes, and when it has changed while the server was down. */
#include "model/diff.h"
#include "sa/effects.h"

struct group;
struct registry_member;
struct server;

/* Each difference as an event, CHANGE_LINES_MAX at most. */
void live_tell(const struct model_change *changes, struct effects *out);
/* What the changes mean for keys and members of groups that go on; their models are the new ones
 * already. Ask groups_advance() afterwards. */
void live_apply(struct server *s, instant_t now, const struct model_change *changes,
                struct effects *out);
/* A member is struck from the list, and the store forgets it. */
void live_forget(struct group *g, struct registry_member *m, const char *why, struct effects *out);
/* The rows of all members, without a word about each; they stay in the list. */
void live_forget_rows(const struct group *g, const char *why, struct effects *out);
/* Somebody who has keys may have no others: new ones, which the rest come for (decisions M18).
 * Without pushes nobody would hear of them before he comes for them anyway. The group's row is the
 * caller's to store, before the store hears that he is gone. */
void live_shut_out(struct server *s, struct group *g);

/* While the old models are still there: members are told to drop the keys that will go. */
void live_farewell(struct server *s, instant_t now, const struct model_change *changes,
                   struct effects *out);
/* After the groups were restored: what their keys say of the configuration that they were made
 * under is compared with the present one, and followed. */
void live_restored(struct server *s, instant_t now, struct effects *out);

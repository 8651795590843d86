#pragma once
/* The groups of a server as they move on: keys are made, stored, and only then handed out; what
 * happens to them is told. */
#include "base/instant.h"
#include "sa/effects.h"

struct group;
struct model_group;
struct server;

/* Does what is due in every group, and gives keys that were made to the store. */
void groups_advance(struct server *s, instant_t now, struct effects *out);
instant_t groups_due(const struct server *s);
/* The store's answer; false when it was not about keys of a group. */
bool groups_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out);
/* Keys that are on their way to the store are given up, to be made anew. */
void groups_forget_minted(struct server *s, struct group *g, struct effects *out);
/* As group_adopt() and group_drop_keks(), told and forgotten by the store. */
void groups_adopt(struct server *s, struct group *g, const struct model_group *model,
                  struct effects *out);
void groups_drop_keks(struct server *s, struct group *g, struct effects *out);
/* Drops every key of the group, in memory and in the store. New ones are made when the server moves
 * on. Tell the members before: push_delete(). */
void groups_clear(struct server *s, struct group *g, struct effects *out);

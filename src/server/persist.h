#pragma once
/* What the server wants kept, as transactions in `out` (store/tx.h). One that carries an id is
 * durable, and its answer comes back through server_stored(); until then nothing that it tells may
 * reach a peer. The others only have to survive this process, and nobody waits for them. */
#include "sa/effects.h"
#include "server/rows.h"

struct server;

/* All live keys of the group, in whatever slot, with their key pairs, and the group's SEQ and
 * numbers: one transaction, so that a changeover is there whole or not at all. Durable. */
void persist_changeover(struct server *s, const struct group *g, uint64_t id, struct effects *out);
/* The group's SEQ and numbers. Durable. */
void persist_seq(const struct group *g, uint64_t id, struct effects *out);

void persist_member(struct server *s, const struct group *g, const struct registry_member *m,
                    struct effects *out);
void persist_forget_member(const struct group *g, const struct registry_member *m,
                           struct effects *out);
void persist_forget(const struct row_who *who, uint64_t id, struct effects *out);
/* Keys that nobody may use any more; with the last KEK of a key pair that, too. */
void persist_drop_tek(const struct generation *key, struct effects *out);
void persist_drop_kek(struct server *s, const struct kek_generation *kek, struct effects *out);

/* What the group clock shows now. */
void persist_clock(struct server *s, instant_t now, struct effects *out);

/* From `since` on nobody of that identity may register, until it is lifted; with the group's row,
 * so that the new keys which the removal wants are not forgotten. Durable. */
void persist_ban(struct server *s, const struct row_ban *ban, uint64_t id, struct effects *out);
void persist_lift_ban(const struct row_who *who, uint64_t id, struct effects *out);

#pragma once
/* One message of a group on its way: its SEQ becomes durable, it is built, a worker signs it, it
 * leaves. */
#include "server/push.h"

/* A copy of what the KEK gives to messages under it. */
struct push_carrier push_carrier_of(const struct kek_generation *kek);
void push_carrier_wipe(struct push_carrier *c);

/* Begins; none may be under way (asserted). The carrier is taken over. */
void push_begin(struct server *s, struct group *g, instant_t now, enum push_kind kind,
                enum push_dialect dialect, struct push_carrier carrier, struct effects *out);
/* Forgets what is under way, if anything. */
void push_drop_message(struct push *p);
/* What a message of that kind has just become of: the owner plans what comes next. */
enum push_outcome { PUSH_LEFT, PUSH_NOTHING_TO_SAY, PUSH_FAILED };
void push_ended(struct server *s, struct group *g, instant_t now, enum push_outcome how,
                struct effects *out);

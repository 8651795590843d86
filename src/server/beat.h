#pragma once
/* When a group gives signs of life (decisions M14): HDR*, SEQ, N, SIG with the state notification,
 * at each `heartbeat` interval and once an ATD after every changeover, when a digest that differs
 * still brings a member that missed the push in time (M6). Never acknowledged, never repeated.
 * After a KEK was changed out of turn also under the one before, until that ends, so that those who
 * missed the change hear of it (M5); after an exclusion at once, with the order to register again
 * (M18). */
#include "server/push.h"

/* The group has its first KEK, or its communication changed. */
void beat_start(struct group *g, instant_t now);
/* New keys at `now`. */
void beat_after_news(struct group *g, instant_t now, struct push_news news);
/* What is due first and is for anybody; moves on those that are for nobody. False: nothing. */
bool beat_pick(struct group *g, instant_t now, enum push_kind *ret_kind,
               enum push_dialect *ret_dialect, const struct kek_generation **ret_kek);
/* One of those kinds has left, or had nobody to go to; again: it failed. */
void beat_done(struct group *g, enum push_kind kind, instant_t now);
void beat_again(struct group *g, enum push_kind kind, instant_t now);
instant_t beat_due(const struct push *p);

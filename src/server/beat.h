#pragma once
/* When a group gives signs of life (decisions M14): HDR*, SEQ, N, SIG with the state notification,
 * at each `heartbeat` interval and once an ATD after every changeover, when a digest that differs
 * still brings a member that missed the push in time (M6). Never acknowledged, never repeated.
 * After a KEK was changed out of turn also under the one before, until that ends, so that those who
 * missed the change hear of it (M5); after an exclusion at once, with the order to register again
 * (M18). */
#include "server/announce.h"

/* The kinds, and when each is due; NEVER: it is not. */
struct beat {
    instant_t heartbeat_at; /* PUSH_HEARTBEAT: under the current KEK */
    instant_t last_call_at; /* PUSH_LAST_CALL: the same under the KEK before */
    instant_t farewell_at; /* PUSH_FAREWELL: the delete of the KEK before, for those who do not know
                              notifications (M18.3) */
    bool re_register;      /* the next last call says so */
    instant_t called;      /* when either of these two left last */
};

/* The group has its first KEK, or its communication changed. */
void beat_start(struct group *g, instant_t now);
void beat_stop(struct beat *b);
/* New keys at `now`. */
void beat_after_news(struct group *g, instant_t now, struct announce_news news);
/* Members have to register again: those who hear it under the KEK before are told at once. */
void beat_call(struct beat *b, instant_t now);
/* Somebody came too late to hear that: it is told, with all who do so within SERVER_PUSH_PAUSE of
 * the last call. */
void beat_call_again(struct beat *b, instant_t now);

/* When there is something to do, provided that no message is under way; does it. What is for nobody
 * is moved on. */
instant_t beat_due(const struct beat *b);
void beat_step(struct server *s, struct group *g, instant_t now, struct effects *out);
/* A message of that kind is not under way any more. */
void beat_ended(struct group *g, enum push_kind kind, instant_t now, enum push_outcome how);

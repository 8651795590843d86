#pragma once
/* New keys at an operator's word, and when he will see what of them. With server/operator.c it does
 * what server/operator.h says; these doors are between the two. */
#include "server/operator.h"

/* New keys that everybody has to come for; immediately: those of now end before. Into `ret`: what
 * happens when. */
void operator_renew(struct server *s, instant_t now, struct group *g, bool immediately,
                    struct effects *out, struct operator_answer *ret);
/* ERR_CONFLICT, with the sentence: nothing can be pushed to the group. */
MUST_USE enum err operator_needs_pushes(const struct group *g, struct operator_answer *ret);
/* After a restart: deletes of all keys that were perhaps not heard are told again. */
void operator_resume_keys(struct server *s, instant_t now, struct effects *out);

/* ---- operator.c ---- */

/* The sentence of a refusal; gives the error back. */
enum err operator_refused(struct operator_answer *ret, enum err err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Notes the transactions that were given out since `before`, and the keys on their way to the store
 * that fulfil a wish. */
void operator_note_txs(const struct server *s, const struct group *g, uint64_t before,
                       struct operator_answer *ret);

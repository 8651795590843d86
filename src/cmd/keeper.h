#pragma once
/* The key server's store at work: transactions go to a thread of their own, one commit at a time.
 * Those that come meanwhile are committed together when it is over, in their order, so that a disk
 * that is slow makes commits larger, not more. What is not durable yet is not waited for by
 * anybody but the engine. */
#include "base/events.h"
#include "host/loop.h"
#include "sqlite/database.h"

struct keeper;

/* What may wait for a store that fails or never answers; then transactions that nobody waits for
 * are dropped, which is told once. */
enum { KEEPER_OCTETS_MAX = 64 << 20 };
#define KEEPER_RETRY span_s(10)

struct keeper_config {
    struct host *host;
    const char *program; /* for messages on stderr */
    const char *state_dir, *key_dir;
    void *ctx;
    /* The answer to one transaction that has an id; not within a call of keeper_*(). */
    void (*stored)(void *ctx, uint64_t id, enum err err);
    void (*tell)(void *ctx, const struct event *e);
};

/* Opens the database. On failure it has been said on stderr. The rows are in `a`. */
MUST_USE enum err keeper_open(const struct keeper_config *config, struct arena *a,
                              struct keeper **ret, struct database_contents *ret_contents);
/* Stores what waits, then closes; answers go to nobody. NULL allowed. */
void keeper_close(struct keeper *k);

/* Everything is copied. Of those that fail, the ones with an id are answered so and gone; the
 * others are tried again, as long as there is room for them. */
void keeper_take(struct keeper *k, const struct store_tx *tx);
/* When a store that failed is to be tried again; NEVER: nothing waits. */
instant_t keeper_due(const struct keeper *k);
void keeper_timer(struct keeper *k, instant_t now);

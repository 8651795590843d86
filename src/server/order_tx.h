#pragma once
/* What operators (and changes of the configuration) ask for must outlive the server: each such
 * transaction has an id of its own, and is remembered until the store has answered. One that fails
 * is told by name and handed over again as one that nobody waits for: the store tries those until
 * it works. What was done stays done meanwhile. */
#include "sa/effects.h"
#include "server/ban.h"
#include "server/rows.h"

struct group;
struct server;

/* A transaction under way. */
struct order_tx {
    uint64_t id;
    const char *what; /* of which kind; static */
    uint32_t group;
    enum model_id_type type; /* whom it is about; NONE: the group */
    uint8_t value[BAN_ID_MAX];
    size_t len;
};
struct order_txs {
    struct order_tx *list;
    size_t n, room;
};
void order_txs_free(struct order_txs *txs);

/* Each emits one durable transaction. */
void order_ban(struct server *s, const struct row_ban *row, struct effects *out);
void order_lift(struct server *s, const struct row_who *who, struct effects *out);
void order_forget(struct server *s, const struct row_who *who, struct effects *out);
void order_wish(struct server *s, const struct group *g, struct effects *out);

/* The store's answer; false when it was to somebody else. */
bool order_stored(struct server *s, uint64_t id, enum err err, struct effects *out);

#pragma once
/* What an engine wants kept: rows that are put or deleted, all or none. A key is unique within its
 * table; a value is opaque here and sealed before it meets a disk (decisions S35), so a row may
 * hold secrets. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

/*    id              name of the table */
#define STORE_TABLE_LIST(X)                                                                        \
    X(STORE_GROUP, "grp")     /* one row per group: SEQ, versions, numbers */                      \
    X(STORE_TEK, "tek")       /* one row per live key */                                           \
    X(STORE_KEK, "kek")       /* one row per live key */                                           \
    X(STORE_MEMBER, "member") /* one row per member and group, struck ones included */             \
    X(STORE_BAN, "ban")       /* one row per removed identity and group */                         \
    X(STORE_SIGNER, "signer") /* key pairs that sign pushes */                                     \
    X(STORE_SERVER, "server") /* what belongs to no group: the group clock */

enum store_table {
#define X(id, name) id,
    STORE_TABLE_LIST(X)
#undef X
        STORE_TABLE_COUNT
};

struct store_op {
    struct store_op *next;
    enum store_table table;
    bool put; /* else delete; a row that is not there is no error */
    struct bytes key, value;
};
struct store_tx {
    uint64_t id;  /* comes back with the answer; 0: nobody waits for it */
    bool durable; /* must survive a power cut before it is answered; else a killed process */
    struct store_op *first, *last;
    size_t n;
};

/* In `a`, which must live as long as the transaction; keys and values are copied into it. */
struct store_tx *store_tx_new(struct arena *a, uint64_t id, bool durable);
void store_put(struct arena *a, struct store_tx *tx, enum store_table table, struct bytes key,
               struct bytes value);
void store_delete(struct arena *a, struct store_tx *tx, enum store_table table, struct bytes key);

/* A row as it was read back. */
struct store_row {
    enum store_table table;
    struct bytes key, value;
};
const char *store_table_name(enum store_table t);

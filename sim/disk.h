#pragma once
/* The disk of a simulated server: a store in memory (store/memory.h) behind time. Transactions are
 * stored one after another, each after a while; what is under way when the server ends is lost.
 * Values lie open: the seal is the business of the real store (decisions S35), so a checker can
 * look for a key's octets. */
#include "base/instant.h"
#include "store/clock.h"
#include "store/memory.h"

struct disk {
    struct store_memory *store;
    span_t delay_min, delay_max; /* of one transaction */
    bool failing;                /* full or broken: every transaction fails, what is there stays */
    instant_t busy_until;        /* the answer to the last transaction given */
    uint64_t n_stored, n_failed;
    struct store_clock noted;    /* with the last transaction */
    struct store_memory *backup; /* a copy that was made, or NULL */
    bool restored;               /* the copy took the place of what was there: side file (M12) */
    /* What would survive a power cut, as of `revision`. */
    struct arena memory;
    uint64_t revision;
    const struct store_row *durable;
    size_t n_durable;
};

/* An empty disk that takes 1 to 20 ms for a transaction. */
struct disk disk_of(void);
void disk_free(struct disk *d);
/* All of the transaction, or nothing: ERR_SYSTEM when failing. */
MUST_USE enum err disk_apply(struct disk *d, const struct store_tx *tx);
/* Whether a durable row of that table holds these octets anywhere in its value. */
bool disk_holds(struct disk *d, enum store_table table, struct bytes octets);
/* The rows in `a`, for a server that starts after a kill, or after a power cut. */
const struct store_row *disk_rows(struct disk *d, bool power_cut, struct arena *a, size_t *ret_n);
/* An operator makes a copy; an operator brings it back while the server is down. */
void disk_backup(struct disk *d);
void disk_restore(struct disk *d);

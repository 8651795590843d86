#pragma once
/* The disk of a simulated server. Transactions are stored one after another, each after a while;
 * what is stored survives a kill, what is under way does not. Values lie open: the seal is the
 * business of the real store (decisions S35), so a checker can look for a key's octets. */
#include "base/instant.h"
#include "store/tx.h"

#include <stdbool.h>
#include <stddef.h>

struct disk_row;
struct disk {
    span_t delay_min, delay_max; /* of one transaction */
    bool failing;                /* full or broken: every transaction fails, what is there stays */
    instant_t busy_until;        /* the answer to the last transaction given */
    struct disk_row *rows;
    size_t n, room;
    uint64_t n_stored, n_failed;
};

/* A zeroed disk is empty; this one takes 1 to 20 ms for a transaction. */
struct disk disk_of(void);
void disk_free(struct disk *d);
/* All of the transaction, or nothing: ERR_SYSTEM when failing. */
MUST_USE enum err disk_apply(struct disk *d, const struct store_tx *tx);
/* Whether a stored row of that table holds these octets anywhere in its value. */
bool disk_holds(const struct disk *d, enum store_table table, struct bytes octets);
/* The rows in `a`, for a server that starts. */
const struct store_row *disk_rows(const struct disk *d, struct arena *a, size_t *ret_n);
/* What was on `from`, as a backup copy would have it. */
void disk_copy(struct disk *to, const struct disk *from);

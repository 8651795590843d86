#pragma once
/* A store in memory, with the faults of a disk, for tests and simulation: the same transactions
 * give the same rows in the same order. It has two depths, as a disk has: what was handed to the
 * system survives the end of the process, what was made durable survives a power cut. */
#include "store/tx.h"

struct store_memory;

struct store_memory *store_memory_new(void);    /* aborts without memory */
void store_memory_free(struct store_memory *m); /* wipes; NULL allowed */
/* What a backup made now would bring back: only what is durable. Without the planned faults. */
struct store_memory *store_memory_copy(const struct store_memory *m);

/* The next `after` transactions work, then `times` of them fail with `why` and change nothing. */
void store_memory_plan_fault(struct store_memory *m, enum err why, size_t after, size_t times);

/* All of it or nothing. A durable transaction makes all before it durable, too. */
MUST_USE enum err store_memory_commit(struct store_memory *m, const struct store_tx *tx);
/* Durable transactions so far: what the side file of decisions M12 notes. */
uint64_t store_memory_revision(const struct store_memory *m);

/* The process ends: nothing that was committed is lost. */
void store_memory_kill(struct store_memory *m);
/* The machine ends: what was not durable is lost. */
void store_memory_power_cut(struct store_memory *m);

/* What the next process reads; after one of those ends (asserted). By table, then by key; in `a`.
 */
const struct store_row *store_memory_rows(const struct store_memory *m, struct arena *a,
                                          size_t *ret_n);

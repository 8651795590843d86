#pragma once
/* The key server's store on a disk: SQLite with a write-ahead log, every value sealed, one
 * process. All of a commit is there after a crash, or nothing of it. Calls block; they may come
 * from any thread, but from one at a time. */
#include "base/arena.h"
#include "sqlite/why.h"
#include "store/clock.h"
#include "store/tx.h"

struct database;
struct database_config {
    const char *state_dir; /* conclave.db */
    const char *key_dir;   /* store.key, store.mark: kept apart */
    struct store_clock now;
};
/* What the process before this one left. */
struct database_contents {
    const struct store_row *rows;
    size_t n_rows;
    struct store_shift clock;
    bool keys_lost; /* the database is behind its mark, or is not the one that was used last */
    bool is_new;    /* it was made now */
};

/* Folders that are not there are made, and a master key for a new database. The rows are in `a`.
 * On failure `why` says what is wrong: ERR_BUSY: another server has it open; ERR_VERSION: a
 * database of another version; ERR_DAMAGED; ERR_AUTH: another key, or a row was changed;
 * ERR_NOT_FOUND: the key is gone; ERR_DENIED, ERR_NO_SPACE, ERR_SYSTEM. */
MUST_USE enum err database_open(const struct database_config *config, struct arena *a,
                                struct why *why, struct database **ret,
                                struct database_contents *ret_contents);
/* Several transactions as one, in their order: durable when one of them is. `now` is noted with
 * them; its shift is the one of the contents. On failure nothing of them is there. */
MUST_USE enum err database_commit(struct database *d, const struct store_tx *const *txs, size_t n,
                                  const struct store_clock *now, struct why *why);
void database_close(struct database *d); /* NULL allowed */

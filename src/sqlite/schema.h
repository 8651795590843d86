#pragma once
/* The file itself: how it is opened, which tables it has, and which version of them. Two tables of
 * every store table would be one too many: rows are octets, each table is (key, value). */
#include "sqlite/why.h"
#include "store/tx.h"

#include <sqlite3.h>

enum { SCHEMA_VERSION = 1 };
#define SCHEMA_META "meta" /* instance and check in clear, the clock sealed */

/* Opens folder/conclave.db for one process, makes it when it is not there, and looks whether it is
 * whole. ERR_VERSION: made by another version of this program; ERR_DAMAGED; ERR_BUSY: another
 * program has it open. */
MUST_USE enum err schema_open(const char *folder, struct why *why, sqlite3 **ret);
/* What went wrong last, as an error of ours, in a sentence. */
enum err schema_failed(sqlite3 *db, const char *what, struct why *why);
MUST_USE enum err schema_run(sqlite3 *db, const char *sql, struct why *why);
/* NULL and an error that schema_failed() tells. */
sqlite3_stmt *schema_prepare(sqlite3 *db, const char *fmt, const char *table);

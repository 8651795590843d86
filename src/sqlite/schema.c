#include "sqlite/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err schema_failed(sqlite3 *db, const char *what, struct why *why)
{
    const char *text = sqlite3_errmsg(db);

    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_FULL:
        return why_set(why, ERR_NO_SPACE, "%s: the disk is full", what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return why_set(why, ERR_DAMAGED, "%s: the database is damaged (%s)", what, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return why_set(why, ERR_BUSY, "%s: another program has the database open", what);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return why_set(why, ERR_DENIED, "%s: the database cannot be written (%s)", what, text);
    default:
        return why_set(why, ERR_SYSTEM, "%s: %s", what, text);
    }
}

enum err schema_run(sqlite3 *db, const char *sql, struct why *why)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK
                                                                : schema_failed(db, "store", why);
}

sqlite3_stmt *schema_prepare(sqlite3 *db, const char *fmt, const char *table)
{
    char *sql = sqlite3_mprintf(fmt, table);
    sqlite3_stmt *s = NULL;

    if (sql && sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        s = NULL;
    sqlite3_free(sql);
    return s;
}

/* ---- opening ---- */

/* One number or one word that a statement answers with. */
static enum err ask(sqlite3 *db, const char *sql, int *ret_number, char *ret_text, size_t room,
                    struct why *why)
{
    sqlite3_stmt *s = schema_prepare(db, "%s", sql);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    enum err e = step == SQLITE_ROW ? ERR_OK : schema_failed(db, "opening the store", why);

    if (e == ERR_OK) {
        *ret_number = sqlite3_column_int(s, 0);
        snprintf(ret_text, room, "%s", (const char *)sqlite3_column_text(s, 0));
    }
    (void)sqlite3_finalize(s);
    return e;
}

static enum err check_version(sqlite3 *db, struct why *why, bool *ret_is_new)
{
    int version = 0, tables = 0;
    char text[32];
    enum err e = ask(db, "PRAGMA user_version", &version, text, sizeof text, why);

    if (e == ERR_OK)
        e = ask(db, "SELECT count(*) FROM sqlite_schema", &tables, text, sizeof text, why);
    if (e)
        return e;
    *ret_is_new = version == 0 && tables == 0;
    if (!*ret_is_new && version != SCHEMA_VERSION)
        return why_set(why, ERR_VERSION,
                       "the database has version %d, and this program knows version %d only: use "
                       "the program that made it, or move the database away (members register "
                       "again)",
                       version, SCHEMA_VERSION);
    return ERR_OK;
}

static enum err make_tables(sqlite3 *db, struct why *why)
{
    char sql[128];
    enum err e = schema_run(db, "BEGIN IMMEDIATE", why);

    for (int i = 0; i <= STORE_TABLE_COUNT && e == ERR_OK; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TABLE \"%s\" (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
                 i < STORE_TABLE_COUNT ? store_table_name((enum store_table)i) : SCHEMA_META);
        e = schema_run(db, sql, why);
    }
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);
    return e ? e : schema_run(db, sql, why);
}

static enum err check_whole(sqlite3 *db, struct why *why)
{
    char verdict[200];
    int number;
    enum err e = ask(db, "PRAGMA quick_check(1)", &number, verdict, sizeof verdict, why);

    if (e == ERR_OK && strcmp(verdict, "ok") != 0)
        return why_set(why, ERR_DAMAGED,
                       "the database is damaged (%s): restore it from a copy, or move it away "
                       "(members register again)",
                       verdict);
    return e;
}

static enum err set_up(sqlite3 *db, struct why *why)
{
    bool is_new = false;
    /* One process has the file, so the index of the log needs no shared memory. */
    enum err e = schema_run(db,
                            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;"
                            "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
                            why);

    if (e == ERR_OK)
        e = check_version(db, why, &is_new);
    if (e == ERR_OK)
        e = schema_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", why);
    if (e == ERR_OK)
        e = is_new ? make_tables(db, why) : check_whole(db, why);
    return e;
}

/* SQLite would make it readable for others. */
static enum err make_file(const char *path, struct why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return why_errno(why, "cannot open", path);
    close(fd);
    return ERR_OK;
}

enum err schema_open(const char *folder, struct why *why, sqlite3 **ret)
{
    char path[4096];
    sqlite3 *db = NULL;

    if ((size_t)snprintf(path, sizeof path, "%s/conclave.db", folder) >= sizeof path)
        return why_set(why, ERR_LENGTH, "%s: the name is too long", folder);
    enum err e = make_file(path, why);
    if (e)
        return e;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
        e = db ? schema_failed(db, path, why) : why_set(why, ERR_NOMEM, "out of memory");
    if (e == ERR_OK)
        e = set_up(db, why);
    if (e) {
        (void)sqlite3_close(db);
        return e;
    }
    *ret = db;
    return ERR_OK;
}

#include "sqlite/database.h"

#include "sqlite/key_dir.h"
#include "sqlite/mark.h"
#include "sqlite/schema.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { META = STORE_TABLE_COUNT, TABLES };

struct database {
    int lock, key_folder; /* descriptors */
    struct mark_file mark;
    sqlite3 *db;
    sqlite3_stmt *put[TABLES], *delete[TABLES];
    struct sealer sealer;
    uint64_t revision; /* of the last commit */
    bool synced;       /* PRAGMA synchronous is FULL */
    bool owes_mark;    /* the last one could not be written: nothing durable before it is */
    struct arena scratch;
};

static const char *table_name(int table)
{
    return table == META ? SCHEMA_META : store_table_name((enum store_table)table);
}

/* ---- single rows ---- */

static bool step(sqlite3_stmt *s, struct bytes key, struct bytes value)
{
    /* No octets at all are still octets to SQLite, not NULL, when they have an address. */
    bool ok = sqlite3_bind_blob(s, 1, key.len ? key.data : (const void *)"", (int)key.len,
                                SQLITE_STATIC) == SQLITE_OK &&
              (!value.data ||
               sqlite3_bind_blob(s, 2, value.data, (int)value.len, SQLITE_STATIC) == SQLITE_OK) &&
              sqlite3_step(s) == SQLITE_DONE;

    return sqlite3_reset(s) == SQLITE_OK && ok;
}

static bool put(struct database *d, int table, struct bytes key, struct bytes value)
{
    return step(d->put[table], key, value);
}

static bool put_sealed(struct database *d, int table, struct bytes key, struct bytes value)
{
    uint8_t random[SEAL_SALT + AEAD_NONCE];
    struct seal_place place = {table_name(table), key};

    kernel_random(random, sizeof random);
    return put(d, table, key, seal_value(&d->sealer, place, random, value, &d->scratch));
}

static struct bytes column(sqlite3_stmt *s, int i)
{
    const void *data = sqlite3_column_blob(s, i);

    return bytes(data, data ? (size_t)sqlite3_column_bytes(s, i) : 0);
}

/* In `a`. ERR_NOT_FOUND without a sentence. */
static enum err get_meta(struct database *d, const char *name, struct arena *a, struct why *why,
                         struct bytes *ret)
{
    sqlite3_stmt *s = schema_prepare(d->db, "SELECT value FROM \"%w\" WHERE key = ?", SCHEMA_META);
    enum err e = ERR_OK;

    if (!s || sqlite3_bind_blob(s, 1, name, (int)strlen(name), SQLITE_STATIC) != SQLITE_OK)
        e = schema_failed(d->db, "reading the store", why);
    int got = e ? SQLITE_ERROR : sqlite3_step(s);
    if (got == SQLITE_ROW)
        *ret = arena_bytes(a, column(s, 0));
    else if (!e)
        e = got == SQLITE_DONE ? ERR_NOT_FOUND : schema_failed(d->db, "reading the store", why);
    (void)sqlite3_finalize(s);
    return e;
}

/* ---- clock and revision ---- */

enum { CLOCK_LEN = 8 + STORE_BOOT_ID + 3 * 8 };

static bool put_clock(struct database *d, const struct store_clock *c)
{
    uint8_t octets[CLOCK_LEN];
    struct wr w = wr_of(octets, sizeof octets);

    wr_u64(&w, d->revision + 1);
    wr_put(&w, BYTES_OF(c->boot_id));
    wr_u64(&w, (uint64_t)c->boottime.ns);
    wr_u64(&w, (uint64_t)c->realtime_ns);
    wr_u64(&w, (uint64_t)c->shift.ns);
    return put_sealed(d, META, bytes_str("clock"), wr_bytes(&w));
}

static enum err parse_clock(struct bytes octets, uint64_t *ret_revision, struct store_clock *ret)
{
    struct rd r = rd_of(octets);
    uint64_t revision = rd_u64(&r);
    struct bytes boot_id = rd_take(&r, STORE_BOOT_ID);
    struct store_clock c = {.boottime = {(int64_t)rd_u64(&r)}};

    c.realtime_ns = (int64_t)rd_u64(&r);
    c.shift.ns = (int64_t)rd_u64(&r);
    if (rd_end(&r) != ERR_OK)
        return r.err;
    memcpy(c.boot_id, boot_id.data, sizeof c.boot_id);
    *ret_revision = revision;
    *ret = c;
    return ERR_OK;
}

/* ---- a commit ---- */

static bool apply(struct database *d, const struct store_op *op)
{
    return op->put ? put_sealed(d, (int)op->table, op->key, op->value)
                   : step(d->delete[op->table], op->key, bytes(NULL, 0));
}

static bool apply_all(struct database *d, const struct store_tx *const *txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (const struct store_op *op = txs[i]->first; op; op = op->next) {
            if (!apply(d, op))
                return false;
        }
    }
    return true;
}

static bool any_durable(const struct store_tx *const *txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (txs[i]->durable)
            return true;
    }
    return false;
}

/* What is not durable must survive this process only: handing it to the system is enough. */
static enum err set_sync(struct database *d, bool durable, struct why *why)
{
    enum err e = d->synced == durable ? ERR_OK
                                      : schema_run(d->db,
                                                   durable ? "PRAGMA synchronous = FULL"
                                                           : "PRAGMA synchronous = NORMAL",
                                                   why);
    if (e == ERR_OK)
        d->synced = durable;
    return e;
}

static enum err write_all(struct database *d, const struct store_tx *const *txs, size_t n,
                          const struct store_clock *now, struct why *why)
{
    enum err e = schema_run(d->db, "BEGIN IMMEDIATE", why);

    if (e)
        return e;
    if (!apply_all(d, txs, n) || !put_clock(d, now))
        e = schema_failed(d->db, "writing to the store", why);
    else
        e = schema_run(d->db, "COMMIT", why);
    if (e && !sqlite3_get_autocommit(d->db))
        (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

static enum err write_mark(struct database *d, struct why *why)
{
    struct mark m = {.revision = d->revision};

    memcpy(m.instance, d->sealer.instance, sizeof m.instance);
    enum err e = mark_write(&d->mark, &d->sealer.master, &m, why);
    d->owes_mark = e != ERR_OK;
    return e;
}

enum err database_commit(struct database *d, const struct store_tx *const *txs, size_t n,
                         const struct store_clock *now, struct why *why)
{
    bool durable = any_durable(txs, n);
    enum err e = durable && d->owes_mark ? write_mark(d, why) : ERR_OK;

    if (e == ERR_OK)
        e = set_sync(d, durable, why);
    if (e == ERR_OK)
        e = write_all(d, txs, n, now, why);
    arena_reset(&d->scratch);
    if (e)
        return e;
    d->revision++;
    if (durable)
        (void)write_mark(d, why); /* what is committed is committed: the next one says it */
    return ERR_OK;
}

/* ---- opening ---- */

static enum err take_lock(struct database *d, const char *folder, struct why *why)
{
    int at = -1;
    enum err e = folder_open(folder, why, &at);

    if (e)
        return e;
    d->lock = openat(at, "conclave.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    e = d->lock < 0 ? why_errno(why, "cannot open the lock in", folder) : ERR_OK;
    close(at);
    if (e == ERR_OK && flock(d->lock, LOCK_EX | LOCK_NB) != 0)
        e = why_set(why, ERR_BUSY,
                    "another key server uses %s: two on one store would use "
                    "sequence numbers twice",
                    folder);
    return e;
}

static enum err prepare(struct database *d, struct why *why)
{
    for (int i = 0; i < TABLES; i++) {
        d->put[i] =
            schema_prepare(d->db, "INSERT OR REPLACE INTO \"%w\" VALUES (?, ?)", table_name(i));
        d->delete[i] = schema_prepare(d->db, "DELETE FROM \"%w\" WHERE key = ?", table_name(i));
        if (!d->put[i] || !d->delete[i])
            return schema_failed(d->db, "opening the store", why);
    }
    return ERR_OK;
}

/* The key that sealed this database, or for a new one a new key. */
static enum err find_master(struct database *d, const struct database_config *config, bool is_new,
                            struct why *why)
{
    enum err e = master_read(d->key_folder, config->key_dir, why, &d->sealer.master);

    if (e != ERR_NOT_FOUND)
        return e;
    if (is_new)
        return master_make(d->key_folder, config->key_dir, why, &d->sealer.master);
    return why_set(why, e,
                   "%s/store.key is not there, and nothing else opens the database in %s: bring it "
                   "back, or move the database away (members register again)",
                   config->key_dir, config->state_dir);
}

static enum err check_master(struct database *d, const struct database_config *config,
                             struct bytes check, struct why *why)
{
    uint8_t expected[SEAL_CHECK];

    seal_check(&d->sealer, expected);
    if (!secret_equal(BYTES_OF(expected), check))
        return why_set(why, ERR_AUTH, "%s/store.key is not the key of the database in %s",
                       config->key_dir, config->state_dir);
    return ERR_OK;
}

/* A name for the database and its first clock, in one transaction. */
static enum err found(struct database *d, const struct store_clock *now, struct why *why)
{
    uint8_t check[SEAL_CHECK];
    enum err e = schema_run(d->db, "BEGIN IMMEDIATE", why);

    kernel_random(d->sealer.instance, sizeof d->sealer.instance);
    seal_check(&d->sealer, check);
    if (e)
        return e;
    if (!put(d, META, bytes_str("instance"), BYTES_OF(d->sealer.instance)) ||
        !put(d, META, bytes_str("check"), BYTES_OF(check)) || !put_clock(d, now))
        return schema_failed(d->db, "writing to the store", why);
    e = schema_run(d->db, "COMMIT", why);
    if (e)
        return e;
    d->revision++;
    return write_mark(d, why);
}

static enum err damaged_row(struct why *why, const char *table, struct bytes key)
{
    char hex[64];

    return why_set(why, ERR_AUTH,
                   "row %s of table %s is not as it was written: the database is damaged or was "
                   "changed; restore it from a copy, or move it away (members register again)",
                   bytes_hex(key, hex, sizeof hex), table);
}

static enum err read_clock(struct database *d, struct arena *a, struct why *why,
                           struct store_clock *ret)
{
    struct bytes sealed = {0}, octets = {0};
    enum err e = get_meta(d, "clock", a, why, &sealed);

    if (e == ERR_OK && seal_open(&d->sealer, (struct seal_place){SCHEMA_META, bytes_str("clock")},
                                 sealed, a, &octets) == ERR_OK)
        return parse_clock(octets, &d->revision, ret);
    return e && e != ERR_NOT_FOUND ? e : damaged_row(why, SCHEMA_META, bytes_str("clock"));
}

static enum err read_table(struct database *d, enum store_table table, struct arena *a,
                           struct store_row *rows, size_t room, size_t *n, struct why *why)
{
    const char *name = store_table_name(table);
    sqlite3_stmt *s = schema_prepare(d->db, "SELECT key, value FROM \"%w\" ORDER BY key", name);
    enum err e = ERR_OK;
    int got = SQLITE_ERROR;

    while (e == ERR_OK && s && *n < room && (got = sqlite3_step(s)) == SQLITE_ROW) {
        struct store_row row = {.table = table, .key = arena_bytes(a, column(s, 0))};
        struct seal_place place = {name, row.key};
        if (seal_open(&d->sealer, place, column(s, 1), a, &row.value) != ERR_OK)
            e = damaged_row(why, name, row.key);
        else
            rows[(*n)++] = row;
    }
    if (e == ERR_OK && *n < room && got != SQLITE_DONE)
        e = schema_failed(d->db, "reading the store", why);
    (void)sqlite3_finalize(s);
    return e;
}

static enum err count_rows(struct database *d, struct why *why, size_t *ret)
{
    size_t n = 0;

    for (int i = 0; i < STORE_TABLE_COUNT; i++) {
        sqlite3_stmt *s = schema_prepare(d->db, "SELECT count(*) FROM \"%w\"", table_name(i));
        bool ok = s && sqlite3_step(s) == SQLITE_ROW;
        n += ok ? (size_t)sqlite3_column_int64(s, 0) : 0;
        (void)sqlite3_finalize(s);
        if (!ok)
            return schema_failed(d->db, "reading the store", why);
    }
    *ret = n;
    return ERR_OK;
}

static enum err read_rows(struct database *d, struct arena *a, struct why *why,
                          struct database_contents *c)
{
    size_t room = 0;
    enum err e = count_rows(d, why, &room);
    struct store_row *rows = e ? NULL : arena_alloc(a, (room + 1) * sizeof *rows);

    for (int i = 0; i < STORE_TABLE_COUNT && e == ERR_OK; i++)
        e = read_table(d, (enum store_table)i, a, rows, room + 1, &c->n_rows, why);
    c->rows = rows;
    return e;
}

/* Whether the database is older than its mark, or the mark is of another one. Without a mark: one
 * without rows is as new as it looks. From here on it counts on from the mark, so that with the
 * first commit, which takes the lost keys out, it is ahead again. */
static bool is_behind(struct database *d, size_t n_rows)
{
    struct mark mark;

    if (mark_read(&d->mark, &d->sealer.master, &mark) != ERR_OK)
        return n_rows > 0;
    bool same = bytes_equal(BYTES_OF(mark.instance), BYTES_OF(d->sealer.instance));
    bool behind = !same || mark.revision > d->revision;
    if (mark.revision > d->revision)
        d->revision = mark.revision;
    return behind;
}

static enum err open_old(struct database *d, const struct database_config *config, struct arena *a,
                         struct bytes instance, struct why *why, struct database_contents *c)
{
    struct bytes check = {0};
    struct store_clock noted;
    enum err e = get_meta(d, "check", a, why, &check);

    if (e || instance.len != SEAL_INSTANCE)
        return e && e != ERR_NOT_FOUND ? e : damaged_row(why, SCHEMA_META, bytes_str("check"));
    memcpy(d->sealer.instance, instance.data, SEAL_INSTANCE);
    e = check_master(d, config, check, why);
    if (e == ERR_OK)
        e = read_clock(d, a, why, &noted);
    if (e)
        return e;
    c->clock = store_shift(&noted, &config->now);
    e = read_rows(d, a, why, c);
    c->keys_lost = is_behind(d, c->n_rows);
    return e;
}

/* A new database where there was one before: who was registered with that one has to come again. */
static enum err open_new(struct database *d, const struct database_config *config, struct why *why,
                         struct database_contents *c)
{
    struct mark before;

    c->is_new = true;
    c->keys_lost = mark_read(&d->mark, &d->sealer.master, &before) == ERR_OK;
    if (c->keys_lost)
        d->revision = before.revision;
    struct store_clock now = config->now;
    now.shift = c->clock.shift;
    return found(d, &now, why);
}

static enum err open_all(struct database *d, const struct database_config *config, struct arena *a,
                         struct why *why, struct database_contents *c)
{
    struct bytes instance = {0};
    enum err e = take_lock(d, config->state_dir, why);

    if (e == ERR_OK)
        e = folder_open(config->key_dir, why, &d->key_folder);
    if (e == ERR_OK)
        e = schema_open(config->state_dir, why, &d->db);
    if (e == ERR_OK)
        e = prepare(d, why);
    if (e == ERR_OK)
        e = get_meta(d, "instance", a, why, &instance);
    bool is_new = e == ERR_NOT_FOUND;
    if (is_new || e == ERR_OK)
        e = find_master(d, config, is_new, why);
    if (e == ERR_OK)
        e = mark_open(d->key_folder, config->key_dir, why, &d->mark);
    if (e == ERR_OK)
        e = is_new ? open_new(d, config, why, c) : open_old(d, config, a, instance, why, c);
    return e;
}

enum err database_open(const struct database_config *config, struct arena *a, struct why *why,
                       struct database **ret, struct database_contents *ret_contents)
{
    struct database *d = calloc(1, sizeof *d);
    struct database_contents c = {0};

    if (!d)
        return why_set(why, ERR_NOMEM, "out of memory");
    d->lock = d->key_folder = d->mark.fd = -1;
    d->synced = true; /* as schema_open() has set it */
    enum err e = open_all(d, config, a, why, &c);
    if (e) {
        database_close(d);
        return e;
    }
    *ret = d;
    *ret_contents = c;
    return ERR_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void database_close(struct database *d)
{
    if (!d)
        return;
    for (int i = 0; i < TABLES; i++) {
        (void)sqlite3_finalize(d->put[i]);
        (void)sqlite3_finalize(d->delete[i]);
    }
    (void)sqlite3_close(d->db);
    mark_close(&d->mark);
    close_fd(d->key_folder);
    close_fd(d->lock); /* last: it is what keeps others out */
    secret_wipe(&d->sealer.master);
    arena_free(&d->scratch);
    free(d);
}

/* The store on a real disk: what survives, what is refused, and in which words. */
#include "sqlite/database.h"

#include "crypto/crypto.h"
#include "unit/sqlite/folder.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

struct world {
    struct folder state, keys;
    struct arena a;
    struct why why;
    struct store_clock now;
    struct database *d;
    struct database_contents c;
};

static struct world world_new(void)
{
    return (struct world){.state = folder_new(),
                          .keys = folder_new(),
                          .now = {{1}, {100 * NS_PER_S}, 5000 * NS_PER_S, {0}}};
}

static enum err try_open(struct world *w)
{
    const struct database_config config = {w->state.path, w->keys.path, w->now};

    w->why.text[0] = '\0';
    return database_open(&config, &w->a, &w->why, &w->d, &w->c);
}
static void open_it(struct world *w)
{
    enum err e = try_open(w);

    if (e)
        fail_msg("%s: %s", err_name(e), w->why.text);
}
static void close_it(struct world *w)
{
    database_close(w->d);
    w->d = NULL;
}
static void world_end(struct world *w)
{
    close_it(w);
    arena_free(&w->a);
    folder_free(&w->state);
    folder_free(&w->keys);
}

static void refuses(struct world *w, enum err expected, const char *words)
{
    assert_int_equal(try_open(w), expected);
    if (!strstr(w->why.text, words))
        fail_msg("\"%s\" says nothing of \"%s\"", w->why.text, words);
    w->d = NULL;
}

static enum err commit_one(struct world *w, bool durable, const char *key, const char *value)
{
    struct store_tx *tx = store_tx_new(&w->a, 1, durable);

    if (value)
        store_put(&w->a, tx, STORE_TEK, bytes_str(key), bytes_str(value));
    else
        store_delete(&w->a, tx, STORE_TEK, bytes_str(key));
    return database_commit(w->d, &(const struct store_tx *){tx}, 1, &w->now, &w->why);
}
static void put(struct world *w, bool durable, const char *key, const char *value)
{
    assert_int_equal(commit_one(w, durable, key, value), ERR_OK);
}

static void expect_row(const struct world *w, size_t i, const char *key, const char *value)
{
    assert_true(i < w->c.n_rows);
    assert_true(bytes_equal(w->c.rows[i].key, bytes_str(key)));
    assert_true(bytes_equal(w->c.rows[i].value, bytes_str(value)));
}

/* SQL by somebody else, while no server has the database. */
static void meddle(const struct world *w, const char *sql)
{
    sqlite3 *db;
    char *text = NULL;

    assert_int_equal(sqlite3_open(folder_file(&w->state, "conclave.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
    sqlite3_close(db);
}

/* ---- what survives ---- */

static void rows_come_back(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    assert_true(w.c.is_new);
    assert_false(w.c.keys_lost);
    assert_int_equal(w.c.n_rows, 0);
    put(&w, true, "a", "1");
    put(&w, false, "b", "2");
    put(&w, true, "a", "3");
    put(&w, true, "c", "4");
    put(&w, false, "b", NULL);
    close_it(&w);
    open_it(&w);
    assert_false(w.c.is_new);
    assert_false(w.c.keys_lost);
    assert_int_equal(w.c.n_rows, 2);
    expect_row(&w, 0, "a", "3");
    expect_row(&w, 1, "c", "4");
    assert_int_equal(w.c.rows[0].table, STORE_TEK);
    world_end(&w);
}

static void a_killed_process_loses_nothing_that_was_answered(void **state)
{
    struct world w = world_new();

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        open_it(&w);
        put(&w, true, "a", "1");
        put(&w, false, "b", "2");
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    open_it(&w);
    assert_int_equal(w.c.n_rows, 2);
    assert_false(w.c.keys_lost);
    world_end(&w);
}

static void several_transactions_are_one_commit(void **state)
{
    struct world w = world_new();
    const struct store_tx *txs[3];

    (void)state;
    open_it(&w);
    for (size_t i = 0; i < ARRAY_LEN(txs); i++) {
        struct store_tx *tx = store_tx_new(&w.a, i, i == 1);
        store_put(&w.a, tx, (enum store_table)i, BYTES_OF("k"), bytes(&"abc"[i], 1));
        store_put(&w.a, tx, STORE_SERVER, bytes_str("last"), bytes(&"abc"[i], 1));
        txs[i] = tx;
    }
    assert_int_equal(database_commit(w.d, txs, ARRAY_LEN(txs), &w.now, &w.why), ERR_OK);
    close_it(&w);
    open_it(&w);
    assert_int_equal(w.c.n_rows, 4);
    expect_row(&w, 3, "last", "c");
    world_end(&w);
}

static void the_clock_is_noted_with_each_commit(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    w.now.boottime = (instant_t){1000 * NS_PER_S};
    w.now.realtime_ns = 6000 * NS_PER_S;
    put(&w, false, "a", "1");
    close_it(&w);
    w.now = (struct store_clock){{2}, {30 * NS_PER_S}, 6090 * NS_PER_S, {0}};
    open_it(&w);
    assert_false(w.c.clock.lost);
    assert_int_equal(w.c.clock.shift.ns, span_s(30 - 1090).ns);
    close_it(&w);
    w.now = (struct store_clock){{2}, {30 * NS_PER_S}, 5999 * NS_PER_S, {0}};
    open_it(&w);
    assert_true(w.c.clock.lost);
    world_end(&w);
}

static void files_are_their_owners_only(void **state)
{
    struct world w = world_new();
    static const char *const names[] = {"conclave.db", "conclave.db-wal", "conclave.lock"};
    struct stat st;

    (void)state;
    open_it(&w);
    put(&w, true, "a", "1");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(stat(folder_file(&w.state, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    world_end(&w);
}

static void no_value_lies_open_on_the_disk(void **state)
{
    static uint8_t octets[1 << 20];
    struct world w = world_new();

    (void)state;
    open_it(&w);
    put(&w, true, "a", "a very secret value");
    size_t len = folder_read(&w.state, "conclave.db-wal", octets, sizeof octets);
    assert_null(memmem(octets, len, "very secret", 11));
    close_it(&w);
    len = folder_read(&w.state, "conclave.db", octets, sizeof octets);
    assert_true(len > 0);
    assert_null(memmem(octets, len, "very secret", 11));
    world_end(&w);
}

/* ---- who else is there ---- */

static void two_servers_never_share_a_store(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    struct world other = w;
    other.a = (struct arena){0};
    refuses(&other, ERR_BUSY, "another key server");
    arena_free(&other.a);
    world_end(&w);
}

/* Each would write its own mark there, and find the other's at its next start. */
static void two_servers_never_share_a_key_folder(void **state)
{
    struct world w = world_new();
    struct world other = world_new();

    (void)state;
    open_it(&w);
    struct folder own = other.keys;
    other.keys = w.keys;
    refuses(&other, ERR_BUSY, "another key server");
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    other.keys = own;
    world_end(&other);
    world_end(&w);
}

static void folders_that_others_may_write_into_are_refused(void **state)
{
    struct world w = world_new();
    const struct folder *const folders[] = {&w.state, &w.keys};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        for (mode_t other = 02; other <= 020; other <<= 3) {
            assert_int_equal(chmod(folders[i]->path, 0700 | other), 0);
            refuses(&w, ERR_DENIED, "chmod go-w");
        }
        assert_int_equal(chmod(folders[i]->path, 0755), 0);
    }
    open_it(&w);
    world_end(&w);
}

static void a_database_of_another_version_is_refused(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    close_it(&w);
    meddle(&w, "PRAGMA user_version = 2");
    refuses(&w, ERR_VERSION, "version 2");
    meddle(&w, "PRAGMA user_version = 0");
    refuses(&w, ERR_VERSION, "version 0");
    world_end(&w);
}

/* ---- what was changed ---- */

static void meddle_and_refuse(const char *sql, const char *words)
{
    struct world w = world_new();

    open_it(&w);
    put(&w, true, "a", "1");
    put(&w, true, "b", "2");
    close_it(&w);
    meddle(&w, sql);
    refuses(&w, ERR_AUTH, words);
    world_end(&w);
}

static void a_row_in_another_place_is_refused(void **state)
{
    (void)state;
    meddle_and_refuse("UPDATE tek SET value = (SELECT value FROM tek WHERE key = x'62') "
                      "WHERE key = x'61'",
                      "row 61 of table tek");
    meddle_and_refuse("INSERT INTO kek SELECT * FROM tek", "of table kek");
    meddle_and_refuse("UPDATE tek SET key = x'63' WHERE key = x'61'", "row 63 of table tek");
    meddle_and_refuse("UPDATE tek SET value = x'00' WHERE key = x'61'", "row 61 of table tek");
    meddle_and_refuse("UPDATE meta SET value = x'00' WHERE key = CAST('clock' AS BLOB)",
                      "of table meta");
    meddle_and_refuse("DELETE FROM meta WHERE key = CAST('clock' AS BLOB)", "of table meta");
    meddle_and_refuse("DELETE FROM meta WHERE key = CAST('check' AS BLOB)", "of table meta");
    meddle_and_refuse("UPDATE meta SET value = x'0102' WHERE key = CAST('instance' AS BLOB)",
                      "of table meta");
    meddle_and_refuse("UPDATE meta SET value = zeroblob(16) WHERE key = CAST('instance' AS BLOB)",
                      "not the key of");
}

static void a_damaged_file_is_refused(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    for (char key[] = "k00"; key[1] <= '9'; key[1]++)
        put(&w, true, key, "a value that takes some room in the file, so that it has more pages");
    close_it(&w);
    int fd = open(folder_file(&w.state, "conclave.db"), O_WRONLY);
    for (off_t at = 4096; at < 8 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, at), 23);
    close(fd);
    refuses(&w, ERR_DAMAGED, "damaged");
    folder_write(&w.state, "conclave.db", "this is no database at all, and long enough", 43);
    refuses(&w, ERR_DAMAGED, "damaged");
    world_end(&w);
}

/* ---- the key and its mark ---- */

static void without_its_key_a_database_is_not_opened(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    put(&w, true, "a", "1");
    close_it(&w);
    assert_int_equal(unlink(folder_file(&w.keys, "store.key")), 0);
    refuses(&w, ERR_NOT_FOUND, "store.key is not there");
    world_end(&w);
}

static void with_another_key_a_database_is_not_opened(void **state)
{
    struct world w = world_new(), other = world_new();

    (void)state;
    open_it(&w);
    close_it(&w);
    open_it(&other);
    close_it(&other);
    struct folder mine = w.keys;
    w.keys = other.keys;
    refuses(&w, ERR_AUTH, "not the key of");
    w.keys = mine;
    world_end(&w);
    world_end(&other);
}

static size_t copy_of(const struct world *w, uint8_t *octets, size_t room)
{
    return folder_read(&w->state, "conclave.db", octets, room);
}

static void an_older_copy_of_the_database_is_seen(void **state)
{
    static uint8_t octets[1 << 20];
    struct world w = world_new();

    (void)state;
    open_it(&w);
    put(&w, true, "a", "1");
    close_it(&w);
    size_t len = copy_of(&w, octets, sizeof octets);
    open_it(&w);
    assert_false(w.c.keys_lost);
    put(&w, true, "a", "2");
    close_it(&w);
    folder_write(&w.state, "conclave.db", octets, len);
    open_it(&w);
    assert_true(w.c.keys_lost);
    close_it(&w);
    open_it(&w); /* nobody has taken the keys out yet */
    assert_true(w.c.keys_lost);
    put(&w, false, "a", NULL);
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    world_end(&w);
}

static void a_database_without_its_mark_is_not_believed(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    close_it(&w);
    assert_int_equal(unlink(folder_file(&w.keys, "store.mark")), 0);
    open_it(&w); /* it has no rows: nothing to lose */
    assert_false(w.c.keys_lost);
    put(&w, false, "a", "1");
    close_it(&w);
    open_it(&w);
    assert_true(w.c.keys_lost);
    world_end(&w);
}

/* The log of SQLite was cut behind the transaction that made the database. */
static void a_database_that_has_lost_all_of_its_rows_is_told(void **state)
{
    static uint8_t octets[1 << 20];
    struct world w = world_new();

    (void)state;
    open_it(&w);
    close_it(&w);
    size_t len = copy_of(&w, octets, sizeof octets);
    open_it(&w);
    assert_false(w.c.keys_lost);
    put(&w, true, "a", "1");
    close_it(&w);
    folder_write(&w.state, "conclave.db", octets, len);
    open_it(&w);
    assert_int_equal(w.c.n_rows, 0);
    assert_true(w.c.keys_lost);
    put(&w, true, "a", "2");
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    world_end(&w);
}

static void a_new_database_where_one_was_is_told(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    put(&w, true, "a", "1");
    close_it(&w);
    assert_int_equal(unlink(folder_file(&w.state, "conclave.db")), 0);
    open_it(&w);
    assert_true(w.c.is_new);
    assert_true(w.c.keys_lost);
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    world_end(&w);
}

/* ---- a disk that does not take more ---- */

static void set_file_limit(rlim_t octets)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_nothing_and_is_told(void **state)
{
    static char large[200000];
    struct world w = world_new();

    (void)state;
    memset(large, 'x', sizeof large - 1);
    open_it(&w);
    put(&w, true, "a", "1");
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(100000);
    enum err e = commit_one(&w, true, "b", large);
    set_file_limit(RLIM_INFINITY);
    assert_int_not_equal(e, ERR_OK);
    assert_true(strlen(w.why.text) > 0);
    put(&w, true, "c", "3"); /* there is room again */
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    assert_int_equal(w.c.n_rows, 2);
    expect_row(&w, 0, "a", "1");
    expect_row(&w, 1, "c", "3");
    world_end(&w);
}

/* Where the open server writes its mark. */
static int mark_descriptor(const struct world *w)
{
    struct stat mark, st;

    assert_int_equal(stat(folder_file(&w->keys, "store.mark"), &mark), 0);
    for (int fd = 0; fd < 64; fd++) {
        if (fstat(fd, &st) == 0 && st.st_dev == mark.st_dev && st.st_ino == mark.st_ino)
            return fd;
    }
    fail_msg("the mark is not open");
    return -1;
}

/* The database has taken it already, so it counts; but nothing more is taken without a mark. */
static void without_a_mark_one_commit_is_the_last(void **state)
{
    struct world w = world_new();

    (void)state;
    open_it(&w);
    put(&w, true, "a", "1");
    int mark = mark_descriptor(&w), kept = dup(mark), full = open("/dev/full", O_RDWR);
    assert_true(kept >= 0 && full >= 0 && dup2(full, mark) == mark);
    put(&w, true, "b", "2");
    assert_int_equal(commit_one(&w, true, "c", "3"), ERR_NO_SPACE);
    assert_non_null(strstr(w.why.text, "store.mark"));
    put(&w, false, "d", "4");
    assert_int_equal(dup2(kept, mark), mark);
    close(kept); /* it holds the lock, too */
    close_it(&w);
    open_it(&w);
    assert_false(w.c.keys_lost);
    assert_int_equal(w.c.n_rows, 3);
    expect_row(&w, 0, "a", "1");
    expect_row(&w, 1, "b", "2");
    expect_row(&w, 2, "d", "4");
    put(&w, true, "c", "5"); /* it can be written again */
    close(full);
    world_end(&w);
}

static struct folder below(const struct folder *parent, const char *name)
{
    struct folder f;

    assert_true((size_t)snprintf(f.path, sizeof f.path, "%s%s", parent->path, name) <
                sizeof f.path);
    return f;
}

static void folders_are_made_or_refused(void **state)
{
    struct world w = world_new();
    struct folder state_dir = w.state, key_dir = w.keys;
    struct stat st;

    (void)state;
    w.state = below(&state_dir, "/db");
    w.keys = below(&key_dir, "/keys");
    open_it(&w);
    close_it(&w);
    assert_int_equal(stat(w.keys.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    w.state = below(&w.keys, "/store.key/x");
    refuses(&w, ERR_SYSTEM, "cannot make folder");
    w.state = state_dir;
    w.keys = key_dir;
    world_end(&w);
}

static int start(void **state)
{
    const char *what;

    (void)state;
    return crypto_start(CRYPTO_USE_ALL, &what) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(a_killed_process_loses_nothing_that_was_answered),
        cmocka_unit_test(several_transactions_are_one_commit),
        cmocka_unit_test(the_clock_is_noted_with_each_commit),
        cmocka_unit_test(files_are_their_owners_only),
        cmocka_unit_test(no_value_lies_open_on_the_disk),
        cmocka_unit_test(two_servers_never_share_a_store),
        cmocka_unit_test(two_servers_never_share_a_key_folder),
        cmocka_unit_test(folders_that_others_may_write_into_are_refused),
        cmocka_unit_test(a_database_of_another_version_is_refused),
        cmocka_unit_test(a_row_in_another_place_is_refused),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(without_its_key_a_database_is_not_opened),
        cmocka_unit_test(with_another_key_a_database_is_not_opened),
        cmocka_unit_test(an_older_copy_of_the_database_is_seen),
        cmocka_unit_test(a_database_without_its_mark_is_not_believed),
        cmocka_unit_test(a_database_that_has_lost_all_of_its_rows_is_told),
        cmocka_unit_test(a_new_database_where_one_was_is_told),
        cmocka_unit_test(a_full_disk_loses_nothing_and_is_told),
        cmocka_unit_test(without_a_mark_one_commit_is_the_last),
        cmocka_unit_test(folders_are_made_or_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

/* The store at work: in which order it answers, what it does when the disk takes no more. */
#include "cmd/keeper.h"

#include "crypto/crypto.h"
#include "host/clock.h"
#include "unit/sqlite/folder.h"

#include <sys/resource.h>

enum { ANSWERS_MAX = 64 };

struct world {
    struct folder folder;
    struct host *host;
    struct keeper *keeper;
    struct arena a;
    struct database_contents contents;
    struct {
        uint64_t id;
        enum err err;
    } answers[ANSWERS_MAX];
    size_t n, wanted, n_failures, n_recoveries;
};

static void on_due(void *ctx, instant_t now)
{
    struct world *w = ctx;

    keeper_timer(w->keeper, now);
    host_arm(w->host, keeper_due(w->keeper));
}
static void on_stop(void *ctx) { (void)ctx; }

static void on_stored(void *ctx, uint64_t id, enum err err)
{
    struct world *w = ctx;

    assert_true(w->n < ANSWERS_MAX);
    w->answers[w->n].id = id;
    w->answers[w->n++].err = err;
    if (w->n == w->wanted)
        host_quit(w->host);
}

static void on_tell(void *ctx, const struct event *e)
{
    struct world *w = ctx;

    w->n_failures += e->id == EV_STORE;
    w->n_recoveries += e->id == EV_STORE_AGAIN;
}

static void open_keeper(struct world *w)
{
    const struct keeper_config config = {.host = w->host,
                                         .program = "keeper_test",
                                         .state_dir = w->folder.path,
                                         .key_dir = w->folder.path,
                                         .ctx = w,
                                         .stored = on_stored,
                                         .tell = on_tell};

    assert_int_equal(keeper_open(&config, &w->a, &w->keeper, &w->contents), ERR_OK);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    const struct host_hooks hooks = {w, on_due, on_stop};

    assert_non_null(w);
    w->folder = folder_new();
    assert_int_equal(host_new(&hooks, 1, &w->host), ERR_OK);
    open_keeper(w);
    return w;
}

static void reopen(struct world *w)
{
    keeper_close(w->keeper);
    w->keeper = NULL;
    open_keeper(w);
}

static void world_end(struct world *w)
{
    keeper_close(w->keeper);
    host_free(w->host);
    arena_free(&w->a);
    folder_free(&w->folder);
    free(w);
}

static void take(struct world *w, uint64_t id, const char *key, struct bytes value)
{
    struct arena a = {0}; /* gone before it is stored: the keeper has a copy */
    struct store_tx *tx = store_tx_new(&a, id, id != 0);

    store_put(&a, tx, STORE_TEK, bytes_str(key), value);
    keeper_take(w->keeper, tx);
    arena_free(&a);
}

static void wait_for(struct world *w, size_t n)
{
    w->wanted = n;
    if (w->n < n)
        host_run(w->host);
}

static void answers_come_in_order(void **state)
{
    struct world *w = world_new();

    (void)state;
    for (uint64_t id = 1; id <= 20; id++) {
        take(w, id, "k", bytes(&id, sizeof id));
        take(w, 0, "nobody waits", bytes(&id, sizeof id));
    }
    wait_for(w, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(w->answers[i].id, i + 1);
        assert_int_equal(w->answers[i].err, ERR_OK);
    }
    reopen(w);
    assert_int_equal(w->contents.n_rows, 2);
    const uint64_t last = 20;
    assert_true(bytes_equal(w->contents.rows[0].value, bytes(&last, sizeof last)));
    assert_true(bytes_equal(w->contents.rows[1].value, bytes(&last, sizeof last)));
    world_end(w);
}

static void what_waits_is_stored_at_the_end(void **state)
{
    struct world *w = world_new();

    (void)state;
    take(w, 0, "a", bytes_str("1"));
    take(w, 0, "b", bytes_str("2"));
    take(w, 7, "c", bytes_str("3"));
    reopen(w);
    assert_int_equal(w->contents.n_rows, 3);
    assert_int_equal(w->n, 0); /* answers go to nobody */
    world_end(w);
}

static void set_file_limit(rlim_t octets)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_takes_no_more_is_told_and_tried_again(void **state)
{
    static uint8_t large[300000];
    struct world *w = world_new();

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    take(w, 1, "a", bytes_str("1"));
    wait_for(w, 1);
    set_file_limit(100000);
    take(w, 2, "lost", BYTES_OF(large));
    wait_for(w, 2);
    assert_int_not_equal(w->answers[1].err, ERR_OK);
    assert_int_equal(w->n_failures, 1);
    take(w, 0, "member", bytes_str("registered meanwhile"));
    assert_false(instant_is_never(keeper_due(w->keeper)));
    set_file_limit(RLIM_INFINITY);
    take(w, 3, "b", bytes_str("2"));
    wait_for(w, 3);
    assert_int_equal(w->answers[2].err, ERR_OK);
    assert_int_equal(w->n_recoveries, 1);
    reopen(w);
    assert_int_equal(w->contents.n_rows, 3); /* a, b and the member, which nobody waited for */
    world_end(w);
}

static void what_nobody_waits_for_is_tried_again_when_due(void **state)
{
    static uint8_t large[300000];
    struct world *w = world_new();

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(100000);
    take(w, 1, "lost", BYTES_OF(large));
    take(w, 0, "kept", BYTES_OF(large));
    wait_for(w, 1);
    set_file_limit(RLIM_INFINITY);
    instant_t due = keeper_due(w->keeper);
    keeper_timer(w->keeper, instant_add(due, span_ms(-1)));
    assert_int_equal(keeper_due(w->keeper).ns, due.ns);
    keeper_timer(w->keeper, due);
    assert_true(instant_is_never(keeper_due(w->keeper)));
    take(w, 2, "b", bytes_str("2"));
    wait_for(w, 2);
    assert_int_equal(w->answers[1].err, ERR_OK);
    reopen(w);
    assert_int_equal(w->contents.n_rows, 2);
    world_end(w);
}

/* More than may wait of what nobody waits for: some of it is lost. */
static void flood(struct world *w)
{
    static uint8_t megabyte[1 << 20];
    char key[24];

    for (int i = 0; i <= KEEPER_OCTETS_MAX / (int)sizeof megabyte; i++) {
        snprintf(key, sizeof key, "flood %d", i);
        take(w, 0, key, BYTES_OF(megabyte));
    }
}

static bool is_kept(const struct world *w, const char *key)
{
    for (size_t i = 0; i < w->contents.n_rows; i++) {
        if (bytes_equal(w->contents.rows[i].key, bytes_str(key)))
            return true;
    }
    return false;
}

static void a_store_that_works_again_takes_everything_again(void **state)
{
    static uint8_t large[300000];
    struct world *w = world_new();

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(100000);
    take(w, 1, "lost", BYTES_OF(large));
    wait_for(w, 1);
    flood(w);
    take(w, 2, "lost", BYTES_OF(large));
    wait_for(w, 2);
    assert_int_equal(w->n_failures, 3); /* twice the disk, and once that too much waits */
    set_file_limit(RLIM_INFINITY);
    take(w, 3, "b", bytes_str("2"));
    wait_for(w, 3);
    assert_int_equal(w->answers[2].err, ERR_OK);
    take(w, 0, "member", bytes_str("registered after that"));
    take(w, 4, "c", bytes_str("3"));
    wait_for(w, 4);
    reopen(w);
    assert_true(is_kept(w, "c") && is_kept(w, "member"));
    assert_true(is_kept(w, "flood 0") && is_kept(w, "flood 9")); /* what had found room */
    world_end(w);
}

static void a_disk_that_never_answers_fills_no_memory(void **state)
{
    struct world *w = world_new();

    (void)state;
    take(w, 1, "a", bytes_str("1")); /* its answer is not looked at yet */
    flood(w);
    assert_int_equal(w->n_failures, 1);
    take(w, 2, "b", bytes_str("2")); /* somebody waits for it: it is never dropped */
    wait_for(w, 2);
    assert_int_equal(w->n_failures, 1);
    reopen(w);
    assert_true(is_kept(w, "a") && is_kept(w, "b") && is_kept(w, "flood 0"));
    world_end(w);
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
        cmocka_unit_test(answers_come_in_order),
        cmocka_unit_test(what_waits_is_stored_at_the_end),
        cmocka_unit_test(a_disk_that_takes_no_more_is_told_and_tried_again),
        cmocka_unit_test(what_nobody_waits_for_is_tried_again_when_due),
        cmocka_unit_test(a_store_that_works_again_takes_everything_again),
        cmocka_unit_test(a_disk_that_never_answers_fills_no_memory),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

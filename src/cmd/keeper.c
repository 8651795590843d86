#include "cmd/keeper.h"

#include "host/clock.h"
#include "host/worker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Transactions that are committed together. */
struct batch {
    struct arena arena;
    const struct store_tx **txs;
    size_t n, room;
};
struct keeper {
    struct keeper_config config;
    struct database *database;
    struct host_worker *worker;
    uint8_t boot_id[STORE_BOOT_ID];
    span_t shift;
    struct batch waiting, running;
    bool busy, failing, has_told_full;
    instant_t due;
    /* the worker's results */
    enum err err;
    struct why why;
};

static_assert((int)STORE_BOOT_ID == (int)HOST_BOOT_ID, "the store keeps what the host tells");

/* ---- batches ---- */

static struct store_tx *tx_copy(struct arena *a, const struct store_tx *tx)
{
    struct store_tx *copy = store_tx_new(a, tx->id, tx->durable);

    for (const struct store_op *op = tx->first; op; op = op->next) {
        if (op->put)
            store_put(a, copy, op->table, op->key, op->value);
        else
            store_delete(a, copy, op->table, op->key);
    }
    return copy;
}

static void batch_add(struct batch *b, const struct store_tx *tx)
{
    if (b->n == b->room) {
        b->room = b->room ? 2 * b->room : 64;
        b->txs = realloc(b->txs, b->room * sizeof *b->txs);
        if (!b->txs)
            abort(); /* KEEPER_OCTETS_MAX bounds it */
    }
    b->txs[b->n++] = tx_copy(&b->arena, tx);
}

static void batch_empty(struct batch *b)
{
    arena_reset(&b->arena);
    b->n = 0;
}

static void batch_free(struct batch *b)
{
    arena_free(&b->arena);
    free(b->txs);
}

/* ---- telling ---- */

static void tell(struct keeper *k, enum event_id id, const char *what, enum err err)
{
    struct event e = event_of(id);

    event_add_str(&e, "folder", k->config.state_dir);
    event_add_str(&e, "what", what);
    if (err)
        event_add_err(&e, err);
    k->config.tell(k->config.ctx, &e);
}

/* ---- commits ---- */

static struct store_clock clock_of(const struct keeper *k)
{
    struct timespec wall;
    struct store_clock c = {.boottime = host_now(), .shift = k->shift};

    host_wall_exact(&wall);
    c.realtime_ns = (int64_t)wall.tv_sec * NS_PER_S + wall.tv_nsec;
    memcpy(c.boot_id, k->boot_id, sizeof c.boot_id);
    return c;
}

static void run(void *ctx)
{
    struct keeper *k = ctx;
    struct store_clock now = clock_of(k);

    k->err = database_commit(k->database, k->running.txs, k->running.n, &now, &k->why);
}

static void done(void *ctx);

static void start(struct keeper *k)
{
    struct batch empty = k->running;

    if (k->busy || k->waiting.n == 0)
        return;
    k->running = k->waiting;
    k->waiting = empty;
    k->busy = true;
    k->due = INSTANT_NEVER;
    host_worker_run(k->worker, run, done, k);
}

/* A store that fails or never answers must not fill the memory with what nobody waits for. */
static bool is_full(struct keeper *k)
{
    bool full = k->running.arena.used + k->waiting.arena.used > KEEPER_OCTETS_MAX;

    if (full && !k->has_told_full)
        tell(k, EV_STORE,
             "too much waits: members that register now will be unknown after a restart",
             ERR_LIMIT);
    k->has_told_full = k->has_told_full || full;
    return full;
}

/* What nobody waits for is taken up again, in front of what came meanwhile. */
static void keep_failed(struct keeper *k)
{
    struct batch failed = {0};

    for (size_t i = 0; i < k->running.n; i++) {
        if (k->running.txs[i]->id == 0)
            batch_add(&failed, k->running.txs[i]);
    }
    for (size_t i = 0; i < k->waiting.n; i++)
        batch_add(&failed, k->waiting.txs[i]);
    batch_free(&k->waiting);
    k->waiting = failed;
}

static void answer(struct keeper *k, const uint64_t *ids, size_t n, enum err err)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i])
            k->config.stored(k->config.ctx, ids[i], err);
    }
}

static void tell_outcome(struct keeper *k)
{
    if (k->err)
        tell(k, EV_STORE, k->why.text, k->err);
    else if (k->failing)
        tell(k, EV_STORE_AGAIN, "transactions are stored again", ERR_OK);
    k->failing = k->err != ERR_OK;
    k->has_told_full = k->has_told_full && k->failing;
}

static void done(void *ctx)
{
    struct keeper *k = ctx;
    size_t n = k->running.n;
    uint64_t *ids = calloc(n + 1, sizeof *ids); /* answers bring further transactions */

    if (!ids)
        abort();
    for (size_t i = 0; i < n; i++)
        ids[i] = k->running.txs[i]->id;
    tell_outcome(k);
    enum err e = k->err;
    if (e)
        keep_failed(k);
    batch_empty(&k->running);
    k->busy = false;
    if (e && k->waiting.n > 0)
        k->due = instant_add(host_now(), KEEPER_RETRY);
    answer(k, ids, n, e);
    free(ids);
    if (!e)
        start(k);
}

void keeper_take(struct keeper *k, const struct store_tx *tx)
{
    if (tx->id == 0 && is_full(k))
        return;
    batch_add(&k->waiting, tx);
    if (!k->failing || tx->id != 0) /* those that somebody waits for try the store again */
        start(k);
    else if (!k->busy && instant_is_never(k->due))
        k->due = instant_add(host_now(), KEEPER_RETRY);
}

instant_t keeper_due(const struct keeper *k) { return k->due; }

void keeper_timer(struct keeper *k, instant_t now)
{
    if (instant_reached(k->due, now))
        start(k);
}

/* ---- life ---- */

static enum err say(const struct keeper_config *config, enum err err, const char *why)
{
    fprintf(stderr, "%s: store: %s\n", config->program, why);
    return err;
}

enum err keeper_open(const struct keeper_config *config, struct arena *a, struct keeper **ret,
                     struct database_contents *ret_contents)
{
    struct keeper *k = calloc(1, sizeof *k);

    if (!k)
        return say(config, ERR_NOMEM, "out of memory");
    k->config = *config;
    k->due = INSTANT_NEVER;
    host_boot_id(k->boot_id);
    const struct database_config database = {config->state_dir, config->key_dir, clock_of(k)};
    enum err e = database_open(&database, a, &k->why, &k->database, ret_contents);
    if (e)
        (void)say(config, e, k->why.text);
    else
        e = host_worker_new(config->host, &k->worker);
    if (e) {
        keeper_close(k);
        return e;
    }
    k->shift = ret_contents->clock.shift;
    *ret = k;
    return ERR_OK;
}

static void store_rest(struct keeper *k)
{
    if (k->waiting.n == 0)
        return;
    batch_empty(&k->running);
    struct batch empty = k->running;
    k->running = k->waiting;
    k->waiting = empty;
    run(k);
    if (k->err)
        tell(k, EV_STORE, k->why.text, k->err);
}

void keeper_close(struct keeper *k)
{
    if (!k)
        return;
    host_worker_free(k->worker);
    if (k->busy && k->err)
        keep_failed(k);
    if (k->database)
        store_rest(k);
    database_close(k->database);
    batch_free(&k->waiting);
    batch_free(&k->running);
    free(k);
}

#include "store/memory.h"

#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

/* An operation, and once it is durable a row. */
struct entry {
    struct entry *next; /* in the journal */
    bool put;
    size_t key_len, value_len;
    uint8_t octets[]; /* table, key, value */
};
struct store_memory {
    struct map durable;
    struct entry *journal, **journal_end; /* what only the system has, oldest first */
    uint64_t revision;
    enum err why;
    size_t after, times; /* the planned fault */
};

/* ---- entries ---- */

static struct bytes map_key(const struct entry *e) { return bytes(e->octets, 1 + e->key_len); }

static struct entry *entry_new(enum store_table table, bool put, struct bytes key,
                               struct bytes value)
{
    struct entry *e = calloc(1, sizeof *e + 1 + key.len + value.len);

    if (!e)
        abort();
    *e = (struct entry){.put = put, .key_len = key.len, .value_len = value.len};
    e->octets[0] = (uint8_t)table;
    if (key.len)
        memcpy(e->octets + 1, key.data, key.len);
    if (value.len)
        memcpy(e->octets + 1 + key.len, value.data, value.len);
    return e;
}

static void entry_free(struct entry *e)
{
    if (!e)
        return;
    explicit_bzero(e, sizeof *e + 1 + e->key_len + e->value_len);
    free(e);
}

static struct store_row row_of(const struct entry *e)
{
    return (struct store_row){(enum store_table)e->octets[0], bytes(e->octets + 1, e->key_len),
                              bytes(e->octets + 1 + e->key_len, e->value_len)};
}

/* ---- life ---- */

struct store_memory *store_memory_new(void)
{
    struct store_memory *m = calloc(1, sizeof *m);

    if (!m)
        abort();
    m->journal_end = &m->journal;
    return m;
}

static void forget_journal(struct store_memory *m)
{
    while (m->journal) {
        struct entry *e = m->journal;
        m->journal = e->next;
        entry_free(e);
    }
    m->journal_end = &m->journal;
}

void store_memory_free(struct store_memory *m)
{
    size_t cursor = 0;
    struct entry *e;

    if (!m)
        return;
    forget_journal(m);
    while ((e = map_next(&m->durable, &cursor)))
        entry_free(e);
    map_free(&m->durable);
    free(m);
}

struct store_memory *store_memory_copy(const struct store_memory *m)
{
    struct store_memory *copy = store_memory_new();
    size_t cursor = 0;
    const struct entry *e;

    copy->revision = m->revision;
    while ((e = map_next(&m->durable, &cursor))) {
        struct store_row row = row_of(e);
        struct entry *twin = entry_new(row.table, true, row.key, row.value);
        map_put(&copy->durable, map_key(twin), twin);
    }
    return copy;
}

/* ---- transactions ---- */

static void apply(struct store_memory *m, struct entry *e)
{
    entry_free(map_remove(&m->durable, map_key(e)));
    if (e->put)
        map_put(&m->durable, map_key(e), e);
    else
        entry_free(e);
}

/* All that was handed to the system reaches the disk. */
static void sync_journal(struct store_memory *m)
{
    while (m->journal) {
        struct entry *e = m->journal;
        m->journal = e->next;
        e->next = NULL;
        apply(m, e);
    }
    m->journal_end = &m->journal;
}

void store_memory_plan_fault(struct store_memory *m, enum err why, size_t after, size_t times)
{
    m->why = why;
    m->after = after;
    m->times = times;
}

static bool has_fault(struct store_memory *m)
{
    if (m->times == 0)
        return false;
    if (m->after > 0) {
        m->after--;
        return false;
    }
    m->times--;
    return true;
}

enum err store_memory_commit(struct store_memory *m, const struct store_tx *tx)
{
    if (has_fault(m))
        return m->why;
    for (const struct store_op *op = tx->first; op; op = op->next) {
        *m->journal_end = entry_new(op->table, op->put, op->key, op->value);
        m->journal_end = &(*m->journal_end)->next;
    }
    if (tx->durable) {
        sync_journal(m);
        m->revision++;
    }
    return ERR_OK;
}

uint64_t store_memory_revision(const struct store_memory *m) { return m->revision; }
void store_memory_kill(struct store_memory *m) { sync_journal(m); }
void store_memory_power_cut(struct store_memory *m) { forget_journal(m); }

/* ---- reading ---- */

static int compare(const void *a, const void *b)
{
    const struct store_row *x = a, *y = b;

    return x->table != y->table ? (x->table < y->table ? -1 : 1) : bytes_compare(x->key, y->key);
}

const struct store_row *store_memory_rows(const struct store_memory *m, struct arena *a,
                                          size_t *ret_n)
{
    struct store_row *rows = arena_alloc(a, m->durable.n * sizeof *rows);
    size_t cursor = 0, n = 0;
    const struct entry *e;

    assert(!m->journal);
    while ((e = map_next(&m->durable, &cursor))) {
        struct store_row row = row_of(e);
        rows[n++] =
            (struct store_row){row.table, arena_bytes(a, row.key), arena_bytes(a, row.value)};
    }
    qsort(rows, n, sizeof *rows, compare);
    *ret_n = n;
    return rows;
}

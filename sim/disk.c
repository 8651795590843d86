#include "sim/disk.h"

#include <stdlib.h>

struct disk_row {
    enum store_table table;
    size_t key_len, value_len;
    uint8_t *octets; /* key, then value */
};

struct disk disk_of(void)
{
    return (struct disk){.delay_min = span_ms(1), .delay_max = span_ms(20)};
}

static struct bytes key_of(const struct disk_row *r) { return bytes(r->octets, r->key_len); }

static struct bytes value_of(const struct disk_row *r)
{
    return bytes(r->octets + r->key_len, r->value_len);
}

void disk_free(struct disk *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->rows[i].octets);
    free(d->rows);
    *d = (struct disk){0};
}

static size_t find(const struct disk *d, enum store_table table, struct bytes key)
{
    size_t i = 0;

    while (i < d->n && (d->rows[i].table != table || !bytes_equal(key_of(&d->rows[i]), key)))
        i++;
    return i;
}

static struct disk_row row_of(enum store_table table, struct bytes key, struct bytes value)
{
    struct disk_row r = {table, key.len, value.len, malloc(key.len + value.len + 1)};

    if (!r.octets)
        abort();
    memcpy(r.octets, key.data, key.len);
    if (value.len > 0)
        memcpy(r.octets + key.len, value.data, value.len);
    return r;
}

static void put(struct disk *d, enum store_table table, struct bytes key, struct bytes value)
{
    size_t at = find(d, table, key);

    if (at == d->room) {
        d->room = d->room ? 2 * d->room : 64;
        d->rows = realloc(d->rows, d->room * sizeof *d->rows);
        if (!d->rows)
            abort();
    }
    struct disk_row row = row_of(table, key, value);
    if (at == d->n)
        d->n++;
    else
        free(d->rows[at].octets);
    d->rows[at] = row;
}

static void drop(struct disk *d, enum store_table table, struct bytes key)
{
    size_t at = find(d, table, key);

    if (at == d->n)
        return;
    free(d->rows[at].octets);
    d->rows[at] = d->rows[--d->n];
}

enum err disk_apply(struct disk *d, const struct store_tx *tx)
{
    if (d->failing) {
        d->n_failed++;
        return ERR_SYSTEM;
    }
    for (const struct store_op *op = tx->first; op; op = op->next) {
        if (op->put)
            put(d, op->table, op->key, op->value);
        else
            drop(d, op->table, op->key);
    }
    d->n_stored++;
    return ERR_OK;
}

bool disk_holds(const struct disk *d, enum store_table table, struct bytes octets)
{
    for (size_t i = 0; i < d->n; i++) {
        struct bytes value = value_of(&d->rows[i]);
        if (d->rows[i].table == table && memmem(value.data, value.len, octets.data, octets.len))
            return true;
    }
    return false;
}

const struct store_row *disk_rows(const struct disk *d, struct arena *a, size_t *ret_n)
{
    struct store_row *rows = arena_alloc(a, (d->n + 1) * sizeof *rows);

    for (size_t i = 0; i < d->n; i++)
        rows[i] = (struct store_row){.table = d->rows[i].table,
                                     .key = arena_bytes(a, key_of(&d->rows[i])),
                                     .value = arena_bytes(a, value_of(&d->rows[i]))};
    *ret_n = d->n;
    return rows;
}

void disk_copy(struct disk *to, const struct disk *from)
{
    struct disk copy = *from;

    copy.rows = NULL;
    copy.n = copy.room = 0;
    for (size_t i = 0; i < from->n; i++)
        put(&copy, from->rows[i].table, key_of(&from->rows[i]), value_of(&from->rows[i]));
    disk_free(to);
    *to = copy;
}

#include "store/tx.h"

#include <assert.h>

struct store_tx *store_tx_new(struct arena *a, uint64_t id, bool durable)
{
    struct store_tx *tx = arena_alloc(a, sizeof *tx);

    tx->id = id;
    tx->durable = durable;
    return tx;
}

static void append(struct arena *a, struct store_tx *tx, const struct store_op *op)
{
    struct store_op *copy = arena_copy(a, op, sizeof *op);

    copy->key = arena_bytes(a, op->key);
    copy->value = arena_bytes(a, op->value);
    if (tx->last)
        tx->last->next = copy;
    else
        tx->first = copy;
    tx->last = copy;
    tx->n++;
}

void store_put(struct arena *a, struct store_tx *tx, enum store_table table, struct bytes key,
               struct bytes value)
{
    append(a, tx, &(struct store_op){.table = table, .put = true, .key = key, .value = value});
}

void store_delete(struct arena *a, struct store_tx *tx, enum store_table table, struct bytes key)
{
    append(a, tx, &(struct store_op){.table = table, .key = key});
}

const char *store_table_name(enum store_table t)
{
    static const char *const names[] = {
#define X(id, name) [id] = (name),
        STORE_TABLE_LIST(X)
#undef X
    };

    assert(t < STORE_TABLE_COUNT);
    return names[t];
}

#include "sim/disk.h"

struct disk disk_of(void)
{
    return (struct disk){
        .store = store_memory_new(), .delay_min = span_ms(1), .delay_max = span_ms(20)};
}

void disk_free(struct disk *d)
{
    store_memory_free(d->store);
    store_memory_free(d->backup);
    arena_free(&d->memory);
    *d = (struct disk){0};
}

enum err disk_apply(struct disk *d, const struct store_tx *tx)
{
    if (d->failing) {
        d->n_failed++;
        return ERR_SYSTEM;
    }
    d->n_stored++;
    return store_memory_commit(d->store, tx);
}

static void look(struct disk *d)
{
    struct store_memory *copy = store_memory_copy(d->store);

    arena_reset(&d->memory);
    d->durable = store_memory_rows(copy, &d->memory, &d->n_durable);
    d->revision = store_memory_revision(d->store);
    store_memory_free(copy);
}

bool disk_holds(struct disk *d, enum store_table table, struct bytes octets)
{
    if (!d->durable || d->revision != store_memory_revision(d->store))
        look(d);
    for (size_t i = 0; i < d->n_durable; i++) {
        const struct store_row *r = &d->durable[i];
        if (r->table == table && memmem(r->value.data, r->value.len, octets.data, octets.len))
            return true;
    }
    return false;
}

const struct store_row *disk_rows(struct disk *d, bool power_cut, struct arena *a, size_t *ret_n)
{
    if (power_cut)
        store_memory_power_cut(d->store);
    else
        store_memory_kill(d->store);
    d->durable = NULL;
    return store_memory_rows(d->store, a, ret_n);
}

void disk_backup(struct disk *d)
{
    store_memory_free(d->backup);
    d->backup = store_memory_copy(d->store);
}

void disk_restore(struct disk *d)
{
    store_memory_free(d->store);
    d->store = d->backup ? d->backup : store_memory_new();
    d->backup = NULL;
    d->durable = NULL;
    d->restored = true;
}

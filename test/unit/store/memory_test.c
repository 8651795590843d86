#include "store/memory.h"

#include "test/check.h"

struct world {
    struct arena a;
    struct store_memory *m;
    const struct store_row *rows; /* as last read */
    size_t n;
};

static struct world world_new(void) { return (struct world){.m = store_memory_new()}; }
static void world_end(struct world *w)
{
    store_memory_free(w->m);
    arena_free(&w->a);
}

static struct store_tx *tx(struct world *w, bool durable)
{
    return store_tx_new(&w->a, 1, durable);
}

static enum err put(struct world *w, bool durable, const char *key, const char *value)
{
    struct store_tx *t = tx(w, durable);

    store_put(&w->a, t, STORE_TEK, bytes_str(key), bytes_str(value));
    return store_memory_commit(w->m, t);
}

static void read_all(struct world *w) { w->rows = store_memory_rows(w->m, &w->a, &w->n); }

static void assert_row(const struct store_row *row, const char *key, const char *value)
{
    assert_true(bytes_equal(row->key, bytes_str(key)));
    assert_true(bytes_equal(row->value, bytes_str(value)));
}

static void a_kill_loses_nothing_that_was_committed(void **state)
{
    struct world w = world_new();

    (void)state;
    assert_int_equal(put(&w, true, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, false, "b", "2"), ERR_OK);
    store_memory_kill(w.m);
    read_all(&w);
    assert_int_equal(w.n, 2);
    assert_row(&w.rows[0], "a", "1");
    assert_row(&w.rows[1], "b", "2");
    world_end(&w);
}

static void a_power_cut_loses_what_was_not_durable(void **state)
{
    struct world w = world_new();

    (void)state;
    assert_int_equal(put(&w, true, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, false, "a", "2"), ERR_OK);
    assert_int_equal(put(&w, false, "b", "3"), ERR_OK);
    store_memory_power_cut(w.m);
    read_all(&w);
    assert_int_equal(w.n, 1);
    assert_row(&w.rows[0], "a", "1");
    world_end(&w);
}

static void a_durable_transaction_makes_all_before_it_durable(void **state)
{
    struct world w = world_new();

    (void)state;
    assert_int_equal(put(&w, false, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, true, "b", "2"), ERR_OK);
    store_memory_power_cut(w.m);
    read_all(&w);
    assert_int_equal(w.n, 2);
    assert_int_equal(store_memory_revision(w.m), 1);
    world_end(&w);
}

static void a_row_is_replaced_and_deleted_in_its_table_only(void **state)
{
    struct world w = world_new();
    struct store_tx *t = tx(&w, true);

    (void)state;
    assert_int_equal(put(&w, true, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, true, "b", "1"), ERR_OK);
    store_put(&w.a, t, STORE_GROUP, bytes_str("a"), bytes_str("g"));
    store_put(&w.a, t, STORE_TEK, bytes_str("a"), bytes_str("2"));
    store_delete(&w.a, t, STORE_TEK, bytes_str("b"));
    store_delete(&w.a, t, STORE_KEK, bytes_str("a")); /* is not there */
    assert_int_equal(store_memory_commit(w.m, t), ERR_OK);
    store_memory_kill(w.m);
    read_all(&w);
    assert_int_equal(w.n, 2);
    assert_int_equal(w.rows[0].table, STORE_GROUP);
    assert_row(&w.rows[0], "a", "g");
    assert_row(&w.rows[1], "a", "2");
    world_end(&w);
}

static void a_planned_fault_changes_nothing(void **state)
{
    struct world w = world_new();

    (void)state;
    store_memory_plan_fault(w.m, ERR_FULL, 1, 2);
    assert_int_equal(put(&w, true, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, true, "a", "2"), ERR_FULL);
    assert_int_equal(put(&w, true, "b", "3"), ERR_FULL);
    store_memory_kill(w.m);
    read_all(&w);
    assert_int_equal(w.n, 1);
    assert_row(&w.rows[0], "a", "1");
    assert_int_equal(store_memory_revision(w.m), 1);
    assert_int_equal(put(&w, true, "b", "3"), ERR_OK);
    world_end(&w);
}

static void a_copy_goes_its_own_way_and_has_only_what_is_durable(void **state)
{
    struct world w = world_new();

    (void)state;
    assert_int_equal(put(&w, true, "a", "1"), ERR_OK);
    assert_int_equal(put(&w, false, "b", "2"), ERR_OK);
    struct store_memory *copy = store_memory_copy(w.m), *first = w.m;
    assert_int_equal(put(&w, true, "c", "3"), ERR_OK);
    w.m = copy;
    read_all(&w);
    assert_int_equal(w.n, 1);
    assert_row(&w.rows[0], "a", "1");
    assert_true(store_memory_revision(copy) < store_memory_revision(first));
    store_memory_free(first);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_nothing_that_was_committed),
        cmocka_unit_test(a_power_cut_loses_what_was_not_durable),
        cmocka_unit_test(a_durable_transaction_makes_all_before_it_durable),
        cmocka_unit_test(a_row_is_replaced_and_deleted_in_its_table_only),
        cmocka_unit_test(a_planned_fault_changes_nothing),
        cmocka_unit_test(a_copy_goes_its_own_way_and_has_only_what_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

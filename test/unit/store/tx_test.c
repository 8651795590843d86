#include "store/tx.h"

#include "test/check.h"

static void operations_keep_their_order_and_their_octets(void **state)
{
    struct arena a = {0};
    uint8_t key[] = {1, 2}, value[] = {3};
    struct store_tx *tx = store_tx_new(&a, 7, true);

    (void)state;
    store_put(&a, tx, STORE_TEK, BYTES_OF(key), BYTES_OF(value));
    store_delete(&a, tx, STORE_BAN, BYTES_OF(key));
    key[0] = value[0] = 9; /* they were copied */
    assert_int_equal(tx->id, 7);
    assert_true(tx->durable);
    assert_int_equal(tx->n, 2);
    const struct store_op *put = tx->first, *gone = put->next;
    assert_true(put->put);
    assert_int_equal(put->table, STORE_TEK);
    assert_true(bytes_equal(put->key, bytes("\1\2", 2)));
    assert_true(bytes_equal(put->value, bytes("\3", 1)));
    assert_false(gone->put);
    assert_int_equal(gone->table, STORE_BAN);
    assert_int_equal(gone->value.len, 0);
    assert_null(gone->next);
    arena_free(&a);
}

static void every_table_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STORE_TABLE_COUNT; i++) {
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(store_table_name(i), store_table_name(k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_keep_their_order_and_their_octets),
        cmocka_unit_test(every_table_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The heap against a model that searches a plain array. */
#include "base/compiler.h"
#include "base/heap.h"
#include "test/check.h"

enum { OBJECTS = 200, STEPS = 50000 };

struct object {
    int number;
    struct heap_node node;
};

/* The model: when each object is due (NEVER = outside) and when it was last put in. */
struct model {
    instant_t due[OBJECTS];
    uint64_t put_at[OBJECTS];
};

static int model_first(const struct model *m)
{
    int best = -1;
    for (int i = 0; i < OBJECTS; i++) {
        if (instant_is_never(m->due[i]))
            continue;
        if (best < 0 || m->due[i].ns < m->due[best].ns ||
            (m->due[i].ns == m->due[best].ns && m->put_at[i] < m->put_at[best]))
            best = i;
    }
    return best;
}

static void assert_same_first(const struct heap *h, const struct model *m)
{
    int want = model_first(m);
    struct heap_node *first = heap_first(h);

    if (want < 0) {
        assert_null(first);
        assert_true(instant_is_never(heap_due(h)));
        return;
    }
    assert_non_null(first);
    assert_int_equal(HEAP_OBJECT(first, struct object, node)->number, want);
    assert_int_equal(heap_due(h).ns, m->due[want].ns);
}

static void set(struct heap *h, struct model *m, struct object *o, instant_t due, uint64_t step)
{
    heap_set(h, &o->node, due);
    m->due[o->number] = due;
    m->put_at[o->number] = step;
}

static void test_random_operations_equal_the_model(void **state)
{
    (void)state;
    static struct object objects[OBJECTS];
    static struct model m;
    struct heap h = {0};
    struct dice dice = {20};

    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = (struct object){.number = i};
        m.due[i] = INSTANT_NEVER;
    }
    for (uint64_t step = 1; step <= STEPS; step++) {
        struct object *o = &objects[dice_below(&dice, OBJECTS)];
        size_t kind = dice_below(&dice, 10);
        struct heap_node *first = heap_first(&h);
        if (kind == 0)
            set(&h, &m, o, INSTANT_NEVER, step);
        else if (kind < 3 && first)
            set(&h, &m, HEAP_OBJECT(first, struct object, node), INSTANT_NEVER, step);
        else
            set(&h, &m, o, (instant_t){(int64_t)dice_below(&dice, 50)}, step);
        assert_same_first(&h, &m);
    }
    heap_free(&h);
}

static void test_equal_times_fire_in_the_order_of_insertion(void **state)
{
    (void)state;
    struct object o[40] = {0};
    struct heap h = {0};

    for (int i = 0; i < 40; i++) {
        o[i].number = i;
        heap_set(&h, &o[i].node, (instant_t){7});
    }
    heap_set(&h, &o[0].node, (instant_t){7}); /* set again: now the last */
    for (int i = 1; i <= 40; i++) {
        struct heap_node *first = heap_first(&h);
        assert_int_equal(HEAP_OBJECT(first, struct object, node)->number, i % 40);
        heap_remove(&h, first);
    }
    assert_null(heap_first(&h));
    heap_free(&h);
}

static void test_remove_outside_is_nothing(void **state)
{
    (void)state;
    struct heap h = {0};
    struct object in = {0}, out = {0};
    heap_remove(&h, &out.node);
    heap_set(&h, &out.node, INSTANT_NEVER);
    assert_null(heap_first(&h));
    heap_set(&h, &in.node, (instant_t){1});
    heap_remove(&h, &out.node);
    assert_ptr_equal(heap_first(&h), &in.node);
    heap_remove(&h, &in.node);
    heap_remove(&h, &in.node);
    assert_int_equal(h.n, 0);
    heap_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_equal_the_model),
        cmocka_unit_test(test_equal_times_fire_in_the_order_of_insertion),
        cmocka_unit_test(test_remove_outside_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "data/nexthop.h"

#include "test/check.h"

#include <stdlib.h>

static void known_for_a_second_then_asked_again(void **state)
{
    (void)state;
    struct nexthops *n = calloc(1, sizeof *n);
    struct sockaddr_ll to = {.sll_ifindex = 5}, other = {.sll_ifindex = 6};
    instant_t t = {NS_PER_S};
    bool ask = false;
    uint32_t wanted[2];
    assert_non_null(n);
    assert_null(nexthop_find(n, 10, t, &ask));
    assert_true(ask);
    ask = false;
    assert_null(nexthop_find(n, 10, t, &ask)); /* asked once only */
    assert_false(ask);
    assert_int_equal(nexthop_wanted(n, wanted, 2), 1);
    assert_int_equal(wanted[0], 10);
    nexthop_store(n, 10, &to, t);
    assert_int_equal(nexthop_wanted(n, wanted, 2), 0);
    t = instant_add(t, span_ms(NEXTHOP_LIFE_MS - 1));
    assert_int_equal(nexthop_find(n, 10, t, &ask)->sll_ifindex, 5);
    assert_false(ask);
    t = instant_add(t, span_ms(1)); /* through the kernel, which so keeps its neighbour */
    assert_null(nexthop_find(n, 10, t, &ask));
    assert_true(ask);
    nexthop_store(n, 10, NULL, t); /* no such way now */
    ask = false;
    assert_null(nexthop_find(n, 10, t, &ask));
    assert_false(ask);
    t = instant_add(t, span_ms(NEXTHOP_RETRY_MS));
    assert_null(nexthop_find(n, 10, t, &ask));
    assert_true(ask);
    nexthop_store(n, 11, &other, t); /* an answer that nobody asked for */
    assert_null(nexthop_find(n, 11, t, &ask));
    free(n);
}

static void a_collision_costs_speed_only(void **state)
{
    (void)state;
    struct nexthops *n = calloc(1, sizeof *n);
    instant_t t = {NS_PER_S};
    bool ask = false;
    assert_non_null(n);
    for (uint32_t i = 1; i <= 4 * NEXTHOPS; i++) {
        struct sockaddr_ll to = {.sll_ifindex = (int)i};
        assert_null(nexthop_find(n, i, t, &ask));
        nexthop_store(n, i, &to, t);
        assert_int_equal(nexthop_find(n, i, t, &ask)->sll_ifindex, i);
    }
    size_t hits = 0;
    for (uint32_t i = 1; i <= 4 * NEXTHOPS; i++) {
        const struct sockaddr_ll *to = nexthop_find(n, i, t, &ask);
        if (to) {
            assert_int_equal(to->sll_ifindex, i); /* never somebody else's */
            hits++;
        }
    }
    assert_true(hits <= NEXTHOPS);
    free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_for_a_second_then_asked_again),
        cmocka_unit_test(a_collision_costs_speed_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

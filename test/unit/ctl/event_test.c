#include "ctl/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_event_becomes_a_tree(void **state)
{
    struct event e = event_of(EV_MEMBER_REFUSED);
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    struct ctl_wr w = {0};

    (void)state;
    event_add_str(&e, "group", "grp1");
    event_add_u64(&e, "count", 3);
    event_add_hex(&e, "spi", bytes("\1\2", 2));
    event_add_str(&e, "group", "a second field of that key");
    event_add_str(&e, "level", "a field that would hide the event's own");
    ctl_put_event(&w, &e, (wall_t){1000});
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&w.buf), &tree), ERR_OK);
    assert_int_equal(tree->n, 6);
    assert_string_equal(ctl_find_text(tree, "event"), "member-refused");
    assert_string_equal(ctl_find_text(tree, "level"), "warning");
    assert_int_equal(ctl_find(tree, "time")->time.s, 1000);
    assert_string_equal(ctl_find_text(tree, "group"), "grp1");
    assert_int_equal(ctl_find_u64(tree, "count"), 3);
    assert_int_equal(ctl_find(tree, "spi")->type, CTL_BYTES);
    ctl_buf_free(&w.buf);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_event_becomes_a_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cli/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ctl_node *tree(struct arena *arena)
{
    struct ctl_wr w = {0};
    struct ctl_node *root = NULL;
    struct prefix net;

    assert_true(prefix_parse("10.8.0.0/13", false, &net));
    ctl_put_str(&w, "name", "outer");
    ctl_put_u64(&w, "zero", 0);
    ctl_put_prefix(&w, "net", net);
    ctl_put_bool(&w, "up", true);
    ctl_section(&w, "inner");
    ctl_put_u64(&w, "n", 7);
    ctl_end(&w);
    ctl_list(&w, "items");
    ctl_section(&w, NULL);
    ctl_put_str(&w, "name", "first");
    ctl_end(&w);
    ctl_section(&w, NULL);
    ctl_end(&w);
    ctl_end(&w);
    ctl_list(&w, "none");
    ctl_end(&w);
    assert_int_equal(ctl_tree_parse(arena, ctl_buf_bytes(&w.buf), &root), ERR_OK);
    ctl_buf_free(&w.buf);
    return root;
}

static void check(const char *const *view, const char *want)
{
    struct arena arena = {0};
    char *got = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&got, &len);

    assert_non_null(mem);
    cli_view_print(mem, view, tree(&arena));
    fclose(mem);
    assert_string_equal(got, want);
    free(got);
    arena_free(&arena);
}

static void places_are_filled(void **state)
{
    (void)state;
    check((const char *const[]){"a ${name} ${inner.n} ${absent}.", NULL}, "a outer 7 .\n");
    check((const char *const[]){"${#items} ${#none} ${#absent}", NULL}, "2 0 0\n");
    check((const char *const[]){"${net} ${net.first} ${net.last}", NULL},
          "10.8.0.0/13 10.8.0.0 10.15.255.255\n");
    check((const char *const[]){"${zero|any} ${absent|no} ${name|no}", NULL}, "any no outer\n");
    check((const char *const[]){"${up?Up:Down} ${zero?Up:Down} ${absent?:gone}", NULL},
          "Up Down gone\n");
    check((const char *const[]){"costs $5 ", NULL}, "costs $5\n");
}

static void columns_are_reached(void **state)
{
    (void)state;
    check((const char *const[]){"${name}$>8x$>8y", NULL}, "outer   x y\n");
}

static void blocks_repeat_and_choose(void **state)
{
    (void)state;
    check((const char *const[]){"@each items", "${name} ${zero}", "@end", "end", NULL},
          "first 0\nouter 0\nend\n");
    check((const char *const[]){"@if up", "yes", "@if zero", "no", "@end", "@end", "@unless none",
                                "empty", "@end", "@if absent", "no", "@end", NULL},
          "yes\nempty\n");
    check((const char *const[]){"@each none", "no", "@end", "@each name", "no", "@end", NULL}, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled),
        cmocka_unit_test(columns_are_reached),
        cmocka_unit_test(blocks_repeat_and_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

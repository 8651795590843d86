/* The table itself: what the code takes for granted of each row. */
#include "conf/schema.h"
#include "conf/tree.h"
#include "conf/value.h"
#include "test/check.h"

#include <stdio.h>

static struct arena arena;

typedef void visit(const struct conf_schema *s, unsigned depth);

static void walk(const struct conf_schema *s, unsigned depth, visit *f)
{
    f(s, depth);
    for (const struct conf_schema *c = s->children; c && c->name; c++)
        walk(c, depth + 1, f);
}

static unsigned deepest, rows;

static void measure(const struct conf_schema *s, unsigned depth)
{
    (void)s;
    deepest = depth > deepest ? depth : deepest;
    rows++;
}

static void test_depth(void **state)
{
    (void)state;
    walk(conf_schema_root(), 0, measure);
    assert_true(deepest <= CONF_SCHEMA_DEPTH_MAX);
    assert_true(rows > 150);
}

static void check_row(const struct conf_schema *s, unsigned depth)
{
    bool has_value = s->kind == CONF_LEAF || s->kind == CONF_LEAF_LIST || s->kind == CONF_LIST;
    if (depth == 0)
        return;
    assert_true(s->help[0] != '\0');
    assert_int_equal(s->type != CONF_T_NONE, has_value);
    assert_true(s->min <= s->max || s->max == 0);
    assert_true(!s->children || s->kind == CONF_CONTAINER || s->kind == CONF_LIST);
    assert_true(s->kind != CONF_CONTAINER || s->children);
    assert_int_equal(s->type == CONF_T_CHOICE, s->choices && s->type != CONF_T_NUMBER);
    assert_true(!s->max_elements || s->kind == CONF_LIST || s->kind == CONF_LEAF_LIST);
    assert_true(!s->mandatory || !s->dflt);
    assert_int_equal(s->ref_list != NULL, s->ref_text != NULL);
}

static void test_rows(void **state)
{
    (void)state;
    walk(conf_schema_root(), 0, check_row);
}

static void check_names(const struct conf_schema *s, unsigned depth)
{
    (void)depth;
    for (const struct conf_schema *c = s->children; c && c->name; c++) {
        assert_ptr_equal(conf_schema_child(s, c->name), c); /* no name twice */
        if (c->alias)
            assert_ptr_equal(conf_schema_child(s, c->alias), c);
    }
    for (const struct conf_choice *c = s->choices; c && c->name; c++) {
        assert_ptr_equal(conf_schema_choice(s, c->name), c);
        assert_true(c->help[0] != '\0');
    }
}

static void test_names_are_unique(void **state)
{
    (void)state;
    walk(conf_schema_root(), 0, check_names);
    assert_null(conf_schema_child(conf_schema_root(), ""));
    assert_null(conf_schema_choice(conf_schema_root(), "x"));
}

/* A default must be a value that its own statement takes. */
static void check_default(const struct conf_schema *s, unsigned depth)
{
    struct conf_diags d;
    struct conf_tree *t = conf_tree_new(&arena, "f");
    (void)depth;
    if (!s->dflt)
        return;
    conf_diags_init(&d, &arena, "f");
    struct conf_node *n = conf_node_get(t, t->root, s, NULL, (struct conf_pos){1, 1});
    conf_node_add_value(t, n, (struct conf_word){.text = s->dflt});
    conf_check_value(&d, n, 0);
    assert_int_equal(conf_diags_count(&d, CONF_ERROR), 0);
}

static void test_defaults_are_valid(void **state)
{
    (void)state;
    walk(conf_schema_root(), 0, check_default);
}

static const struct conf_schema *side;

static void check_reference(const struct conf_schema *s, unsigned depth)
{
    (void)depth;
    if (!s->ref_list)
        return;
    const struct conf_schema *container = conf_schema_child(side, s->ref_container);
    assert_non_null(container);
    const struct conf_schema *list = conf_schema_child(container, s->ref_list);
    assert_non_null(list);
    assert_int_equal(list->kind, CONF_LIST);
}

static void test_references_lead_to_lists(void **state)
{
    (void)state;
    static const char *const sides[] = {"server", "member"};
    const struct conf_schema *group_vpn = conf_schema_root()->children->children;
    assert_string_equal(group_vpn->name, "group-vpn");
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        side = conf_schema_child(group_vpn, sides[i]);
        walk(side, 0, check_reference);
    }
}

static const struct conf_schema *at(const char *a, const char *b)
{
    const struct conf_schema *s =
        conf_schema_child(conf_schema_root()->children->children, "server");
    s = conf_schema_child(s, a);
    return b ? conf_schema_child(s, b) : s;
}

static void test_what_was_probably_meant(void **state)
{
    (void)state;
    const struct conf_schema *group = at("group", NULL);
    assert_string_equal(conf_schema_nearest_child(group, "gruop-id"), "group-id");
    assert_string_equal(conf_schema_nearest_child(group, "server-member"),
                        "server-member-communication");
    assert_null(conf_schema_nearest_child(group, "encryption"));
    assert_null(conf_schema_nearest_child(group, ""));
    assert_null(conf_schema_nearest_child(group, "no"));
    char longest[64];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(conf_schema_nearest_child(group, longest));
    const struct conf_schema *dh = conf_schema_child(at("ike", "proposal"), "dh-group");
    assert_null(conf_schema_nearest_choice(dh, "group3")); /* group1, group2, group5: who knows */
    assert_string_equal(conf_schema_nearest_choice(dh, "gruop24"), "group24");
}

static void test_secrets(void **state)
{
    (void)state;
    const struct conf_schema *key = conf_schema_child(at("ike", "policy"), "pre-shared-key");
    assert_true(conf_schema_hides(key));
    assert_false(conf_schema_is_secret(key));
    assert_true(conf_schema_is_secret(conf_schema_child(key, "ascii-text")));
    assert_true(conf_schema_hides(conf_schema_child(key, "hexadecimal")));
    assert_false(conf_schema_hides(at("group", NULL)));
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_defaults_are_valid),
        cmocka_unit_test(test_references_lead_to_lists),
        cmocka_unit_test(test_what_was_probably_meant),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

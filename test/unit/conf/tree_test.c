#include "conf/parse.h"
#include "conf/tree.h"
#include "test/check.h"

static struct arena arena;

static struct conf_tree *read_text(const char *text)
{
    struct conf_diags d;
    conf_diags_init(&d, &arena, "f");
    struct conf_tree *t = conf_parse(&arena, "f", bytes_str(text), &d);
    assert_int_equal(d.n, 0);
    return t;
}

static const struct conf_schema *row(const char *a, const char *b)
{
    const struct conf_schema *s = conf_schema_root()->children->children;
    s = conf_schema_child(conf_schema_child(s, "server"), a);
    return b ? conf_schema_child(s, b) : s;
}

static void test_siblings_stand_in_schema_order(void **state)
{
    (void)state;
    struct conf_tree *t = conf_tree_new(&arena, "f");
    struct conf_node *group = conf_node_get(
        t, t->root, row("group", NULL), &(struct conf_word){.text = "g"}, (struct conf_pos){1, 1});
    static const char *const written[] = {"server-address", "description", "no-anti-replay",
                                          "group-id"};
    for (size_t i = 0; i < ARRAY_LEN(written); i++)
        (void)conf_node_get(t, group, row("group", written[i]), NULL, (struct conf_pos){1, 1});
    (void)conf_node_get(t, group, row("group", "ike-gateway"), &(struct conf_word){.text = "b"},
                        (struct conf_pos){1, 1});
    (void)conf_node_get(t, group, row("group", "ike-gateway"), &(struct conf_word){.text = "a"},
                        (struct conf_pos){1, 1});
    static const char *const want[] = {"description", "group-id",       "ike-gateway",
                                       "ike-gateway", "no-anti-replay", "server-address"};
    const struct conf_node *n = group->first;
    for (size_t i = 0; i < ARRAY_LEN(want); i++, n = n->next)
        assert_string_equal(n->schema->name, want[i]);
    assert_null(n);
    assert_string_equal(conf_text(conf_child(group, "ike-gateway")), "b"); /* as first named */
    assert_int_equal(conf_count(group, "ike-gateway"), 2);
    assert_string_equal(group->last->schema->name, "server-address");
}

static void test_many_entries_are_found(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct conf_tree *t = conf_tree_new(&arena, "f");
    const struct conf_schema *group = row("group", NULL);
    for (int i = 0; i < MANY; i++) {
        struct conf_word key = {.text = arena_text(&arena, "g%d", i)};
        struct conf_node *n = conf_node_get(t, t->root, group, &key, (struct conf_pos){1, 1});
        assert_ptr_equal(conf_node_get(t, t->root, group, &key, (struct conf_pos){2, 2}), n);
        assert_int_equal(n->pos.line, 1);
    }
    assert_int_equal(t->n_nodes, MANY);
    for (int i = 0; i < MANY; i++) {
        struct conf_node *n = conf_node_find(t, t->root, group, arena_text(&arena, "g%d", i));
        assert_non_null(n);
        if (i % 2)
            conf_node_remove(t, n);
    }
    assert_int_equal(t->n_nodes, MANY / 2);
    assert_null(conf_node_find(t, t->root, group, "g1"));
    assert_non_null(conf_node_find(t, t->root, group, "g2"));
    assert_null(conf_node_find(t, t->root, group, "x"));
}

static void test_the_largest_tree(void **state)
{
    (void)state;
    struct conf_tree *t = conf_tree_new(&arena, "f");
    struct conf_word a = {.text = "a"}, b = {.text = "b"};
    t->n_nodes = CONF_NODES_MAX - 1;
    assert_non_null(conf_node_get(t, t->root, row("group", NULL), &a, (struct conf_pos){1, 1}));
    assert_null(conf_node_get(t, t->root, row("group", NULL), &b, (struct conf_pos){1, 1}));
    assert_non_null(conf_node_get(t, t->root, row("group", NULL), &a, (struct conf_pos){1, 1}));
}

static void test_removing_takes_what_is_below(void **state)
{
    (void)state;
    struct conf_tree *t =
        read_text("set security group-vpn server group g group-id 1\n"
                  "set security group-vpn server group g ipsec-sa s match-policy m protocol 1\n");
    struct conf_node *server = t->root->first->first->first;
    assert_non_null(server);
    assert_int_equal(t->n_nodes, 8);
    conf_node_remove(t, server->first);
    assert_int_equal(t->n_nodes, 3);
    assert_null(server->first);
    assert_null(server->last);
    assert_null(conf_node_find(t, server, row("group", NULL), "g"));
}

static void test_readers_pass_over_what_is_inactive(void **state)
{
    (void)state;
    struct conf_tree *t =
        read_text("security { group-vpn { server {"
                  " inactive: group a { group-id 1; } group b { inactive: group-id 2; }"
                  " inactive: group c; group d; } inactive: member { ike; } } }");
    const struct conf_node *server = conf_server(t);
    const struct conf_node *b = conf_child(server, "group");
    assert_string_equal(conf_text(b), "b");
    assert_string_equal(conf_text(conf_next(b)), "d");
    assert_null(conf_next(conf_next(b)));
    assert_int_equal(conf_count(server, "group"), 2);
    assert_null(conf_child(b, "group-id"));
    assert_null(conf_member(t));
    assert_null(conf_child(NULL, "x"));
    assert_int_equal(conf_count(NULL, "x"), 0);
    assert_string_equal(conf_text(NULL), "");
}

static void test_defaults(void **state)
{
    (void)state;
    struct conf_tree *t =
        read_text("set security group-vpn server group g anti-replay-time-window 300\n"
                  "set security group-vpn server ike proposal p lifetime-seconds 500\n"
                  "set security group-vpn server ike policy q mode aggressive\n"
                  "set security group-vpn server ike policy r\n");
    const struct conf_node *server = conf_server(t);
    const struct conf_node *group = conf_child(server, "group");
    assert_int_equal(conf_child_number(group, "activation-time-delay"), 15);
    assert_int_equal(conf_child_number(group, "group-id"), 0);
    assert_string_equal(conf_child_text(group, "anti-replay-time-window"), "300");
    assert_null(conf_child_text(group, "description"));
    assert_null(conf_child_text(group, "no-such-statement"));
    const struct conf_node *ike = conf_child(server, "ike");
    assert_int_equal(conf_child_number(conf_child(ike, "proposal"), "lifetime-seconds"), 500);
    assert_null(conf_child_choice(conf_child(ike, "proposal"), "dh-group"));
    const struct conf_node *q = conf_child(ike, "policy");
    assert_string_equal(conf_child_choice(q, "mode")->name, "aggressive");
    assert_string_equal(conf_child_choice(conf_next(q), "mode")->name, "main");
}

static void test_references(void **state)
{
    (void)state;
    struct conf_tree *t = read_text("set security group-vpn server ike policy p\n"
                                    "set security group-vpn server ike policy off\n"
                                    "deactivate security group-vpn server ike policy off\n"
                                    "set security group-vpn server ike gateway g ike-policy p\n"
                                    "set security group-vpn member ike gateway g ike-policy p\n");
    const struct conf_node *ref =
        conf_child(conf_child(conf_child(conf_server(t), "ike"), "gateway"), "ike-policy");
    assert_string_equal(conf_text(conf_referenced(t, ref, "p")), "p");
    assert_null(conf_referenced(t, ref, "off"));
    assert_null(conf_referenced(t, ref, "x"));
    ref = conf_child(conf_child(conf_child(conf_member(t), "ike"), "gateway"), "ike-policy");
    assert_null(conf_referenced(t, ref, "p")); /* each side has its own */
}

static void test_paths(void **state)
{
    (void)state;
    struct conf_tree *t =
        read_text("set security group-vpn server group \"my group\" group-id 1\n");
    const struct conf_node *group = conf_child(conf_server(t), "group");
    assert_string_equal(conf_path(&arena, conf_child(group, "group-id")),
                        "security group-vpn server group \"my group\" group-id");
    assert_string_equal(conf_path(&arena, t->root), "");
}

static bool equal(const char *a, const char *b)
{
    return conf_tree_equal(read_text(a), read_text(b));
}

static void test_equality(void **state)
{
    (void)state;
    static const char one[] = "set security group-vpn server group g group-id 1\n";
    assert_true(
        equal(one, "security { group-vpn { server { group g { /* c */ group-id 1; } } } }"));
    assert_false(equal(one, "set security group-vpn server group g group-id 2\n"));
    assert_false(equal(one, "set security group-vpn server group h group-id 1\n"));
    assert_false(equal(one, "set security group-vpn server group g group-id 1 no-anti-replay\n"));
    assert_false(equal("set security group-vpn server group g group-id 1 no-anti-replay\n", one));
    assert_false(
        equal(one, "security { group-vpn { server { group g { inactive: group-id 1; } } } }"));
    static const char psk[] =
        "set security group-vpn server ike policy p pre-shared-key ascii-text ";
    assert_true(
        equal(arena_text(&arena, "%slc\n", psk), arena_text(&arena, "%s$9$LbHX-wg4Z\n", psk)));
    assert_false(
        equal(arena_text(&arena, "%slx\n", psk), arena_text(&arena, "%s$9$LbHX-wg4Z\n", psk)));
    assert_false(equal("set security group-vpn server ike policy p proposals [ a b ]\n",
                       "set security group-vpn server ike policy p proposals [ b a ]\n"));
}

static void test_numbers_and_windows(void **state)
{
    (void)state;
    uint32_t n = 7;
    bool in_ms = true;
    assert_true(conf_parse_number("4294967295", &n));
    assert_int_equal(n, UINT32_MAX);
    assert_false(conf_parse_number("4294967296", &n));
    assert_false(conf_parse_number("", &n));
    assert_false(conf_parse_number("1x", &n));
    assert_int_equal(n, UINT32_MAX); /* untouched */
    assert_true(conf_parse_window("100", &n, &in_ms));
    assert_int_equal(n, 100000);
    assert_false(in_ms);
    assert_true(conf_parse_window("100ms", &n, &in_ms));
    assert_int_equal(n, 100);
    assert_true(in_ms);
    assert_false(conf_parse_window("ms", &n, &in_ms));
    assert_false(conf_parse_window("4294968", &n, &in_ms)); /* does not fit in milliseconds */
    assert_int_equal(n, 100);
    assert_true(in_ms);
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
        cmocka_unit_test(test_siblings_stand_in_schema_order),
        cmocka_unit_test(test_many_entries_are_found),
        cmocka_unit_test(test_the_largest_tree),
        cmocka_unit_test(test_removing_takes_what_is_below),
        cmocka_unit_test(test_readers_pass_over_what_is_inactive),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_numbers_and_windows),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

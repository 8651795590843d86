/* What golden files cannot hold: limits, and what the parser leaves behind. The sentences of its
 * findings are in test/golden/conf. */
#include "conf/parse.h"
#include "conf/place.h"
#include "conf/print.h"
#include "test/check.h"

#include <stdlib.h>

static struct arena arena;
static struct conf_diags diags;

static struct conf_tree *read_text(const char *text)
{
    conf_diags_init(&diags, &arena, "f");
    return conf_parse(&arena, "f", bytes_str(text), &diags);
}

#define SERVER "security group-vpn server "

/* The set form of what was understood. */
#define assert_tree(text, want)                                                                    \
    assert_string_equal(conf_print_set(read_text(text), CONF_SECRETS_9, &arena), want)

static void test_both_forms_give_one_tree(void **state)
{
    (void)state;
    static const char want[] = "set " SERVER "group g group-id 1\n"
                               "set " SERVER "group g no-anti-replay\n";
    assert_tree("set " SERVER "group g no-anti-replay group-id 1", want);
    assert_tree("security { group-vpn { server { group g { no-anti-replay; group-id 1; } } } }",
                want);
    assert_tree("security group-vpn server group g { no-anti-replay; group-id 1; }", want);
    assert_tree("security { group-vpn { server group g no-anti-replay; } }\n"
                "set " SERVER "group g group-id 1",
                want);
    assert_int_equal(diags.n, 0);
}

static void test_lists(void **state)
{
    (void)state;
    static const char want[] = "set " SERVER "ike policy p proposals a\n"
                               "set " SERVER "ike policy p proposals b\n";
    assert_tree("set " SERVER "ike policy p proposals [ a b ]", want);
    assert_tree(
        "set " SERVER "ike policy p proposals a\nset " SERVER "ike policy p proposals [b a]", want);
    assert_tree("set " SERVER "ike policy p proposals [ a x b ]\ndelete " SERVER
                "ike policy p proposals x",
                want);
    assert_tree("set " SERVER "ike policy p proposals a\ndelete " SERVER "ike policy p proposals a",
                "set " SERVER "ike policy p\n");
    assert_tree("set " SERVER "ike policy p proposals [ a b ]\ndelete " SERVER
                "ike policy p proposals",
                "set " SERVER "ike policy p\n");
    assert_tree("set " SERVER "group g ike-gateway [ a b ]",
                "set " SERVER "group g ike-gateway a\nset " SERVER "group g ike-gateway b\n");
    assert_int_equal(diags.n, 0);
}

static void test_activity(void **state)
{
    (void)state;
    static const char off[] =
        "set " SERVER "group g group-id 1\ndeactivate " SERVER "group g group-id\n";
    assert_tree("set " SERVER "group g group-id 1\ndeactivate " SERVER "group g group-id", off);
    assert_tree("set " SERVER "group g group-id 1\ndeactivate " SERVER "group g group-id 1", off);
    assert_tree("security { group-vpn { server { group g { inactive: group-id 1; } } } }", off);
    assert_tree("security { group-vpn { server { group g { inactive: group-id 1; } } } }\n"
                "activate " SERVER "group g group-id",
                "set " SERVER "group g group-id 1\n");
    assert_tree("security { group-vpn { server { \"inactive:\" x; } } }",
                "set security group-vpn server\n");
    assert_int_equal(diags.n, 1); /* in quotes it is a statement, and there is none of that name */
}

static void test_a_refused_statement_leaves_the_others(void **state)
{
    (void)state;
    assert_tree("security { group-vpn { server { group g { group-id; nonsense { a { b; } } "
                "no-anti-replay; } } } }",
                "set " SERVER "group g no-anti-replay\n");
    assert_int_equal(conf_diags_count(&diags, CONF_ERROR), 2);
    assert_true(
        conf_child(conf_server(read_text("set " SERVER "group g nonsense 1")), "group")->damaged);
}

static void test_every_finding_has_a_place(void **state)
{
    (void)state;
    (void)read_text(
        "} ; security { group-vpn { x; server { group; \"\n deactivate\nset\nset " SERVER
        "{\nedit\n");
    assert_true(diags.n > 5);
    for (size_t i = 0; i < diags.n; i++) {
        assert_true(diags.list[i].pos.line >= 1);
        assert_true(diags.list[i].pos.column >= 1);
    }
}

static void test_words_of_one_statement(void **state)
{
    (void)state;
    char text[2048];
    for (int over = 0; over < 2; over++) {
        int n = snprintf(text, sizeof text, "set " SERVER "ike policy p proposals [");
        for (int i = 0; i < CONF_WORDS_MAX - 8 + over; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, " p%d", i);
        snprintf(text + n, sizeof text - (size_t)n, " ]\n");
        (void)read_text(text);
        assert_int_equal(conf_diags_count(&diags, CONF_ERROR), over);
    }
}

static void test_the_longest_file(void **state)
{
    (void)state;
    conf_diags_init(&diags, &arena, "f");
    struct conf_tree *t = conf_parse(&arena, "f", bytes("x", (size_t)CONF_TEXT_MAX + 1), &diags);
    assert_null(t->root->first);
    assert_int_equal(conf_diags_count(&diags, CONF_ERROR), 1);
}

/* The stack does not grow with the file's braces. */
static void test_deep_nesting(void **state)
{
    (void)state;
    enum { DEEP = 300000 };
    char *text = malloc(3 * DEEP + 64);
    assert_non_null(text);
    size_t n = 0;
    for (size_t i = 0; i < DEEP; i++, n += 2)
        memcpy(text + n, "x{", 2);
    for (size_t i = 0; i < DEEP; i++)
        text[n++] = '}';
    conf_diags_init(&diags, &arena, "f");
    struct conf_tree *t = conf_parse(&arena, "f", bytes(text, n), &diags);
    assert_null(t->root->first);
    assert_int_equal(conf_diags_count(&diags, CONF_ERROR), 0);
    assert_int_equal(conf_diags_count(&diags, CONF_NOTE), 1);
    free(text);
}

static void test_foreign_hierarchies_are_named_once(void **state)
{
    (void)state;
    assert_tree(
        "interfaces { a; }\nset interfaces b\nset security policies x\nset security policies y\n",
        "set security\n");
    assert_int_equal(conf_diags_count(&diags, CONF_NOTE), 2);
    assert_int_equal(diags.n, 2);
}

static void test_only_so_many_foreign_names(void **state)
{
    (void)state;
    char text[2048];
    int n = 0;
    for (int i = 0; i < 70; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "set foreign%d x\n", i);
    (void)read_text(text);
    assert_int_equal(conf_diags_count(&diags, CONF_NOTE), 64);
}

/* One statement more than a tree may hold, of each kind. */
static void test_a_full_tree(void **state)
{
    (void)state;
    static const struct conf_stmt full[] = {
        {.words = {{.text = "traceoptions"}}, .n = 1, .list_at = 1},
        {.words = {{.text = "group"}, {.text = "g"}}, .n = 2, .list_at = 2},
        {.words = {{.text = "ike"}}, .n = 1, .list_at = 1},
    };
    struct conf_tree *t = read_text("set security group-vpn server ipsec");
    struct conf_placer placer = {.tree = t, .diags = &diags, .arena = &arena};
    struct conf_node *server = t->root->first->first->first;
    t->n_nodes = CONF_NODES_MAX;
    for (size_t i = 0; i < ARRAY_LEN(full); i++)
        assert_int_equal(conf_place(&placer, server, &full[i]).how, CONF_REFUSED);
    assert_int_equal(conf_diags_count(&diags, CONF_ERROR), ARRAY_LEN(full));
    assert_non_null(strstr(diags.list[0].text, "too many statements"));
    assert_null(server->first->prev);
    assert_null(server->first->next);
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
        cmocka_unit_test(test_both_forms_give_one_tree),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_a_refused_statement_leaves_the_others),
        cmocka_unit_test(test_every_finding_has_a_place),
        cmocka_unit_test(test_words_of_one_statement),
        cmocka_unit_test(test_the_longest_file),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_foreign_hierarchies_are_named_once),
        cmocka_unit_test(test_only_so_many_foreign_names),
        cmocka_unit_test(test_a_full_tree),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

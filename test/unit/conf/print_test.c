/* The laws of printing, on random trees of the whole schema: what is printed reads as it was, in
 * both forms, and printing that again gives the same text. */
#include "conf/lexer.h"
#include "conf/parse.h"
#include "conf/print.h"
#include "test/check.h"

enum { TREES = 400 };

static const char *random_word(struct arena *arena, struct dice *dice)
{
    static const char letters[] = "abcxyz019-_.:/ \"\\{};[]#*\n\t$\xc3\xa4";
    char word[16] = {0};
    size_t len = dice_below(dice, sizeof word);

    for (size_t i = 0; i < len; i++)
        word[i] = letters[dice_below(dice, sizeof letters - 1)];
    return arena_text(arena, "%s", word);
}

static void add_values(struct conf_tree *t, struct conf_node *n, struct dice *dice)
{
    size_t count = n->schema->kind == CONF_LEAF ? 1 : 1 + dice_below(dice, 3);

    for (size_t i = 0; i < count; i++) {
        const char *word = arena_text(t->arena, "%s%zu", random_word(t->arena, dice), i);
        conf_node_add_value(t, n, (struct conf_word){.text = word});
    }
}

static void grow(struct conf_tree *t, struct conf_node *at, struct dice *dice);

static void add_child(struct conf_tree *t, struct conf_node *at, const struct conf_schema *s,
                      struct dice *dice)
{
    struct conf_word key = {.text = random_word(t->arena, dice)};
    const struct conf_word *its_key = s->kind == CONF_LIST ? &key : NULL;

    if (its_key && conf_node_find(t, at, s, key.text))
        return;
    struct conf_node *n = conf_node_get(t, at, s, its_key, (struct conf_pos){1, 1});
    n->inactive = dice_below(dice, 6) == 0;
    if (s->kind == CONF_LEAF || s->kind == CONF_LEAF_LIST)
        add_values(t, n, dice);
    grow(t, n, dice);
}

/* Containers are likely, so that most trees reach down to the leaves. */
static size_t how_many(const struct conf_schema *s, struct dice *dice)
{
    if (s->kind == CONF_CONTAINER)
        return dice_below(dice, 6) > 0;
    return dice_below(dice, s->kind == CONF_LIST ? 3 : 2);
}

static void grow(struct conf_tree *t, struct conf_node *at, struct dice *dice)
{
    for (const struct conf_schema *s = at->schema->children; s && s->name; s++) {
        size_t count = how_many(s, dice);
        for (size_t i = 0; i < count; i++)
            add_child(t, at, s, dice);
    }
}

static struct conf_tree *reread(struct arena *arena, const char *text)
{
    struct conf_diags d;

    conf_diags_init(&d, arena, "printed");
    struct conf_tree *t = conf_parse(arena, "printed", bytes_str(text), &d);
    assert_int_equal(d.n, 0);
    return t;
}

static void check_laws(struct arena *arena, const struct conf_tree *t)
{
    const char *curly = conf_print_curly(t, CONF_SECRETS_9, arena);
    const char *set = conf_print_set(t, CONF_SECRETS_9, arena);
    struct conf_tree *from_curly = reread(arena, curly), *from_set = reread(arena, set);

    assert_true(conf_tree_equal(t, from_curly));
    assert_true(conf_tree_equal(t, from_set));
    assert_string_equal(conf_print_curly(from_set, CONF_SECRETS_9, arena), curly);
    assert_string_equal(conf_print_set(from_curly, CONF_SECRETS_9, arena), set);
}

static void test_laws(void **state)
{
    (void)state;
    size_t nodes = 0;
    for (uint64_t seed = 1; seed <= TREES; seed++) {
        struct arena arena = {0};
        struct dice dice = {seed};
        struct conf_tree *t = conf_tree_new(&arena, "random");
        grow(t, t->root, &dice);
        nodes += t->n_nodes;
        check_laws(&arena, t);
        arena_free(&arena);
    }
    assert_true(nodes > 30 * TREES);
}

static const char commented[] =
    "# first\n"
    "/* two\n   lines */\n"
    "security {\n"
    "    group-vpn {\n"
    "        server {\n"
    "            ike {\n"
    "                policy p {\n"
    "                    /* of a one-line container */\n"
    "                    pre-shared-key {\n"
    "                        # of its child\n"
    "                        ascii-text \"$9$LbHX-wg4Z\"; ## SECRET-DATA\n"
    "                    }\n"
    "                }\n"
    "            }\n"
    "            group g {\n"
    "                # nothing but this\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "}\n"
    "# last\n";

static void test_comments_survive_in_braces(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct conf_tree *t = reread(&arena, commented);
    assert_string_equal(conf_print_curly(t, CONF_SECRETS_9, &arena), commented);
    arena_free(&arena);
}

static void test_comments_may_hold_secrets(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct conf_tree *t = reread(&arena, commented);
    assert_string_equal(conf_print_curly(t, CONF_SECRETS_MASKED, &arena),
                        "security {\n"
                        "    group-vpn {\n"
                        "        server {\n"
                        "            ike {\n"
                        "                policy p {\n"
                        "                    pre-shared-key ascii-text /* SECRET-DATA */;\n"
                        "                }\n"
                        "            }\n"
                        "            group g;\n"
                        "        }\n"
                        "    }\n"
                        "}\n");
    arena_free(&arena);
}

static void test_secrets_are_never_in_clear(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct conf_tree *t = reread(
        &arena,
        "set security group-vpn server ike policy p pre-shared-key ascii-text hunter2\n"
        "set security group-vpn server ike policy q pre-shared-key hexadecimal c0ffee\n"
        "set security group-vpn server ike policy r pre-shared-key ascii-text \"$9$damaged\"\n");
    for (int masked = 0; masked < 2; masked++) {
        enum conf_secrets how = masked ? CONF_SECRETS_MASKED : CONF_SECRETS_9;
        const char *const texts[] = {conf_print_curly(t, how, &arena),
                                     conf_print_set(t, how, &arena)};
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            assert_null(strstr(texts[i], "hunter2"));
            assert_null(strstr(texts[i], "c0ffee"));
            assert_null(strstr(texts[i], "damaged"));
            assert_non_null(strstr(texts[i], "SECRET-DATA"));
            assert_int_equal(strstr(texts[i], "$9$") == NULL, masked);
        }
    }
    arena_free(&arena);
}

static void test_an_empty_tree(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct conf_tree *t = conf_tree_new(&arena, "f");
    assert_string_equal(conf_print_curly(t, CONF_SECRETS_9, &arena), "");
    assert_string_equal(conf_print_set(t, CONF_SECRETS_9, &arena), "");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_laws),
        cmocka_unit_test(test_comments_survive_in_braces),
        cmocka_unit_test(test_comments_may_hold_secrets),
        cmocka_unit_test(test_secrets_are_never_in_clear),
        cmocka_unit_test(test_an_empty_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "conf/lexer.h"
#include "test/check.h"

#include <stdlib.h>

static struct arena arena;

/* The next token of a text; the lexer is kept for the following ones. */
static struct conf_token next(struct conf_lexer *lx) { return conf_lexer_next(lx); }

static struct conf_lexer over(const char *text) { return conf_lexer_of(&arena, bytes_str(text)); }

static struct conf_token first(const char *text)
{
    struct conf_lexer lx = over(text);
    return conf_lexer_next(&lx);
}

#define assert_token(t, kind_, text_, line_, column_)                                              \
    do {                                                                                           \
        struct conf_token token_ = t;                                                              \
        assert_int_equal(token_.kind, kind_);                                                      \
        assert_string_equal(token_.text, text_);                                                   \
        assert_int_equal(token_.pos.line, line_);                                                  \
        assert_int_equal(token_.pos.column, column_);                                              \
    } while (0)

#define assert_mark(t, mark_, line_, column_)                                                      \
    do {                                                                                           \
        struct conf_token mark_token_ = t;                                                         \
        assert_int_equal(mark_token_.kind, CONF_TOK_MARK);                                         \
        assert_int_equal(mark_token_.mark, mark_);                                                 \
        assert_int_equal(mark_token_.pos.line, line_);                                             \
        assert_int_equal(mark_token_.pos.column, column_);                                         \
    } while (0)

static void test_words_and_marks(void **state)
{
    (void)state;
    struct conf_lexer lx = over("group grp1{\n\tproposals [p1 p2];\r\n}");
    assert_token(next(&lx), CONF_TOK_WORD, "group", 1, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "grp1", 1, 7);
    assert_mark(next(&lx), '{', 1, 11);
    assert_token(next(&lx), CONF_TOK_WORD, "proposals", 2, 2);
    assert_mark(next(&lx), '[', 2, 12);
    assert_token(next(&lx), CONF_TOK_WORD, "p1", 2, 13);
    assert_token(next(&lx), CONF_TOK_WORD, "p2", 2, 16);
    assert_mark(next(&lx), ']', 2, 18);
    assert_mark(next(&lx), ';', 2, 19);
    assert_mark(next(&lx), '}', 3, 1);
    assert_token(next(&lx), CONF_TOK_END, "", 3, 2);
    assert_token(next(&lx), CONF_TOK_END, "", 3, 2);
}

static void test_nothing(void **state)
{
    (void)state;
    assert_token(first(""), CONF_TOK_END, "", 1, 1);
    assert_token(first(" \t\f\r\n"), CONF_TOK_END, "", 2, 1);
}

static void test_columns_count_characters(void **state)
{
    (void)state;
    struct conf_lexer lx = over("\xc3\xa4\xe2\x82\xac x \"\xf0\x9f\x94\x91\" y");
    assert_token(next(&lx), CONF_TOK_WORD, "\xc3\xa4\xe2\x82\xac", 1, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "x", 1, 4);
    assert_token(next(&lx), CONF_TOK_WORD, "\xf0\x9f\x94\x91", 1, 6);
    assert_token(next(&lx), CONF_TOK_WORD, "y", 1, 10);
}

static void test_quotes(void **state)
{
    (void)state;
    struct conf_lexer lx = over("\"a b\" \"\" \"{;#}\" \"q\\\"\\\\\\n\\t\\d\" x\"y\"");
    struct conf_token t = next(&lx);
    assert_true(t.quoted);
    assert_token(t, CONF_TOK_WORD, "a b", 1, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "", 1, 7);
    assert_token(next(&lx), CONF_TOK_WORD, "{;#}", 1, 10);
    assert_token(next(&lx), CONF_TOK_WORD, "q\"\\\n\t\\d", 1, 17);
    t = next(&lx);
    assert_false(t.quoted);
    assert_token(t, CONF_TOK_WORD, "x", 1, 31);
    assert_token(next(&lx), CONF_TOK_WORD, "y", 1, 32);
}

static void test_comments(void **state)
{
    (void)state;
    struct conf_lexer lx = over("# one\r\na#b /* two\n * three */c #\n/**/#end");
    struct conf_token t = next(&lx);
    assert_int_equal(t.mark, '#');
    assert_token(t, CONF_TOK_COMMENT, " one", 1, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "a#b", 2, 1);
    t = next(&lx);
    assert_int_equal(t.mark, '*');
    assert_token(t, CONF_TOK_COMMENT, " two\n * three ", 2, 5);
    assert_token(next(&lx), CONF_TOK_WORD, "c", 3, 12);
    assert_token(next(&lx), CONF_TOK_COMMENT, "", 3, 14);
    assert_token(next(&lx), CONF_TOK_COMMENT, "", 4, 1);
    assert_token(next(&lx), CONF_TOK_COMMENT, "end", 4, 5);
    assert_int_equal(next(&lx).kind, CONF_TOK_END);
}

static void test_what_is_broken_is_passed_over(void **state)
{
    (void)state;
    struct conf_lexer lx = over("\"never\nnext \"a\x01\" /* \x02 */ # \x03\n\x04 last /* open");
    assert_token(next(&lx), CONF_TOK_BAD,
                 "text in quotes is never closed, expected \" before the end of the line", 1, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "next", 2, 1);
    assert_token(next(&lx), CONF_TOK_BAD, "control character in quotes", 2, 6);
    assert_token(next(&lx), CONF_TOK_BAD, "control character in a comment", 2, 11);
    assert_token(next(&lx), CONF_TOK_BAD, "control character in a comment", 2, 19);
    assert_token(next(&lx), CONF_TOK_BAD, "control character, expected text", 3, 1);
    assert_token(next(&lx), CONF_TOK_WORD, "last", 3, 3);
    assert_token(next(&lx), CONF_TOK_BAD, "comment is never closed, expected */", 3, 8);
    assert_int_equal(next(&lx).kind, CONF_TOK_END);
    assert_int_equal(first("\"").kind, CONF_TOK_BAD);
    assert_int_equal(first("\"\\").kind, CONF_TOK_BAD);
    assert_int_equal(first("\"\r\"").kind, CONF_TOK_BAD);
    assert_int_equal(first("/*/").kind, CONF_TOK_BAD);
}

static void test_a_nul_octet_is_no_text(void **state)
{
    (void)state;
    struct conf_lexer lx = conf_lexer_of(&arena, bytes("a\0b", 3));
    assert_token(next(&lx), CONF_TOK_WORD, "a", 1, 1);
    assert_int_equal(next(&lx).kind, CONF_TOK_BAD);
    assert_token(next(&lx), CONF_TOK_WORD, "b", 1, 3);
}

static void check_longest_word(const char *quote)
{
    static char text[CONF_WORD_MAX + 8];
    for (int extra = 0; extra < 2; extra++) {
        size_t n = CONF_WORD_MAX + (size_t)extra, q = strlen(quote);
        memcpy(text, quote, q);
        memset(text + q, 'x', n);
        memcpy(text + q + n, quote, q + 1);
        struct conf_lexer lx = over(text);
        assert_int_equal(next(&lx).kind, extra ? CONF_TOK_BAD : CONF_TOK_WORD);
        assert_int_equal(next(&lx).kind, CONF_TOK_END);
    }
}

static void test_the_longest_word(void **state)
{
    (void)state;
    check_longest_word("");
    check_longest_word("\"");
}

static void test_which_words_need_quotes(void **state)
{
    (void)state;
    static const char *const quoted[] = {"",    "a b",       "#a",   "/*a",  "a;",    "{",
                                         "[x]", "inactive:", "a\"b", "a\nb", "a\x01", "\x7f"};
    static const char *const bare[] = {"a",      "a#b", "a/*b",    "10.0.0.0/8",
                                       "$9$a.b", "a:b", "\xc3\xa4"};
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        assert_false(conf_word_is_bare(quoted[i]));
    for (size_t i = 0; i < ARRAY_LEN(bare); i++)
        assert_true(conf_word_is_bare(bare[i]));
}

/* Any text without control characters, written by us, is read as it was. */
static void test_written_words_are_read_again(void **state)
{
    (void)state;
    static const char letters[] = "ab \"\\\n\t{}[];#/*:$\xc3\xa4";
    struct dice dice = {7};
    for (int round = 0; round < 2000; round++) {
        char word[12] = {0};
        size_t len = dice_below(&dice, sizeof word);
        for (size_t i = 0; i < len; i++)
            word[i] = letters[dice_below(&dice, sizeof letters - 1)];
        struct conf_lexer lx = over(conf_word_printed(&arena, word));
        struct conf_token t = next(&lx);
        assert_int_equal(t.kind, CONF_TOK_WORD);
        assert_string_equal(t.text, word);
        assert_int_equal(next(&lx).kind, CONF_TOK_END);
        assert_string_equal(first(conf_word_quoted(&arena, word)).text, word);
        assert_true(strlen(conf_word_escaped(&arena, word)) >= len);
    }
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
        cmocka_unit_test(test_words_and_marks),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_columns_count_characters),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_what_is_broken_is_passed_over),
        cmocka_unit_test(test_a_nul_octet_is_no_text),
        cmocka_unit_test(test_the_longest_word),
        cmocka_unit_test(test_which_words_need_quotes),
        cmocka_unit_test(test_written_words_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

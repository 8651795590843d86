#include "cli/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct arena arena;
static const char *words[16];
static size_t n;
static struct cli_line line;
static char sentence[CTL_SENTENCE_MAX];

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static enum err parse(const char *text)
{
    assert_int_equal(cli_split(&arena, text, words, ARRAY_LEN(words), &n), ERR_OK);
    return cli_line_parse(words, n, &line, sentence);
}

static void words_are_split_as_typed(void **state)
{
    (void)state;
    assert_int_equal(cli_split(&arena, "  show \"a b|c\" d\\ e\\\"|count\t\"open q", words, 16, &n),
                     ERR_OK);
    assert_int_equal(n, 6);
    assert_string_equal(words[0], "show");
    assert_string_equal(words[1], "a b|c");
    assert_string_equal(words[2], "d e\"");
    assert_string_equal(words[3], "|");
    assert_string_equal(words[4], "count");
    assert_string_equal(words[5], "open q");
    assert_int_equal(cli_split(&arena, "show\tversion\r\n", words, 16, &n), ERR_OK);
    assert_string_equal(words[1], "version");
    assert_int_equal(cli_split(&arena, " \t\n", words, 16, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(cli_split(&arena, "a b c", words, 2, &n), ERR_SYNTAX);
}

static void pipes_are_taken_off_the_command(void **state)
{
    (void)state;
    assert_int_equal(parse("show version | match \"a|b\" | last 5 | cou | no-more"), ERR_OK);
    assert_int_equal(line.n_words, 2);
    assert_int_equal(line.format, CLI_TEXT);
    assert_true(line.no_more);
    assert_int_equal(line.n_filters, 3);
    assert_int_equal(line.filters[0].kind, CLI_MATCH);
    assert_string_equal(line.filters[0].pattern, "a|b");
    assert_int_equal(line.filters[1].n, 5);
    assert_int_equal(line.filters[2].kind, CLI_COUNT);
    assert_int_equal(parse("show version | match \"10.0.0.[0-9]+:20000|^x{3}$\""), ERR_OK);
    assert_int_equal(parse("show version | display json"), ERR_OK);
    assert_int_equal(line.format, CLI_JSON);
    assert_int_equal(parse("show version | d x | e x"), ERR_OK);
    assert_int_equal(line.format, CLI_XML);
    assert_int_equal(line.filters[0].kind, CLI_EXCEPT);
}

static void wrong_pipes_get_a_sentence(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"a |", "'| ': expected one of: match, except, count, last, display, no-more"},
        {"a | grep x", "'| grep': expected one of: match, except, count, last, display, no-more"},
        {"a | match", "'| match ': expected <pattern>"},
        {"a | match a++++++++++++++++++++", "'| match a++++++++++++++++++++': expected <pattern>"},
        {"a | match (a{2}){2}", "'| match (a{2}){2}': expected <pattern>"},
        {"a | match a{32767}", "'| match a{32767}': expected <pattern>"},
        {"a | match (", "'| match (': expected <pattern>"},
        {"a | last x", "'| last x': expected <number>"},
        {"a | last 0", "'| last 0': expected <number>"},
        {"a | display yaml", "'| display yaml': expected json, xml"},
        {"a | count x", "'x' is one word too many"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(parse(cases[i].text), ERR_SYNTAX);
        assert_string_equal(sentence, cases[i].sentence);
    }
}

static void the_number_of_pipes_is_capped(void **state)
{
    const char *many[2 * (CLI_PIPES_MAX + 1)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = i % 2 ? "count" : "|";
    assert_int_equal(cli_line_parse(many, ARRAY_LEN(many) - 2, &line, sentence), ERR_OK);
    assert_int_equal(cli_line_parse(many, ARRAY_LEN(many), &line, sentence), ERR_SYNTAX);
    assert_string_equal(sentence, "'| count ': expected fewer pipes");
}

static const char *offered(const char *text, const char *begun, size_t i)
{
    static struct ctl_choices c;

    assert_int_equal(cli_split(&arena, text, words, ARRAY_LEN(words), &n), ERR_OK);
    cli_line_choices(words, n, begun, &c);
    return i < c.n ? c.choice[i].word : "";
}

static void choices_go_on_behind_a_bar(void **state)
{
    (void)state;
    assert_string_equal(offered("show", "v", 0), "version");
    assert_string_equal(offered("show version", "", 0), "|");
    assert_string_equal(offered("show version |", "d", 0), "display");
    assert_string_equal(offered("show version | display", "", 1), "xml");
    assert_string_equal(offered("show version | match", "", 0), "<pattern>");
    assert_string_equal(offered("show version | count", "", 0), "|");
    assert_string_equal(offered("show version | nonsense", "", 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_typed),
        cmocka_unit_test(pipes_are_taken_off_the_command),
        cmocka_unit_test(wrong_pipes_get_a_sentence),
        cmocka_unit_test(the_number_of_pipes_is_capped),
        cmocka_unit_test(choices_go_on_behind_a_bar),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

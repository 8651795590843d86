#include "ctl/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A line in words; what the arrays point to lives as long as the structure. */
struct line {
    char text[256];
    const char *words[CTL_WORDS_MAX];
    size_t n;
};

static void split(struct line *l, const char *text)
{
    char *save = NULL;

    l->n = 0;
    snprintf(l->text, sizeof l->text, "%s", text);
    for (char *w = strtok_r(l->text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        l->words[l->n++] = w;
}

static struct line the_line;
static struct ctl_request request;
static struct ctl_complaint complaint;

static enum err parse(const char *text)
{
    split(&the_line, text);
    return ctl_command_parse(the_line.words, the_line.n, &request, &complaint);
}

static void commands_parse_in_full_and_shortened(void **state)
{
    (void)state;
    assert_int_equal(parse("show security group-vpn server registered-members"), ERR_OK);
    assert_int_equal(request.command->id, CTL_SHOW_SERVER_MEMBERS);
    assert_int_equal(request.n, 0);

    assert_int_equal(parse("sh s g ser reg det group-id 4294967295"), ERR_OK);
    assert_int_equal(request.command->id, CTL_SHOW_SERVER_MEMBERS);
    assert_true(ctl_request_has(&request, "detail"));
    assert_false(ctl_request_has(&request, "brief"));
    assert_true(ctl_request_u32(&request, "group-id") == UINT32_MAX);

    assert_int_equal(parse("show security group-vpn member ike sec peer-address 10.0.0.1"), ERR_OK);
    assert_int_equal(ctl_request_arg(&request, "peer-address")->ip.version, 4);

    assert_int_equal(parse("show sec gr server kek security-associations group detail"), ERR_OK);
    assert_string_equal(ctl_request_text(&request, "group"), "detail");
    assert_null(ctl_request_text(&request, "index"));
    assert_int_equal(ctl_request_u32(&request, "index"), 0);
}

static void wrong_lines_get_a_sentence_and_a_place(void **state)
{
    static const struct {
        const char *line;
        size_t word;
        const char *sentence;
    } cases[] = {
        {"", 0, "the command is not complete, expected one of: show, clear, request, monitor"},
        {"shaw", 0, "'shaw' is not known here, expected one of: show, clear, request, monitor"},
        {"show security group-vpn server i", 4, "'i' is ambiguous: ike, ipsec"},
        {"show security group-vpn", 3,
         "the command is not complete, expected one of: server, member, counters"},
        {"show version now", 2, "'now' is one word too many"},
        {"show security group-vpn server registered-members group", 6,
         "the command is not complete, expected one of: <name>"},
        {"show security group-vpn server registered-members group-id 0", 6,
         "group-id '0': expected a number from 1 to 4294967295"},
        {"show security group-vpn server registered-members group-id 4294967296", 6,
         "group-id '4294967296': expected a number from 1 to 4294967295"},
        {"show security group-vpn server registered-members group-id 1x", 6,
         "group-id '1x': expected a number from 1 to 4294967295"},
        {"show security group-vpn server registered-members group a group-id 1", 7,
         "'group-id' is not known here, expected one of: brief, detail"},
        {"show security group-vpn member ike security-associations peer-address 1.2.3", 7,
         "peer-address '1.2.3': expected an address"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(parse(cases[i].line), ERR_SYNTAX);
        assert_int_equal(complaint.word, cases[i].word);
        assert_string_equal(complaint.sentence, cases[i].sentence);
    }
}

static void arguments_are_checked_when_added(void **state)
{
    struct ctl_request r = {.command = ctl_command_of(CTL_SHOW_SERVER_MEMBERS)};
    char sentence[CTL_SENTENCE_MAX];

    (void)state;
    assert_int_equal(ctl_request_add(&r, "brief", NULL, sentence), ERR_OK);
    assert_int_equal(ctl_request_add(&r, "detail", NULL, sentence), ERR_SYNTAX);
    assert_string_equal(sentence, "detail and another argument exclude each other");
    assert_int_equal(ctl_request_add(&r, "group", NULL, sentence), ERR_SYNTAX);
    assert_int_equal(ctl_request_add(&r, "group", "", sentence), ERR_SYNTAX);
    assert_string_equal(sentence, "group wants a name");
    assert_int_equal(ctl_request_add(&r, "vpn", "x", sentence), ERR_SYNTAX);
    assert_int_equal(r.n, 1);
}

static bool offers(const struct ctl_choices *c, const char *word)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->choice[i].word, word) == 0)
            return true;
    }
    return false;
}

static void choices(const char *finished, const char *begun, struct ctl_choices *ret)
{
    split(&the_line, finished);
    ctl_command_choices(the_line.words, the_line.n, begun, ret);
}

static void choices_follow_the_table(void **state)
{
    struct ctl_choices c;

    (void)state;
    choices("", "", &c);
    assert_int_equal(c.n, 4);
    assert_false(c.complete);
    choices("sh sec g", "m", &c);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.choice[0].word, "member");
    assert_string_equal(c.choice[0].help, "Show what the member knows");
    choices("sh sec g server registered-members detail", "", &c);
    assert_true(c.complete);
    assert_int_equal(c.n, 2);
    assert_true(offers(&c, "group") && offers(&c, "group-id") && !offers(&c, "brief"));
    choices("sh sec g server registered-members group", "", &c);
    assert_false(c.complete);
    assert_string_equal(c.choice[0].word, "<name>");
    assert_false(c.choice[0].literal);
    choices("nonsense", "", &c);
    assert_int_equal(c.n, 0);
}

/* Every word of every command has a help text, and the table finds each command by its words. */
static void the_table_is_whole(void **state)
{
    (void)state;
    for (unsigned id = 0; id < CTL_COMMAND_COUNT; id++) {
        const struct ctl_command *command = ctl_command_of((enum ctl_command_id)id);
        struct ctl_choices c;
        struct line l;

        assert_ptr_equal(ctl_command_by_words(command->words), command);
        assert_int_equal(parse(command->words), ERR_OK);
        assert_ptr_equal(request.command, command);
        split(&l, command->words);
        for (size_t n = 0; n < l.n; n++) {
            ctl_command_choices(l.words, n, l.words[n], &c);
            assert_true(c.n >= 1);
            for (size_t i = 0; i < c.n; i++)
                assert_true(strlen(c.choice[i].help) > 0);
        }
    }
    assert_null(ctl_command_by_words("show"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_parse_in_full_and_shortened),
        cmocka_unit_test(wrong_lines_get_a_sentence_and_a_place),
        cmocka_unit_test(arguments_are_checked_when_added),
        cmocka_unit_test(choices_follow_the_table),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

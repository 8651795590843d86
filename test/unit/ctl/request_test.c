#include "ctl/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char sentence[CTL_SENTENCE_MAX];

static enum err parse(struct ctl_wr *w, struct arena *arena, struct ctl_request *ret)
{
    enum err e = ctl_request_parse(arena, ctl_buf_bytes(&w->buf), ret, sentence);
    ctl_buf_free(&w->buf);
    return e;
}

static void a_request_round_trips(void **state)
{
    struct ctl_request r = {.command = ctl_command_of(CTL_SHOW_SERVER_KEK)}, again;
    struct arena arena = {0};
    struct ctl_wr w = {0};

    (void)state;
    assert_int_equal(ctl_request_add(&r, "detail", NULL, sentence), ERR_OK);
    assert_int_equal(ctl_request_add(&r, "group", "grp 1", sentence), ERR_OK);
    ctl_request_write(&w, &r);
    assert_int_equal(ctl_wr_end(&w), ERR_OK);
    assert_int_equal(parse(&w, &arena, &again), ERR_OK);
    assert_ptr_equal(again.command, r.command);
    assert_int_equal(again.n, 2);
    assert_true(ctl_request_has(&again, "detail"));
    assert_string_equal(ctl_request_text(&again, "group"), "grp 1");
    arena_free(&arena);
}

static void requests_are_checked_against_the_table(void **state)
{
    struct ctl_request r;
    struct arena arena = {0};
    struct ctl_wr w = {0};

    (void)state;
    ctl_put_str(&w, "command", "show nothing");
    assert_int_equal(parse(&w, &arena, &r), ERR_SYNTAX);
    assert_string_equal(sentence, "'show nothing' is not a command of this version");

    w = (struct ctl_wr){0};
    ctl_put_str(&w, "command", "show version");
    ctl_section(&w, "arguments");
    ctl_put_str(&w, "group", "x");
    ctl_end(&w);
    assert_int_equal(parse(&w, &arena, &r), ERR_SYNTAX);
    assert_string_equal(sentence, "group is not an argument of 'show version'");

    w = (struct ctl_wr){0};
    ctl_put_u64(&w, "command", 1);
    assert_int_equal(parse(&w, &arena, &r), ERR_MISSING);

    w = (struct ctl_wr){0};
    ctl_put_str(&w, "command", "show version");
    ctl_put_bool(&w, "arguments", true);
    assert_int_equal(parse(&w, &arena, &r), ERR_MISSING);

    assert_int_equal(ctl_request_parse(&arena, bytes("\1", 1), &r, sentence), ERR_SHORT);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_round_trips),
        cmocka_unit_test(requests_are_checked_against_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

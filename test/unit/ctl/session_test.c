#include "ctl/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static enum err answer_version(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                               char sentence[CTL_SENTENCE_MAX])
{
    (void)r;
    (void)sentence;
    ctl_put_str(reply, "version", ctx);
    return ERR_OK;
}

static enum err answer_members(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                               char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    ctl_put_str(reply, "lost", "when the answer fails");
    snprintf(sentence, CTL_SENTENCE_MAX, "no group '%s'", ctl_request_text(r, "group"));
    return ERR_NOT_FOUND;
}

static enum err answer_clear(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                             char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    (void)r;
    (void)reply;
    (void)sentence;
    return ERR_OK;
}

/* A list of 0 .. LONG - 1, PER_PIECE at a time. */
enum { LONG = 1000, PER_PIECE = 300 };

static enum err begin_long(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                           char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    (void)r;
    (void)sentence;
    ctl_list(reply, "number");
    return ERR_OK;
}

static bool more_of_long(void *ctx, const struct ctl_request *r, struct ctl_cursor *at,
                         struct ctl_wr *reply)
{
    (void)ctx;
    assert_string_equal(ctl_request_text(r, "group"), "red"); /* the request is still there */
    for (size_t i = 0; i < PER_PIECE && at->at < LONG; i++)
        ctl_put_u64(reply, NULL, at->at++);
    if (at->at < LONG)
        return false;
    ctl_end(reply);
    return true;
}

static enum err answer_rekey(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                             char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    (void)r;
    (void)sentence;
    ctl_put_u64(reply, "members", 7);
    return ERR_OK;
}

static struct ctl_wait given; /* what answer_rekey() has stored */
static struct ctl_wait waits_for(void *ctx)
{
    (void)ctx;
    return given;
}

static unsigned n_denied;

static void denied(void *owner, const struct ctl_command *command)
{
    assert_ptr_equal(owner, &n_denied);
    assert_non_null(command);
    n_denied++;
}

static char version[] = "1.2";
static const struct ctl_service service = {
    .ctx = version,
    .program = "conclaved",
    .version = "1.2",
    .host = "srv",
    .denied = denied,
    .holders = {[CTL_CONTROL] = "root"},
    .handlers = {[CTL_SHOW_VERSION] = {answer_version},
                 [CTL_SHOW_SERVER_MEMBERS] = {answer_members},
                 [CTL_SHOW_SERVER_IPSEC] = {begin_long, more_of_long},
                 [CTL_REQUEST_REKEY] = {.answer = answer_rekey, .waits_for = waits_for},
                 [CTL_CLEAR_MEMBER_GROUP] = {answer_clear}},
};

/* What the session said next; its body is valid until `out` changes. */
static struct ctl_frame next(struct ctl_session *s)
{
    static uint8_t body[CTL_BODY_MAX];
    struct ctl_frame f;
    size_t used = 0;

    assert_int_equal(ctl_frame_parse(ctl_buf_bytes(&s->out), &f, &used), ERR_OK);
    if (f.body.len > 0)
        memcpy(body, f.body.data, f.body.len);
    f.body.data = body;
    ctl_buf_eat(&s->out, used);
    return f;
}

static const char *error_of(const struct ctl_frame *f)
{
    static char text[CTL_SENTENCE_MAX];
    struct arena arena = {0};
    const char *sentence = NULL;

    assert_int_equal(f->kind, CTL_ERROR);
    assert_int_equal(ctl_error_parse(&arena, f->body, &sentence), ERR_OK);
    snprintf(text, sizeof text, "%s", sentence);
    arena_free(&arena);
    return text;
}

static const char *next_error(struct ctl_session *s, uint32_t id)
{
    struct ctl_frame f = next(s);

    assert_int_equal(f.id, id);
    return error_of(&f);
}

static void feed(struct ctl_session *s, enum ctl_kind kind, uint32_t id, struct bytes body)
{
    struct ctl_buf b = {0};

    ctl_frame_write(&b, kind, id, body);
    ctl_session_feed(s, ctl_buf_bytes(&b));
    ctl_buf_free(&b);
}

static void ask(struct ctl_session *s, uint32_t id, enum ctl_command_id command, const char *group)
{
    struct ctl_request r = {.command = ctl_command_of(command)};
    char sentence[CTL_SENTENCE_MAX];
    struct ctl_wr w = {0};

    if (group)
        assert_int_equal(ctl_request_add(&r, "group", group, sentence), ERR_OK);
    ctl_request_write(&w, &r);
    feed(s, CTL_REQUEST, id, ctl_buf_bytes(&w.buf));
    ctl_buf_free(&w.buf);
}

static struct ctl_session greeted(enum ctl_class class)
{
    struct ctl_session s = ctl_session_start(&service, class, &n_denied);

    assert_int_equal(next(&s).kind, CTL_HELLO);
    feed(&s, CTL_HELLO, 0, bytes("CVL\1", 4));
    assert_true(s.greeted);
    return s;
}

static void a_request_is_answered(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);
    struct arena arena = {0};
    struct ctl_node *tree = NULL;

    (void)state;
    ask(&s, 5, CTL_SHOW_VERSION, NULL);
    struct ctl_frame f = next(&s);
    assert_int_equal(f.kind, CTL_DONE);
    assert_int_equal(f.id, 5);
    assert_int_equal(ctl_tree_parse(&arena, f.body, &tree), ERR_OK);
    assert_string_equal(ctl_find_text(tree, "version"), "1.2");
    assert_int_equal(s.out.len, 0);
    ctl_session_free(&s);
    arena_free(&arena);
}

static void octets_may_come_one_by_one(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);
    struct ctl_request r = {.command = ctl_command_of(CTL_SHOW_VERSION)};
    struct ctl_wr w = {0};
    struct ctl_buf b = {0};

    (void)state;
    ctl_request_write(&w, &r);
    ctl_frame_write(&b, CTL_REQUEST, 1, ctl_buf_bytes(&w.buf));
    for (size_t i = 0; i < b.len; i++) {
        assert_int_equal(s.out.len, 0);
        ctl_session_feed(&s, bytes(b.data + i, 1));
    }
    assert_int_equal(next(&s).kind, CTL_DONE);
    ctl_buf_free(&w.buf);
    ctl_buf_free(&b);
    ctl_session_free(&s);
}

static void refusals_have_sentences(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);

    (void)state;
    ask(&s, 1, CTL_SHOW_SERVER_MEMBERS, "red");
    assert_string_equal(next_error(&s, 1), "no group 'red'");
    ask(&s, 2, CTL_SHOW_SERVER_KEK, NULL);
    assert_string_equal(next_error(&s, 2), "conclaved does not answer "
                                           "'show security group-vpn server kek "
                                           "security-associations'");
    ask(&s, 3, CTL_CLEAR_MEMBER_GROUP, NULL);
    assert_string_equal(next_error(&s, 3), "'clear security group-vpn member group' needs the "
                                           "privilege security-control, which you have as root");
    assert_int_equal(n_denied, 1);
    feed(&s, CTL_REQUEST, 4, bytes("\1", 1));
    assert_string_equal(next_error(&s, 4), err_text(ERR_SHORT));
    assert_false(s.closing);
    ctl_session_free(&s);

    s = greeted(CTL_CONTROL);
    ask(&s, 3, CTL_CLEAR_MEMBER_GROUP, NULL);
    assert_int_equal(next(&s).kind, CTL_DONE);
    ctl_session_free(&s);
}

/* Every command of the table, asked by every class. Commands without a handler are known by what
 * they are refused with. */
static void every_command_has_its_class(void **state)
{
    static const struct ctl_service nothing = {.program = "conclaved", .version = "1", .host = "h"};

    (void)state;
    for (unsigned class = CTL_NONE; class < CTL_CLASS_COUNT; class ++) {
        for (unsigned id = 0; id < CTL_COMMAND_COUNT; id++) {
            const struct ctl_command *c = ctl_command_of((enum ctl_command_id)id);
            struct ctl_session s = ctl_session_start(&nothing, (enum ctl_class) class, NULL);
            (void)next(&s);
            feed(&s, CTL_HELLO, 0, bytes("CVL\1", 4));
            ask(&s, 1, c->id, NULL);
            assert_true(c->class > CTL_NONE);
            if (class < c->class)
                assert_non_null(strstr(next_error(&s, 1), "needs the privilege security"));
            else if (c->id != CTL_MONITOR)
                assert_non_null(strstr(next_error(&s, 1), "conclaved does not answer"));
            assert_int_equal(s.out.len, 0);
            ctl_session_free(&s);
        }
    }
}

static void a_long_answer_comes_in_pieces(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);
    struct ctl_buf body = {0};
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    unsigned n_pieces = 0;

    (void)state;
    ask(&s, 3, CTL_SHOW_SERVER_IPSEC, "red");
    assert_int_equal(s.pending.id, 3);
    assert_true(ctl_session_go_on(&s)); /* the first piece is still there: no other one is made */
    assert_int_equal(s.pending.at.at, PER_PIECE);
    ask(&s, 4, CTL_SHOW_VERSION, NULL);
    for (bool done = false; !done;) {
        struct ctl_frame f = next(&s);
        if (f.id == 4) { /* one answer at a time */
            assert_string_equal(error_of(&f), "an earlier answer of this connection goes on: ask "
                                              "again after its end");
        } else {
            done = f.kind == CTL_DONE;
            assert_true(done || f.kind == CTL_REPLY);
            ctl_buf_put(&body, f.body);
            n_pieces++;
        }
        if (s.out.len == 0 && !done)
            (void)ctl_session_go_on(&s);
    }
    assert_false(ctl_session_go_on(&s));
    assert_int_equal(n_pieces, 5);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&body), &tree), ERR_OK);
    assert_int_equal(ctl_find(tree, "number")->n, LONG);
    ctl_buf_free(&body);
    arena_free(&arena);

    ask(&s, 5, CTL_SHOW_SERVER_IPSEC, "red");
    assert_int_equal(next(&s).kind, CTL_REPLY);
    feed(&s, CTL_CANCEL, 5, bytes(NULL, 0));
    assert_string_equal(next_error(&s, 5), "cancelled");
    assert_false(ctl_session_go_on(&s));
    ask(&s, 6, CTL_SHOW_SERVER_IPSEC, "red");
    assert_int_equal(s.pending.id, 6);
    ctl_session_free(&s); /* the console went away */
}

static void an_answer_waits_for_the_store(void **state)
{
    struct ctl_session s = greeted(CTL_CONTROL);
    struct arena arena = {0};
    struct ctl_node *tree = NULL;

    (void)state;
    given = (struct ctl_wait){.first = 4, .last = 6};
    assert_false(ctl_session_stored(&s, 4, ERR_OK)); /* nobody waits */
    ask(&s, 5, CTL_REQUEST_REKEY, NULL);
    assert_int_equal(s.out.len, 0);
    assert_false(ctl_session_go_on(&s)); /* not a long answer: nothing to do meanwhile */
    assert_false(ctl_session_stored(&s, 3, ERR_SYSTEM));
    assert_false(ctl_session_stored(&s, 7, ERR_SYSTEM));
    assert_false(ctl_session_stored(&s, 4, ERR_OK));
    assert_false(ctl_session_stored(&s, 5, ERR_OK));
    assert_int_equal(s.out.len, 0);
    ask(&s, 6, CTL_SHOW_VERSION, NULL);
    assert_string_equal(next_error(&s, 6), "an earlier command of this connection waits until it "
                                           "is stored: ask again after its answer");
    assert_true(ctl_session_stored(&s, 6, ERR_OK));
    struct ctl_frame f = next(&s);
    assert_int_equal(f.kind, CTL_DONE);
    assert_int_equal(f.id, 5);
    assert_int_equal(ctl_tree_parse(&arena, f.body, &tree), ERR_OK);
    assert_int_equal(ctl_find_u64(tree, "members"), 7);
    assert_false(ctl_session_stored(&s, 6, ERR_OK));

    given = (struct ctl_wait){0}; /* nothing to store */
    ask(&s, 7, CTL_REQUEST_REKEY, NULL);
    assert_int_equal(next(&s).kind, CTL_DONE);
    ask(&s, 8, CTL_SHOW_VERSION, NULL);
    assert_int_equal(next(&s).kind, CTL_DONE);
    ctl_session_free(&s);
    arena_free(&arena);
}

static void a_store_that_fails_is_the_answer(void **state)
{
    struct ctl_session s = greeted(CTL_CONTROL);

    (void)state;
    given = (struct ctl_wait){.first = 4, .last = 6};
    ask(&s, 5, CTL_REQUEST_REKEY, NULL);
    assert_false(ctl_session_stored(&s, 4, ERR_NO_SPACE));
    assert_false(ctl_session_stored(&s, 5, ERR_SYSTEM));
    assert_true(ctl_session_stored(&s, 6, ERR_OK));
    assert_string_equal(next_error(&s, 5),
                        "it is in force, but it could not be stored (the disk is full): until it "
                        "is, a restart forgets it; the daemon goes on trying");
    assert_int_equal(s.out.len, 0);
    assert_false(s.closing);
    ctl_session_free(&s);
}

static void who_waits_for_the_store_may_leave(void **state)
{
    struct ctl_session s = greeted(CTL_CONTROL);

    (void)state;
    given = (struct ctl_wait){.first = 1, .last = 1};
    ask(&s, 5, CTL_REQUEST_REKEY, NULL);
    feed(&s, CTL_CANCEL, 5, bytes(NULL, 0));
    assert_string_equal(next_error(&s, 5), "it is done; whether it is stored, events tell");
    assert_false(ctl_session_stored(&s, 1, ERR_OK));
    assert_int_equal(s.out.len, 0);
    ask(&s, 6, CTL_REQUEST_REKEY, NULL);
    ctl_session_free(&s); /* the console went away */
    assert_false(ctl_session_stored(&s, 1, ERR_OK));
}

static void who_is_turned_away_hears_why_and_no_more(void **state)
{
    struct ctl_session s = ctl_session_start(&service, CTL_VIEW, &n_denied);

    (void)state;
    ctl_session_turn_away(&s, ERR_BUSY, "come again");
    assert_string_equal(next_error(&s, 0), "come again");
    assert_true(s.closing);
    feed(&s, CTL_HELLO, 0, bytes("CVL\1", 4));
    assert_int_equal(s.out.len, 0);
    ctl_session_free(&s);
}

static void events_reach_subscribers_until_cancelled(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);
    struct bytes event = bytes("\5\1a\1", 4);

    (void)state;
    ctl_session_event(&s, event);
    assert_int_equal(s.out.len, 0);
    ask(&s, 9, CTL_MONITOR, NULL);
    assert_int_equal(s.out.len, 0);
    ask(&s, 10, CTL_MONITOR, NULL);
    assert_string_equal(next_error(&s, 10), "this connection already receives events");
    ctl_session_event(&s, event);
    struct ctl_frame f = next(&s);
    assert_int_equal(f.kind, CTL_EVENT);
    assert_int_equal(f.id, 9);
    assert_true(bytes_equal(f.body, event));
    feed(&s, CTL_CANCEL, 8, bytes(NULL, 0));
    assert_int_equal(s.monitor, 9);
    feed(&s, CTL_CANCEL, 9, bytes(NULL, 0));
    assert_int_equal(next(&s).kind, CTL_DONE);
    ctl_session_event(&s, event);
    assert_int_equal(s.out.len, 0);
    ctl_session_free(&s);
}

static void a_slow_subscriber_loses_events_and_is_told(void **state)
{
    static uint8_t filler[CTL_BODY_MAX];
    struct ctl_session s = greeted(CTL_VIEW);
    struct arena arena = {0};
    struct ctl_node *tree = NULL;

    (void)state;
    ask(&s, 1, CTL_MONITOR, NULL);
    while (s.n_lost < 2)
        ctl_session_event(&s, BYTES_OF(filler));
    assert_true(s.out.len <= CTL_OUT_MAX + CTL_FRAME_HEADER * 64);
    ctl_buf_eat(&s.out, s.out.len);
    ctl_session_event(&s, bytes("\5\1a\1", 4));
    assert_int_equal(ctl_tree_parse(&arena, next(&s).body, &tree), ERR_OK);
    assert_int_equal(ctl_find_u64(tree, "lost"), 2);
    assert_int_equal(next(&s).body.len, 4);
    ctl_session_free(&s);
    arena_free(&arena);
}

static void unread_answers_stop_further_ones(void **state)
{
    struct ctl_session s = greeted(CTL_VIEW);

    (void)state;
    ctl_buf_space(&s.out, CTL_OUT_MAX);
    ask(&s, 1, CTL_SHOW_VERSION, NULL);
    assert_true(s.out.len > CTL_OUT_MAX);
    ask(&s, 2, CTL_SHOW_VERSION, NULL);
    ctl_buf_eat(&s.out, CTL_OUT_MAX);
    assert_int_equal(next(&s).kind, CTL_DONE);
    assert_string_equal(next_error(&s, 2), "earlier answers have not been read yet");
    ctl_session_free(&s);
}

static void strangers_are_shown_out(void **state)
{
    struct ctl_session s;

    (void)state;
    s = ctl_session_start(&service, CTL_CONTROL, &n_denied);
    (void)next(&s);
    feed(&s, CTL_HELLO, 0, bytes("CVL\2", 4));
    assert_non_null(strstr(next_error(&s, 0), "another version"));
    assert_true(s.closing);
    ctl_session_feed(&s, bytes_str("more"));
    assert_int_equal(s.out.len, 0);
    ctl_session_free(&s);

    s = ctl_session_start(&service, CTL_CONTROL, &n_denied);
    (void)next(&s);
    ask(&s, 1, CTL_SHOW_VERSION, NULL); /* before HELLO */
    assert_string_equal(next_error(&s, 0), err_text(ERR_UNEXPECTED));
    assert_true(s.closing);
    ctl_session_free(&s);

    s = greeted(CTL_CONTROL);
    ctl_session_feed(&s, bytes_str("GET / HTTP/1.1\r\n"));
    assert_string_equal(next_error(&s, 0), err_text(ERR_LENGTH));
    assert_true(s.closing);
    ctl_session_free(&s);

    s = greeted(CTL_CONTROL);
    ask(&s, 0, CTL_SHOW_VERSION, NULL);
    assert_string_equal(next_error(&s, 0), "a request needs an id");
    ctl_session_free(&s);

    s = greeted(CTL_CONTROL);
    feed(&s, CTL_DONE, 1, bytes(NULL, 0));
    assert_true(s.closing);
    ctl_session_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(octets_may_come_one_by_one),
        cmocka_unit_test(refusals_have_sentences),
        cmocka_unit_test(every_command_has_its_class),
        cmocka_unit_test(a_long_answer_comes_in_pieces),
        cmocka_unit_test(an_answer_waits_for_the_store),
        cmocka_unit_test(a_store_that_fails_is_the_answer),
        cmocka_unit_test(who_waits_for_the_store_may_leave),
        cmocka_unit_test(who_is_turned_away_hears_why_and_no_more),
        cmocka_unit_test(events_reach_subscribers_until_cancelled),
        cmocka_unit_test(a_slow_subscriber_loses_events_and_is_told),
        cmocka_unit_test(unread_answers_stop_further_ones),
        cmocka_unit_test(strangers_are_shown_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "ctl/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LITERAL(s) bytes(s, sizeof(s) - 1)

static void a_frame_round_trips(void **state)
{
    struct ctl_buf b = {0};
    struct ctl_frame f;
    size_t used = 0;

    (void)state;
    ctl_frame_write(&b, CTL_REQUEST, 0x01020304, bytes_str("body"));
    assert_true(bytes_equal(ctl_buf_bytes(&b), LITERAL("\0\0\0\11\2\1\2\3\4"
                                                       "body")));
    ctl_buf_put(&b, bytes_str("next"));
    assert_int_equal(ctl_frame_parse(ctl_buf_bytes(&b), &f, &used), ERR_OK);
    assert_int_equal(used, 13);
    assert_int_equal(f.kind, CTL_REQUEST);
    assert_int_equal(f.id, 0x01020304);
    assert_true(bytes_equal(f.body, bytes_str("body")));
    for (size_t n = 0; n < 13; n++)
        assert_int_equal(ctl_frame_parse(bytes(b.data, n), &f, &used), ERR_SHORT);
    ctl_buf_free(&b);
}

static void foreign_streams_are_refused_early(void **state)
{
    struct ctl_frame f;
    size_t used = 0;

    (void)state;
    assert_int_equal(ctl_frame_parse(bytes_str("GET / HTTP/1.1"), &f, &used), ERR_LENGTH);
    assert_int_equal(ctl_frame_parse(LITERAL("\0\0\0\4"), &f, &used), ERR_LENGTH);
    assert_int_equal(ctl_frame_parse(LITERAL("\0\0\0\5\0"), &f, &used), ERR_TYPE);
    assert_int_equal(ctl_frame_parse(LITERAL("\0\0\0\5\10"), &f, &used), ERR_TYPE);
}

static void an_answer_is_cut_in_pieces(void **state)
{
    static uint8_t tree[CTL_PIECE * 2 + 1];
    struct ctl_buf b = {0};
    size_t at = 0, total = 0;
    enum ctl_kind last = CTL_HELLO;
    int n = 0;

    (void)state;
    ctl_answer_write(&b, 7, BYTES_OF(tree));
    while (at < b.len) {
        struct ctl_frame f;
        size_t used = 0;
        assert_int_equal(ctl_frame_parse(bytes(b.data + at, b.len - at), &f, &used), ERR_OK);
        assert_int_equal(f.id, 7);
        total += f.body.len;
        last = f.kind;
        at += used;
        n++;
    }
    assert_int_equal(n, 3);
    assert_int_equal(total, sizeof tree);
    assert_int_equal(last, CTL_DONE);
    ctl_buf_free(&b);
}

static void hello_carries_the_version_first(void **state)
{
    struct arena arena = {0};
    struct ctl_wr w = {0};
    struct ctl_buf b = {0};
    struct ctl_frame f;
    struct ctl_node *tree = NULL;
    size_t used = 0;

    (void)state;
    ctl_put_str(&w, "program", "conclaved");
    ctl_hello_write(&b, ctl_buf_bytes(&w.buf));
    assert_int_equal(ctl_frame_parse(ctl_buf_bytes(&b), &f, &used), ERR_OK);
    assert_int_equal(f.kind, CTL_HELLO);
    assert_int_equal(ctl_hello_parse(&arena, f.body, &tree), ERR_OK);
    assert_string_equal(ctl_find_text(tree, "program"), "conclaved");
    assert_int_equal(ctl_hello_parse(&arena, LITERAL("CVL\2"), &tree), ERR_VERSION);
    assert_int_equal(ctl_hello_parse(&arena, LITERAL("CV"), &tree), ERR_VERSION);
    assert_int_equal(ctl_hello_parse(&arena, LITERAL("CVL\1\0"), &tree), ERR_TYPE);
    ctl_buf_free(&w.buf);
    ctl_buf_free(&b);
    arena_free(&arena);
}

static void an_error_carries_its_sentence(void **state)
{
    struct arena arena = {0};
    struct ctl_buf b = {0};
    struct ctl_frame f;
    size_t used = 0;
    const char *sentence = NULL;

    (void)state;
    ctl_error_write(&b, 3, ERR_NOT_FOUND, "group 'x' does not exist");
    assert_int_equal(ctl_frame_parse(ctl_buf_bytes(&b), &f, &used), ERR_OK);
    assert_int_equal(ctl_error_parse(&arena, f.body, &sentence), ERR_OK);
    assert_string_equal(sentence, "group 'x' does not exist");
    assert_int_equal(ctl_error_parse(&arena, bytes(NULL, 0), &sentence), ERR_MISSING);
    assert_int_equal(ctl_error_parse(&arena, LITERAL("\1"), &sentence), ERR_SHORT);
    ctl_buf_free(&b);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_round_trips),
        cmocka_unit_test(foreign_streams_are_refused_early),
        cmocka_unit_test(an_answer_is_cut_in_pieces),
        cmocka_unit_test(hello_carries_the_version_first),
        cmocka_unit_test(an_error_carries_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

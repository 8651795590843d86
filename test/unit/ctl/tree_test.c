#include "ctl/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ip address(const char *text)
{
    struct ip ip = IP_NONE;
    assert_true(ip_parse(text, &ip));
    return ip;
}

static void write_everything(struct ctl_wr *w)
{
    ctl_section(w, "group");
    ctl_put_str(w, "name", "grp1");
    ctl_put_text(w, "cut", bytes("a\0b", 3));
    ctl_put_u64(w, "id", UINT64_MAX);
    ctl_put_bool(w, "up", true);
    ctl_put_bytes(w, "cookie", bytes("\0\1\2", 3));
    ctl_list(w, "addresses");
    ctl_put_ip(w, NULL, address("10.0.0.1"));
    ctl_put_ip(w, NULL, IP_NONE);
    ctl_put_ip(w, NULL, address("2001:db8::1"));
    ctl_end(w);
    ctl_end(w);
    ctl_put_endpoint(w, "peer", (struct endpoint){address("10.0.0.2"), 848});
    ctl_put_prefix(w, "source", prefix_of(address("10.1.0.0"), 16));
    ctl_put_time(w, "since", (wall_t){-1});
    ctl_put_str(w, "absent", NULL);
}

static void what_is_written_is_read(void **state)
{
    struct arena arena = {0};
    struct ctl_node *root = NULL;
    struct ctl_wr w = {0}, again = {0};

    (void)state;
    write_everything(&w);
    assert_int_equal(ctl_wr_end(&w), ERR_OK);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&w.buf), &root), ERR_OK);

    const struct ctl_node *group = ctl_find(root, "group");
    assert_string_equal(ctl_find_text(group, "name"), "grp1");
    assert_string_equal(ctl_find_text(group, "cut"), "a");
    assert_true(ctl_find_u64(group, "id") == UINT64_MAX);
    assert_true(ctl_find_bool(group, "up"));
    assert_int_equal(ctl_find(group, "addresses")->n, 3);
    assert_true(ip_equal(ctl_find(group, "addresses")->first->ip, address("10.0.0.1")));
    assert_int_equal(ctl_find(root, "peer")->endpoint.port, 848);
    assert_int_equal(ctl_find(root, "source")->prefix.len, 16);
    assert_int_equal(ctl_find(root, "since")->time.s, -1);
    assert_null(ctl_find(root, "absent"));
    assert_null(ctl_find_text(group, "id"));
    assert_null(ctl_find(NULL, "id"));

    ctl_put_tree(&again, root);
    assert_true(bytes_equal(ctl_buf_bytes(&w.buf), ctl_buf_bytes(&again.buf)));
    ctl_buf_free(&w.buf);
    ctl_buf_free(&again.buf);
    arena_free(&arena);
}

static enum err parse(struct bytes in)
{
    struct arena arena = {0};
    struct ctl_node *root = NULL;
    enum err e = ctl_tree_parse(&arena, in, &root);

    assert_true((root != NULL) == (e == ERR_OK));
    arena_free(&arena);
    return e;
}

#define LITERAL(s) bytes(s, sizeof(s) - 1)
#define CASE(s) s, sizeof(s) - 1

static void malformed_trees_are_refused(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        enum err err;
    } cases[] = {
        {CASE(""), ERR_OK},
        {CASE("\5\1a\1"), ERR_OK},
        {CASE("\5\1a"), ERR_SHORT},
        {CASE("\1\1a"), ERR_SHORT},     /* a section that never ends */
        {CASE("\0"), ERR_TYPE},         /* an END with nothing open */
        {CASE("\13\1a\1"), ERR_TYPE},   /* type 11 */
        {CASE("\5\1a\2"), ERR_VALUE},   /* a bool of 2 */
        {CASE("\5\1A\1"), ERR_VALUE},   /* a name in capitals */
        {CASE("\5\0\1"), ERR_VALUE},    /* a name of nothing */
        {CASE("\5\0011\1"), ERR_VALUE}, /* a name that begins with a digit */
        {CASE("\5\1a\1\5\1a\1"), ERR_DUPLICATE},
        {CASE("\3\1a\0\0\0\1\0"), ERR_VALUE}, /* a NUL in a text */
        {CASE("\3\1a\0\1\0\1"), ERR_LENGTH},  /* a text of 65537 */
        {CASE("\3\1a\0\0\0\2x"), ERR_SHORT},
        {CASE("\7\1a\5\1\2\3\4"), ERR_VALUE},      /* an address of version 5 */
        {CASE("\11\1a\4\12\0\0\1\10"), ERR_VALUE}, /* 10.0.0.1/8 has host bits */
        {CASE("\11\1a\4\12\0\0\1\41"), ERR_VALUE}, /* a length of 33 */
        {CASE("\11\1a\0\1"), ERR_VALUE},           /* a length without an address */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(parse(bytes(cases[i].in, cases[i].len)), cases[i].err);
}

static void names_are_capped(void **state)
{
    struct ctl_buf b = {0};

    (void)state;
    ctl_buf_put(&b, LITERAL("\5\101"));
    memset(ctl_buf_space(&b, 65), 'a', 65);
    ctl_buf_put(&b, LITERAL("\1"));
    assert_int_equal(parse(ctl_buf_bytes(&b)), ERR_LENGTH);
    ctl_buf_free(&b);
}

static void nesting_is_capped(void **state)
{
    struct ctl_buf b = {0};

    (void)state;
    for (int i = 0; i < CTL_DEPTH_MAX - 1; i++)
        ctl_buf_put(&b, i == 0 ? LITERAL("\2\1a") : LITERAL("\2"));
    for (int i = 0; i < CTL_DEPTH_MAX - 1; i++)
        ctl_buf_put(&b, LITERAL("\0"));
    assert_int_equal(parse(ctl_buf_bytes(&b)), ERR_OK);
    ctl_buf_free(&b);
    for (int i = 0; i < CTL_DEPTH_MAX; i++)
        ctl_buf_put(&b, i == 0 ? LITERAL("\2\1a") : LITERAL("\2"));
    assert_int_equal(parse(ctl_buf_bytes(&b)), ERR_LIMIT);
    ctl_buf_free(&b);
}

static void items_of_a_section_are_capped(void **state)
{
    struct ctl_wr w = {0};
    char name[8] = "a000";

    (void)state;
    for (int i = 0; i <= CTL_SECTION_MAX; i++) {
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        if (i == CTL_SECTION_MAX)
            assert_int_equal(parse(ctl_buf_bytes(&w.buf)), ERR_OK);
        ctl_put_bool(&w, name, true);
    }
    assert_int_equal(parse(ctl_buf_bytes(&w.buf)), ERR_TOO_MANY);
    ctl_buf_free(&w.buf);
}

static void a_list_holds_many(void **state)
{
    struct ctl_wr w = {0};

    (void)state;
    ctl_list(&w, "numbers");
    for (uint64_t i = 0; i < 10000; i++)
        ctl_put_u64(&w, NULL, i);
    ctl_end(&w);
    assert_int_equal(ctl_wr_end(&w), ERR_OK);
    assert_int_equal(parse(ctl_buf_bytes(&w.buf)), ERR_OK);
    ctl_buf_free(&w.buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(malformed_trees_are_refused),
        cmocka_unit_test(names_are_capped),
        cmocka_unit_test(nesting_is_capped),
        cmocka_unit_test(items_of_a_section_are_capped),
        cmocka_unit_test(a_list_holds_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

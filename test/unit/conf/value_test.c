/* Every type of value at its edges: first, last, one past. */
#include "conf/value.h"
#include "test/check.h"

static struct arena arena;

static const struct conf_choice colours[] = {{"red", "", 1},
                                             {"rust", "", 2, .weak = "it flakes"},
                                             {"gold", "", 3, .unbuilt = "expected red"},
                                             {0}};

/* How many findings of each severity a value causes; the text of the last one. */
static const char *last_text;
static struct conf_diags diags_of(const struct conf_schema *s, const char *value)
{
    struct conf_diags d;
    struct conf_tree *t = conf_tree_new(&arena, "f");
    conf_diags_init(&d, &arena, "f");
    struct conf_node *n = conf_node_get(t, t->root, s, NULL, (struct conf_pos){1, 1});
    conf_node_add_value(t, n, (struct conf_word){.text = value, .pos = {1, 5}});
    conf_check_value(&d, n, 0);
    last_text = d.n > 0 ? d.list[d.n - 1].text : "";
    return d;
}

static bool takes(const struct conf_schema *s, const char *value)
{
    struct conf_diags d = diags_of(s, value);
    return conf_diags_count(&d, CONF_ERROR) == 0;
}

static void check(const struct conf_schema *s, const char *const *good, const char *const *bad)
{
    for (; *good; good++)
        assert_true(takes(s, *good));
    for (; *bad; bad++) {
        assert_false(takes(s, *bad));
        assert_non_null(strstr(last_text, ", expected "));
    }
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ROW_OF(...)                                                                                \
    (&(const struct conf_schema){.name = "x", .help = "x", .kind = CONF_LEAF, __VA_ARGS__})

static void test_numbers(void **state)
{
    (void)state;
    check(ROW_OF(.type = CONF_T_NUMBER, .min = 10, .max = 900), LIST("10", "900", "0010"),
          LIST("9", "901", "", "-1", "+10", "1e2", "0x10", "10 ", "4294967296", "99999999999"));
    check(ROW_OF(.type = CONF_T_NUMBER, .max = UINT32_MAX), LIST("0", "4294967295"),
          LIST("4294967296"));
    check(ROW_OF(.type = CONF_T_NUMBER, .min = 1, .max = 2, .choices = colours), LIST("1", "red"),
          LIST("3", "blue"));
    (void)takes(ROW_OF(.type = CONF_T_NUMBER, .min = 1, .max = 2, .unit = "hours"), "3");
    assert_string_equal(last_text, "'3' is out of range, expected a number from 1 to 2 (hours)");
    (void)takes(ROW_OF(.type = CONF_T_NUMBER, .min = 1, .max = 2, .choices = colours), "x");
    assert_string_equal(last_text,
                        "'x' is not a number, expected a number from 1 to 2, or red, rust or gold");
}

static void test_choices(void **state)
{
    (void)state;
    const struct conf_schema *s = ROW_OF(.type = CONF_T_CHOICE, .choices = colours);
    check(s, LIST("red", "rust", "gold"), LIST("", "blue", "Red", "redd"));
    struct conf_diags d = diags_of(s, "rust");
    assert_int_equal(conf_diags_count(&d, CONF_WARNING), 1);
    assert_string_equal(last_text, "'rust' is weak: it flakes");
    d = diags_of(s, "gold");
    assert_int_equal(conf_diags_count(&d, CONF_UNBUILT), 1);
    assert_string_equal(last_text, "'gold' is not supported yet, expected red");
}

static void test_texts(void **state)
{
    (void)state;
    check(ROW_OF(.type = CONF_T_NAME, .min = 1, .max = 4),
          LIST("a", "a.b#", "\xc3\xa4\xc3\xb6\xc3\xbc!"), LIST("", "abcde", "a b", "a\tb", "\x7f"));
    check(ROW_OF(.type = CONF_T_IDENTIFIER, .min = 1, .max = 4), LIST("a", "9-_z"),
          LIST("", "abcde", "-a", "_a", "a.b", "\xc3\xa4"));
    check(ROW_OF(.type = CONF_T_TEXT, .min = 1, .max = 4), LIST("a", "a b", "    "),
          LIST("", "abcde", "a\nb"));
    check(ROW_OF(.type = CONF_T_INTERFACE, .min = 1, .max = 12), LIST("eth0", "ge-0/0/0.0"),
          LIST("", "a b"));
    check(ROW_OF(.type = CONF_T_HOSTNAME, .min = 1, .max = 9), LIST("a", "gm-1.x.y"),
          LIST("", "a@b", "a b", "abcdefghij"));
    check(ROW_OF(.type = CONF_T_USER, .min = 3, .max = 9), LIST("a@b", "a+b@c.d"),
          LIST("", "ab", "@bc", "ab@", "a@b@c", "a b@c", "abcde@fghi"));
    check(ROW_OF(.type = CONF_T_FILE_NAME, .min = 1, .max = 5), LIST("gksd", "..."),
          LIST("", "a/b", "a%b", "a b", "abcdef"));
}

static void test_addresses(void **state)
{
    (void)state;
    check(ROW_OF(.type = CONF_T_IPV4), LIST("192.0.2.1", "127.0.0.1", "223.255.255.255"),
          LIST("", "0.0.0.0", "224.0.0.1", "255.255.255.255", "1.2.3", "1.2.3.4.5", "1.2.3.256",
               "::1", "192.0.2.1/32", "ks.example.net"));
    check(ROW_OF(.type = CONF_T_MULTICAST), LIST("224.0.0.0", "239.255.255.255"),
          LIST("223.255.255.255", "240.0.0.0", "ff02::1", ""));
    check(ROW_OF(.type = CONF_T_PREFIX),
          LIST("0.0.0.0", "0.0.0.0/0", "10.0.0.0/8", "10.1.2.3", "10.1.2.3/32"),
          LIST("", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "/8", "::/0", "10.0.0.0/08x"));
    (void)takes(ROW_OF(.type = CONF_T_PREFIX), "10.1.2.3/16");
    assert_non_null(strstr(last_text, "did you mean 10.1.0.0/16?"));
}

static void test_windows(void **state)
{
    (void)state;
    const struct conf_schema *s = ROW_OF(.type = CONF_T_WINDOW);
    check(s, LIST("60", "360", "1ms", "60000ms"),
          LIST("59", "361", "0ms", "60001ms", "ms", "", "60s", "1000 ms", "4294967295", "-60"));
    (void)takes(s, "1000");
    assert_non_null(strstr(last_text, "write 1000ms"));
    (void)takes(s, "59");
    assert_null(strstr(last_text, "ms)"));
}

static void test_sizes(void **state)
{
    (void)state;
    check(ROW_OF(.type = CONF_T_SIZE, .min = 10240, .max = 1073741824),
          LIST("10240", "10k", "1m", "1g", "1024m", "1073741824"),
          LIST("10239", "9k", "2g", "1073741825", "", "k", "10K", "1t", "1.5m",
               "99999999999999999999g"));
}

static void test_secrets(void **state)
{
    (void)state;
    const struct conf_schema *text = ROW_OF(.type = CONF_T_SECRET, .min = 1, .max = 4);
    check(text, LIST("a", "a b", "$9$LbHX-wg4Z"),
          LIST("", "abcde", "$9$41JDk5T3CpBFnCuB1rl8X7-VYq.5", "$9$!"));
    const struct conf_schema *hex = ROW_OF(.type = CONF_T_SECRET_HEX, .min = 1, .max = 8);
    check(hex, LIST("ab", "00ffAA10"), LIST("", "abc", "gh", "00112233445", "$9$LbHX-wg4Z"));
    (void)takes(hex, "topsecret");
    assert_null(strstr(last_text, "topsecret"));
    assert_string_equal(conf_secret_clear(&arena, "$9$LbHX-wg4Z"), "lc");
    assert_string_equal(conf_secret_clear(&arena, "lc"), "lc");
    assert_null(conf_secret_clear(&arena, "$9$!"));
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
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_choices),
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_windows), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

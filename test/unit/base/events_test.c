#include "base/events.h"
#include "test/check.h"

static void assert_line(const struct event *e, const char *want)
{
    char line[2048];
    assert_string_equal(event_line(e, line, sizeof line), want);
}

static void test_the_list_is_complete_and_unique(void **state)
{
    (void)state;
    for (enum event_id a = 0; a < EVENT_COUNT; a++) {
        assert_true(strlen(event_meaning(a)) > 0);
        assert_non_null(event_level_name(event_level(a)));
        for (enum event_id b = 0; b < a; b++)
            assert_string_not_equal(event_name(a), event_name(b));
    }
    assert_string_equal(event_name(EV_STARTED), "started");
    assert_int_equal(event_level(EV_KEYS_EXPIRED), EVENT_ERROR);
    assert_string_equal(event_level_name(EVENT_DEBUG), "debug");
    assert_string_equal(event_level_name(EVENT_ERROR), "error");
}

static void test_every_kind_of_field(void **state)
{
    (void)state;
    struct event e = event_of(EV_MEMBER_REGISTERED);
    event_add_u64(&e, "generation", UINT64_MAX);
    event_add_str(&e, "group", "red");
    event_add_str(&e, "absent", NULL);
    event_add_hex(&e, "spi", bytes_str("\x01\xff"));
    event_add_ip(&e, "member", ip_v4(0xc0000201));
    event_add_endpoint(&e, "peer", (struct endpoint){ip_v4(0xc0000202), 848});
    event_add_fmt(&e, "left", "%d%c", 15, 's');
    event_add_err(&e, ERR_AUTH);
    assert_line(&e, "member-registered generation=18446744073709551615 group=red spi=01ff "
                    "member=192.0.2.1 peer=192.0.2.2:848 left=15s error=ERR_AUTH "
                    "reason=\"authentication failed\"");
}

static void test_an_event_without_fields_is_its_name(void **state)
{
    (void)state;
    struct event e = event_of(EV_STOPPED);
    assert_line(&e, "stopped");
}

/* What a peer sends must neither end the line nor pass for another field. */
static void test_text_is_quoted_and_escaped(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain-1.2:3", "config k=plain-1.2:3"},
        {"", "config k=\"\""},
        {"a b", "config k=\"a b\""},
        {"a=b", "config k=\"a=b\""},
        {"a\"b", "config k=\"a\\\"b\""},
        {"a\\b", "config k=\"a\\\\b\""},
        {"a\nb", "config k=\"a\\x0ab\""},
        {"\x1b[2J", "config k=\"\\x1b[2J\""},
        {"\x7f", "config k=\"\\x7f\""},
        {"\x80\xff", "config k=\"\\x80\\xff\""},
        {"~!", "config k=~!"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = event_of(EV_CONFIG);
        event_add_str(&e, "k", cases[i][0]);
        assert_line(&e, cases[i][1]);
    }
    struct event e = event_of(EV_CONFIG);
    event_add_text(&e, "k", bytes("a\0b", 3));
    assert_line(&e, "config k=\"a\\x00b\"");
}

static void test_text_is_cut_when_the_event_is_full(void **state)
{
    (void)state;
    char longest[EVENT_TEXT_MAX + 50];
    struct event e = event_of(EV_CONFIG);
    memset(longest, 'x', sizeof longest);

    event_add_text(&e, "first", bytes(longest, EVENT_TEXT_MAX - 1));
    event_add_str(&e, "second", "yz");
    event_add_str(&e, "third", "w");
    event_add_u64(&e, "number", 5);
    assert_int_equal(event_find_text(&e, "first").len, EVENT_TEXT_MAX - 1);
    assert_true(bytes_equal(event_find_text(&e, "second"), bytes_str("y")));
    assert_int_equal(event_find_text(&e, "third").len, 0);
    assert_int_equal(e.used, EVENT_TEXT_MAX);
    assert_int_equal(e.n_fields, 4);

    e = event_of(EV_CONFIG);
    event_add_fmt(&e, "k", "%*s", EVENT_TEXT_MAX + 50, "x");
    assert_int_equal(event_find_text(&e, "k").len, EVENT_TEXT_MAX - 1);
}

static void test_a_field_too_many_is_dropped(void **state)
{
    (void)state;
    struct event e = event_of(EV_CONFIG);
    for (int i = 0; i < EVENT_FIELDS_MAX; i++)
        event_add_u64(&e, "k", 1);
    event_add_u64(&e, "late", 1);
    event_add_str(&e, "late", "text");
    assert_int_equal(e.n_fields, EVENT_FIELDS_MAX);
    assert_int_equal(e.used, 0);
    assert_int_equal(event_find_text(&e, "late").len, 0);
}

static void test_find_reads_text_fields_only(void **state)
{
    (void)state;
    struct event e = event_of(EV_CONFIG);
    event_add_u64(&e, "k", 1);
    event_add_str(&e, "k", "text");
    event_add_str(&e, "k", "again");
    assert_true(bytes_equal(event_find_text(&e, "k"), bytes_str("text")));
    assert_int_equal(event_find_text(&e, "none").len, 0);
}

static void test_the_line_is_cut_at_any_length(void **state)
{
    (void)state;
    struct event e = event_of(EV_CONFIG);
    event_add_str(&e, "key", "a \x01 b");
    event_add_hex(&e, "hex", bytes_str("\x01\x02"));
    char whole[256], part[256];
    size_t len = strlen(event_line(&e, whole, sizeof whole));

    for (size_t room = 1; room <= len + 1; room++) {
        memset(part, '#', sizeof part);
        event_line(&e, part, room);
        assert_int_equal(strlen(part), room - 1);
        assert_memory_equal(part, whole, room - 1);
        assert_int_equal(part[room], '#');
    }
}

/* The longest event there is: every octet of text in hexadecimal. */
static void test_a_full_event_prints_whole(void **state)
{
    (void)state;
    uint8_t octets[EVENT_TEXT_MAX];
    char line[2 * EVENT_TEXT_MAX + 64];
    struct event e = event_of(EV_CONFIG);
    memset(octets, 0xab, sizeof octets);
    event_add_hex(&e, "k", bytes(octets, sizeof octets));
    event_line(&e, line, sizeof line);
    assert_int_equal(strlen(line), strlen("config k=") + 2 * sizeof octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_list_is_complete_and_unique),
        cmocka_unit_test(test_every_kind_of_field),
        cmocka_unit_test(test_an_event_without_fields_is_its_name),
        cmocka_unit_test(test_text_is_quoted_and_escaped),
        cmocka_unit_test(test_text_is_cut_when_the_event_is_full),
        cmocka_unit_test(test_a_field_too_many_is_dropped),
        cmocka_unit_test(test_find_reads_text_fields_only),
        cmocka_unit_test(test_the_line_is_cut_at_any_length),
        cmocka_unit_test(test_a_full_event_prints_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

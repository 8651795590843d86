#include "base/compiler.h"
#include "test/check.h"
#include "wire/chain.h"

/* Parses the chain written in hexadecimal; *ret_left gets the octets that follow it. */
static enum err parse(const char *hex, uint8_t first, struct chain *ret, size_t *ret_left)
{
    static uint8_t octets[512];
    size_t n = 0;
    assert_true(bytes_unhex(hex, octets, sizeof octets, &n));
    struct rd r = rd_of(bytes(octets, n));
    enum err e = chain_parse(&r, first, ret);
    *ret_left = rd_left(&r);
    return e;
}

static void test_parse(void **state)
{
    (void)state;
    struct chain c;
    size_t left;
    assert_int_equal(parse("0a000006abcd" /* hash, next: nonce */
                           "05000004"     /* empty nonce, next: id */
                           "00ff0005ee"   /* id; reserved octet not zero */
                           "000000",      /* cipher padding */
                           8, &c, &left),
                     ERR_OK);
    assert_int_equal(left, 3);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.len, 15);
    assert_int_equal(c.p[0].type, 8);
    assert_hex(c.p[0].whole, "0a000006abcd");
    assert_hex(c.p[0].body, "abcd");
    assert_int_equal(c.p[1].type, 10);
    assert_int_equal(c.p[1].body.len, 0);
    assert_hex(c.p[2].body, "ee");
}

static void test_an_empty_chain(void **state)
{
    (void)state;
    struct chain c;
    size_t left;
    assert_int_equal(parse("0102", 0, &c, &left), ERR_OK);
    assert_int_equal(c.n, 0);
    assert_int_equal(c.len, 0);
    assert_int_equal(left, 2);
}

static void test_malformed_chains_touch_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum err err;
    } bad[] = {
        {"", ERR_SHORT},          {"000000", ERR_SHORT},
        {"00000003", ERR_LENGTH}, {"00000000", ERR_LENGTH},
        {"00000005", ERR_SHORT},  {"0000ffff00", ERR_SHORT},
        {"01000004", ERR_SHORT},  {"0100000400000003", ERR_LENGTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct chain c = {.n = 77};
        size_t left;
        assert_int_equal(parse(bad[i].hex, 1, &c, &left), bad[i].err);
        assert_int_equal(c.n, 77);
        assert_int_equal(left, 0);
    }
}

static void test_a_failed_reader_gives_its_error(void **state)
{
    (void)state;
    struct chain c = {.n = 77};
    struct rd r = rd_of(BYTES_OF("\0\0\0\4"));
    rd_fail(&r, ERR_VERSION);
    assert_int_equal(chain_parse(&r, 1, &c), ERR_VERSION);
    assert_int_equal(chain_parse(&r, 0, &c), ERR_VERSION);
    assert_int_equal(c.n, 77);
}

static enum err parse_many(size_t n, struct chain *ret)
{
    static uint8_t octets[CHAIN_HEADER * (CHAIN_MAX + 1)];
    for (size_t i = 0; i < n; i++) {
        octets[4 * i] = i + 1 < n;
        octets[4 * i + 3] = CHAIN_HEADER;
    }
    struct rd r = rd_of(bytes(octets, CHAIN_HEADER * n));
    return chain_parse(&r, 1, ret);
}

static void test_the_most_payloads_and_one_more(void **state)
{
    (void)state;
    struct chain c;
    assert_int_equal(parse_many(CHAIN_MAX, &c), ERR_OK);
    assert_int_equal(c.n, CHAIN_MAX);
    assert_int_equal(parse_many(CHAIN_MAX + 1, &c), ERR_TOO_MANY);
}

static void test_find(void **state)
{
    (void)state;
    struct chain c;
    size_t left;
    assert_int_equal(parse("0d000005010d0000050200000005"
                           "03",
                           8, &c, &left),
                     ERR_OK);
    assert_hex(chain_find(&c, 8)->body, "01");
    assert_hex(chain_find(&c, 13)->body, "02"); /* the first of two */
    assert_null(chain_find(&c, 5));
}

/* A chain of the types named, without octets. */
static struct chain types(const char *list)
{
    struct chain c = {.n = strlen(list)};
    for (size_t i = 0; i < c.n; i++)
        c.p[i].type = (uint8_t)list[i];
    return c;
}

static void test_rules(void **state)
{
    (void)state;
    static const struct chain_rule rules[] = {{'a', 1, 1}, {'b', 0, 2}, {'c', 1, 2}};
    static const struct {
        const char *types;
        enum err in_order, any_order;
    } cases[] = {
        {"ac", ERR_OK, ERR_OK},
        {"abbcc", ERR_OK, ERR_OK},
        {"ca", ERR_ORDER, ERR_OK},
        {"abcb", ERR_ORDER, ERR_OK},
        {"", ERR_MISSING, ERR_MISSING},
        {"ab", ERR_MISSING, ERR_MISSING},
        {"bc", ERR_MISSING, ERR_MISSING},
        {"aac", ERR_TOO_MANY, ERR_TOO_MANY},
        {"abbbc", ERR_TOO_MANY, ERR_TOO_MANY},
        {"accc", ERR_TOO_MANY, ERR_TOO_MANY},
        {"axc", ERR_ORDER, ERR_ORDER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain c = types(cases[i].types);
        assert_int_equal(chain_check(&c, rules, ARRAY_LEN(rules), false), cases[i].in_order);
        assert_int_equal(chain_check(&c, rules, ARRAY_LEN(rules), true), cases[i].any_order);
    }
}

static void test_write(void **state)
{
    (void)state;
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);
    wr_u16(&w, 0xff00);
    struct chain_wr c = chain_first(&w, 1);
    chain_open(&c, 8);
    wr_u16(&w, 0xabcd);
    chain_close(&c);
    chain_open(&c, 10);
    chain_close(&c);
    assert_hex(wr_bytes(&w), "ff08"
                             "0a000006abcd"
                             "00000004");
}

static void test_write_without_room(void **state)
{
    (void)state;
    uint8_t out[16];
    for (size_t room = 1; room < 1 + 6 + 4; room++) {
        memset(out, '#', sizeof out);
        struct wr w = wr_of(out, room);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        chain_open(&c, 8);
        wr_u16(&w, 0xabcd);
        chain_close(&c);
        chain_open(&c, 10);
        chain_close(&c);
        assert_int_equal(wr_end(&w), ERR_FULL);
        assert_int_equal(out[room], '#');
    }
}

static void test_write_of_an_oversized_payload(void **state)
{
    (void)state;
    static uint8_t out[UINT16_MAX + 16];
    for (size_t more = 0; more < 2; more++) {
        struct wr w = wr_of(out, sizeof out);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        chain_open(&c, 8);
        wr_zeros(&w, UINT16_MAX - CHAIN_HEADER + more);
        chain_close(&c);
        assert_int_equal(wr_end(&w), more ? ERR_LENGTH : ERR_OK);
    }
}

static size_t write_random(struct dice *dice, uint8_t *out, size_t room)
{
    struct wr w = wr_of(out, room);
    size_t n = dice_below(dice, CHAIN_MAX + 1);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);

    for (size_t i = 0; i < n; i++) {
        chain_open(&c, (uint8_t)(1 + dice_below(dice, 255)));
        for (size_t k = dice_below(dice, 20); k > 0; k--)
            wr_u8(&w, (uint8_t)dice_roll(dice));
        chain_close(&c);
    }
    assert_int_equal(wr_end(&w), ERR_OK);
    return w.len;
}

static void test_what_is_written_reads_the_same(void **state)
{
    (void)state;
    struct dice dice = {40};
    uint8_t one[1024], two[1024];

    for (int round = 0; round < 2000; round++) {
        size_t n = write_random(&dice, one, sizeof one);
        struct rd r = rd_of(bytes(one + 1, n - 1));
        struct chain c;
        assert_int_equal(chain_parse(&r, one[0], &c), ERR_OK);
        assert_int_equal(rd_end(&r), ERR_OK);
        struct wr w = wr_of(two, sizeof two);
        wr_u8(&w, 0);
        struct chain_wr cw = chain_first(&w, 0);
        for (size_t i = 0; i < c.n; i++) {
            chain_open(&cw, c.p[i].type);
            wr_put(&w, c.p[i].body);
            chain_close(&cw);
        }
        assert_true(bytes_equal(wr_bytes(&w), bytes(one, n)));
    }
}

/* Items inside a payload: each child ends where its own length says. */
static void test_items(void **state)
{
    (void)state;
    const uint8_t octets[] = {3, 0, 0, 5, 0xaa, 0, 0xff, 0, 4, 7, 0, 0, 3, 0, 0, 0, 9};
    struct rd r = rd_of(BYTES_OF(octets));
    uint8_t next = 77;

    struct rd item = chain_item(&r, &next);
    assert_int_equal(next, 3);
    assert_int_equal(rd_u8(&item), 0xaa);
    assert_int_equal(rd_u8(&item), 0);
    assert_int_equal(item.err, ERR_SHORT);
    item = chain_item(&r, &next);
    assert_int_equal(next, 0);
    assert_int_equal(rd_end(&item), ERR_OK);
    item = chain_item(&r, &next); /* shorter than its own header */
    assert_int_equal(item.err, ERR_LENGTH);
    assert_int_equal(r.err, ERR_LENGTH);

    r = rd_of(bytes(octets + 13, 4)); /* longer than what is left */
    item = chain_item(&r, &next);
    assert_int_equal(item.err, ERR_SHORT);
    assert_int_equal(r.err, ERR_SHORT);
    assert_int_equal(rd_u8(&item), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_an_empty_chain),
        cmocka_unit_test(test_malformed_chains_touch_nothing),
        cmocka_unit_test(test_a_failed_reader_gives_its_error),
        cmocka_unit_test(test_the_most_payloads_and_one_more),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_without_room),
        cmocka_unit_test(test_write_of_an_oversized_payload),
        cmocka_unit_test(test_what_is_written_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

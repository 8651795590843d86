#include "gdoi/sa.h"
#include "test/hex.h"

static const struct gdoi_dialect d3p = {.d3p_type_number = GDOI_D3P_TYPE_NUMBER,
                                        .d3p_window_number = GDOI_D3P_WINDOW_NUMBER};

static struct bytes rewritten(const struct gdoi_dialect *d, const struct gdoi_gap *gap)
{
    static uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_gap_write(&c, d, gap);
    assert_int_equal(out[0], IKE1_PAYLOAD_GAP);
    return bytes(out + 5, w.len - 5);
}

static void delays_go_both_ways(void **state)
{
    struct gdoi_gap gap;
    struct bytes body = hex("8001001e 8002002d");

    (void)state;
    assert_int_equal(gdoi_gap_parse(body, &GDOI_RFC6407, &gap), ERR_OK);
    assert_true(gap.has_atd && gap.has_dtd);
    assert_int_equal(gap.atd, 30);
    assert_int_equal(gap.dtd, 45);
    assert_octets(rewritten(&GDOI_RFC6407, &gap), body);

    assert_int_equal(gdoi_gap_parse(hex("80010000"), &GDOI_RFC6407, &gap), ERR_OK);
    assert_true(gap.has_atd && !gap.has_dtd);
    assert_octets(rewritten(&GDOI_RFC6407, &gap), hex("80010000"));
    assert_int_equal(gdoi_gap_parse(hex(""), &GDOI_RFC6407, &gap), ERR_OK);
    assert_octets(rewritten(&GDOI_RFC6407, &gap), hex(""));
}

static void a_member_asks_for_sender_ids(void **state)
{
    struct gdoi_gap gap;

    (void)state;
    assert_int_equal(gdoi_gap_parse(hex("80030002"), &GDOI_RFC6407, &gap), ERR_OK);
    assert_int_equal(gap.sid_request, 2);
    assert_octets(rewritten(&GDOI_RFC6407, &gap), hex("80030002"));
    assert_int_equal(gdoi_gap_parse(hex("80030000"), &GDOI_RFC6407, &gap), ERR_VALUE);
}

/* Private numbers are spoken only with those who announced them. */
static void time_stamps_are_a_dialect(void **state)
{
    struct gdoi_gap gap = {0};
    struct bytes body = hex("80800001 00810004 000186a0");

    (void)state;
    assert_int_equal(gdoi_gap_parse(body, &GDOI_RFC6407, &gap), ERR_ATTRIBUTE);
    assert_int_equal(gap.d3p_type, 0);
    assert_int_equal(gdoi_gap_parse(body, &d3p, &gap), ERR_OK);
    assert_int_equal(gap.d3p_type, 1);
    assert_int_equal(gap.d3p_window, 100000);
    assert_octets(rewritten(&d3p, &gap), body);
    assert_octets(rewritten(&GDOI_RFC6407, &gap), hex(""));
    assert_int_equal(gdoi_gap_parse(hex("80800000"), &d3p, &gap), ERR_VALUE);
    assert_int_equal(gdoi_gap_parse(hex("80810000"), &d3p, &gap), ERR_VALUE);
    assert_int_equal(gdoi_gap_parse(hex("00810000"), &d3p, &gap), ERR_LENGTH);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"8001", ERR_SHORT},
        {"80040001", ERR_ATTRIBUTE},
        {"00010002001e", ERR_ATTRIBUTE},
        {"80010001 80010001", ERR_DUPLICATE},
    };
    struct gdoi_gap gap;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(gdoi_gap_parse(hex(bad[i].text), &d3p, &gap), bad[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_go_both_ways),
        cmocka_unit_test(a_member_asks_for_sender_ids),
        cmocka_unit_test(time_stamps_are_a_dialect),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests_name("gdoi/gap", tests, NULL, NULL);
}

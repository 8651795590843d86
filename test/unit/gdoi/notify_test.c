#include "gdoi/notify.h"
#include "gdoi/numbers.h"
#include "test/hex.h"

#define SPI16 "0102030405060708 1112131415161718"
#define DIGEST "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define HEAD "00000002 00 10 9001" SPI16
#define DATA "01 03 003c 000a 000f 65000000 000f423f" DIGEST

static struct ike1_notify notify_of(const char *text)
{
    struct ike1_notify n;
    assert_int_equal(ike1_notify_parse(hex(text), &n), ERR_OK);
    return n;
}

static void the_state_goes_both_ways(void **state)
{
    static const char *const bodies[] = {HEAD DATA, "00000002 00 00 9001" DATA};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct ike1_notify n = notify_of(bodies[i]);
        struct gdoi_state s;
        uint8_t out[128];
        struct wr w = wr_of(out, sizeof out);

        assert_true(gdoi_is_state(&n));
        assert_int_equal(gdoi_state_parse(&n, &s), ERR_OK);
        assert_int_equal(s.has_kek, i == 0);
        assert_true(s.re_register && s.clock_valid);
        assert_int_equal(s.heartbeat, 60);
        assert_int_equal(s.spread, 10);
        assert_int_equal(s.activation_delay, 15);
        assert_int_equal(s.clock_s, 0x65000000);
        assert_int_equal(s.clock_us, 999999);
        assert_octets(BYTES_OF(s.digest), hex(DIGEST));

        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        gdoi_state_write(&c, &s);
        assert_int_equal(out[0], IKE1_PAYLOAD_N);
        assert_octets(bytes(out + 5, w.len - 5), hex(bodies[i]));
    }
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"00000001 00 10 9001" SPI16 DATA, ERR_DOI},
        {"00000002 01 10 9001" SPI16 DATA, ERR_TYPE},
        {"00000002 00 10 9002" SPI16 DATA, ERR_TYPE},
        {"00000002 00 04 9001 01020304" DATA, ERR_LENGTH},
        {HEAD, ERR_LENGTH},
        {HEAD "01 03 003c 000a 000f 65000000 000f423f a0", ERR_LENGTH},
        {HEAD DATA "00", ERR_LENGTH},
        {HEAD "02 03 003c 000a 000f 65000000 000f423f" DIGEST, ERR_VERSION},
        {HEAD "01 04 003c 000a 000f 65000000 000f423f" DIGEST, ERR_VALUE},
        {HEAD "01 03 003c 000a 000f 65000000 000f4240" DIGEST, ERR_VALUE},
    };
    struct gdoi_state s = {.spread = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ike1_notify n = notify_of(bad[i].text);
        assert_int_equal(gdoi_state_parse(&n, &s), bad[i].want);
    }
    assert_int_equal(s.spread, 77);
}

static void a_refusal_tells_natives_why(void **state)
{
    uint8_t out[2 + GDOI_REASON_TEXT_MAX];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    gdoi_reason_write(&w, GDOI_REASON_TIME_STAMPS);
    assert_int_equal(wr_end(&w), ERR_OK);
    struct ike1_notify n = {.type = IKE1_NOTIFY_INVALID_ID_INFORMATION, .data = wr_bytes(&w)};
    struct gdoi_refusal r = gdoi_refusal_of(&n);
    assert_int_equal(r.reason, GDOI_REASON_TIME_STAMPS);
    assert_octets(r.text, bytes_str(gdoi_reason_text(GDOI_REASON_TIME_STAMPS)));

    n.data = bytes(NULL, 0); /* a peer that knows no reasons */
    r = gdoi_refusal_of(&n);
    assert_int_equal(r.reason, GDOI_REASON_NONE);
    assert_int_equal(r.text.len, 0);
    n.data = hex("01");
    assert_int_equal(gdoi_refusal_of(&n).reason, GDOI_REASON_NONE);
    static const uint8_t longest[2 + GDOI_REASON_TEXT_MAX + 1] = {0, 9};
    n.data = BYTES_OF(longest);
    assert_int_equal(gdoi_refusal_of(&n).text.len, GDOI_REASON_TEXT_MAX);
    assert_string_equal(gdoi_reason_text(gdoi_refusal_of(&n).reason), "unknown");
}

static void every_reason_fits(void **state)
{
    (void)state;
    for (unsigned i = GDOI_REASON_NONE; i <= GDOI_REASON_NOT_READY; i++)
        assert_true(strlen(gdoi_reason_text(i)) <= GDOI_REASON_TEXT_MAX);
    assert_string_equal(gdoi_reason_text(GDOI_REASON_ADDRESS + 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_goes_both_ways),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_refusal_tells_natives_why),
        cmocka_unit_test(every_reason_fits),
    };
    return cmocka_run_group_tests_name("gdoi/notify", tests, NULL, NULL);
}

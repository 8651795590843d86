#include "ike1/header.h"
#include "ike1/payload.h"
#include "test/hex.h"

#define COOKIES "0102030405060708 1112131415161718"
/* next payload 8, version 1.0, exchange 32, flags E, message id, length 36: HASH of four octets */
#define MESSAGE COOKIES "08102001 a44bca75 00000024 00000008 aabbccdd"

static void a_header_is_read(void **state)
{
    struct ike1_header h;

    (void)state;
    assert_int_equal(ike1_header_parse(hex(MESSAGE), &h), ERR_OK);
    assert_octets(BYTES_OF(h.cookies.i), hex("0102030405060708"));
    assert_octets(BYTES_OF(h.cookies.r), hex("1112131415161718"));
    assert_octets(ike1_cookies_bytes(&h.cookies), hex(COOKIES));
    assert_int_equal(h.next_payload, 8);
    assert_int_equal(h.exchange, 32);
    assert_int_equal(h.flags, IKE1_FLAG_ENCRYPTION);
    assert_int_equal(h.message_id, 0xa44bca75);
    assert_int_equal(h.length, 36);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {COOKIES "08102001 a44bca75 000000", ERR_SHORT},
        {COOKIES "08112001 a44bca75 0000001c", ERR_VERSION},
        {COOKIES "08202001 a44bca75 0000001c", ERR_VERSION},
        {COOKIES "08102001 a44bca75 0000001b", ERR_LENGTH},
        {COOKIES "08102001 a44bca75 0000001d", ERR_LENGTH},
        {COOKIES "08102008 a44bca75 0000001c", ERR_VALUE},
        {"0000000000000000 1112131415161718 08102001 a44bca75 0000001c", ERR_VALUE},
    };
    struct ike1_header h = {.length = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ike1_header_parse(hex(bad[i].text), &h), bad[i].want);
    assert_int_equal(h.length, 77);
}

static void a_message_is_written_ended_and_padded(void **state)
{
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    struct ike1_header h;

    (void)state;
    assert_int_equal(ike1_header_parse(hex(MESSAGE), &h), ERR_OK);
    struct chain_wr c = ike1_header_write(&w, &h);
    ike1_data_write(&c, IKE1_PAYLOAD_HASH, hex("aabbccdd"));
    ike1_message_end(&w);
    assert_octets(wr_bytes(&w), hex(MESSAGE));

    ike1_message_pad(&w, 8); /* aligned: nothing is added */
    assert_octets(wr_bytes(&w), hex(MESSAGE));
    ike1_message_pad(&w, 16);
    assert_octets(wr_bytes(&w), hex(COOKIES "08102001 a44bca75 0000002c 00000008 aabbccdd"
                                            "0000000000000000"));
}

static void a_full_buffer_is_told(void **state)
{
    uint8_t out[IKE1_HEADER + 9];
    struct wr w = wr_of(out, IKE1_HEADER - 1);
    const struct ike1_header h = {.exchange = 2};

    (void)state;
    (void)ike1_header_write(&w, &h);
    ike1_message_end(&w);
    ike1_message_pad(&w, 16);
    assert_int_equal(wr_end(&w), ERR_FULL);

    w = wr_of(out, sizeof out);
    struct chain_wr c = ike1_header_write(&w, &h);
    ike1_data_write(&c, IKE1_PAYLOAD_VID, hex("aabbccddee"));
    ike1_message_pad(&w, 16);
    assert_int_equal(wr_end(&w), ERR_FULL);
}

/* What follows next payload 0 is shorter than a block, and its value is of no interest. */
static void padding_is_shorter_than_a_block(void **state)
{
    struct chain c;

    (void)state;
    assert_int_equal(ike1_payloads_parse(hex(MESSAGE), 8, 1, &c), ERR_OK);
    assert_int_equal(c.n, 1);
    assert_int_equal(ike1_payloads_parse(hex(MESSAGE "ff"), 8, 1, &c), ERR_PADDING);
    assert_int_equal(ike1_payloads_parse(hex(MESSAGE "ffffffffffff07"), 8, 8, &c), ERR_OK);
    assert_int_equal(c.len, 8);
    assert_int_equal(ike1_payloads_parse(hex(MESSAGE "0000000000000000"), 8, 8, &c), ERR_PADDING);
    assert_int_equal(ike1_payloads_parse(hex(MESSAGE "000000"), 8, IKE1_CLEAR_ALIGN, &c), ERR_OK);
    assert_int_equal(ike1_payloads_parse(hex(COOKIES "0810"), 8, 8, &c), ERR_SHORT);
    assert_int_equal(
        ike1_payloads_parse(hex(COOKIES "08102001 a44bca75 00000024 00000009 aabbccdd"), 8, 8, &c),
        ERR_SHORT);
    assert_int_equal(
        ike1_payloads_parse(hex(COOKIES "08102001 a44bca75 00000024 00000003 aabbccdd"), 8, 8, &c),
        ERR_LENGTH);
}

static void a_hash_covers_what_follows_it(void **state)
{
    struct chain c;

    (void)state;
    assert_int_equal(ike1_payloads_parse(hex(COOKIES "08102001 a44bca75 00000034"
                                                     "0a000008aabbccdd 0d0000060102 00000004 7777"),
                                         8, 8, &c),
                     ERR_OK);
    assert_int_equal(c.n, 3);
    assert_octets(ike1_after_hash(&c), hex("0d0000060102 00000004"));
    assert_octets(ike1_chain_before(&c, 0), hex(""));
    assert_octets(ike1_chain_before(&c, 1), hex("0a000008aabbccdd"));
    assert_octets(ike1_chain_before(&c, 2), hex("0a000008aabbccdd 0d0000060102"));
    assert_octets(ike1_chain_before(&c, 3), hex("0a000008aabbccdd 0d0000060102 00000004"));

    assert_int_equal(ike1_payloads_parse(hex(MESSAGE), 8, 8, &c), ERR_OK);
    assert_int_equal(ike1_after_hash(&c).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_message_is_written_ended_and_padded),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(padding_is_shorter_than_a_block),
        cmocka_unit_test(a_hash_covers_what_follows_it),
    };
    return cmocka_run_group_tests_name("ike1/header", tests, NULL, NULL);
}

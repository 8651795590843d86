#include "crypto/hash.h"
#include "gdoi/capture.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "test/hex.h"

static uint8_t out[512];

static struct chain_wr begin(struct wr *w)
{
    *w = wr_of(out, sizeof out);
    wr_u8(w, 0);
    return chain_first(w, 0);
}

static void sequence_numbers(void **state)
{
    struct wr w;
    struct chain_wr c = begin(&w);
    uint32_t n = 77;

    (void)state;
    gdoi_seq_write(&c, UINT32_MAX);
    assert_octets(wr_bytes(&w), hex("12 00000008 ffffffff"));
    assert_int_equal(gdoi_seq_parse(hex("000001"), &n), ERR_SHORT);
    assert_int_equal(gdoi_seq_parse(hex("0000000100"), &n), ERR_TRAILING);
    assert_int_equal(n, 77);
    assert_int_equal(gdoi_seq_parse(hex("00000001"), &n), ERR_OK);
    assert_int_equal(n, 1);
}

static const struct ike1_cookies spi = {{1, 2, 3, 4, 5, 6, 7, 8}, {17, 18, 19, 20, 21, 22, 23, 24}};

static void deletes_of_teks_and_keks(void **state)
{
    static const struct ike1_cookies zero;
    struct ike1_delete d;
    struct wr w;
    struct chain_wr c = begin(&w);

    (void)state;
    gdoi_delete_teks_write(&c, (const uint32_t[]){0}, 1);
    assert_octets(wr_bytes(&w), hex("0c 00000010 00000002 01 04 0001 00000000"));
    assert_int_equal(ike1_delete_parse(bytes(out + 5, w.len - 5), &d), ERR_OK);
    assert_int_equal(gdoi_delete_check(&d, NULL), ERR_OK);
    assert_true(gdoi_delete_all(&d));
    assert_int_equal(gdoi_delete_tek(&d, 0), 0);

    c = begin(&w);
    gdoi_delete_kek_write(&c, &spi);
    assert_octets(wr_bytes(&w), hex("0c 0000001c 00000002 00 10 0001"
                                    "0102030405060708 1112131415161718"));
    assert_int_equal(ike1_delete_parse(bytes(out + 5, w.len - 5), &d), ERR_OK);
    assert_int_equal(gdoi_delete_check(&d, NULL), ERR_OK);
    assert_false(gdoi_delete_all(&d));
    assert_octets(ike1_delete_spi(&d, 0), ike1_cookies_bytes(&spi));
    c = begin(&w);
    gdoi_delete_kek_write(&c, &zero);
    assert_int_equal(ike1_delete_parse(bytes(out + 5, w.len - 5), &d), ERR_OK);
    assert_true(gdoi_delete_all(&d));
}

static void deletes_that_make_no_sense(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } cases[] = {
        {"00000002 02 04 0001 00001000", ERR_OK},
        {"00000002 01 04 0002 00000000 00000000", ERR_OK}, /* two SPIs, not all */
        {"00000001 01 04 0001 00001000", ERR_DOI},
        {"00000002 04 04 0001 00001000", ERR_TYPE},
        {"00000002 00 04 0001 00001000", ERR_LENGTH},
        {"00000002 00 04 0002 00000000 00000000", ERR_LENGTH},
        {"00000002 01 10 0001 01020304050607081112131415161718", ERR_LENGTH},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ike1_delete d;
        assert_int_equal(ike1_delete_parse(hex(cases[i].text), &d), ERR_OK);
        assert_int_equal(gdoi_delete_check(&d, NULL), cases[i].want);
        assert_false(gdoi_delete_all(&d));
    }
}

/* A Delete that is not understood leaves keys in use that somebody wants gone. */
static void deletes_in_other_words(void **state)
{
    static const struct {
        const char *text;
        uint8_t protocol;
        bool all;
        enum gdoi_tolerance what;
    } cases[] = {
        {"00000002 03 04 0001 00001000", GDOI_PROTOCOL_ESP, false, TOLERATED_DELETE_PROTOCOL},
        {"00000002 03 04 0001 00000000", GDOI_PROTOCOL_ESP, true, TOLERATED_DELETE_PROTOCOL},
        {"00000002 00 04 0001 00000000", GDOI_PROTOCOL_KEK, true, TOLERATED_DELETE_SPI_SIZE},
        {"00000002 01 01 0001 00", GDOI_PROTOCOL_ESP, true, TOLERATED_DELETE_SPI_SIZE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gdoi_tolerated t = {0};
        struct ike1_delete d;
        assert_int_equal(ike1_delete_parse(hex(cases[i].text), &d), ERR_OK);
        assert_int_equal(gdoi_delete_check(&d, &t), ERR_OK);
        assert_int_equal(d.protocol, cases[i].protocol);
        assert_int_equal(gdoi_delete_all(&d), cases[i].all);
        assert_int_equal(t.count[cases[i].what], 1);
    }
}

/* SEQ, D, SIG; then the same with a signature too long. */
static void a_signature_covers_all_before_it(void **state)
{
    struct wr w = wr_of(out, sizeof out);
    const struct ike1_header h = {.cookies = spi, .exchange = 33, .flags = 1};
    struct chain_wr c = ike1_header_write(&w, &h);
    struct gdoi_signed s;
    struct chain chain;

    (void)state;
    gdoi_seq_write(&c, 7);
    gdoi_delete_teks_write(&c, (const uint32_t[]){0x1000}, 1);
    ike1_data_write(&c, IKE1_PAYLOAD_SIG, hex("c0ffee"));
    ike1_message_end(&w);
    struct bytes unpadded = bytes(w.data, IKE1_HEADER);
    uint8_t before[IKE1_HEADER];
    memcpy(before, unpadded.data, IKE1_HEADER);
    ike1_message_pad(&w, 16);

    assert_int_equal(ike1_payloads_parse(wr_bytes(&w), IKE1_PAYLOAD_SEQ, 16, &chain), ERR_OK);
    assert_int_equal(gdoi_shape_check(GDOI_PUSH, &chain, NULL), ERR_OK);
    assert_int_equal(gdoi_signed_of(wr_bytes(&w), &chain, &s), ERR_OK);
    assert_octets(BYTES_OF(s.header), BYTES_OF(before));
    assert_octets(BYTES_OF(s.received), bytes(w.data, IKE1_HEADER));
    assert_int_equal(s.received[27] - s.header[27], 1);
    assert_octets(s.payloads, hex("0c000008 00000007 09000010 00000002 01 04 0001 00001000"));
    assert_octets(s.signature, hex("c0ffee"));

    chain.p[2].body.len = 0;
    assert_int_equal(gdoi_signed_of(wr_bytes(&w), &chain, &s), ERR_LENGTH);
}

/* RFC 8263 3, with KEK 1 of the captured exchange: values computed from the text. */
static const struct {
    enum hash hash;
    uint16_t l;
    const char *ack_key, *mac;
} acks[] = {
    {HASH_SHA256, GDOI_ACK_L_SHA256,
     "74224b62bbc637deac7a6838a84f164f76a34d2dd0a3e458ae3464b185e8c665",
     "4b709008f4d7dbb3aec5b409b36693b8d9d7f6fa860561ae95d497dc6239aefa"},
    {HASH_SHA256, GDOI_ACK_L_SHA256_OTHER,
     "44cc3bd0bb119e7323c6c6fb7a2e46dc61b47432431ac0065245ba92fbf15c74",
     "056c1359bc92d0fb56b7d003387c313103fa338e463411f814e99d78c96a5590"},
    {HASH_SHA512, GDOI_ACK_L_SHA512,
     "bece8222127a4c7df85f67919e703ac826094f6cf908d9ff0f2eb4712c7b1ff7"
     "24ebe5efb53c73407b1d06461431f8090477714d0a0244a28ec420f4db922bfa",
     "04189779f084a2ee23dd7a705ade450a3778bb650e484579ef1c44e03c18d032"
     "d76aa3f1a6d85648fae48d9d7a620e2761c924d7abf3cef2597a7f573caf7ea6"},
};

static void acknowledgements_are_keyed_by_the_kek(void **state)
{
    static struct capture capture;
    struct bytes kek = hex("d295455ca75f99c5dae4dc49b5531985ac093040ddae201c");
    struct ike1_cookies kek1;

    (void)state;
    capture_load(&capture); /* starts the hashes */
    memcpy(&kek1, hex("b032d4d16df4842dcd9ac55b0782d707").data, sizeof kek1);
    for (size_t i = 0; i < ARRAY_LEN(acks); i++) {
        uint8_t input[GDOI_ACK_KEY_INPUT], key[HASH_MAX], *mac = NULL;
        struct wr w = wr_of(out, sizeof out);
        struct bytes covered;
        struct gdoi_ack ack;
        struct chain chain;
        size_t len = hash_len(acks[i].hash);

        gdoi_ack_key_input(&kek1, acks[i].l, input);
        hmac_parts(acks[i].hash, kek, PARTS(BYTES_OF(input)), key);
        assert_octets(bytes(key, len), hex(acks[i].ack_key));

        assert_int_equal(gdoi_ack_write(&w, &kek1, 1, ip_v4(0x0a00e025), len, &mac, &covered),
                         ERR_OK);
        assert_octets(covered, hex("0500000800000001 0000000c010000000a00e025"));
        hmac_parts(acks[i].hash, bytes(key, len), PARTS(covered), mac);
        assert_int_equal(w.len, len == 32 ? 84 : 116);

        struct ike1_header h;
        assert_int_equal(ike1_header_parse(wr_bytes(&w), &h), ERR_OK);
        assert_int_equal(h.exchange, IKE1_EXCHANGE_GROUPKEY_PUSH_ACK);
        assert_int_equal(h.flags, 0);
        assert_int_equal(h.message_id, 0);
        assert_int_equal(ike1_payloads_parse(wr_bytes(&w), h.next_payload, 1, &chain), ERR_OK);
        assert_int_equal(gdoi_shape_check(GDOI_PUSH_ACK, &chain, NULL), ERR_OK);
        assert_int_equal(gdoi_ack_parse(&chain, &ack), ERR_OK);
        assert_octets(ack.hash, hex(acks[i].mac));
        assert_octets(ack.covered, covered);
        assert_int_equal(ack.seq, 1);
        assert_true(ip_equal(ack.ip, ip_v4(0x0a00e025)));
    }
}

#define HASH "12000014 000102030405060708090a0b0c0d0e0f"
#define SEQ "05000008 00000001"

static void acknowledgements_that_make_no_sense(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } cases[] = {
        {HASH SEQ "0000000c 01000000 0a00e025", ERR_OK},
        {HASH SEQ "00000018 05000000 20010db8000000000000000000000001", ERR_OK},
        {"12000013 000102030405060708090a0b0c0d0e" SEQ "0000000c 01000000 0a00e025", ERR_LENGTH},
        {HASH "05000007 000001 0000000c 01000000 0a00e025", ERR_SHORT},
        {HASH "05000009 0000000100 0000000c 01000000 0a00e025", ERR_TRAILING},
        {HASH SEQ "0000000c 0b000000 0a00e025", ERR_TYPE},
        {HASH SEQ "0000000c 01110000 0a00e025", ERR_RESERVED},
        {HASH SEQ "0000000c 01000350 0a00e025", ERR_RESERVED},
        {HASH SEQ "0000000b 01000000 0a00e0", ERR_LENGTH},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rd r = rd_of(hex(cases[i].text));
        struct chain c;
        struct gdoi_ack ack;
        assert_int_equal(chain_parse(&r, IKE1_PAYLOAD_HASH, &c), ERR_OK);
        assert_int_equal(gdoi_ack_parse(&c, &ack), cases[i].want);
    }
}

static void an_acknowledgement_that_does_not_fit(void **state)
{
    uint8_t small[83], *mac = NULL;
    struct wr w = wr_of(small, sizeof small);
    struct bytes covered;

    (void)state;
    assert_int_equal(gdoi_ack_write(&w, &spi, 1, ip_v4(1), 32, &mac, &covered), ERR_FULL);
    assert_null(mac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(deletes_of_teks_and_keks),
        cmocka_unit_test(deletes_that_make_no_sense),
        cmocka_unit_test(deletes_in_other_words),
        cmocka_unit_test(a_signature_covers_all_before_it),
        cmocka_unit_test(acknowledgements_are_keyed_by_the_kek),
        cmocka_unit_test(acknowledgements_that_make_no_sense),
        cmocka_unit_test(an_acknowledgement_that_does_not_fit),
    };
    return cmocka_run_group_tests_name("gdoi/push", tests, NULL, NULL);
}

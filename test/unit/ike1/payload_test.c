#include "ike1/payload.h"
#include "test/hex.h"

static uint8_t out[2048];

/* A chain of one payload, whose octets begin at out + 1. */
static struct chain_wr begin(struct wr *w)
{
    *w = wr_of(out, sizeof out);
    wr_u8(w, 0);
    return chain_first(w, 0);
}

static void plain_octets_have_limits_by_type(void **state)
{
    static const struct {
        uint8_t type;
        size_t min, max;
    } limits[] = {
        {IKE1_PAYLOAD_KE, 1, IKE1_KE_MAX},
        {IKE1_PAYLOAD_HASH, IKE1_HASH_MIN, IKE1_HASH_MAX},
        {IKE1_PAYLOAD_SIG, 1, IKE1_SIG_MAX},
        {IKE1_PAYLOAD_NONCE, IKE1_NONCE_MIN, IKE1_NONCE_MAX},
    };
    struct bytes data;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        uint8_t t = limits[i].type;
        size_t min = limits[i].min, max = limits[i].max;
        assert_int_equal(ike1_data_parse(t, bytes(out, min - 1), &data), ERR_LENGTH);
        assert_int_equal(ike1_data_parse(t, bytes(out, min), &data), ERR_OK);
        assert_int_equal(data.len, min);
        assert_int_equal(ike1_data_parse(t, bytes(out, max), &data), ERR_OK);
        assert_int_equal(data.len, max);
        assert_int_equal(ike1_data_parse(t, bytes(out, max + 1), &data), ERR_LENGTH);
    }
    assert_int_equal(ike1_data_parse(IKE1_PAYLOAD_VID, bytes(out, 0), &data), ERR_OK);
    assert_int_equal(ike1_data_parse(IKE1_PAYLOAD_SA, bytes(out, 16), &data), ERR_TYPE);
}

static void data_is_written_now_or_later(void **state)
{
    struct wr w;
    struct chain_wr c = begin(&w);

    (void)state;
    size_t at = ike1_data_reserve(&c, IKE1_PAYLOAD_HASH, 4);
    assert_int_equal(at, 5);
    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, hex("0102030405060708"));
    memcpy(out + at, hex("aabbccdd").data, 4);
    assert_octets(wr_bytes(&w), hex("08 0a000008aabbccdd 0000000c0102030405060708"));
}

static void certificates_and_requests(void **state)
{
    struct ike1_cert cert;
    struct wr w;
    struct chain_wr c = begin(&w);

    (void)state;
    assert_int_equal(ike1_cert_parse(hex("04 3003020101"), &cert), ERR_OK);
    assert_int_equal(cert.encoding, IKE1_CERT_X509_SIGNATURE);
    assert_octets(cert.data, hex("3003020101"));
    ike1_cert_write(&c, IKE1_PAYLOAD_CERT, &cert);
    assert_int_equal(ike1_cert_parse(hex("04"), &cert), ERR_OK);
    assert_int_equal(cert.data.len, 0);
    ike1_cert_write(&c, IKE1_PAYLOAD_CR, &cert);
    assert_octets(wr_bytes(&w), hex("06 0700000a043003020101 0000000504"));
    assert_int_equal(ike1_cert_parse(hex(""), &cert), ERR_SHORT);
}

#define COOKIES "0102030405060708 1112131415161718"

static void notifications(void **state)
{
    struct ike1_notify n;
    struct wr w;
    struct chain_wr c = begin(&w);
    struct bytes body = hex("00000001 01 10 6002" COOKIES "beef");

    (void)state;
    assert_int_equal(ike1_notify_parse(body, &n), ERR_OK);
    assert_int_equal(n.doi, 1);
    assert_int_equal(n.protocol, IKE1_PROTOCOL_ISAKMP);
    assert_int_equal(n.type, IKE1_NOTIFY_INITIAL_CONTACT);
    assert_octets(n.spi, hex(COOKIES));
    assert_octets(n.data, hex("beef"));
    ike1_notify_write(&c, &n);
    assert_octets(bytes(out + 5, w.len - 5), body);

    assert_int_equal(ike1_notify_parse(hex("00000000 00 00 0012"), &n), ERR_OK);
    assert_int_equal(n.spi.len + n.data.len, 0);
    assert_int_equal(ike1_notify_parse(hex("00000002 00 00 0012"), &n), ERR_OK);
    assert_int_equal(ike1_notify_parse(hex("00000003 00 00 0012"), &n), ERR_DOI);
    assert_int_equal(ike1_notify_parse(hex("00000001 00 00 00"), &n), ERR_SHORT);
    assert_int_equal(ike1_notify_parse(hex("00000001 01 10 6002 01020304"), &n), ERR_SHORT);
    assert_int_equal(ike1_notify_parse(hex("00000001 01 11 6002" COOKIES "ff"), &n), ERR_LENGTH);
}

static void deletes(void **state)
{
    struct ike1_delete d;
    struct wr w;
    struct chain_wr c = begin(&w);
    struct bytes body = hex("00000002 01 04 0002 4b87c6a9 41a3362e");

    (void)state;
    assert_int_equal(ike1_delete_parse(body, &d), ERR_OK);
    assert_int_equal(d.doi, 2);
    assert_int_equal(d.protocol, 1);
    assert_int_equal(d.n_spis, 2);
    assert_octets(ike1_delete_spi(&d, 0), hex("4b87c6a9"));
    assert_octets(ike1_delete_spi(&d, 1), hex("41a3362e"));
    ike1_delete_write(&c, &d);
    assert_octets(bytes(out + 5, w.len - 5), body);
    assert_int_equal(ike1_delete_parse(hex("00000001 01 10 0001" COOKIES), &d), ERR_OK);

    assert_int_equal(ike1_delete_parse(hex("00000001 01 10 00"), &d), ERR_SHORT);
    assert_int_equal(ike1_delete_parse(hex("00000003 01 04 0001 4b87c6a9"), &d), ERR_DOI);
    assert_int_equal(ike1_delete_parse(hex("00000002 01 04 0000"), &d), ERR_MISSING);
    assert_int_equal(ike1_delete_parse(hex("00000002 01 00 0001"), &d), ERR_LENGTH);
    assert_int_equal(ike1_delete_parse(hex("00000002 01 11 0001" COOKIES "ff"), &d), ERR_LENGTH);
    assert_int_equal(ike1_delete_parse(hex("00000002 01 04 0002 4b87c6a9"), &d), ERR_LENGTH);
    assert_int_equal(ike1_delete_parse(hex("00000002 01 04 0001 4b87c6a9 00"), &d), ERR_LENGTH);
}

static void deletes_are_limited(void **state)
{
    static uint8_t body[8 + IKE1_DELETE_SPIS_MAX + 1] = {0, 0, 0, 2, 1, 1};
    struct ike1_delete d;

    (void)state;
    body[6] = IKE1_DELETE_SPIS_MAX >> 8;
    assert_int_equal(ike1_delete_parse(bytes(body, sizeof body - 1), &d), ERR_OK);
    assert_int_equal(d.n_spis, IKE1_DELETE_SPIS_MAX);
    body[7] = 1;
    assert_int_equal(ike1_delete_parse(bytes(body, sizeof body), &d), ERR_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_octets_have_limits_by_type),
        cmocka_unit_test(data_is_written_now_or_later),
        cmocka_unit_test(certificates_and_requests),
        cmocka_unit_test(notifications),
        cmocka_unit_test(deletes),
        cmocka_unit_test(deletes_are_limited),
    };
    return cmocka_run_group_tests_name("ike1/payload", tests, NULL, NULL);
}

#include "gdoi/sa_parts.h"
#include "test/hex.h"

#define ANY "04 0000 08 0000000000000000"
#define TAIL "03 00001000"
#define V6 "20010db8000000000000000000000001"
#define NET6 "20010db8000000000000000000000000 ffffffff000000000000000000000000"

static const struct gdoi_dialect swapped = {.host_order_selectors = true};
static struct gdoi_sat sat;
static struct gdoi_tolerated tolerated;

static enum err parse(const char *text, const struct gdoi_dialect *d)
{
    struct rd r = rd_of(hex(text));
    memset(&tolerated, 0, sizeof tolerated);
    return sat_parse(&r, d, &tolerated, &sat);
}

static struct bytes rewritten(const struct gdoi_dialect *d)
{
    static uint8_t out[256];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    sat_write(&c, d, &sat);
    assert_int_equal(out[0], IKE1_PAYLOAD_SAT);
    return bytes(out + 5, w.len - 5);
}

static void assert_prefix(struct prefix p, const char *want)
{
    char text[PREFIX_TEXT_MAX];
    assert_string_equal(prefix_text(p, text, sizeof text), want);
}

/* Canonical forms, in the order of what they select. */
static void selectors_are_read_and_written(void **state)
{
    static const struct {
        const char *body, *src, *dst;
    } good[] = {
        {"01 00" ANY ANY TAIL, "0.0.0.0/0", "0.0.0.0/0"},
        {"01 00 01 0000 04 0a000001" ANY TAIL, "10.0.0.1/32", "0.0.0.0/0"},
        {"01 06 04 0000 08 0a000000ff000000 01 0050 04 0a000001" TAIL, "10.0.0.0/8", "10.0.0.1/32"},
        {"01 11 05 0035 10" V6 "06 0000 20" NET6 TAIL, "2001:db8::1/128", "2001:db8::/32"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(parse(good[i].body, &GDOI_RFC6407), ERR_OK);
        assert_prefix(sat.src, good[i].src);
        assert_prefix(sat.dst, good[i].dst);
        assert_octets(rewritten(&GDOI_RFC6407), hex(good[i].body));
    }
    assert_int_equal(sat.ip_protocol, 17);
    assert_int_equal(sat.src_port, 53);
}

/* Other ways to say any source, and a host as a subnet. */
static void other_forms_of_selectors_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("01 00 01 0000 00" ANY TAIL, &GDOI_RFC6407), ERR_OK);
    assert_prefix(sat.src, "0.0.0.0/0");
    assert_octets(rewritten(&GDOI_RFC6407), hex("01 00" ANY ANY TAIL));
    assert_int_equal(parse("01 00 01 0000 03 000000" ANY TAIL, &GDOI_RFC6407), ERR_OK);
    assert_prefix(sat.src, "0.0.0.0/0");
    assert_int_equal(parse("01 00 01 0000 00 05 0000 10" V6 TAIL, &GDOI_RFC6407), ERR_OK);
    assert_int_equal(sat.src.ip.version, 6);
    assert_int_equal(sat.src.len, 0);
    assert_int_equal(parse("01 00 04 0000 08 0a000001ffffffff" ANY TAIL, &GDOI_RFC6407), ERR_OK);
    assert_octets(rewritten(&GDOI_RFC6407), hex("01 00 01 0000 04 0a000001" ANY TAIL));
}

static void addresses_may_be_little_endian(void **state)
{
#define LITTLE "01 00 01 0000 04 25e0000a 04 0050 08 0000000a000000ff" TAIL
    (void)state;
    assert_int_equal(parse(LITTLE, &swapped), ERR_OK);
    assert_prefix(sat.src, "10.0.224.37/32");
    assert_prefix(sat.dst, "10.0.0.0/8");
    assert_int_equal(sat.dst_port, 80);
    assert_int_equal(tolerated.count[TOLERATED_SELECTORS_SWAPPED], 1);
    assert_octets(rewritten(&swapped), hex(LITTLE));
    assert_int_equal(parse(LITTLE, &GDOI_RFC6407), ERR_VALUE); /* a mask with holes */
}

#define HEAD "01 00" ANY ANY

static void attributes_are_read_and_written(void **state)
{
    static const char body[] = HEAD "0c 00001000 80040001 80050005 80060080"
                                    "80010001 000200040000 0e10 80010002 000200040001 0000"
                                    "800e0004 800f0002";
    const struct gdoi_dialect tv = {.tv_lifetime = true};

    (void)state;
    assert_int_equal(parse(body, &GDOI_RFC6407), ERR_OK);
    assert_int_equal(sat.protocol_id, GDOI_PROTOCOL_ESP);
    assert_int_equal(sat.transform, GDOI_ESP_AES_CBC);
    assert_int_equal(sat.spi, 0x1000);
    assert_int_equal(sat.encapsulation, GDOI_ENCAPSULATION_TUNNEL);
    assert_int_equal(sat.auth, GDOI_AUTH_HMAC_SHA256);
    assert_int_equal(sat.key_length, 128);
    assert_int_equal(sat.life.seconds, 3600);
    assert_int_equal(sat.life.kilobytes, 65536);
    assert_int_equal(sat.preserve, GDOI_PRESERVE_BOTH);
    assert_int_equal(sat.direction, GDOI_DIRECTION_RECEIVER);
    assert_octets(rewritten(&GDOI_RFC6407), hex(body));
    assert_octets(rewritten(&tv), hex(HEAD "0c 00001000 80040001 80050005 80060080"
                                           "80010001 80020e10 80010002 000200040001 0000"
                                           "800e0004 800f0002"));
}

static void reserved_values_are_absent_and_counted(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD TAIL "80040000 80050000 800e0000 800f0000", &GDOI_RFC6407), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_RESERVED_VALUE], 4);
    assert_int_equal(sat.encapsulation + sat.auth + sat.preserve + sat.direction, 0);
    assert_int_equal(parse(HEAD TAIL, &GDOI_RFC6407), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_RESERVED_VALUE], 0);
}

static void a_group_description_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD TAIL "80030002", &GDOI_RFC6407), ERR_OK);
    assert_octets(rewritten(&GDOI_RFC6407), hex(HEAD TAIL));
}

/* Ours, and only where time stamps are spoken: 32001 is 7d01. */
static void a_key_may_have_a_window_of_its_own(void **state)
{
    static const char *const own = HEAD TAIL "7d010004000186a0", *const none =
                                                                     HEAD TAIL "7d01000400000000";
    struct gdoi_sa sa = {.gap = {.d3p_type = 1, .d3p_window = 5000}};
    (void)state;
    assert_int_equal(parse(own, &GDOI_STAMPS), ERR_OK);
    assert_int_equal(gdoi_sat_window(&sa, &sat), 100000);
    assert_octets(rewritten(&GDOI_STAMPS), hex(own));
    assert_octets(rewritten(&GDOI_RFC6407), hex(HEAD TAIL));
    struct gdoi_sat before = sat;
    assert_int_equal(parse(none, &GDOI_STAMPS), ERR_OK); /* that there are none has to be said */
    assert_int_equal(gdoi_sat_window(&sa, &sat), 0);
    assert_octets(rewritten(&GDOI_STAMPS), hex(none));
    assert_false(gdoi_sat_same_sa(&before, &sat));
    assert_int_equal(parse(HEAD TAIL, &GDOI_STAMPS), ERR_OK);
    assert_int_equal(gdoi_sat_window(&sa, &sat), 5000);
    assert_int_equal(parse(own, &GDOI_RFC6407), ERR_ATTRIBUTE);
    assert_int_equal(parse(HEAD TAIL "7d010000", &GDOI_STAMPS), ERR_LENGTH);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {"00 00" ANY ANY TAIL, ERR_TYPE},
        {"03 00" ANY ANY TAIL, ERR_TYPE},
        {"01 00" ANY, ERR_SHORT},
        {"01 00" ANY ANY "03 000010", ERR_SHORT},
        {"01 00 02 0000 04 61626364" ANY TAIL, ERR_TYPE},
        {"01 00 07 0000 08 0a0000010a000009" ANY TAIL, ERR_TYPE},
        {"01 00 01 0000 03 000001" ANY TAIL, ERR_LENGTH},
        {"01 00 01 0000 05 0a00000100" ANY TAIL, ERR_LENGTH},
        {"01 00 04 0000 04 0a000001" ANY TAIL, ERR_LENGTH},
        {"01 00 05 0000 04 0a000001" ANY TAIL, ERR_LENGTH},
        {"01 00 06 0000 10" V6 ANY TAIL, ERR_LENGTH},
        {"01 00 04 0000 08 0a000000ff00ff00" ANY TAIL, ERR_VALUE},
        {"01 00" ANY "01 0000 00" TAIL, ERR_LENGTH}, /* any source, but never any destination */
        {"01 00" ANY "05 0000 10" V6 TAIL, ERR_CONFLICT},
        {HEAD "03 000000ff", ERR_VALUE},
        {HEAD TAIL "80040003", ERR_VALUE},
        {HEAD TAIL "800e0005", ERR_VALUE},
        {HEAD TAIL "800f0004", ERR_VALUE},
        {HEAD TAIL "80070001", ERR_ATTRIBUTE},
        {HEAD TAIL "80100001", ERR_ATTRIBUTE},
        {HEAD TAIL "000400020001", ERR_ATTRIBUTE},
        {HEAD TAIL "80040001 80040001", ERR_DUPLICATE},
        {HEAD TAIL "80010001 80020001 80010001 80020001", ERR_DUPLICATE},
        {HEAD TAIL "80020001", ERR_ORDER},
        {HEAD TAIL "80010001", ERR_MISSING},
        {HEAD TAIL "8001", ERR_SHORT},
        {HEAD "03 00001000 800600c0", ERR_ATTRIBUTE}, /* 3DES with a key length */
        {HEAD "02 00001000 80060040", ERR_ATTRIBUTE},
        {HEAD "0b 00001000 80060040", ERR_ATTRIBUTE},
        {HEAD "0c 00001000", ERR_MISSING}, /* AES without one */
        {HEAD "0d 00001000", ERR_MISSING},
        {HEAD "14 00001000", ERR_MISSING},
    };
    (void)state;
    memset(&sat, 0, sizeof sat);
    sat.spi = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum err e = parse(bad[i].text, &GDOI_RFC6407);
        if (e != bad[i].want)
            print_message("case %zu\n", i);
        assert_int_equal(e, bad[i].want);
    }
    assert_int_equal(sat.spi, 77);
}

/* The first SPI that is not reserved; transforms we do not build are left to the caller's
 * judgement. */
static void the_edges_of_what_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD "03 00000100", &GDOI_RFC6407), ERR_OK);
    assert_int_equal(parse(HEAD "63 ffffffff", &GDOI_RFC6407), ERR_OK);
    assert_int_equal(sat.transform, 99);
    assert_int_equal(parse("02 00" ANY ANY "0c 00001000", &GDOI_RFC6407), ERR_OK);
    assert_int_equal(sat.protocol_id, GDOI_PROTOCOL_AH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_are_read_and_written),
        cmocka_unit_test(other_forms_of_selectors_are_read),
        cmocka_unit_test(addresses_may_be_little_endian),
        cmocka_unit_test(attributes_are_read_and_written),
        cmocka_unit_test(reserved_values_are_absent_and_counted),
        cmocka_unit_test(a_group_description_is_ignored),
        cmocka_unit_test(a_key_may_have_a_window_of_its_own),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(the_edges_of_what_is_allowed),
    };
    return cmocka_run_group_tests_name("gdoi/sat", tests, NULL, NULL);
}

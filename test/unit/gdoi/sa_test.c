/* The SA payload and the order of its parts; the parts themselves are in sak_test.c, gap_test.c and
 * sat_test.c. */
#include "gdoi/sa.h"
#include "test/hex.h"

/* Bodies of the parts, each with its length in octets. */
#define SAK_HEAD                                                                                   \
    "11 010350 04 0a000001 010350 04 ef010101 0102030405060708 1112131415161718 00000000"
#define SAK_BODY SAK_HEAD "80020002 80050002 80060001" /* 41 - 4 + 12 */
#define SAK(next) #next "000035" SAK_BODY
#define GAP(next) #next "00000c 8001001e 8002002d"
#define ANY "04 0000 08 0000000000000000"
#define SAT(next) #next "000027 01 00" ANY ANY "03 00001000 80040001"
#define SA "00000002 00000000"

static struct gdoi_sa sa;

static enum err parse(const char *text)
{
    return gdoi_sa_parse(hex(text), &GDOI_RFC6407, NULL, &sa);
}

static struct bytes rewritten(const struct gdoi_dialect *d)
{
    static uint8_t out[512];
    struct wr w = wr_of(out, sizeof out);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_sa_write(&c, d, &sa);
    assert_int_equal(wr_end(&w), ERR_OK);
    assert_int_equal(out[0], IKE1_PAYLOAD_SA);
    return bytes(out + 5, w.len - 5);
}

static void parts_are_read_and_written_in_order(void **state)
{
    static const struct {
        const char *text;
        bool sak, gap;
        size_t n_sats;
    } good[] = {
        {SA "00100000" SAT(00), false, false, 1},
        {SA "00100000" SAT(10) SAT(00), false, false, 2},
        {SA "000f0000" SAK(00), true, false, 0},
        {SA "000f0000" SAK(10) SAT(00), true, false, 1},
        {SA "000f0000" SAK(16) GAP(00), true, true, 0},
        {SA "000f0000" SAK(16) GAP(10) SAT(10) SAT(00), true, true, 2},
        {SA "00160000" GAP(10) SAT(00), false, true, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(parse(good[i].text), ERR_OK);
        assert_int_equal(sa.has_sak, good[i].sak);
        assert_int_equal(sa.has_gap, good[i].gap);
        assert_int_equal(sa.n_sats, good[i].n_sats);
        assert_octets(rewritten(&GDOI_RFC6407), hex(good[i].text));
    }
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {SA "000f00", ERR_SHORT},
        {"00000001 00000000 00100000" SAT(00), ERR_DOI},
        {"00000002 00000001 00100000" SAT(00), ERR_SITUATION},
        {SA "00100001" SAT(00), ERR_RESERVED},
        {SA "00000000", ERR_MISSING},
        {SA "00160000" GAP(00), ERR_MISSING},
        {SA "00000000 00", ERR_TRAILING},
        {SA "00100000" SAT(00) "00", ERR_TRAILING},
        {SA "10000000" SAT(00), ERR_ORDER}, /* the type in the first of the two octets */
        {SA "00050000" SAT(00), ERR_ORDER},
        {SA "00100000" SAT(11) SAT(00), ERR_ORDER},
        {SA "000f0000" SAK(0f) SAK(00), ERR_ORDER},
        {SA "00160000" GAP(0f) SAK(00), ERR_ORDER},
        {SA "00160000" GAP(16) GAP(10) SAT(00), ERR_ORDER},
        {SA "00100000" SAT(0f) SAK(00), ERR_ORDER},
        {SA "00100000" SAT(16) GAP(00), ERR_ORDER},
        {SA "00100000" SAT(10), ERR_SHORT},
        {SA "00100000 00000003", ERR_LENGTH},
        {SA "00100000 00000005", ERR_SHORT},
        {SA "00160000 00000008 80040001", ERR_ATTRIBUTE},
    };
    (void)state;
    memset(&sa, 0, sizeof sa);
    sa.n_sats = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum err e = parse(bad[i].text);
        if (e != bad[i].want)
            print_message("case %zu\n", i);
        assert_int_equal(e, bad[i].want);
    }
    assert_int_equal(sa.n_sats, 77);
}

/* Policies of one SPI must agree in all but the selectors (decisions M24). */
static void policies_of_one_spi_are_one_sa(void **state)
{
#define OTHER(spi_, tail) "00000027 01 06 04 0050 08 0a000000ff000000" ANY "03" spi_ tail
    (void)state;
    assert_int_equal(parse(SA "00100000" SAT(10) OTHER("00001000", "80040001")), ERR_OK);
    assert_int_equal(parse(SA "00100000" SAT(10) OTHER("00001000", "80040002")), ERR_CONFLICT);
    assert_int_equal(parse(SA "00100000" SAT(10) OTHER("00001001", "80040002")), ERR_OK);
}

static void each_attribute_tells_sas_apart(void **state)
{
    struct gdoi_sat a = {.spi = 0x1000}, b = a;

    (void)state;
    assert_true(gdoi_sat_same_sa(&a, &b));
    b.src_port = 1;
    b.ip_protocol = 17;
    b.src.len = 8;
    assert_true(gdoi_sat_same_sa(&a, &b));
#define DIFFERS(field)                                                                             \
    b = a;                                                                                         \
    b.field = 1;                                                                                   \
    assert_false(gdoi_sat_same_sa(&a, &b))
    DIFFERS(protocol_id);
    DIFFERS(transform);
    DIFFERS(spi);
    DIFFERS(encapsulation);
    DIFFERS(auth);
    DIFFERS(key_length);
    DIFFERS(preserve);
    DIFFERS(direction);
    DIFFERS(life.has_seconds);
    DIFFERS(life.seconds);
    DIFFERS(life.has_kilobytes);
    DIFFERS(life.kilobytes);
}

static struct bytes many(uint8_t *out, size_t room, size_t n)
{
    struct wr w = wr_of(out, room);
    wr_put(&w, hex(SA "00100000"));
    struct bytes sat = hex(SAT(10));
    for (size_t i = 0; i < n; i++)
        wr_put(&w, sat);
    w.data[w.len - sat.len] = 0;
    return wr_bytes(&w);
}

static void policies_are_limited(void **state)
{
    static uint8_t out[12 + 39 * (GDOI_SATS_MAX + 1)];

    (void)state;
    assert_int_equal(gdoi_sa_parse(many(out, sizeof out, GDOI_SATS_MAX), &GDOI_RFC6407, NULL, &sa),
                     ERR_OK);
    assert_int_equal(sa.n_sats, GDOI_SATS_MAX);
    assert_int_equal(
        gdoi_sa_parse(many(out, sizeof out, GDOI_SATS_MAX + 1), &GDOI_RFC6407, NULL, &sa),
        ERR_TOO_MANY);
}

static void a_dialect_leaves_the_gap_out(void **state)
{
    const struct gdoi_dialect no_gap = {.no_gap = true};

    (void)state;
    assert_int_equal(parse(SA "00160000" GAP(10) SAT(00)), ERR_OK);
    assert_octets(rewritten(&no_gap), hex(SA "00100000" SAT(00)));
}

static void a_full_buffer_is_told(void **state)
{
    uint8_t out[300];
    size_t need = 1 + 4 + hex(SA "000f0000" SAK(16) GAP(10) SAT(00)).len;

    (void)state;
    assert_int_equal(parse(SA "000f0000" SAK(16) GAP(10) SAT(00)), ERR_OK);
    for (size_t room = 1; room <= need; room++) {
        struct wr w = wr_of(out, room);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        gdoi_sa_write(&c, &GDOI_RFC6407, &sa);
        assert_int_equal(wr_end(&w), room < need ? ERR_FULL : ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read_and_written_in_order),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(policies_of_one_spi_are_one_sa),
        cmocka_unit_test(each_attribute_tells_sas_apart),
        cmocka_unit_test(policies_are_limited),
        cmocka_unit_test(a_dialect_leaves_the_gap_out),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("gdoi/sa", tests, NULL, NULL);
}

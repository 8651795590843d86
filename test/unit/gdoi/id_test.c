#include "gdoi/id.h"
#include "test/hex.h"

static void groups_are_named_by_number(void **state)
{
    struct gdoi_group_id id;
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_group_id_write(&c, 1234);
    assert_octets(wr_bytes(&w), hex("05 0000000c 0b000000 000004d2"));
    assert_int_equal(gdoi_group_id_parse(bytes(out + 5, w.len - 5), &id), ERR_OK);
    assert_int_equal(id.type, IKE1_ID_KEY_ID);
    assert_int_equal(id.exact, 1234);
    assert_int_equal(id.swapped, 0xd2040000);
}

static void groups_may_be_named_by_address(void **state)
{
    struct gdoi_group_id id;
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_group_address_write(&c, ip_v4(0xef010101));
    assert_octets(wr_bytes(&w), hex("05 0000000c 01000000 ef010101"));
    assert_int_equal(gdoi_group_id_parse(bytes(out + 5, w.len - 5), &id), ERR_OK);
    assert_int_equal(id.type, IKE1_ID_IPV4_ADDR);
    assert_int_equal(id.exact, 0xef010101);
    assert_true(ip_equal(id.ip, ip_v4(0xef010101)));
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"0b0000", ERR_SHORT},
        {"02000000 61626364", ERR_TYPE},
        {"05000000 20010db8000000000000000000000001", ERR_TYPE},
        {"0b000000 0004d2", ERR_LENGTH},
        {"0b000000 00000004d2", ERR_LENGTH},
        {"0b110000 000004d2", ERR_RESERVED},
        {"0b000350 000004d2", ERR_RESERVED},
    };
    struct gdoi_group_id id = {.exact = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(gdoi_group_id_parse(hex(bad[i].text), &id), bad[i].want);
    assert_int_equal(id.exact, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_named_by_number),
        cmocka_unit_test(groups_may_be_named_by_address),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests_name("gdoi/id", tests, NULL, NULL);
}

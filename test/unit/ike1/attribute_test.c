#include "ike1/attribute.h"
#include "ike1/numbers.h"
#include "test/hex.h"

enum { BASIC = 1, VARIABLE = 2, TYPE = 11, DURATION = 12 };

static const struct ike1_attribute_rule rules[] = {
    {BASIC, IKE1_FORM_B, false},
    {VARIABLE, IKE1_FORM_V, false},
    {TYPE, IKE1_FORM_B, true},
    {DURATION, IKE1_FORM_V, true},
};

static enum err parse(const char *text, struct ike1_attributes *ret)
{
    return ike1_attributes_parse(hex(text), rules, ARRAY_LEN(rules), ret);
}

static void both_forms_are_read(void **state)
{
    struct ike1_attributes all;

    (void)state;
    assert_int_equal(parse("80010005 00020003010203", &all), ERR_OK);
    assert_int_equal(all.n, 2);
    assert_int_equal(ike1_attribute_basic(&all, BASIC), 5);
    assert_true(all.a[0].tv);
    assert_false(all.a[1].tv);
    assert_octets(ike1_attribute_find(&all, VARIABLE)->value, hex("010203"));
    assert_null(ike1_attribute_find(&all, TYPE));
    assert_int_equal(ike1_attribute_basic(&all, TYPE), 0);
    assert_int_equal(parse("", &all), ERR_OK);
    assert_int_equal(all.n, 0);
    assert_int_equal(parse("00020000", &all), ERR_OK);
    assert_int_equal(all.a[0].value.len, 0);
}

static void a_variable_attribute_may_come_as_tv_but_a_basic_one_not_as_tlv(void **state)
{
    struct ike1_attributes all;

    (void)state;
    assert_int_equal(parse("80020102", &all), ERR_OK);
    assert_octets(all.a[0].value, hex("0102"));
    assert_int_equal(parse("0001 0002 0005", &all), ERR_ATTRIBUTE);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum err want;
    } bad[] = {
        {"80", ERR_SHORT},
        {"8001", ERR_SHORT},
        {"800100", ERR_SHORT},
        {"0002", ERR_SHORT},
        {"00020002 01", ERR_SHORT},
        {"80000001", ERR_ATTRIBUTE},
        {"00000000", ERR_ATTRIBUTE},
        {"80030001", ERR_ATTRIBUTE},
        {"80010001 80010001", ERR_DUPLICATE},
        {"00020000 80020000", ERR_DUPLICATE},
    };
    struct ike1_attributes all = {.n = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(bad[i].text, &all), bad[i].want);
    assert_int_equal(all.n, 77);
}

static void the_number_of_attributes_is_limited(void **state)
{
    struct ike1_attributes all;
    uint8_t out[4 * (IKE1_ATTRIBUTES_MAX + 1)];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    for (size_t i = 0; i < IKE1_ATTRIBUTES_MAX; i++)
        ike1_attribute_tv(&w, TYPE, 1);
    assert_int_equal(ike1_attributes_parse(wr_bytes(&w), rules, ARRAY_LEN(rules), &all), ERR_OK);
    assert_int_equal(all.n, IKE1_ATTRIBUTES_MAX);
    ike1_attribute_tv(&w, TYPE, 1);
    assert_int_equal(ike1_attributes_parse(wr_bytes(&w), rules, ARRAY_LEN(rules), &all),
                     ERR_TOO_MANY);
}

static void numbers_have_one_to_eight_octets(void **state)
{
    static const struct {
        const char *text;
        uint32_t want;
    } good[] = {
        {"8002003c", 60},
        {"0002000107", 7},
        {"00020003 010000", 65536},
        {"00020004 ffffffff", UINT32_MAX},
        {"00020005 0100000000", UINT32_MAX},
        {"00020008 0000000000000009", 9},
    };
    struct ike1_attributes all;
    uint32_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(parse(good[i].text, &all), ERR_OK);
        assert_int_equal(ike1_attribute_number(&all.a[0], &n), ERR_OK);
        assert_int_equal(n, good[i].want);
    }
    assert_int_equal(parse("00020000", &all), ERR_OK);
    assert_int_equal(ike1_attribute_number(&all.a[0], &n), ERR_LENGTH);
    assert_int_equal(parse("00020009 000000000000000001", &all), ERR_OK);
    assert_int_equal(ike1_attribute_number(&all.a[0], &n), ERR_LENGTH);
}

static enum err life(const char *text, struct ike1_life *ret)
{
    struct ike1_attributes all;
    assert_int_equal(parse(text, &all), ERR_OK);
    return ike1_life_parse(&all, TYPE, DURATION, ret);
}

static void lifetimes_are_pairs(void **state)
{
    struct ike1_life l;

    (void)state;
    assert_int_equal(life("", &l), ERR_OK);
    assert_true(!l.has_seconds && !l.has_kilobytes);
    assert_int_equal(life("800b0001 800c003c", &l), ERR_OK);
    assert_true(l.has_seconds && !l.has_kilobytes);
    assert_int_equal(l.seconds, 60);
    assert_int_equal(life("800b0002 000c000400010000 800b0001 800c0000", &l), ERR_OK);
    assert_true(l.has_seconds && l.has_kilobytes);
    assert_int_equal(l.seconds, 0);
    assert_int_equal(l.kilobytes, 65536);

    assert_int_equal(life("800c003c", &l), ERR_ORDER);
    assert_int_equal(life("800b0001 800c003c 800c003c", &l), ERR_ORDER);
    assert_int_equal(life("800b0001", &l), ERR_MISSING);
    assert_int_equal(life("800b0001 800b0001 800c0001", &l), ERR_MISSING);
    assert_int_equal(life("800b0001 800c0001 800b0001 800c0001", &l), ERR_DUPLICATE);
    assert_int_equal(life("800b0003 800c0001", &l), ERR_VALUE);
    assert_int_equal(life("800b0001 000c0000", &l), ERR_LENGTH);
}

static void lifetimes_are_written_in_either_form(void **state)
{
    const struct ike1_life l = {
        .has_seconds = true, .seconds = 65535, .has_kilobytes = true, .kilobytes = 65536};
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    ike1_life_write(&w, TYPE, DURATION, true, &l);
    assert_octets(wr_bytes(&w), hex("800b0001 800cffff 800b0002 000c000400010000"));
    w = wr_of(out, sizeof out);
    ike1_life_write(&w, TYPE, DURATION, false, &l);
    assert_octets(wr_bytes(&w), hex("800b0001 000c00040000ffff 800b0002 000c000400010000"));
}

static void a_full_buffer_is_told(void **state)
{
    uint8_t out[7];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    ike1_attribute_tlv(&w, VARIABLE, hex("010203"));
    assert_octets(wr_bytes(&w), hex("00020003010203"));
    ike1_attribute_tv(&w, BASIC, 1);
    assert_int_equal(wr_end(&w), ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(a_variable_attribute_may_come_as_tv_but_a_basic_one_not_as_tlv),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(the_number_of_attributes_is_limited),
        cmocka_unit_test(numbers_have_one_to_eight_octets),
        cmocka_unit_test(lifetimes_are_pairs),
        cmocka_unit_test(lifetimes_are_written_in_either_form),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("ike1/attribute", tests, NULL, NULL);
}

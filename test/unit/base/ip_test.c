#include "base/ip.h"
#include "test/check.h"

static struct ip ip(const char *text)
{
    struct ip a;
    assert_true(ip_parse(text, &a));
    return a;
}

static struct prefix net(const char *text)
{
    struct prefix p;
    assert_true(prefix_parse(text, false, &p));
    return p;
}

static void assert_prints(struct ip a, const char *want)
{
    char text[IP_TEXT_MAX];
    assert_string_equal(ip_text(a, text, sizeof text), want);
}

static void test_v4_numbers(void **state)
{
    (void)state;
    assert_true(ip_equal(ip_v4(0xc0000201), ip("192.0.2.1")));
    assert_int_equal(ip_v4_u32(ip("255.254.1.0")), 0xfffe0100);
}

static void test_parse_and_print(void **state)
{
    (void)state;
    assert_prints(ip("192.0.2.1"), "192.0.2.1");
    assert_prints(ip("2001:db8::1"), "2001:db8::1");
    assert_prints(ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_prints(IP_NONE, "-");
}

static void test_parse_refuses_and_touches_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "1.2.3",      "1.2.3.4.5", "1.2.3.256",
                                      "1.2.3.4 ", " 1.2.3.4",   "1.2.3.x",   "1.2.3.4/8",
                                      ":::",      "2001:db8::g"};
    struct ip a = ip_v4(7);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(ip_parse(bad[i], &a));
    assert_true(ip_equal(a, ip_v4(7)));
}

static void test_kinds(void **state)
{
    (void)state;
    assert_true(ip_is_any(IP_NONE));
    assert_true(ip_is_any(ip("0.0.0.0")));
    assert_true(ip_is_any(ip("::")));
    assert_false(ip_is_any(ip("0.0.0.1")));
    assert_false(ip_is_any(ip("::1")));
    assert_true(ip_is_multicast(ip("224.0.0.0")));
    assert_true(ip_is_multicast(ip("239.255.255.255")));
    assert_false(ip_is_multicast(ip("223.255.255.255")));
    assert_false(ip_is_multicast(ip("240.0.0.0")));
    assert_true(ip_is_multicast(ip("ff02::1")));
    assert_false(ip_is_multicast(ip("fe80::1")));
    assert_false(ip_is_multicast(IP_NONE));
    assert_false(ip_equal(ip("0.0.0.0"), ip("::")));
}

static void test_endpoints(void **state)
{
    (void)state;
    char text[ENDPOINT_TEXT_MAX];
    struct endpoint a = {ip("192.0.2.1"), 848}, b = {ip("192.0.2.1"), 847};
    struct endpoint six = {ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535};
    assert_true(endpoint_equal(a, a));
    assert_false(endpoint_equal(a, b));
    assert_string_equal(endpoint_text(a, text, sizeof text), "192.0.2.1:848");
    assert_string_equal(endpoint_text(six, text, sizeof text),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void test_prefix_contains(void **state)
{
    (void)state;
    struct prefix p = net("10.1.2.0/23");
    assert_true(prefix_contains(p, ip("10.1.2.0")));
    assert_true(prefix_contains(p, ip("10.1.3.255")));
    assert_false(prefix_contains(p, ip("10.1.1.255")));
    assert_false(prefix_contains(p, ip("10.1.4.0")));
    assert_false(prefix_contains(p, ip("::")));
    assert_true(prefix_contains(net("0.0.0.0/0"), ip("255.255.255.255")));
    assert_false(prefix_contains(net("10.1.2.3/32"), ip("10.1.2.2")));
    assert_true(prefix_contains(net("2001:db8::/33"), ip("2001:db8:7fff::1")));
    assert_false(prefix_contains(net("2001:db8::/33"), ip("2001:db8:8000::1")));
}

static void test_prefix_relations(void **state)
{
    (void)state;
    struct prefix wide = net("10.0.0.0/8"), narrow = net("10.2.0.0/16"), other = net("11.0.0.0/8");
    assert_true(prefix_covers(wide, narrow));
    assert_true(prefix_covers(wide, wide));
    assert_false(prefix_covers(narrow, wide));
    assert_false(prefix_covers(wide, other));
    assert_true(prefix_overlaps(narrow, wide));
    assert_true(prefix_overlaps(wide, narrow));
    assert_false(prefix_overlaps(wide, other));
    assert_true(prefix_equal(wide, net("10.0.0.0/8")));
    assert_false(prefix_equal(wide, net("10.0.0.0/9")));
    assert_false(prefix_equal(net("0.0.0.0/0"), net("::/0")));
}

static void test_prefix_of_clears_host_bits(void **state)
{
    (void)state;
    char text[PREFIX_TEXT_MAX];
    assert_string_equal(prefix_text(prefix_of(ip("10.1.2.255"), 25), text, sizeof text),
                        "10.1.2.128/25");
    assert_string_equal(prefix_text(prefix_of(ip("10.1.2.255"), 0), text, sizeof text),
                        "0.0.0.0/0");
    assert_string_equal(prefix_text(prefix_of(ip("2001:db8::ffff"), 127), text, sizeof text),
                        "2001:db8::fffe/127");
}

static void one_bit_too_many(void *unused)
{
    (void)unused;
    (void)prefix_of(ip_v4(1), 33);
}

static void test_prefix_longer_than_its_address_aborts(void **state)
{
    (void)state;
    assert_true(aborts(one_bit_too_many, NULL));
}

static void test_masks_round_trip(void **state)
{
    (void)state;
    struct ip a = ip("255.255.255.255"), six = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    struct prefix back;
    for (uint8_t len = 0; len <= 32; len++) {
        assert_true(prefix_of_mask(a, prefix_mask(prefix_of(a, len)), &back));
        assert_true(prefix_equal(back, prefix_of(a, len)));
    }
    for (uint8_t len = 0; len <= 128; len++) {
        assert_true(prefix_of_mask(six, prefix_mask(prefix_of(six, len)), &back));
        assert_true(prefix_equal(back, prefix_of(six, len)));
    }
    assert_prints(prefix_mask(net("10.0.0.0/9")), "255.128.0.0");
}

static void test_masks_with_holes_are_refused(void **state)
{
    (void)state;
    struct prefix p = net("10.0.0.0/8");
    assert_false(prefix_of_mask(ip("10.0.0.0"), ip("255.0.255.0"), &p));
    assert_false(prefix_of_mask(ip("10.0.0.0"), ip("0.0.0.1"), &p));
    assert_false(prefix_of_mask(ip("10.0.0.0"), ip("ff00::"), &p));
    assert_true(prefix_equal(p, net("10.0.0.0/8")));
}

static void test_prefix_parse(void **state)
{
    (void)state;
    assert_int_equal(net("10.0.0.0/8").len, 8);
    assert_int_equal(net("10.0.0.1").len, 32);
    assert_int_equal(net("::1").len, 128);
    assert_int_equal(net("0.0.0.0").len, 0);
    assert_int_equal(net("::").len, 0);
    assert_int_equal(net("0.0.0.0/32").len, 32);
    assert_int_equal(net("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128").len, 128);
}

static void test_prefix_parse_refuses_and_touches_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "::/129",
                                      "10.0.0.0/x",
                                      "10.0.0.0/8 ",
                                      "10.0.0.0/-1",
                                      "10.0.0.1/8",
                                      "10.0.0.0/00008",
                                      "10.0.0/8",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0/+8",
                                      "1234:1234:1234:1234:1234:1234:255.255.255.2555555/1"};
    struct prefix p = net("10.0.0.0/8");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(prefix_parse(bad[i], false, &p));
    assert_true(prefix_equal(p, net("10.0.0.0/8")));
}

static void test_host_bits_are_cleared_when_allowed(void **state)
{
    (void)state;
    struct prefix p;
    assert_true(prefix_parse("10.1.2.3/8", true, &p));
    assert_true(prefix_equal(p, net("10.0.0.0/8")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4_numbers),
        cmocka_unit_test(test_parse_and_print),
        cmocka_unit_test(test_parse_refuses_and_touches_nothing),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_prefix_contains),
        cmocka_unit_test(test_prefix_relations),
        cmocka_unit_test(test_prefix_of_clears_host_bits),
        cmocka_unit_test(test_prefix_longer_than_its_address_aborts),
        cmocka_unit_test(test_masks_round_trip),
        cmocka_unit_test(test_masks_with_holes_are_refused),
        cmocka_unit_test(test_prefix_parse),
        cmocka_unit_test(test_prefix_parse_refuses_and_touches_nothing),
        cmocka_unit_test(test_host_bits_are_cleared_when_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "esp/selector.h"

#include "test/unit/esp/fixture.h"

static struct esp_match match_of(struct esp_selector s)
{
    struct esp_match m = {0};
    assert_int_equal(esp_match_selector(&s, &m), ERR_OK);
    return m;
}

static struct esp_flow flow(const char *source, const char *destination, uint8_t protocol,
                            uint16_t source_port, uint16_t destination_port)
{
    return (struct esp_flow){ip_v4_u32(ip(source)),
                             ip_v4_u32(ip(destination)),
                             source_port,
                             destination_port,
                             protocol,
                             esp_protocol_has_ports(protocol)};
}

static bool matches(struct esp_selector s, struct esp_flow f)
{
    struct esp_match m = match_of(s);
    return esp_match_flow(&m, &f);
}

static void addresses(void **state)
{
    (void)state;
    struct esp_selector s = selector("10.1.0.0/16", "10.2.0.128/25", 0, 0, 0);
    assert_true(matches(s, flow("10.1.0.0", "10.2.0.128", 1, 0, 0)));
    assert_true(matches(s, flow("10.1.255.255", "10.2.0.255", 1, 0, 0)));
    assert_false(matches(s, flow("10.0.255.255", "10.2.0.128", 1, 0, 0)));
    assert_false(matches(s, flow("10.2.0.0", "10.2.0.128", 1, 0, 0)));
    assert_false(matches(s, flow("10.1.0.0", "10.2.0.127", 1, 0, 0)));
    /* one way only: group policies are as the sender sees them */
    assert_false(matches(s, flow("10.2.0.128", "10.1.0.0", 1, 0, 0)));
    struct esp_selector host = selector("10.1.0.1/32", "0.0.0.0/0", 0, 0, 0);
    assert_true(matches(host, flow("10.1.0.1", "203.0.113.9", 47, 0, 0)));
    assert_false(matches(host, flow("10.1.0.0", "203.0.113.9", 47, 0, 0)));
    struct esp_selector any = {0};
    assert_true(matches(any, flow("1.2.3.4", "255.255.255.255", 255, 0, 0)));
}

static void protocol_and_ports(void **state)
{
    (void)state;
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", IP_PROTO_UDP, 0, 5000);
    assert_true(matches(s, flow("10.1.0.1", "10.2.0.1", IP_PROTO_UDP, 9, 5000)));
    assert_false(matches(s, flow("10.1.0.1", "10.2.0.1", IP_PROTO_UDP, 9, 5001)));
    assert_false(matches(s, flow("10.1.0.1", "10.2.0.1", IP_PROTO_UDP, 5000, 9)));
    assert_false(matches(s, flow("10.1.0.1", "10.2.0.1", IP_PROTO_TCP, 9, 5000)));
    struct esp_selector from = selector("10.0.0.0/8", "10.0.0.0/8", 0, 7, 0);
    assert_true(matches(from, flow("10.1.0.1", "10.2.0.1", IP_PROTO_TCP, 7, 1)));
    assert_true(matches(from, flow("10.1.0.1", "10.2.0.1", IP_PROTO_SCTP, 7, 1)));
    assert_false(matches(from, flow("10.1.0.1", "10.2.0.1", IP_PROTO_ICMP, 7, 1)));
    struct esp_flow later = flow("10.1.0.1", "10.2.0.1", IP_PROTO_UDP, 9, 5000);
    later.has_ports = false; /* a later fragment: RFC 4301 7.1 */
    assert_false(matches(s, later));
    assert_true(matches(selector("10.0.0.0/8", "10.0.0.0/8", IP_PROTO_UDP, 0, 0), later));
}

static void rules_and_their_answers(void **state)
{
    (void)state;
    struct esp_rule r = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), IP_PROTO_TCP, 80, 90};
    struct esp_match m, back;
    assert_int_equal(esp_match_rule(&r, &m), ERR_OK);
    back = esp_match_mirrored(&m);
    struct esp_flow ask = flow("10.1.0.1", "10.2.0.1", IP_PROTO_TCP, 40000, 90);
    struct esp_flow reply = flow("10.2.0.1", "10.1.0.1", IP_PROTO_TCP, 90, 40000);
    assert_true(esp_match_flow(&m, &ask));
    assert_false(esp_match_flow(&m, &reply));
    assert_true(esp_match_flow(&back, &reply));
    assert_false(esp_match_flow(&back, &ask));
    ask.destination_port = 91;
    assert_false(esp_match_flow(&m, &ask));
    struct esp_rule any_port = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), 0, 0, UINT16_MAX};
    assert_int_equal(esp_match_rule(&any_port, &m), ERR_OK);
    assert_false(m.wants_ports);
}

static void ipv6_is_refused(void **state)
{
    (void)state;
    struct esp_match m = {.protocol = 99};
    struct esp_selector s = {.source = prefix("2001:db8::/32")};
    assert_int_equal(esp_match_selector(&s, &m), ERR_TYPE);
    s = (struct esp_selector){.destination = prefix("::/0")};
    assert_int_equal(esp_match_selector(&s, &m), ERR_TYPE);
    struct esp_rule r = {.source = prefix("2001:db8::/32")};
    assert_int_equal(esp_match_rule(&r, &m), ERR_TYPE);
    assert_int_equal(m.protocol, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(protocol_and_ports),
        cmocka_unit_test(rules_and_their_answers),
        cmocka_unit_test(ipv6_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

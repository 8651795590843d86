#include "esp/inner.h"

#include "test/unit/esp/fixture.h"

static void reads_fields(void **state)
{
    (void)state;
    uint8_t buffer[ROOM];
    struct esp_inner in;
    struct spec s = udp_spec;
    s.tos = 0xb9;
    s.fragment = 0x4000;
    struct esp_packet p = packet_make(buffer, 0, s);
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_OK);
    assert_int_equal(in.flow.source, 0x0a010002);
    assert_int_equal(in.flow.destination, 0x0a020002);
    assert_int_equal(in.flow.source_port, 1000);
    assert_int_equal(in.flow.destination_port, 2000);
    assert_true(in.flow.has_ports && in.df && !in.more_fragments);
    assert_int_equal(in.tos, 0xb9);
    assert_int_equal(in.ttl, 60);
    assert_int_equal(in.id, 77);
    assert_int_equal(in.total_len, 120);
    assert_int_equal(in.header_len, 20);
}

static void refuses_what_is_no_packet(void **state)
{
    (void)state;
    uint8_t buffer[ROOM];
    struct esp_inner in = {.id = 4711};
    struct esp_packet p = packet_make(buffer, 0, udp_spec);
    for (uint32_t len = 0; len < p.len; len++)
        assert_int_equal(esp_inner_parse(bytes(buffer, len), &in), ERR_SHORT);
    buffer[0] = 0x65;
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_VERSION);
    buffer[0] = 0x44;
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_LENGTH);
    buffer[0] = 0x4f;
    net_put16(buffer + 2, 59);
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_LENGTH);
    assert_int_equal(in.id, 4711);
    /* behind the packet there may be more */
    buffer[0] = 0x45;
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_OK);
    assert_int_equal(in.total_len, 59);
}

static void ports_only_where_they_are(void **state)
{
    (void)state;
    uint8_t buffer[ROOM];
    struct esp_inner in;
    struct spec s = udp_spec;
    s.payload = 3; /* cut inside the ports */
    struct esp_packet p = packet_make(buffer, 0, s);
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_OK);
    assert_false(in.flow.has_ports);

    s = udp_spec;
    s.fragment = 185; /* octet 1480 */
    p = packet_make(buffer, 0, s);
    assert_int_equal(esp_inner_parse(bytes(buffer, p.len), &in), ERR_OK);
    assert_false(in.flow.has_ports);
    assert_int_equal(in.fragment_at, 1480);
    assert_true(esp_inner_is_fragment(&in));

    static const uint8_t with[] = {6, 17, 33, 132, 136}, without[] = {0, 1, 2, 4, 47, 50, 255};
    for (size_t i = 0; i < sizeof with; i++)
        assert_true(esp_protocol_has_ports(with[i]));
    for (size_t i = 0; i < sizeof without; i++)
        assert_false(esp_protocol_has_ports(without[i]));
}

/* RFC 1071 4.1, as written there. */
static uint16_t naive_checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (uint32_t)data[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void checksum_equals_the_naive_one(void **state)
{
    (void)state;
    uint8_t data[300];
    struct dice d = {1};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)dice_roll(&d);
    for (size_t len = 0; len < sizeof data - 3; len++) {
        for (size_t at = 0; at < 3; at++)
            assert_int_equal(inet_fold(inet_sum(data + at, len)), naive_checksum(data + at, len));
    }
    memset(data, 0xff, sizeof data);
    assert_int_equal(inet_fold(inet_sum(data, sizeof data)), 0);
    /* the example of RFC 1071 3 */
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(inet_fold(inet_sum(example, sizeof example)), (uint16_t)~0xddf2);
}

static void pseudo_header(void **state)
{
    (void)state;
    uint8_t header[20] = {[12] = 10, 1, 0, 2, 10, 2, 0, 2};
    uint8_t pseudo[12] = {10, 1, 0, 2, 10, 2, 0, 2, 0, 6, 0x12, 0x34};
    assert_int_equal(inet_fold(inet_pseudo_sum(header, 6, 0x1234)),
                     naive_checksum(pseudo, sizeof pseudo));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(refuses_what_is_no_packet),
        cmocka_unit_test(ports_only_where_they_are),
        cmocka_unit_test(checksum_equals_the_naive_one),
        cmocka_unit_test(pseudo_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "ike1/payload.h"
#include "test/hex.h"

#define V6 "20010db8000000000000000000000001"
#define MASK6 "ffffffffffff00000000000000000000"

/* Every type with its text, as an ID body. */
static const struct {
    const char *body, *text;
} good[] = {
    {"01000000 0a00e025", "10.0.224.37"},
    {"021101f4 67772e6578616d706c65", "gw.example"},
    {"03000000 61406220ff", "a@b??"},
    {"04000000 0a000000ff000000", "10.0.0.0/255.0.0.0"},
    {"05000000" V6, "2001:db8::1"},
    {"06000000" V6 MASK6, "2001:db8::1/ffff:ffff:ffff::"},
    {"07000000 0a0000010a000009", "10.0.0.1-10.0.0.9"},
    {"08000000" V6 V6, "2001:db8::1-2001:db8::1"},
    {"09000000 3000", "3000"},
    {"0a000000 82", "82"},
    {"0b000000 000004d2", "000004d2"},
};

static void every_type_is_read_written_and_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct bytes body = hex(good[i].body);
        struct ike1_id id;
        char text[IKE1_ID_TEXT_MAX];
        uint8_t out[128];
        struct wr w = wr_of(out, sizeof out);

        assert_int_equal(ike1_id_parse(body, &id), ERR_OK);
        assert_int_equal(id.type, i + 1);
        assert_string_equal(ike1_id_text(&id, text, sizeof text), good[i].text);
        ike1_id_write_body(&w, &id);
        assert_octets(wr_bytes(&w), body);

        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, body.len);
        ike1_id_write(&c, &id);
        assert_int_equal(out[body.len], IKE1_PAYLOAD_ID);
        assert_octets(bytes(out + body.len + 5, w.len - body.len - 5), body);
    }
}

static void data_must_fit_the_type(void **state)
{
    static const struct {
        const char *body;
        enum err want;
    } bad[] = {
        {"", ERR_SHORT},
        {"010000", ERR_SHORT},
        {"00000000 0a00e025", ERR_TYPE},
        {"0c000000 0a00e025", ERR_TYPE},
        {"01000000 0a00e0", ERR_LENGTH},
        {"01000000 0a00e02500", ERR_LENGTH},
        {"02000000", ERR_LENGTH},
        {"03000000", ERR_LENGTH},
        {"04000000 0a000000ff0000", ERR_LENGTH},
        {"05000000 0a000000", ERR_LENGTH},
        {"06000000" V6, ERR_LENGTH},
        {"07000000 0a000001", ERR_LENGTH},
        {"08000000" V6, ERR_LENGTH},
        {"09000000", ERR_LENGTH},
        {"0a000000", ERR_LENGTH},
        {"0b000000", ERR_LENGTH},
    };
    struct ike1_id id = {.type = 77};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ike1_id_parse(hex(bad[i].body), &id), bad[i].want);
    assert_int_equal(id.type, 77);
}

static void names_have_a_longest_length(void **state)
{
    static uint8_t body[4 + IKE1_ID_DATA_MAX + 1] = {IKE1_ID_FQDN};
    struct ike1_id id;

    (void)state;
    assert_int_equal(ike1_id_parse(bytes(body, sizeof body - 1), &id), ERR_OK);
    assert_int_equal(ike1_id_parse(bytes(body, sizeof body), &id), ERR_LENGTH);
}

static void phase_1_allows_few_ports(void **state)
{
    static const struct {
        uint8_t protocol;
        uint16_t port;
        enum err want;
    } cases[] = {{0, 0, ERR_OK},       {17, 0, ERR_OK},     {17, 500, ERR_OK},   {17, 848, ERR_OK},
                 {17, 501, ERR_VALUE}, {6, 500, ERR_VALUE}, {0, 500, ERR_VALUE}, {6, 0, ERR_VALUE}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ike1_id id = {.protocol = cases[i].protocol, .port = cases[i].port};
        assert_int_equal(ike1_id_check_phase1(&id), cases[i].want);
    }
}

static void addresses_go_both_ways(void **state)
{
    static const char *const texts[] = {"10.0.224.37", "2001:db8::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ip ip, back;
        assert_true(ip_parse(texts[i], &ip));
        struct ike1_id id = ike1_id_of_ip(&ip);
        assert_int_equal(id.type, i == 0 ? IKE1_ID_IPV4_ADDR : IKE1_ID_IPV6_ADDR);
        assert_true(ike1_id_ip(&id, &back));
        assert_true(ip_equal(ip, back));
        id.type = IKE1_ID_KEY_ID;
        assert_false(ike1_id_ip(&id, &back));
    }
}

static void identities_are_equal_in_type_and_data(void **state)
{
    struct ike1_id a = {.type = IKE1_ID_FQDN, .data = bytes_str("a"), .port = 500};
    struct ike1_id b = {.type = IKE1_ID_FQDN, .data = bytes_str("a")};

    (void)state;
    assert_true(ike1_id_equal(&a, &b));
    b.type = IKE1_ID_USER_FQDN;
    assert_false(ike1_id_equal(&a, &b));
    b = (struct ike1_id){.type = IKE1_ID_FQDN, .data = bytes_str("b")};
    assert_false(ike1_id_equal(&a, &b));
}

static void text_is_cut_to_the_room(void **state)
{
    struct ike1_id id = {.type = IKE1_ID_FQDN, .data = bytes_str("gw.example")};
    char text[4];

    (void)state;
    assert_string_equal(ike1_id_text(&id, text, sizeof text), "gw.");
    id.type = IKE1_ID_KEY_ID;
    assert_true(strlen(ike1_id_text(&id, text, sizeof text)) < sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_written_and_printed),
        cmocka_unit_test(data_must_fit_the_type),
        cmocka_unit_test(names_have_a_longest_length),
        cmocka_unit_test(phase_1_allows_few_ports),
        cmocka_unit_test(addresses_go_both_ways),
        cmocka_unit_test(identities_are_equal_in_type_and_data),
        cmocka_unit_test(text_is_cut_to_the_room),
    };
    return cmocka_run_group_tests_name("ike1/id", tests, NULL, NULL);
}

#include "ike1/numbers.h"
#include "ike1/shape.h"
#include "test/hex.h"

/* Letters for payloads: what a message holds, in order. */
static uint8_t type_of(char letter)
{
    static const char letters[] = "SKICRHGNODV";
    static const uint8_t types[] = {IKE1_PAYLOAD_SA,   IKE1_PAYLOAD_KE, IKE1_PAYLOAD_ID,
                                    IKE1_PAYLOAD_CERT, IKE1_PAYLOAD_CR, IKE1_PAYLOAD_HASH,
                                    IKE1_PAYLOAD_SIG,  IKE1_PAYLOAD_N,  IKE1_PAYLOAD_NONCE,
                                    IKE1_PAYLOAD_D,    IKE1_PAYLOAD_VID};
    const char *at = strchr(letters, letter);
    assert_non_null(at);
    return types[at - letters];
}

static struct chain chain_of(const char *letters)
{
    struct chain c = {0};
    for (; *letters; letters++)
        c.p[c.n++].type = type_of(*letters);
    return c;
}

static enum err check(enum ike1_message m, const char *letters, uint8_t *ret)
{
    struct chain c = chain_of(letters);
    return ike1_shape_check(ike1_shape_of(m), &c, ret);
}

static void what_phase_1_sends_is_accepted(void **state)
{
    static const struct {
        enum ike1_message m;
        const char *letters;
    } good[] = {
        {IKE1_MAIN_1, "S"},
        {IKE1_MAIN_1, "SVVVV"},
        {IKE1_MAIN_2, "SV"},
        {IKE1_MAIN_3, "KO"},
        {IKE1_MAIN_3, "OKVR"},
        {IKE1_MAIN_4, "KOC"},
        {IKE1_MAIN_5, "IH"},
        {IKE1_MAIN_5, "IHN"},
        {IKE1_MAIN_6, "HINV"},
        {IKE1_AGGRESSIVE_1, "SKOI"},
        {IKE1_AGGRESSIVE_1, "SKOIV"},
        {IKE1_AGGRESSIVE_2, "SKOIHV"},
        {IKE1_AGGRESSIVE_3, "H"},
        {IKE1_AGGRESSIVE_3, "HN"},
        {IKE1_INFORMATIONAL, "HN"},
        {IKE1_INFORMATIONAL, "HDN"},
        {IKE1_INFORMATIONAL_CLEAR, "N"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(check(good[i].m, good[i].letters, NULL), ERR_OK);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        enum ike1_message m;
        const char *letters;
        enum err want;
        uint8_t payload;
    } bad[] = {
        {IKE1_MAIN_1, "", ERR_MISSING, IKE1_PAYLOAD_SA},
        {IKE1_MAIN_1, "V", ERR_MISSING, IKE1_PAYLOAD_SA},
        {IKE1_MAIN_1, "VS", ERR_ORDER, IKE1_PAYLOAD_VID},
        {IKE1_MAIN_1, "SS", ERR_TOO_MANY, IKE1_PAYLOAD_SA},
        {IKE1_MAIN_1, "SK", ERR_ORDER, IKE1_PAYLOAD_KE},
        {IKE1_MAIN_1, "SVVVVVVVVVVVVVVVVVVVVV", ERR_TOO_MANY, IKE1_PAYLOAD_VID},
        {IKE1_MAIN_3, "K", ERR_MISSING, IKE1_PAYLOAD_NONCE},
        {IKE1_MAIN_3, "KOO", ERR_TOO_MANY, IKE1_PAYLOAD_NONCE},
        {IKE1_MAIN_5, "IG", ERR_ORDER, IKE1_PAYLOAD_SIG},
        {IKE1_MAIN_5, "I", ERR_MISSING, IKE1_PAYLOAD_HASH},
        {IKE1_AGGRESSIVE_1, "SKO", ERR_MISSING, IKE1_PAYLOAD_ID},
        {IKE1_AGGRESSIVE_2, "KSOIH", ERR_ORDER, IKE1_PAYLOAD_KE},
        {IKE1_INFORMATIONAL, "N", ERR_MISSING, IKE1_PAYLOAD_HASH},
        {IKE1_INFORMATIONAL, "NH", ERR_ORDER, IKE1_PAYLOAD_N},
        {IKE1_INFORMATIONAL_CLEAR, "HN", ERR_ORDER, IKE1_PAYLOAD_HASH},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t payload = 255;
        assert_int_equal(check(bad[i].m, bad[i].letters, &payload), bad[i].want);
        assert_int_equal(payload, bad[i].payload);
    }
}

static void a_type_without_a_name_is_refused_everywhere(void **state)
{
    (void)state;
    for (unsigned m = 0; m < IKE1_MESSAGE_COUNT; m++) {
        struct chain c = {.n = 1, .p = {{.type = 200}}};
        uint8_t payload = 0;
        assert_int_equal(ike1_shape_check(ike1_shape_of(m), &c, &payload), ERR_ORDER);
        assert_int_equal(payload, 200);
        assert_non_null(ike1_shape_of(m)->name);
    }
}

/* An ordered shape, and one that refuses by name: the tables of GDOI have them. */
static void order_and_refusals(void **state)
{
    static const struct chain_rule rules[] = {{IKE1_PAYLOAD_HASH, 1, 1},
                                              {IKE1_PAYLOAD_N, 0, 2},
                                              {IKE1_PAYLOAD_D, 0, 2},
                                              {IKE1_PAYLOAD_KE, 0, 0}};
    const struct ike1_shape shape = {"test", IKE1_PAYLOAD_HASH, false, ARRAY_LEN(rules), rules};
    struct chain c = chain_of("HNND");
    uint8_t payload = 0;

    (void)state;
    assert_int_equal(ike1_shape_check(&shape, &c, &payload), ERR_OK);
    assert_int_equal(payload, 0);
    c = chain_of("HDN");
    assert_int_equal(ike1_shape_check(&shape, &c, &payload), ERR_ORDER);
    assert_int_equal(payload, IKE1_PAYLOAD_N);
    c = chain_of("HNNNK");
    assert_int_equal(ike1_shape_check(&shape, &c, &payload), ERR_TYPE);
    assert_int_equal(payload, IKE1_PAYLOAD_KE);
    c = chain_of("HNNN");
    assert_int_equal(ike1_shape_check(&shape, &c, &payload), ERR_TOO_MANY);
    assert_int_equal(payload, IKE1_PAYLOAD_N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_phase_1_sends_is_accepted),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_type_without_a_name_is_refused_everywhere),
        cmocka_unit_test(order_and_refusals),
    };
    return cmocka_run_group_tests_name("ike1/shape", tests, NULL, NULL);
}

#include "gdoi/shape.h"
#include "ike1/numbers.h"
#include "test/hex.h"

/* Letters for payloads: what a message holds, in order. */
static uint8_t type_of(char letter)
{
    static const struct {
        char letter;
        uint8_t type;
    } types[] = {
        {'S', IKE1_PAYLOAD_SA},    {'E', IKE1_PAYLOAD_KE},   {'I', IKE1_PAYLOAD_ID},
        {'C', IKE1_PAYLOAD_CERT},  {'H', IKE1_PAYLOAD_HASH}, {'G', IKE1_PAYLOAD_SIG},
        {'O', IKE1_PAYLOAD_NONCE}, {'N', IKE1_PAYLOAD_N},    {'D', IKE1_PAYLOAD_D},
        {'V', IKE1_PAYLOAD_VID},   {'K', IKE1_PAYLOAD_KD},   {'Q', IKE1_PAYLOAD_SEQ},
        {'P', IKE1_PAYLOAD_POP},   {'A', IKE1_PAYLOAD_GAP},  {'T', IKE1_PAYLOAD_SAT},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].letter == letter)
            return types[i].type;
    }
    fail();
    return 0;
}

static enum err check(enum gdoi_message m, const char *letters, uint8_t *ret)
{
    struct chain c = {0};
    for (; *letters; letters++)
        c.p[c.n++].type = type_of(*letters);
    return gdoi_shape_check(m, &c, ret);
}

static void what_gdoi_sends_is_accepted(void **state)
{
    static const struct {
        enum gdoi_message m;
        const char *letters;
    } good[] = {
        {GDOI_PULL_1, "HOI"},   {GDOI_PULL_1, "HOIV"}, {GDOI_PULL_1, "HIO"}, {GDOI_PULL_2, "HOS"},
        {GDOI_PULL_2, "HOSN"},  {GDOI_PULL_3, "H"},    {GDOI_PULL_3, "HA"},  {GDOI_PULL_4, "HK"},
        {GDOI_PULL_4, "HQK"},   {GDOI_PULL_4, "HQKN"}, {GDOI_PUSH, "QSKG"},  {GDOI_PUSH, "QDDSKG"},
        {GDOI_PUSH, "QDG"},     {GDOI_PUSH, "QNG"},    {GDOI_PUSH, "QSKNG"}, {GDOI_PUSH, "QSKCG"},
        {GDOI_PUSH_ACK, "HQI"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(check(good[i].m, good[i].letters, NULL), ERR_OK);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        enum gdoi_message m;
        const char *letters;
        enum err want;
        uint8_t payload;
    } bad[] = {
        {GDOI_PULL_1, "HSO", ERR_TYPE, IKE1_PAYLOAD_SA}, /* Quick Mode */
        {GDOI_PULL_1, "HSOII", ERR_TYPE, IKE1_PAYLOAD_SA},
        {GDOI_PULL_1, "HO", ERR_MISSING, IKE1_PAYLOAD_ID},
        {GDOI_PULL_1, "OHI", ERR_ORDER, IKE1_PAYLOAD_NONCE},
        {GDOI_PULL_1, "HOII", ERR_TOO_MANY, IKE1_PAYLOAD_ID},
        {GDOI_PULL_2, "HO", ERR_MISSING, IKE1_PAYLOAD_SA},
        {GDOI_PULL_2, "HOT", ERR_ORDER, IKE1_PAYLOAD_SAT},
        {GDOI_PULL_3, "", ERR_MISSING, IKE1_PAYLOAD_HASH},
        {GDOI_PULL_3, "HE", ERR_TYPE, IKE1_PAYLOAD_KE},
        {GDOI_PULL_3, "HC", ERR_TYPE, IKE1_PAYLOAD_CERT},
        {GDOI_PULL_3, "HP", ERR_TYPE, IKE1_PAYLOAD_POP},
        {GDOI_PULL_3, "HAA", ERR_TOO_MANY, IKE1_PAYLOAD_GAP},
        {GDOI_PULL_4, "HQ", ERR_MISSING, IKE1_PAYLOAD_KD},
        {GDOI_PULL_4, "HEK", ERR_TYPE, IKE1_PAYLOAD_KE},
        {GDOI_PULL_4, "HKCP", ERR_TYPE, IKE1_PAYLOAD_CERT},
        {GDOI_PULL_4, "HKP", ERR_TYPE, IKE1_PAYLOAD_POP},
        {GDOI_PUSH, "QSG", ERR_MISSING, IKE1_PAYLOAD_KD},
        {GDOI_PUSH, "QKG", ERR_MISSING, IKE1_PAYLOAD_SA},
        {GDOI_PUSH, "QG", ERR_MISSING, IKE1_PAYLOAD_SA},
        {GDOI_PUSH, "QCG", ERR_MISSING, IKE1_PAYLOAD_SA},
        {GDOI_PUSH, "QSK", ERR_MISSING, IKE1_PAYLOAD_SIG},
        {GDOI_PUSH, "SKG", ERR_MISSING, IKE1_PAYLOAD_SEQ},
        {GDOI_PUSH, "SQKG", ERR_ORDER, IKE1_PAYLOAD_SEQ},
        {GDOI_PUSH, "QSKGN", ERR_ORDER, IKE1_PAYLOAD_N},
        {GDOI_PUSH, "QSKDG", ERR_ORDER, IKE1_PAYLOAD_D},
        {GDOI_PUSH, "QSSKG", ERR_TOO_MANY, IKE1_PAYLOAD_SA},
        {GDOI_PUSH, "QVG", ERR_ORDER, IKE1_PAYLOAD_VID},
        {GDOI_PUSH_ACK, "HIQ", ERR_ORDER, IKE1_PAYLOAD_SEQ},
        {GDOI_PUSH_ACK, "HQ", ERR_MISSING, IKE1_PAYLOAD_ID},
        {GDOI_PUSH_ACK, "HQIN", ERR_ORDER, IKE1_PAYLOAD_N},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t payload = 255;
        assert_int_equal(check(bad[i].m, bad[i].letters, &payload), bad[i].want);
        assert_int_equal(payload, bad[i].payload);
        assert_int_equal(check(bad[i].m, bad[i].letters, NULL), bad[i].want);
    }
}

static void every_message_has_a_name(void **state)
{
    (void)state;
    for (unsigned m = 0; m < GDOI_MESSAGE_COUNT; m++)
        assert_true(strlen(gdoi_shape_of(m)->name) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gdoi_sends_is_accepted),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_message_has_a_name),
    };
    return cmocka_run_group_tests_name("gdoi/shape", tests, NULL, NULL);
}

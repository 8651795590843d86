#include "gdoi/kd.h"
#include "test/hex.h"

/* A SA of a KEK and one TEK under two policies, and a KD that fits it; each test spoils one thing.
 */
static struct gdoi_sa sa;
static struct gdoi_kd kd;
static struct gdoi_tolerated tolerated;
static const uint8_t octets[GDOI_KEY_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                             1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const struct ike1_cookies old_kek = {{9}, {9}};

static int fit(void **state)
{
    const struct gdoi_sat sat = {.protocol_id = GDOI_PROTOCOL_ESP,
                                 .transform = GDOI_ESP_AES_CBC,
                                 .key_length = 128,
                                 .auth = GDOI_AUTH_HMAC_SHA256,
                                 .spi = 0x1000};
    (void)state;
    memset(&sa, 0, sizeof sa);
    memset(&kd, 0, sizeof kd);
    memset(&tolerated, 0, sizeof tolerated);
    sa.has_sak = kd.has_kek = true;
    sa.sak = (struct gdoi_sak){.spi = {{1}, {2}}, .algorithm = GDOI_KEK_ALG_AES, .key_length = 256};
    kd.kek = (struct gdoi_kek_packet){sa.sak.spi, bytes(octets, 48), bytes(octets, 1)};
    sa.n_sats = 2;
    sa.sats[0] = sa.sats[1] = sat;
    kd.n_teks = 1;
    kd.teks[0] = (struct gdoi_tek_packet){0x1000, bytes(octets, 16), bytes(octets, 32)};
    return 0;
}

static enum err match(const struct ike1_cookies *carrier)
{
    return gdoi_kd_match(&sa, &kd, carrier, &tolerated);
}

static void exactly_the_keys_of_the_sa(void **state)
{
    static const struct gdoi_tolerated none;
    struct bytes iv, key;

    (void)state;
    assert_int_equal(match(NULL), ERR_OK);
    assert_int_equal(match(&old_kek), ERR_OK);
    assert_memory_equal(&tolerated, &none, sizeof none);
    assert_int_equal(gdoi_kek_split(&sa.sak, kd.kek.iv_and_key, &iv, &key), ERR_OK);
    assert_int_equal(iv.len, 16);
    assert_int_equal(key.len, 32);
    assert_ptr_equal(key.data, octets + 16);
}

static void a_missing_key(void **state)
{
    (void)state;
    kd.n_teks = 0;
    assert_int_equal(match(NULL), ERR_MISSING);
    (void)fit(NULL);
    kd.teks[0].cipher_key.len = 0;
    assert_int_equal(match(NULL), ERR_MISSING);
    (void)fit(NULL);
    kd.teks[0].integrity_key.len = 0;
    assert_int_equal(match(NULL), ERR_MISSING);
    (void)fit(NULL);
    kd.has_kek = false;
    assert_int_equal(match(NULL), ERR_MISSING);
    (void)fit(NULL);
    kd.kek.sig_key.len = 0;
    assert_int_equal(match(NULL), ERR_MISSING);
}

static void a_key_that_nothing_asks_for(void **state)
{
    (void)state;
    kd.teks[kd.n_teks++] = (struct gdoi_tek_packet){0x1001, bytes(octets, 16), bytes(octets, 32)};
    assert_int_equal(match(NULL), ERR_CONFLICT);
    (void)fit(NULL);
    sa.has_sak = false;
    assert_int_equal(match(NULL), ERR_CONFLICT);
    (void)fit(NULL);
    sa.sats[0].auth = sa.sats[1].auth = 0;
    assert_int_equal(match(NULL), ERR_CONFLICT);
    (void)fit(NULL);
    sa.sats[0].transform = sa.sats[1].transform = GDOI_ESP_NULL;
    assert_int_equal(match(NULL), ERR_CONFLICT);
}

/* No key is longer or shorter than its algorithm. */
static void a_key_of_the_wrong_length(void **state)
{
    (void)state;
    for (size_t wrong = 1; wrong <= GDOI_KEY_MAX; wrong++) {
        (void)fit(NULL);
        kd.teks[0].cipher_key.len = wrong;
        assert_int_equal(match(NULL), wrong == 16 ? ERR_OK : ERR_LENGTH);
        (void)fit(NULL);
        kd.teks[0].integrity_key.len = wrong;
        assert_int_equal(match(NULL), wrong == 32 ? ERR_OK : ERR_LENGTH);
        (void)fit(NULL);
        kd.kek.iv_and_key.len = wrong;
        assert_int_equal(match(NULL), wrong == 48 ? ERR_OK : ERR_LENGTH);
    }
}

static void an_algorithm_that_is_not_built(void **state)
{
    (void)state;
    sa.sats[0].transform = 99;
    assert_int_equal(match(NULL), ERR_TYPE);
    (void)fit(NULL);
    sa.sats[0].auth = 99;
    assert_int_equal(match(NULL), ERR_TYPE);
    (void)fit(NULL);
    sa.sats[0].protocol_id = GDOI_PROTOCOL_AH;
    assert_int_equal(match(NULL), ERR_TYPE);
    (void)fit(NULL);
    sa.sats[0].key_length = 127;
    assert_int_equal(match(NULL), ERR_VALUE);
    (void)fit(NULL);
    sa.sak.algorithm = 99;
    assert_int_equal(match(NULL), ERR_TYPE);
    (void)fit(NULL);
    sa.sak.key_length = 127;
    assert_int_equal(match(NULL), ERR_VALUE);
}

static void a_push_may_name_the_kek_that_carries_it(void **state)
{
    (void)state;
    kd.kek.spi = old_kek;
    assert_int_equal(match(NULL), ERR_CONFLICT);
    assert_int_equal(match(&sa.sak.spi), ERR_CONFLICT);
    assert_int_equal(tolerated.count[TOLERATED_OLD_KEK_SPI], 0);
    assert_int_equal(match(&old_kek), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_OLD_KEK_SPI], 1);
}

static void sender_ids_never_come_in_a_push(void **state)
{
    (void)state;
    kd.has_sid = true;
    assert_int_equal(match(NULL), ERR_OK);
    assert_int_equal(match(&old_kek), ERR_ORDER);
}

static void des_keys_without_parity_are_counted(void **state)
{
    (void)state;
    sa.sats[0].transform = sa.sats[1].transform = GDOI_ESP_3DES;
    sa.sats[0].key_length = sa.sats[1].key_length = 0;
    kd.teks[0].cipher_key = bytes(octets, 24);
    assert_int_equal(match(NULL), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_KEY_PARITY], 0);
    kd.teks[0].cipher_key = hex("010101010101010101010101010101010101010101010100");
    assert_int_equal(match(NULL), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_KEY_PARITY], 1);
    sa.sak.algorithm = GDOI_KEK_ALG_DES;
    sa.sak.key_length = 0;
    kd.kek.iv_and_key = hex("0000000000000000 0101010101010103"); /* an IV has no parity */
    assert_int_equal(match(NULL), ERR_OK);
    assert_int_equal(tolerated.count[TOLERATED_KEY_PARITY], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(exactly_the_keys_of_the_sa, fit),
        cmocka_unit_test_setup(a_missing_key, fit),
        cmocka_unit_test_setup(a_key_that_nothing_asks_for, fit),
        cmocka_unit_test_setup(a_key_of_the_wrong_length, fit),
        cmocka_unit_test_setup(an_algorithm_that_is_not_built, fit),
        cmocka_unit_test_setup(a_push_may_name_the_kek_that_carries_it, fit),
        cmocka_unit_test_setup(sender_ids_never_come_in_a_push, fit),
        cmocka_unit_test_setup(des_keys_without_parity_are_counted, fit),
    };
    return cmocka_run_group_tests_name("gdoi/kd_match", tests, NULL, NULL);
}

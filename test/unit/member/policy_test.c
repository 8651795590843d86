/* What a member does not take, each with its sentence; and what it makes of what it takes. */
#include "crypto/crypto.h"
#include "member/policy.h"
#include "test/check.h"

#include <stdlib.h>

static uint8_t octets[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
static const instant_t received = {NS_PER_S * 1000};

static struct gdoi_sat good_sat(void)
{
    return (struct gdoi_sat){.protocol_id = GDOI_PROTOCOL_ESP,
                             .ip_protocol = 17,
                             .src = prefix_of(ip_v4(0x0a010000), 16),
                             .dst = prefix_of(ip_v4(0x0a020000), 16),
                             .src_port = 1,
                             .dst_port = 2,
                             .transform = GDOI_ESP_AES_CBC,
                             .key_length = 128,
                             .auth = GDOI_AUTH_HMAC_SHA256,
                             .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
                             .spi = 0x1000,
                             .life = {.has_seconds = true, .seconds = 60}};
}

static struct gdoi_sak good_sak(void)
{
    return (struct gdoi_sak){.algorithm = GDOI_KEK_ALG_AES,
                             .key_length = 128,
                             .sig_hash = GDOI_SIG_HASH_SHA256,
                             .sig_algorithm = GDOI_SIG_ALG_RSA,
                             .has_lifetime = true,
                             .lifetime = 90};
}

static struct gdoi_sa *sa_with(size_t n, struct gdoi_sat sat)
{
    struct gdoi_sa *sa = calloc(1, sizeof *sa);
    assert_non_null(sa);
    sa->n_sats = n;
    for (size_t i = 0; i < n; i++)
        sa->sats[i] = sat;
    return sa;
}

/* ---- refusals ---- */

static void expect_refused(struct gdoi_sa *sa, enum err err, uint32_t spi, size_t n,
                           const char *sentence)
{
    struct policy_refusal r = {0};
    assert_string_equal(err_name(policy_check(sa, false, &r)), err_name(err));
    assert_int_equal(r.err, err);
    assert_int_equal(r.spi, spi);
    assert_int_equal(r.n, n);
    assert_string_equal(r.what, sentence);
    free(sa);
}
static void expect_sat_refused(struct gdoi_sat sat, enum err err, const char *sentence)
{
    expect_refused(sa_with(1, sat), err, sat.spi, 1, sentence);
}

static void only_esp(void **state)
{
    (void)state;
    struct gdoi_sat sat = good_sat();
    sat.protocol_id = GDOI_PROTOCOL_AH;
    expect_sat_refused(sat, ERR_TYPE, "only ESP is supported");
}

static void no_counter_modes(void **state)
{
    (void)state;
    static const uint8_t modes[] = {
        GDOI_ESP_AES_CTR, 14, 15, 16, GDOI_ESP_AES_GCM_8, GDOI_ESP_AES_GCM_12, GDOI_ESP_AES_GCM_16};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct gdoi_sat sat = good_sat();
        sat.transform = modes[i];
        expect_sat_refused(sat, ERR_TYPE,
                           "counter modes need sender identifiers, which are not supported yet");
    }
}

static void no_unknown_algorithms(void **state)
{
    (void)state;
    static const char sentence[] = "the encryption or authentication algorithm is not supported";
    struct gdoi_sat sat = good_sat();
    sat.transform = GDOI_ESP_NULL;
    sat.key_length = 0;
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat.transform = 7; /* Blowfish */
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat = good_sat();
    sat.auth = 0;
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat.auth = 4; /* KPDK */
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat = good_sat();
    sat.key_length = 160;
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat.key_length = 0; /* AES must say (RFC 3602 5.3) */
    expect_sat_refused(sat, ERR_TYPE, sentence);
    sat.transform = GDOI_ESP_DES;
    sat.key_length = 64;
    expect_sat_refused(sat, ERR_TYPE, sentence);
}

static void only_tunnel_mode(void **state)
{
    (void)state;
    struct gdoi_sat sat = good_sat();
    sat.encapsulation = GDOI_ENCAPSULATION_TRANSPORT;
    expect_sat_refused(sat, ERR_POLICY, "only tunnel mode is supported");
    sat.encapsulation = 0;
    expect_sat_refused(sat, ERR_POLICY, "only tunnel mode is supported");
}

static void only_with_both_addresses_preserved(void **state)
{
    (void)state;
    for (uint16_t preserve = 1; preserve < GDOI_PRESERVE_BOTH; preserve++) {
        struct gdoi_sat sat = good_sat();
        sat.preserve = preserve;
        expect_sat_refused(sat, ERR_POLICY, "both addresses must be preserved");
    }
    struct gdoi_sat sat = good_sat();
    struct policy_refusal r;
    sat.preserve = GDOI_PRESERVE_BOTH;
    struct gdoi_sa *sa = sa_with(1, sat);
    assert_int_equal(policy_check(sa, false, &r), ERR_OK);
    free(sa);
}

static void only_ipv4(void **state)
{
    (void)state;
    struct gdoi_sat sat = good_sat();
    sat.src = sat.dst = (struct prefix){{6, {0x20, 1}}, 16};
    expect_sat_refused(sat, ERR_POLICY, "only IPv4 selectors are supported");
}

static void not_too_many(void **state)
{
    (void)state;
    struct policy_refusal r;
    struct gdoi_sa *sa = sa_with(ESP_SELECTORS_MAX, good_sat());
    assert_int_equal(policy_check(sa, false, &r), ERR_OK);
    free(sa);
    expect_refused(sa_with(ESP_SELECTORS_MAX + 2, good_sat()), ERR_TOO_MANY, 0x1000, 2,
                   "more policies of one key than this member holds");
    sa = sa_with(GDOI_TEKS_MAX + 1, good_sat());
    for (size_t i = 0; i < sa->n_sats; i++)
        sa->sats[i].spi = (uint32_t)(0x2000 + i);
    sa->n_sats = GDOI_TEKS_MAX;
    assert_int_equal(policy_check(sa, false, &r), ERR_OK);
    sa->n_sats = GDOI_TEKS_MAX + 1;
    expect_refused(sa, ERR_LIMIT, 0x2000 + GDOI_TEKS_MAX, 1, "more keys than this member holds");
}

/* One bad policy among good ones: nothing is taken, and the first bad one is named. */
static void there_is_no_half(void **state)
{
    (void)state;
    struct gdoi_sa *sa = sa_with(4, good_sat());
    sa->sats[1].spi = 0x1001;
    sa->sats[1].encapsulation = GDOI_ENCAPSULATION_TRANSPORT;
    sa->sats[2].spi = 0x1002;
    sa->sats[2].transform = GDOI_ESP_AES_GCM_16;
    expect_refused(sa, ERR_POLICY, 0x1001, 2, "only tunnel mode is supported");
}

static void only_rekey_keys_that_can_be_used(void **state)
{
    (void)state;
    static const char cipher[] = "the encryption algorithm of the rekey key is not supported",
                      signature[] = "the signature algorithm of the rekey key is not supported";
    static const struct {
        uint16_t algorithm, key_length, sig_hash, sig_algorithm;
        const char *sentence;
    } cases[] = {
        {4, 128, GDOI_SIG_HASH_SHA256, GDOI_SIG_ALG_RSA, cipher},
        {GDOI_KEK_ALG_AES, 64, GDOI_SIG_HASH_SHA256, GDOI_SIG_ALG_RSA, cipher},
        {GDOI_KEK_ALG_AES, 128, 0, GDOI_SIG_ALG_RSA, signature},
        {GDOI_KEK_ALG_AES, 128, 6, GDOI_SIG_ALG_RSA, signature},
        {GDOI_KEK_ALG_AES, 128, GDOI_SIG_HASH_SHA256, GDOI_SIG_ALG_DSS, signature},
        {GDOI_KEK_ALG_AES, 128, GDOI_SIG_HASH_SHA256, GDOI_SIG_ALG_ECDSA_256, signature},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gdoi_sa *sa = sa_with(1, good_sat());
        sa->has_sak = true;
        sa->sak = good_sak();
        sa->sak.algorithm = cases[i].algorithm;
        sa->sak.key_length = cases[i].key_length;
        sa->sak.sig_hash = cases[i].sig_hash;
        sa->sak.sig_algorithm = cases[i].sig_algorithm;
        expect_refused(sa, ERR_TYPE, 0, 1, cases[i].sentence);
    }
}

/* ---- TEKs ---- */

static size_t teks_of(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct tek **teks)
{
    size_t n = 99;
    struct policy_refusal r;
    assert_int_equal(policy_check(sa, false, &r), ERR_OK);
    policy_teks(sa, kd, ip_v4(0xc0000201), received, teks, &n);
    return n;
}

static void each_algorithm_has_its_key(void **state)
{
    (void)state;
    static const struct {
        uint8_t transform;
        uint16_t bits, auth;
        enum cipher cipher;
        enum auth want;
    } cases[] = {
        {GDOI_ESP_DES, 0, GDOI_AUTH_HMAC_MD5, CIPHER_DES_CBC, AUTH_HMAC_MD5_96},
        {GDOI_ESP_3DES, 0, GDOI_AUTH_HMAC_SHA1, CIPHER_3DES_CBC, AUTH_HMAC_SHA1_96},
        {GDOI_ESP_AES_CBC, 128, GDOI_AUTH_HMAC_SHA256, CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128},
        {GDOI_ESP_AES_CBC, 192, GDOI_AUTH_HMAC_SHA384, CIPHER_AES_192_CBC, AUTH_HMAC_SHA384_192},
        {GDOI_ESP_AES_CBC, 256, GDOI_AUTH_HMAC_SHA512, CIPHER_AES_256_CBC, AUTH_HMAC_SHA512_256},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gdoi_sat sat = good_sat();
        sat.transform = cases[i].transform;
        sat.key_length = cases[i].bits;
        sat.auth = cases[i].auth;
        struct gdoi_sa *sa = sa_with(1, sat);
        struct gdoi_kd kd = {
            .n_teks = 1,
            .teks = {{.spi = sat.spi,
                      .cipher_key = bytes(octets, cipher_key_len(cases[i].cipher)),
                      .integrity_key = bytes(octets, auth_key_len(cases[i].want))}}};
        struct tek *teks[GDOI_TEKS_MAX];
        assert_int_equal(gdoi_kd_match(sa, &kd, NULL, NULL), ERR_OK);
        assert_int_equal(teks_of(sa, &kd, teks), 1);
        assert_int_equal(teks[0]->cipher, cases[i].cipher);
        assert_int_equal(teks[0]->auth, cases[i].want);
        assert_true(secret_equal(secret_bytes(&teks[0]->key), kd.teks[0].cipher_key));
        assert_true(secret_equal(secret_bytes(&teks[0]->auth_key), kd.teks[0].integrity_key));
        tek_free(teks[0]);
        free(sa);
    }
}

static struct gdoi_kd kd_for(uint32_t first, size_t n)
{
    struct gdoi_kd kd = {.n_teks = n};
    for (size_t i = 0; i < n; i++)
        kd.teks[i] = (struct gdoi_tek_packet){.spi = (uint32_t)(first + i),
                                              .cipher_key = bytes(octets + i, 16),
                                              .integrity_key = bytes(octets + i, 32)};
    return kd;
}

/* Policies of one SPI are one key, in the order of the first of each. */
static void policies_of_one_spi_are_one_key(void **state)
{
    (void)state;
    struct gdoi_sa *sa = sa_with(3, good_sat());
    struct gdoi_kd kd = kd_for(0x1000, 2);
    struct tek *teks[GDOI_TEKS_MAX];
    sa->sats[0].spi = 0x1001;
    sa->sats[2].spi = 0x1001;
    sa->sats[2].ip_protocol = 6;
    assert_int_equal(teks_of(sa, &kd, teks), 2);
    assert_int_equal(teks[0]->spi, 0x1001);
    assert_int_equal(teks[0]->n_selectors, 2);
    assert_int_equal(teks[0]->selectors[0].protocol, 17);
    assert_int_equal(teks[0]->selectors[1].protocol, 6);
    assert_int_equal(teks[1]->spi, 0x1000);
    assert_int_equal(teks[1]->n_selectors, 1);
    const struct esp_selector *s = &teks[1]->selectors[0];
    assert_true(prefix_equal(s->source, sa->sats[1].src));
    assert_true(prefix_equal(s->destination, sa->sats[1].dst));
    assert_int_equal(s->source_port, 1);
    assert_int_equal(s->destination_port, 2);
    assert_int_not_equal(teks[0]->digest[0] << 8 | teks[0]->digest[1],
                         teks[1]->digest[0] << 8 | teks[1]->digest[1]);
    tek_free(teks[0]);
    tek_free(teks[1]);
    free(sa);
}

/* Lifetimes count from message 2; 28,800 s when none is stated (RFC 2407 4.5). */
static void lifetimes_and_direction(void **state)
{
    (void)state;
    struct gdoi_sa *sa = sa_with(2, good_sat());
    struct gdoi_kd kd = kd_for(0x1000, 2);
    struct tek *teks[GDOI_TEKS_MAX];
    sa->sats[1].spi = 0x1001;
    sa->sats[1].life.has_seconds = false;
    sa->sats[1].direction = GDOI_DIRECTION_RECEIVER;
    assert_int_equal(teks_of(sa, &kd, teks), 2);
    assert_int_equal(teks[0]->expiry.ns, received.ns + span_s(60).ns);
    assert_int_equal(teks[1]->expiry.ns, received.ns + span_s(28800).ns);
    assert_false(teks[0]->receive_only);
    assert_true(teks[1]->receive_only);
    assert_true(instant_is_never(teks[0]->drop_at));
    assert_true(ip_equal(teks[0]->server, ip_v4(0xc0000201)));
    tek_free(teks[0]);
    tek_free(teks[1]);
    free(sa);
}

/* ---- the KEK ---- */

static struct kek kek_of(uint8_t first, uint16_t algorithm, uint16_t bits, size_t len,
                         uint32_t sequence)
{
    struct gdoi_sa *sa = sa_with(0, good_sat());
    struct gdoi_kd kd = {
        .has_kek = true,
        .kek = {.iv_and_key = bytes(octets + first, len), .sig_key = bytes(octets, 40)}};
    struct kek kek;
    struct policy_refusal r;

    sa->has_sak = true;
    sa->sak = good_sak();
    sa->sak.algorithm = algorithm;
    sa->sak.key_length = bits;
    sa->sak.spi.i[0] = 9;
    kd.kek.spi = sa->sak.spi;
    assert_int_equal(policy_check(sa, false, &r), ERR_OK);
    assert_int_equal(gdoi_kd_match(sa, &kd, NULL, NULL), ERR_OK);
    policy_kek(sa, &kd, ip_v4(0xc0000201), received, sequence, &kek);
    free(sa);
    return kek;
}

static void each_kek_is_split_into_iv_and_key(void **state)
{
    (void)state;
    static const struct {
        uint16_t algorithm, bits;
        size_t iv, key;
        enum cipher cipher;
    } cases[] = {
        {GDOI_KEK_ALG_DES, 0, 8, 8, CIPHER_DES_CBC},
        {GDOI_KEK_ALG_3DES, 0, 8, 24, CIPHER_3DES_CBC},
        {GDOI_KEK_ALG_AES, 128, 16, 16, CIPHER_AES_128_CBC},
        {GDOI_KEK_ALG_AES, 192, 16, 24, CIPHER_AES_192_CBC},
        {GDOI_KEK_ALG_AES, 256, 16, 32, CIPHER_AES_256_CBC},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t iv = cases[i].iv;
        struct kek k = kek_of(0, cases[i].algorithm, cases[i].bits, iv + cases[i].key, 5);
        assert_true(k.present);
        assert_int_equal(k.cipher, cases[i].cipher);
        assert_int_equal(k.sig_hash, HASH_SHA256);
        assert_true(secret_equal(secret_bytes(&k.iv), bytes(octets, iv)));
        assert_true(secret_equal(secret_bytes(&k.key), bytes(octets + iv, cases[i].key)));
        assert_int_equal(k.sig_key_len, 40);
        assert_int_equal(k.sequence, 5);
        assert_int_equal(k.expiry.ns, received.ns + span_s(90).ns);
    }
}

static void each_hash_of_signatures(void **state)
{
    (void)state;
    static const enum hash want[] = {
        [GDOI_SIG_HASH_MD5] = HASH_MD5,       [GDOI_SIG_HASH_SHA1] = HASH_SHA1,
        [GDOI_SIG_HASH_SHA256] = HASH_SHA256, [GDOI_SIG_HASH_SHA384] = HASH_SHA384,
        [GDOI_SIG_HASH_SHA512] = HASH_SHA512,
    };
    for (uint16_t h = GDOI_SIG_HASH_MD5; h <= GDOI_SIG_HASH_SHA512; h++) {
        struct gdoi_sa *sa = sa_with(0, good_sat());
        struct gdoi_kd kd = {
            .kek = {.iv_and_key = bytes(octets, 32), .sig_key = bytes(octets, 40)}};
        struct kek k;
        sa->sak = good_sak();
        sa->sak.sig_hash = h;
        sa->sak.has_lifetime = false;
        policy_kek(sa, &kd, ip_v4(1), received, 0, &k);
        assert_int_equal(k.sig_hash, want[h]);
        assert_true(instant_is_never(k.expiry));
        free(sa);
    }
}

static int start_crypto(void **state)
{
    const char *text;
    (void)state;
    return crypto_start((struct crypto_use){.hashes = 1u << HASH_SHA256}, &text) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_esp),
        cmocka_unit_test(no_counter_modes),
        cmocka_unit_test(no_unknown_algorithms),
        cmocka_unit_test(only_tunnel_mode),
        cmocka_unit_test(only_with_both_addresses_preserved),
        cmocka_unit_test(only_ipv4),
        cmocka_unit_test(not_too_many),
        cmocka_unit_test(there_is_no_half),
        cmocka_unit_test(only_rekey_keys_that_can_be_used),
        cmocka_unit_test(each_algorithm_has_its_key),
        cmocka_unit_test(policies_of_one_spi_are_one_key),
        cmocka_unit_test(lifetimes_and_direction),
        cmocka_unit_test(each_kek_is_split_into_iv_and_key),
        cmocka_unit_test(each_hash_of_signatures),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

/* KEKs as they are made, and the planner's part for them: which is current, which is kept. */
#include "group/kek.h"

#include "crypto/crypto.h"
#include "group/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { START = 700 };

static struct drbg drbg;
static struct mint mint;
static struct signing_key signer = {.refs = 1, .bits = 3072, .spki_len = 3, .spki = {1, 2, 3}};
static struct model_communication half_hour;

static int set_up(void **state)
{
    const char *text;

    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text))
        return 1;
    drbg = drbg_of((const uint8_t[DRBG_SEED]){3});
    mint = mint_of(&drbg);
    half_hour = (struct model_communication){.present = true,
                                             .cipher = MODEL_KEK_AES,
                                             .key_bits = 256,
                                             .sig_hash = MODEL_SIG_SHA256,
                                             .lifetime_s = 1800};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mint_free(&mint);
    return 0;
}

static instant_t at(double s) { return (instant_t){(int64_t)((START + s) * 1e9)}; }

static const struct {
    enum model_kek_cipher cipher;
    uint16_t bits;
    enum err err;
    enum cipher made;
    size_t iv, key;
} ciphers[] = {
    {MODEL_KEK_DES, 0, ERR_OK, CIPHER_DES_CBC, 8, 8},
    {MODEL_KEK_3DES, 0, ERR_OK, CIPHER_3DES_CBC, 8, 24},
    {MODEL_KEK_AES, 128, ERR_OK, CIPHER_AES_128_CBC, 16, 16},
    {MODEL_KEK_AES, 192, ERR_OK, CIPHER_AES_192_CBC, 16, 24},
    {MODEL_KEK_AES, 256, ERR_OK, CIPHER_AES_256_CBC, 16, 32},
    {MODEL_KEK_AES, 0, ERR_TYPE, CIPHER_NULL, 0, 0},
    {(enum model_kek_cipher)4, 0, ERR_TYPE, CIPHER_NULL, 0, 0},
};

static void check_made(const struct kek_generation *k, size_t row)
{
    bool des = row < 2;

    assert_int_equal(k->cipher, ciphers[row].made);
    assert_int_equal(k->iv.len, ciphers[row].iv);
    assert_int_equal(k->key.len, ciphers[row].key);
    for (size_t i = 0; des && i < k->key.len; i++)
        assert_int_equal(__builtin_popcount(k->key.b[i]) % 2, 1);
    if (des)
        assert_false(des_key_is_weak(secret_bytes(&k->key)));
}

static void every_cipher_has_its_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        half_hour.cipher = ciphers[i].cipher;
        half_hour.key_bits = ciphers[i].bits;
        assert_int_equal(kek_check(&half_hour), ciphers[i].err);
        if (ciphers[i].err)
            continue;
        struct kek_generation *k = kek_new(&mint, &half_hour, &signer, 1, at(0));
        check_made(k, i);
        kek_free(k);
    }
    kek_free(NULL);
}

static void every_sig_hash_is_known(void **state)
{
    static const enum hash hashes[] = {[MODEL_SIG_MD5] = HASH_MD5,
                                       [MODEL_SIG_SHA1] = HASH_SHA1,
                                       [MODEL_SIG_SHA256] = HASH_SHA256,
                                       [MODEL_SIG_SHA384] = HASH_SHA384,
                                       [MODEL_SIG_SHA512] = HASH_SHA512};
    (void)state;
    for (unsigned i = MODEL_SIG_MD5; i <= MODEL_SIG_SHA512; i++) {
        half_hour.sig_hash = (enum model_sig_hash)i;
        assert_int_equal(kek_check(&half_hour), ERR_OK);
        struct kek_generation *k = kek_new(&mint, &half_hour, &signer, 1, at(0));
        assert_int_equal(k->sig_hash, hashes[i]);
        kek_free(k);
    }
    half_hour.sig_hash = (enum model_sig_hash)6;
    assert_int_equal(kek_check(&half_hour), ERR_TYPE);
    half_hour.sig_hash = MODEL_SIG_SHA1;
    half_hour.certificate = "srv-cert"; /* who signs is not the KEK's business */
    assert_int_equal(kek_check(&half_hour), ERR_OK);
    half_hour.certificate = NULL;
}

static void no_two_are_alike(void **state)
{
    (void)state;
    struct kek_generation *a = kek_new(&mint, &half_hour, &signer, 1, at(0)),
                          *b = kek_new(&mint, &half_hour, &signer, 2, at(60));
    assert_false(bytes_equal(BYTES_OF(a->spi), BYTES_OF(b->spi)));
    assert_false(bytes_equal(secret_bytes(&a->key), secret_bytes(&b->key)));
    assert_false(bytes_equal(secret_bytes(&a->iv), secret_bytes(&b->iv)));
    assert_int_equal(b->number, 2);
    assert_ptr_equal(b->signer, &signer);
    assert_int_equal(b->created.ns, at(60).ns);
    assert_int_equal(b->expiry.ns, at(1860).ns);
    assert_int_equal(kek_renew_at(b, span_s(15)).ns, at(1800).ns);
    assert_int_equal(kek_life_s(b, at(60.1)), 1799);
    assert_int_equal(kek_life_s(b, at(1860)), 0);
    assert_int_equal(kek_life_s(b, at(9999)), 0);
    kek_free(a);
    kek_free(b);
}

/* ---- the planner ---- */

/* "+1" made, "-1" dropped. */
static char story[200];
static void tell(void *to, enum group_event what, const struct group *g, const struct group_sa *sa,
                 const struct generation *generation)
{
    (void)to;
    (void)what;
    (void)g;
    (void)sa;
    (void)generation;
}
static void tell_kek(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek)
{
    size_t used = strlen(story);

    assert_null(to);
    assert_true(what == GROUP_CREATED || what == GROUP_DROPPED);
    assert_ptr_equal(group_kek(g, kek->spi), kek);
    snprintf(story + used, sizeof story - used, "%c%u ", what == GROUP_CREATED ? '+' : '-',
             (unsigned)kek->number);
}
/* One for the group, one for each KEK that it signs for. */
static unsigned refs_of(const struct group *g, const struct signing_key *key)
{
    unsigned n = g->signer == key;

    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++)
        n += g->kek[slot] && g->kek[slot]->signer == key;
    return n;
}
static void advance(struct group *g, double s)
{
    static const struct group_listener listener = {tell, tell_kek, NULL};

    story[0] = 0;
    do {
        group_advance(g, at(s), &listener);
        if (group_is_minted(g)) /* the store answers at once */
            group_commit(g, at(s), &listener);
    } while (instant_reached(group_due(g), at(s)));
    assert_int_equal(signer.refs, 1 + refs_of(g, &signer));
    assert_false(instant_reached(group_due(g), at(s)));
}
static double due(const struct group *g) { return (double)group_due(g).ns / 1e9 - START; }

static struct model_ipsec_proposal day = {.cipher = MODEL_ESP_AES_CBC,
                                          .key_bits = 128,
                                          .auth = MODEL_ESP_HMAC_SHA1_96,
                                          .lifetime_s = 86400};
static struct model_ipsec_sa sas[] = {{.name = "a", .proposal = &day}};
static struct model_group model = {.name = "g", .atd_s = 15, .sas = sas, .n_sas = 1};

static struct group *open_group(void)
{
    model.communication = half_hour;
    return group_new(&model, &mint);
}

static void assert_keks(const struct group *g, uint32_t current, uint32_t previous)
{
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->number, current);
    if (previous)
        assert_int_equal(g->kek[GROUP_KEK_PREVIOUS]->number, previous);
    else
        assert_null(g->kek[GROUP_KEK_PREVIOUS]);
}

static void none_is_made_without_a_signing_key(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    assert_string_equal(story, "");
    assert_false(group_is_ready(g, at(0)));
    group_set_signer(g, &signer);
    assert_true(instant_reached(group_due(g), at(0)));
    advance(g, 5);
    assert_string_equal(story, "+1 ");
    assert_true(group_is_ready(g, at(5)));
    assert_ptr_equal(g->kek[GROUP_KEK_CURRENT]->signer, &signer);
    assert_int_equal(g->push_seq, 0);
    group_free(g);

    half_hour.present = false;
    g = open_group();
    group_set_signer(g, &signer);
    advance(g, 0);
    assert_string_equal(story, "");
    assert_null(g->kek[GROUP_KEK_CURRENT]);
    assert_true(group_is_ready(g, at(0)));
    group_free(g);
}

/* L = 1800, ATD = 15: the next one at 1740, the old one goes at 1800 and not before. */
static void the_changeover(void **state)
{
    uint8_t old[KEK_SPI];
    (void)state;
    struct group *g = open_group();
    group_set_signer(g, &signer);
    advance(g, 0);
    assert_string_equal(story, "+1 ");
    assert_true(due(g) == 1740);
    memcpy(old, g->kek[GROUP_KEK_CURRENT]->spi, KEK_SPI);
    uint32_t version = g->version;
    for (unsigned round = 0; round < 3; round++) {
        double t = 1740 * round;
        advance(g, t + 1739.9);
        assert_string_equal(story, "");
        advance(g, t + 1740);
        assert_keks(g, round + 2, round + 1);
        assert_true(due(g) == t + 1800);
        assert_int_equal(g->version, version + round + 1);
        advance(g, t + 1799.9);
        assert_string_equal(story, "");
        assert_non_null(group_kek(g, g->kek[GROUP_KEK_PREVIOUS]->spi));
        advance(g, t + 1800);
        assert_keks(g, round + 2, 0);
        assert_true(due(g) == t + 3480);
    }
    assert_null(group_kek(g, old));
    group_free(g);
}

static void the_shortest_lifetime_has_room_for_it(void **state)
{
    (void)state;
    half_hour.lifetime_s = 150;
    struct group *g = open_group();
    group_set_signer(g, &signer);
    advance(g, 0);
    advance(g, 90);
    assert_keks(g, 2, 1);
    advance(g, 150);
    assert_keks(g, 2, 0);
    assert_true(due(g) == 180);
    advance(g, 180);
    assert_keks(g, 3, 2);
    group_free(g);
}

static void a_server_that_slept_makes_one_at_once(void **state)
{
    (void)state;
    struct group *g = open_group();
    group_set_signer(g, &signer);
    advance(g, 0);
    advance(g, 50000);
    assert_string_equal(story, "+2 -1 ");
    assert_keks(g, 2, 0);
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->expiry.ns, at(51800).ns);
    advance(g, 51740);
    advance(g, 90000); /* with two of them */
    assert_string_equal(story, "-2 +4 -3 ");
    group_free(g);
}

static void a_new_signing_key_means_a_new_kek(void **state)
{
    static struct signing_key other = {.refs = 1, .bits = 2048};
    (void)state;
    struct group *g = open_group();
    group_set_signer(g, &signer);
    advance(g, 0);
    group_set_signer(g, &other);
    advance(g, 10);
    assert_string_equal(story, "+2 ");
    assert_ptr_equal(g->kek[GROUP_KEK_CURRENT]->signer, &other);
    assert_ptr_equal(g->kek[GROUP_KEK_PREVIOUS]->signer, &signer);
    group_set_signer(g, &other); /* the same one again is none */
    advance(g, 1799);
    assert_int_equal(other.refs, 1 + refs_of(g, &other));
    assert_keks(g, 3, 2); /* at 1750; the first one gave its place up */
    group_free(g);
    assert_int_equal(signer.refs, 1);
    assert_int_equal(other.refs, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_cipher_has_its_key),
        TEST(every_sig_hash_is_known),
        TEST(no_two_are_alike),
        TEST(none_is_made_without_a_signing_key),
        TEST(the_changeover),
        TEST(the_shortest_lifetime_has_room_for_it),
        TEST(a_server_that_slept_makes_one_at_once),
        TEST(a_new_signing_key_means_a_new_kek),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

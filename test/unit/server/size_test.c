/* Groups whose messages would be too large to send are refused, at start and at a commit; the
 * largest that are let in work. On the toy backend, where a key pair of any length costs nothing.
 */
#include "server/push_build.h"
#include "server/size.h"
#include "server/state.h"
#include "unit/server/pushed.h"

struct large {
    struct two_groups m;
    struct model_match_policy policies[SERVER_POLICIES_MAX];
    struct model_ipsec_sa sas[SERVER_SAS_MAX];
    char names[SERVER_SAS_MAX][8];
};

/* Blue with the longest keys there are, n_policies of them spread over n_sas. */
static void grow(struct large *l, size_t n_sas, size_t n_policies)
{
    struct model_group *blue = &l->m.groups[0];

    l->m.hour.key_bits = 256;
    l->m.hour.auth = MODEL_ESP_HMAC_SHA512_256;
    for (size_t i = 0; i < SERVER_POLICIES_MAX; i++)
        l->policies[i] = l->m.policies[1];
    for (size_t i = 0; i < n_sas; i++) {
        snprintf(l->names[i], sizeof l->names[i], "sa%zu", i);
        l->sas[i] = l->m.blue_sas[0];
        l->sas[i].name = l->names[i];
        l->sas[i].policies = l->policies;
        l->sas[i].n_policies = n_policies / n_sas + (i < n_policies % n_sas);
    }
    blue->sas = l->sas;
    blue->n_sas = n_sas;
    blue->communication = two_groups_communication();
}

static struct large *large_new(size_t n_sas, size_t n_policies)
{
    struct large *l = calloc(1, sizeof *l);

    assert_non_null(l);
    two_groups_init(&l->m);
    grow(l, n_sas, n_policies);
    l->m.groups[0].communication.certificate = "cert";
    return l;
}

static struct server_certificate certificate_of(unsigned bits)
{
    uint8_t entropy[SIGN_ENTROPY] = {(uint8_t)(bits >> 8), (uint8_t)bits};
    struct server_certificate c = {.name = "cert"};

    assert_int_equal(sign_key_generate_rsa(bits, entropy, &c.key), ERR_OK);
    return c;
}

static enum err start(struct world *w, const struct large *l, unsigned bits)
{
    struct server_certificate c = certificate_of(bits);
    const struct server_config config = {
        .model = &l->m.model, .certificates = &c, .n_certificates = 1};
    uint8_t seed[DRBG_SEED] = {5};
    enum err e = server_new(&config, seed, w->now, &w->out, &w->server);

    world_collect(w);
    sign_key_free(c.key);
    return e;
}

static enum err commit(struct world *w, const struct large *l, unsigned bits)
{
    struct server_certificate c = certificate_of(bits);
    const struct server_config config = {
        .model = &l->m.model, .certificates = &c, .n_certificates = 1};
    enum err e = server_reconfigure(w->server, w->now, &config, &w->out);

    world_collect(w);
    sign_key_free(c.key);
    return e;
}

static void open_members(struct world *w)
{
    for (uint8_t i = 0; i < 2; i++) {
        struct pull_client_config config = {.proposal = w->m.ike_list,
                                            .psk = w->m.policy.psk,
                                            .mode = w->m.policy.mode,
                                            .local = {ip_v4(0x0a000001u + i), 848},
                                            .server = blue_at,
                                            .seed = i};
        pull_client_open(&w->gm[i], &config);
    }
}

/* ---- refused ---- */

static void a_group_is_refused_at_start(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct large *l = large_new(SERVER_SAS_MAX, SERVER_POLICIES_MAX);
    assert_int_equal(start(w, l, 4096), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "a rekey message of this group, with a key pair of 4096 bits");
    assert_null(w->server);
    free(l);
    world_close(w);
}

/* A rekey message has one key of each ipsec-sa, a registration two of them: the push of a group
 * with many keys and few policies fits when message 4 does not. */
static void a_registration_counts_too(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct large *l = large_new(SERVER_SAS_MAX, SERVER_SAS_MAX);
    assert_true(size_of_push(&l->m.groups[0], RSA_BITS_MAX) <= PUSH_MAX);
    assert_true(size_of_pull(&l->m.groups[0], RSA_BITS_MAX) > DATAGRAM_MAX);
    assert_int_equal(start(w, l, RSA_BITS_MAX), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "a registration of this group, with a key pair of 8192 bits");
    free(l);
    world_close(w);
}

static void a_commit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct large *small = large_new(1, 1), *keys = large_new(SERVER_SAS_MAX, SERVER_SAS_MAX);
    struct large *policies = large_new(SERVER_SAS_MAX, SERVER_POLICIES_MAX);
    assert_int_equal(start(w, small, RSA_BITS_MIN), ERR_OK);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;
    assert_int_equal(commit(w, policies, 4096), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "rekey message");
    assert_int_equal(commit(w, keys, RSA_BITS_MAX), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "registration");
    world_until(w, 100);
    assert_ptr_equal(world_blue(w)->model, &small->m.groups[0]);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->signer->bits, RSA_BITS_MIN);
    server_free(w->server);
    w->server = NULL;
    free(small);
    free(keys);
    free(policies);
    world_close(w);
}

/* The push that brings the shorter key pair is signed with the longer one. */
static void the_key_pair_of_the_live_kek_counts(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct large *small = large_new(1, 1), *large = large_new(SERVER_SAS_MAX, SERVER_POLICIES_MAX);
    struct large *shorter = large_new(1, 1);
    assert_int_equal(start(w, small, RSA_BITS_MAX), ERR_OK);
    assert_int_equal(commit(w, large, RSA_BITS_MIN), ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "8192 bits");
    assert_int_equal(commit(w, shorter, RSA_BITS_MIN), ERR_OK);
    world_until(w, 2000); /* the last KEK of the longer one has ended */
    assert_int_equal(commit(w, large, RSA_BITS_MIN), ERR_OK);
    server_free(w->server);
    w->server = NULL;
    free(small);
    free(large);
    free(shorter);
    world_close(w);
}

/* ---- let in ---- */

/* The longest key pair with which a registration fits. */
static unsigned most_bits(const struct model_group *g)
{
    unsigned bits = RSA_BITS_MIN;

    while (size_of_pull(g, bits + 8) <= DATAGRAM_MAX)
        bits += 8;
    return bits;
}

/* Every key of two generations and the public half, as foreseen but for a shorter hash and pad. */
static void the_largest_that_fits_is_served(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    struct large *l = large_new(SERVER_SAS_MAX, SERVER_SAS_MAX);
    unsigned bits = most_bits(&l->m.groups[0]);
    assert_int_equal(start(w, l, bits + 8), ERR_LIMIT);
    assert_int_equal(start(w, l, bits), ERR_OK);
    open_members(w);
    world_phase1(w, &w->gm[0]);
    world_until(w, 3545);
    world_ask(w, &w->gm[0], BLUE);
    assert_int_equal(w->gm[0].offer.n_sats, 2 * SERVER_SAS_MAX);
    world_from(w, &w->gm[0], pull_client_3(&w->gm[0], NULL, room));
    size_t len = world_take(w).len;
    /* the toy's public half is a line of text, in whose place there are modulus and exponent */
    len += bits / 8 + 38 - world_blue(w)->kek[GROUP_KEK_CURRENT]->signer->spki_len;
    assert_in_range(size_of_pull(&l->m.groups[0], bits) - len, 0, HASH_MAX + CIPHER_BLOCK_MAX);
    assert_int_equal(world_blue(w)->registry.n, 1);
    assert_null(world_event(w, EV_PUSH_FAILED));
    server_free(w->server);
    w->server = NULL;
    free(l);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_refused_at_start),
        cmocka_unit_test(a_registration_counts_too),
        cmocka_unit_test(a_commit_is_refused_and_changes_nothing),
        cmocka_unit_test(the_key_pair_of_the_live_kek_counts),
        cmocka_unit_test(the_largest_that_fits_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The planner and the store: what is MINTED nobody sees, what could not be stored is made anew, KEK
 * and keys change together when they fall due together, and an exclusion changes all. */
#include "group/group.h"

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { START = 900 };

static struct drbg drbg;
static struct mint mint;
static struct signing_key signer = {.refs = 1, .bits = 2048};
static struct model_ipsec_proposal hour = {.cipher = MODEL_ESP_AES_CBC,
                                           .key_bits = 128,
                                           .auth = MODEL_ESP_HMAC_SHA1_96,
                                           .lifetime_s = 3600};
static struct model_ipsec_sa sas[] = {{.name = "a", .proposal = &hour}};
static struct model_group model;

static int set_up(void **state)
{
    const char *text;

    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text))
        return 1;
    drbg = drbg_of((const uint8_t[DRBG_SEED]){5});
    mint = mint_of(&drbg);
    model = (struct model_group){.name = "g",
                                 .atd_s = 15,
                                 .sas = sas,
                                 .n_sas = 1,
                                 .communication = {.present = true,
                                                   .cipher = MODEL_KEK_AES,
                                                   .key_bits = 128,
                                                   .sig_hash = MODEL_SIG_SHA256,
                                                   .lifetime_s = 3600}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(mint.live.n, 0);
    mint_free(&mint);
    assert_int_equal(signer.refs, 1);
    return 0;
}

static instant_t at(double s) { return (instant_t){(int64_t)((START + s) * 1e9)}; }
static double due(const struct group *g) { return (double)group_due(g).ns / 1e9 - START; }

/* "+a1" created, ">a1" switched, "-a1" dropped, KEKs as "K1". */
static char story[400];
static void note(enum group_event what, const char *name, uint32_t number)
{
    size_t used = strlen(story);

    snprintf(story + used, sizeof story - used, "%c%s%u ", "+>-"[what], name, (unsigned)number);
}
static void tell(void *to, enum group_event what, const struct group *g, const struct group_sa *sa,
                 const struct generation *generation)
{
    (void)to;
    (void)g;
    note(what, sa->model->name, generation->number);
}
static void tell_kek(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek)
{
    (void)to;
    (void)g;
    note(what, "K", kek->number);
}
static const struct group_listener listener = {tell, tell_kek, NULL};

static void plan(struct group *g, double s)
{
    story[0] = 0;
    group_advance(g, at(s), &listener);
}
static void commit(struct group *g, double s)
{
    story[0] = 0;
    group_commit(g, at(s), &listener);
}
static void advance(struct group *g, double s)
{
    story[0] = 0;
    do {
        group_advance(g, at(s), &listener);
        if (group_is_minted(g))
            group_commit(g, at(s), &listener);
    } while (instant_reached(group_due(g), at(s)));
}

static struct group *open_group(void)
{
    struct group *g = group_new(&model, &mint);

    group_set_signer(g, &signer);
    return g;
}

static void what_is_minted_nobody_sees(void **state)
{
    (void)state;
    struct group *g = open_group();
    plan(g, 0);
    assert_string_equal(story, "");
    assert_true(group_is_minted(g));
    assert_false(group_is_ready(g, at(0)));
    assert_null(group_newest(&g->sas[0]));
    assert_null(group_kek(g, g->kek[GROUP_KEK_MINTED]->spi));
    assert_int_equal(g->version, 0);
    assert_int_equal(group_version_to_be(g), 1);
    assert_true(instant_is_never(group_due(g))); /* nothing else is made meanwhile */
    commit(g, 0.2);
    assert_string_equal(story, "+a1 +K1 >a1 ");
    assert_true(group_is_ready(g, at(1)));
    assert_int_equal(g->version, 1);
    assert_int_equal(group_version_to_be(g), 1);
    assert_true(due(g) == 3540); /* it began when it was planned, not when it was stored */
    group_free(g);
}

static void a_slow_store_moves_no_instant(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    plan(g, 3540);
    commit(g, 3541);
    assert_int_equal(g->sas[0].slot[GROUP_NEXT]->time.switch_at.ns, at(3570).ns);
    advance(g, 3600);
    plan(g, 7080);
    commit(g, 7130); /* so slow that all of it is over */
    assert_string_equal(story, "+a3 +K3 >a3 -a2 ");
    group_free(g);
}

static void what_could_not_be_stored_is_made_anew(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    uint32_t spi = g->sas[0].slot[GROUP_CURRENT]->spi;
    plan(g, 3540);
    uint32_t lost = g->sas[0].slot[GROUP_MINTED]->spi;
    group_abandon(g, at(3541));
    assert_null(mint_find(&mint, lost));
    assert_null(g->kek[GROUP_KEK_MINTED]);
    assert_int_equal(g->sas[0].slot[GROUP_CURRENT]->spi, spi);
    assert_int_equal(g->version, 1);
    assert_true(due(g) == 3601);
    plan(g, 3600.9);
    assert_false(group_is_minted(g));
    plan(g, 3601);
    assert_int_equal(g->sas[0].slot[GROUP_MINTED]->number, 3); /* no number comes twice */
    commit(g, 3601);
    assert_string_equal(story, "+a3 +K3 -K1 >a3 -a1 ");
    group_free(g);
}

static void a_request_is_not_lost_with_its_keys(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_rekey(g, NULL);
    plan(g, 100);
    group_abandon(g, at(100));
    assert_true(due(g) == 160);
    advance(g, 160);
    assert_string_equal(story, "+a3 ");
    assert_true(due(g) == 190); /* asked for once */
    group_free(g);
}

/* ---- together ---- */

static void kek_and_keys_within_an_atd_change_together(void **state)
{
    static const struct {
        uint32_t kek_life;
        double at;
        const char *story;
    } rows[] = {
        {3600, 3540, "+a2 +K2 "}, {3615, 3540, "+a2 +K2 "}, {3616, 3540, "+a2 "},
        {3585, 3525, "+a2 +K2 "}, {3584, 3524, "+K2 "},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        model.communication.lifetime_s = rows[i].kek_life;
        struct group *g = open_group();
        advance(g, 0);
        advance(g, rows[i].at - 0.1);
        assert_string_equal(story, "");
        advance(g, rows[i].at);
        assert_string_equal(story, rows[i].story);
        group_free(g);
    }
}

static void a_kek_out_of_turn_waits_for_the_one_before(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_rekey_kek(g);
    advance(g, 100);
    assert_string_equal(story, "+K2 ");
    group_rekey_kek(g);
    advance(g, 144.9); /* three ATD: a changeover */
    assert_string_equal(story, "");
    advance(g, 145);
    assert_string_equal(story, "-K1 +K3 "); /* which gives its place up */
    assert_int_equal(g->kek[GROUP_KEK_PREVIOUS]->number, 2);
    group_free(g);
}

/* ---- exclusions ---- */

static void an_exclusion_changes_all_and_waits_for_those_who_come(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_exclude(g, span_s(40));
    group_exclude(g, span_s(5)); /* one more to go: the longer time */
    advance(g, 100);
    assert_string_equal(story, "+a2 +K2 ");
    const struct timeline *t = group_changeover(g);
    assert_int_equal(t->switch_at.ns, at(155).ns); /* spread + ATD */
    assert_int_equal(t->drop_at.ns, at(170).ns);
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    assert_false(g->kek[GROUP_KEK_CURRENT]->retired);
    assert_false(g->wishes.exclusion);
    advance(g, 170);
    assert_string_equal(story, ">a2 -a1 ");
    assert_true(due(g) == 3600); /* the old KEK ends */
    group_free(g);
}

/* Members come for the KEK as well, for as long as the keys are spread. */
static void a_kek_waits_for_those_who_come(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_exclude(g, span_s(200));
    advance(g, 100);
    group_rekey_kek(g);
    advance(g, 329.9); /* spread + 2 ATD */
    assert_string_equal(story, ">a2 ");
    assert_true(group_free_at(g, true).ns == at(330).ns);
    advance(g, 330);
    assert_string_equal(story, "-a1 -K1 +K3 ");
    group_free(g);
}

/* The removed one has the next key already. */
static void an_exclusion_waits_for_the_changeover_that_runs(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_rekey(g, NULL);
    advance(g, 100);
    group_exclude(g, span_s(0));
    advance(g, 120);
    assert_string_equal(story, "");
    advance(g, 145);
    assert_string_equal(story, ">a2 -a1 +a3 +K2 ");
    assert_int_equal(group_changeover(g)->switch_at.ns, at(175).ns); /* no less than 2 ATD */
    group_free(g);
}

static void an_exclusion_without_a_kek_changes_the_keys(void **state)
{
    (void)state;
    model.communication = (struct model_communication){0};
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    group_exclude(g, span_s(100000000)); /* capped: delays have 16 bits */
    advance(g, 10);
    assert_string_equal(story, "+a2 ");
    assert_int_equal(group_changeover(g)->switch_at.ns,
                     at(3585).ns); /* within the old key's life */
    group_free(g);
}

/* Keys alone would leave the KEK that the excluded one has, and the next KEK would go under it. */
static void an_exclusion_waits_for_a_signer(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    signing_key_release(g->signer);
    g->signer = NULL; /* as after a restart without the certificate */
    group_exclude(g, span_s(0));
    plan(g, 10);
    assert_false(group_is_minted(g));
    assert_true(due(g) > 10);
    group_set_signer(g, &signer);
    advance(g, 20);
    assert_string_equal(story, "+a2 +K2 ");
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    group_free(g);
}

static void an_exclusion_survives_a_failing_store(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_exclude(g, span_s(20));
    plan(g, 10);
    assert_true(g->minted_excludes);
    group_abandon(g, at(10));
    assert_true(g->wishes.exclusion && !g->minted_excludes);
    advance(g, 70);
    assert_string_equal(story, "+a3 +K3 ");
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    group_free(g);
}

/* ---- clear ---- */

static void a_cleared_group_begins_anew(void **state)
{
    (void)state;
    struct group *g = open_group();
    advance(g, 0);
    group_rekey(g, NULL);
    advance(g, 100);
    group_rekey_kek(g);
    plan(g, 110);
    story[0] = 0;
    group_clear(g, &listener);
    assert_string_equal(story, "-a1 -a2 "); /* the oldest first */
    assert_false(group_is_minted(g) || group_is_ready(g, at(110)));
    assert_int_equal(mint.live.n, 0);
    plan(g, 110);
    assert_true(g->minted_excludes); /* K1 brings none of these */
    advance(g, 110);
    assert_string_equal(story, "+a3 +K3 >a3 ");
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    group_free(g);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_minted_nobody_sees),
        TEST(a_slow_store_moves_no_instant),
        TEST(what_could_not_be_stored_is_made_anew),
        TEST(a_request_is_not_lost_with_its_keys),
        TEST(kek_and_keys_within_an_atd_change_together),
        TEST(a_kek_out_of_turn_waits_for_the_one_before),
        TEST(an_exclusion_changes_all_and_waits_for_those_who_come),
        TEST(an_exclusion_waits_for_the_changeover_that_runs),
        TEST(an_exclusion_without_a_kek_changes_the_keys),
        TEST(a_kek_waits_for_those_who_come),
        TEST(an_exclusion_waits_for_a_signer),
        TEST(an_exclusion_survives_a_failing_store),
        TEST(a_cleared_group_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The planner: which generation is in which slot when, and what a message would tell. */
#include "group/group.h"

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { START = 500 };

static struct drbg drbg;
static struct mint mint;
static struct model_ipsec_proposal hour = {.name = "hour",
                                           .cipher = MODEL_ESP_AES_CBC,
                                           .key_bits = 256,
                                           .auth = MODEL_ESP_HMAC_SHA1_96,
                                           .lifetime_s = 3600};
static struct model_ipsec_proposal other = {
    .name = "other", .cipher = MODEL_ESP_3DES, .auth = MODEL_ESP_HMAC_MD5_96, .lifetime_s = 3630};
static struct model_ipsec_sa sas[] = {{.name = "a", .proposal = &hour},
                                      {.name = "b", .proposal = &other}};
static struct model_group model = {.name = "g", .atd_s = 15, .sas = sas, .n_sas = 1};

static int set_up(void **state)
{
    const char *text;

    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text))
        return 1;
    drbg = drbg_of((const uint8_t[DRBG_SEED]){9});
    mint = mint_of(&drbg);
    model.n_sas = 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mint_free(&mint);
    return 0;
}

static instant_t at(double s) { return (instant_t){(int64_t)((START + s) * 1e9)}; }

/* Writes down what the planner tells: "+a1" created, ">a1" switched, "-a1" dropped. */
static char story[400];
static void tell(void *to, enum group_event what, const struct group *g, const struct group_sa *sa,
                 const struct generation *generation)
{
    size_t used = strlen(story);

    assert_null(to);
    assert_ptr_equal(g->model, &model);
    snprintf(story + used, sizeof story - used, "%c%s%u ", "+>-"[what], sa -> model -> name,
             (unsigned)generation -> number);
}
static void advance(struct group *g, double s)
{
    static const struct group_listener listener = {.tell = tell};

    story[0] = 0;
    do {
        group_advance(g, at(s), &listener);
        if (group_is_minted(g)) /* the store answers at once */
            group_commit(g, at(s), &listener);
    } while (instant_reached(group_due(g), at(s)));
    assert_false(group_is_minted(g));
    assert_false(instant_reached(group_due(g), at(s)));
}

static uint32_t number(const struct group *g, size_t sa, enum group_slot slot)
{
    return g->sas[sa].slot[slot] ? g->sas[sa].slot[slot]->number : 0;
}
static void assert_slots(const struct group *g, size_t sa, uint32_t next, uint32_t current,
                         uint32_t previous)
{
    assert_int_equal(number(g, sa, GROUP_NEXT), next);
    assert_int_equal(number(g, sa, GROUP_CURRENT), current);
    assert_int_equal(number(g, sa, GROUP_PREVIOUS), previous);
}
static void assert_delays(const struct group *g, double s, unsigned activation,
                          unsigned deactivation)
{
    struct group_delays d = group_delays(g, at(s));
    assert_int_equal(d.activation, activation);
    assert_int_equal(d.deactivation, deactivation);
}
static double due(const struct group *g) { return (double)group_due(g).ns / 1e9 - START; }

static void the_statements_table(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    assert_slots(g, 0, 0, 0, 0);
    advance(g, 0);
    assert_string_equal(story, "+a1 >a1 ");
    assert_slots(g, 0, 0, 1, 0);
    assert_delays(g, 0, 0, 0);
    assert_true(due(g) == 3540);
    advance(g, 3539.9);
    assert_string_equal(story, "");
    for (int round = 0; round < 3; round++) {
        double t = 3540 * round;
        uint32_t n = (uint32_t)round + 1;
        advance(g, t + 3540);
        assert_slots(g, 0, n + 1, n, 0);
        assert_delays(g, t + 3540, 30, 45);
        advance(g, t + 3569.99);
        assert_slots(g, 0, n + 1, n, 0);
        assert_delays(g, t + 3555, 15, 30);
        advance(g, t + 3570);
        assert_slots(g, 0, 0, n + 1, n);
        assert_delays(g, t + 3570, 0, 15);
        advance(g, t + 3585);
        assert_slots(g, 0, 0, n + 1, 0);
        assert_delays(g, t + 3585, 0, 0);
        assert_int_equal(mint.live.n, 1);
    }
    assert_int_equal(g->version, 4);
    group_free(g);
}

static void a_server_that_slept_makes_one_new_key_at_once(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    advance(g, 100000);
    assert_string_equal(story, "+a2 >a2 -a1 ");
    assert_slots(g, 0, 0, 2, 0);
    assert_true(due(g) == 103540);
    advance(g, 103545); /* 5 s late: the changeover keeps its length */
    assert_slots(g, 0, 3, 2, 0);
    assert_delays(g, 103545, 30, 45);
    advance(g, 200000); /* and slept through the rest */
    assert_string_equal(story, ">a3 -a2 +a4 >a4 -a3 ");
    group_free(g);
}

/* a falls due at 3540, b at 3570, in the middle of a's changeover: one GAP could not tell both. */
static void one_changeover_serves_all_that_fall_due(void **state)
{
    (void)state;
    model.n_sas = 2;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    assert_string_equal(story, "+a1 +b1 >a1 >b1 ");
    advance(g, 3540);
    assert_string_equal(story, "+a2 +b2 ");
    assert_int_equal(g->sas[0].slot[GROUP_NEXT]->time.switch_at.ns,
                     g->sas[1].slot[GROUP_NEXT]->time.switch_at.ns);
    assert_int_equal(g->sas[0].slot[GROUP_NEXT]->time.drop_at.ns,
                     g->sas[1].slot[GROUP_NEXT]->time.drop_at.ns);
    advance(g, 3585);
    assert_string_equal(story, ">a2 >b2 -a1 -b1 ");
    group_free(g);
}

static void lifetimes_far_apart_change_over_each_on_its_own(void **state)
{
    (void)state;
    model.n_sas = 2;
    other.lifetime_s = 7200;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    advance(g, 3540);
    assert_string_equal(story, "+a2 ");
    advance(g, 3600);
    assert_true(due(g) == 7080);
    advance(g, 7080); /* b would fall due at 7140, after the changeover that starts here: not yet */
    assert_string_equal(story, "+a3 ");
    assert_slots(g, 1, 0, 1, 0);
    advance(g, 7140);
    assert_string_equal(story, ">a3 -a2 +b2 ");
    other.lifetime_s = 3630;
    group_free(g);
}

static void a_request_waits_for_the_end_of_the_changeover(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    group_rekey(g, NULL);
    advance(g, 100);
    assert_string_equal(story, "+a2 ");
    assert_delays(g, 100, 30, 45);
    group_rekey(g, &g->sas[0]); /* two requests ... */
    advance(g, 120);
    group_rekey(g, NULL);
    assert_true(due(g) == 130);
    advance(g, 144);
    assert_string_equal(story, ">a2 ");
    advance(g, 145);
    assert_string_equal(story, "-a1 +a3 "); /* ... one changeover */
    advance(g, 190);
    assert_string_equal(story, ">a3 -a2 ");
    assert_true(due(g) == 145 + 3540);
    group_free(g);
}

static void a_first_key_waits_where_members_are(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    const struct registration member = {
        .identity = {MODEL_ID_FQDN, bytes_str("a")}, .remote = {ip_v4(1), 848}, .now = at(0)};
    assert_int_equal(registry_put(&g->registry, &member), ERR_OK);
    advance(g, 0);
    assert_string_equal(story, "+a1 ");
    assert_delays(g, 0, 30, 30);
    assert_ptr_equal(group_newest(&g->sas[0]), g->sas[0].slot[GROUP_NEXT]);
    advance(g, 30);
    assert_string_equal(story, ">a1 ");
    assert_ptr_equal(group_newest(&g->sas[0]), g->sas[0].slot[GROUP_CURRENT]);
    group_free(g);
}

static void a_group_without_sas_has_nothing_to_do(void **state)
{
    (void)state;
    model.n_sas = 0;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    assert_true(instant_is_never(group_due(g)));
    assert_delays(g, 0, 0, 0);
    group_free(g);
    group_free(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_statements_table),
        TEST(a_server_that_slept_makes_one_new_key_at_once),
        TEST(one_changeover_serves_all_that_fall_due),
        TEST(lifetimes_far_apart_change_over_each_on_its_own),
        TEST(a_request_waits_for_the_end_of_the_changeover),
        TEST(a_first_key_waits_where_members_are),
        TEST(a_group_without_sas_has_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

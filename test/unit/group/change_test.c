/* A group that lives on under another model: what stays, what goes, what waits. */
#include "group/change.h"

#include "crypto/crypto.h"
#include "test/check.h"

enum { START = 500 };

static struct drbg drbg;
static struct mint mint;
static struct model_ipsec_proposal hour = {.name = "hour",
                                           .cipher = MODEL_ESP_AES_CBC,
                                           .key_bits = 256,
                                           .auth = MODEL_ESP_HMAC_SHA1_96,
                                           .lifetime_s = 3600};
static struct model_ipsec_sa a_and_b[] = {{.name = "a", .proposal = &hour},
                                          {.name = "b", .proposal = &hour}};
static struct model_ipsec_sa b_and_c[] = {{.name = "b", .proposal = &hour},
                                          {.name = "c", .proposal = &hour}};
static struct model_group model, other;

static int set_up(void **state)
{
    const char *text;

    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text))
        return 1;
    drbg = drbg_of((const uint8_t[DRBG_SEED]){9});
    mint = mint_of(&drbg);
    hour.lifetime_s = 3600;
    model = (struct model_group){.name = "g", .atd_s = 15, .sas = a_and_b, .n_sas = 2};
    other = (struct model_group){.name = "g", .atd_s = 15, .sas = b_and_c, .n_sas = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mint_free(&mint);
    return 0;
}

static instant_t at(double s) { return (instant_t){(int64_t)((START + s) * 1e9)}; }

/* "+a1" created, ">a1" switched, "-a1" dropped. */
static char story[400];
static void tell(void *to, enum group_event what, const struct group *g, const struct group_sa *sa,
                 const struct generation *generation)
{
    size_t used = strlen(story);

    assert_null(to);
    assert_string_equal(g->model->name, "g");
    snprintf(story + used, sizeof story - used, "%c%s%u ", "+>-"[what], sa -> model -> name,
             (unsigned)generation -> number);
}
static const struct group_listener listener = {.tell = tell};

static void advance(struct group *g, double s)
{
    story[0] = 0;
    do {
        group_advance(g, at(s), &listener);
        if (group_is_minted(g)) /* the store answers at once */
            group_commit(g, at(s), &listener);
    } while (instant_reached(group_due(g), at(s)));
    assert_false(instant_reached(group_due(g), at(s)));
}
static void adopt(struct group *g, const struct model_group *m)
{
    story[0] = 0;
    group_adopt(g, m, &listener);
}

static void keys_stay_with_their_name(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    uint32_t spi = g->sas[1].slot[GROUP_CURRENT]->spi;
    adopt(g, &other);
    assert_string_equal(story, "-a1 ");
    assert_ptr_equal(g->model, &other);
    assert_int_equal(g->n_sas, 2);
    assert_ptr_equal(g->sas[0].model, &b_and_c[0]);
    assert_int_equal(g->sas[0].slot[GROUP_CURRENT]->spi, spi);
    assert_ptr_equal(mint_find(&mint, spi), g->sas[0].slot[GROUP_CURRENT]);
    assert_null(g->sas[1].slot[GROUP_CURRENT]);
    assert_ptr_equal(group_sa_named(g, "c"), &g->sas[1]);
    assert_null(group_sa_named(g, "a"));
    advance(g, 10); /* nobody is registered: nobody to wait for */
    assert_string_equal(story, "+c1 >c1 ");
    adopt(g, &model); /* and back */
    assert_string_equal(story, "-c1 ");
    group_free(g);
}

static void a_changeover_goes_on_without_who_left(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    advance(g, 3541);
    assert_string_equal(story, "+a2 +b2 ");
    adopt(g, &other);
    assert_string_equal(story, "-a1 -a2 ");
    advance(g, 3550);
    assert_string_equal(story, ""); /* c waits for the end of b's changeover */
    advance(g, 3600);
    assert_string_equal(story, ">b2 -b1 +c1 >c1 ");
    group_free(g);
}

static void who_joins_waits_for_the_next_changeover(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    adopt(g, &other);
    group_rekey_later(g, group_sa_named(g, "c"));
    advance(g, 1000);
    assert_string_equal(story, "");
    advance(g, 3540);
    assert_string_equal(story, "+b2 +c1 ");
    assert_int_equal(g->sas[0].slot[GROUP_NEXT]->time.switch_at.ns, at(3570).ns);
    assert_int_equal(g->sas[1].slot[GROUP_NEXT]->time.switch_at.ns, at(3570).ns);
    advance(g, 3585);
    assert_string_equal(story, ">b2 >c1 -b1 ");
    group_free(g);
}

static void nobody_joins_where_there_are_no_keys(void **state)
{
    (void)state;
    static const struct model_ipsec_sa c[] = {{.name = "c", .proposal = &hour}};
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    other.sas = c;
    other.n_sas = 1;
    adopt(g, &other);
    assert_string_equal(story, "-a1 -b1 ");
    group_rekey_later(g, NULL);
    advance(g, 1);
    assert_string_equal(story, "+c1 >c1 ");
    group_free(g);
}

/* It waited for others, and those have left. */
static void who_joins_nobody_is_served_at_once(void **state)
{
    (void)state;
    static const struct model_ipsec_sa c[] = {{.name = "c", .proposal = &hour}};
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    other.sas = c;
    other.n_sas = 1;
    group_rekey_later(g, NULL);
    struct model_ipsec_sa all[] = {model.sas[0], model.sas[1], c[0]};
    struct model_group three = model;
    three.sas = all;
    three.n_sas = 3;
    adopt(g, &three);
    group_rekey_later(g, &g->sas[2]);
    advance(g, 1);
    assert_string_equal(story, "");
    adopt(g, &other);
    assert_string_equal(story, "-a1 -b1 ");
    advance(g, 2);
    assert_string_equal(story, "+c1 >c1 ");
    group_free(g);
}

/* What waited for the next changeover does not wait for keys that nobody has any more. */
static void wishes_end_with_all_keys(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    group_rekey_later(g, NULL);
    group_clear(g, &listener);
    assert_int_equal(g->sas[0].wish, GROUP_SA_NO_WISH);
    advance(g, 1);
    assert_string_equal(story, "+a2 +b2 >a2 >b2 ");
    group_free(g);
}

/* Members count from the delay that they were told of the present keys; the next changeover, in
 * which all take part, is the last that keeps it. */
static void a_delay_changes_with_the_keys(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    other = model;
    other.atd_s = 60;
    adopt(g, &other);
    group_rekey_later(g, NULL);
    assert_int_equal(group_atd(g).ns, span_s(15).ns);
    advance(g, 3539);
    assert_string_equal(story, "");
    advance(g, 3540);
    assert_string_equal(story, "+a2 +b2 ");
    assert_int_equal(group_delays(g, at(3540)).activation, 30);
    assert_int_equal(group_atd(g).ns, span_s(60).ns);
    advance(g, 3585);
    assert_true(group_due(g).ns == at(3540 + 3600 - 240).ns);
    group_free(g);
}

/* ... and with a lifetime that would be too short for the delay in force, the first key lives
 * longer. */
static void a_shorter_life_keeps_the_rule_for_the_delay_in_force(void **state)
{
    (void)state;
    model.atd_s = 300;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    other = model;
    other.atd_s = 15;
    hour.lifetime_s = 180;
    adopt(g, &other);
    group_rekey_later(g, NULL);
    advance(g, 2400);
    assert_string_equal(story, "+a2 +b2 ");
    const struct timeline *t = &g->sas[0].slot[GROUP_NEXT]->time;
    assert_int_equal(t->switch_at.ns, at(3000).ns);
    assert_int_equal(t->drop_at.ns, at(3300).ns);
    assert_int_equal(t->expiry.ns, at(5400).ns);
    advance(g, 5340);
    assert_string_equal(story, ">a2 >b2 -a1 -b1 +a3 +b3 ");
    assert_int_equal(g->sas[0].slot[GROUP_NEXT]->time.expiry.ns, at(5520).ns);
    group_free(g);
}

/* Without a KEK nobody hears of a key made out of turn. */
static void what_is_wanted_waits_once_nobody_can_be_told(void **state)
{
    (void)state;
    struct group *g = group_new(&model, &mint);
    advance(g, 0);
    group_rekey(g, &g->sas[0]);
    group_drop_keks(g, &listener);
    assert_int_equal(g->sas[0].wish, GROUP_SA_JOINS);
    assert_int_equal(g->sas[1].wish, GROUP_SA_NO_WISH);
    group_exclude(g, span_s(40));
    group_drop_keks(g, &listener);
    assert_int_equal(g->sas[1].wish, GROUP_SA_JOINS);
    advance(g, 3539);
    assert_string_equal(story, "");
    advance(g, 3540);
    assert_string_equal(story, "+a2 +b2 ");
    group_free(g);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keys_stay_with_their_name),
        TEST(a_changeover_goes_on_without_who_left),
        TEST(who_joins_waits_for_the_next_changeover),
        TEST(nobody_joins_where_there_are_no_keys),
        TEST(who_joins_nobody_is_served_at_once),
        TEST(wishes_end_with_all_keys),
        TEST(a_delay_changes_with_the_keys),
        TEST(a_shorter_life_keeps_the_rule_for_the_delay_in_force),
        TEST(what_is_wanted_waits_once_nobody_can_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The timeline of decisions M1 and M3, by table. Seconds from the creation of the first key. */
#include "group/timeline.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { START = 1000 };

static instant_t at(double s) { return (instant_t){(int64_t)((START + s) * 1e9)}; }
static double seconds(instant_t t) { return (double)t.ns / 1e9 - START; }

/* created, lifetime, ATD and the replaced key's expiry; then when it switches and drops. */
struct row {
    const char *what;
    double now, lifetime, atd, replaced;
    double switch_at, drop_at, expiry;
};
static const struct row rows[] = {
    {"the statement's figures", 3540, 3600, 15, 3600, 3570, 3585, 7140},
    {"ATD 900 with the shortest lifetime it allows", 5400, 9000, 900, 9000, 7200, 8100, 14400},
    {"ATD 10, lifetime 180", 140, 180, 10, 180, 160, 170, 320},
    {"an operator's rekey far from the expiry", 100, 3600, 15, 3600, 130, 145, 3700},
    {"made at L - 3 ATD exactly: nothing is shortened", 3555, 3600, 15, 3600, 3585, 3600, 7155},
    {"made late: switched ATD before the old key ends", 3560, 3600, 15, 3600, 3585, 3600, 7160},
    {"made less than ATD before the end", 3590, 3600, 15, 3600, 3590, 3600, 7190},
    {"made at the end", 3600, 3600, 15, 3600, 3600, 3600, 7200},
    {"made after the end", 4000, 3600, 15, 3600, 4000, 4000, 7600},
    {"made in the middle of a second", 3540.25, 3600, 15, 3600.25, 3570.25, 3585.25, 7140.25},
};

static void successors_follow_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct timeline t = timeline_after(at(r->now), (span_t){(int64_t)(r->lifetime * 1e9)},
                                           (span_t){(int64_t)(r->atd * 1e9)}, at(r->replaced));
        if (seconds(t.switch_at) != r->switch_at || seconds(t.drop_at) != r->drop_at ||
            seconds(t.expiry) != r->expiry || seconds(t.created) != r->now)
            fail_msg("%s: switch %f drop %f expiry %f", r->what, seconds(t.switch_at),
                     seconds(t.drop_at), seconds(t.expiry));
    }
}

static void order_holds_whenever_it_is_made(void **state)
{
    (void)state;
    for (int atd = 10; atd <= 900; atd += 89) {
        for (int now = 0; now <= 12 * atd; now += atd / 7 + 1) {
            struct timeline t =
                timeline_after(at(now), span_s(10 * atd), span_s(atd), at(10 * atd));
            assert_true(t.created.ns <= t.switch_at.ns);
            assert_true(t.switch_at.ns <= t.drop_at.ns);
            assert_true(t.drop_at.ns < t.expiry.ns);
            assert_true(t.drop_at.ns <= at(10 * atd).ns || t.drop_at.ns == t.created.ns);
            assert_true(t.drop_at.ns < timeline_renew_at(&t, span_s(atd)).ns);
        }
    }
}

static void first_key_is_active_at_once_or_after_2_atd(void **state)
{
    (void)state;
    struct timeline alone = timeline_first(at(0), span_s(3600), span_s(15), false);
    struct timeline joined = timeline_first(at(0), span_s(3600), span_s(15), true);

    assert_true(seconds(alone.switch_at) == 0 && seconds(alone.drop_at) == 0);
    assert_true(seconds(joined.switch_at) == 30 && seconds(joined.drop_at) == 30);
    assert_true(seconds(alone.expiry) == 3600 && seconds(joined.expiry) == 3600);
}

static void successor_is_due_at_l_minus_4_atd(void **state)
{
    (void)state;
    struct timeline t = timeline_first(at(0), span_s(3600), span_s(15), false);

    assert_true(seconds(timeline_renew_at(&t, span_s(15))) == 3540);
    assert_true(timeline_changeover(span_s(15)).ns == span_s(45).ns);
}

/* 3540 / 3555 / 3570 / 3585: what a message tells at each of these instants. */
static void messages_tell_what_is_left(void **state)
{
    static const struct {
        double now;
        uint16_t activation, deactivation;
        uint32_t life_old, life_new;
    } told[] = {
        {3540, 30, 45, 60, 3600}, /* a push at creation: 2 ATD, 3 ATD */
        {3555, 15, 30, 45, 3585}, /* a pull at L - 3 ATD: ATD, 2 ATD */
        {3555.001, 15, 30, 44, 3584}, {3555.999, 15, 30, 44, 3584}, {3556, 14, 29, 44, 3584},
        {3569.5, 1, 16, 30, 3570},    {3570, 0, 15, 30, 3570},      {3585, 0, 0, 15, 3555},
        {3600, 0, 0, 0, 3540},        {3601, 0, 0, 0, 3539},        {9000, 0, 0, 0, 0},
    };
    (void)state;
    struct timeline old = timeline_first(at(0), span_s(3600), span_s(15), false);
    struct timeline new = timeline_after(at(3540), span_s(3600), span_s(15), old.expiry);
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        instant_t now = at(told[i].now);
        assert_int_equal(timeline_activation_s(&new, now), told[i].activation);
        assert_int_equal(timeline_deactivation_s(&new, now), told[i].deactivation);
        assert_int_equal(timeline_life_s(&old, now), told[i].life_old);
        assert_int_equal(timeline_life_s(&new, now), told[i].life_new);
    }
}

/* switch_at = now + max(2 ATD, spread + ATD), one ATD more until the old key goes, both within its
 * life (decisions M18). */
static void a_spread_makes_everybody_wait(void **state)
{
    static const struct {
        double now, spread, replaced, switch_at, drop_at;
    } table[] = {
        {100, 0, 3600, 130, 145},     {100, 15, 3600, 130, 145},     {100, 16, 3600, 131, 146},
        {100, 600, 3600, 715, 730},   {100, 5000, 3600, 3585, 3600}, {3590, 60, 3600, 3590, 3600},
        {4000, 60, 3600, 4000, 4000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct timeline t =
            timeline_spread(at(table[i].now), span_s(3600), span_s(15), at(table[i].replaced),
                            span_s((int64_t)table[i].spread));
        assert_true(seconds(t.created) == table[i].now);
        assert_true(seconds(t.switch_at) == table[i].switch_at);
        assert_true(seconds(t.drop_at) == table[i].drop_at);
        assert_true(seconds(t.expiry) == table[i].now + 3600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(successors_follow_the_table),
        cmocka_unit_test(order_holds_whenever_it_is_made),
        cmocka_unit_test(first_key_is_active_at_once_or_after_2_atd),
        cmocka_unit_test(successor_is_due_at_l_minus_4_atd),
        cmocka_unit_test(messages_tell_what_is_left),
        cmocka_unit_test(a_spread_makes_everybody_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

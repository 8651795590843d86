/* recovery-probe: ESP under unknown SPIs makes a member register again, ever more rarely. */
#include "unit/member/pusher.h"

static struct pusher one;

static int make_pusher(void **state)
{
    const char *text;
    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        return -1;
    pusher_init(&one, 1);
    return 0;
}

static struct duo *registered(bool probe)
{
    struct duo *w = duo_new();
    w->vpns[0].recovery_probe = probe;
    return pusher_duo(w, &one, 0, NULL);
}

static uint64_t probes(const struct duo *w) { return duo_vpn(w, 0).pushes.recovery_probes; }

/* What the data path reports, and what comes of it at once. */
static void unknown_spi(struct duo *w)
{
    member_unknown_spi(w->member, w->now, 0xabcd1234, &w->out);
    duo_carry(w, true);
}

/* The server has nothing new, with `spi` in addition if that is not 0. */
static void answer(struct duo *w, uint32_t spi)
{
    struct content *c = content_new();
    content_tek(c, 0x1000, 3600, 1, 0);
    if (spi)
        content_tek(c, spi, 3600, 2, 0);
    content_kek(c, &one, 3600, 0);
    while (w->n_packets == 0)
        duo_tick(w);
    pusher_pull(w, c, 10);
    free(c);
}

static void without_the_statement_it_does_nothing(void **state)
{
    (void)state;
    struct duo *w = registered(false);
    unknown_spi(w);
    assert_int_equal(probes(w), 0);
    assert_int_equal(duo_events(w, EV_RECOVERY_PROBE), 0);
    duo_close(w);
}

static void it_registers_again_within_the_spread(void **state)
{
    (void)state;
    struct duo *w = registered(true);
    unknown_spi(w);
    duo_says(w, EV_RECOVERY_PROBE, "spi", "abcd1234");
    assert_true(instant_since(duo_vpn(w, 0).due, w->now).ns <= MEMBER_SPREAD_MIN.ns);
    answer(w, 0);
    assert_int_equal(duo_vpn(w, 0).counters.pull_succeeded, 2);
    duo_close(w);
}

/* 10, 20, 40 ... 320 s, each +-25 %: a flood of such packets costs a server little. */
static void a_flood_is_answered_ever_more_rarely(void **state)
{
    (void)state;
    struct duo *w = registered(true);
    static const double pauses[] = {10, 20, 40, 80, 160, 320, 320};
    unknown_spi(w);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        instant_t from = w->now;
        answer(w, 0);
        while (probes(w) == i + 1) {
            w->now = instant_add(w->now, span_ms(500));
            unknown_spi(w);
        }
        double pause = (double)instant_since(w->now, from).ns / 1e9;
        assert_true(pause >= 0.75 * pauses[i] && pause <= 1.25 * pauses[i] + 0.5);
    }
    duo_close(w);
}

/* What it found was worth the question: the next one is not made to wait long. */
static void a_find_or_a_long_quiet_begins_anew(void **state)
{
    (void)state;
    struct duo *w = registered(true);
    for (unsigned i = 0; i < 5; i++) {
        unknown_spi(w);
        answer(w, 0);
        w->now = instant_add(w->now, span_s(200));
    }
    assert_int_equal(probes(w), 5);
    unknown_spi(w);
    answer(w, 0x2000);
    w->now = instant_add(w->now, span_s(400)); /* the sixth one's own pause */
    unknown_spi(w);
    answer(w, 0);
    w->now = instant_add(w->now, span_ms(12500));
    unknown_spi(w);
    assert_int_equal(probes(w), 8);
    answer(w, 0);
    w->now = instant_add(w->now, span_s(400 + 320));
    unknown_spi(w);
    answer(w, 0);
    w->now = instant_add(w->now, span_ms(12500));
    unknown_spi(w);
    assert_int_equal(probes(w), 10);
    duo_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_statement_it_does_nothing),
        cmocka_unit_test(it_registers_again_within_the_spread),
        cmocka_unit_test(a_flood_is_answered_ever_more_rarely),
        cmocka_unit_test(a_find_or_a_long_quiet_begins_anew),
    };
    return cmocka_run_group_tests(tests, make_pusher, NULL);
}

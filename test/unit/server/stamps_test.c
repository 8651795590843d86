/* Groups with time stamps: what registrations are told, who is refused, the group clock (decisions
 * M20, M21). */
#include "unit/server/world.h"

#include "gdoi/numbers.h"
#include "ike1/vendor.h"
#include "sa/phase1_internal.h"
#include "server/rows.h"
#include "server/state.h"

static const span_t utc = {INT64_C(1790000000) * NS_PER_S + 250 * NS_PER_MS};

static void wall(struct world *w, span_t time)
{
    server_wall(w->server, w->now, time, &w->out);
    world_collect(w);
}

/* Blue has a window; the clock shows 1790000000.25. */
static struct world *stamped_world(void)
{
    struct world *w = world_new();
    w->m.groups[0].anti_replay_window_ms = 100000;
    world_open(w);
    wall(w, utc);
    return w;
}

static struct phase1_sa *sa_of_member(struct world *w)
{
    size_t cursor = 0;
    return phase1_next(server_phase1(w->server), &cursor);
}

static void expect_gap(const struct pull_client *gm, uint32_t window_ms)
{
    assert_true(gm->offer.has_gap);
    assert_int_equal(gm->offer.gap.d3p_type, window_ms ? GDOI_D3P_POSIX_TIME : 0);
    assert_int_equal(gm->offer.gap.d3p_window, window_ms);
}

static void a_registration_tells_window_and_clock(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 100);
    world_ask(w, gm, BLUE);
    expect_gap(gm, 100000);
    world_wait(w, 1.5);
    world_finish(w, gm);
    assert_true(gm->state.clock_valid);
    assert_int_equal(gm->state.clock_s, 1790000101); /* of message 4, not of message 2 */
    assert_int_equal(gm->state.clock_us, 750000);
    world_close(w);
}

/* A group without time stamps tells the clock all the same: it may get some tomorrow. */
static void a_group_without_stamps_has_no_such_attributes(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    wall(w, utc);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    expect_gap(gm, 0);
    assert_true(gm->state.clock_valid);
    world_close(w);
}

/* "IANA has reserved two values for testing": a peer of the draft is told, and nothing more. */
static void a_peer_of_the_draft_may_join(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    sa_of_member(w)->native = false;
    world_pull(w, gm, BLUE);
    expect_gap(gm, 100000);
    assert_false(gm->has_state);
    world_close(w);
}

static void who_cannot_stamp_is_refused(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    sa_of_member(w)->stamps = false;
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "uses time stamps: set no-anti-replay");
    world_says(w, EV_MEMBER_REFUSED, "what", "remove gateway site-1");
    world_says(w, EV_MEMBER_REFUSED, "error", "ERR_POLICY");
    world_says(w, EV_MEMBER_REFUSED, "group", "blue");
    struct packet p = world_take(w);
    pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    assert_int_equal(gm->notified, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    assert_int_equal(gm->refusal.reason, GDOI_REASON_TIME_STAMPS);
    assert_int_equal(world_blue(w)->registry.n, 0);
    world_close(w);
}

static void a_group_waits_for_the_clock(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].anti_replay_window_ms = 100000;
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "the group clock is not set yet");
    struct packet p = world_take(w);
    pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    assert_int_equal(gm->refusal.reason, GDOI_REASON_NOT_READY);
    wall(w, utc);
    world_pull(w, gm, BLUE);
    expect_gap(gm, 100000);
    world_close(w);
}

/* The server announces IP-D3P (draft-weis-delay-detection-03 4.1); the member announces us, which
 * says more. */
static void vendor_ids(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    assert_true(phase1_peer_is_native(gm->sa) && phase1_peer_knows_stamps(gm->sa));
    assert_true(phase1_peer_knows_stamps(sa_of_member(w)));
    world_close(w);
}

/* ---- another window is another generation ---- */

static void set_window(struct world *w, uint32_t window_ms)
{
    w->m.groups[0].anti_replay_window_ms = window_ms;
    group_rekey(w->server->groups[0], &w->server->groups[0]->sas[0]);
    world_wait(w, 0);
    server_timer(w->server, w->now, &w->out);
    world_collect(w);
}

static void expect_offer(struct world *w, struct pull_client *gm, uint32_t window_ms,
                         const struct generation *only)
{
    world_pull(w, gm, BLUE);
    expect_gap(gm, window_ms);
    for (size_t i = 0; i < gm->offer.n_sats; i++)
        assert_int_equal(gm->offer.sats[i].spi, only->spi);
    assert_int_equal(gm->n_keys, 1);
}

/* To a native: every key, each with the window that it was made with. */
static void expect_all(struct world *w, struct pull_client *gm, uint32_t window_ms, size_t keys)
{
    world_pull(w, gm, BLUE);
    expect_gap(gm, window_ms);
    assert_int_equal(gm->n_keys, keys);
    for (size_t i = 0; i < gm->offer.n_sats; i++) {
        const struct gdoi_sat *sat = &gm->offer.sats[i];
        const struct generation *key = mint_find(&w->server->mint, sat->spi);
        assert_int_equal(gdoi_sat_window(&gm->offer, sat), key->window_ms);
        assert_int_equal(sat->has_window, key->window_ms != window_ms);
    }
}

static void a_changeover_of_the_window_tells_natives_of_both(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    expect_all(w, gm, 100000, 1);
    set_window(w, 1000);
    expect_all(w, gm, 1000, 2);
    world_wait(w, 30); /* switched: the previous one receives */
    expect_all(w, gm, 1000, 2);
    world_wait(w, 15);
    expect_all(w, gm, 1000, 1);
    set_window(w, 0);
    expect_all(w, gm, 0, 2);
    world_close(w);
}

/* The draft has one window for all keys of a message. */
static void a_changeover_of_the_window_offers_others_one_of_them(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    sa_of_member(w)->native = false;
    world_pull(w, gm, BLUE);
    set_window(w, 1000);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->window_ms, 100000);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->window_ms, 1000);
    expect_offer(w, gm, 1000, world_key(w, 0, GROUP_NEXT));
    assert_int_equal(gm->offer.gap.atd, 30);
    world_wait(w, 30); /* switched: the old one, of another window, is not told any more */
    assert_int_equal(world_key(w, 0, GROUP_PREVIOUS)->window_ms, 100000);
    expect_offer(w, gm, 1000, world_key(w, 0, GROUP_CURRENT));

    world_wait(w, 15);
    set_window(w, 0);
    expect_offer(w, gm, 0, world_key(w, 0, GROUP_NEXT));
    sa_of_member(w)->stamps = false; /* and who cannot stamp may come again */
    expect_offer(w, gm, 0, world_key(w, 0, GROUP_NEXT));
    world_close(w);
}

/* One GAP speaks for all keys: an ipsec-sa that is not due takes part. */
static void all_ipsec_sas_change_their_window_together(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].anti_replay_window_ms = 100000;
    w->m.groups[0].n_sas = 2;
    world_open(w);
    wall(w, utc);
    world_wait(w, 60);
    set_window(w, 60000);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_key(w, i, GROUP_NEXT)->window_ms, 60000);
    world_close(w);
}

/* ---- the clock ---- */

static size_t n_clock_rows(struct world *w, span_t time)
{
    struct row_clock row = {0};
    size_t n = 0;

    server_wall(w->server, w->now, time, &w->out);
    for (const struct effect *e = w->out.first; e; e = e->next) {
        if (e->kind != EFFECT_PERSIST)
            continue;
        const struct store_op *op = e->persist->first;
        const struct store_row kept = {op->table, op->key, op->value};
        assert_int_equal(op->table, STORE_SERVER);
        assert_int_equal(row_clock_read(&kept, &row), ERR_OK);
        assert_int_equal(row.at.ns, w->now.ns);
        assert_int_equal(row.time.ns, group_clock_read(server_clock(w->server), w->now).ns);
        n++;
    }
    world_collect(w);
    return n;
}

static void the_clock_is_kept_every_minute(void **state)
{
    (void)state;
    struct world *w = world_new();
    size_t rows = 0;
    world_open(w);
    for (int i = 0; i < 60; i++) { /* ten minutes */
        rows += n_clock_rows(w, (span_t){utc.ns + i * 10 * NS_PER_S});
        world_wait(w, 10);
    }
    assert_int_equal(rows, 10);
    world_close(w);
}

static void a_stepped_calendar_is_told_once(void **state)
{
    (void)state;
    struct world *w = stamped_world();
    struct pull_client *gm = &w->gm[0];
    world_wait(w, 10);
    wall(w, (span_t){utc.ns + 10 * NS_PER_S});
    assert_null(world_event(w, EV_GROUP_CLOCK));
    wall(w, (span_t){utc.ns + 3610 * NS_PER_S});
    world_says(w, EV_GROUP_CLOCK, "what", "behind UTC");
    const struct event *e = world_event(w, EV_GROUP_CLOCK);
    assert_true(e && e->fields[1].u64 == 3600000); /* milliseconds */
    w->n_events = 0;
    wall(w, (span_t){utc.ns + 3610 * NS_PER_S});
    assert_null(world_event(w, EV_GROUP_CLOCK));
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->state.clock_s, 1790000010); /* not stepped */
    wall(w, (span_t){utc.ns});
    wall(w, (span_t){utc.ns + 10 * NS_PER_S});
    wall(w, (span_t){utc.ns});
    world_says(w, EV_GROUP_CLOCK, "what", "ahead of UTC");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_tells_window_and_clock),
        cmocka_unit_test(a_group_without_stamps_has_no_such_attributes),
        cmocka_unit_test(a_peer_of_the_draft_may_join),
        cmocka_unit_test(who_cannot_stamp_is_refused),
        cmocka_unit_test(a_group_waits_for_the_clock),
        cmocka_unit_test(vendor_ids),
        cmocka_unit_test(a_changeover_of_the_window_tells_natives_of_both),
        cmocka_unit_test(a_changeover_of_the_window_offers_others_one_of_them),
        cmocka_unit_test(all_ipsec_sas_change_their_window_together),
        cmocka_unit_test(the_clock_is_kept_every_minute),
        cmocka_unit_test(a_stepped_calendar_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys with time stamps: what a member takes, and how it learns and keeps the group clock. */
#include "unit/member/duo.h"

#include "member/vpn.h"

enum { WINDOW_MS = 100000 };
static const span_t utc = {INT64_C(1790000000) * NS_PER_S};

/* ---- with the real server ---- */

static struct duo *stamped(void)
{
    struct duo *w = duo_new();
    w->m.groups[0].anti_replay_window_ms = WINDOW_MS;
    duo_open(w);
    server_wall(w->server, w->now, utc, &w->out);
    duo_carry(w, false);
    return w;
}

/* To the microsecond, as stamps are. */
static span_t group_time(const struct duo *w)
{
    return (span_t){(w->now.ns + w->clock[0].ns + 999) / 1000 * 1000};
}

static void a_member_learns_window_and_clock(void **state)
{
    (void)state;
    struct duo *w = stamped();
    duo_until(w, 7);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->installed[0].sas[0].window_ms, WINDOW_MS);
    assert_int_equal(w->n_clocks[0], 1);
    assert_int_equal(group_time(w).ns, utc.ns + 7 * NS_PER_S);
    assert_int_equal(member_sa(w->member, 0, 0, w->now).window_ms, WINDOW_MS);
    assert_true(duo_vpn(w, 0).clock_set);
    assert_int_equal(duo_vpn(w, 0).clock_offset.ns, w->clock[0].ns);
    duo_until(w, 3600); /* re-registered: measured again */
    assert_int_equal(w->n_clocks[0], 2);
    assert_int_equal(group_time(w).ns, utc.ns + 3600 * NS_PER_S);
    duo_close(w);
}

/* The data path must know the clock before the keys that need it. */
static void the_clock_comes_before_the_keys(void **state)
{
    (void)state;
    struct duo *w = stamped();
    while (w->installed[0].n_sas == 0) {
        struct packet p = duo_take(w);
        duo_give(w, &p);
        assert_true(w->installed[0].n_sas == 0 || w->n_clocks[0] == 1);
    }
    assert_true(w->clock_was_first);
    duo_close(w);
}

/* Two groups: each VPN has a clock of its own. */
static void each_vpn_has_its_clock(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.groups[0].anti_replay_window_ms = WINDOW_MS;
    w->model.n_vpns = 2;
    duo_open(w);
    server_wall(w->server, w->now, utc, &w->out);
    duo_carry(w, false);
    duo_until(w, 5);
    assert_int_equal(w->installed[0].sas[0].window_ms, WINDOW_MS);
    assert_int_equal(w->installed[1].sas[0].window_ms, 0);
    assert_int_equal(w->n_clocks[0], 1);
    assert_int_equal(w->n_clocks[1], 1);
    duo_close(w);
}

/* The answer comes d seconds after message 3. */
static void register_with_delay(struct duo *w, double d)
{
    size_t n = 0;

    while (n < 4 && w->n_packets > 0) {
        struct packet p = duo_take(w);
        n += packet_is_pull(&p);
        if (n == 4)
            w->now.ns += (int64_t)(d * 1e9);
        duo_give(w, &p);
    }
    assert_int_equal(n, 4);
}

static void a_late_answer_sets_no_clock(void **state)
{
    (void)state;
    struct duo *w = stamped();
    register_with_delay(w, 2.1);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_last_error(w, ERR_TIMEOUT, "took too long to set the group clock");
    assert_int_equal(w->installed[0].n_sas, 0);
    assert_int_equal(w->n_clocks[0], 0);
    duo_until(w, 10);
    assert_int_equal(w->installed[0].n_sas, 1); /* the next attempt was quicker */
    w->now = (instant_t){(DUO_START + 20) * NS_PER_S};
    assert_int_equal(group_time(w).ns, utc.ns + 20 * NS_PER_S);

    /* once there is a clock, a late answer is good for its keys, and the clock goes on */
    span_t before = w->clock[0];
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    register_with_delay(w, 5);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    assert_int_equal(w->clock[0].ns, before.ns);

    /* but not after another server, which may have another clock */
    w->member->vpns[0].clock_of = ip_v4(0x0a0000fd);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    register_with_delay(w, 5);
    duo_last_error(w, ERR_TIMEOUT, "took too long to set the group clock");
    duo_close(w);
}

/* ---- heartbeats ---- */

static void hear(struct duo *w, int64_t clock_s, bool valid)
{
    struct gdoi_state s = {.clock_valid = valid, .clock_s = (uint32_t)clock_s, .clock_us = 500000};

    heartbeat_state(w->member, &w->member->vpns[0], w->now, &s, true, &w->out);
    duo_carry(w, true);
}

static void heartbeats_keep_the_clock(void **state)
{
    (void)state;
    struct duo *w = stamped();
    duo_until(w, 100);
    size_t told = w->n_clocks[0];
    hear(w, 1790000100, true); /* half a second ahead of us: taken at once */
    assert_int_equal(w->n_clocks[0], told + 1);
    assert_int_equal(group_time(w).ns, utc.ns + 100500 * NS_PER_MS);
    duo_until(w, 200);
    hear(w, 1790000100, true); /* held back for 100 s: moves it by 100 s x 100 ppm */
    assert_int_equal(group_time(w).ns, utc.ns + 200490 * NS_PER_MS);
    hear(w, 1790009999, false); /* a server whose clock is not set says nothing about it */
    assert_int_equal(group_time(w).ns, utc.ns + 200490 * NS_PER_MS);
    duo_close(w);
}

/* A heartbeat may have been under way for hours: it cannot begin a clock. */
static void a_heartbeat_sets_no_clock(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 5);
    assert_int_equal(w->n_clocks[0], 0);
    hear(w, 1790000000, true);
    assert_int_equal(w->n_clocks[0], 0);
    assert_false(duo_vpn(w, 0).clock_set);
    duo_close(w);
}

/* ---- with a server that says what the test wants ---- */

struct answers {
    struct gdoi_sa sa;
    struct gdoi_kd kd;
    struct gdoi_state state;
    uint8_t key[64];
};

static struct answers answers_of(uint32_t spi, uint16_t type, uint32_t window_ms)
{
    struct answers a = {
        .sa = {.has_gap = true, .gap = {.d3p_type = type, .d3p_window = window_ms}, .n_sats = 1},
        .state = {.clock_valid = true, .clock_s = 1790000000}};

    a.sa.sats[0] = (struct gdoi_sat){.protocol_id = GDOI_PROTOCOL_ESP,
                                     .src = prefix_of(ip_v4(0x0a000000), 8),
                                     .dst = prefix_of(ip_v4(0x0a000000), 8),
                                     .transform = GDOI_ESP_AES_CBC,
                                     .key_length = 128,
                                     .auth = GDOI_AUTH_HMAC_SHA256,
                                     .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
                                     .spi = spi,
                                     .life = {.has_seconds = true, .seconds = 3600}};
    a.kd.teks[a.kd.n_teks++] = (struct gdoi_tek_packet){.spi = spi};
    return a;
}

/* Serves one PULL. */
static void serve(struct duo *w, struct answers *a, bool state)
{
    a->kd.teks[0].cipher_key = bytes(a->key, 16);
    a->kd.teks[0].integrity_key = bytes(a->key, 32);
    fake_offer(w, &a->sa);
    struct packet p = duo_take(w);
    duo_give(w, &p);
    if (w->n_packets == 0 || !packet_is_pull(&w->packets[0]))
        return; /* refused at message 2 */
    assert_int_equal(fake_read(w, true), ERR_OK);
    fake_send(w, &(struct fake_answer){.kd = &a->kd, .state = state ? &a->state : NULL});
    p = duo_take(w);
    duo_give(w, &p);
}

static struct duo *faked(void)
{
    struct duo *w = duo_new();
    w->is_fake = true;
    duo_open(w);
    duo_phase1(w);
    return w;
}

static void policies_that_cannot_be_followed(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        uint32_t window_ms;
        enum err err;
        const char *what;
    } rows[] = {{2, 100000, ERR_TYPE, "time stamps of that type"},
                {129, 100000, ERR_TYPE, "time stamps of that type"},
                {1, 0, ERR_MISSING, "both a type and a window"},
                {0, 100000, ERR_MISSING, "both a type and a window"},
                {1, 3600001, ERR_VALUE, "longer than an hour"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct duo *w = faked();
        struct answers a = answers_of(0x1000, rows[i].type, rows[i].window_ms);
        serve(w, &a, true);
        duo_last_error(w, rows[i].err, rows[i].what);
        assert_int_equal(w->installed[0].n_sas, 0);
        duo_close(w);
    }
}

static void stamps_need_a_clock(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 1, 3600000);
    serve(w, &a, false);
    duo_last_error(w, ERR_POLICY, "tells no group clock");
    duo_close(w);

    w = faked();
    a.state.clock_valid = false;
    serve(w, &a, true);
    duo_last_error(w, ERR_POLICY, "tells no group clock");
    duo_close(w);

    w = faked();
    a.state.clock_valid = true;
    serve(w, &a, true);
    assert_int_equal(w->installed[0].sas[0].window_ms, 3600000);
    duo_close(w);
}

/* The numbers have no assignment: from a server that has not announced itself they mean nothing,
 * and what is not understood aborts (RFC 6407 5.4). */
static void strangers_cannot_say_it(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 1, 100000);
    duo_sa(w)->native = duo_sa(w)->stamps = false;
    serve(w, &a, true);
    duo_last_error(w, ERR_ATTRIBUTE, "message 2");
    duo_close(w);

    w = faked(); /* one of the draft is understood, but has no clock to offer */
    duo_sa(w)->native = false;
    serve(w, &a, true);
    duo_last_error(w, ERR_POLICY, "tells no group clock");
    duo_close(w);
}

/* One key, two windows: somebody is wrong. */
static void a_key_keeps_its_window(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 1, 100000);
    serve(w, &a, true);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    a.sa.gap.d3p_window = 60000;
    a.state.clock_s += 7;
    serve(w, &a, true);
    duo_last_error(w, ERR_CONFLICT, "cannot be taken");
    assert_int_equal(w->installed[0].sas[0].window_ms, 100000);
    assert_int_equal(duo_vpn(w, 0).clock_offset.ns, w->clock[0].ns); /* as the data path has it */
    duo_close(w);
}

/* Nor is it there to be moved by that server's heartbeats, or to judge keys that it pushes. */
static void another_servers_clock_does_not_go_on(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 0, 0);
    serve(w, &a, true);
    assert_true(duo_vpn(w, 0).clock_set);
    w->member->vpns[0].clock_of = ip_v4(0x0a0000fd);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    a.state.clock_valid = false;
    serve(w, &a, true);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    assert_false(duo_vpn(w, 0).clock_set);
    duo_close(w);
}

/* While a window changes there are two keys with two windows in one answer. */
static void keys_of_one_answer_may_have_two_windows(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 1, 1000);
    a.sa.sats[1] = a.sa.sats[0];
    a.sa.sats[0].has_window = true;
    a.sa.sats[0].window = 100000;
    a.sa.sats[1].spi = 0x2000;
    a.sa.n_sats = a.kd.n_teks = 2;
    a.kd.teks[1] = (struct gdoi_tek_packet){
        .spi = 0x2000, .cipher_key = bytes(a.key, 16), .integrity_key = bytes(a.key + 1, 32)};
    serve(w, &a, true);
    assert_int_equal(w->installed[0].n_sas, 2);
    assert_int_equal(w->installed[0].sas[0].window_ms, 100000);
    assert_int_equal(w->installed[0].sas[1].window_ms, 1000);
    assert_int_equal(instant_since(duo_vpn(w, 0).due, w->now).ns,
                     span_s(2500).ns); /* the smaller */
    duo_close(w);
}

/* Pushes may go on for ever: the clock is measured again all the same. */
static void the_clock_is_measured_again(void **state)
{
    (void)state;
    struct duo *w = faked();
    struct answers a = answers_of(0x1000, 1, 1000);
    serve(w, &a, true);
    assert_int_equal(instant_since(duo_vpn(w, 0).due, w->now).ns, span_s(2500).ns);
    duo_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_learns_window_and_clock),
        cmocka_unit_test(the_clock_comes_before_the_keys),
        cmocka_unit_test(each_vpn_has_its_clock),
        cmocka_unit_test(a_late_answer_sets_no_clock),
        cmocka_unit_test(heartbeats_keep_the_clock),
        cmocka_unit_test(a_heartbeat_sets_no_clock),
        cmocka_unit_test(policies_that_cannot_be_followed),
        cmocka_unit_test(stamps_need_a_clock),
        cmocka_unit_test(strangers_cannot_say_it),
        cmocka_unit_test(a_key_keeps_its_window),
        cmocka_unit_test(another_servers_clock_does_not_go_on),
        cmocka_unit_test(keys_of_one_answer_may_have_two_windows),
        cmocka_unit_test(the_clock_is_measured_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When a member tries, tries again, and gives up: by exact virtual times. */
#include "unit/member/duo.h"

static void expect_registered(const struct duo *w, size_t vpn)
{
    assert_int_equal(duo_vpn(w, vpn).state, MEMBER_REGISTERED);
    assert_true(duo_vpn(w, vpn).n_sas > 0);
}

static void expect_between(double value, double least, double most)
{
    if (value < least || value > most)
        fail_msg("%f is not in [%f, %f]", value, least, most);
}

/* The times of what the member sends from now on, nobody answering, until `s`. */
static size_t sendings(struct duo *w, double s, double *times, size_t room)
{
    size_t n = 0;
    instant_t to = {(int64_t)((DUO_START + s) * 1e9)};

    w->n_packets = 0;
    while (instant_reached(member_due(w->member), to)) {
        w->now = instant_max(w->now, member_due(w->member));
        duo_timer(w);
        for (; w->n_packets > 0; n++) {
            (void)duo_take(w);
            assert_true(n < room);
            times[n] = duo_time(w);
        }
    }
    w->now = to;
    return n;
}

/* Message 1 of a PULL over a phase 1 that was made for it: 0.5, 1, 2, 4, 8, 8 s, each up to a tenth
 * more; then it has failed, and is tried again after about a second over the SA that there is. */
static void a_silent_pull_is_repeated_and_given_up(void **state)
{
    (void)state;
    static const double wait[] = {0.5, 1, 2, 4, 8, 8};
    double t[16], last = 0, most = 0;
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet first = w->packets[0];
    assert_int_equal(sendings(w, 23, t, ARRAY_LEN(t)), 5);
    for (size_t i = 0; i < 5; i++) {
        expect_between(t[i] - last, wait[i], wait[i] * 1.1);
        last = t[i];
    }
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    w->n_packets = 0;
    duo_tick(w);
    most = duo_time(w) - last;
    expect_between(most, wait[5], wait[5] * 1.1);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_last_error(w, ERR_TIMEOUT, "");
    assert_int_equal(duo_vpn(w, 0).counters.pull_timeout, 1);
    last = duo_time(w);
    duo_tick(w);
    expect_between(duo_time(w) - last, 0.75, 1.25);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_int_equal(w->n_packets, 1);
    assert_true(packet_is_pull(&w->packets[0]));
    assert_false(
        bytes_equal(bytes(first.data, first.len), bytes(w->packets[0].data, w->packets[0].len)));
    duo_run(w);
    expect_registered(w, 0);
    duo_close(w);
}

/* The repeats are the same octets. */
static void repeats_are_identical(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet first = duo_take(w);
    duo_tick(w);
    struct packet again = duo_take(w);
    assert_true(bytes_equal(bytes(first.data, first.len), bytes(again.data, again.len)));
    duo_close(w);
}

/* The server forgets message 2 after 10 s: nobody waits longer for message 4. */
static void message_3_is_repeated_for_ten_seconds(void **state)
{
    (void)state;
    double t[16];
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet second = duo_nth(w, 1);
    duo_give(w, &second);
    assert_int_equal(w->n_packets, 1);
    assert_int_equal(sendings(w, 9.999, t, ARRAY_LEN(t)), 4); /* at 0.5, 1.5, 3.5 and 7.5 s */
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_int_equal(sendings(w, 10, t, ARRAY_LEN(t)), 0);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_until(w, 12);
    expect_registered(w, 0);
    duo_close(w);
}

/* Re-registration at L - 3 ATD over a phase 1 that has gone silent: two sendings, and after 1.5 s
 * (at most 1.65) a new phase 1 with the same server (decisions M7). */
static void a_live_sa_that_is_silent_is_replaced(void **state)
{
    (void)state;
    double t[16];
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 3554);
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 3555) * NS_PER_S);
    const struct phase1_sa *old = duo_sa(w);
    struct ike1_cookies cookies = old->cookies;
    assert_int_equal(sendings(w, 3557.2, t, ARRAY_LEN(t)), 4);
    expect_between(t[0], 3555, 3555);
    expect_between(t[1] - t[0], 0.5, 0.55);
    expect_between(t[2] - t[1], 1, 1.1); /* message 1 of a new main mode */
    expect_between(t[3] - t[2], 0.45, 0.55);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PHASE1);
    assert_null(phase1_find(member_phase1(w->member), &cookies));
    assert_int_equal(duo_vpn(w, 0).counters.pull_timeout, 1);
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 0);
    assert_int_equal(duo_vpn(w, 0).n_sas, 1);
    duo_until(w, 3560);
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).n_sas, 2);
    duo_close(w);
}

/* While keys are about to end nobody waits longer than 2 s. */
static void retries_hurry_while_keys_are_about_to_end(void **state)
{
    (void)state;
    double t[64];
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 3554);
    phase1_end((struct phase1_table *)(uintptr_t)member_phase1(w->member), duo_sa(w), false,
               &w->out);
    effects_reset(&w->out);
    w->n_packets = 0;
    duo_until(w, 3554.5);
    w->cut = false;
    /* phase 1 comes up, then the PULL is not answered: 0.5, 1, 2, 2, 2, 2 s, and about 1 s till the
     * next attempt */
    w->now.ns = (DUO_START + 3555) * NS_PER_S;
    duo_timer(w);
    duo_phase1(w);
    size_t n = sendings(w, 3567, t, ARRAY_LEN(t));
    double last = 3555;
    assert_true(n >= 6);
    for (size_t i = 0; i < n; i++) {
        expect_between(t[i] - last, 0.45, 3.5);
        last = t[i];
    }
    expect_between(t[2] - t[1], 2, 2.2);
    expect_between(t[3] - t[2], 2, 2.2);
    duo_close(w);
}

/* No server at all: main mode's own tries, then rounds at 1, 2, 4 ... 64 s, a quarter more or less.
 */
static void a_lost_server_is_asked_ever_more_patiently(void **state)
{
    (void)state;
    static const double wait[] = {1, 2, 4, 8, 16, 32, 64, 64};
    struct duo *w = duo_new();
    duo_open(w);
    w->cut = true;
    w->n_packets = 0;
    for (size_t i = 0; i < ARRAY_LEN(wait); i++) {
        while (duo_vpn(w, 0).state != MEMBER_WAITING)
            duo_tick(w);
        duo_last_error(w, ERR_TIMEOUT, "");
        double since = duo_time(w);
        while (duo_vpn(w, 0).state == MEMBER_WAITING)
            duo_tick(w);
        expect_between(duo_time(w) - since, wait[i] * 0.75, wait[i] * 1.25);
    }
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, ARRAY_LEN(wait));
    assert_int_equal(duo_events(w, EV_SERVER_FAILOVER), 0); /* there is only one */
    duo_close(w);
}

/* The servers of the list, in order, without a pause between them; then from the first one again.
 */
static void the_next_server_is_tried_at_once(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    struct ip list[] = {ip_v4(0x0a0000f0), ip_v4(0x0a0000f1), blue_at.ip};
    memcpy(w->gateway.servers, list, sizeof list);
    w->gateway.n_servers = 3;
    duo_open(w);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ip_equal(duo_vpn(w, 0).server, list[i]));
        assert_int_equal(duo_events(w, EV_SERVER_FAILOVER), i);
        w->n_packets = 0;
        double since = duo_time(w);
        while (i < 2 && ip_equal(duo_vpn(w, 0).server, list[i])) {
            w->n_packets = 0;
            duo_tick(w);
        }
        if (i < 2) {
            expect_between(duo_time(w) - since, 20, 40);
            assert_int_equal(duo_vpn(w, 0).state, MEMBER_PHASE1);
            assert_true(w->n_packets == 1 &&
                        ip_equal(w->packets[0].to.ip, list[i + 1])); /* at once */
        }
    }
    duo_until(w, duo_time(w) + 5); /* message 1 was swept away above: its repeat comes through */
    expect_registered(w, 0);
    assert_true(ip_equal(duo_vpn(w, 0).server, blue_at.ip));
    assert_int_equal(duo_vpn(w, 0).counters.server_failover, 2);
    duo_says(w, EV_SERVER_FAILOVER, "server", "10.0.0.254");
    double registered = duo_time(w); /* and it stays with that server */
    duo_until(w, 3600);
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).counters.server_failover, 2);
    assert_true(duo_vpn(w, 0).registered_at.ns > (int64_t)((DUO_START + registered) * 1e9));
    duo_close(w);
}

/* A refusal leads to the next server too, and after a round it waits. */
static void refused_by_all_it_waits(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->gateway.servers[1] = blue_at.ip; /* the same one twice is two peers */
    w->gateway.n_servers = 2;
    w->vpns[0].group_id = 77;
    duo_open(w);
    duo_run(w);
    duo_until(w, 0.1);
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 2);
    assert_int_equal(duo_vpn(w, 0).counters.server_failover, 1);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_last_error(w, ERR_REFUSED, "not authorised");
    duo_close(w);
}

/* ---- the life of a key ---- */

/* 3540, 3555, 3570, 3585 (junos.md 3.4). */
static void the_timeline_of_a_rekey(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 3554.9);
    assert_int_equal(duo_vpn(w, 0).n_sas, 1);
    uint32_t old = w->installed[0].sas[0].spi;
    duo_until(w, 3555.1);
    assert_int_equal(w->installed[0].n_sas, 2);
    uint32_t new = w->installed[0].sas[1].spi;
    assert_int_equal(w->installed[0].sas[0].spi, old);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_NEXT);
    duo_until(w, 3569.9);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_NEXT);
    duo_until(w, 3570.1);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_PREVIOUS);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_CURRENT);
    duo_until(w, 3584.9);
    assert_int_equal(w->installed[0].n_sas, 2);
    duo_until(w, 3585.1);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->installed[0].sas[0].spi, new);
    assert_int_equal(w->installed[0].n_closed, 0);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 0);
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 3540 + 3555) * NS_PER_S);
    duo_close(w);
}

/* Told once, nothing installed, and what the keys protected is closed. */
static void keys_that_end_close_the_vpn(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 10);
    duo_alone_until(w, 3599.9);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 0);
    w->n_events = 0;
    duo_alone_until(w, 3600.1);
    assert_int_equal(w->installed[0].n_sas, 0);
    assert_int_equal(w->installed[0].n_closed, 2);
    assert_int_equal(duo_vpn(w, 0).n_sas, 0);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 1);
    duo_alone_until(w, 4200);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 1);
    duo_until(w, 4200 + 64 * 1.25 + 40);
    expect_registered(w, 0);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->installed[0].n_closed, 0);
    duo_close(w);
}

/* Two SAs of one group with two lifetimes: the one that ends first brings the member back, and its
 * end closes only what it protected. */
static void one_of_two_sas_ends(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.groups[0].n_sas = 2; /* "main", an hour; "wide", a day, which covers everything */
    duo_open(w);
    duo_run(w);
    assert_int_equal(w->installed[0].n_sas, 2);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_CURRENT);
    assert_int_equal(w->installed[0].sas[1].cipher, CIPHER_3DES_CBC);
    duo_until(w, 3555);
    assert_int_equal(w->installed[0].n_sas, 3);
    duo_until(w, 3590);
    assert_int_equal(w->installed[0].n_sas, 2);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_CURRENT);
    duo_alone_until(w, 3540 + 3601);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->installed[0].sas[0].cipher, CIPHER_3DES_CBC);
    assert_int_equal(w->installed[0].n_closed, 2);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 1);
    duo_close(w);
}

/* Crowds are told to spread: before L - 3 ATD where nothing is pushed, less than 0.9 ATD. */
static void the_spread_moves_the_reregistration(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->is_fake = true;
    duo_open(w);
    struct gdoi_sa *sa = calloc(1, sizeof *sa);
    struct gdoi_kd *kd = calloc(1, sizeof *kd);
    assert_true(sa && kd);
    uint8_t key[32] = {1};
    sa->n_sats = 1;
    sa->sats[0] = (struct gdoi_sat){.protocol_id = GDOI_PROTOCOL_ESP,
                                    .src = prefix_of(ip_v4(0x0a000000), 8),
                                    .dst = prefix_of(ip_v4(0x0a000000), 8),
                                    .transform = GDOI_ESP_AES_CBC,
                                    .key_length = 128,
                                    .auth = GDOI_AUTH_HMAC_SHA256,
                                    .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
                                    .spi = 256,
                                    .life = {.has_seconds = true, .seconds = 3600}};
    kd->n_teks = 1;
    kd->teks[0] = (struct gdoi_tek_packet){
        .spi = 256, .cipher_key = bytes(key, 16), .integrity_key = bytes(key, 32)};
    struct gdoi_state told = {.spread = 1000, .activation_delay = 20};
    fake_offer(w, sa);
    struct packet p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(fake_read(w, true), ERR_OK);
    fake_send(w, &(struct fake_answer){.kd = kd, .state = &told});
    duo_run(w);
    expect_registered(w, 0);
    expect_between((double)duo_vpn(w, 0).due.ns / 1e9 - DUO_START, 3600 - 60 - 18, 3600 - 60 - 0.1);
    free(sa);
    free(kd);
    duo_close(w);
}

/* ---- phase 1 under it ---- */

/* An old SA that ends under a PULL is replaced at once. */
static void an_old_sa_that_ends_under_a_pull_is_replaced(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_until(w, 10);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    w->n_packets = 0;
    server_stop(w->server, w->now, &w->out); /* deletes its SAs, with notice */
    duo_carry(w, false);
    duo_run(w);
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 0);
    assert_int_equal(duo_vpn(w, 0).counters.pull_succeeded, 2);
    duo_close(w);
}

/* One that was made for the attempt: the server does not want us, so it is not asked again at
 * once. */
static void a_new_sa_that_ends_under_a_pull_is_a_failure(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->is_fake = true;
    duo_open(w);
    for (size_t i = 0; i < 3; i++) {
        duo_phase1(w);
        assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
        w->n_packets = 0;
        phase1_end(w->fake.phase1, w->fake.sa, true, &w->out);
        duo_carry(w, false);
        duo_run(w);
        assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
        duo_last_error(w, ERR_CLOSED, "ended phase 1");
        assert_int_equal(w->n_packets, 0);
        double since = duo_time(w);
        while (duo_vpn(w, 0).state == MEMBER_WAITING)
            duo_tick(w);
        expect_between(duo_time(w) - since, 0.75 * (1 << i), 1.25 * (1 << i));
    }
    duo_close(w);
}

/* The lifetime of phase 1 ends between two registrations: nobody minds, the next one makes a new
 * SA. One with less than 10 s left is not begun with. */
static void the_lifetime_of_phase_1_ends(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.ike.lifetime_s = 3560;
    duo_open(w);
    duo_until(w, 3554);
    struct ike1_cookies old = duo_sa(w)->cookies;
    duo_until(w, 3556);
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).n_sas, 2);
    assert_int_equal(phase1_count(member_phase1(w->member), true), 2);
    assert_non_null(phase1_find(member_phase1(w->member), &old));
    duo_until(w, 3561);
    assert_null(phase1_find(member_phase1(w->member), &old));
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 0);
    duo_close(w);
}

static void it_ends_under_a_pull(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.ike.lifetime_s = 3566;
    duo_open(w);
    duo_until(w, 3554);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    duo_tick(w); /* 3555: message 1 over the SA with 11 s left */
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    struct packet second = duo_nth(w, 1);
    duo_give(w, &second);
    w->n_packets = 0; /* message 3 and its repeats are lost until the SA is gone */
    w->cut = true;
    while (duo_time(w) < 3556.2)
        duo_tick(w);
    duo_until(w, 3556.3);
    w->cut = false;
    duo_until(w, 3570);
    expect_registered(w, 0);
    assert_int_equal(duo_vpn(w, 0).n_sas, 2);
    duo_close(w);
}

/* After 64 message ids an SA has had its share: the next PULL brings a new one. */
static void message_ids_run_out(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_run(w);
    struct ike1_cookies first = duo_sa(w)->cookies;
    for (unsigned i = 1; i <= PHASE1_EXCHANGES_MAX + 1; i++) {
        assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
        duo_carry(w, true);
        duo_until(w, 11 * i); /* the server remembers four at a time, for 10 s */
        expect_registered(w, 0);
        assert_int_equal(duo_vpn(w, 0).counters.pull_succeeded, i + 1);
    }
    assert_null(phase1_find(member_phase1(w->member), &first));
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 0);
    duo_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_pull_is_repeated_and_given_up),
        cmocka_unit_test(repeats_are_identical),
        cmocka_unit_test(message_3_is_repeated_for_ten_seconds),
        cmocka_unit_test(a_live_sa_that_is_silent_is_replaced),
        cmocka_unit_test(retries_hurry_while_keys_are_about_to_end),
        cmocka_unit_test(a_lost_server_is_asked_ever_more_patiently),
        cmocka_unit_test(the_next_server_is_tried_at_once),
        cmocka_unit_test(refused_by_all_it_waits),
        cmocka_unit_test(the_timeline_of_a_rekey),
        cmocka_unit_test(keys_that_end_close_the_vpn),
        cmocka_unit_test(one_of_two_sas_ends),
        cmocka_unit_test(the_spread_moves_the_reregistration),
        cmocka_unit_test(an_old_sa_that_ends_under_a_pull_is_replaced),
        cmocka_unit_test(a_new_sa_that_ends_under_a_pull_is_a_failure),
        cmocka_unit_test(the_lifetime_of_phase_1_ends),
        cmocka_unit_test(it_ends_under_a_pull),
        cmocka_unit_test(message_ids_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

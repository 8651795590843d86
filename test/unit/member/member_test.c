/* A member and the real key server, message by message: what a registration is, what is dropped,
 * and that nothing but a completed PULL gives a key. */
#include "unit/member/duo.h"

static const struct generation *blue_key(const struct duo *w, enum group_slot slot)
{
    return server_group(w->server, 0)->sas[0].slot[slot];
}

static void expect_registered(const struct duo *w, size_t vpn, size_t n_sas)
{
    struct member_vpn_view v = duo_vpn(w, vpn);
    assert_int_equal(v.state, MEMBER_REGISTERED);
    assert_int_equal(v.n_sas, n_sas);
    assert_int_equal(w->installed[vpn].n_sas, n_sas);
    assert_int_equal(v.last_error, ERR_OK);
}

static void a_member_registers(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    assert_int_equal(w->installed[0].times, 1); /* fail-close before anything else */
    assert_int_equal(w->installed[0].n_sas, 0);
    duo_phase1(w);
    assert_int_equal(w->n_packets, 1);
    struct packet p = duo_nth(w, 3); /* message 4: nothing is known before it */
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_int_equal(w->installed[0].times, 1);
    duo_give(w, &p);
    expect_registered(w, 0, 1);
    assert_int_equal(w->n_packets, 0);

    const struct generation *g = blue_key(w, GROUP_CURRENT);
    const struct esp_sa_install *sa = &w->installed[0].sas[0];
    assert_int_equal(sa->spi, g->spi);
    assert_int_equal(sa->slot, ESP_SLOT_CURRENT);
    assert_int_equal(sa->cipher, CIPHER_AES_128_CBC);
    assert_int_equal(sa->auth, AUTH_HMAC_SHA256_128);
    assert_int_equal(sa->n_selectors, 2);
    assert_true(secret_equal(secret_bytes(&sa->key), secret_bytes(&g->key)));
    assert_true(secret_equal(secret_bytes(&sa->auth_key), secret_bytes(&g->auth_key)));

    struct member_vpn_view v = duo_vpn(w, 0);
    assert_string_equal(v.state_name, "registered");
    assert_true(ip_equal(v.server, blue_at.ip));
    assert_int_equal(v.registered_at.ns, w->now.ns);
    assert_int_equal(v.due.ns, w->now.ns + span_s(3600 - 3 * 15).ns);
    assert_int_equal(v.kek.cookies.len, 0);
    assert_int_equal(v.counters.pull_succeeded, 1);
    struct member_sa_view s = member_sa(w->member, 0, 0, w->now);
    assert_int_equal(s.expiry.ns, w->now.ns + span_s(3600).ns);
    assert_int_equal(s.switch_at.ns, w->now.ns);
    assert_true(instant_is_never(s.drop_at));
    assert_int_equal(s.n_selectors, 2);
    assert_int_equal(s.selectors[1].protocol, 17);
    duo_says(w, EV_REGISTERED, "vpn", "blue");
    duo_close(w);
}

/* One phase 1 for both: six datagrams of main mode, and two PULLs after each other. */
static void two_vpns_of_one_gateway_share_a_phase_1(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->model.n_vpns = 2;
    duo_open(w);
    assert_int_equal(w->n_packets, 1);
    duo_run(w);
    expect_registered(w, 0, 1);
    expect_registered(w, 1, 1);
    assert_int_equal(phase1_count(member_phase1(w->member), false), 1);
    assert_int_equal(w->n_sent, 3 + 2 + 2);
    assert_int_equal(member_n_vpns(w->member), 2);
    assert_int_not_equal(w->installed[0].sas[0].spi, w->installed[1].sas[0].spi);
    assert_int_equal(server_group(w->server, 0)->registry.n, 1);
    assert_int_equal(server_group(w->server, 1)->registry.n, 1);
    duo_close(w);
}

/* ---- refusals: what the operator reads ---- */

static void expect_refused(struct duo *w, const char *reason)
{
    duo_run(w);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    assert_int_equal(w->installed[0].n_sas, 0);
    assert_int_equal(w->installed[0].times, 1);
    duo_last_error(w, ERR_REFUSED, reason);
    duo_says(w, EV_REGISTRATION_FAILED, "what", reason);
    assert_int_equal(duo_vpn(w, 0).counters.pull_failed, 1);
    duo_close(w);
}

static void an_unlisted_member_is_told(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.groups[0].n_gateways = 1; /* site-1 only */
    duo_open(w);
    expect_refused(w, "not authorised for this group");
}

static void an_unknown_group_is_told_alike(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->vpns[0].group_id = 77;
    duo_open(w);
    expect_refused(w, "not authorised for this group");
}

static void another_server_address_is_told(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->m.groups[0].server_address = red_at.ip;
    duo_open(w);
    expect_refused(w, "served at another address");
}

/* The other VPN of the same SA is none the worse. */
static void a_refusal_concerns_one_vpn(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->model.n_vpns = 2;
    w->vpns[0].group_id = 77;
    duo_open(w);
    duo_run(w);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    expect_registered(w, 1, 1);
    duo_until(w, 100);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    assert_true(duo_vpn(w, 0).counters.pull_failed > 3);
    assert_int_equal(phase1_count(member_phase1(w->member), false), 1);
    duo_close(w);
}

static void a_wrong_secret_never_comes_up(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    struct model_ike_policy wrong = w->m.policy;
    wrong.psk = bytes_str("something else");
    w->gateway.policy = &wrong;
    duo_open(w);
    duo_until(w, 90);
    assert_int_equal(w->installed[0].times, 1);
    assert_true(duo_vpn(w, 0).counters.pull_failed > 0);
    duo_last_error(w, ERR_TIMEOUT, "AUTHENTICATION-FAILED");
    duo_close(w);
}

/* ---- damage ---- */

/* Every octet of one message of the PULL turned over, one at a time: the member takes nothing of
 * it, and the right message still does its work. */
static void damage(size_t nth)
{
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet p = duo_nth(w, nth);
    assert_false(p.to_server);
    for (size_t i = 0; i < p.len; i++) {
        struct packet bad = p;
        bad.data[i] ^= 0xff;
        duo_give(w, &bad);
        assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
        assert_int_equal(w->installed[0].times, 1);
        assert_int_equal(w->n_packets, 0);
    }
    for (size_t len = 0; len < p.len; len++) {
        struct packet bad = p;
        bad.len = len;
        duo_give(w, &bad);
        assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    }
    duo_give(w, &p);
    duo_run(w);
    expect_registered(w, 0, 1);
    assert_true(duo_dropped(w, ERR_AUTH) > 0);
    duo_close(w);
}
static void no_octet_of_message_2_may_be_damaged(void **state)
{
    (void)state;
    damage(1);
}
static void no_octet_of_message_4_may_be_damaged(void **state)
{
    (void)state;
    damage(3);
}

/* Only the damaged copy comes: retransmission brings the same answer again. */
static void retransmission_repairs(void **state)
{
    (void)state;
    for (size_t nth = 0; nth < 4; nth++) {
        struct duo *w = duo_new();
        duo_open(w);
        duo_phase1(w);
        struct packet p = duo_nth(w, nth);
        p.data[p.len - 1] ^= 1;
        duo_give(w, &p);
        assert_int_not_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
        duo_until(w, 0.6);
        expect_registered(w, 0, 1);
        assert_int_equal(phase1_count(member_phase1(w->member), false), 1);
        duo_close(w);
    }
}

/* ---- replays and order ---- */

static void repeated_and_late_messages_change_nothing(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    struct packet seen[10];
    duo_open(w);
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        seen[i] = duo_take(w);
        duo_give(w, &seen[i]);
        for (size_t j = 0; j <= i; j++) { /* everything so far once more, to the member */
            if (!seen[j].to_server)
                duo_give(w, &seen[j]);
        }
    }
    expect_registered(w, 0, 1);
    assert_int_equal(w->installed[0].times, 2);
    assert_int_equal(duo_events(w, EV_REGISTERED), 1);
    for (size_t j = 0; j < ARRAY_LEN(seen); j++)
        duo_give(w, &seen[j]);
    assert_int_equal(w->installed[0].times, 2);
    assert_true(duo_dropped(w, ERR_UNEXPECTED) >= 2); /* the PULL's two, after it is over */
    duo_close(w);
}

/* Message 4 of an earlier PULL, and messages out of turn, while a new PULL waits. */
static void messages_of_another_pull_are_not_taken(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet second = duo_nth(w, 1);
    duo_give(w, &second);
    struct packet fourth = duo_nth(w, 1);
    duo_give(w, &fourth);
    expect_registered(w, 0, 1);
    assert_int_equal(member_reregister(w->member, w->now, "blue", &w->out), ERR_OK);
    duo_carry(w, true);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    uint64_t before = duo_dropped(w, ERR_UNEXPECTED);
    duo_give(w, &second);
    duo_give(w, &fourth);
    assert_int_equal(duo_dropped(w, ERR_UNEXPECTED), before + 2);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    /* our own message 1, reflected */
    struct packet own = duo_take(w);
    struct packet reflected = own;
    reflected.to_server = false;
    reflected.from = own.to;
    reflected.to = own.from;
    duo_give(w, &reflected);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_int_equal(w->installed[0].times, 2);
    duo_give(w, &own);
    duo_run(w);
    expect_registered(w, 0, 1);
    duo_close(w);
}

static void strangers_are_counted(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    duo_open(w);
    duo_phase1(w);
    struct packet second = duo_nth(w, 1);
    struct packet bad = second;
    bad.from.ip = ip_v4(0x0a0000fd); /* the right cookies from elsewhere */
    duo_give(w, &bad);
    bad = second;
    bad.data[0] ^= 1; /* unknown cookies */
    duo_give(w, &bad);
    assert_int_equal(duo_dropped(w, ERR_UNKNOWN_SA), 2);
    bad = second;
    bad.data[18] = IKE1_EXCHANGE_GROUPKEY_PUSH_ACK; /* nobody sends those to a member */
    duo_give(w, &bad);
    assert_int_equal(duo_dropped(w, ERR_TYPE), 1);
    bad.len = 20;
    duo_give(w, &bad);
    assert_int_equal(duo_dropped(w, ERR_SHORT), 1);
    duo_says(w, EV_DATAGRAM_DROPPED, "what", "header");
    uint8_t big[DATAGRAM_MAX + 1] = {0};
    member_datagram(w->member, w->now, second.from, second.to, big, sizeof big, &w->out);
    duo_carry(w, true);
    assert_int_equal(duo_dropped(w, ERR_LENGTH), 1);
    bad = second;
    bad.data[19] &= (uint8_t)~1u; /* not encrypted */
    uint64_t before = duo_dropped(w, ERR_UNEXPECTED);
    duo_give(w, &bad);
    assert_int_equal(duo_dropped(w, ERR_UNEXPECTED), before + 1);
    duo_give(w, &second);
    duo_run(w);
    expect_registered(w, 0, 1);
    duo_close(w);
}

/* ---- operator ---- */

static void an_operator_registers_again(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->model.n_vpns = 2;
    duo_open(w);
    duo_run(w);
    assert_int_equal(member_reregister(w->member, w->now, "green", &w->out), ERR_NOT_FOUND);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_int_equal(duo_vpn(w, 1).state, MEMBER_PHASE1); /* its turn comes */
    assert_int_equal(duo_vpn(w, 0).n_sas, 1);             /* make before break */
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    assert_int_equal(w->n_packets, 1); /* both are at it already */
    duo_run(w);
    expect_registered(w, 0, 1);
    expect_registered(w, 1, 1);
    assert_int_equal(duo_vpn(w, 0).counters.pull_succeeded, 2);
    assert_int_equal(duo_vpn(w, 1).counters.pull_succeeded, 2);
    assert_int_equal(w->n_sent, 3 + 2 * 4);
    duo_close(w);
}

static void a_stopped_member_stays_stopped(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    w->model.n_vpns = 2;
    duo_open(w);
    duo_phase1(w); /* blue pulls, red waits */
    member_stop(w->member, w->now, &w->out);
    duo_carry(w, true);
    assert_int_equal(phase1_count(member_phase1(w->member), false), 0);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_IDLE);
    assert_string_equal(duo_vpn(w, 0).state_name, "idle");
    assert_true(instant_is_never(member_due(w->member)));
    duo_run(w);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0); /* it was told */
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    assert_int_equal(w->n_packets, 0);
    assert_true(instant_is_never(member_due(w->member)));
    member_stop(w->member, w->now, &w->out); /* twice does no harm */
    member_free(NULL);
    duo_close(w);
}

/* Nobody shares a phase 1 across gateways, not even to the same server. */
static void each_gateway_has_its_own_phase_1(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    struct model_member_gateway both[2] = {w->gateway, w->gateway};
    w->model.gateways = both;
    w->model.n_gateways = 2;
    w->model.n_vpns = 2;
    w->vpns[0].gateway = &both[0];
    w->vpns[1].gateway = &both[1];
    duo_open(w);
    assert_int_equal(w->n_packets, 2);
    duo_until(w, 10);
    expect_registered(w, 0, 1);
    expect_registered(w, 1, 1);
    duo_close(w);
}

static void fresh_seed_is_mixed_in(void **state)
{
    (void)state;
    struct packet first[2];
    for (uint8_t i = 0; i < 2; i++) {
        struct duo *w = duo_new();
        uint8_t seed[DRBG_SEED] = {i};
        duo_open(w);
        duo_phase1(w);
        w->n_packets = 0;
        member_reseed(w->member, seed);
        duo_tick(w);
        duo_until(w, 1);
        assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
        duo_carry(w, true);
        first[i] = duo_take(w);
        duo_close(w);
    }
    assert_false(
        bytes_equal(bytes(first[0].data, first[0].len), bytes(first[1].data, first[1].len)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_registers),
        cmocka_unit_test(two_vpns_of_one_gateway_share_a_phase_1),
        cmocka_unit_test(an_unlisted_member_is_told),
        cmocka_unit_test(an_unknown_group_is_told_alike),
        cmocka_unit_test(another_server_address_is_told),
        cmocka_unit_test(a_refusal_concerns_one_vpn),
        cmocka_unit_test(a_wrong_secret_never_comes_up),
        cmocka_unit_test(no_octet_of_message_2_may_be_damaged),
        cmocka_unit_test(no_octet_of_message_4_may_be_damaged),
        cmocka_unit_test(retransmission_repairs),
        cmocka_unit_test(repeated_and_late_messages_change_nothing),
        cmocka_unit_test(messages_of_another_pull_are_not_taken),
        cmocka_unit_test(strangers_are_counted),
        cmocka_unit_test(an_operator_registers_again),
        cmocka_unit_test(a_stopped_member_stays_stopped),
        cmocka_unit_test(each_gateway_has_its_own_phase_1),
        cmocka_unit_test(fresh_seed_is_mixed_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

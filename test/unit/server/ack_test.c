/* Acknowledgements (RFC 8263): what counts, and each reason for which one does not. */
#include "unit/server/pushed.h"

/* Two members, a new TEK at 3540 in SEQ 12, which nobody has answered. */
static struct world *open_pushed(void)
{
    struct model_communication c = two_groups_communication();

    c.lifetime_s = 86400;
    struct world *w = pushed_open(&c);
    pushed_register(w, 0);
    pushed_register(w, 1);
    world_until(w, 3540);
    assert_int_equal(world_blue(w)->push_seq, 12);
    return w;
}

static const struct push_counters *counters(const struct world *w)
{
    return &world_blue(w)->push->counters;
}

static struct answer right(const struct world *w)
{
    return answer_to(w, 0, 12, pushed_kek(w, GROUP_KEK_CURRENT));
}

static void expect_refused(struct world *w, const struct answer *a, enum err why)
{
    uint64_t before = world_dropped(w, why);

    answer_send(w, a);
    assert_int_equal(world_dropped(w, why), before + 1);
    world_says(w, EV_DATAGRAM_DROPPED, "what", "acknowledgement");
    assert_int_equal(counters(w)->acks, 0);
    assert_int_equal(members_awaiting(world_blue(w)), 2);
}

static void one_counts_once(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    answer_send(w, &a);
    assert_int_equal(members_awaiting(world_blue(w)), 1);
    assert_true(pushed_member(w, 0)->proven);
    assert_false(pushed_member(w, 1)->proven);
    answer_send(w, &a);
    assert_int_equal(counters(w)->acks, 2);
    assert_int_equal(counters(w)->acks_repeated, 1);
    assert_int_equal(members_awaiting(world_blue(w)), 1);
    world_close(w);
}

/* RFC 8263 3.2 can be read in two ways. */
static void both_readings_of_the_length_count(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    a.l = GDOI_ACK_L_SHA256_OTHER;
    answer_send(w, &a);
    assert_int_equal(counters(w)->acks, 1);
    a = answer_to(w, 1, 12, pushed_kek(w, GROUP_KEK_CURRENT));
    a.l = 0x0080;
    answer_send(w, &a);
    assert_int_equal(counters(w)->acks_refused[ERR_AUTH], 1);
    world_close(w);
}

static void a_forged_one_is_told(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    a.key.b[0] ^= 1;
    expect_refused(w, &a, ERR_AUTH);
    world_says(w, EV_ACK_FORGED, "peer", "10.0.0.1");
    assert_int_equal(event_level(EV_ACK_FORGED), EVENT_WARNING);
    assert_int_equal(counters(w)->acks_refused[ERR_AUTH], 1);
    world_close(w);
}

static void each_claim_is_checked(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    a.spi.i[0] ^= 1; /* no KEK of ours */
    expect_refused(w, &a, ERR_UNKNOWN_SA);
    a = right(w);
    a.from.ip = ip_v4(0xc0000207); /* nobody's address */
    expect_refused(w, &a, ERR_ADDRESS);
    a = right(w);
    a.id = w->gm[1].local.ip; /* somebody else's */
    expect_refused(w, &a, ERR_IDENTITY);
    a = right(w);
    a.seq = 11; /* before the newest keys: a heartbeat's */
    expect_refused(w, &a, ERR_REPLAY);
    a.seq = 13; /* not sent yet */
    expect_refused(w, &a, ERR_REPLAY);
    world_close(w);
}

static void its_form_is_checked(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    size_t len = answer_write(&a, room);
    assert_int_equal(len, 28 + 36 + 8 + 12);
    for (size_t cut = IKE1_HEADER; cut < len; cut++) { /* a length that is true, and too short */
        uint8_t less[DATAGRAM_MAX];
        memcpy(less, room, cut);
        struct wr l = wr_of(less + 24, 4);
        wr_u32(&l, (uint32_t)cut);
        world_give(w, a.from, blue_at, bytes(less, cut));
    }
    room[19] = IKE1_FLAG_ENCRYPTION;
    world_give(w, a.from, blue_at, bytes(room, len));
    assert_int_equal(counters(w)->acks_refused[ERR_VALUE], 1);
    room[19] = 0;
    room[23] = 1; /* message id */
    world_give(w, a.from, blue_at, bytes(room, len));
    assert_int_equal(counters(w)->acks_refused[ERR_VALUE], 2);
    room[23] = 0;
    world_give(w, a.from, red_at, bytes(room, len)); /* another group's address */
    assert_int_equal(counters(w)->acks_refused[ERR_ADDRESS], 1);
    assert_int_equal(counters(w)->acks, 0);
    world_give(w, a.from, blue_at, bytes(room, len));
    assert_int_equal(counters(w)->acks, 1);
    world_close(w);
}

/* The third round was sent; the first one's answer was slow. */
static void an_answer_to_an_earlier_round_counts(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    world_until(w, 3549);
    assert_int_equal(world_blue(w)->push_seq, 14);
    answer_send(w, &a);
    assert_int_equal(members_awaiting(world_blue(w)), 1);
    world_close(w);
}

static void a_late_one_reinstates(void **state)
{
    (void)state;
    struct world *w = open_pushed();
    struct answer a = right(w);
    world_until(w, 3553);
    assert_int_equal(members_struck(world_blue(w)), 2);
    answer_send(w, &a);
    assert_int_equal(members_struck(world_blue(w)), 1);
    assert_int_equal(pushed_member(w, 0)->status, REGISTRY_ACTIVE);
    assert_int_equal(pushed_member(w, 0)->reason, REGISTRY_NO_REASON);
    assert_int_equal(counters(w)->reinstated, 1);
    world_says(w, EV_MEMBER_REINSTATED, "peer", "10.0.0.1");
    w->n_fans = 0;
    world_until(w, 3600); /* and it hears the heartbeat that follows */
    assert_int_equal(w->n_fans, 1);
    world_close(w);
}

/* Members answer deletes as well (RFC 8263 4); those bring no keys. */
static void an_answer_to_a_delete_says_nothing_of_keys(void **state)
{
    static const uint32_t spi = 0x4711;
    const struct push_delete one = {.spis = &spi, .n = 1};
    (void)state;
    struct world *w = open_pushed();
    push_delete(w->server, w->server->groups[0], w->now, &one, &w->out);
    world_collect(w);
    struct answer a = right(w);
    a.seq = 13;
    answer_send(w, &a);
    assert_int_equal(counters(w)->acks, 1);
    assert_true(pushed_member(w, 0)->proven);
    assert_int_equal(members_awaiting(world_blue(w)), 2);
    a.seq = 12;
    answer_send(w, &a);
    assert_int_equal(members_awaiting(world_blue(w)), 1);
    world_close(w);
}

/* So many deletes that the server does not remember which they were. */
static void answers_from_before_too_many_deletes_do_not_count(void **state)
{
    static const uint32_t spi = 0x4711;
    const struct push_delete one = {.spis = &spi, .n = 1};
    (void)state;
    struct world *w = open_pushed();
    announce_stop(&w->server->groups[0]->push->announcement);
    for (size_t i = 0; i <= ANNOUNCE_KEYLESS_MAX; i++)
        push_delete(w->server, w->server->groups[0], w->now, &one, &w->out);
    world_collect(w);
    assert_int_equal(world_blue(w)->push_seq, 12 + ANNOUNCE_KEYLESS_MAX + 1);
    struct answer a = right(w);
    expect_refused(w, &a, ERR_REPLAY);
    world_close(w);
}

/* Under the KEK before, whose keys push out those of the one before that. */
static void under_either_live_kek(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].communication = two_groups_communication();
    w->m.blue_sas[0].proposal = &w->m.day;
    world_open(w);
    pushed_register(w, 0);
    for (unsigned round = 1; round <= 3; round++) {
        world_until(w, 1740.0 * round);
        pushed_acknowledge(w, 0, world_blue(w)->push_seq, pushed_kek(w, GROUP_KEK_PREVIOUS));
        assert_int_equal(members_awaiting(world_blue(w)), 0);
        w->n_fans = 0;
    }
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_close(w);
}

static void in_a_multicast_group_nobody_was_asked(void **state)
{
    struct model_communication c = two_groups_communication();
    (void)state;
    c.type = MODEL_PUSH_MULTICAST;
    c.multicast_group = ip_v4(0xefc00001);
    c.multicast_interface = "eth7";
    struct world *w = pushed_open(&c);
    pushed_register(w, 0);
    world_until(w, 1740);
    struct answer a = answer_to(w, 0, world_blue(w)->push_seq, pushed_kek(w, GROUP_KEK_PREVIOUS));
    answer_send(w, &a);
    assert_int_equal(counters(w)->acks_refused[ERR_UNEXPECTED], 1);
    world_close(w);
}

/* ---- two members behind one address ---- */

static void a_second_member_behind_an_address_is_refused(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = open_pushed();
    struct registry *r = &w->server->groups[0]->registry;
    struct registration other = {.gateway = &w->m.gateways[1],
                                 .identity = {MODEL_ID_FQDN, bytes_str("other")},
                                 .remote = {w->gm[0].local.ip, 4848},
                                 .now = w->now};
    assert_int_equal(registry_put(r, &other), ERR_OK);
    world_from(w, &w->gm[0], pull_client_1(&w->gm[0], BLUE, NULL, room));
    struct packet p = world_take(w);
    pull_client_phase1(&w->gm[0], w->now, p.from, p.data, p.len);
    assert_int_equal(w->gm[0].refusal.reason, GDOI_REASON_ADDRESS);
    world_says(w, EV_MEMBER_REFUSED, "what", "same address");
    registry_strike(registry_find(r, other.identity), REGISTRY_SILENT, w->now);
    world_pull(w, &w->gm[0], BLUE); /* it has been replaced */
    assert_null(registry_find(r, other.identity));
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_counts_once),
        cmocka_unit_test(both_readings_of_the_length_count),
        cmocka_unit_test(a_forged_one_is_told),
        cmocka_unit_test(each_claim_is_checked),
        cmocka_unit_test(its_form_is_checked),
        cmocka_unit_test(an_answer_to_an_earlier_round_counts),
        cmocka_unit_test(a_late_one_reinstates),
        cmocka_unit_test(an_answer_to_a_delete_says_nothing_of_keys),
        cmocka_unit_test(answers_from_before_too_many_deletes_do_not_count),
        cmocka_unit_test(under_either_live_kek),
        cmocka_unit_test(in_a_multicast_group_nobody_was_asked),
        cmocka_unit_test(a_second_member_behind_an_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

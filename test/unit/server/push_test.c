/* GROUPKEY-PUSH of the server, read as a member reads it: what is in it, when it leaves, for whom,
 * and what must be durable before. TEK lifetime 3600, KEK 1800, ATD 15, 2 repeats after 4 s. */
#include "unit/server/pushed.h"

#include "sa/phase1_internal.h"
#include "server/groups.h"

static struct model_communication unicast(uint32_t lifetime_s)
{
    struct model_communication c = two_groups_communication();
    c.lifetime_s = lifetime_s;
    return c;
}

static struct world *open_unicast(uint32_t kek_lifetime_s)
{
    struct model_communication c = unicast(kek_lifetime_s);
    return pushed_open(&c);
}

/* A push of the next TEK at 3540 with what is left of its delays. */
static void expect_tek(struct world *w, uint32_t seq, unsigned atd, unsigned dtd)
{
    const struct generation *next = world_key(w, 0, GROUP_NEXT);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_CURRENT));

    assert_true(endpoint_equal(p->from, blue_at));
    assert_int_equal(p->seq, seq);
    assert_false(p->sa.has_sak); /* RFC 6407 4: one would mean a new KEK */
    assert_true(p->sa.has_gap && p->sa.gap.has_atd && p->sa.gap.has_dtd);
    assert_int_equal(p->sa.gap.atd, atd);
    assert_int_equal(p->sa.gap.dtd, dtd);
    assert_int_equal(p->sa.n_sats, 2); /* the policies of one ipsec-sa */
    assert_int_equal(p->sa.sats[0].spi, next->spi);
    assert_int_equal(p->sa.sats[0].life.seconds, 3600 - (30 - atd));
    assert_int_equal(p->kd.n_teks, 1);
    assert_false(p->kd.has_kek);
    assert_true(bytes_equal(p->kd.teks[0].cipher_key, secret_bytes(&next->key)));
    assert_true(bytes_equal(p->kd.teks[0].integrity_key, secret_bytes(&next->auth_key)));
    assert_int_equal(p->n_deletes, 0);
    /* for natives: the clock when it left */
    assert_int_equal(p->has_state, w->m.groups[0].communication.type == MODEL_PUSH_UNICAST);
    free(p);
}

static void a_new_tek_is_pushed_at_l_minus_4_atd(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    pushed_register(w, 1);
    world_until(w, 3539.9);
    size_t beats = w->n_fans; /* heartbeats, each 300 s */
    assert_int_equal(beats, 11);
    w->n_fans = 0;
    world_until(w, 3540);
    assert_int_equal(w->n_fans, 1);
    assert_int_equal(w->fans[0].n, 2);
    assert_int_equal(members_awaiting(world_blue(w)), 2);
    expect_tek(w, 12, 30, 45);
    pushed_acknowledge(w, 0, 12, pushed_kek(w, GROUP_KEK_CURRENT));
    pushed_acknowledge(w, 1, 12, pushed_kek(w, GROUP_KEK_CURRENT));
    assert_int_equal(members_awaiting(world_blue(w)), 0);
    world_until(w, 3554);
    assert_int_equal(w->n_fans, 0); /* nobody is left to be asked again */
    assert_int_equal(world_blue(w)->push->counters.acks, 2);
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_close(w);
}

/* Each repeat is a new message: the next SEQ, and what is left by then (M4). */
static void rounds_go_to_who_is_silent_and_tell_what_is_left(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    pushed_register(w, 1);
    world_until(w, 3540);
    w->fans[0] = w->fans[w->n_fans - 1];
    w->n_fans = 1;
    expect_tek(w, 12, 30, 45);
    pushed_acknowledge(w, 1, 12, pushed_kek(w, GROUP_KEK_CURRENT));
    world_until(w, 3544);
    assert_int_equal(w->n_fans, 1);
    assert_int_equal(w->fans[0].n, 1);
    assert_true(endpoint_equal(w->fans[0].to[0], w->gm[0].local));
    expect_tek(w, 13, 26, 41);
    world_until(w, 3548);
    expect_tek(w, 14, 22, 37);
    assert_int_equal(world_blue(w)->push->counters.pushed, 4);
    world_until(w, 3551.9);
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_until(w, 3552); /* the last round and a period more */
    assert_int_equal(w->n_fans, 0);
    assert_int_equal(members_struck(world_blue(w)), 1);
    world_says(w, EV_MEMBER_STRUCK, "what", "did not acknowledge");
    world_says(w, EV_MEMBER_STRUCK, "peer", "10.0.0.1");
    const struct registry_member *m = pushed_member(w, 0);
    assert_int_equal(m->status, REGISTRY_STRUCK);
    assert_int_equal(m->reason, REGISTRY_SILENT);
    assert_int_equal(registry_struck(m).ns, w->now.ns);
    world_close(w);
}

static void nobody_is_struck_before_ten_seconds(void **state)
{
    struct model_communication c = unicast(86400);
    (void)state;
    c.n_retransmission = 0;
    c.retransmission_period_s = 2;
    struct world *w = pushed_open(&c);
    pushed_register(w, 0);
    world_until(w, 3549.9);
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_until(w, 3550);
    assert_int_equal(members_struck(world_blue(w)), 1);
    world_close(w);
}

static void a_struck_member_hears_nothing_until_it_registers(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3600);
    assert_int_equal(members_struck(world_blue(w)), 1);
    w->n_fans = 0;
    world_until(w, 7200);
    assert_int_equal(w->n_fans, 0); /* neither heartbeats nor the key of 7080 */
    uint32_t seq = world_blue(w)->push_seq;
    world_phase1(w, &w->gm[0]);
    world_pull(w, &w->gm[0], BLUE);
    assert_int_equal(pushed_member(w, 0)->status, REGISTRY_ACTIVE);
    assert_int_equal(world_blue(w)->push_seq, seq); /* it has the newest keys: no round */
    world_until(w, 7500);
    assert_int_equal(w->n_fans, 1);
    world_close(w);
}

/* ---- the KEK ---- */

static void a_new_kek_goes_under_the_old_one(void **state)
{
    (void)state;
    struct world *w = open_unicast(1800);
    pushed_register(w, 0);
    world_until(w, 1739.9);
    w->n_fans = 0;
    world_until(w, 1740);
    const struct kek_generation *old = pushed_kek(w, GROUP_KEK_PREVIOUS),
                                *new = pushed_kek(w, GROUP_KEK_CURRENT);
    struct pushed *p = pushed_take(w, old);
    assert_true(p->sa.has_sak);
    assert_memory_equal(&p->sa.sak.spi, new->spi, KEK_SPI);
    assert_true(ip_equal(p->sa.sak.dst.ip, ip_v4(0))); /* one message for all (S27) */
    assert_int_equal(p->sa.sak.lifetime, 1800);
    assert_int_equal(p->sa.sak.ack, GDOI_ACK_KEK_SHA256);
    assert_true(p->kd.has_kek);
    assert_memory_equal(&p->kd.kek.spi, new->spi, KEK_SPI);
    assert_int_equal(gdoi_kd_match(&p->sa, &p->kd, &p->header.cookies, NULL), ERR_OK);
    assert_int_equal(p->kd.n_teks, 1); /* RFC 6407 5.6.1: at least one */
    assert_int_equal(p->sa.sats[0].spi, world_key(w, 0, GROUP_CURRENT)->spi);
    assert_int_equal(p->sa.sats[0].life.seconds, 1860);
    assert_int_equal(p->sa.gap.atd, 0);
    free(p);
    world_until(w, 1744); /* its repeats, too */
    p = pushed_take(w, old);
    assert_int_equal(p->sa.sak.lifetime, 1796);
    pushed_acknowledge(w, 0, p->seq, old);
    free(p);
    world_until(w, 1755); /* what comes next goes under the new one */
    assert_int_equal(w->n_fans, 1);
    p = pushed_take(w, new);
    assert_true(p->has_state);
    free(p);
    world_close(w);
}

/* Lifetimes of an hour both: two messages could arrive the wrong way round (M5). */
static void a_kek_and_a_tek_that_fall_due_together_are_one_message(void **state)
{
    (void)state;
    struct world *w = open_unicast(3600);
    pushed_register(w, 0);
    world_until(w, 3539.9);
    w->n_fans = 0;
    world_until(w, 3540);
    assert_int_equal(w->n_fans, 1);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_PREVIOUS));
    assert_true(p->sa.has_sak && p->kd.has_kek);
    assert_int_equal(p->sa.n_sats, 2);
    assert_int_equal(p->sa.sats[0].spi, world_key(w, 0, GROUP_NEXT)->spi);
    assert_int_equal(p->sa.gap.atd, 30);
    assert_int_equal(world_blue(w)->version, 3); /* the first key, the first KEK, both */
    free(p);
    world_close(w);
}

static void a_kek_out_of_turn_is_called_under_the_old_one_until_that_ends(void **state)
{
    (void)state;
    struct world *w = open_unicast(1800);
    pushed_register(w, 0);
    world_until(w, 100);
    group_rekey_kek(w->server->groups[0]);
    world_until(w, 100);
    const struct kek_generation *old = pushed_kek(w, GROUP_KEK_PREVIOUS);
    assert_non_null(old);
    world_until(w, 114.9); /* three rounds, unanswered; then it is struck */
    assert_int_equal(members_struck(world_blue(w)), 1);
    pushed_register(w, 0);
    struct registry_member *m =
        registry_at_address(&w->server->groups[0]->registry, w->gm[0].local.ip);
    m->version--; /* as if its registration were older than the change */
    w->n_fans = 0;
    world_until(w, 115);
    struct pushed *p = pushed_take(w, old);
    assert_true(p->has_state && !p->has_sa && !p->state.re_register);
    assert_memory_equal(&p->state.kek, pushed_kek(w, GROUP_KEK_CURRENT)->spi, KEK_SPI);
    free(p);
    world_until(w, 1799);
    assert_non_null(pushed_kek(w, GROUP_KEK_PREVIOUS));
    world_until(w, 1801);
    assert_null(pushed_kek(w, GROUP_KEK_PREVIOUS));
    assert_int_equal(world_blue(w)->push->counters.deletes, 0);
    world_close(w);
}

/* ---- what must be durable first ---- */

static void nothing_undurable_is_seen(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3539.9);
    w->n_fans = 0;
    w->hold_store = true;
    world_until(w, 3541);
    assert_non_null(world_key(w, 0, GROUP_MINTED));
    assert_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(w->n_fans, 0);
    pushed_register(w, 0); /* has what is there for sure */
    assert_int_equal(w->gm[0].offer.n_sats, 2);
    assert_int_equal(w->n_waiting, 2); /* and those of the other group */
    world_answer(w, ERR_OK);
    world_answer(w, ERR_OK);
    assert_null(world_key(w, 0, GROUP_MINTED));
    expect_tek(w, 12, 29, 44); /* the keys came with its SEQ; the delays are of now */
    world_until(w, 3545);
    assert_int_equal(w->n_fans, 0); /* SEQ 13 is on its way to the store */
    assert_int_equal(w->n_waiting, 1);
    world_answer(w, ERR_OK);
    expect_tek(w, 13, 25, 40);
    world_close(w);
}

/* The store's answer about keys says nothing of a message that was begun after them. */
static void an_answer_speaks_for_its_own_number(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3539.9);
    const struct group *g = world_blue(w);
    w->n_fans = 0;
    w->hold_store = true;
    g->push->beat.heartbeat_at = w->now;
    world_until(w, 3539.95);
    assert_int_equal(w->n_waiting, 1); /* SEQ 12 */
    world_until(w, 3540);
    assert_non_null(world_key(w, 0, GROUP_MINTED));
    world_answer(w, ERR_OK);
    assert_int_equal(g->push_seq, 12);
    assert_int_equal(w->n_fans, 1);
    g->push->beat.heartbeat_at = w->now;
    world_until(w, 3540);
    assert_int_equal(w->n_waiting, 3); /* the keys of both groups, then SEQ 13 */
    world_answer(w, ERR_OK);
    world_answer(w, ERR_OK);
    assert_non_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(g->push_seq_durable, 12);
    world_answer(w, ERR_SYSTEM);
    assert_int_equal(w->n_fans, 1); /* the announcement waits for a number, too */
    assert_int_equal(w->n_waiting, 1);
    w->n_fans = 0;
    world_answer(w, ERR_OK);
    expect_tek(w, 13, 30, 45);
    world_close(w);
}

/* The last round of older keys, being signed when new ones come, gives way: whoever missed it finds
 * its keys in the next push. */
static void the_keys_of_a_round_that_gives_way_come_with_the_next(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3539.9);
    struct push *p = world_blue(w)->push;
    w->n_fans = 0;
    p->announcement.state = ANNOUNCE_SENDING;
    p->message.subject.kind = PUSH_KEYS;
    p->message.stage = PUSH_SIGNING;
    p->message.waits_for = 4711;
    world_until(w, 3540);
    expect_tek(w, 12, 30, 45);
    assert_true(p->announcement.all);
    assert_int_equal(p->announcement.first_seq, 12);
    world_close(w);
}

static void keys_that_cannot_be_stored_are_told_and_made_anew(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3539.9);
    w->n_fans = 0;
    w->store_fails = true;
    world_until(w, 3540);
    world_says(w, EV_STORE_FAILED, "what", "goes on with those it has");
    assert_int_equal(event_level(EV_STORE_FAILED), EVENT_ERROR);
    assert_null(world_key(w, 0, GROUP_MINTED));
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number, 1);
    pushed_register(w, 0); /* what is durable goes on being served */
    w->store_fails = false;
    world_until(w, 3599.9);
    assert_int_equal(w->n_fans, 0);
    world_until(w, 3600);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number,
                     3);            /* its predecessor has just ended */
    assert_int_equal(w->n_fans, 2); /* and a heartbeat */
    world_close(w);
}

static void a_number_that_cannot_be_stored_stops_the_message(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 290);
    world_until(w, 310); /* uses the number that came with the keys */
    assert_int_equal(w->n_fans, 1);
    w->store_fails = true;
    world_until(w, 610);
    assert_int_equal(w->n_fans, 1);
    world_says(w, EV_PUSH_FAILED, "what", "number");
    uint64_t failed = world_blue(w)->push->counters.failed;
    assert_true(failed >= 1);
    w->store_fails = false;
    world_until(w, 616);
    assert_int_equal(w->n_fans, 2);
    assert_int_equal(world_blue(w)->push_seq, 2);
    world_close(w);
}

static void a_signature_that_fails_is_tried_again(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    w->fail_signatures = true;
    world_until(w, 3541);
    assert_int_equal(w->n_fans, 0);
    world_says(w, EV_PUSH_FAILED, "what", "signed");
    w->fail_signatures = false;
    world_until(w, 3546);
    expect_tek(w, 1, 25, 40); /* the number was never on the wire */
    world_close(w);
}

/* A round of the TEK waits for its SEQ while a KEK comes: an answer to it would count for both. */
static void what_is_superseded_does_not_leave(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    world_until(w, 3541);
    w->n_fans = 0;
    w->hold_store = true;
    world_until(w, 3544);
    assert_int_equal(g->push->message.stage, PUSH_STORING);
    group_rekey_kek(g);
    world_until(w, 3544);
    assert_int_equal(w->n_waiting, 2);
    uint64_t round = w->waiting[0];
    w->waiting[0] = w->waiting[1]; /* the keys are stored first */
    w->waiting[1] = round;
    world_answer(w, ERR_OK);
    world_answer(w, ERR_OK);
    assert_int_equal(w->n_fans, 1);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_PREVIOUS));
    assert_int_equal(p->seq, g->push->announcement.first_seq);
    assert_true(p->sa.has_sak);
    assert_int_equal(p->sa.sats[0].spi,
                     world_key(w, 0, GROUP_NEXT)->spi); /* nothing is lost by it */
    free(p);
    world_close(w);
}

/* ---- a registration that overlaps a changeover ---- */

static void a_latecomer_gets_a_round(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 3539.5);
    world_ask(w, gm, BLUE);
    world_until(w, 3541);
    assert_int_equal(w->n_fans, 0); /* nobody is registered */
    world_finish(w, gm);
    expect_tek(w, 1, 29, 44);
    pushed_acknowledge(w, 0, 1, pushed_kek(w, GROUP_KEK_CURRENT));
    world_until(w, 3553);
    assert_int_equal(w->n_fans, 0);
    assert_int_equal(members_awaiting(world_blue(w)), 0);
    world_close(w);
}

/* However many they are: one signature serves all who come within a second. */
static void latecomers_share_a_round(void **state)
{
    (void)state;
    struct model_communication c = unicast(86400);
    c.n_retransmission = 0;
    struct world *w = pushed_open(&c);
    for (unsigned i = 0; i < 2; i++)
        world_phase1(w, &w->gm[i]);
    world_until(w, 3539.5);
    for (unsigned i = 0; i < 2; i++)
        world_ask(w, &w->gm[i], BLUE);
    world_until(w, 3541);
    world_finish(w, &w->gm[0]);
    assert_int_equal(w->n_fans, 1);
    world_until(w, 3541.2);
    world_finish(w, &w->gm[1]);
    struct registry_member *m =
        registry_at_address(&w->server->groups[0]->registry, w->gm[0].local.ip);
    m->version--;
    world_until(w, 3541.4);
    push_to_latecomer(w->server->groups[0], m, w->now); /* and one more */
    world_until(w, 3541.9);
    assert_int_equal(w->n_fans, 1);
    world_until(w, 3542);
    assert_int_equal(w->n_fans, 2);
    world_close(w);
}

/* ---- signs of life ---- */

static void heartbeats_keep_their_interval(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 299.9);
    assert_int_equal(w->n_fans, 0);
    world_until(w, 900);
    assert_int_equal(w->n_fans, 3);
    for (uint32_t i = 1; i <= 3; i++) {
        struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_CURRENT));
        assert_int_equal(p->seq, i);
        assert_true(p->has_state && !p->has_sa && p->n_deletes == 0);
        assert_int_equal(p->state.heartbeat, 300);
        assert_false(p->state.re_register);
        assert_memory_equal(p->state.digest, w->gm[0].state.digest, GDOI_DIGEST);
        free(p);
    }
    assert_int_equal(world_blue(w)->push->counters.heartbeats, 3);
    world_close(w);
}

static void one_more_heartbeat_follows_a_changeover(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 3540);
    uint32_t seq = world_blue(w)->push_seq;
    pushed_acknowledge(w, 0, seq, pushed_kek(w, GROUP_KEK_CURRENT));
    w->n_fans = 0;
    world_until(w, 3555); /* created + ATD: time to pull before the switch (M6) */
    assert_int_equal(w->n_fans, 1);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_CURRENT));
    assert_true(p->has_state);
    assert_memory_not_equal(p->state.digest, w->gm[0].state.digest, GDOI_DIGEST);
    free(p);
    world_until(w, 3855);
    assert_int_equal(w->n_fans, 1); /* and the interval starts there */
    world_close(w);
}

static void foreign_members_get_no_heartbeat_and_are_not_struck(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct pull_client *gm = &w->gm[0];
    size_t cursor = 0;
    world_phase1(w, gm);
    phase1_next(server_phase1(w->server), &cursor)->native = false;
    world_pull(w, gm, BLUE);
    world_until(w, 3539);
    assert_int_equal(w->n_fans, 0);
    world_until(w, 3560);
    assert_int_equal(w->n_fans, 3); /* it may or may not have heard */
    assert_int_equal(members_struck(world_blue(w)), 0);
    assert_int_equal(members_awaiting(world_blue(w)), 0); /* believed */
    for (double s = 7000; s < 94000; s += 7000) {         /* all that it came for ends */
        world_until(w, s);
        w->n_fans = 0;
    }
    assert_int_equal(members_struck(world_blue(w)), 1);
    assert_int_equal(pushed_member(w, 0)->reason, REGISTRY_UNHEARD);
    world_close(w);
}

/* ---- multicast ---- */

static void multicast_copies_go_to_the_group(void **state)
{
    struct model_communication c = unicast(86400);
    (void)state;
    c.type = MODEL_PUSH_MULTICAST;
    c.multicast_group = ip_v4(0xefc00001);
    c.multicast_interface = "eth7";
    c.n_retransmission = 3;
    struct world *w = pushed_open(&c);
    pushed_register(w, 0);
    world_until(w, 3539);
    assert_int_equal(w->n_fans, 11); /* heartbeats, to the group as well */
    w->n_fans = 0;
    world_until(w, 3554);
    assert_int_equal(w->n_fans, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(w->fans[0].n, 1);
        assert_string_equal(w->fans[0].interface, "eth7");
        assert_true(endpoint_equal(w->fans[0].to[0], (struct endpoint){c.multicast_group, 848}));
        expect_tek(w, 12 + i, 30 - 4 * i, 45 - 4 * i);
    }
    world_until(w, 3700);
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_close(w);
}

/* ---- deletes ---- */

static void a_delete_names_what_goes(void **state)
{
    static const uint32_t spis[] = {0x1234, 0x5678};
    const struct push_delete some = {.spis = spis, .n = 2}, all = {.all_teks = true, .kek = true};
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    const struct kek_generation *kek = pushed_kek(w, GROUP_KEK_CURRENT);
    push_delete(w->server, w->server->groups[0], w->now, &some, &w->out);
    world_collect(w);
    struct pushed *p = pushed_take(w, kek);
    assert_int_equal(p->n_deletes, 1);
    assert_int_equal(p->deletes[0].n_spis, 2);
    assert_int_equal(gdoi_delete_tek(&p->deletes[0], 1), 0x5678);
    assert_false(p->has_sa);
    free(p);
    world_until(w, 60); /* number-of-retransmission times more */
    assert_int_equal(w->n_fans, 2);
    w->n_fans = 0;
    push_delete(w->server, w->server->groups[0], w->now, &all, &w->out);
    world_collect(w);
    p = pushed_take(w, kek);
    assert_int_equal(p->n_deletes, 2);
    assert_true(gdoi_delete_all(&p->deletes[0]));
    assert_int_equal(p->deletes[1].protocol, GDOI_PROTOCOL_KEK);
    assert_memory_equal(p->deletes[1].spis.data, kek->spi, KEK_SPI);
    free(p);
    world_close(w);
}

/* The keys go at once, the message still leaves, and new keys come. */
static void a_delete_outlives_its_keys(void **state)
{
    const struct push_delete all = {.all_teks = true, .kek = true};
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    struct kek_generation kek = *pushed_kek(w, GROUP_KEK_CURRENT); /* its secrets, for the test */
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;
    w->hold_store = true;
    push_delete(w->server, w->server->groups[0], w->now, &all, &w->out);
    groups_clear(w->server, w->server->groups[0], &w->out);
    server_timer(w->server, w->now, &w->out);
    world_collect(w);
    assert_null(world_key(w, 0, GROUP_CURRENT));
    while (w->n_waiting)
        world_answer(w, ERR_OK);
    w->hold_store = false;
    struct pushed *p = pushed_take(w, &kek);
    assert_int_equal(p->n_deletes, 2);
    free(p);
    world_until(w, 1); /* nobody holds a key: the new one waits for nobody */
    assert_true(world_key(w, 0, GROUP_CURRENT)->spi != spi);
    world_close(w);
}

/* ---- an exclusion (M18) ---- */

static void an_exclusion_sends_no_key_under_the_old_kek(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    pushed_register(w, 1);
    struct registry_member *m =
        registry_at_address(&w->server->groups[0]->registry, w->gm[1].local.ip);
    m->native = false;
    world_until(w, 100);
    group_exclude(w->server->groups[0], span_s(40));
    world_until(w, 100);
    const struct kek_generation *old = pushed_kek(w, GROUP_KEK_PREVIOUS);
    assert_true(old->retired);
    assert_int_equal(w->n_fans, 2);
    struct pushed *p = pushed_take(w, old); /* natives: come, by and by */
    assert_true(p->has_state && p->state.re_register && !p->has_sa && p->n_deletes == 0);
    assert_true(endpoint_equal(p->to[0], w->gm[0].local));
    free(p);
    p = pushed_take(w, old); /* others: the KEK has gone, the keys stay */
    assert_int_equal(p->n_deletes, 1);
    assert_int_equal(p->deletes[0].protocol, GDOI_PROTOCOL_KEK);
    assert_false(p->has_sa);
    assert_true(endpoint_equal(p->to[0], w->gm[1].local));
    pushed_acknowledge(w, 1, p->seq, old);
    free(p);
    assert_true(world_dropped(w, ERR_UNEXPECTED) == 1); /* whoever was removed could have sent it */
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->time.switch_at.ns - w->now.ns,
                     span_s(40 + 15).ns); /* max(2 ATD, spread + ATD) */
    world_until(w, 140);
    w->n_fans = 0;
    pushed_register(w, 0);
    assert_memory_equal(&w->gm[0].kek.spi, pushed_kek(w, GROUP_KEK_CURRENT)->spi, KEK_SPI);
    assert_int_equal(w->n_fans, 0);
    world_close(w);
}

/* Who asked before it has older keys and hears the call of all others, or one with the next. */
static void latecomers_of_an_exclusion_share_a_call(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    for (size_t i = 0; i < 2; i++)
        world_phase1(w, &w->gm[i]);
    world_pull(w, &w->gm[1], BLUE);
    world_until(w, 99.5);
    world_ask(w, &w->gm[0], BLUE);
    world_until(w, 100);
    group_exclude(w->server->groups[0], span_s(40));
    world_until(w, 100.2);
    assert_int_equal(w->n_fans, 1);
    world_finish(w, &w->gm[0]);
    world_until(w, 100.9);
    assert_int_equal(w->n_fans, 1);
    world_until(w, 101);
    assert_int_equal(w->n_fans, 2);
    world_close(w);
}

/* ---- after a restart ---- */

static void an_unfinished_announcement_starts_again_with_a_fresh_seq(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    world_until(w, 3541);
    w->n_fans = 0;
    uint32_t seq = g->push_seq;
    push_reset(g->push);
    g->push_seq = g->push_seq_durable; /* what a store gives back */
    push_resume(w->server, w->now, &w->out);
    world_collect(w);
    expect_tek(w, seq + 1, 29, 44);
    push_reset(g->push);
    world_until(w, 3600); /* ... and a finished one does not */
    w->n_fans = 0;
    push_resume(w->server, w->now, &w->out);
    world_collect(w);
    assert_int_equal(w->n_fans, 1);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_CURRENT));
    assert_true(p->has_state && !p->has_sa); /* a sign of life, and nothing else */
    free(p);
    assert_int_equal(members_awaiting(g), 0);
    world_close(w);
}

static void restart_pushes(struct world *w)
{
    struct group *g = w->server->groups[0];

    push_reset(g->push);
    g->push_seq = g->push_seq_durable; /* what a store gives back */
    w->n_fans = 0;
    push_resume(w->server, w->now, &w->out);
    world_collect(w);
}

/* Natives who have not come yet know the KEK before, and only that: they are called, not struck. */
static void a_long_exclusion_goes_on(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    pushed_register(w, 0);
    world_until(w, 100);
    group_exclude(w->server->groups[0], span_s(200));
    world_until(w, 180); /* more than 3 ATD later */
    restart_pushes(w);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_PREVIOUS));
    assert_true(p->has_state && p->state.re_register && !p->has_sa);
    free(p);
    world_until(w, 240);
    assert_int_equal(members_struck(world_blue(w)), 0);
    world_close(w);
}

/* Keys that are younger than a new KEK travel under it, as they did before the restart. */
static void keys_after_a_new_kek_go_under_it_again(void **state)
{
    struct model_communication c = unicast(86400);
    (void)state;
    c.retransmission_period_s = 20; /* nobody is struck before the last call */
    struct world *w = pushed_open(&c);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    world_until(w, 100);
    group_rekey_kek(g);
    world_until(w, 110);
    group_rekey(g, NULL);
    world_until(w, 115);
    restart_pushes(w);
    struct pushed *p = pushed_take(w, pushed_kek(w, GROUP_KEK_CURRENT));
    assert_true(p->has_sa && !p->sa.has_sak);
    assert_int_equal(p->sa.sats[0].spi, world_key(w, 0, GROUP_NEXT)->spi);
    free(p);
    world_until(w, 130); /* one ATD after the restart */
    bool called = false;
    for (size_t i = 0; i < w->n_fans; i++)
        called = called || bytes_equal(bytes(w->fans[i].data, KEK_SPI),
                                       BYTES_OF(pushed_kek(w, GROUP_KEK_PREVIOUS)->spi));
    assert_true(called);
    world_close(w);
}

static void answers_to_an_earlier_server_do_not_count(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    world_until(w, 3600);
    push_reset(g->push);
    g->push->announcement.version = g->push->announcement.first_seq = 0; /* as after a start */
    push_resume(w->server, w->now, &w->out);
    world_collect(w);
    pushed_acknowledge(w, 0, 1, pushed_kek(w, GROUP_KEK_CURRENT));
    assert_true(world_dropped(w, ERR_REPLAY) == 1);
    assert_int_equal(members_awaiting(g), 0);
    world_close(w);
}

/* ---- limits ---- */

static void numbers_end_and_do_not_wrap(void **state)
{
    const struct push_delete all = {.all_teks = true};
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    g->push_seq = g->push_seq_given = g->push_seq_durable = SERVER_SEQ_LAST - 1;
    push_delete(w->server, g, w->now, &all, &w->out);
    world_until(w, 100);
    assert_int_equal(w->n_fans, 1);
    assert_non_null(world_event(w, EV_SEQ_END));
    assert_int_equal(g->push_seq_given, SERVER_SEQ_LAST);
    world_close(w);
}

static void the_end_of_numbers_is_told_long_before(void **state)
{
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    g->push_seq = g->push_seq_given = g->push_seq_durable = SERVER_SEQ_LAST - SERVER_SEQ_NEAR - 2;
    world_until(w, 299);
    assert_null(world_event(w, EV_SEQ_NEAR_END));
    world_until(w, 620); /* two heartbeats */
    assert_int_equal(g->push_seq, SERVER_SEQ_LAST - SERVER_SEQ_NEAR);
    const struct event *e = world_event(w, EV_SEQ_NEAR_END);
    assert_true(e && e->fields[e->n_fields - 1].u64 == SERVER_SEQ_NEAR);
    assert_null(world_event(w, EV_SEQ_END));
    world_close(w);
}

static void deletes_are_limited(void **state)
{
    const struct push_delete all = {.all_teks = true};
    size_t n = 0;
    (void)state;
    struct world *w = open_unicast(86400);
    struct group *g = w->server->groups[0];
    pushed_register(w, 0);
    w->hold_store = true;
    for (size_t i = 0; i <= SERVER_DELETES_MAX; i++)
        push_delete(w->server, g, w->now, &all, &w->out);
    world_collect(w);
    for (const struct delete_order *o = g->push->deletes; o; o = o->next)
        n++;
    assert_int_equal(n, SERVER_DELETES_MAX);
    world_says(w, EV_PUSH_FAILED, "what", "gives way");
    world_close(w);
}

/* ---- size ---- */

static void a_push_too_large_for_a_path_is_told(void **state)
{
    struct model_communication c = unicast(1800);
    (void)state;
    struct world *w = world_new();
    struct model_match_policy many[10];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = w->m.policies[0];
    w->m.groups[0].communication = c;
    w->m.blue_sas[0].policies = many;
    w->m.blue_sas[0].n_policies = ARRAY_LEN(many);
    world_open(w);
    world_says(w, EV_PUSH_SIZE, "group", "blue"); /* at the start already */
    pushed_register(w, 0);
    world_until(w, 1740);
    assert_true(w->fans[w->n_fans - 1].len > SERVER_PUSH_PATH);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_tek_is_pushed_at_l_minus_4_atd),
        cmocka_unit_test(rounds_go_to_who_is_silent_and_tell_what_is_left),
        cmocka_unit_test(nobody_is_struck_before_ten_seconds),
        cmocka_unit_test(a_struck_member_hears_nothing_until_it_registers),
        cmocka_unit_test(a_new_kek_goes_under_the_old_one),
        cmocka_unit_test(a_kek_and_a_tek_that_fall_due_together_are_one_message),
        cmocka_unit_test(a_kek_out_of_turn_is_called_under_the_old_one_until_that_ends),
        cmocka_unit_test(nothing_undurable_is_seen),
        cmocka_unit_test(an_answer_speaks_for_its_own_number),
        cmocka_unit_test(the_keys_of_a_round_that_gives_way_come_with_the_next),
        cmocka_unit_test(keys_that_cannot_be_stored_are_told_and_made_anew),
        cmocka_unit_test(a_number_that_cannot_be_stored_stops_the_message),
        cmocka_unit_test(a_signature_that_fails_is_tried_again),
        cmocka_unit_test(what_is_superseded_does_not_leave),
        cmocka_unit_test(a_latecomer_gets_a_round),
        cmocka_unit_test(latecomers_share_a_round),
        cmocka_unit_test(heartbeats_keep_their_interval),
        cmocka_unit_test(one_more_heartbeat_follows_a_changeover),
        cmocka_unit_test(foreign_members_get_no_heartbeat_and_are_not_struck),
        cmocka_unit_test(multicast_copies_go_to_the_group),
        cmocka_unit_test(a_delete_names_what_goes),
        cmocka_unit_test(a_delete_outlives_its_keys),
        cmocka_unit_test(an_exclusion_sends_no_key_under_the_old_kek),
        cmocka_unit_test(latecomers_of_an_exclusion_share_a_call),
        cmocka_unit_test(an_unfinished_announcement_starts_again_with_a_fresh_seq),
        cmocka_unit_test(a_long_exclusion_goes_on),
        cmocka_unit_test(keys_after_a_new_kek_go_under_it_again),
        cmocka_unit_test(answers_to_an_earlier_server_do_not_count),
        cmocka_unit_test(numbers_end_and_do_not_wrap),
        cmocka_unit_test(the_end_of_numbers_is_told_long_before),
        cmocka_unit_test(deletes_are_limited),
        cmocka_unit_test(a_push_too_large_for_a_path_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

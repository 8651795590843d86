/* GROUPKEY-PULL as the key server answers it, message by message. */
#include "unit/server/world.h"

#include "gdoi/id.h"
#include "gdoi/numbers.h"
#include "sa/phase1_internal.h"
#include "server/state.h"

static void expect_key(const struct pull_client *gm, const struct generation *g)
{
    const struct pull_client_key *key = pull_client_key_of(gm, g->spi);
    assert_non_null(key);
    assert_true(bytes_equal(bytes(key->cipher_key, key->cipher_len), secret_bytes(&g->key)));
    assert_true(bytes_equal(bytes(key->auth_key, key->auth_len), secret_bytes(&g->auth_key)));
}

/* ---- what a registration is given ---- */

static void a_member_registers(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 100);
    world_ask(w, gm, BLUE);
    assert_int_equal(world_blue(w)->registry.n, 0); /* not before HASH(3) */
    world_finish(w, gm);

    const struct gdoi_sa *sa = &gm->offer;
    assert_false(sa->has_sak);
    assert_true(sa->has_gap && sa->gap.has_atd && sa->gap.has_dtd);
    assert_int_equal(sa->gap.atd, 0);
    assert_int_equal(sa->gap.dtd, 0);
    assert_int_equal(sa->n_sats, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct gdoi_sat *t = &sa->sats[i];
        assert_int_equal(t->protocol_id, GDOI_PROTOCOL_ESP);
        assert_int_equal(t->transform, GDOI_ESP_AES_CBC);
        assert_int_equal(t->key_length, 128);
        assert_int_equal(t->auth, GDOI_AUTH_HMAC_SHA256);
        assert_int_equal(t->encapsulation, GDOI_ENCAPSULATION_TUNNEL);
        assert_int_equal(t->spi, world_key(w, 0, GROUP_CURRENT)->spi);
        assert_int_equal(t->life.seconds, 3500);
        assert_int_equal(t->direction, 0);
        assert_int_equal(t->preserve, 0);
    }
    assert_true(prefix_equal(sa->sats[1].src, w->m.policies[1].source));
    assert_true(prefix_equal(sa->sats[1].dst, w->m.policies[1].destination));
    assert_int_equal(sa->sats[1].src_port, 1);
    assert_int_equal(sa->sats[1].dst_port, 2);
    assert_int_equal(sa->sats[1].ip_protocol, 17);
    assert_int_equal(gm->n_keys, 1);
    expect_key(gm, world_key(w, 0, GROUP_CURRENT));

    const struct registry *r = &world_blue(w)->registry;
    assert_int_equal(r->n, 1);
    assert_string_equal(r->members[0]->gateway->name, "site-1");
    assert_true(endpoint_equal(r->members[0]->remote, gm->local));
    assert_int_equal(r->members[0]->updated.ns, w->now.ns);
    assert_int_equal(r->members[0]->version, 1);
    assert_true(r->members[0]->native);
    world_says(w, EV_MEMBER_REGISTERED, "gateway", "site-1");
    world_says(w, EV_MEMBER_REGISTERED, "group", "blue");
    world_close(w);
}

static void the_state_notification_tells_natives(void **state)
{
    uint8_t spi[4], digest[HASH_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    assert_true(gm->has_state);
    assert_false(gm->state.has_kek || gm->state.re_register || gm->state.clock_valid);
    assert_int_equal(gm->state.heartbeat, 0);
    assert_int_equal(gm->state.spread, 0);
    assert_int_equal(gm->state.activation_delay, 15);
    struct wr out = wr_of(spi, sizeof spi);
    wr_u32(&out, world_key(w, 0, GROUP_CURRENT)->spi);
    hash_parts(HASH_SHA256, PARTS(BYTES_OF(spi)), digest);
    assert_true(bytes_equal(BYTES_OF(gm->state.digest), bytes(digest, GDOI_DIGEST)));
    world_close(w);
}

static void make_foreign(struct world *w)
{
    size_t cursor = 0;
    phase1_next(server_phase1(w->server), &cursor)->native = false;
}

/* 3540, 3555, 3570, 3585: SATs and GAP of a registration at each instant, to natives and others. */
struct phase {
    double at;
    bool native;
    unsigned atd, dtd;
    const char *slots; /* of the SATs in order: c current, n next, p previous to receive only */
};
static const struct phase phases[] = {
    {3539, true, 0, 0, "cc"},     {3540, true, 30, 45, "ccnn"},    {3540, false, 30, 45, "ccnn"},
    {3555, true, 15, 30, "ccnn"}, {3555.5, false, 15, 30, "ccnn"}, {3569.9, true, 1, 16, "ccnn"},
    {3570, true, 0, 15, "ccpp"},  {3570, false, 0, 15, "cc"},      {3584.5, true, 0, 1, "ccpp"},
    {3584.5, false, 0, 1, "cc"},  {3585, true, 0, 0, "cc"},        {3585, false, 0, 0, "cc"},
};

static void check_phase(const struct phase *p)
{
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, p->at);
    if (!p->native)
        make_foreign(w);
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->offer.gap.atd, p->atd);
    assert_int_equal(gm->offer.gap.dtd, p->dtd);
    assert_int_equal(gm->offer.n_sats, strlen(p->slots));
    assert_int_equal(gm->has_state, p->native);
    for (size_t i = 0; i < gm->offer.n_sats; i++) {
        enum group_slot slot = p->slots[i] == 'c'   ? GROUP_CURRENT
                               : p->slots[i] == 'n' ? GROUP_NEXT
                                                    : GROUP_PREVIOUS;
        const struct generation *g = world_key(w, 0, slot);
        assert_int_equal(gm->offer.sats[i].spi, g->spi);
        assert_int_equal(gm->offer.sats[i].direction,
                         slot == GROUP_PREVIOUS ? GDOI_DIRECTION_RECEIVER : 0);
        assert_int_equal(gm->offer.sats[i].life.seconds,
                         instant_left_floor_s(g->time.expiry, w->now));
        expect_key(gm, g);
    }
    world_close(w);
}

static void every_phase_of_a_changeover(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(phases); i++)
        check_phase(&phases[i]);
}

static void several_ipsec_sas_have_a_key_each(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].n_sas = 2;
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 3541);
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->offer.n_sats, 5); /* main and wide, then main's next */
    assert_int_equal(gm->n_keys, 3);
    expect_key(gm, world_key(w, 0, GROUP_CURRENT));
    expect_key(gm, world_key(w, 1, GROUP_CURRENT));
    expect_key(gm, world_key(w, 0, GROUP_NEXT));
    assert_int_equal(gm->offer.sats[2].transform, GDOI_ESP_3DES);
    assert_int_equal(gm->offer.sats[2].key_length, 0);
    assert_int_equal(gm->offer.sats[2].src.len, 0);
    world_close(w);
}

/* The switch comes between message 2 and message 4: KD still matches SA (decisions M9). */
static void keys_of_message_2_hold_until_message_4(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 3569);
    world_ask(w, gm, BLUE);
    assert_int_equal(gm->offer.gap.atd, 1);
    world_until(w, 3572);
    world_finish(w, gm);
    assert_int_equal(gm->n_keys, 2);
    expect_key(gm, world_key(w, 0, GROUP_PREVIOUS));
    expect_key(gm, world_key(w, 0, GROUP_CURRENT));
    world_close(w);
}

static void a_key_dropped_in_between_ends_the_exchange(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 3584);
    world_ask(w, gm, BLUE);
    world_until(w, 3586);
    world_from(w, gm, pull_client_3(gm, NULL, room));
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_blue(w)->registry.n, 0);
    world_says(w, EV_PULL_ABORTED, "group", "blue");
    world_pull(w, gm, BLUE); /* again, under the same SA */
    assert_int_equal(gm->n_keys, 1);
    world_close(w);
}

/* ---- repeats, replays, time ---- */

static void repeated_messages_get_the_same_octets(void **state)
{
    uint8_t first[DATAGRAM_MAX], third[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, first);
    world_from(w, gm, m1);
    world_from(w, gm, m1);
    struct packet a = world_take(w), b = world_take(w);
    assert_true(bytes_equal(packet_bytes(&a), packet_bytes(&b)));
    assert_int_equal(pull_client_2(gm, packet_bytes(&a)), ERR_OK);

    struct bytes m3 = pull_client_3(gm, NULL, third);
    world_from(w, gm, m3);
    world_wait(w, 5);
    world_from(w, gm, m3);
    a = world_take(w);
    b = world_take(w);
    assert_true(bytes_equal(packet_bytes(&a), packet_bytes(&b)));
    assert_int_equal(pull_client_4(gm, packet_bytes(&b)), ERR_OK);
    world_from(w, gm, m1); /* a late copy of message 1 */
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_dropped(w, ERR_REPLAY), 1);
    assert_int_equal(world_blue(w)->registry.members[0]->pulls_succeeded, 1);
    assert_int_equal(world_blue(w)->counters.pulls_repeated, 2);
    world_wait(w, 60);
    world_from(w, gm, m1); /* long after: the id was used */
    world_from(w, gm, m3);
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_dropped(w, ERR_REPLAY), 3);
    world_close(w);
}

static void repeats_are_limited(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, room);
    for (size_t i = 0; i < SERVER_PULL_REPEATS_MAX + 5; i++)
        world_from(w, gm, m1);
    assert_int_equal(w->n_packets, 1 + SERVER_PULL_REPEATS_MAX);
    assert_int_equal(world_dropped(w, ERR_LIMIT), 4);
    world_close(w);
}

static void message_3_after_ten_seconds_is_too_late(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world *w = world_new();
        world_open(w);
        struct pull_client *gm = &w->gm[0];
        world_phase1(w, gm);
        world_ask(w, gm, BLUE);
        world_wait(w, late ? 10 : 9.99);
        world_from(w, gm, pull_client_3(gm, NULL, room));
        assert_int_equal(w->n_packets, late ? 0 : 1);
        assert_int_equal(world_blue(w)->registry.n, late ? 0 : 1);
        assert_int_equal(world_blue(w)->counters.pulls_failed, late);
        if (late)
            world_says(w, EV_PULL_ABORTED, "gateway", "site-1");
        world_close(w);
    }
}

/* The datagram comes before the timer that was due was served. */
static void a_late_timer_does_not_let_it_in(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    w->now = instant_add(w->now, span_s(11));
    world_from(w, gm, pull_client_3(gm, NULL, room));
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_dropped(w, ERR_REPLAY), 1);
    world_close(w);
}

static void no_bit_may_be_wrong(void **state)
{
    uint8_t first[DATAGRAM_MAX], third[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, first);
    for (size_t bit = 0; bit < 8 * m1.len; bit++) {
        first[bit / 8] ^= (uint8_t)(1u << bit % 8);
        world_from(w, gm, m1);
        first[bit / 8] ^= (uint8_t)(1u << bit % 8);
        w->n_events = 0;
        /* nothing but an unprotected notification of phase 1 may answer, and no PULL was begun */
        for (size_t i = 0; i < w->n_packets; i++)
            assert_int_not_equal(w->packets[i].data[18], IKE1_EXCHANGE_GROUPKEY_PULL);
        w->n_packets = 0;
    }
    world_from(w, gm, m1);
    struct packet p = world_take(w);
    assert_int_equal(pull_client_2(gm, packet_bytes(&p)), ERR_OK);
    struct bytes m3 = pull_client_3(gm, NULL, third);
    for (size_t bit = 0; bit < 8 * m3.len; bit++) {
        third[bit / 8] ^= (uint8_t)(1u << bit % 8);
        world_from(w, gm, m3);
        third[bit / 8] ^= (uint8_t)(1u << bit % 8);
        w->n_events = 0;
        for (size_t i = 0; i < w->n_packets; i++)
            assert_int_not_equal(w->packets[i].data[18], IKE1_EXCHANGE_GROUPKEY_PULL);
        w->n_packets = 0;
        assert_int_equal(world_blue(w)->registry.n, 0);
    }
    world_from(w, gm, m3); /* after all that it still goes on */
    p = world_take(w);
    assert_int_equal(pull_client_4(gm, packet_bytes(&p)), ERR_OK);
    world_close(w);
}

static void two_exchanges_of_one_sa_do_not_mix(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0], *other = calloc(1, sizeof *other);
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    *other = *gm; /* the first exchange, set aside */
    world_ask(w, gm, BLUE);
    world_from(w, gm, pull_client_3(gm, NULL, room));
    world_from(w, gm, pull_client_3(other, NULL, room));
    struct packet p = world_take(w);
    assert_int_equal(pull_client_4(other, packet_bytes(&p)), ERR_UNEXPECTED);
    assert_int_equal(pull_client_4(gm, packet_bytes(&p)), ERR_OK);
    p = world_take(w);
    assert_int_equal(pull_client_4(other, packet_bytes(&p)), ERR_OK);
    assert_int_equal(world_blue(w)->registry.members[0]->pulls_succeeded, 2);
    free(other);
    world_close(w);
}

static void exchanges_of_one_sa_are_limited(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    for (size_t i = 0; i < SERVER_PULLS_PER_SA_MAX; i++)
        world_ask(w, gm, BLUE);
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_dropped(w, ERR_LIMIT), 1);
    world_wait(w, 10);
    world_ask(w, gm, BLUE);
    assert_int_equal(world_blue(w)->counters.pulls_failed, SERVER_PULLS_PER_SA_MAX);
    world_close(w);
}

static void an_sa_whose_ids_are_used_up_is_retired(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    for (uint32_t id = 1; world_event(w, EV_LIMIT) == NULL; id++) {
        assert_true(id <= PHASE1_EXCHANGES_MAX + 1);
        gm->sa->n_ids = 0; /* the member does not keep count */
        world_wait(w, 11);
        w->n_packets = 0;
        world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    }
    assert_int_equal(phase1_count(server_phase1(w->server), true), 0);
    world_says(w, EV_LIMIT, "gateway", "site-1");
    world_close(w);
}

/* ---- who is refused ---- */

static void expect_refusal(struct world *w, struct pull_client *gm, uint16_t notify,
                           unsigned reason)
{
    struct packet p = world_take(w);
    pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    assert_int_equal(gm->notified, notify);
    assert_int_equal(gm->refusal.reason, reason);
    assert_int_equal(w->n_packets, 0);
    gm->notified = 0;
}

static void unknown_group_is_refused_by_number(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, 4711, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "4711");
    world_says(w, EV_MEMBER_REFUSED, "error", "ERR_UNKNOWN_GROUP");
    world_says(w, EV_MEMBER_REFUSED, "gateway", "site-1");
    world_says(w, EV_MEMBER_REFUSED, "statement", "server");
    world_says(w, EV_MEMBER_REFUSED, "at", "ks.conf:12");
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_NOT_AUTHORISED);
    assert_true(
        bytes_equal(gm->refusal.text, bytes_str(gdoi_reason_text(GDOI_REASON_NOT_AUTHORISED))));
    world_close(w);
}

static void foreign_members_get_no_reason(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    make_foreign(w);
    world_from(w, gm, pull_client_1(gm, 4711, NULL, room));
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_NONE);
    assert_int_equal(gm->refusal.text.len, 0);
    world_close(w);
}

static void unlisted_gateway_is_refused_with_the_statement(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].gateways = w->m.red_list; /* site-2 only */
    w->m.groups[0].n_gateways = 1;
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "gateway site-1 is not in the group's ike-gateway");
    world_says(w, EV_MEMBER_REFUSED, "group", "blue");
    world_says(w, EV_MEMBER_REFUSED, "at", "ks.conf:12");
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_NOT_AUTHORISED);
    assert_int_equal(world_blue(w)->counters.pulls_refused, 1);
    assert_int_equal(world_blue(w)->registry.n, 0);
    world_close(w);
}

static void authorisation_is_checked_again_at_message_3(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    w->server->listed[0] = 0; /* the operator took it off the lists */
    world_from(w, gm, pull_client_3(gm, NULL, room));
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_NOT_AUTHORISED);
    assert_int_equal(world_blue(w)->registry.n, 0);
    world_close(w);
}

/* Who comes when the group is full hears nothing, so that he tries another server; who is in it may
 * come again. It is asked at both messages. */
static void a_full_group_does_not_answer(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].member_threshold = 1;
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    world_pull(w, gm, BLUE);
    assert_int_equal(world_blue(w)->registry.n, 1);
    struct registry *r = (struct registry *)(uintptr_t)&world_blue(w)->registry;
    world_ask(w, gm, BLUE);
    registry_remove(r, r->members[0]);
    struct registration other = {.gateway = &w->m.gateways[1],
                                 .identity = {MODEL_ID_IPV4, bytes("\x0a\x00\x00\x63", 4)},
                                 .remote = {ip_v4(0x0a000063), 848},
                                 .now = w->now};
    assert_int_equal(registry_put(r, &other), ERR_OK);
    world_from(w, gm, pull_client_3(gm, NULL, room));
    assert_int_equal(w->n_packets, 0);
    world_says(w, EV_MEMBER_REFUSED, "what", "the group has 1 members, its member-threshold");
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_blue(w)->counters.pulls_exceeding, 2);
    assert_int_equal(world_blue(w)->counters.pulls_refused, 0);
    world_close(w);
}

static void a_group_is_served_at_its_own_address_only(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[1]; /* speaks to blue's address */
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, RED, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "10.0.0.254");
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_SERVER_ADDRESS);
    world_close(w);
}

static void a_group_without_keys_is_not_ready(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].n_sas = 0;
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_NOT_READY);
    world_close(w);
}

static void a_full_registry_refuses_at_message_3(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    w->server->groups[0]->registry.max = 0;
    world_from(w, gm, pull_client_3(gm, NULL, room));
    world_says(w, EV_MEMBER_REFUSED, "what", "registry is full");
    expect_refusal(w, gm, IKE1_NOTIFY_INVALID_ID_INFORMATION, GDOI_REASON_LIMIT);
    assert_int_equal(world_blue(w)->counters.pulls_succeeded, 0);
    world_close(w);
}

static void too_many_at_once_are_not_answered(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, room);
    w->server->pulls.index.n += SERVER_PULLS_MAX; /* as if there were */
    world_from(w, gm, m1);
    w->server->pulls.index.n -= SERVER_PULLS_MAX;
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_dropped(w, ERR_LIMIT), 1);
    world_from(w, gm, m1); /* its repeat is not taken for a replay */
    assert_int_equal(w->n_packets, 1);
    world_close(w);
}

/* 250 registrations a second are believed of the server: 2,001 members take 9 seconds, more than a
 * quarter of activation-time-delay. */
static void many_members_are_told_to_spread(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    for (uint32_t i = 1; i <= 2000; i++) {
        struct registration r = {.gateway = w->m.gateways,
                                 .identity = {MODEL_ID_KEY_ID, BYTES_OF(((uint32_t[]){i}))},
                                 .remote = {ip_v4(0xac100000 + i), 848},
                                 .now = w->now};
        assert_int_equal(registry_put(&w->server->groups[0]->registry, &r), ERR_OK);
        if (i == 900) {
            world_pull(w, gm, BLUE);
            assert_int_equal(gm->state.spread, 4);
        }
        if (i == 700) {
            world_pull(w, gm, BLUE);
            assert_int_equal(gm->state.spread, 0);
        }
    }
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->state.spread, 9);
    w->server->rate.best = 1000; /* it has turned out to be faster */
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->state.spread, 0);
    world_close(w);
}

static void host_order_group_id_is_tolerated(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, 0x07000000);
    assert_int_equal(world_blue(w)->counters.host_order_ids, 1);
    world_says(w, EV_TOLERATED, "what", "group-id-byte-order");
    world_close(w);
}

static void nonce_of(struct chain_wr *c, size_t len)
{
    uint8_t nonce[200] = {1};
    ike1_data_write(c, IKE1_PAYLOAD_NONCE, bytes(nonce, len));
}
static void write_quick_mode(struct chain_wr *c)
{
    ike1_data_write(c, IKE1_PAYLOAD_SA, bytes_str("a proposal"));
    nonce_of(c, 16);
}
static void write_no_id(struct chain_wr *c) { nonce_of(c, 16); }
static void write_long_nonce(struct chain_wr *c)
{
    nonce_of(c, 129);
    gdoi_group_id_write(c, BLUE);
}
static void write_nonce_128(struct chain_wr *c)
{
    nonce_of(c, 128);
    gdoi_group_id_write(c, BLUE);
}
static void write_short_nonce(struct chain_wr *c)
{
    nonce_of(c, 7);
    gdoi_group_id_write(c, BLUE);
}
static void write_address_id(struct chain_wr *c)
{
    nonce_of(c, 16);
    gdoi_group_address_write(c, ip_v4(0xef010101));
}
static void write_fqdn_id(struct chain_wr *c)
{
    nonce_of(c, 16);
    ike1_id_write(c, &(struct ike1_id){.type = IKE1_ID_FQDN, .data = bytes_str("blue")});
}
static void add_ke(struct chain_wr *c) { ike1_data_write(c, IKE1_PAYLOAD_KE, bytes_str("public")); }
static void write_ke(struct chain_wr *c)
{
    write_nonce_128(c);
    add_ke(c);
}
static void add_pop(struct chain_wr *c)
{
    ike1_data_write(c, IKE1_PAYLOAD_POP, bytes_str("proof of possession"));
}
static void add_cert(struct chain_wr *c)
{
    ike1_cert_write(c, IKE1_PAYLOAD_CERT, &(struct ike1_cert){4, bytes_str("der")});
}
static void add_unknown_gap(struct chain_wr *c)
{
    chain_open(c, IKE1_PAYLOAD_GAP);
    ike1_attribute_tv(c->w, 99, 1);
    chain_close(c);
}
static void add_sid_request(struct chain_wr *c)
{
    gdoi_gap_write(c, &GDOI_RFC6407, &(struct gdoi_gap){.sid_request = 3});
}

struct odd {
    const char *name;
    pull_client_more *write;
    bool in_3;
    uint16_t notify; /* 0: answered */
    const char *what;
};
static const struct odd odds[] = {
    {"quick mode", write_quick_mode, false, IKE1_NOTIFY_NO_PROPOSAL_CHOSEN, "Quick Mode"},
    {"no id", write_no_id, false, IKE1_NOTIFY_PAYLOAD_MALFORMED, "message 1 is malformed at ID"},
    {"nonce 129", write_long_nonce, false, IKE1_NOTIFY_PAYLOAD_MALFORMED, "NONCE"},
    {"nonce 7", write_short_nonce, false, IKE1_NOTIFY_PAYLOAD_MALFORMED, "NONCE"},
    {"nonce 128", write_nonce_128, false, 0, NULL},
    {"address", write_address_id, false, IKE1_NOTIFY_INVALID_ID_INFORMATION, "239.1.1.1"},
    {"fqdn", write_fqdn_id, false, IKE1_NOTIFY_PAYLOAD_MALFORMED, "ID"},
    {"KE in 1", write_ke, false, IKE1_NOTIFY_PAYLOAD_MALFORMED, "message 1 is malformed at KE"},
    {"KE", add_ke, true, IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, "payload KE in message 3"},
    {"CERT", add_cert, true, IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, "payload CERT in message 3"},
    {"POP", add_pop, true, IKE1_NOTIFY_INVALID_PAYLOAD_TYPE, "payload POP in message 3"},
    {"unknown GAP", add_unknown_gap, true, IKE1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, "GAP"},
    {"SID request", add_sid_request, true, 0, NULL},
};

static void check_odd(const struct odd *o)
{
    uint8_t room[DATAGRAM_MAX];
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    if (o->in_3)
        world_ask(w, gm, BLUE);
    world_from(w, gm,
               o->in_3 ? pull_client_3(gm, o->write, room) : pull_client_any_1(gm, o->write, room));
    assert_int_equal(w->n_packets, 1);
    if (o->notify) {
        struct packet p = world_take(w);
        pull_client_phase1(gm, w->now, p.from, p.data, p.len);
        if (gm->notified != o->notify)
            fail_msg("%s: notified %u", o->name, gm->notified);
        world_says(w, EV_MEMBER_REFUSED, "what", o->what);
        assert_int_equal(world_blue(w)->registry.n, 0);
    } else {
        assert_int_equal(w->packets[0].data[18], IKE1_EXCHANGE_GROUPKEY_PULL);
        assert_int_equal(world_blue(w)->registry.n, o->in_3);
    }
    world_close(w);
}

static void messages_of_another_form_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odds); i++)
        check_odd(&odds[i]);
}

/* ---- strangers, wrong places ---- */

static void a_pull_comes_from_and_to_the_ends_of_its_sa(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    struct bytes m1 = pull_client_1(gm, BLUE, NULL, room);
    struct endpoint moved = {gm->local.ip, 4500};
    world_give(w, moved, gm->server, m1);
    world_give(w, w->gm[1].local, gm->server, m1);
    world_give(w, gm->local, red_at, m1);
    assert_int_equal(world_dropped(w, ERR_ADDRESS), 3);
    room[0] ^= 1;
    world_from(w, gm, m1);
    assert_int_equal(world_dropped(w, ERR_UNKNOWN_SA), 1);
    room[0] ^= 1;
    assert_int_equal(w->n_packets, 0);
    world_from(w, gm, m1);
    assert_int_equal(w->n_packets, 1);
    world_close(w);
}

static void the_phase_1_sa_takes_its_exchanges_along(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    struct bytes m3 = pull_client_3(gm, NULL, room);
    phase1_end(gm->table, gm->sa, true, &gm->out); /* the member deletes it */
    world_serve(w, gm);
    assert_int_equal(phase1_count(server_phase1(w->server), true), 0);
    assert_int_equal(world_blue(w)->counters.pulls_failed, 1);
    world_from(w, gm, m3);
    assert_int_equal(world_dropped(w, ERR_UNKNOWN_SA), 1);
    world_wait(w, 20);
    world_close(w);
}

static void failures_show_in_the_row_of_a_member(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    world_ask(w, gm, BLUE);
    world_wait(w, 30);
    const struct registry_member *m = world_blue(w)->registry.members[0];
    assert_int_equal(m->pulls_succeeded, 1);
    assert_int_equal(m->pulls_failed, 1);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_registers),
        cmocka_unit_test(the_state_notification_tells_natives),
        cmocka_unit_test(every_phase_of_a_changeover),
        cmocka_unit_test(several_ipsec_sas_have_a_key_each),
        cmocka_unit_test(keys_of_message_2_hold_until_message_4),
        cmocka_unit_test(a_key_dropped_in_between_ends_the_exchange),
        cmocka_unit_test(repeated_messages_get_the_same_octets),
        cmocka_unit_test(repeats_are_limited),
        cmocka_unit_test(message_3_after_ten_seconds_is_too_late),
        cmocka_unit_test(a_late_timer_does_not_let_it_in),
        cmocka_unit_test(no_bit_may_be_wrong),
        cmocka_unit_test(two_exchanges_of_one_sa_do_not_mix),
        cmocka_unit_test(exchanges_of_one_sa_are_limited),
        cmocka_unit_test(an_sa_whose_ids_are_used_up_is_retired),
        cmocka_unit_test(unknown_group_is_refused_by_number),
        cmocka_unit_test(foreign_members_get_no_reason),
        cmocka_unit_test(unlisted_gateway_is_refused_with_the_statement),
        cmocka_unit_test(authorisation_is_checked_again_at_message_3),
        cmocka_unit_test(a_full_group_does_not_answer),
        cmocka_unit_test(a_group_is_served_at_its_own_address_only),
        cmocka_unit_test(a_group_without_keys_is_not_ready),
        cmocka_unit_test(a_full_registry_refuses_at_message_3),
        cmocka_unit_test(too_many_at_once_are_not_answered),
        cmocka_unit_test(many_members_are_told_to_spread),
        cmocka_unit_test(host_order_group_id_is_tolerated),
        cmocka_unit_test(messages_of_another_form_are_refused_by_name),
        cmocka_unit_test(a_pull_comes_from_and_to_the_ends_of_its_sa),
        cmocka_unit_test(the_phase_1_sa_takes_its_exchanges_along),
        cmocka_unit_test(failures_show_in_the_row_of_a_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

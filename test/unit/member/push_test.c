/* GROUPKEY-PUSH at the member engine: what a good one does, and that nothing else does anything. */
#include "gdoi/dialect.h"
#include "member/vpn.h"
#include "unit/member/pusher.h"

static struct pusher one, two;

static int make_pushers(void **state)
{
    const char *text;
    (void)state;
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        return -1;
    pusher_init(&one, 1);
    pusher_init(&two, 2);
    return 0;
}

static struct duo *registered(uint16_t ack) { return pusher_duo(duo_new(), &one, ack, NULL); }

static uint64_t rejected(const struct duo *w, enum err e)
{
    return duo_vpn(w, 0).pushes.rejected[e];
}

static uint64_t tolerated(const struct duo *w, enum gdoi_tolerance t)
{
    return member_tolerated(w->member)->count[t];
}

/* The acknowledgement in the queue, and nothing else there. */
static void expect_ack(struct duo *w, const struct pusher *p, uint32_t seq)
{
    struct packet a = duo_take(w);
    struct ike1_header h;
    struct chain c;
    struct gdoi_ack ack;

    assert_int_equal(w->n_packets, 0);
    assert_true(endpoint_equal(a.from, site_2) && endpoint_equal(a.to, blue_at));
    assert_int_equal(ike1_header_parse(bytes(a.data, a.len), &h), ERR_OK);
    assert_int_equal(h.exchange, IKE1_EXCHANGE_GROUPKEY_PUSH_ACK);
    assert_memory_equal(&h.cookies, &p->spi, sizeof h.cookies);
    assert_int_equal(ike1_payloads_parse(bytes(a.data, a.len), h.next_payload, 1, &c), ERR_OK);
    assert_int_equal(gdoi_ack_parse(&c, &ack), ERR_OK);
    assert_int_equal(ack.seq, seq);
    assert_true(ip_equal(ack.ip, site_2.ip));
}

/* ---- keys ---- */

/* L = 3600, ATD = 15: pushed at 3540, used from 3570, the old one gone at 3585 (junos.md 3.4). */
static void a_pushed_key_switches_at_3570(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_gap(c, 30, 45);
    duo_alone_until(w, 3540);
    push_give(w, &one, c, 11);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_NEXT));
    duo_alone_until(w, 3569.9);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    duo_alone_until(w, 3570);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_PREVIOUS));
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_CURRENT));
    duo_alone_until(w, 3584.9);
    assert_int_equal(w->installed[0].n_sas, 2);
    duo_alone_until(w, 3585);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(duo_vpn(w, 0).pushes.keys_learned, 1);
    assert_int_equal(duo_events(w, EV_REKEYED), 1);
    duo_close(w);
    free(c);
}

/* By the group clock this push has been under way for eight seconds, more than half the
 * activation-time-delay of 15: what it says of delays is not true any more. One of seven is taken,
 * and so is an old one that says nothing new, for its acknowledgement. */
static void keys_that_were_held_back_are_asked_for(void **state)
{
    struct gdoi_state s = {.clock_valid = true, .clock_s = 1790000000};
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct vpn *v = &w->member->vpns[0];
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_gap(c, 30, 45);
    c->state = &s;
    duo_alone_until(w, 3540);
    v->beat.native = true;
    v->clock =
        (struct member_clock){.set = true, .offset = {INT64_C(1790000008) * NS_PER_S - w->now.ns}};
    push_give(w, &one, c, 11);
    assert_false(duo_holds(w, 0x2000, ESP_SLOT_NEXT));
    assert_int_equal(rejected(w, ERR_TIMEOUT), 1);
    assert_int_equal(duo_events(w, EV_PUSH_REFUSED), 1);
    assert_true(instant_reached(v->due[DUE_ATTEMPT], instant_add(w->now, MEMBER_SPREAD_MIN)));
    push_give(w, &one, c, 11); /* and not again */
    assert_int_equal(rejected(w, ERR_REPLAY), 1);
    assert_int_equal(w->n_packets, 0);
    s.clock_s++;
    push_give(w, &one, c, 12);
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_NEXT));
    expect_ack(w, &one, 12);
    s.clock_s -= 60;
    push_give(w, &one, c, 13);
    expect_ack(w, &one, 13);
    assert_int_equal(rejected(w, ERR_TIMEOUT), 1);
    duo_close(w);
    free(c);
}

/* A repeat round is a new message with recomputed delays (decisions M4); it moves nothing (M1). */
static void a_repeat_moves_no_timer(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_gap(c, 30, 45);
    push_give(w, &one, c, 11);
    expect_ack(w, &one, 11);
    duo_alone_until(w, 8);
    content_gap(c, 30, 45); /* as if the server had not counted on */
    c->sa.sats[0].life.seconds = 9000;
    push_give(w, &one, c, 12);
    expect_ack(w, &one, 12);
    struct member_sa_view sa = member_sa(w->member, 0, 1, w->now);
    assert_int_equal(sa.spi, 0x2000);
    assert_int_equal(sa.switch_at.ns, (DUO_START + 30) * NS_PER_S);
    assert_int_equal(sa.expiry.ns, (DUO_START + 3600) * NS_PER_S);
    assert_int_equal(duo_vpn(w, 0).pushes.keys_learned, 1);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 2);
    duo_close(w);
    free(c);
}

/* The life of the pushed key is the shorter one: it succeeds all the same. */
static void a_shortened_lifetime_does_not_turn_the_order(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    content_tek(c, 0x2000, 600, 1, 0);
    content_gap(c, 30, 45);
    push_give(w, &one, c, 11);
    duo_alone_until(w, 30);
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_CURRENT));
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_PREVIOUS));
    duo_alone_until(w, 45);
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(c);
}

/* The next registration is 3 ATD before the newest key ends, not the one that it replaces; the KEK
 * counts too. */
static void a_push_in_time_moves_the_registration(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 3555) * NS_PER_S);
    duo_alone_until(w, 3540);
    content_tek(c, 0x2000, 3600, 1, 0);
    content_gap(c, 30, 45);
    push_give(w, &one, c, 11);
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 3555) * NS_PER_S); /* the KEK ends */
    content_kek(c, &two, 3600, 0);
    push_give(w, &one, c, 12);
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 3540 + 3555) * NS_PER_S);
    duo_close(w);
    free(c);
}

/* What is announced from a new KEK on travels under that one; under the KEK before it come repeats
 * only. So whoever holds a push back until its keys are forgotten elsewhere gains nothing: neither
 * when its number is older than what the next registration told ... */
static void what_a_registration_has_overtaken_is_stale(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *held_back = content_new(), *next = content_new();
    content_tek(held_back, 0x2000, 3600, 1, 0);
    content_gap(held_back, 30, 45);
    struct packet late = push_of(&one, held_back, 11);
    content_tek(next, 0x3000, 3600, 1, 0);
    content_kek(next, &two, 3600, GDOI_ACK_KEK_SHA256);
    content_gap(next, 15, 30);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    pusher_pull(w, next, 12);
    duo_alone_until(w, 60);
    duo_give(w, &late);
    assert_int_equal(rejected(w, ERR_REPLAY), 1);
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(duo_vpn(w, 0).pushes.keys_learned, 0);
    duo_alone_until(w, 120);
    assert_true(duo_holds(w, 0x3000, ESP_SLOT_CURRENT));
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(held_back);
    free(next);
}

/* ... nor when it comes from a server that counts anew with every KEK (RFC 6407 3.2). It is not
 * acknowledged, and asked about: only a repeat of what is known is the server's due. */
static void the_kek_before_teaches_no_keys(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *rekey = content_new(), *held_back = content_new();
    content_tek(rekey, 0x3000, 3600, 1, 0);
    content_kek(rekey, &two, 3600, GDOI_ACK_KEK_SHA256);
    content_gap(rekey, 30, 45);
    content_tek(held_back, 0x2000, 3600, 1, 0);
    content_gap(held_back, 30, 45);
    push_give(w, &one, rekey, 11);
    expect_ack(w, &one, 11);
    push_give(w, &one, rekey, 12);
    expect_ack(w, &one, 12);
    push_give(w, &one, held_back, 13);
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(rejected(w, ERR_UNEXPECTED), 1);
    assert_true(instant_before(duo_vpn(w, 0).due, instant_add(w->now, span_s(10))));
    assert_int_equal(duo_vpn(w, 0).pushes.keys_learned, 1);
    duo_alone_until(w, 60);
    assert_true(duo_holds(w, 0x3000, ESP_SLOT_CURRENT));
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(rekey);
    free(held_back);
}

static void without_a_push_it_registers_at_3555(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    duo_alone_until(w, 3554.9);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    duo_alone_until(w, 3555);
    assert_int_not_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    duo_close(w);
}

/* Decisions S30. */
static void without_a_gap_the_new_key_sends_at_once(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    duo_alone_until(w, 3000);
    push_give(w, &one, c, 11);
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_CURRENT));
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_PREVIOUS));
    assert_true(instant_is_never(member_sa(w->member, 0, 0, w->now).drop_at));
    duo_alone_until(w, 3599);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_PREVIOUS));
    duo_alone_until(w, 3600);
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(c);
}

/* ---- the KEK ---- */

/* Replaced on receipt; the old one goes on receiving until it expires (decisions M5). */
static void a_new_kek_replaces_the_old_one(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x1000, 3000, 1, 0);
    content_kek(c, &two, 7200, GDOI_ACK_KEK_SHA256);
    duo_alone_until(w, 600);
    push_give(w, &one, c, 11);
    expect_ack(w, &one, 11);
    assert_memory_equal(duo_vpn(w, 0).kek.cookies.data, &two.spi, sizeof two.spi);
    assert_memory_equal(duo_vpn(w, 0).previous_kek.cookies.data, &one.spi, sizeof one.spi);
    assert_int_equal(duo_vpn(w, 0).kek.sequence, 0);
    assert_int_equal(duo_vpn(w, 0).previous_kek.sequence, 11);
    push_give(w, &one, c, 12); /* the round's repeat */
    expect_ack(w, &one, 12);
    assert_int_equal(tolerated(w, TOLERATED_REPEATED_KEK), 0);
    assert_memory_equal(duo_vpn(w, 0).kek.cookies.data, &two.spi, sizeof two.spi);
    struct content *next = content_new();
    content_tek(next, 0x2000, 3600, 1, 0);
    push_give(w, &two, next, 13);
    expect_ack(w, &two, 13);
    assert_int_equal(duo_vpn(w, 0).pushes.keks_learned, 1);
    duo_alone_until(w, 3602);
    assert_int_equal(duo_vpn(w, 0).previous_kek.cookies.len, 0);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 16);
    w->n_packets = 0;
    push_give(w, &one, c, 14);
    assert_int_equal(duo_dropped(w, ERR_UNKNOWN_SA), 1);
    duo_close(w);
    free(next);
    free(c);
}

/* What the most recent SAK asks for decides (RFC 8263 7.2). */
static void a_sak_that_asks_no_more_ends_acknowledging(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x1000, 3000, 1, 0);
    content_kek(c, &two, 7200, 0);
    push_give(w, &one, c, 11);
    assert_int_equal(w->n_packets, 0);
    content_kek(c, &two, 7200, GDOI_ACK_LKH_SHA256); /* not a kind that is built */
    push_give(w, &two, c, 12);
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(tolerated(w, TOLERATED_REPEATED_KEK), 1);
    content_kek(c, &two, 7200, GDOI_ACK_KEK_SHA512);
    push_give(w, &two, c, 13);
    expect_ack(w, &two, 13);
    assert_int_equal(duo_vpn(w, 0).pushes.acks_sent, 1);
    duo_close(w);
    free(c);
}

/* A PULL whose snapshot is older than a push takes nothing of it back (decisions M9). */
static void a_push_between_messages_2_and_4_stays(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *pull = content_new(), *c = content_new();
    uint32_t seq = 10;
    content_tek(pull, 0x1000, 3400, 1, 0);
    content_kek(pull, &one, 3400, 0);
    content_gap(pull, 0, 0);
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &two, 7200, 0);
    content_gap(c, 30, 45);
    duo_until(w, 200);
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    fake_offer(w, &pull->sa);
    struct packet p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(fake_read(w, true), ERR_OK);
    w->now = instant_add(w->now, span_ms(100));
    push_give(w, &one, c, 11);
    fake_send(w, &(struct fake_answer){.seq = &seq, .kd = &pull->kd});
    p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    assert_memory_equal(duo_vpn(w, 0).kek.cookies.data, &two.spi, sizeof two.spi);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_NEXT));
    duo_alone_until(w, 230.1);
    assert_true(duo_holds(w, 0x2000, ESP_SLOT_CURRENT));
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_PREVIOUS));
    duo_close(w);
    free(pull);
    free(c);
}

/* ---- deletes ---- */

/* At once, whatever a GAP says (decisions S29); the traffic stays closed. */
static void a_deleted_key_leaves_the_data_path(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new(), *d = content_new();
    content_tek(c, 0x3000, 3600, 3, 0);
    push_give(w, &one, c, 11);
    expect_ack(w, &one, 11);
    assert_int_equal(w->installed[0].n_sas, 2);
    d->deleted[0] = 0x1000;
    d->deleted[1] = 0x7777; /* nobody's */
    d->n_deleted = 2;
    push_give(w, &one, d, 12);
    expect_ack(w, &one, 12);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->installed[0].n_closed, 1);
    assert_int_equal(duo_vpn(w, 0).pushes.keys_deleted, 1);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    assert_true(instant_before(instant_add(w->now, span_s(3000)), duo_vpn(w, 0).due));
    duo_close(w);
    free(c);
    free(d);
}

/* "All" was said before the new keys were made: repeats of it come to who has them already. */
static void repeats_of_a_delete_spare_what_is_new(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *next = content_new(), *d = content_new();
    content_tek(next, 0x3000, 3600, 1, 0);
    content_kek(next, &two, 3600, GDOI_ACK_KEK_SHA256);
    content_gap(next, 30, 45);
    d->delete_teks = true;
    duo_alone_until(w, 10);
    push_give(w, &one, next, 11);
    expect_ack(w, &one, 11);
    push_give(w, &one, d, 12);
    expect_ack(w, &one, 12);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_false(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    duo_alone_until(w, 41);
    assert_true(duo_holds(w, 0x3000, ESP_SLOT_CURRENT));
    push_give(w, &two, d, 13);
    expect_ack(w, &two, 13);
    assert_int_equal(w->installed[0].n_sas, 0);
    duo_close(w);
    free(next);
    free(d);
}

static void when_all_is_deleted_it_registers_again(void **state)
{
    (void)state;
    struct gdoi_state told = {.has_kek = true, .heartbeat = 300, .spread = 8};
    struct duo *w = pusher_duo(duo_new(), &one, GDOI_ACK_KEK_SHA256, &told);
    struct content *d = content_new();
    d->delete_teks = d->delete_keks = true;
    push_give(w, &one, d, 11);
    expect_ack(w, &one, 11); /* under the KEK that is gone now (RFC 8263 4) */
    assert_int_equal(w->installed[0].n_sas, 0);
    assert_int_equal(w->installed[0].n_closed, 1);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 0);
    assert_int_equal(duo_vpn(w, 0).pushes.keks_deleted, 1);
    assert_true(instant_since(duo_vpn(w, 0).due, w->now).ns < span_s(8).ns);
    duo_alone_until(w, 8);
    assert_int_not_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    duo_close(w);
    free(d);
}

/* How a server tells foreign members that it has removed one (decisions M18): the keys stay. */
static void a_deleted_kek_alone_asks_to_register_again(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *d = content_new();
    d->delete_kek = &one.spi;
    push_give(w, &one, d, 11);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 0);
    assert_true(instant_since(duo_vpn(w, 0).due, w->now).ns <= MEMBER_SPREAD_MIN.ns);
    duo_close(w);
    free(d);
}

/* The successor is deleted before its turn: the present key goes on. */
static void a_deleted_successor_takes_over_nothing(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new(), *d = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_gap(c, 30, 45);
    push_give(w, &one, c, 11);
    d->deleted[0] = 0x2000;
    d->n_deleted = 1;
    push_give(w, &one, d, 12);
    duo_alone_until(w, 100);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(c);
    free(d);
}

/* ---- what is refused ---- */

/* All of it, or nothing; and the number is used up: the same octets do not work later either. */
static void another_key_under_a_known_spi_is_an_alarm(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_tek(c, 0x1000, 3600, 3, 1); /* another flavour */
    content_kek(c, &two, 7200, 0);
    struct packet p = push_of(&one, c, 11);
    duo_give(w, &p);
    assert_int_equal(duo_events(w, EV_KEY_CONFLICT), 1);
    assert_int_equal(rejected(w, ERR_CONFLICT), 1);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_memory_equal(duo_vpn(w, 0).kek.cookies.data, &one.spi, sizeof one.spi);
    assert_int_equal(w->n_packets, 0);
    duo_give(w, &p);
    assert_int_equal(rejected(w, ERR_REPLAY), 1);
    duo_close(w);
    free(c);
}

static void another_key_under_the_spi_of_a_kek_is_one_too(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    struct pusher forged = two;
    forged.spi = one.spi;
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &forged, 7200, 0);
    push_give(w, &one, c, 11);
    assert_int_equal(duo_events(w, EV_KEY_CONFLICT), 1);
    assert_int_equal(w->installed[0].n_sas, 1);
    duo_close(w);
    free(c);
}

static void a_policy_that_cannot_be_followed_is_refused_whole(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_tek(c, 0x2001, 3600, 3, 0);
    c->sa.sats[1].encapsulation = GDOI_ENCAPSULATION_TRANSPORT;
    c->deleted[0] = 0x1000;
    c->n_deleted = 1;
    push_give(w, &one, c, 11);
    duo_says(w, EV_PUSH_REFUSED, "what", "tunnel mode");
    assert_int_equal(rejected(w, ERR_POLICY), 1);
    assert_int_equal(duo_vpn(w, 0).counters.policies_rejected, 1);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->n_packets, 0);
    duo_close(w);
    free(c);
}

static void expect_untouched(const struct duo *w)
{
    struct member_vpn_view v = duo_vpn(w, 0);
    assert_int_equal(v.pushes.accepted, 0);
    assert_int_equal(v.kek.sequence, 10);
    assert_int_equal(v.n_sas, 1);
    assert_int_equal(w->n_packets, 0);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
}

static void numbers_that_are_not_greater_are_refused(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    push_give(w, &one, c, 9);
    push_give(w, &one, c, 10); /* SEQ of the PULL: the last one used */
    assert_int_equal(rejected(w, ERR_REPLAY), 2);
    expect_untouched(w);
    struct packet p = push_of(&one, c, 4000000000u);
    duo_give(w, &p); /* gaps are normal */
    expect_ack(w, &one, 4000000000u);
    duo_give(w, &p);
    assert_int_equal(rejected(w, ERR_REPLAY), 3);
    assert_int_equal(w->n_packets, 0);
    duo_close(w);
    free(c);
}

/* The number does not move until the signature has held (decisions M11). */
static void an_insider_cannot_use_the_numbers_up(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    struct pusher insider = one; /* he has the KEK, but another signing key */
    static const uint8_t entropy[SIGN_ENTROPY] = {9};
    assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &insider.key), ERR_OK);
    content_tek(c, 0x2000, 3600, 1, 0);
    push_give(w, &insider, c, UINT32_MAX);
    assert_int_equal(rejected(w, ERR_AUTH), 1);
    expect_untouched(w);
    push_give(w, &one, c, 11);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 1);
    sign_key_free(insider.key);
    duo_close(w);
    free(c);
}

static void every_changed_or_missing_octet_is_noticed(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &two, 7200, 0);
    c->deleted[0] = 0x1000;
    c->n_deleted = 1;
    const struct packet good = push_of(&one, c, 11);
    for (size_t i = 0; i < good.len; i++) {
        struct packet p = good;
        p.data[i] ^= 0x10;
        duo_give(w, &p);
        p = good;
        p.len = i;
        duo_give(w, &p);
    }
    expect_untouched(w);
    duo_close(w);
    free(c);
}

static void only_the_server_pushes_and_only_to_us(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    struct packet p = push_of(&one, c, 11);
    p.from.ip = ip_v4(0x0a0000fa);
    duo_give(w, &p);
    assert_int_equal(rejected(w, ERR_UNKNOWN_PEER), 1);
    p.from = blue_at;
    p.to.ip = ip_v4(0xe0010101); /* the KEK has no multicast group */
    duo_give(w, &p);
    assert_int_equal(rejected(w, ERR_UNEXPECTED), 1);
    p.to = site_2;
    p.data[19] = 0; /* not encrypted */
    duo_give(w, &p);
    p.data[19] = IKE1_FLAG_ENCRYPTION;
    p.data[23] = 1; /* a message id */
    duo_give(w, &p);
    assert_int_equal(duo_dropped(w, ERR_VALUE), 2);
    expect_untouched(w);
    duo_close(w);
    free(c);
}

/* A genuine push whose content does not fit together: nothing of it is taken. */
static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    const struct ike1_delete of_ike = {.doi = IKE1_DOI_IPSEC,
                                       .protocol = 1,
                                       .spi_size = 4,
                                       .n_spis = 1,
                                       .spis = bytes_str("abcd")};
    content_tek(c, 0x2000, 3600, 1, 0);
    c->odd_delete = &of_ike;
    push_give(w, &one, c, 11);
    assert_int_equal(rejected(w, ERR_DOI), 1);
    c->odd_delete = NULL;
    c->sa.sats[0].spi = 0x2001; /* for which there is no key */
    push_give(w, &one, c, 12);
    assert_int_equal(rejected(w, ERR_MISSING), 1);
    c->sa.sats[0].spi = 0x2000;
    c->sa.n_sats = 0;
    content_kek(c, &two, 3600, 0); /* a key that no SAT asks for */
    push_give(w, &one, c, 13);
    assert_int_equal(rejected(w, ERR_CONFLICT), 1);
    c->sa.has_sak = false;
    push_give(w, &one, c, 14); /* nothing at all */
    assert_int_equal(rejected(w, ERR_MISSING), 2);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 0);
    assert_int_equal(w->installed[0].n_sas, 1);
    assert_int_equal(w->n_packets, 0);
    duo_close(w);
    free(c);
}

/* "Everything" as some server may say it: SPIs of four octets, and ESP's number of the IPsec DOI.
 */
static void a_delete_in_other_words_is_one(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    struct ike1_delete odd = {.doi = IKE1_DOI_GDOI,
                              .protocol = 3,
                              .spi_size = 4,
                              .n_spis = 1,
                              .spis = bytes(&every_kek, 4)};
    c->odd_delete = &odd;
    push_give(w, &one, c, 11);
    expect_ack(w, &one, 11);
    assert_int_equal(w->installed[0].n_sas, 0);
    odd.protocol = GDOI_PROTOCOL_KEK;
    push_give(w, &one, c, 12);
    expect_ack(w, &one, 12);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 0);
    assert_int_equal(tolerated(w, TOLERATED_DELETE_PROTOCOL), 1);
    assert_int_equal(tolerated(w, TOLERATED_DELETE_SPI_SIZE), 1);
    duo_close(w);
    free(c);
}

/* Deletes of keys that nobody has, and a notification of somebody else's. */
static void what_is_not_for_us_does_nothing(void **state)
{
    (void)state;
    struct duo *w = registered(GDOI_ACK_KEK_SHA256);
    struct content *c = content_new();
    const struct ike1_delete all_ah = {.doi = IKE1_DOI_GDOI,
                                       .protocol = GDOI_PROTOCOL_AH,
                                       .spi_size = 4,
                                       .n_spis = 1,
                                       .spis = bytes(&every_kek, 4)};
    const struct ike1_notify notify = {.doi = IKE1_DOI_GDOI, .type = 40000};
    c->delete_kek = &two.spi;
    c->deleted[0] = 0x4000;
    c->deleted[1] = 0; /* not alone: no key has this SPI */
    c->n_deleted = 2;
    c->odd_delete = &all_ah;
    c->odd_notify = &notify;
    push_give(w, &one, c, 11);
    expect_ack(w, &one, 11);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 1);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_received, 0);
    assert_int_equal(duo_events(w, EV_REKEYED), 0);
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT));
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 16);
    duo_close(w);
    free(c);
}

/* A group whose KEK is heard by multicast; and the same push by unicast does as well. */
static void a_push_by_multicast(void **state)
{
    (void)state;
    struct duo *w = registered(0);
    struct content *c = content_new(), *d = content_new();
    const struct endpoint group = {{4, {239, 1, 1, 1}}, 848};
    content_tek(c, 0x1000, 3000, 1, 0);
    content_kek(c, &two, 3600, 0);
    c->sa.sak.dst = group;
    push_give(w, &one, c, 11);
    assert_true(ip_equal(duo_vpn(w, 0).kek.multicast_group, group.ip));
    content_tek(d, 0x2000, 3600, 1, 0);
    struct packet p = push_of(&two, d, 12);
    p.to = group;
    duo_give(w, &p);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 2);
    p = push_of(&one, c, 13); /* the old KEK has no group */
    p.to = group;
    duo_give(w, &p);
    assert_int_equal(rejected(w, ERR_UNEXPECTED), 1);
    push_give(w, &two, d, 14);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 3);
    duo_close(w);
    free(c);
    free(d);
}

/* ---- signatures ---- */

static void each_form_of_signature(void **state)
{
    (void)state;
    static const enum hash hashes[] = {HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512};
    struct pusher p = one;
    for (size_t h = 0; h < ARRAY_LEN(hashes); h++) {
        p.hash = hashes[h];
        struct duo *w = pusher_duo(duo_new(), &p, 0, NULL);
        struct content *c = content_new();
        content_tek(c, 0x2000, 3600, 1, 0);
        c->cert = true;
        for (uint32_t i = 0; i < 4; i++) {
            c->form = i & 1 ? RSA_BARE_HASH : RSA_DIGEST_INFO;
            c->over_padded = i & 2;
            push_give(w, &p, c, 11 + i);
            assert_int_equal(duo_vpn(w, 0).pushes.accepted, i + 1);
        }
        assert_int_equal(tolerated(w, TOLERATED_BARE_SIGNATURE), 2);
        assert_int_equal(tolerated(w, TOLERATED_PADDED_SIGNATURE), 2);
        assert_int_equal(tolerated(w, TOLERATED_CERT_IN_PUSH), 4);
        free(c);
        duo_close(w);
    }
}

/* RSAPublicKey of PKCS #1 is what the SubjectPublicKeyInfo holds behind its algorithm. */
static void a_public_key_as_pkcs1(void **state)
{
    (void)state;
    enum { ALGORITHM = 22 }; /* octets of a key of 1024 bits in front of it */
    struct pusher p = one;
    p.spki_len -= ALGORITHM;
    memmove(p.spki, p.spki + ALGORITHM, p.spki_len);
    struct duo *w = pusher_duo(duo_new(), &p, 0, NULL);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    push_give(w, &p, c, 11);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 1);
    assert_int_equal(tolerated(w, TOLERATED_PKCS1_KEY), 1);
    assert_int_equal(tolerated(w, TOLERATED_MANAGEMENT), 0);
    duo_close(w);
    free(c);
}

static void a_public_key_that_is_none_opens_nothing(void **state)
{
    (void)state;
    struct pusher p = one;
    memset(p.spki, 7, 10);
    struct duo *w = pusher_duo(duo_new(), &p, 0, NULL);
    struct content *c = content_new();
    content_tek(c, 0x2000, 3600, 1, 0);
    push_give(w, &p, c, 11);
    assert_int_equal(rejected(w, ERR_SYNTAX), 1);
    expect_untouched(w);
    duo_close(w);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pushed_key_switches_at_3570),
        cmocka_unit_test(keys_that_were_held_back_are_asked_for),
        cmocka_unit_test(a_repeat_moves_no_timer),
        cmocka_unit_test(a_shortened_lifetime_does_not_turn_the_order),
        cmocka_unit_test(a_push_in_time_moves_the_registration),
        cmocka_unit_test(what_a_registration_has_overtaken_is_stale),
        cmocka_unit_test(the_kek_before_teaches_no_keys),
        cmocka_unit_test(without_a_push_it_registers_at_3555),
        cmocka_unit_test(without_a_gap_the_new_key_sends_at_once),
        cmocka_unit_test(a_new_kek_replaces_the_old_one),
        cmocka_unit_test(a_sak_that_asks_no_more_ends_acknowledging),
        cmocka_unit_test(a_push_between_messages_2_and_4_stays),
        cmocka_unit_test(a_deleted_key_leaves_the_data_path),
        cmocka_unit_test(repeats_of_a_delete_spare_what_is_new),
        cmocka_unit_test(when_all_is_deleted_it_registers_again),
        cmocka_unit_test(a_deleted_kek_alone_asks_to_register_again),
        cmocka_unit_test(a_deleted_successor_takes_over_nothing),
        cmocka_unit_test(another_key_under_a_known_spi_is_an_alarm),
        cmocka_unit_test(another_key_under_the_spi_of_a_kek_is_one_too),
        cmocka_unit_test(a_policy_that_cannot_be_followed_is_refused_whole),
        cmocka_unit_test(numbers_that_are_not_greater_are_refused),
        cmocka_unit_test(an_insider_cannot_use_the_numbers_up),
        cmocka_unit_test(every_changed_or_missing_octet_is_noticed),
        cmocka_unit_test(only_the_server_pushes_and_only_to_us),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_delete_in_other_words_is_one),
        cmocka_unit_test(what_is_not_for_us_does_nothing),
        cmocka_unit_test(a_push_by_multicast),
        cmocka_unit_test(each_form_of_signature),
        cmocka_unit_test(a_public_key_as_pkcs1),
        cmocka_unit_test(a_public_key_that_is_none_opens_nothing),
    };
    return cmocka_run_group_tests(tests, make_pushers, NULL);
}

/* Heartbeats: missed ones, ones that tell of other keys, ones that ask to register again. */
#include "member/vpn.h"
#include "unit/member/pusher.h"

enum { INTERVAL = 60, SPREAD = 8 };

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

/* The digest of one KEK and one TEK, as wire.md says. */
static struct gdoi_state state_of(const struct pusher *p, uint32_t spi)
{
    struct gdoi_state s = {.has_kek = true,
                           .kek = p->spi,
                           .heartbeat = INTERVAL,
                           .spread = SPREAD,
                           .activation_delay = 20};
    uint8_t hash[HASH_MAX], octets[4];
    struct wr w = wr_of(octets, sizeof octets);

    wr_u32(&w, spi);
    hash_parts(HASH_SHA256, PARTS(ike1_cookies_bytes(&p->spi), BYTES_OF(octets)), hash);
    memcpy(s.digest, hash, sizeof s.digest);
    return s;
}

static struct duo *watching(uint32_t threshold)
{
    struct duo *w = duo_new();
    struct gdoi_state told = state_of(&one, 0x1000);
    w->vpns[0].heartbeat_threshold = threshold;
    return pusher_duo(w, &one, GDOI_ACK_KEK_SHA256, &told);
}

static void beat(struct duo *w, const struct pusher *p, uint32_t seq, const struct gdoi_state *s)
{
    struct content *c = content_new();
    c->state = s;
    push_give(w, p, c, seq);
    free(c);
}

static bool is_registered(const struct duo *w) { return duo_vpn(w, 0).state == MEMBER_REGISTERED; }

static double due_in(const struct duo *w)
{
    return (double)instant_since(duo_vpn(w, 0).due, w->now).ns / 1e9;
}

static void heartbeats_keep_it_quiet(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct gdoi_state s = state_of(&one, 0x1000);
    assert_true(duo_vpn(w, 0).heartbeat.watched);
    assert_int_equal(duo_vpn(w, 0).heartbeat.interval_s, INTERVAL);
    assert_int_equal(duo_vpn(w, 0).activation_delay_s, 20);
    for (uint32_t i = 1; i <= 20; i++) {
        duo_alone_until(w, INTERVAL * i);
        beat(w, &one, 10 + i, &s);
        assert_int_equal(w->n_packets, 0); /* never acknowledged */
    }
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_received, 20);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 0);
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 0);
    assert_int_equal(duo_vpn(w, 0).heartbeat.last.ns, w->now.ns);
    assert_true(is_registered(w));
    duo_close(w);
}

/* Three in a row, each with its grace; then within the spread that the server told. */
static void three_missed_make_it_register_again(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    double third = 3 * INTERVAL + 2;
    duo_alone_until(w, third - 0.1);
    assert_int_equal(duo_vpn(w, 0).heartbeat.missed, 2);
    assert_true(due_in(w) > 1000);
    duo_alone_until(w, third);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 3);
    assert_int_equal(duo_events(w, EV_HEARTBEAT_MISSED), 3);
    assert_true(due_in(w) >= 0 && due_in(w) <= SPREAD);
    assert_true(instant_is_never(duo_vpn(w, 0).heartbeat.next));
    assert_true(duo_holds(w, 0x1000, ESP_SLOT_CURRENT)); /* nothing is given up */
    duo_alone_until(w, third + SPREAD);
    assert_false(is_registered(w));
    duo_close(w);
}

static void two_missed_do_not(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct gdoi_state s = state_of(&one, 0x1000);
    for (uint32_t i = 1; i < 10; i++) {
        duo_alone_until(w, 2.9 * INTERVAL * i);
        beat(w, &one, 10 + i, &s);
        assert_int_equal(duo_vpn(w, 0).heartbeat.missed, 0);
    }
    assert_true(is_registered(w) && due_in(w) > 1000);
    duo_close(w);
}

static void an_ordinary_push_is_a_sign_of_life(void **state)
{
    (void)state;
    struct duo *w = watching(1);
    struct content *c = content_new();
    content_tek(c, 0x1000, 3600, 1, 0);
    duo_alone_until(w, INTERVAL);
    push_give(w, &one, c, 11);
    duo_alone_until(w, INTERVAL + 50);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 0);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_received, 0);
    duo_alone_until(w, 2 * INTERVAL + 2);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 1);
    duo_close(w);
    free(c);
}

/* It has missed a push: it pulls within the spread, before others drop the old key. */
static void other_keys_make_it_register_again(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct gdoi_state s = state_of(&one, 0x2000);
    s.spread = 600; /* more than there is time */
    beat(w, &one, 11, &s);
    assert_int_equal(duo_events(w, EV_STATE_DIFFERS), 1);
    assert_true(due_in(w) >= 0 && due_in(w) <= 2 * 20 - 2);
    instant_t due = duo_vpn(w, 0).due;
    beat(w, &one, 12, &s); /* the same digest within the spread */
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 1);
    assert_int_equal(duo_vpn(w, 0).due.ns, due.ns);
    duo_close(w);
}

static void the_shortest_delay_leaves_a_second(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct gdoi_state s = state_of(&one, 0x2000);
    s.activation_delay = 1;
    beat(w, &one, 11, &s);
    assert_true(due_in(w) >= 0 && due_in(w) <= 1);
    duo_close(w);
}

static void the_keys_of_a_push_are_part_of_the_state(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct content *c = content_new();
    struct gdoi_state s = state_of(&two, 0x2000);
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &two, 7200, 0);
    content_gap(c, 40, 60);
    push_give(w, &one, c, 11);
    beat(w, &two, 12, &s);
    beat(w, &one, 13, &s); /* for those that missed the new KEK (decisions M5) */
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_received, 2);
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 0);
    struct gdoi_state old = state_of(&one, 0x1000);
    beat(w, &two, 12 + 1, &old); /* overtaken: 13 has been heard */
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 0);
    assert_true(due_in(w) > 1000);
    duo_close(w);
    free(c);
}

/* Asking did not change the answer: then they differ for good, and asking again does not help. */
static void a_difference_that_stays_is_settled(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct content *c = content_new();
    struct gdoi_state s = state_of(&one, 0x9999);
    s.spread = 0;
    content_tek(c, 0x1000, 3500, 1, 0);
    content_kek(c, &one, 3500, 0);
    c->state = &s;
    beat(w, &one, 11, &s);
    duo_tick(w); /* message 1 */
    pusher_pull(w, c, 11);
    for (uint32_t i = 0; i < 5; i++) {
        duo_alone_until(w, duo_time(w) + 30);
        beat(w, &one, 12 + i, &s);
        assert_true(is_registered(w) && due_in(w) > 1000);
    }
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 1);
    s = state_of(&one, 0x8888); /* another one is worth a question */
    beat(w, &one, 20, &s);
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 2);
    duo_close(w);
    free(c);
}

/* The keys of a registration are those of message 2; message 4 tells of newer ones when the group
 * has moved on meanwhile: nobody has to wait for the next heartbeat to hear of that. */
static void a_registration_may_be_out_of_date_at_once(void **state)
{
    (void)state;
    struct duo *w = duo_new();
    struct content *c = content_new();
    struct gdoi_state s = state_of(&one, 0x2000);
    w->vpns[0].heartbeat_threshold = 3;
    pusher_duo(w, &one, GDOI_ACK_KEK_SHA256, &s);
    assert_int_equal(duo_events(w, EV_STATE_DIFFERS), 1);
    assert_true(due_in(w) >= 0 && due_in(w) <= SPREAD);
    content_tek(c, 0x1000, 3500, 1, 0);
    content_kek(c, &one, 3500, 0);
    c->state = &s;
    duo_tick(w);
    pusher_pull(w, c, 11); /* the same: then they differ for good */
    assert_int_equal(duo_events(w, EV_STATE_DIFFERS), 1);
    assert_true(due_in(w) > 1000);
    duo_close(w);
    free(c);
}

/* What is heard between the messages of a registration was said of newer keys than it brings. */
static void a_difference_heard_while_asking_is_not_settled(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct content *c = content_new();
    struct gdoi_state s = state_of(&one, 0x2000);
    content_tek(c, 0x1000, 3500, 1, 0);
    content_kek(c, &one, 3500, 0);
    c->state = &s;
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    beat(w, &one, 11, &s);
    pusher_pull(w, c, 11);
    assert_true(due_in(w) >= 0 && due_in(w) <= SPREAD);
    duo_close(w);
    free(c);
}

/* After a removal (decisions M18): under the current KEK only, for who has the next one has been.
 */
static void it_registers_again_when_told(void **state)
{
    (void)state;
    struct duo *w = watching(0); /* which ignores the rest */
    struct content *c = content_new();
    struct gdoi_state s = state_of(&one, 0x7777);
    beat(w, &one, 11, &s);
    assert_int_equal(duo_events(w, EV_STATE_DIFFERS), 0);
    assert_false(duo_vpn(w, 0).heartbeat.watched);
    duo_alone_until(w, 20 * INTERVAL);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 0);
    s.re_register = true;
    beat(w, &one, 12, &s);
    assert_true(due_in(w) >= 0 && due_in(w) <= SPREAD);
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &two, 3600, 0);
    c->state = &s;
    duo_tick(w);
    pusher_pull(w, c, 12);
    beat(w, &one, 13, &s); /* the same, under the old KEK, for the others */
    assert_true(is_registered(w) && due_in(w) > 1000);
    duo_close(w);
    free(c);
}

/* Its store was lost, so its numbers are small again, and what it tells is news all the same. */
static void a_server_that_counts_anew_is_listened_to(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct content *c = content_new();
    struct gdoi_state told = state_of(&two, 0x2000), other = state_of(&two, 0x3000);
    content_tek(c, 0x2000, 3600, 1, 0);
    content_kek(c, &two, 3600, 0);
    c->state = &told;
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    pusher_pull(w, c, 1);
    beat(w, &two, 2, &other);
    assert_int_equal(duo_vpn(w, 0).pushes.states_differed, 1);
    duo_close(w);
    free(c);
}

/* Something else that the server says before the member has come does not call it off. */
static void being_told_outlives_other_pushes(void **state)
{
    (void)state;
    struct duo *w = watching(0);
    struct content *c = content_new(), *d = content_new();
    struct gdoi_state s = state_of(&one, 0x1000);
    content_tek(c, 0x2000, 3600, 2, 0);
    push_give(w, &one, c, 11);
    s.re_register = true;
    beat(w, &one, 12, &s);
    assert_true(due_in(w) <= SPREAD);
    d->deleted[d->n_deleted++] = 0x2000;
    push_give(w, &one, d, 13);
    assert_true(due_in(w) <= SPREAD);
    duo_close(w);
    free(c);
    free(d);
}

/* Nor does a registration that is under way: its keys may be older than what it is told to fetch.
 */
static void being_told_outlives_a_registration_under_way(void **state)
{
    (void)state;
    struct duo *w = watching(0);
    struct content *c = content_new();
    struct gdoi_state s = state_of(&one, 0x1000);
    content_tek(c, 0x1000, 3500, 1, 0);
    content_kek(c, &one, 3500, 0);
    c->state = &s;
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
    struct gdoi_state told = s;
    told.re_register = true;
    beat(w, &one, 11, &told);
    pusher_pull(w, c, 11);
    assert_true(due_in(w) <= SPREAD);
    duo_tick(w);
    pusher_pull(w, c, 11);
    assert_true(due_in(w) > 1000);
    duo_close(w);
    free(c);
}

/* A member that has given up for a while tries again when the server speaks. */
static void a_sign_of_life_ends_the_waiting(void **state)
{
    (void)state;
    struct duo *w = watching(1);
    struct gdoi_state s = state_of(&one, 0x1000);
    double begin = 3400; /* the keys go on until 3600 */
    duo_alone_until(w, begin);
    while (duo_vpn(w, 0).state != MEMBER_WAITING || due_in(w) < 20) {
        assert_true(duo_time(w) < 3590);
        duo_alone_until(w, duo_time(w) + 0.5);
    }
    beat(w, &one, 11, &s);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    assert_true(due_in(w) <= SPREAD);
    duo_close(w);
}

/* From a foreign server the number of that notification may mean anything. */
static void a_foreign_servers_notification_means_nothing(void **state)
{
    (void)state;
    struct duo *w = watching(3);
    struct gdoi_state s = state_of(&one, 0x2000);
    s.re_register = true;
    ((struct member *)w->member)->vpns[0].beat.native = false;
    beat(w, &one, 11, &s);
    assert_int_equal(duo_vpn(w, 0).pushes.accepted, 1);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_received, 0);
    assert_true(due_in(w) > 1000);
    duo_close(w);
}

/* The group sends no more heartbeats, or has no KEK any more: nothing is missed. */
static void what_is_not_promised_is_not_missed(void **state)
{
    (void)state;
    struct duo *w = watching(1);
    struct gdoi_state s = state_of(&one, 0x1000);
    struct content *d = content_new();
    s.heartbeat = 0;
    beat(w, &one, 11, &s);
    assert_true(instant_is_never(duo_vpn(w, 0).heartbeat.next));
    s.heartbeat = INTERVAL;
    beat(w, &one, 12, &s);
    assert_false(instant_is_never(duo_vpn(w, 0).heartbeat.next));
    d->delete_kek = &one.spi;
    push_give(w, &one, d, 13);
    w->n_packets = 0;
    duo_alone_until(w, 3 * INTERVAL);
    assert_int_equal(duo_vpn(w, 0).pushes.heartbeats_missed, 0);
    duo_close(w);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeats_keep_it_quiet),
        cmocka_unit_test(three_missed_make_it_register_again),
        cmocka_unit_test(two_missed_do_not),
        cmocka_unit_test(an_ordinary_push_is_a_sign_of_life),
        cmocka_unit_test(other_keys_make_it_register_again),
        cmocka_unit_test(the_shortest_delay_leaves_a_second),
        cmocka_unit_test(the_keys_of_a_push_are_part_of_the_state),
        cmocka_unit_test(a_difference_that_stays_is_settled),
        cmocka_unit_test(a_registration_may_be_out_of_date_at_once),
        cmocka_unit_test(a_difference_heard_while_asking_is_not_settled),
        cmocka_unit_test(it_registers_again_when_told),
        cmocka_unit_test(being_told_outlives_other_pushes),
        cmocka_unit_test(being_told_outlives_a_registration_under_way),
        cmocka_unit_test(a_server_that_counts_anew_is_listened_to),
        cmocka_unit_test(a_sign_of_life_ends_the_waiting),
        cmocka_unit_test(a_foreign_servers_notification_means_nothing),
        cmocka_unit_test(what_is_not_promised_is_not_missed),
    };
    return cmocka_run_group_tests(tests, make_pushers, NULL);
}

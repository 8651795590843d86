/* What an operator does to a group: whom he means, and what a removed member can still do. */
#include "server/operator.h"

#include "server/ban.h"
#include "server/push.h"
#include "unit/server/world.h"

static struct group *group_called(struct world *w, const char *name)
{
    return server_group_named(w->server, name);
}

static enum err remove_it(struct world *w, const char *group, struct operator_who who,
                          const char *sentence)
{
    struct operator_answer refusal = {.sentence = ""};
    enum err e =
        server_remove(w->server, w->now, group_called(w, group), &who, false, &w->out, &refusal);

    world_collect(w);
    if (!strstr(refusal.sentence, sentence))
        fail_msg("'%s', wanted '%s'", refusal.sentence, sentence);
    return e;
}

static enum err lift(struct world *w, const char *group, struct operator_who who,
                     const char *sentence)
{
    struct operator_answer refusal = {.sentence = ""};
    enum err e = server_lift(w->server, w->now, group_called(w, group), &who, &w->out, &refusal);

    world_collect(w);
    if (!strstr(refusal.sentence, sentence))
        fail_msg("'%s', wanted '%s'", refusal.sentence, sentence);
    return e;
}

static const struct operator_who site_1 = {.gateway = "site-1"}, site_2 = {.gateway = "site-2"};

static size_t n_bans(const struct world *w)
{
    size_t cursor = 0, n = 0;

    while (ban_next(server_bans(w->server), &cursor))
        n++;
    return n;
}

/* What the server said goes to the member. */
static void deliver(struct world *w, struct pull_client *gm)
{
    while (w->n_packets > 0) {
        struct packet p = world_take(w);
        pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    }
}

static void groups_have_names(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    assert_ptr_equal(group_called(w, "blue"), world_blue(w));
    assert_null(group_called(w, "Blue"));
    world_close(w);
}

static void a_removed_member_is_out_and_a_lifted_one_in_again(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    world_phase1(w, &w->gm[0]);
    world_pull(w, &w->gm[0], BLUE);
    assert_int_equal(world_blue(w)->registry.n, 1);

    assert_int_equal(remove_it(w, "blue", site_1, ""), ERR_OK);
    world_says(w, EV_MEMBER_REMOVED, "identity", "10.0.0.1");
    assert_int_equal(world_blue(w)->registry.n, 0);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0);
    deliver(w, &w->gm[0]);
    assert_null(w->gm[0].sa); /* it was told so by a Delete */

    world_phase1(w, &w->gm[0]); /* it may prove who it is, and is refused */
    uint8_t room[DATAGRAM_MAX];
    world_from(w, &w->gm[0], pull_client_1(&w->gm[0], BLUE, NULL, room));
    deliver(w, &w->gm[0]);
    assert_int_equal(w->gm[0].notified, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    assert_int_equal(w->gm[0].refusal.reason, GDOI_REASON_NOT_AUTHORISED);
    world_says(w, EV_MEMBER_REFUSED, "what", "removed from the group by the operator");

    world_phase1(w, &w->gm[1]); /* nobody else is */
    world_pull(w, &w->gm[1], BLUE);
    assert_int_equal(remove_it(w, "blue", site_1, "removed already"), ERR_BUSY);
    assert_int_equal(lift(w, "blue", site_1, ""), ERR_OK);
    world_says(w, EV_BAN_LIFTED, "identity", "10.0.0.1");
    assert_int_equal(lift(w, "blue", site_1, "has not been removed"), ERR_NOT_FOUND);
    world_pull(w, &w->gm[0], BLUE);
    assert_int_equal(world_blue(w)->registry.n, 2);
    world_close(w);
}

static void the_exchange_under_way_ends(void **state)
{
    (void)state;
    struct world *w = world_new();
    uint8_t room[DATAGRAM_MAX];
    world_open(w);
    world_phase1(w, &w->gm[0]);
    world_ask(w, &w->gm[0], BLUE);
    struct bytes message_3 = pull_client_3(&w->gm[0], NULL, room);
    assert_int_equal(remove_it(w, "blue", site_1, ""), ERR_OK);
    assert_non_null(world_event(w, EV_PULL_ABORTED));
    deliver(w, &w->gm[0]);
    world_from(w, &w->gm[0], message_3);
    assert_int_equal(w->n_packets, 0);
    assert_int_equal(world_blue(w)->registry.n, 0);
    world_close(w);
}

static void a_phase_1_that_is_not_up_yet_ends_too(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    pull_client_start(&w->gm[0], w->now);
    world_serve(w, &w->gm[0]);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 1);
    assert_int_equal(remove_it(w, "blue", site_2, ""), ERR_OK);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 1);
    assert_int_equal(remove_it(w, "blue", site_1, ""), ERR_OK);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0);
    assert_int_equal(n_bans(w), 2);
    world_close(w);
}

/* A ban is of one group: the member stays in the others. */
static void other_groups_do_not_mind(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    assert_int_equal(remove_it(w, "red", site_1, "nobody of group red is 'site-1'"), ERR_NOT_FOUND);
    assert_int_equal(remove_it(w, "red", site_2, ""), ERR_OK);
    world_phase1(w, &w->gm[1]);
    world_pull(w, &w->gm[1], BLUE);
    assert_int_equal(world_blue(w)->registry.n, 1);
    world_close(w);
}

static void members_are_known_by_address_and_identity(void **state)
{
    static const struct operator_who at = {.address = {4, {10, 0, 0, 2}}}, of = {.identity = "gm2"},
                                     none = {.address = {4, {10, 9, 9, 9}}};
    (void)state;
    struct world *w = world_new();
    w->m.gateways[1].remote = (struct model_identity){MODEL_ID_FQDN, bytes_str("gm2")};
    world_open(w);
    assert_int_equal(remove_it(w, "blue", none, "nobody of group blue is '10.9.9.9'"),
                     ERR_NOT_FOUND);
    assert_int_equal(remove_it(w, "blue", of, ""), ERR_OK);
    world_says(w, EV_MEMBER_REMOVED, "identity", "gm2");
    assert_int_equal(lift(w, "blue", at, ""), ERR_OK);
    assert_int_equal(remove_it(w, "blue", at, ""), ERR_OK);
    assert_int_equal(lift(w, "blue", of, ""), ERR_OK);
    assert_int_equal(lift(w, "blue", (struct operator_who){.identity = "10.0.0.1"}, "not been"),
                     ERR_NOT_FOUND);
    world_close(w);
}

/* Two gateways behind one address, told apart by what they say they are. */
static void who_is_meant_must_be_clear(void **state)
{
    static const struct operator_who at = {.address = {4, {10, 0, 0, 1}}};
    (void)state;
    struct world *w = world_new();
    for (size_t i = 0; i < 2; i++) {
        w->m.gateways[i].address = IP_NONE;
        w->m.gateways[i].dynamic =
            (struct model_identity){MODEL_ID_FQDN, bytes_str(i ? "gm2" : "gm1")};
    }
    w->m.policy.mode = MODEL_MODE_AGGRESSIVE;
    world_open(w);
    struct group *g = group_called(w, "blue");
    for (size_t i = 0; i < 2; i++) {
        struct registration r = {.gateway = &w->m.gateways[i],
                                 .identity = w->m.gateways[i].dynamic,
                                 .remote = {ip_v4(0x0a000001), 848},
                                 .now = w->now};
        assert_int_equal(registry_put(&g->registry, &r), ERR_OK);
    }
    assert_int_equal(remove_it(w, "blue", at, "more than one member of group blue"), ERR_CONFLICT);
    assert_int_equal(remove_it(w, "blue", site_2, ""), ERR_OK);
    assert_int_equal(g->registry.n, 1);
    assert_int_equal(remove_it(w, "blue", at, "more than one"), ERR_CONFLICT); /* a ban counts */
    world_close(w);
}

/* ---- keys ---- */

enum { ATD = 15, LIFE = 3600 };

/* Two members of blue, which has pushes and two ipsec-sas, or not. */
static struct world *busy(bool pushes)
{
    struct world *w = world_new();

    if (pushes)
        w->m.groups[0].communication = two_groups_communication();
    w->m.groups[0].n_sas = 2;
    world_open(w);
    for (size_t i = 0; i < 2; i++) {
        world_phase1(w, &w->gm[i]);
        world_pull(w, &w->gm[i], BLUE);
    }
    world_until(w, 100);
    w->n_packets = 0;
    return w;
}

static struct operator_answer removed(struct world *w, struct operator_who who, bool immediately,
                                      enum err want)
{
    struct operator_answer a = {.sentence = ""};
    enum err e =
        server_remove(w->server, w->now, group_called(w, "blue"), &who, immediately, &w->out, &a);

    world_collect(w);
    assert_int_equal(e, want);
    w->n_packets = 0; /* the Delete of its phase 1 */
    return a;
}

static struct operator_answer rekeyed(struct world *w, const char *sa, bool kek, enum err want)
{
    struct operator_answer a = {.sentence = ""};
    struct operator_rekey what = {sa, kek};
    enum err e = server_rekey(w->server, w->now, group_called(w, "blue"), &what, &w->out, &a);

    world_collect(w);
    assert_int_equal(e, want);
    return a;
}

static struct operator_answer cleared(struct world *w, bool immediately, enum err want)
{
    struct operator_answer a = {.sentence = ""};
    enum err e = server_clear(w->server, w->now, group_called(w, "blue"), immediately, &w->out, &a);

    world_collect(w);
    assert_int_equal(e, want);
    return a;
}

static void expect_in(const struct world *w, instant_t at, int64_t s)
{
    assert_int_equal(instant_since(at, w->now).ns, s * NS_PER_S);
}

static unsigned kek_number(const struct world *w)
{
    return world_blue(w)->kek[GROUP_KEK_CURRENT]->number;
}

static void a_rekey_makes_what_it_names(void **state)
{
    (void)state;
    struct world *w = busy(true);
    struct operator_answer a = rekeyed(w, "wide", false, ERR_OK);
    assert_false(a.waits || a.by_pull);
    assert_int_equal(a.n_members, 2);
    expect_in(w, a.made_at, 0);
    expect_in(w, a.switch_at, 2 * ATD);
    expect_in(w, a.drop_at, 3 * ATD);
    assert_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(world_key(w, 1, GROUP_NEXT)->time.switch_at.ns, a.switch_at.ns);
    assert_int_equal(kek_number(w), 1);
    world_says(w, EV_OPERATOR, "what", "rekey");

    world_until(w, 200);
    a = rekeyed(w, NULL, true, ERR_OK);
    assert_int_equal(kek_number(w), 2);
    expect_in(w, a.switch_at, 0);
    struct operator_answer again = rekeyed(w, NULL, true, ERR_OK); /* one after the other */
    assert_true(again.waits);
    expect_in(w, again.made_at, 3 * ATD);
    assert_null(world_key(w, 1, GROUP_NEXT));

    world_until(w, 300);
    a = rekeyed(w, NULL, false, ERR_OK);
    assert_false(a.waits);
    assert_int_equal(kek_number(w), 4);
    for (size_t sa = 0; sa < 2; sa++)
        assert_int_equal(world_key(w, sa, GROUP_NEXT)->time.drop_at.ns, a.drop_at.ns);
    a = rekeyed(w, "narrow", false, ERR_NOT_FOUND);
    assert_string_equal(a.sentence, "group blue has no ipsec-sa 'narrow'");
    world_close(w);
}

static void a_rekey_waits_for_the_one_that_runs(void **state)
{
    (void)state;
    struct world *w = busy(true);
    (void)rekeyed(w, "main", false, ERR_OK);
    world_until(w, 110);
    struct operator_answer a = rekeyed(w, "main", false, ERR_OK),
                           b = rekeyed(w, "main", false, ERR_OK);
    assert_true(a.waits);
    expect_in(w, a.made_at, 3 * ATD - 10);
    expect_in(w, a.switch_at, 5 * ATD - 10);
    assert_int_equal(a.switch_at.ns, b.switch_at.ns); /* one key for both */
    world_until(w, 100 + 3 * ATD);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->time.switch_at.ns, a.switch_at.ns);
    world_until(w, 100 + 6 * ATD);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number, 3);
    assert_null(world_key(w, 0, GROUP_NEXT));
    world_close(w);
}

static void without_pushes_nobody_can_be_told(void **state)
{
    (void)state;
    struct world *w = busy(false);
    struct operator_answer a = rekeyed(w, NULL, false, ERR_CONFLICT);
    assert_non_null(strstr(a.sentence, "group blue has no server-member-communication"));
    (void)cleared(w, false, ERR_CONFLICT);
    (void)cleared(w, true, ERR_CONFLICT);
    (void)removed(w, site_1, true, ERR_CONFLICT);
    assert_int_equal(n_bans(w), 0); /* a refusal does nothing at all */

    a = removed(w, site_1, false, ERR_OK);
    assert_true(a.waits && a.by_pull);
    assert_int_equal(a.n_members, 1);
    expect_in(w, a.made_at, LIFE - 100 - 4 * ATD);
    expect_in(w, a.switch_at, LIFE - 100 - 2 * ATD);
    expect_in(w, a.drop_at, LIFE - 100 - ATD);
    world_until(w, LIFE - 4 * ATD);
    for (size_t sa = 0; sa < 2; sa++) /* a day's key, too: the removed member has it */
        assert_int_equal(world_key(w, sa, GROUP_NEXT)->time.switch_at.ns, a.switch_at.ns);
    world_close(w);

    w = world_new();
    w->m.groups[0].communication = two_groups_communication();
    w->hold_sign_keys = true;
    world_open(w);
    a = rekeyed(w, NULL, false, ERR_CONFLICT);
    assert_string_equal(a.sentence, "group blue has no key for pushes yet");
    world_close(w);
}

static void all_others_get_new_keys_that_no_old_one_brings(void **state)
{
    (void)state;
    struct world *w = busy(true);
    struct operator_answer a = removed(w, site_1, false, ERR_OK);
    const struct group *g = world_blue(w);
    assert_false(a.waits);
    assert_true(a.by_pull);
    assert_int_equal(a.n_members, 1);
    expect_in(w, a.switch_at, 2 * ATD);
    expect_in(w, a.drop_at, 3 * ATD);
    assert_int_equal(kek_number(w), 2);
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    for (size_t sa = 0; sa < 2; sa++)
        assert_int_equal(world_key(w, sa, GROUP_NEXT)->time.switch_at.ns, a.switch_at.ns);

    world_ask(w, &w->gm[1], BLUE); /* who stays gets all of it */
    world_finish(w, &w->gm[1]);
    assert_true(w->gm[1].kek.present);
    assert_int_equal(w->gm[1].n_keys, 4);
    assert_non_null(pull_client_key_of(&w->gm[1], world_key(w, 1, GROUP_NEXT)->spi));
    world_close(w);
}

/* The removed member has the keys of the changeover that runs. */
static void a_removal_waits_for_the_changeover_that_runs(void **state)
{
    (void)state;
    struct world *w = busy(true);
    (void)rekeyed(w, "main", false, ERR_OK);
    world_until(w, 110);
    struct operator_answer a = removed(w, site_1, false, ERR_OK);
    assert_true(a.waits);
    expect_in(w, a.made_at, 3 * ATD - 10);
    assert_int_equal(kek_number(w), 1);
    (void)removed(w, site_1, false, ERR_BUSY);
    world_until(w, 100 + 3 * ATD);
    assert_int_equal(kek_number(w), 2);
    for (size_t sa = 0; sa < 2; sa++)
        assert_int_equal(world_key(w, sa, GROUP_NEXT)->time.drop_at.ns, a.drop_at.ns);
    world_close(w);
}

/* Keys that nobody has seen go out under no KEK that a removed member has. */
static void keys_on_their_way_to_the_store_are_given_up(void **state)
{
    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    struct operator_answer a = rekeyed(w, NULL, false, ERR_OK);
    uint32_t given_up = world_key(w, 0, GROUP_MINTED)->spi;
    a = removed(w, site_1, false, ERR_OK);
    assert_false(a.waits);
    assert_int_not_equal(world_key(w, 0, GROUP_MINTED)->spi, given_up);
    while (w->n_waiting > 0)
        world_answer(w, ERR_OK);
    assert_int_not_equal(world_key(w, 0, GROUP_NEXT)->spi, given_up);
    assert_true(world_blue(w)->kek[GROUP_KEK_PREVIOUS]->retired);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->time.switch_at.ns, a.switch_at.ns);
    world_close(w);
}

static void now_ends_every_key(void **state)
{
    (void)state;
    struct world *w = busy(true);
    uint32_t old = world_key(w, 0, GROUP_CURRENT)->spi;
    (void)removed(w, site_1, false, ERR_OK);
    struct operator_answer a = removed(w, site_1, true, ERR_OK); /* that was too slow */
    expect_in(w, a.switch_at, 0);
    expect_in(w, a.drop_at, 0);
    assert_int_equal(a.n_members, 1);
    assert_null(mint_find(world_blue(w)->mint, old));
    assert_int_equal(kek_number(w), 3);
    assert_true(world_blue(w)->kek[GROUP_KEK_PREVIOUS]->retired);
    assert_true(world_blue(w)->push->counters.deletes > 0);
    assert_null(world_key(w, 0, GROUP_NEXT)); /* who comes sends with the new one at once */

    uint32_t before = world_key(w, 0, GROUP_CURRENT)->spi;
    a = cleared(w, true, ERR_OK);
    world_says(w, EV_OPERATOR, "what", "clear now");
    assert_null(mint_find(world_blue(w)->mint, before));
    world_close(w);
}

static void a_cleared_group_comes_for_new_keys(void **state)
{
    (void)state;
    struct world *w = busy(true);
    struct operator_answer a = cleared(w, false, ERR_OK);
    assert_true(a.by_pull);
    assert_int_equal(a.n_members, 2);
    expect_in(w, a.switch_at, 2 * ATD);
    assert_int_equal(kek_number(w), 2);
    assert_int_equal(n_bans(w), 0);
    world_close(w);
}

static void one_registration_can_be_forgotten(void **state)
{
    static const struct operator_who nobody = {.gateway = "site-9"};
    (void)state;
    struct world *w = busy(true);
    struct operator_answer a = {.sentence = ""};
    struct group *g = group_called(w, "blue");
    assert_int_equal(server_forget(w->server, w->now, g, &nobody, &w->out, &a), ERR_NOT_FOUND);
    assert_int_equal(server_forget(w->server, w->now, g, &site_2, &w->out, &a), ERR_OK);
    world_collect(w);
    assert_int_equal(g->registry.n, 1);
    world_says(w, EV_MEMBER_CLEARED, "identity", "10.0.0.2");
    assert_int_equal(server_forget(w->server, w->now, g, &site_2, &w->out, &a), ERR_NOT_FOUND);
    assert_string_equal(a.sentence, "it is not registered");
    deliver(w, &w->gm[1]);
    world_phase1(w, &w->gm[1]); /* it is not banned */
    world_pull(w, &w->gm[1], BLUE);
    assert_int_equal(g->registry.n, 2);
    world_close(w);
}

static void what_could_not_be_stored_is_told(void **state)
{
    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    (void)removed(w, site_1, false, ERR_OK);
    while (w->n_waiting > 0)
        world_answer(w, ERR_SYSTEM);
    bool told = false;
    for (size_t i = 0; i < w->n_events; i++) {
        struct bytes what = event_find_text(&w->events[i], "what");
        told = told || (w->events[i].id == EV_STORE_FAILED && what.len > 9 &&
                        bytes_equal(bytes(what.data, 9), bytes_str("a removal")));
    }
    assert_true(told);
    assert_non_null(ban_find(server_bans(w->server), BLUE,
                             (struct model_identity){MODEL_ID_IPV4, bytes("\x0a\0\0\1", 4)}));
    world_close(w);
}

/* How many events of what could not be stored begin so. */
static unsigned n_told(const struct world *w, const char *what)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->n_events; i++) {
        struct bytes text = event_find_text(&w->events[i], "what");
        n += w->events[i].id == EV_STORE_FAILED && text.len >= strlen(what) &&
             bytes_equal(bytes(text.data, strlen(what)), bytes_str(what));
    }
    return n;
}

/* The store answers all that waits; how many transactions that brings. */
static size_t answer_all(struct world *w, enum err err)
{
    size_t before = w->n_stored;

    while (w->n_waiting > 0)
        world_answer(w, err);
    return w->n_stored - before;
}

static void what_has_to_be_stored_is_known_by_its_own_number(void **state)
{
    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    struct operator_answer one = removed(w, site_1, false, ERR_OK);
    assert_int_equal(one.first_tx, w->waiting[0]);
    assert_int_equal(one.last_tx, w->waiting[w->n_waiting - 1]);
    struct operator_answer two = removed(w, site_2, false, ERR_OK);
    assert_true(two.last_tx > one.last_tx);
    assert_int_equal(two.last_tx, w->waiting[w->n_waiting - 1]);
    for (size_t i = 1; i < w->n_waiting; i++)
        assert_true(w->waiting[i - 1] < w->waiting[i]);
    (void)answer_all(w, ERR_OK);
    assert_int_equal(n_told(w, "a removal"), 0);
    world_close(w);
}

/* Behind a delete that is not followed by its order a restart would let the removed one in again,
 * and go on with keys that all others have deleted. */
static void a_delete_leaves_behind_its_order(void **state)
{
    (void)state;
    struct world *w = busy(true);
    const struct push_counters *c = &world_blue(w)->push->counters;
    assert_true(world_blue(w)->push_seq_durable > world_blue(w)->push_seq); /* one is to spare */
    w->hold_store = true;
    (void)removed(w, site_1, true, ERR_OK);
    assert_int_equal(c->deletes, 0);
    world_answer(w, ERR_OK); /* the ban */
    world_answer(w, ERR_OK); /* the wish for new keys */
    assert_int_equal(c->deletes, 0);
    world_answer(w, ERR_OK);
    assert_int_equal(c->deletes, 1);
    world_close(w);
}

/* Keys that are on their way to the store do not fulfil it: it is stored behind them. */
static void a_wish_that_keys_on_their_way_do_not_fulfil_is_stored(void **state)
{
    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    (void)rekeyed(w, "wide", false, ERR_OK);
    size_t n = w->n_waiting;
    struct operator_answer a = rekeyed(w, "main", false, ERR_OK);
    assert_int_equal(w->n_waiting, n + 1);
    assert_int_equal(a.last_tx, w->waiting[n]);
    world_close(w);
}

static void a_wish_that_joins_keys_on_their_way_waits_for_them(void **state)
{
    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    struct operator_answer first = rekeyed(w, NULL, false, ERR_OK);
    assert_int_equal(first.last_tx, w->waiting[w->n_waiting - 1]);
    struct operator_answer again = rekeyed(w, NULL, false, ERR_OK);
    assert_true(again.last_tx >= first.last_tx);
    assert_true(again.first_tx != 0 && again.first_tx <= first.last_tx);
    world_close(w);
}

static void what_failed_is_stored_again_as_it_is_by_then(void **state)
{
    struct operator_answer a;

    (void)state;
    struct world *w = busy(true);
    w->hold_store = true;
    (void)removed(w, site_1, false, ERR_OK);
    assert_true(answer_all(w, ERR_SYSTEM) > 0);
    assert_int_equal(n_told(w, "a removal"), 1);
    assert_int_equal(w->n_waiting, 0); /* nobody waits for what is tried again */

    assert_int_equal(server_lift(w->server, w->now, group_called(w, "blue"), &site_1, &w->out, &a),
                     ERR_OK);
    world_collect(w);
    assert_int_equal(a.first_tx, a.last_tx);
    assert_int_equal(a.last_tx, w->waiting[0]);
    assert_int_equal(answer_all(w, ERR_SYSTEM), 1);
    assert_int_equal(n_told(w, "the end of a removal"), 1);

    assert_int_equal(
        server_forget(w->server, w->now, group_called(w, "blue"), &site_2, &w->out, &a), ERR_OK);
    world_collect(w);
    assert_int_equal(a.last_tx, w->waiting[0]);
    assert_int_equal(answer_all(w, ERR_SYSTEM), 1);
    assert_int_equal(n_told(w, "the end of a registration"), 1);
    world_close(w);
}

static void bans_are_limited(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_open(w);
    struct bans *bans = (struct bans *)(uintptr_t)server_bans(w->server);
    for (uint32_t i = 0; i < BANS_MAX; i++)
        assert_int_equal(ban_put(bans, i + 100, w->m.gateways[0].remote, IP_NONE, w->now), ERR_OK);
    assert_int_equal(remove_it(w, "blue", site_1, "no more than 65536"), ERR_LIMIT);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_have_names),
        cmocka_unit_test(a_removed_member_is_out_and_a_lifted_one_in_again),
        cmocka_unit_test(the_exchange_under_way_ends),
        cmocka_unit_test(a_phase_1_that_is_not_up_yet_ends_too),
        cmocka_unit_test(other_groups_do_not_mind),
        cmocka_unit_test(members_are_known_by_address_and_identity),
        cmocka_unit_test(who_is_meant_must_be_clear),
        cmocka_unit_test(bans_are_limited),
        cmocka_unit_test(a_rekey_makes_what_it_names),
        cmocka_unit_test(a_rekey_waits_for_the_one_that_runs),
        cmocka_unit_test(without_pushes_nobody_can_be_told),
        cmocka_unit_test(all_others_get_new_keys_that_no_old_one_brings),
        cmocka_unit_test(a_removal_waits_for_the_changeover_that_runs),
        cmocka_unit_test(keys_on_their_way_to_the_store_are_given_up),
        cmocka_unit_test(now_ends_every_key),
        cmocka_unit_test(a_cleared_group_comes_for_new_keys),
        cmocka_unit_test(one_registration_can_be_forgotten),
        cmocka_unit_test(what_could_not_be_stored_is_told),
        cmocka_unit_test(what_has_to_be_stored_is_known_by_its_own_number),
        cmocka_unit_test(a_delete_leaves_behind_its_order),
        cmocka_unit_test(a_wish_that_keys_on_their_way_do_not_fulfil_is_stored),
        cmocka_unit_test(a_wish_that_joins_keys_on_their_way_waits_for_them),
        cmocka_unit_test(what_failed_is_stored_again_as_it_is_by_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

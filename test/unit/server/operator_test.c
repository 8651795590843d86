/* What an operator does to a group: whom he means, and what a removed member can still do. */
#include "server/operator.h"

#include "server/ban.h"
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

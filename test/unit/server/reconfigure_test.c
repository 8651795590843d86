/* A server at work under another configuration: each row of the table of consequences, on live
 * groups; what cannot be served changes nothing; nothing of the old model is used afterwards. */
#include "group/change.h"
#include "server/change.h"
#include "server/state.h"
#include "unit/server/world.h"

/* The next configuration: begins as a copy of the present one, in memory of its own. */
static struct two_groups *next_of(const struct world *w)
{
    struct two_groups *m = calloc(1, sizeof *m);
    const struct two_groups *was = &w->m;

    assert_non_null(m);
    two_groups_init(m);
    for (size_t i = 0; i < 2; i++) {
        m->groups[i].n_sas = was->groups[i].n_sas;
        m->groups[i].communication = was->groups[i].communication;
    }
    return m;
}

static enum err commit(struct world *w, const struct two_groups *next)
{
    w->n_events = 0;
    enum err e = server_reconfigure(w->server, w->now,
                                    &(struct server_config){.model = &next->model}, &w->out);
    world_collect(w);
    return e;
}

/* Commits, and spoils the old model, but for what the members of this test use themselves: whoever
 * looked into it would read 0xa5. */
static void move_to(struct world *w, struct two_groups *next)
{
    size_t kept = offsetof(struct two_groups, gateways);

    assert_int_equal(commit(w, next), ERR_OK);
    memset((char *)&w->m + kept, 0xa5, sizeof w->m - kept);
}

static size_t count(const struct world *w, enum event_id id)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_events; i++)
        n += w->events[i].id == id;
    return n;
}

/* Messages to the group of that kind. */
static size_t count_told(const struct world *w, const char *what)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_events; i++) {
        struct bytes kind = event_find_text(&w->events[i], "what");
        n += w->events[i].id == EV_PUSH_SENT && bytes_equal(kind, bytes_str(what));
    }
    return n;
}
static bool has_told(const struct world *w, const char *what) { return count_told(w, what) > 0; }

/* Two members of blue, one of them in red, too; at 100 s. */
static struct world *settled(bool pushes)
{
    struct world *w = world_new();

    w->m.groups[0].n_sas = 2;
    if (pushes)
        w->m.groups[0].communication = two_groups_communication();
    world_open(w);
    for (size_t i = 0; i < 2; i++) {
        world_phase1(w, &w->gm[i]);
        world_pull(w, &w->gm[i], BLUE);
    }
    world_until(w, 100);
    w->n_events = 0;
    return w;
}

static void done(struct world *w, struct two_groups *next)
{
    world_wait(w, 2);
    world_close(w);
    free(next);
}

/* ---- nothing is lost ---- */

static void what_stays_goes_on(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;
    uint8_t kek[KEK_SPI];

    memcpy(kek, world_blue(w)->kek[GROUP_KEK_CURRENT]->spi, sizeof kek);
    world_ask(w, &w->gm[0], BLUE); /* a registration under way */
    next->groups[0].description = "new";
    next->groups[0].communication.heartbeat_s = 60;
    move_to(w, next);
    assert_int_equal(count(w, EV_COMMIT), 2);
    world_finish(w, &w->gm[0]);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    assert_memory_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->spi, kek, sizeof kek);
    assert_int_equal(world_blue(w)->registry.n, 2);
    assert_ptr_equal(world_blue(w)->model, &next->groups[0]);
    for (size_t i = 0; i < 2; i++)
        assert_true(world_blue(w)->registry.members[i]->gateway >= next->gateways &&
                    world_blue(w)->registry.members[i]->gateway < next->gateways + 3);
    world_pull(w, &w->gm[1], BLUE); /* under the same phase 1 SA */
    assert_int_equal(phase1_count(server_phase1(w->server), true), 2);
    assert_int_equal(count(w, EV_PHASE1_DOWN), 0);
    world_phase1(w, &w->gm[1]); /* and a new one */
    world_pull(w, &w->gm[1], BLUE);
    done(w, next);
}

static void ten_commits_in_a_second(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *last = NULL;

    for (unsigned i = 0; i < 10; i++) {
        struct two_groups *next = calloc(1, sizeof *next);
        assert_non_null(next);
        two_groups_init(next);
        next->groups[0].n_sas = 2;
        next->groups[0].communication = two_groups_communication();
        next->groups[0].communication.type = MODEL_PUSH_UNICAST;
        next->policies[2].protocol = (uint8_t)(i + 1);
        assert_int_equal(commit(w, next), ERR_OK);
        assert_int_equal(count(w, EV_COMMIT), 1);
        if (last)
            memset(last, 0xa5, sizeof *last);
        free(last);
        last = next;
        world_wait(w, 0.1);
    }
    assert_int_equal(world_key(w, 1, GROUP_NEXT)->number, 2); /* the first, and then one more */
    world_until(w, 146);
    assert_int_equal(world_key(w, 1, GROUP_NEXT)->number, 3);
    assert_int_equal(world_key(w, 1, GROUP_NEXT)->policy->policies[0].protocol, 10);
    world_until(w, 200);
    assert_int_equal(world_key(w, 1, GROUP_CURRENT)->number, 3);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number, 1);
    done(w, last);
}

static void what_cannot_be_served_changes_nothing(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->groups[0].description = "new";
    next->hour.lifetime_s = 149;
    assert_int_equal(commit(w, next), ERR_CONFIG);
    world_says(w, EV_CONFIG, "what", "10 times");
    next->hour.lifetime_s = 3600;
    next->gateways[2].address = next->gateways[1].address;
    assert_int_equal(commit(w, next), ERR_CONFLICT);
    next->gateways[2].address = ip_v4(0x0a000003u);
    next->model.n_groups = MODEL_GROUPS_MAX + 1;
    assert_int_equal(commit(w, next), ERR_LIMIT);
    assert_int_equal(count(w, EV_COMMIT), 0);
    assert_ptr_equal(world_blue(w)->model, &w->m.groups[0]);
    assert_null(world_key(w, 0, GROUP_NEXT));
    world_pull(w, &w->gm[0], BLUE);
    done(w, next);
}

/* ---- keys ---- */

static void a_policy_brings_a_new_key(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    static struct model_match_policy red[2];
    memcpy(red, next->policies, sizeof red);
    next->red_sas[0].policies = red; /* as they were */
    next->policies[1].protocol = 6;
    assert_int_equal(commit(w, next), ERR_OK);
    world_says(w, EV_COMMIT, "group", "blue");
    world_says(w, EV_COMMIT, "what",
               "group blue: ipsec-sa main: match-policy rl changed: new key now, members use it in "
               "30 s");
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->policy->policies[1].protocol, 17);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->policy->policies[1].protocol, 6);
    assert_null(world_key(w, 1, GROUP_NEXT));
    assert_null(server_group(w->server, 1)->sas[0].slot[GROUP_NEXT]);
    world_pull(w, &w->gm[0], BLUE);
    assert_int_equal(w->gm[0].offer.n_sats, 2 + 2 + 1); /* both */
    world_until(w, 131);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->policy->policies[1].protocol, 6);
    done(w, next);
}

/* In the middle of a changeover the next one waits for its end. */
static void a_policy_in_a_changeover_waits(void **state)
{
    (void)state;
    struct world *w = settled(true);
    world_until(w, 3550);
    assert_non_null(world_key(w, 0, GROUP_NEXT));
    struct two_groups *next = next_of(w);
    next->policies[0].protocol = 6;
    move_to(w, next);
    world_until(w, 3584);
    assert_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->policy->policies[0].protocol, 0);
    world_until(w, 3585);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->policy->policies[0].protocol, 6);
    done(w, next);
}

/* Members that nobody can tell find the new key when they come for the next. */
static void without_pushes_a_policy_waits_for_the_next_key(void **state)
{
    (void)state;
    struct world *w = settled(false);
    struct two_groups *next = next_of(w);

    next->policies[2].protocol = 6; /* of "wide", whose key lives for a day */
    move_to(w, next);
    world_says(w, EV_COMMIT, "what", "wide: match-policy all changed: new key with the group's");
    world_until(w, 3539);
    assert_null(world_key(w, 1, GROUP_NEXT));
    world_until(w, 3541);
    assert_non_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(world_key(w, 1, GROUP_NEXT)->policy->policies[0].protocol, 6);
    done(w, next);
}

static void proposals_and_lifetimes_wait_for_the_next_key(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->hour.key_bits = 256;
    next->hour.lifetime_s = 7200;
    move_to(w, next);
    world_until(w, 3539);
    assert_null(world_key(w, 0, GROUP_NEXT));
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->cipher, CIPHER_AES_128_CBC);
    world_until(w, 3541);
    assert_int_equal(world_key(w, 0, GROUP_NEXT)->cipher, CIPHER_AES_256_CBC);
    assert_int_equal(instant_since(world_key(w, 0, GROUP_NEXT)->time.expiry, w->now).ns / NS_PER_S,
                     7199);
    done(w, next);
}

static void ipsec_sas_come_and_go(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->blue_sas[0].name = "other";
    move_to(w, next);
    assert_int_equal(count(w, EV_COMMIT), 2);
    assert_int_equal(count(w, EV_GENERATION_DROPPED), 1);
    assert_true(has_told(w, "delete"));
    w->n_packets = 0;
    world_pull(w, &w->gm[0], BLUE);
    assert_int_equal(w->gm[0].offer.n_sats, 1 + 2);
    assert_non_null(world_key(w, 0, GROUP_NEXT)); /* members are told before they use it */
    world_until(w, 131);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number, 1);
    assert_int_equal(world_key(w, 1, GROUP_CURRENT)->number, 1);
    done(w, next);
}

/* ---- the KEK ---- */

static void the_kek_changes_now_or_later(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);
    struct model_communication *c = &next->groups[0].communication;

    c->key_bits = 128;
    c->lifetime_s = 3600;
    move_to(w, next);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 1);
    world_until(w, 1741);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 2);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->cipher, CIPHER_AES_128_CBC);
    world_until(w, 1900);
    struct two_groups *third = calloc(1, sizeof *third);
    assert_non_null(third);
    two_groups_init(third);
    third->groups[0].n_sas = 2;
    third->groups[0].communication = *c;
    third->groups[0].communication.type = MODEL_PUSH_MULTICAST;
    third->groups[0].communication.multicast_group = ip_v4(0xe2010101);
    third->groups[0].communication.multicast_interface = "eth1";
    assert_int_equal(commit(w, third), ERR_OK);
    world_says(w, EV_COMMIT, "what", "communication-type changed: new KEK now");
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 3);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->policy->type, MODEL_PUSH_MULTICAST);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_PREVIOUS]->number, 2);
    struct two_groups *fourth = calloc(1, sizeof *fourth);
    assert_non_null(fourth);
    two_groups_init(fourth);
    fourth->groups[0].n_sas = 2;
    fourth->groups[0].communication = third->groups[0].communication;
    fourth->groups[0].communication.multicast_interface = "eth9";
    assert_int_equal(commit(w, fourth), ERR_OK);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 3);
    assert_string_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->policy->multicast_interface, "eth9");
    free(next);
    free(third);
    done(w, fourth);
}

/* A key pair belongs to its KEK: a commit that names another one brings a new KEK (decisions M17).
 */
static void another_certificate_brings_another_kek(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);
    const struct signing_key *own = world_blue(w)->kek[GROUP_KEK_CURRENT]->signer;
    struct server_certificate list[1] = {{.name = "srv"}};
    const uint8_t entropy[SIGN_ENTROPY] = {1};
    struct server_config config = {.model = &next->model};

    next->groups[0].communication.certificate = "srv";
    w->n_events = 0;
    /* One that fails keeps nothing of what it brought. */
    struct server_certificate other[1] = {{.name = "other"}};
    const struct server_config wrong = {
        .model = &next->model, .certificates = other, .n_certificates = 1};
    assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &other[0].key), ERR_OK);
    assert_int_equal(server_reconfigure(w->server, w->now, &wrong, &w->out), ERR_NOT_FOUND);
    assert_int_equal(w->server->certified.n, 0);
    assert_int_equal(server_reconfigure(w->server, w->now, &config, &w->out), ERR_NOT_FOUND);
    world_collect(w);
    world_says(w, EV_CONFIG, "what", "certificate");
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 1);
    assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &list[0].key), ERR_OK);
    config.certificates = list;
    config.n_certificates = 1;
    assert_int_equal(server_reconfigure(w->server, w->now, &config, &w->out), ERR_OK);
    world_collect(w);
    assert_null(list[0].key);
    world_says(w, EV_COMMIT, "what", "certificate changed: new KEK now");
    const struct group *g = world_blue(w);
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->number, 2);
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->signer->bits, RSA_BITS_MIN);
    assert_ptr_equal(g->kek[GROUP_KEK_PREVIOUS]->signer, own);
    w->n_packets = 0;
    done(w, next);
}

static void server_member_communication_comes_and_goes(void **state)
{
    (void)state;
    struct world *w = settled(false);
    struct two_groups *next = next_of(w);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;

    next->groups[0].communication = two_groups_communication();
    move_to(w, next);
    assert_int_equal(count(w, EV_MEMBER_REMOVED), 1);
    assert_int_equal(world_blue(w)->registry.n, 0);
    assert_non_null(world_blue(w)->kek[GROUP_KEK_CURRENT]);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    world_pull(w, &w->gm[0], BLUE);
    assert_true(w->gm[0].kek.present);

    struct two_groups *third = calloc(1, sizeof *third);
    assert_non_null(third);
    two_groups_init(third);
    third->groups[0].n_sas = 2;
    assert_int_equal(commit(w, third), ERR_OK);
    assert_null(world_blue(w)->kek[GROUP_KEK_CURRENT]);
    assert_int_equal(count(w, EV_KEK_DROPPED), 1);
    assert_true(has_told(w, "delete"));
    assert_int_equal(world_blue(w)->registry.n, 1);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    free(next);
    done(w, third);
}

/* Red's heartbeat is due at the moment at which blue's members are told that their KEK goes: by
 * then red's statement is gone, and its KEK is still there. */
static void a_heartbeat_may_be_due_when_server_member_communication_goes(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].communication = w->m.groups[1].communication = two_groups_communication();
    world_open(w);
    world_phase1(w, &w->gm[0]);
    world_pull(w, &w->gm[0], BLUE);
    struct two_groups *next = next_of(w);
    next->groups[0].communication = next->groups[1].communication = (struct model_communication){0};
    w->now = instant_add(w->now, span_s(300));
    assert_int_equal(commit(w, next), ERR_OK);
    assert_null(server_group(w->server, 1)->kek[GROUP_KEK_CURRENT]);
    done(w, next);
}

/* ---- who may ---- */

static void phase1_ends_where_it_changed(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->policy.psk = bytes_str("another one");
    next->gateways[1].policy = &next->policy;
    move_to(w, next);
    assert_int_equal(count(w, EV_PHASE1_DOWN), 2);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0);
    assert_int_equal(world_blue(w)->registry.n, 2); /* the keys stay */
    assert_int_equal(w->n_packets, 2);              /* protected Deletes */
    w->n_packets = 0;
    done(w, next);
}

static void a_gateway_that_is_not_listed_is_out(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->groups[0].n_gateways = 1; /* site-2 is not listed */
    move_to(w, next);
    assert_int_equal(count(w, EV_MEMBER_REMOVED), 1);
    world_says(w, EV_MEMBER_REMOVED, "gateway", "site-2");
    assert_int_equal(world_blue(w)->registry.n, 1);
    uint8_t room[DATAGRAM_MAX];
    w->n_packets = 0;
    world_from(w, &w->gm[1], pull_client_1(&w->gm[1], BLUE, NULL, room));
    assert_int_equal(world_blue(w)->registry.n, 1);
    w->n_packets = 0;
    done(w, next);
}

static void a_gateway_that_is_gone_is_out_of_everything(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->model.n_gateways = 1;
    next->groups[0].n_gateways = 1;
    next->groups[1].n_gateways = 0;
    move_to(w, next);
    assert_int_equal(world_blue(w)->registry.n, 1);
    assert_int_equal(phase1_count(server_phase1(w->server), true), 1);
    w->n_packets = 0;
    world_pull(w, &w->gm[0], BLUE);
    done(w, next);
}

/* ---- groups ---- */

static void a_group_ends_with_all_it_had(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    struct model_identity eve = {MODEL_ID_FQDN, bytes_str("eve")};
    assert_int_equal(ban_put(&w->server->bans, BLUE, eve, ip_v4(1), w->now), ERR_OK);
    world_ask(w, &w->gm[0], BLUE); /* under way */
    next->model.groups = &next->groups[1];
    next->model.n_groups = 1;
    move_to(w, next);
    assert_null(ban_find(&w->server->bans, BLUE, eve));
    assert_int_equal(server_n_groups(w->server), 1);
    assert_string_equal(server_group(w->server, 0)->model->name, "red");
    assert_int_equal(count(w, EV_PULL_ABORTED), 1);
    assert_int_equal(count(w, EV_MEMBER_REMOVED), 1);
    assert_int_equal(count(w, EV_KEK_DROPPED), 1);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0); /* at its address */
    struct ip from[4];
    assert_int_equal(server_addresses(w->server, from, 4), 2); /* until the members know */
    assert_true(ip_equal(from[1], blue_at.ip));
    assert_true(has_told(w, "delete"));
    world_wait(w, 60);
    assert_int_equal(server_addresses(w->server, from, 4), 1);
    assert_int_equal(count_told(w, "delete"), 3); /* repeated */
    w->n_packets = 0;
    done(w, next);
}

static void another_number_is_another_group(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;

    next->groups[0].id = 8;
    move_to(w, next);
    assert_int_equal(count(w, EV_MEMBER_REMOVED), 1);
    assert_int_equal(world_blue(w)->registry.n, 0);
    assert_int_not_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    world_pull(w, &w->gm[0], 8);
    done(w, next);
}

static void a_group_is_its_number(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;

    next->groups[0].name = "azure";
    move_to(w, next);
    world_says(w, EV_COMMIT, "what", "group azure: group renamed");
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_equal(world_blue(w)->registry.n, 2);
    world_pull(w, &w->gm[0], BLUE);
    done(w, next);
}

/* The first group ends at once, and the KEK of the second, on its way to the store, is given up:
 * nobody asks the first whether it needs the key pair. */
static void a_group_that_is_gone_is_not_asked(void **state)
{
    struct server_certificate list[1] = {{.name = "srv"}};
    const uint8_t entropy[SIGN_ENTROPY] = {1};
    uint8_t seed[DRBG_SEED] = {5};
    (void)state;
    struct world *w = world_new();
    w->m.groups[1].communication = two_groups_communication();
    w->m.groups[1].communication.certificate = "srv";
    assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &list[0].key), ERR_OK);
    const struct server_config config = {
        .model = &w->m.model, .certificates = list, .n_certificates = 1};
    assert_int_equal(server_new(&config, seed, w->now, &w->out, &w->server), ERR_OK);
    world_collect(w);
    w->hold_store = true;
    group_rekey_kek(w->server->groups[1]);
    world_wait(w, 1);
    assert_non_null(w->server->groups[1]->kek[GROUP_KEK_MINTED]);
    struct two_groups *next = next_of(w);
    next->model.groups = &next->groups[1];
    next->model.n_groups = 1;
    assert_int_equal(commit(w, next), ERR_OK);
    assert_int_equal(server_n_groups(w->server), 1);
    assert_string_equal(server_group(w->server, 0)->model->name, "red");
    assert_int_equal(server_group(w->server, 0)->kek[GROUP_KEK_CURRENT]->number, 1);
    done(w, next);
}

/* Its deletes are still under way: numbers of messages never come twice. */
static void a_group_that_returns_goes_on_counting(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *without = next_of(w), *again = next_of(w);
    struct ip from[4];

    without->model.groups = &without->groups[1];
    without->model.n_groups = 1;
    assert_int_equal(commit(w, without), ERR_OK);
    world_wait(w, 1);
    assert_int_equal(server_addresses(w->server, from, 4), 2);
    uint32_t seq = w->server->leaving[0].group->push_seq_given;
    assert_true(seq > 0);
    assert_int_equal(commit(w, again), ERR_OK);
    assert_int_equal(server_addresses(w->server, from, 4), 2); /* of blue and red */
    assert_true(world_blue(w)->push_seq >= seq);
    w->n_packets = 0;
    free(without);
    done(w, again);
}

/* Of group-id `id` and with its member; the one before leaves. */
static struct two_groups *replace_group(struct world *w, uint32_t id, enum err expected)
{
    struct two_groups *next = next_of(w);

    next->groups[0].id = id;
    assert_int_equal(commit(w, next), expected);
    w->n_packets = w->n_fans = 0;
    return next;
}

/* The one too many stays as it is until the others have left, and nobody's delete is lost. */
static void only_so_many_groups_leave_at_a_time(void **state)
{
    enum { FIRST = 100 };
    struct two_groups *models[SERVER_LEAVING_MAX + 2];
    (void)state;
    struct world *w = settled(true);
    for (uint32_t i = 0; i < SERVER_LEAVING_MAX; i++) {
        models[i] = replace_group(w, FIRST + i, ERR_OK);
        world_phase1(w, &w->gm[0]); /* exchanges of one SA are limited */
        world_pull(w, &w->gm[0], FIRST + i);
        w->n_fans = 0;
    }
    assert_int_equal(w->server->n_leaving, SERVER_LEAVING_MAX);
    uint32_t spi = world_key(w, 0, GROUP_CURRENT)->spi;
    struct two_groups **refused = &models[SERVER_LEAVING_MAX], **last = refused + 1;
    *refused = replace_group(w, 1, ERR_LIMIT);
    world_says(w, EV_CONFIG, "what", "too many removed groups are still being told");
    assert_int_equal(w->server->n_leaving, SERVER_LEAVING_MAX);
    assert_ptr_equal(w->server->model, &models[SERVER_LEAVING_MAX - 1]->model);
    assert_int_equal(world_key(w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_equal(world_blue(w)->registry.n, 1);
    size_t told = 0;
    for (size_t tenth = 0; tenth < 600; tenth++) {
        w->n_events = w->n_fans = 0;
        world_wait(w, 0.1);
        told += count_told(w, "delete");
    }
    assert_int_equal(told, 2 * SERVER_LEAVING_MAX); /* each was repeated twice */
    assert_int_equal(w->server->n_leaving, 0);
    *last = replace_group(w, 1, ERR_OK);
    assert_int_equal(w->server->n_leaving, 1);
    world_wait(w, 2);
    world_close(w);
    for (size_t i = 0; i < ARRAY_LEN(models); i++)
        free(models[i]);
}

static void a_group_that_is_new_has_keys_at_once(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.model.n_groups = 1;
    world_open(w);
    struct two_groups *next = next_of(w);
    next->groups[1].communication = two_groups_communication();
    move_to(w, next);
    assert_int_equal(server_n_groups(w->server), 2);
    assert_non_null(server_group(w->server, 1)->sas[0].slot[GROUP_CURRENT]);
    assert_int_equal(count(w, EV_SIGNING_KEY), 1); /* it needs one, and got it */
    assert_non_null(server_group(w->server, 1)->kek[GROUP_KEK_CURRENT]);
    done(w, next);
}

static void another_address_ends_phase1_at_the_old_one(void **state)
{
    (void)state;
    struct world *w = settled(true);
    struct two_groups *next = next_of(w);

    next->groups[0].server_address = ip_v4(0x0a0000fc);
    move_to(w, next);
    assert_int_equal(phase1_count(server_phase1(w->server), false), 0);
    assert_int_equal(world_blue(w)->registry.n, 2);
    assert_int_equal(world_blue(w)->kek[GROUP_KEK_CURRENT]->number, 2);
    w->n_packets = 0;
    done(w, next);
}

/* ---- what the operator is told ---- */

static void lines_are_capped(void **state)
{
    static struct model_server_gateway many[CHANGE_LINES_MAX + 10];
    (void)state;
    struct world *w = world_new();
    struct arena arena = {0};
    struct model_server to = w->m.model;
    char names[ARRAY_LEN(many)][8];

    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        snprintf(names[i], sizeof names[i], "gw%zu", i);
        many[i] = w->m.gateways[0];
        many[i].name = names[i];
    }
    to.gateways = many;
    to.n_gateways = ARRAY_LEN(many);
    const struct change_lines *l = change_lines(&w->m.model, &to, &arena);
    assert_int_equal(l->n, CHANGE_LINES_MAX + 1);
    assert_string_equal(l->line[0], "ike gateway site-1 removed: phase 1 with it ends");
    assert_string_equal(l->line[CHANGE_LINES_MAX], "... and 13 more differences");
    assert_int_equal(change_lines(&to, &to, &arena)->n, 0);
    arena_free(&arena);
    free(w);
}

/* Members that stamp nothing, and a commit that wants them to (decisions M20). */
static void whom_time_stamps_exclude(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct arena arena = {0};
    world_open(w);
    world_phase1(w, &w->gm[0]);
    world_pull(w, &w->gm[0], BLUE);
    struct model_group groups[] = {w->m.groups[0], w->m.groups[1]};
    struct model_server to = w->m.model;
    to.groups = groups;
    groups[0].anti_replay_window_ms = 100000;
    struct change_lines *l = change_lines(&w->m.model, &to, &arena);
    change_excluded(w->server, &to, &arena, l);
    assert_int_equal(l->n, 1); /* the change itself: the member is ours */

    world_blue(w)->registry.members[0]->native = false;
    change_excluded(w->server, &to, &arena, l);
    assert_int_equal(l->n, 2);
    assert_string_equal(l->line[1], "group blue: excludes gateway site-1 (10.0.0.1), which is "
                                    "refused unless it announces time stamps");
    l->n = CHANGE_LINES_MAX;
    change_excluded(w->server, &to, &arena, l);
    assert_string_equal(l->line[CHANGE_LINES_MAX], "... and 1 more members that are excluded");

    l->n = 0;
    groups[0].anti_replay_window_ms = 0;
    change_excluded(w->server, &to, &arena, l);
    assert_int_equal(l->n, 0);
    arena_free(&arena);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_goes_on),
        cmocka_unit_test(ten_commits_in_a_second),
        cmocka_unit_test(what_cannot_be_served_changes_nothing),
        cmocka_unit_test(a_policy_brings_a_new_key),
        cmocka_unit_test(a_policy_in_a_changeover_waits),
        cmocka_unit_test(without_pushes_a_policy_waits_for_the_next_key),
        cmocka_unit_test(proposals_and_lifetimes_wait_for_the_next_key),
        cmocka_unit_test(ipsec_sas_come_and_go),
        cmocka_unit_test(the_kek_changes_now_or_later),
        cmocka_unit_test(another_certificate_brings_another_kek),
        cmocka_unit_test(server_member_communication_comes_and_goes),
        cmocka_unit_test(a_heartbeat_may_be_due_when_server_member_communication_goes),
        cmocka_unit_test(phase1_ends_where_it_changed),
        cmocka_unit_test(a_gateway_that_is_not_listed_is_out),
        cmocka_unit_test(a_gateway_that_is_gone_is_out_of_everything),
        cmocka_unit_test(a_group_ends_with_all_it_had),
        cmocka_unit_test(another_number_is_another_group),
        cmocka_unit_test(a_group_is_its_number),
        cmocka_unit_test(a_group_that_is_gone_is_not_asked),
        cmocka_unit_test(a_group_that_returns_goes_on_counting),
        cmocka_unit_test(only_so_many_groups_leave_at_a_time),
        cmocka_unit_test(a_group_that_is_new_has_keys_at_once),
        cmocka_unit_test(another_address_ends_phase1_at_the_old_one),
        cmocka_unit_test(lines_are_capped),
        cmocka_unit_test(whom_time_stamps_exclude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

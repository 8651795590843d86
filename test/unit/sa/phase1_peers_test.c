/* Which configured peer a stranger is, and which identities are accepted. */
#include "unit/sa/duo.h"

static struct model_identity named(const char *text)
{
    return (struct model_identity){MODEL_ID_FQDN, bytes_str(text)};
}

static enum err open_with(const struct phase1_peer *peers, size_t n)
{
    uint8_t seed[DRBG_SEED] = {1};
    struct drbg drbg = drbg_of(seed);
    struct phase1_table *t = NULL;
    struct phase1_config config = {peers, n, true};
    enum err e = phase1_table_new(&config, &drbg, &t);
    phase1_table_free(t);
    return e;
}

static void equal_peers_conflict(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    struct phase1_peer p[2] = {d->side[R].peer, d->side[R].peer};
    assert_int_equal(open_with(p, 2), ERR_CONFLICT);
    p[1].remote = named("a");
    assert_int_equal(open_with(p, 2), ERR_OK);
    p[0].remote = named("a");
    assert_int_equal(open_with(p, 2), ERR_CONFLICT);
    p[1].local_address = ip_v4(0x0a000002);
    assert_int_equal(open_with(p, 2), ERR_OK);
    p[1].local_address = IP_NONE;
    p[0].address = p[1].address = IP_NONE;
    assert_int_equal(open_with(p, 2), ERR_CONFLICT);
    p[1].remote = named("b");
    assert_int_equal(open_with(p, 2), ERR_OK);
    duo_free(d);
}

/* Opens the responder with these peers instead of its own. */
static void open_peers(struct duo *d, const struct phase1_peer *peers, size_t n)
{
    struct phase1_config config = {peers, n, true};
    duo_open(d);
    phase1_table_free(d->side[R].table);
    assert_int_equal(phase1_table_new(&config, &d->side[R].drbg, &d->side[R].table), ERR_OK);
}

/* One address, one key, several names: the authenticated name tells in main mode. */
static void identity_tells_gateways_apart(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    struct phase1_peer p[3] = {d->side[R].peer, d->side[R].peer, d->side[R].peer};
    p[1].name = "site-2";
    p[1].remote = named("two.example.net");
    p[2].name = "site-3";
    p[2].remote = named("three.example.net");
    d->side[I].peer.local = named("three.example.net");
    open_peers(d, p, 3);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    assert_ptr_equal(phase1_peer(duo_only_sa(d, R)), &p[2]);
    duo_says(duo_event(d, R, EV_PHASE1_UP), "gateway", "site-3");
    duo_free(d);
}

/* A name that belongs to a gateway with another policy, hence another key, is not taken. */
static void a_name_does_not_cross_policies(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    struct model_ike_policy other = d->side[R].policy;
    struct phase1_peer p[2] = {d->side[R].peer, d->side[R].peer};
    p[1].remote = named("two.example.net");
    p[1].policy = &other;
    d->side[I].peer.local = named("two.example.net");
    open_peers(d, p, 2);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[R].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[R].last.err, ERR_IDENTITY);
    duo_free(d);
}

/* Dynamic gateways may share a name at different addresses of ours. */
static void dynamic_gateways_by_local_address(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_aggressive(d);
    struct phase1_peer p[4];
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = d->side[R].peer;
        p[i].address = IP_NONE;
        p[i].dynamic = true;
        p[i].remote = named("roaming.example.net");
        p[i].local_address = ip_v4(0x0a000002 + 3 - (uint32_t)i);
    }
    p[3].name = "here";
    d->side[I].peer.local = named("roaming.example.net");
    open_peers(d, p, 4);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    duo_says(duo_event(d, R, EV_PHASE1_UP), "gateway", "here");
    duo_free(d);

    d = duo_new();
    duo_aggressive(d);
    p[3] = d->side[R].peer;
    p[3].local_address = ip_v4(1);
    open_peers(d, p + 3, 1); /* the address is right, ours is not */
    duo_start(d);
    duo_settle(d);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_UNKNOWN_PEER");
    duo_free(d);
}

/* A gateway that is bound to one of our addresses does not answer at another. */
static void local_address_counts(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    struct phase1_peer p[2] = {d->side[R].peer, d->side[R].peer};
    p[0].local_address = ip_v4(0x0a000009);
    p[1].local_address = ip_v4(0x0a000002);
    p[1].name = "here";
    open_peers(d, p, 1);
    duo_start(d);
    duo_pass(d, I);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_UNKNOWN_PEER");
    phase1_end(d->side[I].table, d->sa, false, &d->side[I].out);
    phase1_table_free(d->side[I].table);
    phase1_table_free(d->side[R].table);
    open_peers(d, p, 2);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    duo_says(duo_event(d, R, EV_PHASE1_UP), "gateway", "here");
    duo_free(d);
}

/* Key right, name wrong: the server refuses under protection, so the member knows at once. */
static void responder_refuses_the_identity(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[I].peer.local = named("not-the-one.example.net");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[R].last.err, ERR_IDENTITY);
    const struct event *e = duo_event(d, R, EV_PHASE1_FAILED);
    duo_says(e, "statement", "test gateway");
    duo_says(e, "detail", "says it is fqdn not-the-one.example.net, configured is ipv4-address");
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[I].last.err, ERR_REFUSED);
    assert_int_equal(d->side[I].last.notify_type, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_free(d);
}

/* RFC 6407 3.1: the member checks the server's identity; the server, up already, learns that it was
 * refused. */
static void initiator_refuses_the_identity(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[I].peer.remote = named("the-server.example.net");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[I].last.err, ERR_IDENTITY);
    assert_int_equal(d->side[R].last.kind, PHASE1_DOWN);
    assert_int_equal(d->side[R].last.notify_type, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_free(d);
}

static void main_mode_takes_names_too(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[I].peer.local = d->side[R].peer.remote = named("site-1.example.net");
    d->side[R].peer.local = d->side[I].peer.remote = named("the-server.example.net");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_peers_conflict),
        cmocka_unit_test(identity_tells_gateways_apart),
        cmocka_unit_test(a_name_does_not_cross_policies),
        cmocka_unit_test(dynamic_gateways_by_local_address),
        cmocka_unit_test(local_address_counts),
        cmocka_unit_test(responder_refuses_the_identity),
        cmocka_unit_test(initiator_refuses_the_identity),
        cmocka_unit_test(main_mode_takes_names_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

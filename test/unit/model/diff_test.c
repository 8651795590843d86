/* Row by row: each kind of change is found, alone, with its names and its place. */
#include "conf/check.h"
#include "model/diff.h"
#include "test/check.h"

static struct arena arena;

static const struct model_server *build(const char *text)
{
    struct conf_check check;
    const struct model *model = NULL;

    conf_check(&arena, CONF_ROLE_ANY, "a.conf", bytes_str(text), &check);
    if (conf_check_verdict(&check) == ERR_CONFIG)
        fail_msg("%s", conf_check_report(&check));
    assert_int_equal(model_build(check.tree, &check.diags, &arena, &model), ERR_OK);
    return model->server;
}

#define S "set security group-vpn server "
#define G S "group g1 "
#define C G "server-member-communication "

// clang-format off
/* What every row shares, but for its own part. */
static const char base[] =
    S "ike proposal p1 dh-group group14 authentication-algorithm sha-256\n"
    S "ike proposal p1 authentication-method pre-shared-keys\n"
    S "ike proposal p2 dh-group group19 authentication-algorithm sha-384\n"
    S "ike proposal p2 encryption-algorithm aes-256-cbc\n"
    S "ike proposal p2 authentication-method pre-shared-keys\n"
    S "ike gateway gw1 address 198.51.100.1\n"
    S "ike gateway gw2 ike-policy two address 198.51.100.2\n"
    S "ike policy two proposals p2 pre-shared-key ascii-text second\n"
    S "ipsec proposal e1 authentication-algorithm hmac-sha-256-128\n"
    S "ipsec proposal e2 authentication-algorithm hmac-sha-512-256\n"
    S "ipsec proposal e2 encryption-algorithm aes-256-cbc\n"
    G "group-id 7 ike-gateway gw1 ipsec-sa s1 match-policy m1 source 10.1.0.0/16\n"
    S "group g2 group-id 8 server-address 192.0.2.1 ipsec-sa s1 proposal e2\n"
    S "group g2 no-anti-replay ike-gateway gw2 ipsec-sa s1 match-policy m1 source 10.0.0.0/8\n"
    S "group g2 ipsec-sa s1 match-policy m1 destination 10.0.0.0/8\n";

/* Each may be replaced by a row. */
#define POLICY   S "ike policy one mode main proposals p1 pre-shared-key ascii-text first\n"
#define CIPHER   S "ike proposal p1 encryption-algorithm aes-128-cbc\n"
#define GATEWAY  S "ike gateway gw1 ike-policy one\n"
#define ESP      S "ipsec proposal e1 encryption-algorithm aes-128-cbc\n"
#define ADDRESS  G "server-address 192.0.2.1\n"
#define WINDOW   G "anti-replay-time-window 100\n"
#define SA       G "ipsec-sa s1 proposal e1\n"
#define MATCH    G "ipsec-sa s1 match-policy m1 destination 10.2.0.0/16\n"
#define KEK      C "encryption-algorithm aes-128-cbc sig-hash-algorithm sha-256\n"
#define MULTI    KEK C "communication-type multicast multicast-group 226.1.1.1\n" \
                 C "multicast-outgoing-interface eth1\n"
#define SA2      G "ipsec-sa s2 proposal e1 match-policy m2 source 10.3.0.0/16\n" \
                 G "ipsec-sa s2 match-policy m2 destination 10.4.0.0/16\n"
#define GROUP(id) S "group g3 group-id " id " ike-gateway gw2 server-address 192.0.2.1\n" \
                 S "group g3 ipsec-sa s proposal e1 match-policy m source 0.0.0.0\n" \
                 S "group g3 ipsec-sa s match-policy m destination 10.0.0.0/8\n"
static const char *const parts[] = {POLICY, CIPHER, GATEWAY, ESP, ADDRESS, WINDOW, SA, MATCH};

static const struct row {
    enum model_change_kind kind;
    const char *group, *name, *part, *place; /* the path of `where` ends so */
    const char *from, *to; /* a part of `parts` that is replaced, or lines that are added */
} rows[] = {
    {MODEL_IKE_PROPOSAL_CHANGED, NULL, "p1", NULL, "ike proposal p1",
     CIPHER, S "ike proposal p1 encryption-algorithm aes-256-cbc\n"},
    {MODEL_IKE_POLICY_CHANGED, NULL, "one", NULL, "ike policy one",
     POLICY, S "ike policy one mode main proposals p1 pre-shared-key ascii-text other\n"},
    {MODEL_IKE_POLICY_CHANGED, NULL, "one", NULL, "ike policy one",
     POLICY, S "ike policy one mode main proposals [ p1 p2 ] pre-shared-key ascii-text first\n"},
    {MODEL_IKE_POLICY_CHANGED, NULL, "one", NULL, "ike policy one",
     POLICY, S "ike policy one mode aggressive proposals p1 pre-shared-key ascii-text first\n"},
    {MODEL_GATEWAY_ADDED, NULL, "gw3", NULL, "ike gateway gw3",
     "", S "ike gateway gw3 ike-policy one address 198.51.100.3\n"},
    {MODEL_GATEWAY_REMOVED, NULL, "gw3", NULL, "ike gateway gw3",
     S "ike gateway gw3 ike-policy one address 198.51.100.3\n", ""},
    {MODEL_GATEWAY_CHANGED, NULL, "gw1", NULL, "ike gateway gw1",
     GATEWAY, S "ike gateway gw1 ike-policy two\n"},
    {MODEL_GATEWAY_CHANGED, NULL, "gw1", NULL, "ike gateway gw1",
     "", S "ike gateway gw1 remote-identity hostname gm1.example.net\n"},
    {MODEL_GROUP_ADDED, "g3", NULL, NULL, "group g3", "", GROUP("9")},
    {MODEL_GROUP_REMOVED, "g3", NULL, NULL, "group g3", GROUP("9"), ""},
    {MODEL_GROUP_RENAMED, "g4", NULL, NULL, "group g4", GROUP("9"),
     S "group g4 group-id 9 ike-gateway gw2 server-address 192.0.2.1\n" S
       "group g4 ipsec-sa s proposal e1 match-policy m source 0.0.0.0\n" S
       "group g4 ipsec-sa s match-policy m destination 10.0.0.0/8\n"},
    {MODEL_GROUP_ID_CHANGED, "g3", NULL, NULL, "group g3", GROUP("9"), GROUP("10")},
    {MODEL_SERVER_ADDRESS_CHANGED, "g1", NULL, NULL, "group g1",
     ADDRESS, G "server-address 192.0.2.2\n"},
    {MODEL_MEMBER_THRESHOLD_CHANGED, "g1", NULL, NULL, "group g1", "", G "member-threshold 9\n"},
    {MODEL_DESCRIPTION_CHANGED, "g1", NULL, NULL, "group g1", "", G "description new\n"},
    {MODEL_DESCRIPTION_CHANGED, "g1", NULL, NULL, "group g1", G "description old\n", ""},
    {MODEL_ATD_CHANGED, "g1", NULL, NULL, "group g1", "", G "activation-time-delay 30\n"},
    {MODEL_ANTI_REPLAY_SWITCHED, "g1", NULL, NULL, "group g1", WINDOW, G "no-anti-replay\n"},
    {MODEL_WINDOW_CHANGED, "g1", NULL, NULL, "group g1", WINDOW, G "anti-replay-time-window 60\n"},
    {MODEL_LISTED, "g1", "gw2", NULL, "ike gateway gw2", "", G "ike-gateway gw2\n"},
    {MODEL_UNLISTED, "g1", "gw2", NULL, "ike gateway gw2", G "ike-gateway gw2\n", ""},
    {MODEL_SA_ADDED, "g1", "s2", NULL, "group g1 ipsec-sa s2", "", SA2},
    {MODEL_SA_REMOVED, "g1", "s2", NULL, "group g1 ipsec-sa s2", SA2, ""},
    {MODEL_SA_PROPOSAL_CHANGED, "g1", "s1", NULL, "ipsec-sa s1", SA, G "ipsec-sa s1 proposal e2\n"},
    {MODEL_SA_PROPOSAL_CHANGED, "g1", "s1", NULL, "ipsec-sa s1",
     ESP, S "ipsec proposal e1 encryption-algorithm aes-192-cbc\n"},
    {MODEL_SA_LIFETIME_CHANGED, "g1", "s1", NULL, "ipsec-sa s1",
     "", S "ipsec proposal e1 lifetime-seconds 7200\n"},
    {MODEL_POLICY_ADDED, "g1", "s1", "m2", "match-policy m2",
     "", G "ipsec-sa s1 match-policy m2 source 10.5.0.0/16 destination 10.6.0.0/16\n"},
    {MODEL_POLICY_REMOVED, "g1", "s1", "m2", "match-policy m2",
     G "ipsec-sa s1 match-policy m2 source 10.5.0.0/16 destination 10.6.0.0/16\n", ""},
    {MODEL_POLICY_CHANGED, "g1", "s1", "m1", "match-policy m1",
     MATCH, G "ipsec-sa s1 match-policy m1 destination 10.9.0.0/16\n"},
    {MODEL_POLICY_CHANGED, "g1", "s1", "m1", "match-policy m1",
     "", G "ipsec-sa s1 match-policy m1 protocol 17\n"},
    {MODEL_POLICY_CHANGED, "g1", "s1", "m1", "match-policy m1",
     "", G "ipsec-sa s1 match-policy m1 source-port 5004\n"},
    {MODEL_COMMUNICATION_ADDED, "g1", NULL, NULL, "server-member-communication", "", KEK},
    {MODEL_COMMUNICATION_REMOVED, "g1", NULL, NULL, "server-member-communication", KEK, ""},
    {MODEL_COMMUNICATION_TYPE_CHANGED, "g1", NULL, NULL, "server-member-communication", KEK, MULTI},
    {MODEL_COMMUNICATION_TYPE_CHANGED, "g1", NULL, NULL, "server-member-communication", MULTI, KEK},
    {MODEL_MULTICAST_GROUP_CHANGED, "g1", NULL, NULL, "server-member-communication", MULTI,
     KEK C "communication-type multicast multicast-group 226.1.1.2\n"
     C "multicast-outgoing-interface eth1\n"},
    {MODEL_MULTICAST_INTERFACE_CHANGED, "g1", NULL, NULL, "server-member-communication", MULTI,
     KEK C "communication-type multicast multicast-group 226.1.1.1\n"
     C "multicast-outgoing-interface eth2\n"},
    {MODEL_CERTIFICATE_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, KEK C "certificate srv\n"},
    {MODEL_CERTIFICATE_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK C "certificate srv\n", KEK C "certificate srv2\n"},
    {MODEL_KEK_CIPHER_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, C "encryption-algorithm aes-256-cbc sig-hash-algorithm sha-256\n"},
    {MODEL_KEK_HASH_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, C "encryption-algorithm aes-128-cbc sig-hash-algorithm sha-512\n"},
    {MODEL_KEK_LIFETIME_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, KEK C "lifetime-seconds 7200\n"},
    {MODEL_HEARTBEAT_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, KEK C "heartbeat 60\n"},
    {MODEL_RETRANSMISSIONS_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, KEK C "number-of-retransmission 1\n"},
    {MODEL_RETRANSMISSION_PERIOD_CHANGED, "g1", NULL, NULL, "server-member-communication",
     KEK, KEK C "retransmission-period 2\n"},
};
// clang-format on

static const struct model_server *built(const struct row *r, const char *lines)
{
    const char *text = base;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (r->from != parts[i] && strcmp(r->from, parts[i]) != 0)
            text = arena_text(&arena, "%s%s", text, parts[i]);
    }
    return build(arena_text(&arena, "%s%s", text, lines));
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static void check_row(const struct row *r)
{
    const struct model_server *from = built(r, r->from), *to = built(r, r->to);
    const struct model_change *c = model_diff(from, to, &arena);
    const char *statement = model_change_statement(r->kind);

    if (!c || c->next || c->kind != r->kind)
        fail_msg("%s %s -> %s: found %s", statement, r->from, r->to,
                 c ? model_change_statement(c->next ? c->next->kind : c->kind) : "nothing");
    const struct model_group *group = c->to ? c->to : c->from;
    if (!same(group ? group->name : NULL, r->group) || !same(c->name, r->name) ||
        !same(c->part, r->part) || !ends_with(c->where->path, r->place))
        fail_msg("%s: %s %s %s", statement, c->name, c->part, c->where->path);
    assert_true((c->kind == MODEL_GROUP_ADDED) == (group && !c->from));
    assert_true((c->kind == MODEL_GROUP_REMOVED) == (group && !c->to));
    assert_null(model_diff(from, built(r, r->from), &arena));
    assert_null(model_diff(to, to, &arena));
}

static void each_change_is_found_alone(void **state)
{
    bool tried[MODEL_CHANGE_COUNT] = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i]);
        tried[rows[i].kind] = true;
        arena_reset(&arena);
    }
    for (size_t i = 0; i < MODEL_CHANGE_COUNT; i++) {
        if (!tried[i])
            fail_msg("no row tries '%s' %s", model_change_statement((enum model_change_kind)i),
                     model_change_what((enum model_change_kind)i));
    }
    arena_free(&arena);
}

/* Places and the order of the file mean nothing. */
static void order_and_place_do_not_count(void **state)
{
    (void)state;
    static const struct row none = {.from = "-"};
    const struct model_server *from = built(&none, ""), *to = built(&none, "\n\n\n");
    struct model_group turned = to->groups[0];
    const struct model_group groups[] = {to->groups[1], turned};
    struct model_server other = *to;

    assert_null(model_diff(from, to, &arena));
    other.groups = groups;
    assert_null(model_diff(from, &other, &arena));
    assert_null(model_diff_group(&from->groups[0], &groups[1], &arena));
    turned.atd_s++;
    const struct model_change *c = model_diff_group(&from->groups[0], &turned, &arena);
    assert_int_equal(c->kind, MODEL_ATD_CHANGED);
    assert_null(c->next);
    arena_free(&arena);
}

static void phase1_is_compared_in_depth(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool same;
    } cases[] = {
        {CIPHER, S "ike proposal p1 encryption-algorithm aes-256-cbc\n", false},
        {POLICY, S "ike policy one mode main proposals p1 pre-shared-key ascii-text firsT\n",
         false},
        {POLICY, S "ike policy one mode main proposals p1 pre-shared-key ascii-text first1\n",
         false},
        {POLICY, S "ike policy one mode main proposals [ p1 p2 ] pre-shared-key ascii-text first\n",
         false},
        {GATEWAY, S "ike gateway gw1 ike-policy two\n", false},
        {"", S "ike gateway gw1 local-address 192.0.2.1\n", false},
        {"", G "description irrelevant\n", true},
        {GATEWAY,
         S "ike policy three mode main proposals p1 pre-shared-key ascii-text first\n" S
           "ike gateway gw1 ike-policy three\n",
         true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct row r = {.from = cases[i].from};
        const struct model_server *from = built(&r, r.from), *to = built(&r, cases[i].to);
        assert_int_equal(model_gateway_same_phase1(&from->gateways[0], &to->gateways[0]),
                         cases[i].same);
        assert_true(model_gateway_same_phase1(&from->gateways[1], &to->gateways[1]));
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_found_alone),
        cmocka_unit_test(order_and_place_do_not_count),
        cmocka_unit_test(phase1_is_compared_in_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

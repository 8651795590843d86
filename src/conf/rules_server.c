#include "base/ip.h"
#include "conf/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ATD_FACTOR = 10, TCP = 6, UDP = 17, DCCP = 33, SCTP = 132, UDP_LITE = 136 };
enum {
    DRIFTS_PER_S = 10000, /* seconds in which two clocks drift apart by one: 100 millionths */
    WINDOW_PARTS = 4,
    SMALL_WINDOW_MS = 10000,
};

/* ---- gateways ---- */

static bool uses_psk_in_main_mode(const struct conf_rules *r, const struct conf_node *gateway)
{
    const struct conf_node *ref = conf_child(gateway, "ike-policy");
    const struct conf_node *policy = ref ? conf_referenced(r->tree, ref, conf_text(ref)) : NULL;

    return policy && conf_child(policy, "pre-shared-key") &&
           strcmp(conf_child_text(policy, "mode"), "main") == 0;
}

/* Main mode looks the key up by the peer's address, before any identity is known (RFC 2409
 * section 5.4). */
static void check_dynamic(const struct conf_rules *r, const struct conf_node *gateway,
                          const struct conf_node *dynamic)
{
    const struct conf_node *remote = conf_child(gateway, "remote-identity");

    conf_rule_one_of(r, dynamic);
    if (uses_psk_in_main_mode(r, gateway))
        CONF_RULE(r, CONF_ERROR, dynamic,
                  "Main mode for dynamic peer with Preshared key based authentication is not "
                  "allowed, expected mode aggressive");
    if (remote)
        CONF_RULE(r, CONF_ERROR, remote,
                  "Since the remote gateway is dynamic, Define remote identity under dynamic");
}

static void check_gateway(const struct conf_rules *r, const struct conf_node *gateway)
{
    const struct conf_node *address = conf_child(gateway, "address");
    const struct conf_node *dynamic = conf_child(gateway, "dynamic");

    conf_rules_gateway(r, gateway);
    if (dynamic)
        check_dynamic(r, gateway, dynamic);
    if (address && dynamic)
        CONF_RULE(r, CONF_ERROR, dynamic, "stands beside address in line %u, expected one of them",
                  address->pos.line);
    if (!address && !dynamic && !gateway->damaged)
        CONF_RULE(r, CONF_ERROR, gateway, "'address' is missing, expected address or dynamic");
}

/* By what a gateway is told from the others: his fixed address, or his dynamic identity. */
static const struct conf_node *distinction(const struct conf_node *gateway)
{
    const struct conf_node *address = conf_child(gateway, "address");
    const struct conf_node *dynamic = conf_child(gateway, "dynamic");

    if (address)
        return address;
    for (const struct conf_node *n = dynamic ? dynamic->first : NULL; n; n = n->next) {
        if (!n->inactive && n->n_values > 0)
            return n;
    }
    return NULL;
}

static int by_distinction(const void *a, const void *b)
{
    const struct conf_node *x = *(const struct conf_node *const *)a;
    const struct conf_node *y = *(const struct conf_node *const *)b;

    if (x->schema != y->schema)
        return x->schema < y->schema ? -1 : 1;
    int order = strcmp(conf_text(x), conf_text(y));
    if (order != 0)
        return order;
    return x->pos.line != y->pos.line ? (x->pos.line < y->pos.line ? -1 : 1) : 0;
}

/* A server may have a hundred thousand gateways: sorted, equals are neighbours. */
static void check_distinct_gateways(const struct conf_rules *r, const struct conf_node *ike)
{
    size_t n = 0, count = conf_count(ike, "gateway");
    const struct conf_node **list = arena_alloc(r->arena, (count + 1) * sizeof(struct conf_node *));

    for (const struct conf_node *g = conf_child(ike, "gateway"); g; g = conf_next(g)) {
        const struct conf_node *d = distinction(g);
        if (d)
            list[n++] = d;
    }
    qsort(list, n, sizeof list[0], by_distinction);
    for (size_t i = 1; i < n; i++) {
        if (list[i]->schema == list[i - 1]->schema &&
            strcmp(conf_text(list[i]), conf_text(list[i - 1])) == 0)
            CONF_RULE(r, CONF_ERROR, list[i],
                      "the same as in line %u, expected each gateway to have its own",
                      list[i - 1]->pos.line);
    }
}

/* ---- IPsec proposals ---- */

static bool is_counter_mode(const struct conf_node *proposal)
{
    const struct conf_choice *cipher =
        proposal ? conf_child_choice(proposal, "encryption-algorithm") : NULL;
    return cipher && strstr(cipher->name, "-gcm") != NULL;
}

static void check_ipsec_proposal(const struct conf_rules *r, const struct conf_node *proposal)
{
    const struct conf_node *auth = conf_child(proposal, "authentication-algorithm");

    if (auth && is_counter_mode(proposal))
        CONF_RULE(
            r, CONF_ERROR, auth,
            "AES-GCM authenticates by itself, expected no authentication-algorithm beside it");
    if (!auth && !is_counter_mode(proposal) && !proposal->damaged)
        CONF_RULE(r, CONF_ERROR, proposal,
                  "'authentication-algorithm' is missing, expected hmac-md5-96, hmac-sha1-96, "
                  "hmac-sha-256-128, "
                  "hmac-sha-384-192 or hmac-sha-512-256");
}

/* ---- groups: activation-time-delay ---- */

struct lifetime {
    const struct conf_node *holder; /* the proposal, or server-member-communication */
    const char *what;
};

/* The rule of the statement: every lifetime is at least ten times the delay, also those that are
 * defaults. */
static void check_lifetime(const struct conf_rules *r, const struct conf_node *group,
                           struct lifetime l)
{
    const struct conf_node *at = conf_child(group, "activation-time-delay");
    uint32_t atd = conf_rule_number(group, "activation-time-delay");
    uint32_t lifetime = conf_rule_number(l.holder, "lifetime-seconds");

    if (atd == 0 || lifetime == 0 || lifetime >= ATD_FACTOR * atd)
        return;
    CONF_RULE(r, CONF_ERROR, at ? at : group,
              "%u seconds need lifetimes of at least %u, but lifetime-seconds of %s is %u%s, "
              "expected at most %u",
              atd, ATD_FACTOR * atd, l.what, lifetime,
              conf_child(l.holder, "lifetime-seconds") ? "" : " by default", lifetime / ATD_FACTOR);
}

static const struct conf_node *proposal_of(const struct conf_rules *r, const struct conf_node *sa)
{
    const struct conf_node *ref = conf_child(sa, "proposal");
    return ref ? conf_referenced(r->tree, ref, conf_text(ref)) : NULL;
}

static bool used_before(const struct conf_rules *r, const struct conf_node *sa,
                        const struct conf_node *group)
{
    for (const struct conf_node *s = conf_child(group, "ipsec-sa"); s != sa; s = conf_next(s)) {
        if (proposal_of(r, s) == proposal_of(r, sa))
            return true;
    }
    return false;
}

static void check_lifetimes(const struct conf_rules *r, const struct conf_node *group)
{
    const struct conf_node *communication = conf_child(group, "server-member-communication");

    for (const struct conf_node *sa = conf_child(group, "ipsec-sa"); sa; sa = conf_next(sa)) {
        const struct conf_node *proposal = proposal_of(r, sa);
        if (!proposal || used_before(r, sa, group))
            continue;
        struct lifetime l = {proposal,
                             arena_text(r->arena, "ipsec proposal %s", conf_text(proposal))};
        check_lifetime(r, group, l);
    }
    if (communication)
        check_lifetime(r, group, (struct lifetime){communication, "server-member-communication"});
}

/* ---- groups: match policies ---- */

struct tuple {
    struct prefix source, destination;
    uint32_t source_port, destination_port, protocol;
};

MUST_USE static bool tuple_of(const struct conf_node *policy, struct tuple *ret)
{
    const char *source = conf_child_text(policy, "source");
    const char *destination = conf_child_text(policy, "destination");
    struct tuple t = {
        .source_port = conf_child_number(policy, "source-port"),
        .destination_port = conf_child_number(policy, "destination-port"),
        .protocol = conf_child_number(policy, "protocol"),
    };

    if (!source || !destination || !prefix_parse(source, false, &t.source) ||
        !prefix_parse(destination, false, &t.destination))
        return false;
    *ret = t;
    return true;
}

static bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
    return prefix_equal(a->source, b->source) && prefix_equal(a->destination, b->destination) &&
           a->source_port == b->source_port && a->destination_port == b->destination_port &&
           a->protocol == b->protocol;
}

static bool has_ports(uint32_t protocol)
{
    return protocol == 0 || protocol == TCP || protocol == UDP || protocol == DCCP ||
           protocol == SCTP || protocol == UDP_LITE;
}

static void check_tuple(const struct conf_rules *r, const struct conf_node *policy,
                        const struct tuple *t)
{
    if (t->source.len > 0 && ip_is_multicast(t->source.ip))
        CONF_RULE(r, CONF_ERROR, conf_child(policy, "source"),
                  "'%s' is multicast, expected the prefix of the senders",
                  conf_child_text(policy, "source"));
    if ((t->source_port > 0 || t->destination_port > 0) && !has_ports(t->protocol))
        CONF_RULE(r, CONF_WARNING, policy, "protocol %u has no ports, so this policy never matches",
                  t->protocol);
}

/* The policies of one group that were seen before: sorted would be faster, but a group has few. */
struct seen {
    struct tuple *tuples;
    const struct conf_node **policies;
    size_t n;
};

static void check_policy(const struct conf_rules *r, const struct conf_node *policy,
                         struct seen *seen)
{
    struct tuple t;

    if (!tuple_of(policy, &t))
        return;
    check_tuple(r, policy, &t);
    for (size_t i = 0; i < seen->n; i++) {
        if (!tuple_equal(&seen->tuples[i], &t))
            continue;
        CONF_RULE(r, CONF_ERROR, policy,
                  "has the same addresses, ports and protocol as match-policy %s of ipsec-sa %s, "
                  "expected no two alike in one group",
                  conf_text(seen->policies[i]), conf_text(seen->policies[i]->parent));
        return;
    }
    seen->policies[seen->n] = policy;
    seen->tuples[seen->n++] = t;
}

static void check_policies(const struct conf_rules *r, const struct conf_node *group)
{
    struct seen seen = {0};
    size_t n = 0;

    for (const struct conf_node *sa = conf_child(group, "ipsec-sa"); sa; sa = conf_next(sa))
        n += conf_count(sa, "match-policy");
    seen.tuples = arena_alloc(r->arena, (n + 1) * sizeof *seen.tuples);
    seen.policies = arena_alloc(r->arena, (n + 1) * sizeof(struct conf_node *));
    for (const struct conf_node *sa = conf_child(group, "ipsec-sa"); sa; sa = conf_next(sa)) {
        for (const struct conf_node *p = conf_child(sa, "match-policy"); p; p = conf_next(p))
            check_policy(r, p, &seen);
    }
}

/* ---- groups: the push channel ---- */

static void check_multicast(const struct conf_rules *r, const struct conf_node *communication)
{
    static const char *const needed[] = {"multicast-group", "multicast-outgoing-interface"};
    const struct conf_choice *type = conf_child_choice(communication, "communication-type");
    bool multicast = type && strcmp(type->name, "multicast") == 0;

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const struct conf_node *n = conf_child(communication, needed[i]);
        if (multicast && !n && !communication->damaged)
            CONF_RULE(r, CONF_ERROR, communication,
                      "'%s' is missing, expected it with communication-type multicast", needed[i]);
        if (!multicast && n)
            CONF_RULE(r, CONF_WARNING, n,
                      "has no effect, expected it with communication-type multicast only");
    }
    if (multicast && conf_child_number(communication, "number-of-retransmission") == 0)
        CONF_RULE(r, CONF_WARNING, conf_child(communication, "number-of-retransmission"),
                  "0 copies: each message is sent once");
}

static void check_retransmission(const struct conf_rules *r, const struct conf_node *group,
                                 const struct conf_node *communication)
{
    uint32_t atd = conf_rule_number(group, "activation-time-delay");
    uint32_t number = conf_rule_number(communication, "number-of-retransmission");
    uint32_t period = conf_rule_number(communication, "retransmission-period");

    if (atd > 0 && number * period > atd)
        CONF_RULE(r, CONF_WARNING, communication,
                  "%u retransmissions of %u seconds last longer than activation-time-delay %u: "
                  "late members lose packets at a key change",
                  number, period, atd);
}

static void check_certificate(const struct conf_rules *r, const struct conf_node *communication)
{
    if (!conf_child(communication, "certificate"))
        CONF_RULE(
            r, CONF_NOTE, communication,
            "without certificate the server makes a RSA key of 3072 bits, keeps it, and signs "
            "with it");
}

/* ---- groups ---- */

static void check_ids(const struct conf_rules *r, const struct conf_node *server,
                      const struct conf_node *group)
{
    uint32_t id = conf_rule_number(group, "group-id");

    if (id == 0)
        return;
    for (const struct conf_node *g = conf_child(server, "group"); g != group; g = conf_next(g)) {
        if (conf_rule_number(g, "group-id") == id)
            CONF_RULE(
                r, CONF_ERROR, conf_child(group, "group-id"),
                "Group id must be unique among groups: %u is the id of group %s, expected another",
                id, conf_text(g));
    }
}

static void check_group_gateway(const struct conf_rules *r, const struct conf_node *ref,
                                const char *server_address)
{
    const struct conf_node *gateway = conf_referenced(r->tree, ref, conf_text(ref));
    const char *local = gateway ? conf_child_text(gateway, "local-address") : NULL;

    if (gateway && conf_child(gateway, "dead-peer-detection"))
        CONF_RULE(r, CONF_ERROR, ref,
                  "Referenced IKE gateway must NOT be defined with dead-peer-detection");
    if (local && server_address && strcmp(local, server_address) != 0)
        CONF_RULE(r, CONF_ERROR, ref,
                  "the gateway's local-address is %s, expected the group's server-address %s",
                  local, server_address);
}

/* A group may list a hundred thousand gateways: what they share is looked up once. */
static void check_group_gateways(const struct conf_rules *r, const struct conf_node *group)
{
    const char *server_address = conf_child_text(group, "server-address");

    for (const struct conf_node *ref = conf_child(group, "ike-gateway"); ref; ref = conf_next(ref))
        check_group_gateway(r, ref, server_address);
}

/* Between two measurements of the group clock - in the life of a key where no heartbeats come, and
 * wherever the window is small - clocks drift by less than a quarter of the window (decisions M21).
 */
static void check_drift(const struct conf_rules *r, const struct conf_node *group,
                        const struct conf_node *at)
{
    uint32_t ms = 0;
    bool in_ms;

    if (!conf_parse_window(conf_child_text(group, "anti-replay-time-window"), &ms, &in_ms) ||
        (conf_child(group, "server-member-communication") && ms >= SMALL_WINDOW_MS))
        return;
    uint32_t below = (ms * DRIFTS_PER_S / 1000 + WINDOW_PARTS - 1) / WINDOW_PARTS;
    for (const struct conf_node *sa = conf_child(group, "ipsec-sa"); sa; sa = conf_next(sa)) {
        const struct conf_node *proposal = proposal_of(r, sa);
        uint32_t lifetime = proposal ? conf_rule_number(proposal, "lifetime-seconds") : 0;
        if (lifetime < below || used_before(r, sa, group))
            continue;
        CONF_RULE(r, CONF_ERROR, at,
                  "clocks may drift by a quarter of this window in lifetime-seconds %u%s of ipsec "
                  "proposal %s, expected less than %u or a wider window",
                  lifetime, conf_child(proposal, "lifetime-seconds") ? "" : " (the default)",
                  conf_text(proposal), below);
    }
}

static void check_anti_replay(const struct conf_rules *r, const struct conf_node *group)
{
    const struct conf_node *window = conf_child(group, "anti-replay-time-window");
    const struct conf_node *off = conf_child(group, "no-anti-replay");

    if (window && off)
        CONF_RULE(r, CONF_WARNING, window, "contradicts no-anti-replay in line %u, which counts",
                  off->pos.line);
    if (!off)
        check_drift(r, group, window ? window : group);
}

static void check_group_ciphers(const struct conf_rules *r, const struct conf_node *group)
{
    for (const struct conf_node *sa = conf_child(group, "ipsec-sa"); sa; sa = conf_next(sa)) {
        if (is_counter_mode(proposal_of(r, sa)))
            CONF_RULE(r, CONF_UNBUILT, conf_child(sa, "proposal"),
                      "a counter mode (%s) shared by a group is not supported yet, expected a -cbc "
                      "cipher",
                      conf_child_text(proposal_of(r, sa), "encryption-algorithm"));
    }
}

static void check_cluster(const struct conf_rules *r, const struct conf_node *cluster)
{
    for (const struct conf_node *ref = conf_child(cluster, "ike-gateway"); ref;
         ref = conf_next(ref)) {
        const struct conf_node *gateway = conf_referenced(r->tree, ref, conf_text(ref));
        if (!gateway)
            continue;
        if (conf_child(gateway, "dynamic"))
            CONF_RULE(r, CONF_ERROR, ref, "Referenced IKE gateway must not be dynamic gateway");
        if (!conf_child(conf_child(gateway, "dead-peer-detection"), "always-send"))
            CONF_RULE(
                r, CONF_ERROR, ref,
                "Referenced IKE gateway must be defined with dead-peer-detection always-send mode");
    }
}

static void check_group(const struct conf_rules *r, const struct conf_node *server,
                        const struct conf_node *group)
{
    const struct conf_node *communication = conf_child(group, "server-member-communication");

    check_ids(r, server, group);
    check_group_gateways(r, group);
    check_lifetimes(r, group);
    check_policies(r, group);
    check_anti_replay(r, group);
    check_group_ciphers(r, group);
    check_cluster(r, conf_child(group, "server-cluster"));
    if (communication) {
        check_multicast(r, communication);
        check_retransmission(r, group, communication);
        check_certificate(r, communication);
    }
}

void conf_rules_server(const struct conf_rules *r, const struct conf_node *server)
{
    const struct conf_node *ike = conf_child(server, "ike");

    conf_rules_traceoptions(r, conf_child(server, "traceoptions"));
    conf_rules_ike_policies(r, ike);
    for (const struct conf_node *g = conf_child(ike, "gateway"); g; g = conf_next(g))
        check_gateway(r, g);
    check_distinct_gateways(r, ike);
    for (const struct conf_node *p = conf_child(conf_child(server, "ipsec"), "proposal"); p;
         p = conf_next(p))
        check_ipsec_proposal(r, p);
    for (const struct conf_node *g = conf_child(server, "group"); g; g = conf_next(g))
        check_group(r, server, g);
}

#include "data/names.h"
#include "data/nft.h"

#include "esp/inner.h"

#include <assert.h>

/* A packet that a rule lets through in clear, or that a policy protects, means one thing to the
 * guard and another to the steering table. */
#define MARK(bits) "meta mark set meta mark & 0xfff0ffff | " #bits " accept"
static const char *const steer_clear = MARK(0x40000), *const steer_protect = MARK(0x10000);
static_assert(DATA_MARK_CLEAR == 0x40000 && DATA_MARK_PROTECT == 0x10000 &&
                  DATA_MARK_ESP == 0x20000 && DATA_MARK_MASK == 0xf0000,
              "the texts above and below");

static const uint8_t with_ports[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_DCCP, IP_PROTO_SCTP,
                                     IP_PROTO_UDPLITE};

/* --- one rule --- */

struct line {
    const char *table, *chain, *verdict;
    struct prefix source, destination;
    uint8_t protocol;
    uint16_t source_first, source_last, destination_first, destination_last;
};

static void put_prefix(FILE *out, const char *side, struct prefix p)
{
    char text[PREFIX_TEXT_MAX];
    if (p.len > 0)
        fprintf(out, " ip %s %s", side, prefix_text(p, text, sizeof text));
}

static void put_ports(FILE *out, const char *side, uint16_t first, uint16_t last)
{
    if (first == last)
        fprintf(out, " th %s %u", side, first);
    else if (first != 0 || last != UINT16_MAX)
        fprintf(out, " th %s %u-%u", side, first, last);
}

static void put_line(FILE *out, const struct line *l, uint8_t protocol)
{
    fprintf(out, "add rule ip %s %s", l->table, l->chain);
    put_prefix(out, "saddr", l->source);
    put_prefix(out, "daddr", l->destination);
    if (protocol != 0)
        fprintf(out, " meta l4proto %u", protocol);
    put_ports(out, "sport", l->source_first, l->source_last);
    put_ports(out, "dport", l->destination_first, l->destination_last);
    fprintf(out, " %s\n", l->verdict);
}

static bool names_port(const struct line *l)
{
    return l->source_first != 0 || l->source_last != UINT16_MAX || l->destination_first != 0 ||
           l->destination_last != UINT16_MAX;
}

/* A port without a protocol means every protocol that has ports. */
static void put_rule(FILE *out, const struct line *l)
{
    if (l->protocol != 0 || !names_port(l)) {
        put_line(out, l, l->protocol);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(with_ports); i++)
        put_line(out, l, with_ports[i]);
}

static void put_selector(FILE *out, struct line l, const struct esp_selector *s)
{
    l.source = s->source;
    l.destination = s->destination;
    l.protocol = s->protocol;
    l.source_first = s->source_port;
    l.source_last = s->source_port ? s->source_port : UINT16_MAX;
    l.destination_first = s->destination_port;
    l.destination_last = s->destination_port ? s->destination_port : UINT16_MAX;
    put_rule(out, &l);
}

/* The rule as written and as its answers see it. */
static void put_session(FILE *out, struct line l, const struct esp_rule *r)
{
    l.source = r->source;
    l.destination = r->destination;
    l.protocol = r->protocol;
    l.source_last = UINT16_MAX;
    l.destination_first = r->destination_port_first;
    l.destination_last = r->destination_port_last;
    put_rule(out, &l);
    struct line back = l;
    back.source = l.destination;
    back.destination = l.source;
    back.source_first = l.destination_first;
    back.source_last = l.destination_last;
    back.destination_first = 0;
    back.destination_last = UINT16_MAX;
    put_rule(out, &back);
}

/* --- the fixed part --- */

static const char *const tables =
    "table ip " DATA_GUARD " {\n"
    " counter excluded { }\n counter fail_open { }\n counter policy_dropped { }\n"
    "  counter fail_closed { }\n"
    " chain exclude { }\n chain failopen { }\n chain policies { }\n chain closed { }\n"
    " chain closed_own { }\n chain arriving { }\n chain check { }\n"
    /* after address translation and before fragmentation: the last place that sees a packet */
    " chain out {\n  type filter hook postrouting priority 300; policy accept;\n }\n"
    /* before address translation */
    " chain through {\n  type filter hook forward priority 300; policy accept;\n }\n"
    " chain to_us {\n  type filter hook input priority -300; policy accept;\n }\n"
    "}\n"
    "table ip " DATA_STEER " {\n"
    " chain exclude { }\n chain failopen { }\n chain policies { }\n chain others { }\n"
    " chain decide { }\n"
    /* No hook leads here: a tproxy statement alone makes the kernel reassemble IPv4 before
     * prerouting, without connection tracking. Selectors with ports need whole datagrams. */
    " chain whole { }\n"
    " chain early {\n  type filter hook prerouting priority -450; policy accept;\n }\n"
    " chain pre {\n  type filter hook prerouting priority mangle; policy accept;\n }\n"
    " chain own {\n  type route hook output priority mangle; policy accept;\n }\n"
    "}\n";

static void flush(FILE *out, const char *table, const char *chain)
{
    fprintf(out, "flush chain ip %s %s\n", table, chain);
}

#define GUARD "add rule ip " DATA_GUARD " "
#define STEER "add rule ip " DATA_STEER " "

static const char *const never_captured =
    "ip protocol igmp accept\n"; /* and 224.0.0.0/24: decisions S37 */

static void put_never_captured(FILE *out, const char *chain)
{
    fprintf(out, "%s %s", chain, never_captured);
    fprintf(out, "%s ip daddr 224.0.0.0/24 accept\n", chain);
}

static void render_check(FILE *out)
{
    flush(out, DATA_GUARD, "check");
    fprintf(out, GUARD "check meta mark & 0xffff == 0x848 ip protocol esp accept\n");
    fprintf(out, GUARD "check meta mark & 0xffff == 0x848 ip protocol udp accept\n");
    put_never_captured(out, GUARD "check");
    fprintf(out, GUARD "check jump exclude\n" GUARD "check jump failopen\n" GUARD
                       "check jump policies\n");
    /* clear packets from the WAN that their sender should have protected (RFC 4301 5.2) */
    flush(out, DATA_GUARD, "arriving");
    fprintf(out, GUARD "arriving meta mark & 0xf0000 == 0x20000 accept\n");
    fprintf(out, GUARD "arriving ip protocol esp accept\n");
    fprintf(out, GUARD "arriving udp sport 848 accept\n" GUARD "arriving udp dport 848 accept\n");
    put_never_captured(out, GUARD "arriving");
    fprintf(out, GUARD "arriving jump exclude\n" GUARD "arriving jump failopen\n" GUARD
                       "arriving jump policies\n");
}

/* The external interfaces, each once. */
static bool is_repeat(const struct esp_vpn_config *vpns, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (bytes_equal(bytes_str(vpns[j].external_interface),
                        bytes_str(vpns[i].external_interface)))
            return true;
    }
    return false;
}

static void render_external(FILE *out, const char *wan)
{
    fprintf(out, GUARD "out oifname \"%s\" jump check\n", wan);
    fprintf(out, GUARD "through oifname \"%s\" jump check\n", wan);
    fprintf(out, GUARD "through iifname \"%s\" jump arriving\n", wan);
    fprintf(out, GUARD "to_us iifname \"%s\" jump arriving\n", wan);
    fprintf(out, STEER "pre iifname \"%s\" ip protocol esp " MARK(0x20000) "\n", wan);
    /* path MTU messages that quote ESP: their addressee, a host, could do nothing with them */
    fprintf(out,
            STEER "pre iifname \"%s\" icmp type destination-unreachable icmp code frag-needed"
                  " @th,136,8 50 " MARK(0x20000) "\n",
            wan);
    fprintf(out, STEER "pre iifname \"%s\" accept\n", wan);
    fprintf(out, STEER "own oifname \"%s\" jump decide\n", wan);
}

static void render_hooks(FILE *out, const struct esp_vpn_config *vpns, size_t n)
{
    static const char *const guard[] = {"out", "through", "to_us"};
    static const char *const steer[] = {"whole", "decide", "pre", "own"};
    for (size_t i = 0; i < ARRAY_LEN(guard); i++)
        flush(out, DATA_GUARD, guard[i]);
    for (size_t i = 0; i < ARRAY_LEN(steer); i++)
        flush(out, DATA_STEER, steer[i]);
    fprintf(out, STEER "whole meta l4proto tcp tproxy to 127.0.0.1:1\n");
    fprintf(out, STEER "own meta mark & 0xffff == 0x848 accept\n");
    put_never_captured(out, STEER "decide");
    fprintf(out, STEER "decide jump exclude\n" STEER "decide jump failopen\n" STEER
                       "decide jump policies\n" STEER "decide jump others\n");
    for (size_t i = 0; i < n; i++) {
        if (!is_repeat(vpns, i))
            render_external(out, vpns[i].external_interface);
    }
    fprintf(out, STEER "own oifname \"" DATA_TUN "\" jump decide\n");
    fprintf(out, STEER "pre iifname \"" DATA_TUN "\" accept\n" STEER "pre jump decide\n");
    fprintf(out, GUARD "out jump closed_own\n" GUARD "through jump closed\n");
}

static void render_jumps(FILE *out, const char *table, const char *from, const char *to,
                         const struct esp_vpn_config *vpns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(out, "add chain ip %s %s_%u\n", table, to, vpns[i].group);
    flush(out, table, from);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "add rule ip %s %s jump %s_%u\n", table, from, to, vpns[i].group);
}

/* One chain per VPN, so that what was known before a crash stays until this VPN is installed again.
 */
static void render_policy_chains(FILE *out, const struct esp_vpn_config *vpns, size_t n)
{
    static const char *const both[] = {DATA_GUARD, DATA_STEER};
    for (size_t t = 0; t < ARRAY_LEN(both); t++)
        render_jumps(out, both[t], "policies", "policy", vpns, n);
    render_jumps(out, DATA_STEER, "others", "rest", vpns, n);
}

void nft_render_setup(FILE *out, const struct esp_vpn_config *vpns, size_t n)
{
    fputs(tables, out);
    render_policy_chains(out, vpns, n);
    render_check(out);
    render_hooks(out, vpns, n);
}

/* --- the part that follows the keys --- */

static void render_clear_rules(FILE *out, const char *chain, const struct esp_rule *rules, size_t n,
                               const char *counter)
{
    char verdict[64];
    snprintf(verdict, sizeof verdict, "counter name %s accept", counter);
    for (size_t i = 0; i < n; i++) {
        put_session(out, (struct line){.table = DATA_GUARD, .chain = chain, .verdict = verdict},
                    &rules[i]);
        put_session(out, (struct line){.table = DATA_STEER, .chain = chain, .verdict = steer_clear},
                    &rules[i]);
    }
}

/* The ip rule for a selector knows addresses only, so that it holds without nft. What has these
 * addresses and other ports, and no other policy wants, must pass it by. */
static void put_rest(FILE *out, const char *chain, const struct esp_selector *s)
{
    struct esp_selector pair = {.source = s->source, .destination = s->destination};
    if (s->protocol || s->source_port || s->destination_port)
        put_selector(out, (struct line){DATA_STEER, chain, steer_clear}, &pair);
}

static void render_selectors(FILE *out, const struct nft_vpn *v)
{
    char chain[32], rest[32];
    snprintf(chain, sizeof chain, "policy_%u", v->config->group);
    snprintf(rest, sizeof rest, "rest_%u", v->config->group);
    flush(out, DATA_GUARD, chain);
    flush(out, DATA_STEER, chain);
    flush(out, DATA_STEER, rest);
    for (size_t i = 0; i < v->n_selectors; i++) {
        put_selector(out, (struct line){DATA_GUARD, chain, "counter name policy_dropped drop"},
                     &v->selectors[i]);
        put_selector(out, (struct line){DATA_STEER, chain, steer_protect}, &v->selectors[i]);
        put_rest(out, rest, &v->selectors[i]);
    }
}

/* While a VPN has nothing to send with, everything from the inside stays inside: what is forwarded
 * to its external interface, and what the gateway itself sends there under another interface's
 * address. */
static void render_closed(FILE *out, const struct nft_vpn *v)
{
    const char *wan = v->config->external_interface;
    fprintf(out, GUARD "closed oifname \"%s\" counter name fail_closed drop\n", wan);
    fprintf(out,
            GUARD "closed_own oifname \"%s\" fib saddr . oif type != local"
                  " counter name fail_closed drop\n",
            wan);
}

void nft_render_policy(FILE *out, const struct nft_vpn *vpns, size_t n)
{
    static const char *const chains[][2] = {
        {DATA_GUARD, "exclude"},    {DATA_GUARD, "failopen"}, {DATA_GUARD, "closed"},
        {DATA_GUARD, "closed_own"}, {DATA_STEER, "exclude"},  {DATA_STEER, "failopen"},
    };
    for (size_t i = 0; i < ARRAY_LEN(chains); i++)
        flush(out, chains[i][0], chains[i][1]);
    for (size_t i = 0; i < n; i++) {
        const struct esp_vpn_config *c = vpns[i].config;
        render_clear_rules(out, "exclude", c->exclude, c->n_exclude, "excluded");
        if (vpns[i].known)
            render_selectors(out, &vpns[i]);
        if (vpns[i].can_send)
            continue;
        if (vpns[i].alive)
            render_clear_rules(out, "failopen", c->fail_open, c->n_fail_open, "fail_open");
        render_closed(out, &vpns[i]);
    }
}

void nft_render_early(FILE *out, const struct esp_vpn_config *vpns, size_t n)
{
    flush(out, DATA_STEER, "early");
    for (size_t i = 0; i < n; i++) {
        if (!is_repeat(vpns, i))
            fprintf(out,
                    STEER "early iifname \"%s\" ip protocol esp ip frag-off & 0x3fff == 0 drop\n",
                    vpns[i].external_interface);
    }
}

void nft_render_teardown(FILE *out)
{
    fprintf(out, "add table ip " DATA_STEER "\ndelete table ip " DATA_STEER "\n");
    fprintf(out, "add table ip " DATA_GUARD "\ndelete table ip " DATA_GUARD "\n");
}

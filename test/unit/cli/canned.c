#include "canned.h"

#include <assert.h>

static struct ip address(const char *text)
{
    struct ip ip;
    bool ok = ip_parse(text, &ip);
    assert(ok);
    return ip;
}

static struct endpoint port_848(const char *text) { return (struct endpoint){address(text), 848}; }

static struct prefix net(const char *text)
{
    struct prefix p;
    bool ok = prefix_parse(text, false, &p);
    assert(ok);
    return p;
}

static void put_cookies(struct ctl_wr *w)
{
    ctl_put_bytes(w, "initiator-cookie", bytes("\x40\xfb\xb0\xf1\xe9\xd6\xc8\xa5", 8));
    ctl_put_bytes(w, "responder-cookie", bytes("\x1d\x2e\x3f\x4a\x5b\x6c\x7d\x8e", 8));
}

static void put_ike_detail(struct ctl_wr *w, const char *gateway)
{
    ctl_put_str(w, "gateway-name", gateway);
    ctl_put_str(w, "role", "Responder");
    ctl_put_str(w, "authentication-method", "Pre-shared-keys");
    ctl_put_endpoint(w, "local-endpoint", port_848("10.10.100.1"));
    ctl_put_endpoint(w, "remote-endpoint", port_848("10.18.101.1"));
    ctl_put_u64(w, "lifetime-remaining", 28482);
    ctl_put_str(w, "peer-identity", "gm\x1b[31m.example"); /* a terminal must not obey it */
    ctl_put_bool(w, "peer-native", true);
    ctl_section(w, "algorithms");
    ctl_put_str(w, "authentication", "hmac-sha256-128");
    ctl_put_str(w, "encryption", "aes256-cbc");
    ctl_put_str(w, "pseudo-random-function", "hmac-sha256");
    ctl_put_str(w, "diffie-hellman-group", "DH-group-14");
    ctl_end(w);
    ctl_section(w, "traffic");
    ctl_put_u64(w, "input-bytes", 1228);
    ctl_put_u64(w, "output-bytes", 1356);
    ctl_put_u64(w, "input-packets", 5);
    ctl_put_u64(w, "output-packets", 4);
    ctl_end(w);
}

static void ike(struct ctl_wr *w, bool detail)
{
    ctl_list(w, "security-association");
    ctl_section(w, NULL);
    ctl_put_u64(w, "index", 738879);
    ctl_put_str(w, "state", "UP");
    put_cookies(w);
    ctl_put_str(w, "mode", "Main");
    ctl_put_ip(w, "remote-address", address("10.18.101.1"));
    if (detail)
        put_ike_detail(w, "GM-0001");
    ctl_end(w);
    ctl_end(w);
}

static void put_generation(struct ctl_wr *w, const char *spi, uint64_t left, uint64_t activates)
{
    ctl_section(w, NULL);
    ctl_put_bytes(w, "spi", bytes(spi, 4));
    ctl_put_u64(w, "lifetime-remaining", left);
    ctl_put_u64(w, "activates-in", activates);
    ctl_end(w);
}

static void put_match_policy(struct ctl_wr *w)
{
    ctl_list(w, "match-policy");
    ctl_section(w, NULL);
    ctl_put_str(w, "policy-name", "1");
    ctl_put_prefix(w, "source", net("172.16.0.0/12"));
    ctl_put_prefix(w, "destination", net("172.16.0.0/12"));
    ctl_put_u64(w, "source-port", 0);
    ctl_put_u64(w, "destination-port", 0);
    ctl_put_u64(w, "protocol-number", 0);
    ctl_end(w);
    ctl_end(w);
}

static void put_group_head(struct ctl_wr *w, const char *name, uint64_t id)
{
    ctl_put_str(w, "group-name", name);
    ctl_put_u64(w, "group-id", id);
}

static void server_ipsec(struct ctl_wr *w, bool detail)
{
    ctl_list(w, "group");
    ctl_section(w, NULL);
    put_group_head(w, "GROUP_ID-0001", 1);
    ctl_list(w, "ipsec-sa");
    ctl_section(w, NULL);
    ctl_put_str(w, "ipsec-sa-name", "GROUP_ID-0001");
    ctl_put_str(w, "protocol", "ESP");
    ctl_put_str(w, "authentication", "sha256");
    ctl_put_str(w, "encryption", "aes-256");
    if (detail) {
        ctl_put_str(w, "anti-replay", "D3P enabled");
        ctl_put_u64(w, "anti-replay-window", 100000);
        ctl_put_u64(w, "rekey-remaining", 652);
        put_match_policy(w);
    }
    ctl_list(w, "generation");
    put_generation(w, "\x1c\x54\x8e\x4e", 1156, 0);
    put_generation(w, "\x2d\x65\x9f\x5f", 3590, 20);
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
    ctl_section(w, NULL);
    put_group_head(w, "empty", 65535);
    ctl_list(w, "ipsec-sa");
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

static void put_kek_algorithms(struct ctl_wr *w, uint64_t signature_bits)
{
    ctl_section(w, "algorithms");
    ctl_put_str(w, "authentication", "sha256");
    if (signature_bits)
        ctl_put_u64(w, "signature-key-length", signature_bits);
    ctl_put_str(w, "encryption", "aes256-cbc");
    ctl_end(w);
}

static void server_kek(struct ctl_wr *w, bool detail)
{
    ctl_list(w, "kek");
    ctl_section(w, NULL);
    ctl_put_u64(w, "index", 738882);
    ctl_put_u64(w, "life-remaining", 1206);
    put_cookies(w);
    put_group_head(w, "GROUP_ID-0001", 1);
    if (detail) {
        ctl_put_str(w, "authentication-method", "RSA");
        ctl_put_u64(w, "rekey-remaining", 694);
        put_kek_algorithms(w, 2048);
        ctl_put_str(w, "certificate", "push-2048");
        ctl_put_str(w, "server-member-communication", "Multicast");
        ctl_put_ip(w, "server-multicast-group", address("239.1.2.3"));
        ctl_put_str(w, "multicast-outgoing-interface", "ge-0/0/1.0");
        ctl_put_u64(w, "retransmission-period", 10);
        ctl_put_u64(w, "number-of-retransmission", 2);
        ctl_put_u64(w, "server-activation-delay", 15);
        ctl_put_u64(w, "server-replay-window", 100000);
        ctl_put_u64(w, "sequence-number", 0);
        ctl_put_u64(w, "heartbeat-interval", 300);
        ctl_put_u64(w, "heartbeat-remaining", 123);
        ctl_put_u64(w, "push-negotiations", 4);
    }
    ctl_end(w);
    ctl_end(w);
}

static const wall_t then = {1447950669}; /* 2015-11-19 16:31:09 UTC */

static void put_member_detail(struct ctl_wr *w, bool is_struck)
{
    ctl_put_time(w, "registered", then);
    ctl_put_bool(w, "peer-native", !is_struck);
    ctl_put_bool(w, "acknowledges", !is_struck);
    ctl_put_bool(w, "has-newest-keys", !is_struck);
    ctl_section(w, "stats");
    ctl_put_u64(w, "pull-succeeded", 2);
    ctl_put_u64(w, "pull-failed", 0);
    ctl_put_u64(w, "push-unacknowledged", is_struck);
    ctl_end(w);
}

static void put_member(struct ctl_wr *w, const char *gateway, const char *ip, bool is_struck,
                       bool detail)
{
    ctl_section(w, NULL);
    ctl_put_str(w, "member-gateway", gateway);
    ctl_put_ip(w, "member-ip", address(ip));
    ctl_put_time(w, "last-update", then);
    ctl_put_str(w, "vsys", "root");
    ctl_put_str(w, "status", is_struck ? "struck" : "active");
    if (is_struck) {
        ctl_put_time(w, "struck", then);
        ctl_put_str(w, "reason", "did not acknowledge a rekey message");
    }
    if (detail)
        put_member_detail(w, is_struck);
    ctl_end(w);
}

static void server_members(struct ctl_wr *w, bool detail)
{
    ctl_list(w, "group");
    ctl_section(w, NULL);
    put_group_head(w, "GROUP_ID-0001", 1);
    ctl_put_u64(w, "registered-members", 1);
    ctl_put_u64(w, "struck-members", 1);
    ctl_list(w, "member");
    put_member(w, "GM-0001", "10.18.101.1", false, detail);
    put_member(w, "a-gateway-with-a-long-name", "10.18.102.1", true, detail);
    ctl_end(w);
    ctl_end(w);
    ctl_section(w, NULL);
    put_group_head(w, "empty", 2);
    ctl_put_u64(w, "registered-members", 0);
    ctl_put_u64(w, "struck-members", 0);
    ctl_list(w, "member");
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

static void server_removed(struct ctl_wr *w)
{
    ctl_list(w, "group");
    ctl_section(w, NULL);
    put_group_head(w, "GROUP_ID-0001", 1);
    ctl_list(w, "member");
    ctl_section(w, NULL);
    ctl_put_str(w, "member-gateway", "GM-0007");
    ctl_put_ip(w, "member-ip", address("10.18.107.1"));
    ctl_put_time(w, "removed", then);
    ctl_put_ip(w, "identity", address("10.18.107.1"));
    ctl_end(w);
    ctl_section(w, NULL);
    ctl_put_time(w, "removed", then);
    ctl_put_str(w, "identity", "gone.example");
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

/* What an operator is told: of a group that did it, of one that waits, of one that cannot push. */
static void put_order(struct ctl_wr *w, const char *name, uint64_t id, bool waits, bool has_pushes)
{
    ctl_section(w, NULL);
    put_group_head(w, name, id);
    ctl_put_u64(w, "members", 41);
    ctl_put_bool(w, "has-pushes", has_pushes);
    ctl_put_bool(w, "now", false);
    ctl_put_bool(w, "waits", waits);
    ctl_put_bool(w, "by-pull", true);
    ctl_put_u64(w, "spread", 5);
    ctl_put_u64(w, "made-in", waits ? 12 : 0);
    ctl_put_u64(w, "switch-in", waits ? 42 : 30);
    ctl_put_u64(w, "drop-in", waits ? 57 : 45);
    ctl_put_time(w, "switch-at", then);
    ctl_put_time(w, "drop-at", then);
    ctl_end(w);
}

static void ordered(struct ctl_wr *w, bool may_refuse)
{
    ctl_list(w, "group");
    put_order(w, "GROUP_ID-0001", 1, false, true);
    put_order(w, "busy", 2, true, true);
    put_order(w, "pull-only", 3, true, false);
    ctl_section(w, NULL);
    if (may_refuse) {
        put_group_head(w, "no-pushes", 4);
        ctl_put_str(w, "refusal", "its members cannot be told");
    } else {
        put_group_head(w, "at-once", 5);
        ctl_put_bool(w, "now", true);
        ctl_put_bool(w, "only-kek", true);
        ctl_put_u64(w, "members", 3);
    }
    ctl_end(w);
    ctl_end(w);
}

/* An SA of the member: its columns of the brief view. */
static void put_member_sa(struct ctl_wr *w, const char *spi, uint64_t index, bool sends)
{
    ctl_put_bool(w, "sends", sends);
    ctl_put_str(w, "direction", sends ? "bi-directional" : "inbound");
    ctl_put_u64(w, "tunnel-index", index);
    ctl_put_ip(w, "gvpn-server", address("10.10.100.1"));
    ctl_put_u64(w, "port", 848);
    ctl_put_str(w, "protocol", "ESP");
    ctl_put_str(w, "esp-encryption-algorithm", "aes-256");
    ctl_put_str(w, "hmac-algorithm", "sha256-128");
    ctl_put_bytes(w, "spi", bytes(spi, 4));
    ctl_put_u64(w, "hard-lifetime", 1073);
    ctl_put_str(w, "lifesize-remaining", "unlim");
    ctl_put_u64(w, "groupid", 1);
    ctl_put_str(w, "virtual-system", "root");
}

static void put_sa_detail(struct ctl_wr *w, bool is_next)
{
    ctl_put_u64(w, "activate-lifetime", is_next ? 15 : 0);
    ctl_put_u64(w, "soft-lifetime", is_next ? 0 : 931);
    ctl_put_str(w, "mode", "Tunnel");
    ctl_put_str(w, "type", "Group VPN");
    ctl_put_str(w, "sa-state", "installed");
    ctl_put_str(w, "anti-replay-service", is_next ? "disabled" : "D3P enabled");
    if (!is_next)
        ctl_put_u64(w, "anti-replay-window", 100000);
    ctl_list(w, "policy");
    ctl_section(w, NULL);
    ctl_put_u64(w, "tunnel-id", 49152);
    ctl_put_u64(w, "protocol-number", is_next ? 17 : 0);
    ctl_put_u64(w, "source-port", 0);
    ctl_put_u64(w, "destination-port", is_next ? 5000 : 0);
    ctl_put_prefix(w, "source-prefix", net("172.16.0.0/12"));
    ctl_put_prefix(w, "dest-prefix", net("172.16.0.0/12"));
    ctl_end(w);
    ctl_end(w);
}

static void put_vpn_stats(struct ctl_wr *w)
{
    static const char *const name[] = {"pull-succeeded",       "pull-failed",
                                       "pull-timeout",         "pull-aborted",
                                       "push-succeeded",       "push-failed",
                                       "server-failover",      "delete-received",
                                       "exceed-maximum-keys",  "exceed-maximum-policies",
                                       "unsupported-algorithm"};

    ctl_section(w, "stats");
    for (size_t i = 0; i < ARRAY_LEN(name); i++)
        ctl_put_u64(w, name[i], i + 1);
    ctl_end(w);
}

static void put_vpn_head(struct ctl_wr *w)
{
    ctl_put_str(w, "vpn-name", "GROUP_ID-0001");
    ctl_put_u64(w, "groupid", 1);
}

static void member_ipsec_detail(struct ctl_wr *w)
{
    ctl_list(w, "vpn");
    ctl_section(w, NULL);
    ctl_put_str(w, "virtual-system", "root");
    put_vpn_head(w);
    ctl_put_ip(w, "local-gateway", address("10.18.101.1"));
    ctl_put_ip(w, "remote-gateway", address("10.10.100.1"));
    ctl_put_str(w, "vrf-name", "default");
    ctl_put_bool(w, "recovery-probe", true);
    ctl_put_str(w, "df-bit", "clear");
    ctl_put_str(w, "state", "registered");
    ctl_put_time(w, "group-clock", then);
    ctl_put_str(w, "last-error", "");
    put_vpn_stats(w);
    ctl_put_bool(w, "rekey-needed", false);
    ctl_list(w, "security-association");
    for (int i = 0; i < 2; i++) {
        ctl_section(w, NULL);
        put_member_sa(w, i ? "\x2d\x65\x9f\x5f" : "\x1c\x54\x8e\x4e", 49152, i == 0);
        put_sa_detail(w, i == 1);
        ctl_end(w);
    }
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

static void member_ipsec(struct ctl_wr *w, bool detail)
{
    ctl_put_u64(w, "total-active-tunnels", 1);
    if (detail) {
        member_ipsec_detail(w);
        return;
    }
    ctl_list(w, "security-association");
    ctl_section(w, NULL);
    put_member_sa(w, "\x1c\x54\x8e\x4e", 49152, true);
    ctl_end(w);
    ctl_section(w, NULL);
    put_member_sa(w, "\x2d\x65\x9f\x5f", 49153, false);
    ctl_end(w);
    ctl_end(w);
}

static void put_member_pushes(struct ctl_wr *w)
{
    static const char *const name[] = {"push-received",       "push-rejected",
                                       "push-acknowledged",   "delete-received",
                                       "heartbeats-received", "heartbeats-missed"};

    ctl_put_str(w, "acknowledgement", "rekey-ack-kek-sha256");
    ctl_put_u64(w, "server-heartbeat-interval", 300);
    ctl_put_u64(w, "member-heartbeat-threshold", 3);
    ctl_put_u64(w, "heartbeats-missed-in-a-row", 1);
    ctl_put_u64(w, "heartbeat-timeout-remaining", 77);
    ctl_put_time(w, "last-heartbeat", then);
    ctl_section(w, "stats");
    for (size_t i = 0; i < ARRAY_LEN(name); i++)
        ctl_put_u64(w, name[i], i + 1);
    ctl_end(w);
}

static void member_kek(struct ctl_wr *w, bool detail)
{
    ctl_list(w, "kek");
    ctl_section(w, NULL);
    ctl_put_u64(w, "security-association-index", 5455810);
    ctl_put_ip(w, "server-address", address("10.10.100.1"));
    ctl_put_u64(w, "life-remaining", 1093);
    put_cookies(w);
    ctl_put_u64(w, "group-id", 1);
    if (detail) {
        ctl_put_str(w, "group-vpn-name", "GROUP_ID-0001");
        ctl_put_ip(w, "local-address", address("10.18.101.1"));
        ctl_put_u64(w, "push-sequence-number", 3);
        put_kek_algorithms(w, 0);
        put_member_pushes(w);
    }
    ctl_end(w);
    ctl_end(w);
}

static void put_policy(struct ctl_wr *w, uint64_t id, const char *type, const char *prefix,
                       uint64_t last_port)
{
    ctl_section(w, NULL);
    ctl_put_u64(w, "tunnel-id", id);
    ctl_put_str(w, "policy-type", type);
    ctl_put_prefix(w, "source-prefix", net(prefix));
    ctl_put_prefix(w, "dest-prefix", net(prefix));
    ctl_put_u64(w, "source-port-first", 0);
    ctl_put_u64(w, "source-port-last", last_port);
    ctl_put_u64(w, "dest-port-first", 0);
    ctl_put_u64(w, "dest-port-last", last_port);
    ctl_put_u64(w, "protocol-number", 0);
    ctl_end(w);
}

static void member_policy(struct ctl_wr *w)
{
    ctl_list(w, "vpn");
    ctl_section(w, NULL);
    put_vpn_head(w);
    ctl_put_str(w, "from-zone", "any");
    ctl_put_str(w, "to-zone", "wan0");
    ctl_list(w, "policy");
    put_policy(w, 49152, "Secure", "172.16.0.0/12", 65535);
    put_policy(w, 63488, "Fail-close", "0.0.0.0/0", 65535);
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

static void put_numbers(struct ctl_wr *w, const char *const *names, size_t n, uint64_t first)
{
    for (size_t i = 0; i < n; i++)
        ctl_put_u64(w, names[i], first + i);
}

static void member_statistics(struct ctl_wr *w)
{
    static const char *const esp[] = {"encrypted-bytes", "decrypted-bytes", "encrypted-packets",
                                      "decrypted-packets"};
    static const char *const errors[] = {"replay",
                                         "esp-authentication-failures",
                                         "esp-decryption-failures",
                                         "bad-headers",
                                         "bad-trailers",
                                         "invalid-spi",
                                         "ts-check-fail",
                                         "exceeds-tunnel-mtu",
                                         "discarded"};
    static const char *const d3p[] = {"too-old",  "too-new", "no-timestamp", "unexpected",
                                      "type-err", "len-err", "next-hdr-err"};
    static const char *const rest[] = {"exclude-packets", "fail-open-packets",
                                       "fail-close-dropped-packets", "clear-dropped-packets"};

    ctl_section(w, "esp");
    put_numbers(w, esp, ARRAY_LEN(esp), 1000000);
    ctl_end(w);
    ctl_section(w, "errors");
    put_numbers(w, errors, ARRAY_LEN(errors), 10);
    ctl_end(w);
    ctl_section(w, "d3p");
    put_numbers(w, d3p, ARRAY_LEN(d3p), 30);
    ctl_end(w);
    put_numbers(w, rest, ARRAY_LEN(rest), 50);
}

static void put_count(struct ctl_wr *w, const char *key, const char *name, uint64_t n)
{
    ctl_section(w, NULL);
    ctl_put_str(w, key, name);
    ctl_put_u64(w, "count", n);
    ctl_end(w);
}

static void counters(struct ctl_wr *w)
{
    ctl_put_str(w, "program", "conclaved");
    ctl_list(w, "datagrams");
    put_count(w, "name", "received", 12);
    ctl_end(w);
    ctl_list(w, "event");
    put_count(w, "name", "started", 1);
    put_count(w, "name", "datagram-dropped", 7);
    ctl_end(w);
    ctl_list(w, "dropped");
    put_count(w, "reason", "authentication failed", 7);
    ctl_end(w);
    ctl_list(w, "tolerated");
    put_count(w, "name", "signature-without-digest-info", 3);
    ctl_end(w);
}

static void server_statistics(struct ctl_wr *w)
{
    static const char *const name[] = {"pull-succeeded",
                                       "pull-failed",
                                       "pull-exceed-member-threshold",
                                       "pull-refused",
                                       "push-sent",
                                       "push-acknowledged",
                                       "push-unacknowledged",
                                       "push-messages",
                                       "push-failed",
                                       "heartbeats-sent",
                                       "deletes-sent",
                                       "acknowledgements-repeated",
                                       "acknowledgements-refused",
                                       "members-struck",
                                       "members-reinstated"};

    ctl_list(w, "group");
    ctl_section(w, NULL);
    put_group_head(w, "GROUP_ID-0001", 1);
    ctl_section(w, "stats");
    put_numbers(w, name, ARRAY_LEN(name), 1);
    ctl_end(w);
    ctl_end(w);
    ctl_end(w);
}

static void version(struct ctl_wr *w)
{
    ctl_put_str(w, "program", "conclaved");
    ctl_put_str(w, "version", "0.1.0");
    ctl_put_str(w, "host", "srv");
    ctl_put_u64(w, "process", 4711);
    ctl_put_time(w, "since", (wall_t){1447950669});
    ctl_put_str(w, "configuration", "/etc/conclave/conclave.conf");
    ctl_put_str(w, "cryptography", "OpenSSL 3.0.17");
}

static void event(struct ctl_wr *w)
{
    ctl_put_str(w, "event", "member-refused");
    ctl_put_str(w, "level", "warning");
    ctl_put_time(w, "time", (wall_t){1447950669});
    ctl_put_str(w, "peer", "10.18.101.1:848");
    ctl_put_str(w, "reason", "gateway is not on the group's list");
    ctl_put_u64(w, "group", 1);
    ctl_put_bytes(w, "spi", bytes("\x1c\x54\x8e\x4e", 4));
    ctl_put_str(w, "text", "");
}

static void cleared(struct ctl_wr *w)
{
    ctl_list(w, "vpn");
    ctl_section(w, NULL);
    put_vpn_head(w);
    ctl_end(w);
    ctl_end(w);
}

static void configuration(struct ctl_wr *w)
{
    static const char *const lines[] = {"server {",
                                        "    ike {",
                                        "        policy pol {",
                                        "            pre-shared-key ascii-text /* SECRET-DATA */;",
                                        "        }",
                                        "    }",
                                        "}"};

    ctl_list(w, "line");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        ctl_section(w, NULL);
        ctl_put_str(w, "text", lines[i]);
        ctl_end(w);
    }
    ctl_end(w);
}

static void committed(struct ctl_wr *w)
{
    static const char *const lines[] = {
        "group grp1: ipsec-sa s1: match-policy p2 changed: new key now, members use it in 30 s",
        "group grp2 added: keys are made"};

    ctl_list(w, "consequence");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        ctl_section(w, NULL);
        ctl_put_str(w, "text", lines[i]);
        ctl_end(w);
    }
    ctl_end(w);
    ctl_list(w, "finding");
    ctl_section(w, NULL);
    ctl_put_str(w, "text",
                "ks.conf:7:3: warning: security group-vpn server ipsec proposal e1: DES is weak");
    ctl_end(w);
    ctl_end(w);
    ctl_put_str(w, "result", "commit complete");
}

void canned_answer(struct ctl_wr *w, enum ctl_command_id id, bool detail)
{
    switch (id) {
    case CTL_SHOW_SERVER_IKE:
    case CTL_SHOW_MEMBER_IKE:
        ike(w, detail);
        return;
    case CTL_SHOW_SERVER_IPSEC:
        server_ipsec(w, detail);
        return;
    case CTL_SHOW_SERVER_KEK:
        server_kek(w, detail);
        return;
    case CTL_SHOW_SERVER_MEMBERS:
        server_members(w, detail);
        return;
    case CTL_SHOW_SERVER_REMOVED:
        server_removed(w);
        return;
    case CTL_SHOW_SERVER_STATISTICS:
        server_statistics(w);
        return;
    case CTL_REQUEST_REKEY:
    case CTL_REQUEST_REMOVE:
    case CTL_REQUEST_RESTORE:
    case CTL_CLEAR_SERVER:
        ordered(w, id == CTL_CLEAR_SERVER);
        return;
    case CTL_SHOW_MEMBER_IPSEC:
        member_ipsec(w, detail);
        return;
    case CTL_SHOW_MEMBER_STATISTICS:
        member_statistics(w);
        return;
    case CTL_SHOW_MEMBER_KEK:
        member_kek(w, detail);
        return;
    case CTL_SHOW_MEMBER_POLICY:
        member_policy(w);
        return;
    case CTL_CLEAR_MEMBER_GROUP:
        cleared(w);
        return;
    case CTL_COMMIT:
        committed(w);
        return;
    case CTL_SHOW_CONFIGURATION:
        configuration(w);
        return;
    case CTL_SHOW_COUNTERS:
        counters(w);
        return;
    case CTL_SHOW_VERSION:
        version(w);
        return;
    case CTL_MONITOR:
        event(w);
        return;
    case CTL_COMMAND_COUNT:
        break;
    }
}

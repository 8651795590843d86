#include "cmd/daemon.h"
#include "cmd/names.h"
#include "cmd/show.h"
#include "data/data.h"
#include "gdoi/numbers.h"
#include "host/clock.h"
#include "member/member.h"

#include <stdio.h>
#include <stdlib.h>

/* Junos numbers tunnels from here; ours count the SAs of a VPN, and of one VPN after the other. */
enum { FIRST_TUNNEL = 49152, TUNNELS_OF_VPN = 64, FAIL_CLOSE_TUNNEL = 63488 };
enum { POLICIES_MAX = ESP_SAS_MAX * ESP_SELECTORS_MAX }; /* of one VPN */

/* ---- which VPNs ---- */

static bool is_asked_for(const struct ctl_request *r, const struct model_vpn *v)
{
    const char *name = ctl_request_text(r, "vpn");

    if (name && strcmp(name, v->name) != 0)
        return false;
    return !ctl_request_has(r, "group-id") || ctl_request_u32(r, "group-id") == v->group_id;
}

static enum err check_vpn(const struct member *m, const struct ctl_request *r,
                          char sentence[CTL_SENTENCE_MAX])
{
    for (size_t i = 0; i < member_n_vpns(m); i++) {
        if (is_asked_for(r, member_vpn(m, i).model))
            return ERR_OK;
    }
    if (ctl_request_has(r, "vpn"))
        snprintf(sentence, CTL_SENTENCE_MAX, "vpn '%.100s' is not configured",
                 ctl_request_text(r, "vpn"));
    else if (ctl_request_has(r, "group-id"))
        snprintf(sentence, CTL_SENTENCE_MAX, "no vpn has the group %u",
                 ctl_request_u32(r, "group-id"));
    else
        return ERR_OK;
    return ERR_NOT_FOUND;
}

/* Calls put() for each VPN that is asked for. */
struct each {
    const struct show *show;
    struct ctl_wr *w;
    instant_t now;
};
static enum err each_vpn(const struct show *s, const struct ctl_request *r, struct ctl_wr *w,
                         void (*put)(const struct each *e, size_t vpn),
                         char sentence[CTL_SENTENCE_MAX])
{
    const struct each each = {s, w, host_now()};
    enum err e = check_vpn(s->member, r, sentence);

    for (size_t i = 0; e == ERR_OK && i < member_n_vpns(s->member); i++) {
        if (is_asked_for(r, member_vpn(s->member, i).model))
            put(&each, i);
    }
    return e;
}

static void put_head(struct ctl_wr *w, const struct model_vpn *v)
{
    ctl_put_str(w, "vpn-name", v->name);
    ctl_put_u64(w, "groupid", v->group_id);
}

/* ---- data keys ---- */

static uint64_t tunnel_of(size_t vpn, size_t sa)
{
    return FIRST_TUNNEL + vpn * TUNNELS_OF_VPN + sa;
}

static void put_sa_head(const struct each *e, size_t vpn, size_t i)
{
    struct member_sa_view sa = member_sa(e->show->member, vpn, i, e->now);
    bool sends = sa.slot == ESP_SLOT_CURRENT;
    uint8_t spi[4] = {(uint8_t)(sa.spi >> 24), (uint8_t)(sa.spi >> 16), (uint8_t)(sa.spi >> 8),
                      (uint8_t)sa.spi};

    ctl_put_bool(e->w, "sends", sends);
    ctl_put_str(e->w, "direction", sends ? "bi-directional" : "inbound");
    ctl_put_u64(e->w, "tunnel-index", tunnel_of(vpn, i));
    ctl_put_ip(e->w, "gvpn-server", sa.server);
    ctl_put_u64(e->w, "port", e->show->server_port);
    ctl_put_str(e->w, "protocol", "ESP");
    ctl_put_str(e->w, "esp-encryption-algorithm", name_esp_cipher(sa.cipher));
    ctl_put_str(e->w, "hmac-algorithm", name_esp_auth_long(sa.auth));
    ctl_put_bytes(e->w, "spi", BYTES_OF(spi));
    ctl_put_u64(e->w, "hard-lifetime", (uint64_t)instant_left_floor_s(sa.expiry, e->now));
    ctl_put_str(e->w, "lifesize-remaining", "unlim");
    ctl_put_u64(e->w, "groupid", member_vpn(e->show->member, vpn).model->group_id);
    ctl_put_str(e->w, "virtual-system", "root");
}

static void put_sas_brief(const struct each *e, size_t vpn)
{
    for (size_t i = 0; i < member_vpn(e->show->member, vpn).n_sas; i++) {
        ctl_section(e->w, NULL);
        put_sa_head(e, vpn, i);
        ctl_end(e->w);
    }
}

static void put_selectors(struct ctl_wr *w, const struct member_sa_view *sa, uint64_t tunnel)
{
    ctl_list(w, "policy");
    for (size_t i = 0; i < sa->n_selectors; i++) {
        const struct esp_selector *s = &sa->selectors[i];
        ctl_section(w, NULL);
        ctl_put_u64(w, "tunnel-id", tunnel);
        ctl_put_prefix(w, "source-prefix", s->source);
        ctl_put_prefix(w, "dest-prefix", s->destination);
        ctl_put_u64(w, "source-port", s->source_port);
        ctl_put_u64(w, "destination-port", s->destination_port);
        ctl_put_u64(w, "protocol-number", s->protocol);
        ctl_end(w);
    }
    ctl_end(w);
}

static void put_sa_detail(const struct each *e, size_t vpn, size_t i)
{
    static const char *const slot[] = {
        [ESP_SLOT_NEXT] = "next", [ESP_SLOT_CURRENT] = "current", [ESP_SLOT_PREVIOUS] = "previous"};
    struct member_sa_view sa = member_sa(e->show->member, vpn, i, e->now);
    struct member_vpn_view v = member_vpn(e->show->member, vpn);
    bool is_next = sa.slot == ESP_SLOT_NEXT;

    ctl_section(e->w, NULL);
    put_sa_head(e, vpn, i);
    ctl_put_str(e->w, "slot", slot[sa.slot]);
    if (is_next)
        ctl_put_u64(e->w, "activate-lifetime", (uint64_t)instant_left_ceil_s(sa.switch_at, e->now));
    if (sa.slot == ESP_SLOT_CURRENT && !instant_is_never(v.due))
        ctl_put_u64(e->w, "soft-lifetime", (uint64_t)instant_left_ceil_s(v.due, e->now));
    ctl_put_str(e->w, "mode", "Tunnel");
    ctl_put_str(e->w, "type", "Group VPN");
    ctl_put_str(e->w, "sa-state", e->show->data ? "installed" : "not installed: no data path");
    ctl_put_str(e->w, "anti-replay-service", sa.window_ms ? "D3P enabled" : "disabled");
    if (sa.window_ms)
        ctl_put_u64(e->w, "anti-replay-window", sa.window_ms);
    put_selectors(e->w, &sa, tunnel_of(vpn, i));
    ctl_end(e->w);
}

static uint64_t sum_of(const uint64_t counts[ERR_COUNT])
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ERR_COUNT; i++)
        sum += counts[i];
    return sum;
}

static void put_stats(struct ctl_wr *w, const struct member_vpn_view *v)
{
    const struct member_counters *c = &v->counters;

    ctl_section(w, "stats");
    ctl_put_u64(w, "pull-succeeded", c->pull_succeeded);
    ctl_put_u64(w, "pull-failed", c->pull_failed);
    ctl_put_u64(w, "pull-timeout", c->pull_timeout);
    ctl_put_u64(w, "pull-aborted", c->pull_aborted);
    ctl_put_u64(w, "push-succeeded", v->pushes.accepted);
    ctl_put_u64(w, "push-failed", sum_of(v->pushes.rejected));
    ctl_put_u64(w, "server-failover", c->server_failover);
    ctl_put_u64(w, "delete-received", v->pushes.keys_deleted + v->pushes.keks_deleted);
    ctl_put_u64(w, "policies-rejected", c->policies_rejected);
    ctl_put_u64(w, "exceed-maximum-keys", c->exceed_maximum_keys);
    ctl_put_u64(w, "exceed-maximum-policies", c->exceed_maximum_policies);
    ctl_put_u64(w, "unsupported-algorithm", c->unsupported_algorithm);
    ctl_end(w);
}

static void put_vpn_state(struct ctl_wr *w, const struct member_vpn_view *v)
{
    static const char *const df[] = {
        [MODEL_DF_CLEAR] = "clear", [MODEL_DF_SET] = "set", [MODEL_DF_COPY] = "copy"};

    ctl_put_str(w, "virtual-system", "root");
    put_head(w, v->model);
    ctl_put_ip(w, "local-gateway", v->model->gateway->local_address);
    ctl_put_ip(w, "remote-gateway", v->server);
    ctl_put_str(w, "vrf-name", "default");
    ctl_put_bool(w, "recovery-probe", v->model->recovery_probe);
    ctl_put_str(w, "df-bit", df[v->model->df_bit]);
    ctl_put_u64(w, "tunnel-mtu", v->model->tunnel_mtu);
    ctl_put_str(w, "state", v->state_name);
    if (!instant_is_never(v->registered_at))
        ctl_put_time(w, "registered", host_wall_of(v->registered_at));
    if (v->clock_set)
        ctl_put_time(w, "group-clock", (wall_t){(host_now().ns + v->clock_offset.ns) / NS_PER_S});
    if (v->last_error != ERR_OK)
        ctl_put_text(w, "last-error",
                     v->last_error_text.len ? v->last_error_text
                                            : bytes_str(err_text(v->last_error)));
    put_stats(w, v);
    ctl_put_bool(w, "rekey-needed", v->state != MEMBER_REGISTERED);
}

static void put_vpn_detail(const struct each *e, size_t vpn)
{
    struct member_vpn_view v = member_vpn(e->show->member, vpn);

    ctl_section(e->w, NULL);
    put_vpn_state(e->w, &v);
    ctl_list(e->w, "security-association");
    for (size_t i = 0; i < v.n_sas; i++)
        put_sa_detail(e, vpn, i);
    ctl_end(e->w);
    ctl_end(e->w);
}

/* VPNs with a key that sends. */
static uint64_t count_active(const struct show *s, const struct ctl_request *r)
{
    instant_t now = host_now();
    uint64_t n = 0;

    for (size_t i = 0; i < member_n_vpns(s->member); i++) {
        struct member_vpn_view v = member_vpn(s->member, i);
        for (size_t k = 0; is_asked_for(r, v.model) && k < v.n_sas; k++)
            n += member_sa(s->member, i, k, now).slot == ESP_SLOT_CURRENT;
    }
    return n;
}

static enum err ipsec(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                      char sentence[CTL_SENTENCE_MAX])
{
    bool detail = ctl_request_has(r, "detail");

    ctl_put_u64(reply, "total-active-tunnels", count_active(ctx, r));
    ctl_list(reply, detail ? "vpn" : "security-association");
    enum err e = each_vpn(ctx, r, reply, detail ? put_vpn_detail : put_sas_brief, sentence);
    ctl_end(reply);
    return e;
}

/* ---- push keys ---- */

static void put_heartbeat(struct ctl_wr *w, const struct member_vpn_view *v, instant_t now)
{
    const struct member_heartbeat_view *h = &v->heartbeat;

    ctl_put_u64(w, "server-heartbeat-interval", h->interval_s);
    ctl_put_u64(w, "member-heartbeat-threshold", v->model->heartbeat_threshold);
    if (!h->watched)
        return;
    ctl_put_u64(w, "heartbeats-missed-in-a-row", h->missed);
    ctl_put_u64(w, "heartbeat-timeout-remaining", (uint64_t)instant_left_ceil_s(h->next, now));
    if (!instant_is_never(h->last))
        ctl_put_time(w, "last-heartbeat", host_wall_of(h->last));
}

static void put_push_stats(struct ctl_wr *w, const struct member_push_counters *c)
{
    ctl_section(w, "stats");
    ctl_put_u64(w, "push-received", c->accepted);
    ctl_put_u64(w, "push-rejected", sum_of(c->rejected));
    ctl_put_u64(w, "push-acknowledged", c->acks_sent);
    ctl_put_u64(w, "delete-received", c->keys_deleted + c->keks_deleted);
    ctl_put_u64(w, "keys-learned", c->keys_learned);
    ctl_put_u64(w, "keks-learned", c->keks_learned);
    ctl_put_u64(w, "heartbeats-received", c->heartbeats_received);
    ctl_put_u64(w, "heartbeats-missed", c->heartbeats_missed);
    ctl_put_u64(w, "states-differed", c->states_differed);
    ctl_put_u64(w, "recovery-probes", c->recovery_probes);
    ctl_end(w);
}

static void put_kek_detail(struct ctl_wr *w, const struct member_vpn_view *v, instant_t now)
{
    ctl_put_str(w, "group-vpn-name", v->model->name);
    ctl_put_ip(w, "local-address", v->model->gateway->local_address);
    ctl_put_u64(w, "push-sequence-number", v->kek.sequence);
    ctl_section(w, "algorithms");
    ctl_put_str(w, "authentication", name_hash(v->kek.sig_hash));
    ctl_put_str(w, "encryption", name_cipher(v->kek.cipher));
    ctl_end(w);
    ctl_put_str(w, "acknowledgement", v->kek.ack ? gdoi_ack_name(v->kek.ack) : NULL);
    if (v->kek.multicast_group.version != 0)
        ctl_put_ip(w, "server-multicast-group", v->kek.multicast_group);
    put_heartbeat(w, v, now);
    ctl_put_u64(w, "server-activation-delay", v->activation_delay_s);
    put_push_stats(w, &v->pushes);
}

static void put_kek(const struct each *e, size_t vpn, bool detail)
{
    struct member_vpn_view v = member_vpn(e->show->member, vpn);

    if (v.kek.cookies.len == 0)
        return;
    ctl_section(e->w, NULL);
    ctl_put_u64(e->w, "security-association-index", show_index(v.kek.cookies));
    ctl_put_ip(e->w, "server-address", v.kek.server);
    ctl_put_u64(e->w, "life-remaining", (uint64_t)instant_left_floor_s(v.kek.expiry, e->now));
    show_put_cookies(e->w, v.kek.cookies);
    ctl_put_u64(e->w, "group-id", v.model->group_id);
    if (detail)
        put_kek_detail(e->w, &v, e->now);
    ctl_end(e->w);
}

static void kek_brief(const struct each *e, size_t vpn) { put_kek(e, vpn, false); }
static void kek_detail(const struct each *e, size_t vpn) { put_kek(e, vpn, true); }

static enum err kek(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                    char sentence[CTL_SENTENCE_MAX])
{
    bool detail = ctl_request_has(r, "detail");

    ctl_list(reply, "kek");
    enum err e = each_vpn(ctx, r, reply, detail ? kek_detail : kek_brief, sentence);
    ctl_end(reply);
    return e;
}

/* ---- policy, in the order in which it decides ---- */

struct policy {
    uint64_t tunnel;
    const char *type;
    struct prefix source, destination;
    uint16_t source_port_first, source_port_last, dest_port_first, dest_port_last;
    uint8_t protocol;
};

static struct prefix any_if_none(struct prefix p)
{
    return p.ip.version ? p : (struct prefix){ip_v4(0), 0};
}

static void put_policy(struct ctl_wr *w, const struct policy *p)
{
    ctl_section(w, NULL);
    ctl_put_u64(w, "tunnel-id", p->tunnel);
    ctl_put_str(w, "policy-type", p->type);
    ctl_put_prefix(w, "source-prefix", any_if_none(p->source));
    ctl_put_prefix(w, "dest-prefix", any_if_none(p->destination));
    ctl_put_u64(w, "source-port-first", p->source_port_first);
    ctl_put_u64(w, "source-port-last", p->source_port_last);
    ctl_put_u64(w, "dest-port-first", p->dest_port_first);
    ctl_put_u64(w, "dest-port-last", p->dest_port_last);
    ctl_put_u64(w, "protocol-number", p->protocol);
    ctl_end(w);
}

static void put_rules(struct ctl_wr *w, const char *type, const struct model_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct model_rule *r = &rules[i];
        put_policy(w, &(struct policy){.type = type,
                                       .source = r->source,
                                       .destination = r->destination,
                                       .source_port_last = UINT16_MAX,
                                       .dest_port_first = r->destination_port_first,
                                       .dest_port_last = r->destination_port_last,
                                       .protocol = r->protocol});
    }
}

static uint16_t last_port(uint16_t port) { return port ? port : UINT16_MAX; }

static void put_selector(struct ctl_wr *w, const char *type, uint64_t tunnel,
                         const struct esp_selector *s)
{
    put_policy(w, &(struct policy){.tunnel = tunnel,
                                   .type = type,
                                   .source = s->source,
                                   .destination = s->destination,
                                   .source_port_first = s->source_port,
                                   .source_port_last = last_port(s->source_port),
                                   .dest_port_first = s->destination_port,
                                   .dest_port_last = last_port(s->destination_port),
                                   .protocol = s->protocol});
}

/* Without a data path: what the keys would protect. */
static void put_not_enforced(const struct each *e, size_t vpn)
{
    for (size_t i = 0; i < member_vpn(e->show->member, vpn).n_sas; i++) {
        struct member_sa_view sa = member_sa(e->show->member, vpn, i, e->now);
        for (size_t k = 0; sa.slot == ESP_SLOT_CURRENT && k < sa.n_selectors; k++)
            put_selector(e->w, "Not enforced: no data path", tunnel_of(vpn, i), &sa.selectors[k]);
    }
}

static uint64_t tunnel_of_spi(const struct each *e, size_t vpn, const struct esp_policy_report *p)
{
    size_t i = 0, n = member_vpn(e->show->member, vpn).n_sas;

    while (i < n) {
        struct member_sa_view sa = member_sa(e->show->member, vpn, i, e->now);
        if (sa.spi == p->spi && ip_equal(sa.server, p->server))
            break;
        i++;
    }
    return tunnel_of(vpn, i);
}

/* What a VPN without a key to send with lets out: its fail-open sessions, and nothing else. */
static void put_keyless(const struct each *e, size_t vpn, const struct model_vpn *v)
{
    const struct policy rest = {.tunnel = FAIL_CLOSE_TUNNEL + vpn,
                                .type = "Fail-close",
                                .source_port_last = UINT16_MAX,
                                .dest_port_last = UINT16_MAX};

    put_rules(e->w, "Fail-open", v->fail_open, v->n_fail_open);
    put_policy(e->w, &rest);
}

static void put_enforced(const struct each *e, size_t vpn, const struct model_vpn *v)
{
    struct esp_policy_report *rows = calloc(POLICIES_MAX, sizeof *rows);
    struct data_policies in_force = {0};

    if (!rows || data_policies(e->show->data, v->name, rows, POLICIES_MAX, &in_force) != ERR_OK) {
        free(rows);
        return;
    }
    put_rules(e->w, "Exclude", v->exclude, v->n_exclude);
    for (size_t i = 0; i < in_force.n && i < POLICIES_MAX; i++) {
        bool sends = rows[i].spi != 0;
        put_selector(e->w, sends ? "Secure" : "Fail-close",
                     sends ? tunnel_of_spi(e, vpn, &rows[i]) : FAIL_CLOSE_TUNNEL + vpn,
                     &rows[i].selector);
    }
    if (!in_force.can_send)
        put_keyless(e, vpn, v);
    free(rows);
}

static void put_vpn_policy(const struct each *e, size_t vpn)
{
    const struct model_vpn *v = member_vpn(e->show->member, vpn).model;

    ctl_section(e->w, NULL);
    put_head(e->w, v);
    ctl_put_str(e->w, "from-zone", "any");
    ctl_put_str(e->w, "to-zone", v->external_interface);
    ctl_list(e->w, "policy");
    if (e->show->data)
        put_enforced(e, vpn, v);
    else
        put_not_enforced(e, vpn);
    ctl_end(e->w);
    ctl_end(e->w);
}

static enum err policy(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                       char sentence[CTL_SENTENCE_MAX])
{
    ctl_list(reply, "vpn");
    enum err e = each_vpn(ctx, r, reply, put_vpn_policy, sentence);
    ctl_end(reply);
    return e;
}

/* ---- counters of the data path ---- */

static void put_esp_stats(struct ctl_wr *w, const struct esp_stats *s)
{
    ctl_section(w, "esp");
    ctl_put_u64(w, "encrypted-bytes", s->n[ESP_ENCRYPTED_BYTES]);
    ctl_put_u64(w, "decrypted-bytes", s->n[ESP_DECRYPTED_BYTES]);
    ctl_put_u64(w, "encrypted-packets", s->n[ESP_ENCRYPTED]);
    ctl_put_u64(w, "decrypted-packets", s->n[ESP_DECRYPTED]);
    ctl_end(w);
}

static void put_errors(struct ctl_wr *w, const struct esp_stats *s)
{
    ctl_section(w, "errors");
    ctl_put_u64(w, "esp-authentication-failures", s->n[ESP_IN_AUTH]);
    ctl_put_u64(w, "esp-decryption-failures", s->n[ESP_IN_DECRYPT]);
    ctl_put_u64(w, "bad-headers",
                s->n[ESP_IN_BAD_HEADER] + s->n[ESP_OUT_BAD_HEADER] + s->n[ESP_IN_INNER] +
                    s->n[ESP_IN_NEXT_HEADER] + s->n[ESP_IN_ADDRESS]);
    ctl_put_u64(w, "bad-trailers", s->n[ESP_IN_TRAILER]);
    ctl_put_u64(w, "invalid-spi", s->n[ESP_IN_UNKNOWN_SPI]);
    ctl_put_u64(w, "ts-check-fail", s->n[ESP_IN_SELECTOR]);
    ctl_put_u64(w, "exceeds-tunnel-mtu", s->n[ESP_OUT_TOO_BIG]);
    ctl_put_u64(w, "discarded", s->n[ESP_OUT_NO_POLICY] + s->n[ESP_IN_CONGESTION]);
    ctl_end(w);
}

/* Time stamps, by the names of Junos. */
static void put_stamp_errors(struct ctl_wr *w, const struct esp_stats *s)
{
    ctl_section(w, "d3p");
    ctl_put_u64(w, "too-old", s->n[ESP_IN_STAMP_OLD]);
    ctl_put_u64(w, "too-new", s->n[ESP_IN_STAMP_NEW]);
    ctl_put_u64(w, "no-timestamp", s->n[ESP_IN_STAMP_MISSING]);
    ctl_put_u64(w, "unexpected", s->n[ESP_IN_STAMP_UNEXPECTED]);
    ctl_put_u64(w, "type-err", s->n[ESP_IN_STAMP_TYPE]);
    ctl_put_u64(w, "len-err", s->n[ESP_IN_STAMP_LENGTH]);
    ctl_put_u64(w, "next-hdr-err", s->n[ESP_IN_STAMP_NEXT_HEADER]);
    ctl_end(w);
}

/* Every counter under its own name, for those who look closer than Junos's table. */
static void put_all(struct ctl_wr *w, const struct data_stats *s)
{
    ctl_section(w, "counters");
    for (int i = 0; i < ESP_STAT_COUNT; i++)
        ctl_put_u64(w, esp_stat_name((enum esp_stat)i), s->esp.n[i]);
    for (int i = 0; i < DATA_STAT_COUNT; i++)
        ctl_put_u64(w, data_stat_name((enum data_stat)i), s->n[i]);
    ctl_end(w);
}

static enum err statistics(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                           char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;
    struct data_stats stats;

    (void)r;
    if (!s->data) {
        snprintf(sentence, CTL_SENTENCE_MAX, "this member runs without a data path");
        return ERR_NOT_FOUND;
    }
    data_stats(s->data, true, &stats);
    put_esp_stats(reply, &stats.esp);
    put_errors(reply, &stats.esp);
    put_stamp_errors(reply, &stats.esp);
    ctl_put_u64(reply, "exclude-packets", stats.guard.excluded + stats.esp.n[ESP_OUT_EXCLUDED]);
    ctl_put_u64(reply, "fail-open-packets", stats.guard.fail_open);
    ctl_put_u64(reply, "fail-close-dropped-packets",
                stats.guard.fail_closed + stats.esp.n[ESP_OUT_FAIL_CLOSE]);
    ctl_put_u64(reply, "clear-dropped-packets", stats.guard.policy_dropped);
    put_all(reply, &stats);
    return ERR_OK;
}

/* ---- the rest ---- */

static enum err ike(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                    char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;

    (void)sentence;
    show_phase1(member_phase1(s->member), r, (struct show_filter){NULL, NULL}, reply);
    return ERR_OK;
}

static void reregister(const struct each *e, size_t vpn)
{
    const struct model_vpn *v = member_vpn(e->show->member, vpn).model;
    struct effects effects = {0};

    if (member_reregister(e->show->member, e->now, v->name, &effects) == ERR_OK) {
        ctl_section(e->w, NULL);
        put_head(e->w, v);
        ctl_end(e->w);
    }
    daemon_carry_out(e->show->daemon, &effects);
    effects_free(&effects);
}

static enum err clear_group(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                            char sentence[CTL_SENTENCE_MAX])
{
    ctl_list(reply, "vpn");
    enum err e = each_vpn(ctx, r, reply, reregister, sentence);
    ctl_end(reply);
    return e;
}

static enum err version(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                        char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;

    (void)r;
    (void)sentence;
    daemon_put_version(s->daemon, reply);
    return ERR_OK;
}

static enum err counters(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                         char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;
    const struct daemon_counted counted = {.dropped = member_dropped(s->member),
                                           .tolerated = member_tolerated(s->member),
                                           .phase1 = phase1_counters(member_phase1(s->member))};

    (void)r;
    (void)sentence;
    daemon_put_counters(s->daemon, &counted, reply);
    return ERR_OK;
}

void show_member_handlers(struct ctl_service *service)
{
    service->handlers[CTL_SHOW_MEMBER_IKE].answer = ike;
    service->handlers[CTL_SHOW_MEMBER_IPSEC].answer = ipsec;
    service->handlers[CTL_SHOW_MEMBER_STATISTICS].answer = statistics;
    service->handlers[CTL_SHOW_MEMBER_KEK].answer = kek;
    service->handlers[CTL_SHOW_MEMBER_POLICY].answer = policy;
    service->handlers[CTL_CLEAR_MEMBER_GROUP].answer = clear_group;
    show_configuration_handler(service);
    service->handlers[CTL_SHOW_VERSION].answer = version;
    service->handlers[CTL_SHOW_COUNTERS].answer = counters;
}

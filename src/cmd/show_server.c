#include "cmd/daemon.h"
#include "cmd/names.h"
#include "cmd/show.h"
#include "host/clock.h"
#include "server/members.h"
#include "server/push.h"
#include "server/server.h"

/* ---- data keys ---- */

static uint64_t left(instant_t at, instant_t now) { return (uint64_t)instant_left_ceil_s(at, now); }

static void put_generation(struct ctl_wr *w, const struct group *group, const struct generation *g,
                           enum group_slot slot, instant_t now)
{
    static const char *const state[] = {
        [GROUP_NEXT] = "next", [GROUP_CURRENT] = "current", [GROUP_PREVIOUS] = "previous"};
    uint8_t spi[4] = {(uint8_t)(g->spi >> 24), (uint8_t)(g->spi >> 16), (uint8_t)(g->spi >> 8),
                      (uint8_t)g->spi};

    ctl_section(w, NULL);
    ctl_put_u64(w, "number", g->number);
    ctl_put_str(w, "slot", state[slot]);
    ctl_put_bytes(w, "spi", BYTES_OF(spi));
    ctl_put_u64(w, "lifetime-remaining", (uint64_t)instant_left_floor_s(g->time.expiry, now));
    ctl_put_u64(w, "activates-in", left(g->time.switch_at, now));
    if (slot == GROUP_PREVIOUS)
        ctl_put_u64(w, "dropped-in", left(group_changeover(group)->drop_at, now));
    ctl_end(w);
}

static void put_policies(struct ctl_wr *w, const struct model_ipsec_sa *sa)
{
    ctl_list(w, "match-policy");
    for (size_t i = 0; i < sa->n_policies; i++) {
        const struct model_match_policy *p = &sa->policies[i];
        ctl_section(w, NULL);
        ctl_put_str(w, "policy-name", p->name);
        ctl_put_prefix(w, "source", p->source);
        ctl_put_prefix(w, "destination", p->destination);
        ctl_put_u64(w, "source-port", p->source_port);
        ctl_put_u64(w, "destination-port", p->destination_port);
        ctl_put_u64(w, "protocol-number", p->protocol);
        ctl_end(w);
    }
    ctl_end(w);
}

static void put_sa_detail(struct ctl_wr *w, const struct group *g, const struct group_sa *sa,
                          instant_t now)
{
    const struct generation *newest = group_newest(sa);

    uint32_t window_ms = newest ? newest->window_ms : g->model->anti_replay_window_ms;

    ctl_put_str(w, "anti-replay", window_ms ? "D3P enabled" : "disabled");
    if (window_ms)
        ctl_put_u64(w, "anti-replay-window", window_ms);
    if (newest)
        ctl_put_u64(w, "rekey-remaining",
                    left(timeline_renew_at(&newest->time, group_atd(g)), now));
    put_policies(w, sa->model);
}

static void put_sa(struct ctl_wr *w, const struct group *g, const struct group_sa *sa, bool detail)
{
    const struct generation *newest = group_newest(sa);
    instant_t now = host_now();

    ctl_section(w, NULL);
    ctl_put_str(w, "ipsec-sa-name", sa->model->name);
    ctl_put_str(w, "protocol", "ESP");
    if (newest) {
        ctl_put_str(w, "authentication", name_esp_auth(newest->auth));
        ctl_put_str(w, "encryption", name_esp_cipher(newest->cipher));
    }
    if (detail)
        put_sa_detail(w, g, sa, now);
    ctl_list(w, "generation");
    for (unsigned slot = GROUP_PREVIOUS; slot > GROUP_MINTED; slot--) { /* oldest first */
        if (sa->slot[slot])
            put_generation(w, g, sa->slot[slot], (enum group_slot)slot, now);
    }
    ctl_end(w);
    ctl_end(w);
}

static void put_sas(const struct show *s, struct ctl_wr *w, const struct group *g, bool detail)
{
    (void)s;
    ctl_list(w, "ipsec-sa");
    for (size_t i = 0; i < g->n_sas; i++)
        put_sa(w, g, &g->sas[i], detail);
    ctl_end(w);
}

static enum err ipsec(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                      char sentence[CTL_SENTENCE_MAX])
{
    return show_put_groups(ctx, r, reply, put_sas, sentence);
}

/* ---- push keys ---- */

static void put_push_channel(struct ctl_wr *w, const struct model_communication *c)
{
    bool multicast = c->type == MODEL_PUSH_MULTICAST;

    ctl_put_str(w, "server-member-communication", multicast ? "Multicast" : "Unicast");
    if (multicast) {
        ctl_put_ip(w, "server-multicast-group", c->multicast_group);
        ctl_put_str(w, "multicast-outgoing-interface", c->multicast_interface);
    }
    ctl_put_u64(w, "retransmission-period", c->retransmission_period_s);
    ctl_put_u64(w, "number-of-retransmission", c->n_retransmission);
}

static void put_kek_detail(struct ctl_wr *w, const struct group *g, const struct kek_generation *k,
                           instant_t now)
{
    ctl_put_str(w, "authentication-method", "RSA");
    if (k == g->kek[GROUP_KEK_CURRENT])
        ctl_put_u64(w, "rekey-remaining", left(kek_renew_at(k, group_atd(g)), now));
    ctl_section(w, "algorithms");
    ctl_put_str(w, "authentication", name_hash(k->sig_hash));
    ctl_put_u64(w, "signature-key-length", k->signer->bits);
    ctl_put_str(w, "encryption", name_cipher(k->cipher));
    ctl_end(w);
    ctl_put_str(w, "certificate", k->policy->certificate);
    put_push_channel(w, k->policy);
    ctl_put_u64(w, "server-activation-delay", g->model->atd_s);
    ctl_put_u64(w, "server-replay-window", g->model->anti_replay_window_ms);
    ctl_put_u64(w, "sequence-number", g->push_seq);
    if (k == g->kek[GROUP_KEK_CURRENT]) {
        ctl_put_u64(w, "heartbeat-interval", g->model->communication.heartbeat_s);
        ctl_put_u64(w, "heartbeat-remaining", left(g->push->beat.heartbeat_at, now));
        ctl_put_u64(w, "push-negotiations", members_awaiting(g));
    }
}

static void put_kek(struct ctl_wr *w, const struct ctl_request *r, const struct group *g,
                    const struct kek_generation *k)
{
    struct bytes cookies = bytes(k->spi, sizeof k->spi);
    instant_t now = host_now();

    if (ctl_request_has(r, "index") && show_index(cookies) != ctl_request_u32(r, "index"))
        return;
    ctl_section(w, NULL);
    ctl_put_u64(w, "index", show_index(cookies));
    show_put_group(w, g);
    show_put_cookies(w, cookies);
    ctl_put_u64(w, "life-remaining", kek_life_s(k, now));
    if (ctl_request_has(r, "detail"))
        put_kek_detail(w, g, k, now);
    ctl_end(w);
}

/* The current KEK of each group, and behind it the one that it has replaced, until that expires. */
static enum err kek(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                    char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;
    enum err e = show_groups_check(s->server, r, sentence);

    if (e != ERR_OK)
        return e;
    ctl_list(reply, "kek");
    for (size_t i = 0; i < server_n_groups(s->server); i++) {
        const struct group *g = server_group(s->server, i);
        for (size_t slot = GROUP_KEK_CURRENT;
             show_group_asked(r, g->model) && slot < GROUP_KEK_SLOTS; slot++) {
            if (g->kek[slot])
                put_kek(reply, r, g, g->kek[slot]);
        }
    }
    ctl_end(reply);
    return ERR_OK;
}

/* ---- phase 1 ---- */

struct wanted {
    const struct server *server;
    const struct ctl_request *request;
};

/* SAs of gateways that may join one of the groups asked for. */
static bool is_of_group(const void *ctx, const struct phase1_sa *sa)
{
    const struct wanted *w = ctx;
    const struct phase1_peer *peer = phase1_peer(sa);

    for (size_t i = 0; peer && i < server_n_groups(w->server); i++) {
        const struct model_group *g = server_group(w->server, i)->model;
        if (show_group_asked(w->request, g) && model_group_has_gateway(g, peer->owner))
            return true;
    }
    return false;
}

static enum err ike(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                    char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;
    const struct wanted wanted = {s->server, r};
    bool by_group = ctl_request_has(r, "group") || ctl_request_has(r, "group-id");
    enum err e = show_groups_check(s->server, r, sentence);

    if (e != ERR_OK)
        return e;
    show_phase1(server_phase1(s->server), r,
                (struct show_filter){by_group ? is_of_group : NULL, &wanted}, reply);
    return ERR_OK;
}

/* ---- the daemon ---- */

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
    const struct daemon_counted counted = {.dropped = server_dropped(s->server),
                                           .tolerated = server_tolerated(s->server),
                                           .phase1 = phase1_counters(server_phase1(s->server))};

    (void)r;
    (void)sentence;
    daemon_put_counters(s->daemon, &counted, reply);
    return ERR_OK;
}

void show_server_handlers(struct ctl_service *service)
{
    service->handlers[CTL_SHOW_SERVER_IKE].answer = ike;
    service->handlers[CTL_SHOW_SERVER_IPSEC].answer = ipsec;
    service->handlers[CTL_SHOW_SERVER_KEK].answer = kek;
    show_members_handlers(service);
    operate_server_handlers(service);
    show_configuration_handler(service);
    service->handlers[CTL_SHOW_VERSION].answer = version;
    service->handlers[CTL_SHOW_COUNTERS].answer = counters;
}

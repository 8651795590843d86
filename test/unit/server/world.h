#pragma once
/* One key server and some hand-cranked members on a virtual clock. Two groups: "blue" (id 7) at
 * 10.0.0.254 for site-1 and site-2, "red" (id 9) at 10.0.0.253 for site-2 only. Every datagram
 * passes through the test. */
#include "check.h"
#include "crypto/crypto.h"
#include "ike1/payload.h"
#include "server/limits.h"
#include "server/server.h"
#include "unit/server/pull_client.h"

#include <stdlib.h>

enum { WORLD_START = 5000, BLUE = 7, RED = 9, WORLD_PACKETS = 32, WORLD_EVENTS = 128 };

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
struct world {
    instant_t now;
    /* the model, free to change before world_open(); tests also change the lists later on */
    struct model_ike_proposal ike;
    const struct model_ike_proposal *ike_list[1];
    struct model_ike_policy policy;
    struct model_server_gateway gateways[3];
    const struct model_server_gateway *blue_list[3], *red_list[1];
    struct model_ipsec_proposal hour, day;
    struct model_match_policy policies[3];
    struct model_ipsec_sa blue_sas[2], red_sas[1];
    struct model_group groups[2];
    struct model_server model;
    struct server *server;
    struct effects out;
    struct packet packets[WORLD_PACKETS]; /* that the server sent and nobody took */
    size_t n_packets;
    struct event events[WORLD_EVENTS];
    size_t n_events;
    struct pull_client gm[2];
};

#define WHERE(text) ((struct model_where){"ks.conf", text, 12})

static const struct endpoint blue_at = {{4, {10, 0, 0, 254}}, 848};
static const struct endpoint red_at = {{4, {10, 0, 0, 253}}, 848};

static inline void world_ike(struct world *w)
{
    w->ike = (struct model_ike_proposal){.name = "p1",
                                         .auth = MODEL_AUTH_PSK,
                                         .hash = MODEL_IKE_SHA256,
                                         .dh_group = 19,
                                         .cipher = MODEL_IKE_AES,
                                         .key_bits = 128,
                                         .lifetime_s = 28800};
    w->ike_list[0] = &w->ike;
    w->policy = (struct model_ike_policy){.name = "pol",
                                          .where = WHERE("ike policy pol"),
                                          .mode = MODEL_MODE_MAIN,
                                          .proposals = w->ike_list,
                                          .n_proposals = 1,
                                          .psk = bytes_str("between us")};
    for (uint8_t i = 0; i < 3; i++) {
        static const char *const names[] = {"site-1", "site-2", "site-3"};
        w->gateways[i] = (struct model_server_gateway){.name = names[i],
                                                       .where = WHERE("ike gateway"),
                                                       .policy = &w->policy,
                                                       .address = ip_v4(0x0a000001u + i)};
    }
}

static inline void world_group(struct world *w, size_t i, const char *name, uint32_t id,
                               struct endpoint at)
{
    w->groups[i] = (struct model_group){
        .name = name, .where = WHERE("group"), .id = id, .atd_s = 15, .server_address = at.ip};
}

/* blue: one ipsec-sa with two policies; a second one, "wide", when a test says n_sas = 2. */
static inline void world_groups(struct world *w)
{
    w->hour = (struct model_ipsec_proposal){.name = "hour",
                                            .where = WHERE("ipsec proposal hour"),
                                            .cipher = MODEL_ESP_AES_CBC,
                                            .key_bits = 128,
                                            .auth = MODEL_ESP_HMAC_SHA256_128,
                                            .lifetime_s = 3600};
    w->day = (struct model_ipsec_proposal){.name = "day",
                                           .where = WHERE("ipsec proposal day"),
                                           .cipher = MODEL_ESP_3DES,
                                           .auth = MODEL_ESP_HMAC_SHA1_96,
                                           .lifetime_s = 86400};
    struct prefix left = prefix_of(ip_v4(0x0a010000), 16), right = prefix_of(ip_v4(0x0a020000), 16);
    w->policies[0] =
        (struct model_match_policy){.name = "lr", .source = left, .destination = right};
    w->policies[1] = (struct model_match_policy){.name = "rl",
                                                 .source = right,
                                                 .destination = left,
                                                 .source_port = 1,
                                                 .destination_port = 2,
                                                 .protocol = 17};
    w->policies[2] = (struct model_match_policy){
        .name = "all", .source = prefix_of(ip_v4(0), 0), .destination = prefix_of(ip_v4(0), 0)};
    w->blue_sas[0] = (struct model_ipsec_sa){
        .name = "main", .proposal = &w->hour, .policies = w->policies, .n_policies = 2};
    w->blue_sas[1] = (struct model_ipsec_sa){
        .name = "wide", .proposal = &w->day, .policies = w->policies + 2, .n_policies = 1};
    w->red_sas[0] = w->blue_sas[0];
    world_group(w, 0, "blue", BLUE, blue_at);
    world_group(w, 1, "red", RED, red_at);
    w->blue_list[0] = w->gateways;
    w->blue_list[1] = w->gateways + 1;
    w->red_list[0] = w->gateways + 1;
    w->groups[0].gateways = w->blue_list;
    w->groups[0].n_gateways = 2;
    w->groups[0].sas = w->blue_sas;
    w->groups[0].n_sas = 1;
    w->groups[1].gateways = w->red_list;
    w->groups[1].n_gateways = 1;
    w->groups[1].sas = w->red_sas;
    w->groups[1].n_sas = 1;
    w->model = (struct model_server){
        .gateways = w->gateways, .n_gateways = 3, .groups = w->groups, .n_groups = 2};
}

static inline struct world *world_new(void)
{
    const char *text;
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now = (instant_t){WORLD_START * NS_PER_S};
    world_ike(w);
    world_groups(w);
    return w;
}

static inline void world_collect(struct world *w)
{
    for (const struct effect *e = w->out.first; e; e = e->next) {
        if (e->kind == EFFECT_SEND) {
            assert_true(w->n_packets < WORLD_PACKETS);
            struct packet *p = &w->packets[w->n_packets++];
            p->from = e->send.from;
            p->to = e->send.to;
            p->len = e->send.datagram.len;
            memcpy(p->data, e->send.datagram.data, p->len);
        } else if (e->kind == EFFECT_TELL && w->n_events < WORLD_EVENTS) {
            w->events[w->n_events++] = *e->event;
        } else if (e->kind == EFFECT_JOB) {
            struct job_result result;
            struct effects more = {0};
            job_run(e->job, &result);
            server_job_done(w->server, w->now, &result, &more);
            job_result_wipe(&result);
            struct effects mine = w->out;
            w->out = more;
            world_collect(w);
            effects_free(&w->out);
            w->out = mine;
        }
    }
    effects_reset(&w->out);
}

static inline void world_open(struct world *w)
{
    uint8_t seed[DRBG_SEED] = {5};
    assert_int_equal(server_new(&w->model, seed, w->now, &w->out, &w->server), ERR_OK);
    world_collect(w);
    for (uint8_t i = 0; i < 2; i++) {
        struct pull_client_config config = {.proposal = w->ike_list,
                                            .psk = w->policy.psk,
                                            .mode = w->policy.mode,
                                            .local = {ip_v4(0x0a000001u + i), 848},
                                            .server = blue_at,
                                            .seed = i};
        pull_client_open(&w->gm[i], &config);
    }
}

static inline void world_close(struct world *w)
{
    pull_client_close(&w->gm[0]);
    pull_client_close(&w->gm[1]);
    server_free(w->server);
    effects_free(&w->out);
    free(w);
}

/* Gives the server a copy of a datagram. */
static inline void world_give(struct world *w, struct endpoint from, struct endpoint to,
                              struct bytes datagram)
{
    uint8_t copy[DATAGRAM_MAX + 64];
    assert_true(datagram.len <= sizeof copy);
    memcpy(copy, datagram.data, datagram.len);
    server_datagram(w->server, w->now, from, to, copy, datagram.len, &w->out);
    world_collect(w);
}
static inline void world_from(struct world *w, struct pull_client *gm, struct bytes datagram)
{
    world_give(w, gm->local, gm->server, datagram);
}

static inline struct packet world_take(struct world *w)
{
    assert_true(w->n_packets > 0);
    struct packet p = w->packets[0];
    w->n_packets--;
    memmove(w->packets, w->packets + 1, w->n_packets * sizeof p);
    return p;
}
static inline struct bytes packet_bytes(const struct packet *p) { return bytes(p->data, p->len); }

/* What a member wants done by the world: its datagrams go to the server, its jobs are run. */
static inline void world_serve(struct world *w, struct pull_client *gm)
{
    struct effects todo = gm->out;
    gm->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        if (e->kind == EFFECT_SEND)
            world_from(w, gm, e->send.datagram);
        if (e->kind != EFFECT_JOB)
            continue;
        struct job_result result;
        job_run(e->job, &result);
        pull_client_job(gm, w->now, &result);
        job_result_wipe(&result);
    }
    effects_free(&todo);
}

static inline void world_phase1(struct world *w, struct pull_client *gm)
{
    pull_client_start(gm, w->now);
    while (gm->out.n || w->n_packets) {
        world_serve(w, gm);
        if (w->n_packets) {
            struct packet p = world_take(w);
            pull_client_phase1(gm, w->now, p.from, p.data, p.len);
        }
    }
    assert_non_null(gm->sa);
}

/* Message 1 and the reading of message 2. */
static inline void world_ask(struct world *w, struct pull_client *gm, uint32_t group)
{
    uint8_t room[DATAGRAM_MAX];
    world_from(w, gm, pull_client_1(gm, group, NULL, room));
    struct packet answer = world_take(w);
    assert_int_equal(pull_client_2(gm, packet_bytes(&answer)), ERR_OK);
}
static inline void world_finish(struct world *w, struct pull_client *gm)
{
    uint8_t room[DATAGRAM_MAX];
    world_from(w, gm, pull_client_3(gm, NULL, room));
    struct packet answer = world_take(w);
    assert_int_equal(pull_client_4(gm, packet_bytes(&answer)), ERR_OK);
    assert_int_equal(w->n_packets, 0);
}
static inline void world_pull(struct world *w, struct pull_client *gm, uint32_t group)
{
    world_ask(w, gm, group);
    world_finish(w, gm);
}

/* Moves the clock of the server with every timer on the way; members do not notice. */
static inline void world_until(struct world *w, double s)
{
    instant_t to = {(int64_t)((WORLD_START + s) * 1e9)};
    while (instant_reached(server_due(w->server), to)) {
        w->now = instant_max(w->now, server_due(w->server));
        server_timer(w->server, w->now, &w->out);
        world_collect(w);
    }
    w->now = to;
}
static inline void world_wait(struct world *w, double s)
{
    world_until(w, (double)w->now.ns / 1e9 - WORLD_START + s);
}

static inline const struct event *world_event(const struct world *w, enum event_id id)
{
    for (size_t i = w->n_events; i-- > 0;) {
        if (w->events[i].id == id)
            return &w->events[i];
    }
    return NULL;
}
static inline void world_says(const struct world *w, enum event_id id, const char *key,
                              const char *part)
{
    char text[EVENT_TEXT_MAX + 1] = {0};
    const struct event *e = world_event(w, id);
    assert_non_null(e);
    struct bytes b = event_find_text(e, key);
    memcpy(text, b.data ? b.data : (const uint8_t *)"", b.len);
    if (!strstr(text, part))
        fail_msg("%s: %s=%s, wanted %s", event_name(id), key, text, part);
}

static inline const struct group *world_blue(const struct world *w)
{
    return server_group(w->server, 0);
}
static inline uint64_t world_dropped(const struct world *w, enum err e)
{
    return server_dropped(w->server)[e];
}
static inline const struct generation *world_key(const struct world *w, size_t sa,
                                                 enum group_slot slot)
{
    return world_blue(w)->sas[sa].slot[slot];
}

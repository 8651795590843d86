#pragma once
/* One key server and two hand-cranked members on a virtual clock. Every datagram passes through the
 * test. */
#include "check.h"
#include "crypto/crypto.h"
#include "ike1/payload.h"
#include "server/limits.h"
#include "server/server.h"
#include "unit/server/pull_client.h"
#include "unit/server/two_groups.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WORLD_START = 5000,
    WORLD_PACKETS = 32,
    WORLD_EVENTS = 128,
    WORLD_WAITING = 16,
    WORLD_FANS = 64
};

struct packet {
    struct endpoint from, to;
    size_t len;
    uint8_t data[DATAGRAM_MAX];
};
/* One datagram to a set. */
struct fan {
    struct endpoint from, to[4];
    size_t n, len;
    char interface[32];
    uint8_t data[DATAGRAM_MAX];
};
struct world {
    instant_t now;
    struct two_groups m; /* free to change before world_open() */
    struct server *server;
    struct effects out;
    struct packet packets[WORLD_PACKETS]; /* that the server sent and nobody took */
    size_t n_packets;
    struct event events[WORLD_EVENTS];
    size_t n_events;
    struct fan fans[WORLD_FANS];
    size_t n_fans;
    bool hold_sign_keys; /* jobs for key pairs are counted, and nobody runs them */
    size_t n_held;
    struct job held; /* the last of them */
    bool fail_signatures;
    bool hold_store; /* answers are held back: world_answer() */
    bool store_fails;
    uint64_t waiting[WORLD_WAITING]; /* transactions without an answer */
    size_t n_waiting, n_stored;
    struct pull_client gm[2];
};

static inline struct world *world_new(void)
{
    const char *text;
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->now = (instant_t){WORLD_START * NS_PER_S};
    two_groups_init(&w->m);
    return w;
}

/* As job_run(), but one key pair serves the whole program: making one takes long. */
static inline void world_run_job(const struct job *job, struct job_result *ret)
{
    static uint8_t pem[8192];
    static size_t len;

    if (job->kind != JOB_SIGN_KEY) {
        job_run(job, ret);
        return;
    }
    if (len == 0) {
        job_run(job, ret);
        assert_int_equal(sign_key_to_pem(ret->sign_key, pem, sizeof pem, &len), ERR_OK);
        return;
    }
    *ret = (struct job_result){.id = job->id, .kind = job->kind};
    assert_int_equal(sign_key_from_pem(bytes(pem, len), &ret->sign_key), ERR_OK);
}

static inline void world_collect(struct world *w);
static inline void world_job(struct world *w, const struct job *job)
{
    struct job own = *job;
    struct job_result result;
    struct effects more = {0};

    world_run_job(&own, &result);
    if (own.kind == JOB_SIGN && w->fail_signatures)
        result.err = ERR_CRYPTO;
    job_wipe(&own);
    server_job_done(w->server, w->now, &result, &more);
    job_result_wipe(&result);
    struct effects mine = w->out;
    w->out = more;
    world_collect(w);
    effects_free(&w->out);
    w->out = mine;
}

static inline void world_store(struct world *w, const struct store_tx *tx)
{
    w->n_stored++;
    if (tx->id && w->hold_store)
        w->waiting[w->n_waiting++] = tx->id;
    else if (tx->id)
        server_stored(w->server, w->now, tx->id, w->store_fails ? ERR_SYSTEM : ERR_OK, &w->out);
    assert_true(w->n_waiting < WORLD_WAITING);
}

static inline void world_fan(struct world *w, const struct effect *e)
{
    assert_true(w->n_fans < WORLD_FANS && e->fanout.n <= 4);
    struct fan *f = &w->fans[w->n_fans++];
    *f = (struct fan){.from = e->fanout.from, .n = e->fanout.n, .len = e->fanout.datagram.len};
    memcpy(f->to, e->fanout.to, f->n * sizeof f->to[0]);
    memcpy(f->data, e->fanout.datagram.data, f->len);
    if (e->fanout.interface)
        snprintf(f->interface, sizeof f->interface, "%s", e->fanout.interface);
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
        } else if (e->kind == EFFECT_FANOUT) {
            world_fan(w, e);
        } else if (e->kind == EFFECT_TELL && w->n_events < WORLD_EVENTS) {
            w->events[w->n_events++] = *e->event;
        } else if (e->kind == EFFECT_JOB && e->job->kind == JOB_SIGN_KEY && w->hold_sign_keys) {
            w->held = *e->job;
            w->n_held++;
        } else if (e->kind == EFFECT_JOB) {
            world_job(w, e->job);
        } else if (e->kind == EFFECT_PERSIST) {
            world_store(w, e->persist);
        }
    }
    effects_reset(&w->out);
}

/* The answer to the transaction that has waited longest. */
static inline void world_answer(struct world *w, enum err err)
{
    assert_true(w->n_waiting > 0);
    uint64_t id = w->waiting[0];
    memmove(w->waiting, w->waiting + 1, --w->n_waiting * sizeof id);
    server_stored(w->server, w->now, id, err, &w->out);
    world_collect(w);
}

static inline void world_open(struct world *w)
{
    uint8_t seed[DRBG_SEED] = {5};
    assert_int_equal(server_new(&(struct server_config){.model = &w->m.model}, seed, w->now,
                                &w->out, &w->server),
                     ERR_OK);
    world_collect(w);
    for (uint8_t i = 0; i < 2; i++) {
        struct pull_client_config config = {.proposal = w->m.ike_list,
                                            .psk = w->m.policy.psk,
                                            .mode = w->m.policy.mode,
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

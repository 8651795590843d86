#include "server/server.h"

#include "gdoi/numbers.h"
#include "ike1/numbers.h"
#include "sa/job.h"
#include "server/gateways.h"
#include "server/groups.h"
#include "server/leaving.h"
#include "server/limits.h"
#include "server/live.h"
#include "server/operator.h"
#include "server/persist.h"
#include "server/pull.h"
#include "server/push.h"
#include "server/restore.h"
#include "server/server_check.h"
#include "server/state.h"

#include <stdlib.h>

void server_drop(struct server *s, struct endpoint from, enum err why, const char *what,
                 struct effects *out)
{
    struct event e = event_of(EV_DATAGRAM_DROPPED);

    s->dropped[why]++;
    event_add_endpoint(&e, "peer", from);
    event_add_str(&e, "what", what);
    event_add_err(&e, why);
    effects_tell(out, &e);
}

struct event server_event(enum event_id id, const struct phase1_sa *sa)
{
    struct event e = event_of(id);

    event_add_endpoint(&e, "peer", phase1_remote(sa));
    if (phase1_peer(sa))
        event_add_str(&e, "gateway", phase1_peer(sa)->name);
    return e;
}

/* ---- set-up ---- */

struct group *server_group_new(struct server *s, const struct model_group *model)
{
    struct group *g = group_new(model, &s->mint);

    g->push = push_new();
    return g;
}

void server_use_certificates(struct server *s)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        const struct model_communication *c = &s->groups[i]->model->communication;
        struct signing_key *key = c->present && c->certificate
                                      ? certified_find(&s->certified, c->certificate)
                                      : s->groups[i]->signer;
        if (key)
            group_set_signer(s->groups[i], key);
    }
}

static enum err start(struct server *s, const struct server_config *with, instant_t now,
                      struct effects *out)
{
    const struct model_server *model = s->model;
    enum err e = certified_take(&s->certified, with->certificates, with->n_certificates);

    if (!e)
        e = server_check_certificates(s, model, &s->certified, out);
    s->groups = calloc(model->n_groups + 1, sizeof(struct group *));
    if (!e)
        e = s->groups ? server_gateways(model, &s->peers, &s->listed) : ERR_NOMEM;
    if (e)
        return e;
    struct phase1_config config = server_phase1_config(model, s->peers);
    e = phase1_table_new(&config, &s->drbg, &s->phase1);
    if (e)
        return e;
    for (size_t i = 0; i < model->n_groups; i++)
        s->groups[s->n_groups++] = server_group_new(s, &model->groups[i]);
    restore_rows(s, with, now, out);
    server_use_certificates(s);
    operator_resume(s, now, out);
    push_resume(s, now, out);
    live_restored(s, now, out);
    signing_start(s, now, out);
    groups_advance(s, now, out);
    return ERR_OK;
}

enum err server_new(const struct server_config *config, const uint8_t seed[DRBG_SEED],
                    instant_t now, struct effects *out, struct server **ret)
{
    enum err e = server_check(config->model, out);
    struct server *s = e ? NULL : calloc(1, sizeof *s);
    if (!s)
        return e ? e : ERR_NOMEM;
    s->model = config->model;
    s->shift = config->shift;
    s->port = config->port ? config->port : GDOI_PORT;
    s->drbg = drbg_of(seed);
    s->mint = mint_of(&s->drbg);
    s->pulls.index.seed[0] = drbg_u64(&s->drbg);
    s->pulls.index.seed[1] = drbg_u64(&s->drbg);
    s->bans.index.seed[0] = drbg_u64(&s->drbg);
    s->bans.index.seed[1] = drbg_u64(&s->drbg);
    s->rate.since = now;
    e = start(s, config, now, out);
    if (e) {
        server_free(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

struct group *server_any_group(const struct server *s, size_t i)
{
    if (i < s->n_groups)
        return s->groups[i];
    return i - s->n_groups < s->n_leaving ? s->leaving[i - s->n_groups].group : NULL;
}

struct group *server_group_by_id(const struct server *s, uint32_t id)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (s->groups[i]->model->id == id)
            return s->groups[i];
    }
    return NULL;
}

struct group *server_group_named(const struct server *s, const char *name)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (strcmp(s->groups[i]->model->name, name) == 0)
            return s->groups[i];
    }
    return NULL;
}

size_t server_addresses(const struct server *s, struct ip *ret, size_t max)
{
    const struct group *g;
    size_t n = 0;

    for (size_t i = 0; n < max && (g = server_any_group(s, i)); i++)
        ret[n++] = g->model->server_address;
    return n;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    leaving_bury(s, INSTANT_NEVER);
    pulls_free(&s->pulls);
    bans_free(&s->bans);
    order_txs_free(&s->orders);
    phase1_table_free(s->phase1);
    for (size_t i = 0; i < s->n_groups; i++) {
        push_free(s->groups[i]->push);
        group_free(s->groups[i]);
    }
    signing_free(&s->signing);
    certified_free(&s->certified);
    mint_free(&s->mint);
    drbg_wipe(&s->drbg);
    free(s->groups);
    free(s->leaving);
    free(s->listed);
    free(s->peers);
    free(s);
}

void server_end_phase1(struct server *s,
                       bool (*ends)(const struct phase1_sa *sa, const void *context),
                       const void *context, struct effects *out)
{
    struct phase1_sa *sa;
    size_t cursor = 0, n = 0;
    struct phase1_sa **all = calloc(phase1_count(s->phase1, false) + 1, sizeof *all);

    if (!all)
        abort(); /* some pointers, at an operator's word */
    while ((sa = phase1_next(s->phase1, &cursor))) {
        if (!ends || ends(sa, context))
            all[n++] = sa;
    }
    for (size_t i = 0; i < n; i++) {
        pull_end_all(s, all[i], out);
        phase1_end(s->phase1, all[i], true, out);
    }
    free(all);
}

void server_stop(struct server *s, instant_t now, struct effects *out)
{
    (void)now;
    server_end_phase1(s, NULL, NULL, out);
}

void server_reseed(struct server *s, const uint8_t seed[DRBG_SEED]) { drbg_reseed(&s->drbg, seed); }

/* ---- inputs ---- */

static void outcome(struct server *s, const struct phase1_outcome *o, struct effects *out)
{
    switch (o->kind) {
    case PHASE1_NOTHING:
    case PHASE1_UP:
    case PHASE1_NOTIFIED: /* told by phase 1; nothing that a member could say changes the server */
        break;
    case PHASE1_FAILED:
    case PHASE1_DOWN:
        pull_end_all(s, o->sa, out);
        break;
    }
}

/* Cheapest check first: length and header, exchange type, then cookies. */
void server_datagram(struct server *s, instant_t now, struct endpoint from, struct endpoint to,
                     uint8_t *datagram, size_t len, struct effects *out)
{
    struct ike1_header header;
    enum err e = len > DATAGRAM_MAX ? ERR_LENGTH : ike1_header_parse(bytes(datagram, len), &header);

    if (e) {
        server_drop(s, from, e, "header", out);
        return;
    }
    switch (header.exchange) {
    case IKE1_EXCHANGE_MAIN:
    case IKE1_EXCHANGE_AGGRESSIVE:
    case IKE1_EXCHANGE_INFORMATIONAL: {
        struct phase1_outcome o =
            phase1_datagram(s->phase1, now, from, to, &header, datagram, len, out);
        outcome(s, &o, out);
        return;
    }
    case IKE1_EXCHANGE_GROUPKEY_PULL:
        pull_timer(s, now, out); /* a datagram may come before the timer that was due */
        groups_advance(s, now, out);
        pull_datagram(s, now, from, to, &header, datagram, len, out);
        return;
    case IKE1_EXCHANGE_GROUPKEY_PUSH_ACK:
        ack_datagram(s, from, to, &header, datagram, len, out);
        return;
    case IKE1_EXCHANGE_GROUPKEY_PUSH: /* sent by servers only */
        server_drop(s, from, ERR_UNEXPECTED, ike1_exchange_name(header.exchange), out);
        return;
    default:
        server_drop(s, from, ERR_TYPE, "exchange type", out);
    }
}

void server_job_done(struct server *s, instant_t now, struct job_result *result,
                     struct effects *out)
{
    if (result->kind == JOB_SIGN) {
        push_job_done(s, now, result, out);
        return;
    }
    if (result->kind == JOB_SIGN_KEY) {
        signing_job_done(s, result, out);
        groups_advance(s, now, out); /* the first KEKs */
        return;
    }
    struct phase1_outcome o = phase1_job_done(s->phase1, now, result, out);

    outcome(s, &o, out);
}

void server_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out)
{
    if (!order_stored(s, id, err, out) && !groups_stored(s, now, id, err, out))
        push_stored(s, now, id, err, out);
}

static void tell_far(const struct server *s, struct effects *out)
{
    struct event e = event_of(EV_GROUP_CLOCK);
    int64_t ms = s->clock.behind.ns / NS_PER_MS;

    event_add_str(&e, "what", ms < 0 ? "it is ahead of UTC" : "it is behind UTC");
    event_add_u64(&e, "milliseconds", (uint64_t)(ms < 0 ? -ms : ms));
    effects_tell(out, &e);
}

void server_wall(struct server *s, instant_t now, span_t utc, struct effects *out)
{
    bool first = !s->clock.set;

    if (group_clock_sample(&s->clock, now, utc))
        tell_far(s, out);
    if (!first && instant_since(now, s->clock_kept).ns < span_s(GROUP_CLOCK_KEEP_S).ns)
        return;
    s->clock_kept = now;
    persist_clock(s, now, out);
}

instant_t server_due(const struct server *s)
{
    instant_t due = instant_min(phase1_due(s->phase1), pull_due(s));

    due = instant_min(due, s->signing.due);
    due = instant_min(due, leaving_due(s));
    return instant_min(due, instant_min(groups_due(s), push_due(s)));
}

void server_timer(struct server *s, instant_t now, struct effects *out)
{
    while (instant_reached(phase1_due(s->phase1), now)) {
        struct phase1_outcome o = phase1_timer(s->phase1, now, out);
        outcome(s, &o, out);
    }
    pull_timer(s, now, out);
    signing_timer(s, now, out);
    groups_advance(s, now, out);
    push_timer(s, now, out);
    leaving_bury(s, now);
}

/* ---- views ---- */

size_t server_n_groups(const struct server *s) { return s->n_groups; }
const struct group *server_group(const struct server *s, size_t i) { return s->groups[i]; }
const struct phase1_table *server_phase1(const struct server *s) { return s->phase1; }
const struct group_clock *server_clock(const struct server *s) { return &s->clock; }
const struct bans *server_bans(const struct server *s) { return &s->bans; }
const uint64_t *server_dropped(const struct server *s) { return s->dropped; }

const struct gdoi_tolerated *server_tolerated(const struct server *s) { return &s->tolerated; }

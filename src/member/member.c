#include "member/member.h"

#include "member/vpn.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_STATUS = 16384 }; /* smaller notify types are errors */

void member_drop(struct member *m, struct endpoint from, enum err why, const char *what,
                 struct effects *out)
{
    struct event e = event_of(EV_DATAGRAM_DROPPED);

    m->dropped[why]++;
    event_add_endpoint(&e, "peer", from);
    event_add_str(&e, "what", what);
    event_add_err(&e, why);
    effects_tell(out, &e);
}

struct gdoi_dialect member_dialect(const struct member *m, bool stamps)
{
    struct gdoi_dialect d = m->config.dialect ? *m->config.dialect : GDOI_RFC6407;

    if (stamps) {
        d.d3p_type_number = GDOI_STAMPS.d3p_type_number;
        d.d3p_window_number = GDOI_STAMPS.d3p_window_number;
    }
    return d;
}

void member_kek_learned(struct member *m, const struct kek *kek)
{
    if (gdoi_sig_key_is_pkcs1(bytes(kek->sig_key, kek->sig_key_len)))
        gdoi_tolerate(&m->tolerated, TOLERATED_PKCS1_KEY);
}

static void add_peers(struct member *m, const struct model_member_gateway *g)
{
    for (size_t i = 0; i < g->n_servers; i++) {
        m->peers[m->n_peers++] = (struct phase1_peer){
            .name = g->name,
            .where = g->where,
            .policy = g->policy,
            .local = g->local,
            .remote = g->remote,
            .address = g->servers[i],
            .local_address = g->local_address,
            .owner = g,
        };
    }
}

static void add_vpn(struct member *m, const struct model_vpn *model)
{
    struct vpn *v = &m->vpns[m->n_vpns++];

    *v =
        (struct vpn){.model = model, .atd_s = MEMBER_ATD_DEFAULT_S, .registered_at = INSTANT_NEVER};
    v->beat.last = INSTANT_NEVER;
    for (size_t i = 0; i < DUE_COUNT; i++)
        v->due[i] = INSTANT_NEVER;
    for (size_t i = 0; i < m->n_peers; i++) {
        if (m->peers[i].owner != model->gateway)
            continue;
        if (v->n_peers++ == 0)
            v->peers = &m->peers[i];
    }
    assert(v->n_peers > 0);
}

enum err member_new(const struct member_config *config, const uint8_t seed[DRBG_SEED],
                    struct member **ret)
{
    const struct model_member *model = config->model;
    struct member *m = calloc(1, sizeof *m);

    if (!m)
        return ERR_NOMEM;
    m->config = *config;
    m->drbg = drbg_of(seed);
    m->peers = calloc(model->n_gateways * MODEL_SERVERS_MAX + 1, sizeof *m->peers);
    m->vpns = calloc(model->n_vpns + 1, sizeof *m->vpns);
    m->memberships = calloc(2 * model->n_vpns + 1, sizeof *m->memberships);
    if (!m->peers || !m->vpns || !m->memberships) {
        member_free(m);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < model->n_gateways; i++)
        add_peers(m, &model->gateways[i]);
    for (size_t i = 0; i < model->n_vpns; i++)
        add_vpn(m, &model->vpns[i]);
    struct phase1_config phase1 = {.peers = m->peers, .n_peers = m->n_peers, .responder = false};
    enum err e = phase1_table_new(&phase1, &m->drbg, &m->phase1);
    if (e) {
        member_free(m);
        return e;
    }
    *ret = m;
    return ERR_OK;
}

void member_free(struct member *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        vpn_pull_end(v);
        keyring_clear(&v->keys);
        keks_wipe(&v->keks);
    }
    phase1_table_free(m->phase1);
    drbg_wipe(&m->drbg);
    free(m->memberships);
    free(m->vpns);
    free(m->peers);
    free(m);
}

void member_start(struct member *m, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < m->n_vpns; i++)
        vpn_start(m, &m->vpns[i], now, out);
}

void member_reseed(struct member *m, const uint8_t seed[DRBG_SEED]) { drbg_reseed(&m->drbg, seed); }

/* The first VPN that waits for an SA with this peer goes on; the others follow when its PULL is
 * over. */
static void serve_waiting(struct member *m, struct phase1_sa *sa, instant_t now,
                          struct effects *out)
{
    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        if (v->state != MEMBER_PHASE1 || vpn_peer(v) != phase1_peer(sa))
            continue;
        vpn_move(v, MEMBER_PULL);
        vpn_pull_start(m, v, sa, false, now, out);
        return;
    }
}

/* VPNs that wait although nothing is under way for them: the SA's present PULL is over, or the SA
 * is gone. */
static void serve_stranded(struct member *m, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        if (v->state == MEMBER_PHASE1 && vpn_can_go_on(m, v, now))
            vpn_attempt(m, v, now, out);
    }
}

/* The SA ended under a PULL. An old one is replaced at once, with the same server; one that was
 * made for this very attempt says that the server does not want us. */
static void phase1_down(struct member *m, const struct phase1_outcome *o, instant_t now,
                        struct effects *out)
{
    struct vpn *v = phase1_user(o->sa);
    if (!v)
        return;

    bool was_up = v->pull.sa_was_up;
    vpn_pull_end(v);
    if (was_up)
        vpn_attempt(m, v, now, out);
    else
        vpn_failed(m, v, now, ERR_CLOSED, bytes_str("the server ended phase 1"), out);
}

/* It never came up, so nobody uses it and all who wait for it have failed. */
static void phase1_failed(struct member *m, const struct phase1_outcome *o, instant_t now,
                          struct effects *out)
{
    const struct phase1_peer *peer = phase1_peer(o->sa);
    struct bytes hint =
        o->notify_type ? bytes_str(ike1_notify_name(o->notify_type)) : bytes(NULL, 0);

    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        if (v->state == MEMBER_PHASE1 && vpn_peer(v) == peer)
            vpn_failed(m, v, now, o->err, hint, out);
    }
}

/* The server refuses by INVALID-ID-INFORMATION under the phase 1 SA; natives say why (decisions
 * S34). A status message refuses nothing (RFC 2408 3.14.1). */
static void notified(struct member *m, const struct phase1_outcome *o, instant_t now,
                     struct effects *out)
{
    struct vpn *v = phase1_user(o->sa);
    struct ike1_notify n = {.doi = IKE1_DOI_GDOI, .type = o->notify_type, .data = o->notify_data};

    if (!v || n.type >= FIRST_STATUS)
        return;
    struct gdoi_refusal refusal = gdoi_refusal_of(&n);
    struct bytes text = refusal.text;
    if (text.len == 0)
        text =
            bytes_str(refusal.reason ? gdoi_reason_text(refusal.reason) : ike1_notify_name(n.type));
    vpn_failed(m, v, now, ERR_REFUSED, text, out);
}

static void outcome(struct member *m, const struct phase1_outcome *o, instant_t now,
                    struct effects *out)
{
    switch (o->kind) {
    case PHASE1_NOTHING:
        break;
    case PHASE1_UP:
        serve_waiting(m, o->sa, now, out);
        break;
    case PHASE1_FAILED:
        phase1_failed(m, o, now, out);
        break;
    case PHASE1_DOWN:
        phase1_down(m, o, now, out);
        break;
    case PHASE1_NOTIFIED:
        notified(m, o, now, out);
        break;
    }
    serve_stranded(m, now, out);
}

/* A message of a PULL: for whoever pulls over that SA. */
static void pull_datagram(struct member *m, instant_t now, struct endpoint from,
                          const struct ike1_header *header, uint8_t *datagram, size_t len,
                          struct effects *out)
{
    struct phase1_sa *sa = phase1_find(m->phase1, &header->cookies);

    if (!sa || !endpoint_equal(phase1_remote(sa), from)) {
        member_drop(m, from, ERR_UNKNOWN_SA, "groupkey-pull", out);
        return;
    }
    if (!phase1_user(sa)) {
        member_drop(m, from, ERR_UNEXPECTED, "groupkey-pull", out);
        return;
    }
    vpn_pull_datagram(m, phase1_user(sa), now, header, datagram, len, out);
    serve_stranded(m, now, out);
}

/* Cheapest check first: header, then exchange type, then cookies. */
void member_datagram(struct member *m, instant_t now, struct endpoint from, struct endpoint to,
                     uint8_t *datagram, size_t len, struct effects *out)
{
    struct ike1_header header;
    enum err e = len > DATAGRAM_MAX ? ERR_LENGTH : ike1_header_parse(bytes(datagram, len), &header);

    if (e) {
        member_drop(m, from, e, "header", out);
        return;
    }
    switch (header.exchange) {
    case IKE1_EXCHANGE_MAIN:
    case IKE1_EXCHANGE_AGGRESSIVE:
    case IKE1_EXCHANGE_INFORMATIONAL: {
        struct phase1_outcome o =
            phase1_datagram(m->phase1, now, from, to, &header, datagram, len, out);
        outcome(m, &o, now, out);
        return;
    }
    case IKE1_EXCHANGE_GROUPKEY_PULL:
        pull_datagram(m, now, from, &header, datagram, len, out);
        return;
    case IKE1_EXCHANGE_GROUPKEY_PUSH:
        push_datagram(m, now, from, to, &header, datagram, len, out);
        serve_stranded(m, now, out);
        return;
    default:
        member_drop(m, from, ERR_TYPE, "exchange type", out);
    }
}

void member_job_done(struct member *m, instant_t now, const struct job_result *result,
                     struct effects *out)
{
    struct phase1_outcome o = phase1_job_done(m->phase1, now, result, out);
    outcome(m, &o, now, out);
}

instant_t member_due(const struct member *m)
{
    instant_t due = phase1_due(m->phase1);
    for (size_t i = 0; i < m->n_vpns; i++)
        due = instant_min(due, vpn_due(&m->vpns[i]));
    return due;
}

void member_timer(struct member *m, instant_t now, struct effects *out)
{
    while (instant_reached(phase1_due(m->phase1), now)) {
        struct phase1_outcome o = phase1_timer(m->phase1, now, out);
        outcome(m, &o, now, out);
    }
    for (size_t i = 0; i < m->n_vpns; i++) {
        if (instant_reached(vpn_due(&m->vpns[i]), now))
            vpn_timer(m, &m->vpns[i], now, out);
    }
    serve_stranded(m, now, out);
}

enum err member_reregister(struct member *m, instant_t now, const char *vpn, struct effects *out)
{
    bool found = false;

    for (size_t i = 0; i < m->n_vpns; i++) {
        struct vpn *v = &m->vpns[i];
        if (vpn && strcmp(vpn, v->model->name) != 0)
            continue;
        found = true;
        if (v->state == MEMBER_REGISTERED || v->state == MEMBER_WAITING)
            vpn_attempt(m, v, now, out);
    }
    return found ? ERR_OK : ERR_NOT_FOUND;
}

void member_stop(struct member *m, instant_t now, struct effects *out)
{
    size_t cursor = 0;
    struct phase1_sa *sa;

    (void)now;
    for (size_t i = 0; i < m->n_vpns; i++)
        vpn_stop(&m->vpns[i]);
    while (m->n_memberships > 0) {
        const struct membership *s = &m->memberships[--m->n_memberships];
        effects_multicast(out, false, s->group, s->interface);
    }
    while ((sa = phase1_next(m->phase1, &cursor))) {
        phase1_end(m->phase1, sa, true, out);
        cursor = 0; /* the table has changed */
    }
}

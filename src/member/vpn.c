#include "member/vpn.h"

#include "base/fsm.h"

#include <assert.h>
#include <stdio.h>

#define TO(state) FSM_TO(MEMBER_##state)
static const struct fsm_state table[] = {
    [MEMBER_IDLE] = {"idle", TO(IDLE) | TO(PHASE1) | TO(PULL)},
    [MEMBER_PHASE1] = {"phase-1", TO(IDLE) | TO(PHASE1) | TO(PULL) | TO(WAITING)},
    [MEMBER_PULL] = {"pull", TO(IDLE) | TO(PHASE1) | TO(PULL) | TO(REGISTERED) | TO(WAITING)},
    [MEMBER_REGISTERED] = {"registered", TO(IDLE) | TO(PHASE1) | TO(PULL)},
    [MEMBER_WAITING] = {"waiting", TO(IDLE) | TO(PHASE1) | TO(PULL)},
};

const char *vpn_state_name(unsigned state)
{
    assert(state < ARRAY_LEN(table));
    return table[state].name;
}

void vpn_move(struct vpn *v, enum member_vpn_state to) { fsm_move(table, &v->state, to); }

const struct phase1_peer *vpn_peer(const struct vpn *v) { return &v->peers[v->server]; }

struct event vpn_event(const struct vpn *v, enum event_id id)
{
    struct event e = event_of(id);
    event_add_str(&e, "vpn", v->model->name);
    event_add_u64(&e, "group", v->model->group_id);
    event_add_ip(&e, "server", vpn_peer(v)->address);
    return e;
}

/* When the first key ends that nothing succeeds, the KEK included. */
static instant_t first_end(const struct vpn *v)
{
    instant_t end = keyring_end(&v->keys);

    return v->keks.current.present ? instant_min(end, v->keks.current.expiry) : end;
}

/* From the creation of the next key on (L - 4 ATD): the span in which a late answer costs packets.
 */
bool vpn_is_urgent(const struct vpn *v, instant_t now)
{
    instant_t end = first_end(v);
    return !instant_is_never(end) && instant_since(end, now).ns <= span_s(4 * (int64_t)v->atd_s).ns;
}

void vpn_tell_clock(const struct vpn *v, struct effects *out)
{
    effects_clock(out, v->model->name, v->clock.offset);
}

/* Sends the present keys to the data path and plans the next change of a slot. */
static void install(struct vpn *v, instant_t now, struct effects *out)
{
    effects_install(out, keyring_install(&v->keys, v->model->name, now, &out->arena));
    v->due[DUE_KEYS] = keyring_due(&v->keys, now);
}

/* ---- an attempt ---- */

static bool is_idle(const struct phase1_sa *sa)
{
    return phase1_state(sa) == PHASE1_STATE_UP && !phase1_user(sa);
}

/* An SA of phase 1 with the server being tried, best one that is up, with life left, and free; else
 * one that will be; NULL when there is none. */
static struct phase1_sa *find_sa(const struct member *m, const struct vpn *v, instant_t now)
{
    size_t cursor = 0;
    struct phase1_sa *sa, *found = NULL;

    while ((sa = phase1_next(m->phase1, &cursor))) {
        if (phase1_peer(sa) != vpn_peer(v) ||
            (phase1_state(sa) == PHASE1_STATE_UP &&
             instant_reached(phase1_expiry(sa), instant_add(now, MEMBER_SA_MARGIN))))
            continue;
        if (!found || is_idle(sa))
            found = sa;
    }
    return found;
}

bool vpn_can_go_on(const struct member *m, const struct vpn *v, instant_t now)
{
    const struct phase1_sa *sa = find_sa(m, v, now);
    return !sa || is_idle(sa);
}

void vpn_attempt(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    struct phase1_sa *sa = find_sa(m, v, now);

    v->due[DUE_ATTEMPT] = INSTANT_NEVER;
    if (sa && is_idle(sa)) {
        vpn_move(v, MEMBER_PULL);
        vpn_pull_start(m, v, sa, true, now, out);
        return;
    }
    vpn_move(v, MEMBER_PHASE1); /* until that SA is up, or its present PULL is over */
    if (sa)
        return;
    const struct phase1_peer *peer = vpn_peer(v);
    struct endpoint local = {v->model->gateway->local_address, m->config.local_port};
    struct endpoint remote = {peer->address, m->config.server_port};
    sa = phase1_initiate(m->phase1, now, peer, local, remote, out);
    if (!sa)
        vpn_failed(m, v, now, ERR_LIMIT, bytes(NULL, 0), out);
    else if (vpn_is_urgent(v, now))
        phase1_hurry(sa);
}

void vpn_start(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    install(v, now, out); /* nothing yet: fail closed */
    vpn_attempt(m, v, now, out);
}

/* ---- when to try again ---- */

span_t vpn_jitter(struct member *m, span_t wait)
{
    return (span_t){wait.ns * 3 / 4 + (int64_t)drbg_below(&m->drbg, (uint64_t)wait.ns / 2)};
}

/* Doubled with every round up to `most`. */
static span_t back_off(struct member *m, const struct vpn *v, span_t most)
{
    span_t wait = MEMBER_RETRY_FIRST;

    for (unsigned i = 1; i < v->rounds && wait.ns < most.ns; i++)
        wait = span_times(wait, 2);
    return vpn_jitter(m, span_min(wait, most));
}

/* Nobody answered, or all refused. */
static instant_t retry_at(struct member *m, const struct vpn *v, instant_t now)
{
    span_t most = vpn_is_urgent(v, now) ? MEMBER_RETRY_URGENT : MEMBER_RETRY_MAX;
    return instant_add(now, back_off(m, v, most));
}

/* The server answered and has no successor yet: ask ever more patiently, but several times before
 * the key ends. */
static instant_t ask_again_at(struct member *m, const struct vpn *v, instant_t now)
{
    instant_t end = keyring_end(&v->keys);
    span_t most = MEMBER_RETRY_MAX;

    if (!instant_is_never(end))
        most =
            span_max(MEMBER_RETRY_FIRST, span_min(most, (span_t){instant_since(end, now).ns / 4}));
    return instant_add(now, back_off(m, v, most));
}

/* Peers' text is shown to operators: nothing that moves their terminal. */
static void remember_error(struct vpn *v, enum err err, struct bytes text)
{
    size_t n = text.len < sizeof v->last_error_text - 1 ? text.len : sizeof v->last_error_text - 1;

    v->last_error = err;
    for (size_t i = 0; i < n; i++)
        v->last_error_text[i] =
            text.data[i] >= ' ' && text.data[i] <= '~' ? (char)text.data[i] : '?';
    v->last_error_text[n] = '\0';
}

void vpn_failed(struct member *m, struct vpn *v, instant_t now, enum err err, struct bytes text,
                struct effects *out)
{
    struct event e = vpn_event(v, EV_REGISTRATION_FAILED);

    event_add_err(&e, err);
    if (text.len > 0)
        event_add_text(&e, "what", text);
    effects_tell(out, &e);
    remember_error(v, err, text);
    v->counters.pull_failed++;
    vpn_pull_end(v);
    vpn_move(v, MEMBER_WAITING);
    v->server = (v->server + 1) % v->n_peers;
    if (++v->n_failed < v->n_peers) {
        v->counters.server_failover++;
        e = vpn_event(v, EV_SERVER_FAILOVER);
        effects_tell(out, &e);
        v->due[DUE_ATTEMPT] = now;
        return;
    }
    v->n_failed = 0;
    v->rounds++;
    v->due[DUE_ATTEMPT] = retry_at(m, v, now);
}

/* L - 3 ATD of the key that ends first, the KEK included (junos.md 3.4), spread so that members of
 * one group do not come together and yet every one inside (L - 4 ATD, L - 2 ATD) (decisions M10);
 * or when the group clock is to be measured again, which lifetimes of a day do not outlast but
 * pushes can, for ever. */
static instant_t reregistration(struct member *m, const struct vpn *v)
{
    instant_t end = first_end(v);
    span_t atd = span_s(v->atd_s), spread = span_s(v->spread_s);
    bool pushes = v->keks.current.present;

    spread = span_min(spread, (span_t){pushes ? atd.ns / 2 : atd.ns * 9 / 10});
    int64_t jitter = spread.ns > 0 ? (int64_t)drbg_below(&m->drbg, (uint64_t)spread.ns) : 0;
    instant_t next = instant_add(end, (span_t){-3 * atd.ns + (pushes ? jitter : -jitter)});
    return instant_min(next, member_clock_due(&v->clock, keyring_window_ms(&v->keys)));
}

span_t vpn_spread(const struct vpn *v) { return span_max(span_s(v->spread_s), MEMBER_SPREAD_MIN); }

void vpn_register_within(struct member *m, struct vpn *v, instant_t now, span_t within)
{
    span_t wait = {(int64_t)drbg_below(&m->drbg, (uint64_t)within.ns)};

    if (v->state == MEMBER_REGISTERED || v->state == MEMBER_WAITING)
        v->due[DUE_ATTEMPT] = instant_min(v->due[DUE_ATTEMPT], instant_add(now, wait));
}

void vpn_rekeyed(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    instant_t next = reregistration(m, v);

    v->due[DUE_KEK] = keks_due(&v->keks);
    multicast_follow(m, out);
    install(v, now, out);
    if (v->state != MEMBER_REGISTERED || instant_is_never(keyring_end(&v->keys)))
        return;
    if (instant_before(now, next)) {
        v->rounds = 0;
        v->due[DUE_ATTEMPT] = v->beat.is_called ? instant_min(v->due[DUE_ATTEMPT], next) : next;
    } else { /* some other key is about to end, or this one is: the server has more to say */
        v->due[DUE_ATTEMPT] =
            instant_min(v->due[DUE_ATTEMPT], instant_add(now, MEMBER_RETRY_FIRST));
    }
}

void vpn_registered(struct member *m, struct vpn *v, instant_t now, size_t learned,
                    struct effects *out)
{
    struct event e = vpn_event(v, EV_REGISTERED);

    event_add_u64(&e, "keys", v->keys.n);
    event_add_u64(&e, "new", learned);
    effects_tell(out, &e);
    vpn_move(v, MEMBER_REGISTERED);
    remember_error(v, ERR_OK, bytes(NULL, 0));
    v->counters.pull_succeeded++;
    v->n_failed = 0;
    v->registered_at = now;
    v->probe.n = learned > 0 ? 0 : v->probe.n;
    v->due[DUE_KEK] = keks_due(&v->keks);
    multicast_follow(m, out);
    install(v, now, out);

    instant_t next = reregistration(m, v);
    if (!instant_is_never(keyring_end(&v->keys)) && instant_before(now, next)) {
        v->rounds = 0;
        v->due[DUE_ATTEMPT] = next;
    } else {
        v->rounds += v->rounds < 16;
        v->due[DUE_ATTEMPT] = ask_again_at(m, v, now);
    }
}

static void keys_due(struct vpn *v, instant_t now, struct effects *out)
{
    size_t ended = keyring_expire(&v->keys, now);

    install(v, now, out);
    if (ended == 0)
        return;
    struct event e = vpn_event(v, EV_KEYS_EXPIRED);
    event_add_u64(&e, "ended", ended);
    event_add_u64(&e, "keys", v->keys.n);
    effects_tell(out, &e);
}

static void kek_due(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    keks_expire(&v->keks, now);
    v->due[DUE_KEK] = keks_due(&v->keks);
    multicast_follow(m, out);
}

void vpn_policy_refused(struct vpn *v, const struct policy_refusal *r)
{
    v->counters.policies_rejected += r->n;
    v->counters.exceed_maximum_keys += r->err == ERR_LIMIT;
    v->counters.exceed_maximum_policies += r->err == ERR_TOO_MANY;
    v->counters.unsupported_algorithm += r->err == ERR_TYPE;
}

void vpn_stop(struct vpn *v)
{
    vpn_pull_end(v);
    vpn_move(v, MEMBER_IDLE);
    for (size_t i = 0; i < DUE_COUNT; i++)
        v->due[i] = INSTANT_NEVER;
}

instant_t vpn_due(const struct vpn *v)
{
    instant_t due = INSTANT_NEVER;
    for (size_t i = 0; i < DUE_COUNT; i++)
        due = instant_min(due, v->due[i]);
    return due;
}

void vpn_timer(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    if (instant_reached(v->due[DUE_KEK], now))
        kek_due(m, v, now, out);
    if (instant_reached(v->due[DUE_KEYS], now))
        keys_due(v, now, out);
    if (instant_reached(v->due[DUE_HEARTBEAT], now))
        heartbeat_due(m, v, now, out);
    if (instant_reached(v->due[DUE_RETRANSMIT], now))
        vpn_pull_retransmit(m, v, now, out);
    if (instant_reached(v->due[DUE_ATTEMPT], now))
        vpn_attempt(m, v, now, out);
}

/* What a native server tells of itself (decisions M14): in message 4 of a PULL, and in heartbeats,
 * pushes of SEQ, N and SIG. A member that misses `heartbeat-threshold` of them in a row, or hears
 * of keys that it does not hold, registers again, at a random time so that a group does not come
 * back all at once. With a threshold of 0 neither makes it do so; but a server that tells its
 * members to register again (after a removal: M18) is obeyed, since nothing else would tell them.
 */
#include "member/vpn.h"
#include "wire/wr.h"

/* The newest KEK and the newest generation of each SA, as they were offered: what is refused is
 * refused whole, so that what is held is what was offered. */
static void digest_of(const struct vpn *v, uint8_t ret[GDOI_DIGEST])
{
    const struct kek *kek = &v->keks.current;
    uint32_t spis[MEMBER_TEKS_MAX];
    uint8_t octets[4 * MEMBER_TEKS_MAX], hash[HASH_MAX];
    struct wr w = wr_of(octets, sizeof octets);
    size_t n = keyring_newest(&v->keys, spis);

    for (size_t i = 0; i < n; i++)
        wr_u32(&w, spis[i]);
    struct bytes spi = kek->present ? ike1_cookies_bytes(&kek->cookies) : bytes(NULL, 0);
    hash_parts(HASH_SHA256, PARTS(spi, wr_bytes(&w)), hash);
    memcpy(ret, hash, GDOI_DIGEST);
}

static bool holds(const struct vpn *v, const uint8_t digest[GDOI_DIGEST])
{
    uint8_t own[GDOI_DIGEST];

    digest_of(v, own);
    return bytes_equal(BYTES_OF(own), bytes(digest, GDOI_DIGEST));
}

static bool has_asked_for(const struct vpn *v, const uint8_t digest[GDOI_DIGEST])
{
    return v->beat.has_asked && bytes_equal(BYTES_OF(v->beat.asked), bytes(digest, GDOI_DIGEST));
}

bool heartbeat_is_watched(const struct vpn *v)
{
    return v->model->heartbeat_threshold > 0 && v->beat.native && v->beat.interval_s > 0 &&
           v->keks.current.present;
}

static void arm(struct vpn *v)
{
    span_t wait = span_times(span_s(v->beat.interval_s), (int64_t)v->beat.missed + 1);

    v->due[DUE_HEARTBEAT] = INSTANT_NEVER;
    if (heartbeat_is_watched(v))
        v->due[DUE_HEARTBEAT] =
            instant_add(instant_add(v->beat.sign, wait), MEMBER_HEARTBEAT_GRACE);
}

void heartbeat_told(struct vpn *v, const struct gdoi_state *state)
{
    v->beat.interval_s = state ? state->heartbeat : 0;
    v->spread_s = state ? state->spread : 0;
    v->atd_s = MEMBER_ATD_DEFAULT_S;
    if (state && state->activation_delay > 0 && state->activation_delay <= MEMBER_ATD_MAX_S)
        v->atd_s = state->activation_delay;
}

void heartbeat_sign(struct vpn *v, instant_t now)
{
    v->beat.sign = now;
    v->beat.missed = 0;
    arm(v);
}

static void tell(struct vpn *v, enum event_id id, const char *why, struct effects *out)
{
    struct event e = vpn_event(v, id);

    event_add_str(&e, "what", why);
    event_add_u64(&e, "missed", v->beat.missed);
    effects_tell(out, &e);
}

/* Those that heard the heartbeat at created + ATD have 2 ATD until others drop the old key. */
static span_t before_drop(const struct vpn *v)
{
    span_t drop = span_s(2 * (int64_t)v->atd_s);
    span_t within = span_min(vpn_spread(v), (span_t){drop.ns - MEMBER_DROP_MARGIN.ns});
    return span_max(within, MEMBER_SPREAD_MIN); /* delays of a second are nobody's, but legal */
}

static void check_digest(struct member *m, struct vpn *v, instant_t now,
                         const uint8_t digest[GDOI_DIGEST], struct effects *out)
{
    struct heartbeat *b = &v->beat;

    if (holds(v, digest) || (b->is_settled && has_asked_for(v, digest)))
        return;
    if (has_asked_for(v, digest) && !instant_reached(b->ask_again, now))
        return;
    b->has_asked = true;
    b->is_settled = false;
    memcpy(b->asked, digest, sizeof b->asked);
    b->ask_again = instant_add(now, vpn_spread(v));
    v->pushes.states_differed++;
    tell(v, EV_STATE_DIFFERS, "the server has other keys", out);
    vpn_register_within(m, v, now, before_drop(v));
}

/* Message 4 tells of the newest keys, and brings those of message 2: when the group has moved on in
 * between it is worth another question. When the digest is the one that was asked about, server and
 * member differ for good, and asking again would not help. */
void heartbeat_start(struct member *m, struct vpn *v, instant_t now, const struct gdoi_state *state,
                     struct effects *out)
{
    v->beat.is_settled = state && has_asked_for(v, state->digest) && !holds(v, state->digest);
    heartbeat_sign(v, now);
    if (v->beat.is_called) /* while it was asking */
        vpn_register_within(m, v, now, vpn_spread(v));
    else if (state && v->model->heartbeat_threshold > 0)
        check_digest(m, v, now, state->digest, out);
}

/* A registration has measured the clock; heartbeats keep it (decisions M21). */
static void hear_clock(struct vpn *v, instant_t now, const struct gdoi_state *state,
                       struct effects *out)
{
    if (!state->clock_valid || !v->clock.set)
        return;
    member_clock_hear(&v->clock, gdoi_state_clock(state), now);
    vpn_tell_clock(v, out);
}

/* A member that holds a newer KEK has been through with what one under the old KEK asks of it; one
 * that is asking just now will hear the digest with the answer. */
void heartbeat_state(struct member *m, struct vpn *v, instant_t now, const struct gdoi_state *state,
                     bool under_current, struct effects *out)
{
    heartbeat_told(v, state);
    hear_clock(v, now, state, out);
    arm(v);
    if (state->re_register && under_current) {
        v->beat.is_called = true;
        tell(v, EV_STATE_DIFFERS, "the server wants its members to register again", out);
        vpn_register_within(m, v, now, vpn_spread(v));
    } else if (v->model->heartbeat_threshold > 0 && !v->pull.sa) {
        check_digest(m, v, now, state->digest, out);
    }
}

static void missed(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    v->beat.missed++;
    v->pushes.heartbeats_missed++;
    tell(v, EV_HEARTBEAT_MISSED, "no heartbeat of the server", out);
    arm(v);
    if (v->beat.missed < v->model->heartbeat_threshold)
        return;
    v->due[DUE_HEARTBEAT] = INSTANT_NEVER; /* until it is registered again, or the server speaks */
    vpn_register_within(m, v, now, vpn_spread(v));
}

void heartbeat_due(struct member *m, struct vpn *v, instant_t now, struct effects *out)
{
    if (!heartbeat_is_watched(v))
        arm(v);
    while (instant_reached(v->due[DUE_HEARTBEAT], now)) /* several, after a long sleep */
        missed(m, v, now, out);
}

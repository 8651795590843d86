/* Every message of both modes, damaged in every octet, cut at every length, replayed, reordered,
 * from the wrong place. */
#include "unit/sa/duo.h"

static int n_messages(bool aggressive) { return aggressive ? 3 : 6; }

/* From message 5, and in aggressive mode from message 2, what arrives is authenticated at once. */
static bool is_checked_at_once(bool aggressive, int n) { return n >= (aggressive ? 1 : 4); }

/* An exchange stopped before its message n (from 0) is delivered to side *ret_to. */
static struct duo *stopped_before(bool aggressive, int n, struct packet *ret, int *ret_to)
{
    struct duo *d = duo_new();
    if (aggressive)
        duo_aggressive(d);
    duo_open(d);
    duo_start(d);
    for (int sent = 0;; sent++) {
        int from = sent % 2;
        if (d->side[from].jobs_waiting)
            duo_job(d, from);
        struct packet p = duo_take(d, from);
        if (sent == n) {
            *ret = p;
            *ret_to = 1 - from;
            return d;
        }
        duo_deliver(d, 1 - from, &p);
    }
}

static struct phase1_sa *up_sa(struct duo *d, int s)
{
    size_t cursor = 0;
    struct phase1_sa *sa;
    while ((sa = phase1_next(d->side[s].table, &cursor)) && phase1_state(sa) != PHASE1_STATE_UP)
        ;
    return sa;
}

static bool both_up(struct duo *d) { return up_sa(d, I) && up_sa(d, R); }

static void assert_same_keys(struct duo *d)
{
    assert_true(bytes_equal(phase1_cookies(up_sa(d, I)), phase1_cookies(up_sa(d, R))));
    d->side[I].n_packets = d->side[R].n_packets = 0;
    phase1_notify(d->side[I].table, up_sa(d, I), 36136, IKE1_DOI_GDOI, bytes(NULL, 0),
                  &d->side[I].out);
    duo_collect(d, I);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTIFIED);
}

/* Whatever happened before: the network works now, so a new exchange comes up. */
static void assert_alive(struct duo *d)
{
    for (int s = 0; s < SIDES; s++) {
        size_t cursor = 0;
        struct phase1_sa *sa;
        d->side[s].n_packets = 0;
        while ((sa = phase1_next(d->side[s].table, &cursor))) {
            phase1_end(d->side[s].table, sa, false, &d->side[s].out);
            cursor = 0;
        }
        assert_int_equal(phase1_count(d->side[s].table, false), 0);
        assert_int_equal(phase1_count(d->side[s].table, true), 0);
        assert_true(instant_is_never(phase1_due(d->side[s].table)));
    }
    duo_start(d);
    duo_settle(d);
    assert_true(both_up(d));
    assert_same_keys(d);
}

/* Octets that HASH_I and HASH_R cover. Of sealed messages: every block with a part of ID or HASH;
 * damage behind them garbles the notification only. Of clear ones: public values, nonces,
 * identities, HASH, and SAi_b. */
static bool is_covered(bool aggressive, int n, const struct packet *p, size_t at)
{
    enum { SEALED_END = IKE1_HEADER + 48 };
    struct chain c;
    if (n >= (aggressive ? 2 : 4))
        return at >= IKE1_HEADER && at < SEALED_END;
    struct bytes datagram = bytes(p->data, p->len);
    assert_int_equal(ike1_payloads_parse(datagram, p->data[16], IKE1_CLEAR_ALIGN, &c), ERR_OK);
    for (size_t i = 0; i < c.n; i++) {
        const uint8_t *octet = p->data + at;
        bool inside = octet >= c.p[i].body.data && octet < c.p[i].body.data + c.p[i].body.len;
        if (inside && c.p[i].type != IKE1_PAYLOAD_VID)
            return c.p[i].type != IKE1_PAYLOAD_SA || n == 0;
    }
    return false;
}

static const char *mode_name(bool aggressive) { return aggressive ? "aggressive" : "main"; }

/* The damaged copy arrives first. Damage to what is covered never comes up; where it shows at once
 * it does not keep the honest message from coming up either. */
static void deliver_damaged(struct duo *d, bool aggressive, int n, int to, const struct packet *p,
                            const struct packet *bad, size_t at)
{
    bool covered = is_covered(aggressive, n, p, at), at_once = is_checked_at_once(aggressive, n);

    duo_deliver(d, to, bad);
    if (covered || !at_once)
        duo_settle(d);
    if (covered && both_up(d))
        fail_msg("%s message %d came up damaged at octet %zu", mode_name(aggressive), n + 1, at);
    if (!covered || !at_once)
        return;
    d->side[I].n_packets = d->side[R].n_packets = 0;
    duo_deliver(d, to, p);
    duo_settle(d);
    if (!both_up(d))
        fail_msg("%s message %d, damaged once at octet %zu, killed the exchange",
                 mode_name(aggressive), n + 1, at);
    assert_same_keys(d);
}

static void flip_all(bool aggressive, int n, bool whole)
{
    size_t len = IKE1_HEADER;
    for (size_t at = 0; at < len; at++) {
        struct packet p;
        int to;
        struct duo *d = stopped_before(aggressive, n, &p, &to);
        struct packet bad = p;
        len = p.len;
        bad.data[at] ^= whole ? 0xff : (uint8_t)(1u << (at % 8));
        deliver_damaged(d, aggressive, n, to, &p, &bad, at);
        if (at % 16 == 0)
            assert_alive(d);
        duo_free(d);
    }
}

static void every_octet_flipped(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        for (int n = 0; n < n_messages(aggressive); n++) {
            flip_all(aggressive, n, false);
            flip_all(aggressive, n, true);
        }
    }
}

static void set_length(struct packet *p, size_t len)
{
    p->len = len;
    p->data[26] = (uint8_t)(len >> 8);
    p->data[27] = (uint8_t)len;
}

/* Cut at every length, and with zeros behind; the header's length tells the truth, so the parts
 * must find out. */
static void every_length(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        for (int n = 0; n < n_messages(aggressive); n++) {
            size_t len = IKE1_HEADER + 1;
            for (size_t cut = IKE1_HEADER; cut < len + 20; cut++) {
                struct packet p;
                int to;
                struct duo *d = stopped_before(aggressive, n, &p, &to);
                struct packet bad = p;
                len = p.len;
                set_length(&bad, cut);
                struct phase1_outcome o = duo_deliver(d, to, &bad);
                if (cut < p.len && o.kind == PHASE1_UP && n < 4 && !aggressive)
                    fail_msg("message %d cut to %zu came up", n + 1, cut);
                d->side[I].n_packets = d->side[R].n_packets = 0;
                if (cut % 8 == 0)
                    assert_alive(d);
                duo_free(d);
            }
        }
    }
}

/* From another port or address the same octets are a stranger's. */
static void from_the_wrong_place(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        for (int n = 1; n < n_messages(aggressive); n++) {
            struct packet p;
            int to;
            struct duo *d = stopped_before(aggressive, n, &p, &to);
            struct packet port = p, ip = p;
            port.from.port = 500;
            ip.from.ip = ip_v4(0x0a000077);
            duo_deliver(d, to, &port);
            duo_deliver(d, to, &ip);
            assert_int_equal(phase1_counters(d->side[to].table)->dropped[ERR_UNKNOWN_SA], 2);
            assert_int_equal(d->side[to].n_packets, 0);
            duo_deliver(d, to, &p);
            duo_settle(d);
            assert_true(both_up(d));
            duo_free(d);
        }
    }
}

/* All messages of an exchange again, to both sides, in both orders, when it is up. */
static void replayed_when_up(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        struct packet all[8];
        int n = 0;
        struct duo *d = duo_new();
        if (aggressive)
            duo_aggressive(d);
        duo_open(d);
        duo_start(d);
        while (!both_up(d)) {
            int from = n % 2;
            if (d->side[from].jobs_waiting)
                duo_job(d, from);
            all[n] = duo_take(d, from);
            duo_deliver(d, 1 - from, &all[n++]);
            for (int s = 0; s < SIDES; s++) {
                if (d->side[s].jobs_waiting && s == 1 - from && n == n_messages(aggressive))
                    duo_job(d, s);
            }
        }
        for (int i = 0; i < 4 * n; i++) {
            int k = i < 2 * n ? i % n : n - 1 - i % n;
            duo_deliver(d, i % 4 < 2 ? R : I, &all[k]);
            for (int s = 0; s < SIDES; s++) {
                if (d->side[s].jobs_waiting)
                    duo_job(d, s);
            }
        }
        for (int s = 0; s < SIDES; s++) {
            assert_int_equal(d->side[s].n_outcomes[PHASE1_UP], 1);
            assert_int_equal(d->side[s].n_outcomes[PHASE1_DOWN], 0);
            assert_int_equal(phase1_count(d->side[s].table, true), 1);
        }
        assert_same_keys(d);
        duo_free(d);
    }
}

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A network that loses, repeats, delays and reorders, and replays anything it has seen. */
static void run_bad_network(bool aggressive, uint32_t seed)
{
    enum { FLYING_MAX = 256, SEEN_MAX = 64 };
    static struct packet flying[FLYING_MAX], seen[SEEN_MAX];
    instant_t arrives[FLYING_MAX];
    size_t n_flying = 0, n_seen = 0;
    uint32_t dice = seed * 2654435761u + 1;
    struct duo *d = duo_new();

    if (aggressive)
        duo_aggressive(d);
    duo_open(d);
    duo_start(d);
    for (int step = 0; step < 4000 && !both_up(d); step++) {
        for (int s = 0; s < SIDES; s++) {
            if (d->side[s].jobs_waiting && next(&dice) % 3 == 0)
                duo_job(d, s);
            while (d->side[s].n_packets) {
                struct packet p = duo_take(d, s);
                if (n_seen < SEEN_MAX)
                    seen[n_seen++] = p;
                size_t copies = next(&dice) % 4; /* 0: lost */
                for (size_t i = 0; i < copies && n_flying < FLYING_MAX; i++) {
                    arrives[n_flying] = instant_add(d->now, span_ms((int64_t)(next(&dice) % 300)));
                    flying[n_flying++] = p;
                }
            }
        }
        if (n_seen && next(&dice) % 40 == 0 && n_flying < FLYING_MAX) {
            arrives[n_flying] = d->now;
            flying[n_flying++] = seen[next(&dice) % n_seen];
        }
        duo_wait(d, span_ms(10));
        for (size_t i = 0; i < n_flying;) {
            if (instant_reached(arrives[i], d->now)) {
                struct packet p = flying[i];
                flying[i] = flying[--n_flying];
                arrives[i] = arrives[n_flying];
                duo_deliver(d, endpoint_equal(p.to, d->side[R].endpoint) ? R : I, &p);
            } else {
                i++;
            }
        }
    }
    if (!both_up(d))
        fail_msg("%s mode did not come up, seed %u", mode_name(aggressive), seed);
    assert_same_keys(d);
    duo_free(d);
}

static void bad_networks(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        run_bad_network(false, seed);
        run_bad_network(true, seed);
    }
}

/* Noise of all lengths to both ends of an exchange in each state. */
static void noise(void **state)
{
    (void)state;
    uint32_t dice = 4711;
    for (int n = 0; n < n_messages(false); n++) {
        struct packet p;
        int to;
        struct duo *d = stopped_before(false, n, &p, &to);
        for (int i = 0; i < 2000; i++) {
            struct packet bad = p;
            set_length(&bad, IKE1_HEADER + next(&dice) % 400);
            for (size_t at = i % 2 ? IKE1_HEADER : 16; at < bad.len; at++)
                bad.data[at] = (uint8_t)next(&dice);
            if (i % 2) {
                bad.data[16] = (uint8_t)(next(&dice) % 16);
                bad.data[18] = (uint8_t)(2 + next(&dice) % 4);
                bad.data[19] &= 1;
            }
            assert_int_equal(duo_deliver(d, to, &bad).kind, PHASE1_NOTHING);
            d->side[to].n_packets = 0;
            d->side[to].jobs_waiting = 0;
        }
        duo_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_flipped),  cmocka_unit_test(every_length),
        cmocka_unit_test(from_the_wrong_place), cmocka_unit_test(replayed_when_up),
        cmocka_unit_test(bad_networks),         cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Time: retransmission, half-open life, lifetime, cached answers. */
#include "unit/sa/duo.h"

#include "sa/phase1_internal.h"

static void assert_within_tenth(instant_t at, instant_t from, int64_t ms)
{
    int64_t gap = (at.ns - from.ns) / NS_PER_MS;
    if (gap < ms * 9 / 10 || gap > ms * 11 / 10)
        fail_msg("gap of %lld ms, wanted %lld +-10 %%", (long long)gap, (long long)ms);
}

static void initiator_backs_off_and_gives_up(void **state)
{
    (void)state;
    static const int64_t gaps_ms[] = {500, 1000, 2000, 4000, 8000, 8000, 8000};
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet first = duo_take(d, I);
    for (size_t i = 0; i < ARRAY_LEN(gaps_ms); i++) {
        instant_t due = phase1_due(d->side[I].table);
        assert_within_tenth(due, d->now, gaps_ms[i]);
        duo_until(d, (instant_t){due.ns - 1});
        assert_int_equal(d->side[I].n_packets, 0);
        duo_until(d, due);
        if (i + 1 < ARRAY_LEN(gaps_ms)) {
            struct packet again = duo_take(d, I);
            assert_true(bytes_equal(bytes(again.data, again.len), bytes(first.data, first.len)));
        }
    }
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[I].last.err, ERR_TIMEOUT);
    assert_ptr_equal(d->side[I].last.sa, d->sa);
    assert_int_equal(phase1_counters(d->side[I].table)->retransmitted, PHASE1_RETRANSMIT_TRIES);
    assert_int_equal(phase1_counters(d->side[I].table)->failed, 1);
    assert_int_equal(duo_n_events(d, I, EV_PHASE1_FAILED), 1);
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "error", "ERR_TIMEOUT");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "peer", "10.0.0.2:848");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "gateway", "server");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "statement", "test gateway");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "detail", "message 1");
    assert_true(instant_is_never(phase1_due(d->side[I].table)));
    duo_free(d);
}

/* Near the end of the keys the gaps stop growing at two seconds, and there are more tries (M7). */
static void in_a_hurry_the_gaps_stay_short(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    phase1_hurry(d->sa);
    for (int i = 0; i < PHASE1_RETRANSMIT_TRIES_URGENT; i++) {
        instant_t due = phase1_due(d->side[I].table);
        assert_within_tenth(due, d->now, i == 0 ? 500 : i == 1 ? 1000 : 2000);
        (void)duo_take(d, I);
        duo_until(d, due);
    }
    assert_int_equal(phase1_counters(d->side[I].table)->retransmitted,
                     PHASE1_RETRANSMIT_TRIES_URGENT);
    (void)duo_take(d, I);
    duo_until(d, phase1_due(d->side[I].table));
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    duo_free(d);
}

/* Jitter comes from the engine's randomness: members that start together do not stay together. */
static void jitter_differs(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    instant_t first = phase1_due(d->side[I].table);
    phase1_end(d->side[I].table, d->sa, false, &d->side[I].out);
    duo_start(d);
    assert_int_not_equal(first.ns, phase1_due(d->side[I].table).ns);
    duo_free(d);
}

/* Each message of the exchange in turn gets lost once, in both modes: it comes up all the same. */
static void any_lost_message_is_made_good(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        for (int lost = 0; lost < (aggressive ? 3 : 6); lost++) {
            struct duo *d = duo_new();
            if (aggressive)
                duo_aggressive(d);
            duo_open(d);
            duo_start(d);
            int n = 0;
            for (int round = 0; round < 200 && d->side[R].last.kind != PHASE1_UP; round++) {
                for (int s = 0; s < SIDES; s++) {
                    if (d->side[s].jobs_waiting)
                        duo_job(d, s);
                    while (d->side[s].n_packets) {
                        struct packet p = duo_take(d, s);
                        if (n++ != lost)
                            duo_deliver(d, 1 - s, &p);
                    }
                }
                duo_wait(d, span_ms(50));
            }
            duo_wait(d, span_s(2));
            duo_settle(d);
            duo_assert_up(d);
            duo_free(d);
        }
    }
}

/* While a job runs, time does not make the initiator repeat itself, and repeats of the peer get
 * nothing. */
static void nothing_twice_while_a_job_runs(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    struct packet two = duo_take(d, R);
    duo_deliver(d, I, &two);
    duo_wait(d, span_s(5));
    duo_deliver(d, I, &two);
    assert_int_equal(d->side[I].n_packets, 0);
    assert_int_equal(d->side[I].n_jobs, 1);
    duo_job(d, I);
    struct packet three = duo_take(d, I);
    for (int i = 0; i < 5; i++)
        duo_deliver(d, R, &three);
    assert_int_equal(d->side[R].n_jobs, 1);
    assert_int_equal(d->side[R].n_packets, 0);
    duo_job(d, R);
    assert_int_equal(d->side[R].n_packets, 1);
    assert_int_equal(phase1_counters(d->side[R].table)->duplicates, 4);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

/* A job that never comes back is given up like a silent peer. */
static void a_job_that_never_ends(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_wait(d, span_s(29));
    assert_int_equal(phase1_count(d->side[I].table, false), 1);
    duo_wait(d, span_s(2));
    assert_int_equal(d->side[I].last.err, ERR_TIMEOUT);
    duo_job(d, I); /* late: finds nobody */
    assert_int_equal(d->side[I].n_packets, 0);
    duo_free(d);
}

static void repeats_get_the_cached_answer(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet one = duo_take(d, I);
    duo_deliver(d, R, &one);
    struct packet two = duo_take(d, R);
    for (int i = 0; i < 3; i++) {
        duo_deliver(d, R, &one);
        struct packet again = duo_take(d, R);
        assert_true(bytes_equal(bytes(again.data, again.len), bytes(two.data, two.len)));
    }
    assert_int_equal(phase1_count(d->side[R].table, false), 1);
    duo_deliver(d, I, &two);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    duo_pass(d, R);
    duo_job(d, I);
    struct packet five = duo_take(d, I);
    duo_deliver(d, R, &five);
    struct packet six = duo_take(d, R);
    duo_deliver(d, R, &one);                   /* old ones are replays now */
    assert_int_equal(d->side[R].n_packets, 1); /* a new exchange's message 2 at most */
    (void)duo_take(d, R);
    duo_deliver(d, R, &five);
    struct packet again = duo_take(d, R);
    assert_true(bytes_equal(bytes(again.data, again.len), bytes(six.data, six.len)));
    assert_int_equal(d->side[R].n_outcomes[PHASE1_UP], 1);
    duo_wait(d, PHASE1_HALF_OPEN_LIFE); /* then the answer is forgotten */
    d->side[R].n_packets = 0;
    duo_deliver(d, R, &five);
    assert_int_equal(d->side[R].n_packets, 0);
    duo_free(d);
}

static void half_open_is_forgotten(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    assert_int_equal(phase1_due(d->side[R].table).ns,
                     instant_add(d->now, PHASE1_HALF_OPEN_LIFE).ns);
    d->side[I].n_packets = 0;
    duo_wait(d, PHASE1_HALF_OPEN_LIFE);
    assert_int_equal(d->side[R].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[R].last.err, ERR_TIMEOUT);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "detail", "did not go on after message 2");
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_free(d);
}

static void lifetime_ends_it_to_the_nanosecond(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[R].proposals[0].lifetime_s = 300;
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    instant_t end = instant_add(d->now, span_s(300));
    duo_until(d, (instant_t){end.ns - 1});
    assert_int_equal(phase1_count(d->side[R].table, true), 1);
    duo_until(d, end);
    assert_int_equal(d->side[R].last.kind, PHASE1_DOWN);
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_says(duo_event(d, R, EV_PHASE1_DOWN), "cause", "lifetime");
    /* The other side, whose own lifetime is longer, hears of it. */
    assert_int_equal(phase1_count(d->side[I].table, true), 1);
    assert_int_equal(duo_pass(d, R).kind, PHASE1_DOWN);
    duo_says(duo_event(d, I, EV_PHASE1_DOWN), "cause", "deleted by the peer");
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    duo_free(d);
}

/* What is left of an SA half a minute after it came up: the 512 octets a member of the design count
 * on it. */
static void handshake_is_dropped(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    struct phase1_sa *i = duo_only_sa(d, I), *r = duo_only_sa(d, R);
    assert_null(i->hs);
    assert_non_null(r->hs);
    assert_null(r->hs->sa_body.data);
    assert_null(r->hs->public_i.data);
    assert_int_equal(r->hs->skeyid.len, 0);
    duo_wait(d, PHASE1_HALF_OPEN_LIFE);
    assert_null(r->hs);
    assert_int_equal(phase1_state(r), PHASE1_STATE_UP);
    assert_int_equal(phase1_due(d->side[R].table).ns, phase1_expiry(r).ns);
    duo_free(d);
}

static void nothing_due_is_nothing(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    assert_true(instant_is_never(phase1_due(d->side[I].table)));
    struct phase1_outcome o = phase1_timer(d->side[I].table, d->now, &d->side[I].out);
    assert_int_equal(o.kind, PHASE1_NOTHING);
    duo_start(d);
    o = phase1_timer(d->side[I].table, d->now, &d->side[I].out);
    assert_int_equal(o.kind, PHASE1_NOTHING);
    assert_int_equal(d->side[I].out.n, 0);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initiator_backs_off_and_gives_up),
        cmocka_unit_test(in_a_hurry_the_gaps_stay_short),
        cmocka_unit_test(jitter_differs),
        cmocka_unit_test(any_lost_message_is_made_good),
        cmocka_unit_test(nothing_twice_while_a_job_runs),
        cmocka_unit_test(a_job_that_never_ends),
        cmocka_unit_test(repeats_get_the_cached_answer),
        cmocka_unit_test(half_open_is_forgotten),
        cmocka_unit_test(lifetime_ends_it_to_the_nanosecond),
        cmocka_unit_test(handshake_is_dropped),
        cmocka_unit_test(nothing_due_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

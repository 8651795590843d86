/* What strangers can make a responder keep, and what they cannot. */
#include "unit/sa/duo.h"

/* A responder for two addresses, and message 1 of an honest initiator as a mould for floods. */
struct flood {
    struct duo *d;
    struct phase1_peer peers[2];
    struct packet first;
};

static struct flood flood_new(void)
{
    struct flood f = {.d = duo_new()};
    duo_open(f.d);
    duo_start(f.d);
    f.first = duo_take(f.d, I);
    return f;
}

/* Message 1 with initiator cookie n. */
static struct packet numbered(const struct flood *f, uint32_t n)
{
    struct packet p = f->first;
    for (int i = 0; i < 4; i++)
        p.data[i] = (uint8_t)(n >> (8 * i));
    p.data[4] = 1;
    return p;
}

static size_t n_half_open(const struct flood *f)
{
    return phase1_count(f->d->side[R].table, false);
}

static void one_address_is_capped(void **state)
{
    (void)state;
    struct flood f = flood_new();
    for (uint32_t n = 0; n < 200; n++) {
        struct packet p = numbered(&f, n);
        f.d->side[R].n_packets = 0;
        duo_deliver(f.d, R, &p);
        assert_int_equal(f.d->side[R].n_packets, 1); /* the newest gets its answer */
        assert_true(n_half_open(&f) <= PHASE1_HALF_OPEN_PER_IP_MAX);
    }
    assert_int_equal(n_half_open(&f), PHASE1_HALF_OPEN_PER_IP_MAX);
    assert_int_equal(f.d->side[R].n_jobs, 0);
    assert_int_equal(phase1_counters(f.d->side[R].table)->dropped[ERR_LIMIT],
                     200 - PHASE1_HALF_OPEN_PER_IP_MAX);
    /* Told once a second, by name. */
    assert_int_equal(duo_n_events(f.d, R, EV_LIMIT), 1);
    duo_says(duo_event(f.d, R, EV_LIMIT), "limit", "one address");
    duo_wait(f.d, span_s(1));
    struct packet p = numbered(&f, 1000);
    duo_deliver(f.d, R, &p);
    assert_int_equal(duo_n_events(f.d, R, EV_LIMIT), 2);
    duo_free(f.d);
}

/* The flood runs all the time, in the address of the honest one, and he comes up. */
static void honest_peer_gets_through_a_flood(void **state)
{
    (void)state;
    struct flood f = flood_new();
    uint32_t n = 0;
    for (int i = 0; i < 100; i++) {
        struct packet p = numbered(&f, n++);
        duo_deliver(f.d, R, &p);
        f.d->side[R].n_packets = 0;
    }
    duo_deliver(f.d, R, &f.first);
    for (int i = 0; i < PHASE1_HALF_OPEN_PER_IP_MAX - 1; i++) { /* a round trip's worth */
        struct packet p = numbered(&f, n++), answer = duo_take(f.d, R);
        if (bytes_equal(bytes(answer.data, 8), bytes(f.first.data, 8)))
            duo_deliver(f.d, I, &answer);
        duo_deliver(f.d, R, &p);
    }
    f.d->side[R].n_packets = 0;
    duo_job(f.d, I);
    duo_pass(f.d, I); /* message 3: the return path is shown */
    for (int i = 0; i < 500; i++) {
        struct packet p = numbered(&f, n++);
        duo_deliver(f.d, R, &p);
        f.d->side[R].n_packets = 0;
    }
    duo_settle(f.d);
    assert_int_equal(f.d->side[R].n_outcomes[PHASE1_UP], 1);
    assert_int_equal(f.d->side[I].n_outcomes[PHASE1_UP], 1);
    duo_free(f.d);
}

/* When all that an address may have are past their message 3, the next has to wait. */
static void proven_exchanges_are_not_pushed_out(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    for (int n = 0; n < PHASE1_HALF_OPEN_PER_IP_MAX; n++) {
        duo_start(d);
        duo_pass(d, I);
        duo_pass(d, R);
        duo_job(d, I);
        duo_pass(d, I);
        d->side[R].jobs_waiting = 0; /* the workers are behind */
    }
    assert_int_equal(phase1_count(d->side[R].table, false), PHASE1_HALF_OPEN_PER_IP_MAX);
    duo_start(d);
    duo_pass(d, I);
    assert_int_equal(d->side[R].n_packets, 0);
    assert_int_equal(phase1_count(d->side[R].table, false), PHASE1_HALF_OPEN_PER_IP_MAX);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_LIMIT], 1);
    duo_free(d);
}

/* Ten thousand addresses (dynamic gateways have any), each once. */
static void all_addresses_are_capped(void **state)
{
    (void)state;
    enum { ADDRESSES = PHASE1_HALF_OPEN_MAX + 500 };
    struct duo *d = duo_new();
    struct phase1_peer *peers = calloc(ADDRESSES, sizeof *peers);
    assert_non_null(peers);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        peers[i] = d->side[R].peer;
        peers[i].address = ip_v4(0x0a010000 + i);
    }
    struct phase1_config config = {peers, ADDRESSES, true};
    duo_open(d);
    phase1_table_free(d->side[R].table);
    assert_int_equal(phase1_table_new(&config, &d->side[R].drbg, &d->side[R].table), ERR_OK);
    duo_start(d);
    struct packet p = duo_take(d, I);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        p.from.ip = ip_v4(0x0a010000 + i);
        d->side[R].n_packets = 0;
        duo_deliver(d, R, &p);
        assert_int_equal(d->side[R].n_packets, 1);
    }
    assert_int_equal(phase1_count(d->side[R].table, false), PHASE1_HALF_OPEN_MAX);
    duo_says(duo_event(d, R, EV_LIMIT), "limit", "half-open exchanges");
    /* The first is gone: its repeat starts anew; the last is there: its repeat gets the cached
     * answer. */
    uint64_t again = phase1_counters(d->side[R].table)->retransmitted;
    duo_deliver(d, R, &p);
    assert_int_equal(phase1_counters(d->side[R].table)->retransmitted, again + 1);
    p.from.ip = ip_v4(0x0a010000);
    d->side[R].n_packets = 0;
    duo_deliver(d, R, &p);
    assert_int_equal(phase1_counters(d->side[R].table)->retransmitted, again + 1);
    duo_until(d, instant_add(d->now, PHASE1_HALF_OPEN_LIFE));
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_free(d);
    free(peers);
}

/* Workers that are behind: aggressive mode, which anybody can start in any name, waits first; main
 * mode later; both get through when the workers have caught up. */
static void unfinished_jobs_are_capped(void **state)
{
    (void)state;
    enum { PEERS = PHASE1_JOBS_WAITING_MAX + 10 };
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        size_t most = aggressive ? PHASE1_JOBS_WAITING_AGGRESSIVE : PHASE1_JOBS_WAITING_MAX;
        struct duo *d = duo_new();
        struct duo_side *i = &d->side[I], *r = &d->side[R];
        struct phase1_peer *peers = calloc(PEERS, sizeof *peers);
        assert_non_null(peers);
        if (aggressive)
            duo_aggressive(d);
        for (uint32_t n = 0; n < PEERS; n++) {
            peers[n] = r->peer;
            peers[n].address = ip_v4(0x0a010000 + n);
        }
        struct phase1_config config = {peers, PEERS, true};
        duo_open(d);
        phase1_table_free(r->table);
        assert_int_equal(phase1_table_new(&config, &r->drbg, &r->table), ERR_OK);
        struct packet last = {0};
        for (uint32_t n = 0; n < PEERS; n++) {
            i->endpoint.ip = ip_v4(0x0a010000 + n);
            duo_start(d);
            if (!aggressive) {
                duo_pass(d, I);
                duo_pass(d, R);
            }
            duo_job(d, I);
            last = duo_take(d, I);
            duo_deliver(d, R, &last);
            r->jobs_waiting = 0; /* taken by workers that do not finish */
            phase1_end(i->table, d->sa, false, &i->out);
            duo_collect(d, I);
        }
        assert_int_equal(r->n_jobs, most);
        assert_int_equal(phase1_counters(r->table)->dropped[ERR_LIMIT], PEERS - most);
        duo_says(duo_event(d, R, EV_LIMIT), "limit", "unfinished jobs");
        assert_null(duo_event(d, R, EV_DATAGRAM_DROPPED));
        struct job_result nobody = {.id = UINT64_MAX};
        duo_note(d, R, phase1_job_done(r->table, d->now, &nobody, &r->out));
        duo_deliver(d, R, &last); /* sent again */
        assert_int_equal(r->n_jobs, most + 1);
        duo_free(d);
        free(peers);
    }
}

/* What a stranger cannot make the responder keep at all. */
static void refused_messages_leave_nothing(void **state)
{
    (void)state;
    struct flood f = flood_new();
    struct packet p = f.first;
    p.from.ip = ip_v4(0x0a0000ee); /* unknown */
    duo_deliver(f.d, R, &p);
    p = f.first;
    p.data[IKE1_HEADER + 7] = 7; /* DOI */
    duo_deliver(f.d, R, &p);
    p = f.first;
    p.data[16] = IKE1_PAYLOAD_VID; /* no SA first */
    duo_deliver(f.d, R, &p);
    p = f.first;
    p.data[18] = IKE1_EXCHANGE_GROUPKEY_PULL;
    duo_deliver(f.d, R, &p);
    p = f.first;
    p.data[IKE1_COOKIE] = 1; /* a responder cookie of nobody */
    duo_deliver(f.d, R, &p);
    assert_int_equal(n_half_open(&f), 0);
    duo_says(&f.d->side[R].events[0], "statement", "test peers"); /* where he could be listed */
    duo_says(&f.d->side[R].events[0], "at", "duo.conf:7");
    assert_int_equal(duo_n_events(f.d, R, EV_PHASE1_FAILED), 2); /* the unknown one, the DOI */
    assert_int_equal(phase1_counters(f.d->side[R].table)->dropped[ERR_TYPE], 1);
    assert_int_equal(phase1_counters(f.d->side[R].table)->dropped[ERR_UNKNOWN_SA], 1);
    assert_true(instant_is_never(phase1_due(f.d->side[R].table)));
    duo_free(f.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_is_capped),
        cmocka_unit_test(honest_peer_gets_through_a_flood),
        cmocka_unit_test(proven_exchanges_are_not_pushed_out),
        cmocka_unit_test(all_addresses_are_capped),
        cmocka_unit_test(unfinished_jobs_are_capped),
        cmocka_unit_test(refused_messages_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Main mode message by message (RFC 2409 5.4). */
#include "unit/sa/duo.h"

static void comes_up_in_six_messages(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING); /* 1 */
    assert_int_equal(d->side[R].n_jobs, 0);                /* nothing costly for a stranger */
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING); /* 2 */
    assert_int_equal(duo_job(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING); /* 3 */
    assert_int_equal(duo_job(d, R).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING); /* 4 */
    assert_int_equal(duo_job(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_UP); /* 5 */
    assert_int_equal(duo_pass(d, R).kind, PHASE1_UP); /* 6 */
    duo_assert_up(d);
    assert_int_equal(d->side[I].n_jobs, 2);
    assert_int_equal(d->side[R].n_jobs, 1);
    assert_int_equal(d->side[I].n_packets + d->side[R].n_packets, 0);
    duo_free(d);
}

static void tells_its_facts(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    assert_int_equal(phase1_state(d->sa), PHASE1_STATE_STARTING);
    assert_int_equal(phase1_count(d->side[I].table, true), 0);
    duo_settle(d);
    duo_assert_up(d);
    for (int s = 0; s < SIDES; s++) {
        const struct duo_side *side = &d->side[s];
        struct phase1_sa *sa = duo_only_sa(d, s);
        assert_ptr_equal(phase1_peer(sa), &side->peer);
        assert_ptr_equal(phase1_proposal(sa), &side->proposals[0]);
        assert_int_equal(phase1_mode(sa), MODEL_MODE_MAIN);
        assert_int_equal(phase1_is_initiator(sa), s == I);
        assert_true(phase1_peer_is_native(sa));
        assert_true(endpoint_equal(phase1_local(sa), side->endpoint));
        assert_true(endpoint_equal(phase1_remote(sa), d->side[1 - s].endpoint));
        assert_int_equal(phase1_expiry(sa).ns, instant_add(d->now, span_s(3600)).ns);
        assert_int_equal(phase1_peer_identity(sa).type, MODEL_ID_IPV4);
        assert_true(
            bytes_equal(phase1_peer_identity(sa).value, bytes(d->side[1 - s].endpoint.ip.b, 4)));
        assert_int_equal(phase1_traffic(sa).out_datagrams, 3);
        assert_int_equal(phase1_traffic(sa).in_datagrams, s == I ? 3 : 2); /* 1 had no SA yet */
        assert_int_equal(phase1_count(side->table, true), 1);
        assert_int_equal(phase1_counters(side->table)->established, 1);
        assert_int_equal(phase1_counters(side->table)->received, 3);
        assert_int_equal(phase1_counters(side->table)->sent, 3);
        const struct event *up = duo_event(d, s, EV_PHASE1_UP);
        duo_says(up, "gateway", side->peer.name);
        duo_says(up, "role", s == I ? "initiator" : "responder");
        duo_says(up, "identity", s == I ? "10.0.0.2" : "10.0.0.1");
        phase1_set_user(sa, d);
        assert_ptr_equal(phase1_user(sa), d);
    }
    duo_free(d);
}

/* Whatever cipher, hash and group: the chains of keys and of IVs agree, so that exchanges under the
 * SA open. */
static void every_algorithm(void **state)
{
    (void)state;
    static const struct {
        enum model_ike_cipher cipher;
        uint16_t bits;
    } ciphers[] = {{MODEL_IKE_DES, 0},
                   {MODEL_IKE_3DES, 0},
                   {MODEL_IKE_AES, 128},
                   {MODEL_IKE_AES, 192},
                   {MODEL_IKE_AES, 256}};
    static const enum model_ike_hash hashes[] = {MODEL_IKE_MD5, MODEL_IKE_SHA1, MODEL_IKE_SHA256,
                                                 MODEL_IKE_SHA384, MODEL_IKE_SHA512};
    static const uint16_t groups[] = {1, 2, 5, 14, 15, 16, 19, 20, 21, 24};

    for (size_t i = 0; i < ARRAY_LEN(ciphers) * ARRAY_LEN(hashes); i++) {
        struct duo *d = duo_new();
        for (int s = 0; s < SIDES; s++)
            d->side[s].proposals[0] = duo_proposal(
                ciphers[i % ARRAY_LEN(ciphers)].cipher, ciphers[i % ARRAY_LEN(ciphers)].bits,
                hashes[i / ARRAY_LEN(ciphers)], groups[i % ARRAY_LEN(groups)], 600);
        duo_open(d);
        duo_start(d);
        duo_settle(d);
        duo_assert_up(d);
        phase1_notify(d->side[I].table, d->side[I].last.sa, 36136, IKE1_DOI_GDOI, bytes_str("hi"),
                      &d->side[I].out);
        duo_collect(d, I);
        struct phase1_outcome o = duo_pass(d, I);
        assert_int_equal(o.kind, PHASE1_NOTIFIED);
        assert_int_equal(o.notify_type, 36136);
        duo_free(d);
    }
}

static void wrong_key_is_told_once_and_times_out(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[R].policy.psk = bytes_str("another secret");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(phase1_count(d->side[R].table, true), 0);
    assert_true(phase1_counters(d->side[R].table)->dropped[ERR_AUTH] +
                    phase1_counters(d->side[R].table)->dropped[ERR_LENGTH] +
                    phase1_counters(d->side[R].table)->dropped[ERR_SHORT] +
                    phase1_counters(d->side[R].table)->dropped[ERR_ORDER] +
                    phase1_counters(d->side[R].table)->dropped[ERR_MISSING] +
                    phase1_counters(d->side[R].table)->dropped[ERR_TOO_MANY] +
                    phase1_counters(d->side[R].table)->dropped[ERR_PADDING] >
                0);
    const struct event *e = duo_event(d, R, EV_PHASE1_SUSPECT);
    duo_says(e, "peer", "10.0.0.1:848");
    duo_says(e, "gateway", "site-1");
    duo_says(e, "error", "ERR_AUTH");
    duo_says(e, "statement", "test policy");
    duo_says(e, "detail", "pre-shared key");
    /* The initiator hears of it, but does not act on it. */
    duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "type", "AUTHENTICATION-FAILED");
    assert_int_equal(phase1_count(d->side[I].table, false), 1);
    for (int i = 0; i < 60; i++) {
        duo_wait(d, span_s(1));
        duo_settle(d);
    }
    assert_int_equal(duo_n_events(d, R, EV_PHASE1_SUSPECT), 1);
    assert_int_equal(duo_n_events(d, R, EV_PHASE1_FAILED), 0);
    assert_int_equal(d->side[R].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[R].last.err, ERR_AUTH);
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[I].last.err, ERR_TIMEOUT);
    assert_int_equal(d->side[I].last.notify_type, IKE1_NOTIFY_AUTHENTICATION_FAILED);
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "peer_says", "AUTHENTICATION-FAILED");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "detail", "message 5");
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    duo_free(d);
}

/* Who saw the cookies can send a message 5 of his own making; the real one still counts. */
static void forged_message_5_kills_nothing(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    duo_pass(d, R);
    duo_job(d, I);
    struct packet real = duo_take(d, I);
    for (uint8_t i = 0; i < 20; i++) {
        struct packet forged = real;
        for (size_t at = IKE1_HEADER; at < forged.len; at++)
            forged.data[at] = (uint8_t)(at * 37 + i);
        assert_int_equal(duo_deliver(d, R, &forged).kind, PHASE1_NOTHING);
    }
    assert_int_equal(duo_n_events(d, R, EV_PHASE1_SUSPECT), 1);
    assert_int_equal(duo_deliver(d, R, &real).kind, PHASE1_UP);
    duo_free(d);
}

static void unknown_peer_gets_nothing(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[R].peer.address = ip_v4(0x0a000063);
    duo_open(d);
    duo_start(d);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(d->side[R].n_packets, 0);
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_UNKNOWN_PEER], 1);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "peer", "10.0.0.1:848");
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_UNKNOWN_PEER");
    duo_free(d);
}

/* Whoever is refused in silence sends the same message again; what is new is told again. */
static void a_refusal_is_told_once(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[R].peer.address = ip_v4(0x0a0000ee);
    duo_open(d);
    duo_start(d);
    struct packet p = duo_take(d, I);
    for (int i = 0; i < 5; i++)
        duo_deliver(d, R, &p);
    assert_int_equal(duo_n_events(d, R, EV_PHASE1_FAILED), 1);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_UNKNOWN_PEER], 5);
    p.data[0] ^= 1;
    duo_deliver(d, R, &p);
    assert_int_equal(duo_n_events(d, R, EV_PHASE1_FAILED), 2);
    duo_free(d);
}

static void the_other_mode_is_refused_by_name(void **state)
{
    (void)state;
    for (int aggressive = 0; aggressive < 2; aggressive++) {
        struct duo *d = duo_new();
        d->side[I].policy.mode = aggressive ? MODEL_MODE_AGGRESSIVE : MODEL_MODE_MAIN;
        d->side[R].policy.mode = aggressive ? MODEL_MODE_MAIN : MODEL_MODE_AGGRESSIVE;
        duo_open(d);
        duo_start(d);
        duo_settle(d);
        duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_UNEXPECTED");
        duo_says(duo_event(d, R, EV_PHASE1_FAILED), "statement", "test policy");
        duo_says(duo_event(d, R, EV_PHASE1_FAILED), "detail", aggressive ? "aggressive" : "main");
        duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "type", "INVALID-EXCHANGE-TYPE");
        assert_int_equal(phase1_count(d->side[R].table, false), 0);
        duo_free(d);
    }
}

/* A foreign DOI, situation or octets that are no SA payload: one line, one notification a second.
 */
static void malformed_first_message(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        enum err err;
        const char *says;
    } bad[] = {{IKE1_HEADER + 7, 9, ERR_DOI, "DOI-NOT-SUPPORTED"},
               {IKE1_HEADER + 11, 9, ERR_SITUATION, "SITUATION-NOT-SUPPORTED"},
               {IKE1_HEADER + 17, 9, ERR_TYPE, "PAYLOAD-MALFORMED"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct duo *d = duo_new();
        duo_open(d);
        duo_start(d);
        struct packet p = duo_take(d, I);
        p.data[bad[i].at] = bad[i].value;
        duo_deliver(d, R, &p);
        duo_deliver(d, R, &p);
        assert_int_equal(phase1_counters(d->side[R].table)->dropped[bad[i].err], 2);
        duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", err_name(bad[i].err));
        assert_int_equal(d->side[R].n_packets, 1);
        duo_pass(d, R);
        duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "type", bad[i].says);
        duo_wait(d, PHASE1_NOTIFY_CLEAR_GAP);
        d->side[R].n_packets = 0;
        duo_deliver(d, R, &p);
        assert_int_equal(d->side[R].n_packets, 1);
        duo_free(d);
    }
}

/* DOI 1 with SIT_IDENTITY_ONLY is taken from IKE-minded initiators, and answered alike (decisions
 * M26). */
static void ipsec_doi_is_answered_alike(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet p = duo_take(d, I);
    p.data[IKE1_HEADER + 7] = IKE1_DOI_IPSEC;
    p.data[IKE1_HEADER + 11] = IKE1_SITUATION_IDENTITY_ONLY;
    duo_deliver(d, R, &p);
    struct packet answer = duo_take(d, R);
    assert_int_equal(answer.data[IKE1_HEADER + 7], IKE1_DOI_IPSEC);
    assert_int_equal(phase1_counters(d->side[R].table)->doi_ipsec, 1);
    assert_int_equal(answer.data[IKE1_HEADER + 11], IKE1_SITUATION_IDENTITY_ONLY);
    /* We offered DOI 2, so that is no answer to us. */
    duo_deliver(d, I, &answer);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_DOI], 1);
    duo_free(d);
}

/* An initiator-only table has no answer for strangers. */
static void a_member_answers_no_stranger(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet p = duo_take(d, I);
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_UNEXPECTED], 1);
    assert_int_equal(d->side[I].n_packets, 0);
    duo_free(d);
}

/* The responder's own public value and nonce are fresh for each exchange. */
static void nothing_repeats_between_exchanges(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    struct packet ke[2];
    for (int round = 0; round < 2; round++) {
        duo_start(d);
        duo_pass(d, I);
        duo_pass(d, R);
        duo_job(d, I);
        duo_pass(d, I);
        duo_job(d, R);
        ke[round] = duo_take(d, R);
        duo_deliver(d, I, &ke[round]);
        duo_settle(d);
        duo_assert_up(d);
    }
    assert_int_equal(ke[0].len, ke[1].len);
    assert_memory_not_equal(ke[0].data, ke[1].data, 16);
    assert_memory_not_equal(ke[0].data + IKE1_HEADER + 4, ke[1].data + IKE1_HEADER + 4, 64);
    assert_memory_not_equal(ke[0].data + ke[0].len - 32, ke[1].data + ke[1].len - 32, 32);
    duo_free(d);
}

/* A public value of another group, or outside its group: no job, or a job that fails and leads
 * back. */
static void bad_public_values(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    for (int s = 0; s < SIDES; s++)
        d->side[s].proposals[0].dh_group = 14;
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    struct packet real = duo_take(d, I);
    for (unsigned i = 0; i < PHASE1_JOBS_MAX - 1; i++) {
        struct packet bad = real;
        memset(bad.data + IKE1_HEADER + CHAIN_HEADER, 0, 256);
        bad.data[IKE1_HEADER + CHAIN_HEADER + 200] = 0;
        bad.data[bad.len - 1] ^= (uint8_t)(i + 1); /* another nonce: no plain repeat */
        duo_deliver(d, R, &bad);
        assert_int_equal(d->side[R].n_jobs, i + 1);
        duo_job(d, R);
    }
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_VALUE], PHASE1_JOBS_MAX - 1);
    duo_says(duo_event(d, R, EV_DATAGRAM_DROPPED), "detail", "public value");
    duo_deliver(d, R, &real);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

static void jobs_for_forgeries_are_limited(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    struct packet p = duo_take(d, I);
    memset(p.data + IKE1_HEADER + CHAIN_HEADER, 0, 64); /* not on the curve */
    for (uint8_t i = 0; i < 20; i++) {
        p.data[p.len - 1] = i;
        duo_deliver(d, R, &p);
        if (d->side[R].jobs_waiting)
            duo_job(d, R);
    }
    assert_int_equal(d->side[R].n_jobs, PHASE1_JOBS_MAX);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_LIMIT], 20 - PHASE1_JOBS_MAX);
    duo_free(d);
}

static void wrong_length_public_value_starts_no_job(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    for (int s = 0; s < SIDES; s++)
        d->side[s].proposals[1] = d->side[s].proposals[0];
    d->side[I].proposals[0].dh_group = 19;
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    struct packet p = duo_take(d, I);
    /* KE one octet shorter, the nonce one longer: a message of right shape and length. */
    size_t ke = IKE1_HEADER, nonce = ke + CHAIN_HEADER + 64;
    uint8_t next = p.data[nonce];
    p.data[ke + 3]--;
    p.data[nonce - 1] = next;
    p.data[nonce] = 0;
    p.data[nonce + 1] = 0;
    p.data[nonce + 2] = (uint8_t)(p.data[nonce + 3] + 1);
    memmove(p.data + nonce + 3, p.data + nonce + 4, p.len - nonce - 4);
    duo_deliver(d, R, &p);
    assert_int_equal(d->side[R].n_jobs, 0);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_LENGTH], 1);
    duo_free(d);
}

/* The initiator guards his side alike. */
static void bad_message_4(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    struct packet real = duo_take(d, R), bad = real;
    memset(bad.data + IKE1_HEADER + CHAIN_HEADER, 0, 64); /* not on the curve */
    for (uint8_t i = 0; i < PHASE1_JOBS_MAX - 1; i++) {
        bad.data[bad.len - 1] = i;
        duo_deliver(d, I, &bad);
        duo_job(d, I);
    }
    duo_deliver(d, I, &real);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

static void forged_message_4s_are_limited(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    struct packet bad = duo_take(d, R);
    bad.data[IKE1_HEADER + 3] ^= 4; /* a KE of another length: no job at all */
    duo_deliver(d, I, &bad);
    bad.data[IKE1_HEADER + 3] ^= 4;
    memset(bad.data + IKE1_HEADER + CHAIN_HEADER, 0, 64);
    for (uint8_t i = 0; i < 20; i++) {
        bad.data[bad.len - 1] = i;
        duo_deliver(d, I, &bad);
        if (d->side[I].jobs_waiting)
            duo_job(d, I);
    }
    assert_int_equal(d->side[I].n_jobs, 1 + PHASE1_JOBS_MAX);
    /* Nobody answers any more: he gives up on message 3. */
    for (int i = 0; i < 40; i++) {
        d->side[I].n_packets = 0;
        duo_wait(d, span_s(1));
    }
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "detail", "no answer to message 3");
    duo_free(d);
}

/* A job that this machine cannot do ends the exchange; one whose SA is gone finds nobody. */
static void failing_and_late_jobs(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    duo_pass(d, R);
    struct job job = d->side[I].jobs[0];
    struct job_result r = {.id = job.id, .kind = job.kind, .err = ERR_CRYPTO};
    struct phase1_outcome o =
        duo_note(d, I, phase1_job_done(d->side[I].table, d->now, &r, &d->side[I].out));
    assert_int_equal(o.kind, PHASE1_FAILED);
    assert_int_equal(o.err, ERR_CRYPTO);
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "error", "ERR_CRYPTO");
    job_run(&job, &r);
    o = duo_note(d, I, phase1_job_done(d->side[I].table, d->now, &r, &d->side[I].out));
    assert_int_equal(o.kind, PHASE1_NOTHING);
    assert_int_equal(d->side[I].n_packets, 0);
    r.id = 0;
    o = duo_note(d, I, phase1_job_done(d->side[I].table, d->now, &r, &d->side[I].out));
    assert_int_equal(o.kind, PHASE1_NOTHING);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_in_six_messages),
        cmocka_unit_test(tells_its_facts),
        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(wrong_key_is_told_once_and_times_out),
        cmocka_unit_test(forged_message_5_kills_nothing),
        cmocka_unit_test(unknown_peer_gets_nothing),
        cmocka_unit_test(a_refusal_is_told_once),
        cmocka_unit_test(the_other_mode_is_refused_by_name),
        cmocka_unit_test(malformed_first_message),
        cmocka_unit_test(ipsec_doi_is_answered_alike),
        cmocka_unit_test(a_member_answers_no_stranger),
        cmocka_unit_test(nothing_repeats_between_exchanges),
        cmocka_unit_test(bad_public_values),
        cmocka_unit_test(jobs_for_forgeries_are_limited),
        cmocka_unit_test(wrong_length_public_value_starts_no_job),
        cmocka_unit_test(bad_message_4),
        cmocka_unit_test(forged_message_4s_are_limited),
        cmocka_unit_test(failing_and_late_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

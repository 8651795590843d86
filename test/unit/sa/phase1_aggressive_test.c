/* Aggressive mode message by message (RFC 2409 5.4), peers found by identity. */
#include "unit/sa/duo.h"

static struct model_identity named(enum model_id_type type, const char *text)
{
    return (struct model_identity){type, bytes_str(text)};
}

static struct duo *new_aggressive(void)
{
    struct duo *d = duo_new();
    duo_aggressive(d);
    return d;
}

/* The responder's gateway is dynamic: known by `id` alone. */
static struct duo *new_dynamic(struct model_identity id)
{
    struct duo *d = new_aggressive();
    d->side[I].peer.local = id;
    d->side[R].peer.remote = id;
    d->side[R].peer.address = IP_NONE;
    d->side[R].peer.dynamic = true;
    return d;
}

static void comes_up_in_three_messages(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    duo_open(d);
    duo_start(d);
    assert_int_equal(d->side[I].n_packets, 0); /* the public value goes into message 1 */
    duo_job(d, I);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_job(d, R).kind, PHASE1_NOTHING);
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING);
    assert_int_equal(duo_job(d, I).kind, PHASE1_UP);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_UP);
    duo_assert_up(d);
    assert_int_equal(phase1_mode(duo_only_sa(d, R)), MODEL_MODE_AGGRESSIVE);
    assert_true(phase1_peer_is_native(duo_only_sa(d, I)));
    duo_free(d);
}

static void every_identity(void **state)
{
    (void)state;
    static const uint8_t address[] = {192, 0, 2, 7};
    const struct model_identity ids[] = {
        named(MODEL_ID_FQDN, "site-1.example.net"),
        named(MODEL_ID_USER_FQDN, "site-1@example.net"),
        named(MODEL_ID_KEY_ID, "the first site"),
        {MODEL_ID_IPV4, BYTES_OF(address)},
    };
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct duo *d = new_dynamic(ids[i]);
        duo_open(d);
        duo_start(d);
        duo_settle(d);
        duo_assert_up(d);
        struct model_identity id = phase1_peer_identity(duo_only_sa(d, R));
        assert_int_equal(id.type, ids[i].type);
        assert_true(bytes_equal(id.value, ids[i].value));
        duo_free(d);
    }
}

static void unknown_identity(void **state)
{
    (void)state;
    struct duo *d = new_dynamic(named(MODEL_ID_FQDN, "site-1.example.net"));
    d->side[I].peer.local = named(MODEL_ID_FQDN, "site-2.example.net");
    duo_open(d);
    duo_start(d);
    duo_job(d, I);
    duo_pass(d, I);
    assert_int_equal(d->side[R].n_jobs, 0);
    assert_int_equal(d->side[R].n_packets, 0);
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_UNKNOWN_PEER");
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "detail", "fqdn site-2.example.net");
    duo_free(d);
}

/* The address is configured, the identity is not the one that belongs to it. */
static void foreign_identity_at_a_known_address(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    d->side[I].peer.local = named(MODEL_ID_FQDN, "elsewhere.example.net");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[R].n_jobs, 0);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "error", "ERR_IDENTITY");
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "gateway", "site-1");
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "statement", "test gateway");
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "detail", "elsewhere.example.net");
    duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "type", "INVALID-ID-INFORMATION");
    duo_free(d);
}

/* The key is the same, the server's name is not the configured one: the member says so and goes. */
static void wrong_server_identity(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    d->side[R].peer.local = named(MODEL_ID_FQDN, "other-server.example.net");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[I].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[I].last.err, ERR_IDENTITY);
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "detail", "fqdn other-server.example.net");
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "detail", "10.0.0.2");
    assert_int_equal(d->side[R].last.kind, PHASE1_FAILED);
    assert_int_equal(d->side[R].last.err, ERR_REFUSED);
    assert_int_equal(d->side[R].last.notify_type, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    duo_free(d);
}

static void wrong_key_shows_at_the_initiator(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    d->side[I].policy.psk = bytes_str("another secret");
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(phase1_count(d->side[I].table, true), 0);
    duo_says(duo_event(d, I, EV_PHASE1_SUSPECT), "error", "ERR_AUTH");
    duo_says(duo_event(d, I, EV_PHASE1_SUSPECT), "gateway", "server");
    duo_says(duo_event(d, R, EV_NOTIFY_RECEIVED), "type", "AUTHENTICATION-FAILED");
    for (int i = 0; i < 120; i++) {
        duo_wait(d, span_ms(500));
        duo_settle(d);
    }
    assert_int_equal(d->side[I].last.err, ERR_AUTH);
    assert_int_equal(d->side[R].last.err, ERR_TIMEOUT);
    assert_int_equal(d->side[R].last.notify_type, IKE1_NOTIFY_AUTHENTICATION_FAILED);
    assert_true(d->side[I].n_jobs <= 1 + PHASE1_JOBS_MAX);
    assert_int_equal(duo_n_events(d, I, EV_PHASE1_SUSPECT), 1);
    duo_free(d);
}

/* Who read message 1 can answer it, but not with the key; the real answer still counts. */
static void forged_message_2_kills_nothing(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    duo_open(d);
    duo_start(d);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    struct packet real = duo_take(d, R), forged = real;
    forged.data[IKE1_COOKIE] ^= 1; /* another responder cookie: HASH_R covers it */
    duo_deliver(d, I, &forged);
    assert_int_equal(duo_job(d, I).kind, PHASE1_NOTHING);
    duo_deliver(d, I, &real);
    assert_int_equal(duo_job(d, I).kind, PHASE1_UP);
    duo_pass(d, I);
    assert_int_equal(duo_pass(d, I).kind,
                     PHASE1_UP); /* the first was the suspicion's notification */
    duo_free(d);
}

/* A lost message 3 comes again when message 2 does: by the responder's timer. */
static void lost_message_3(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    duo_open(d);
    duo_start(d);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    duo_pass(d, R);
    assert_int_equal(duo_job(d, I).kind, PHASE1_UP);
    (void)duo_take(d, I); /* lost */
    duo_wait(d, span_ms(551));
    assert_int_equal(d->side[R].n_packets, 1);
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING);
    assert_int_equal(d->side[I].n_packets, 1);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_UP);
    duo_free(d);
}

/* Nobody answers: message 2 goes out three times in all, then the exchange is forgotten. */
static void message_2_is_repeated_twice(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    duo_open(d);
    duo_start(d);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    duo_wait(d, span_s(29));
    assert_int_equal(d->side[R].n_packets, 1 + PHASE1_RETRANSMIT_TRIES_RESPONDER);
    assert_int_equal(phase1_count(d->side[R].table, false), 1);
    duo_wait(d, span_s(2));
    assert_int_equal(phase1_count(d->side[R].table, false), 0);
    duo_says(duo_event(d, R, EV_PHASE1_FAILED), "detail", "message 2");
    duo_free(d);
}

/* Nonces that are too short, on either side: nothing is kept of them. */
static void short_nonces(void **state)
{
    (void)state;
    for (int to = 0; to < SIDES; to++) {
        struct duo *d = new_aggressive();
        struct chain c;
        duo_open(d);
        duo_start(d);
        duo_job(d, I);
        if (to == I) {
            duo_pass(d, I);
            duo_job(d, R);
        }
        struct packet real = duo_take(d, 1 - to), bad = real;
        assert_int_equal(
            ike1_payloads_parse(bytes(bad.data, bad.len), bad.data[16], IKE1_CLEAR_ALIGN, &c),
            ERR_OK);
        size_t at = (size_t)(chain_find(&c, IKE1_PAYLOAD_NONCE)->whole.data - bad.data);
        size_t rest = at + CHAIN_HEADER + 32;
        memmove(bad.data + at + CHAIN_HEADER + 4, bad.data + rest, bad.len - rest);
        bad.data[at + 3] = CHAIN_HEADER + 4;
        bad.len -= 28;
        bad.data[26] = (uint8_t)(bad.len >> 8);
        bad.data[27] = (uint8_t)bad.len;
        size_t jobs = d->side[to].n_jobs;
        duo_deliver(d, to, &bad);
        assert_int_equal(d->side[to].n_jobs, jobs);
        assert_int_equal(phase1_counters(d->side[to].table)->dropped[ERR_LENGTH], 1);
        assert_int_equal(phase1_count(d->side[R].table, false), to == I);
        duo_deliver(d, to, &real);
        duo_settle(d);
        duo_assert_up(d);
        duo_free(d);
    }
}

/* RFC 2409 5.4 shows message 3 in clear; peers do either. */
static void message_3_in_clear_is_taken(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    duo_open(d);
    duo_start(d);
    duo_job(d, I);
    duo_pass(d, I);
    duo_job(d, R);
    struct packet two = duo_take(d, R);
    duo_deliver(d, I, &two);
    duo_job(d, I);
    struct packet sealed = duo_take(d, I), clear = sealed;
    clear.data[19] = 0; /* flags */
    duo_deliver(d, R, &clear);
    assert_int_equal(phase1_count(d->side[R].table, true), 0); /* cipher text is no payload */
    assert_int_equal(duo_deliver(d, R, &sealed).kind, PHASE1_UP);
    duo_free(d);
}

/* The group cannot be negotiated: only proposals with the first one's group are offered. */
static void offers_one_group(void **state)
{
    (void)state;
    struct duo *d = new_aggressive();
    struct duo_side *i = &d->side[I], *r = &d->side[R];
    i->proposals[0] = duo_proposal(MODEL_IKE_AES, 256, MODEL_IKE_SHA256, 20, 600);
    i->proposals[1] = duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA256, 19, 600);
    i->proposals[2] = duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA384, 20, 600);
    i->policy.n_proposals = 3;
    r->proposals[0] = i->proposals[1];
    r->proposals[1] = i->proposals[2];
    r->policy.n_proposals = 2;
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    assert_ptr_equal(phase1_proposal(duo_only_sa(d, R)), &r->proposals[1]);
    assert_ptr_equal(phase1_proposal(duo_only_sa(d, I)), &i->proposals[2]);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_in_three_messages),
        cmocka_unit_test(every_identity),
        cmocka_unit_test(unknown_identity),
        cmocka_unit_test(foreign_identity_at_a_known_address),
        cmocka_unit_test(wrong_server_identity),
        cmocka_unit_test(wrong_key_shows_at_the_initiator),
        cmocka_unit_test(forged_message_2_kills_nothing),
        cmocka_unit_test(lost_message_3),
        cmocka_unit_test(message_2_is_repeated_twice),
        cmocka_unit_test(short_nonces),
        cmocka_unit_test(message_3_in_clear_is_taken),
        cmocka_unit_test(offers_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

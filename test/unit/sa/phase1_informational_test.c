/* Informational exchanges: protected ones act, those in clear are hints; INITIAL-CONTACT. */
#include "unit/sa/duo.h"

static struct duo *new_up(void)
{
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    return d;
}

static void notify(struct duo *d, int s, uint16_t type, struct bytes data)
{
    phase1_notify(d->side[s].table, duo_only_sa(d, s), type, IKE1_DOI_GDOI, data, &d->side[s].out);
    duo_collect(d, s);
}

static void notifications_arrive_with_their_data(void **state)
{
    (void)state;
    struct duo *d = new_up();
    notify(d, R, IKE1_NOTIFY_INVALID_ID_INFORMATION, bytes_str("\0\1not on the list"));
    struct phase1_outcome o = duo_pass(d, R);
    assert_int_equal(o.kind, PHASE1_NOTIFIED);
    assert_ptr_equal(o.sa, duo_only_sa(d, I));
    assert_int_equal(o.notify_type, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    duo_says(duo_event(d, R, EV_NOTIFY_SENT), "type", "INVALID-ID-INFORMATION");
    duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "protected", "yes");
    duo_free(d);
}

static void replayed_notifications_are_dropped(void **state)
{
    (void)state;
    struct duo *d = new_up();
    notify(d, R, 36136, bytes_str("x"));
    struct packet p = duo_take(d, R);
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_NOTIFIED);
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_REPLAY], 1);
    /* Nor are they taken by who sent them. */
    struct packet back = {.from = p.to, .to = p.from, .len = p.len};
    memcpy(back.data, p.data, p.len);
    assert_int_equal(duo_deliver(d, R, &back).kind, PHASE1_NOTHING);
    duo_free(d);
}

/* Each octet damaged: nothing of it acts, and the real one still does. */
static void damaged_deletes_do_nothing(void **state)
{
    (void)state;
    struct duo *d = new_up();
    phase1_end(d->side[R].table, duo_only_sa(d, R), true, &d->side[R].out);
    duo_collect(d, R);
    duo_says(duo_event(d, R, EV_PHASE1_DOWN), "cause", "ended here");
    struct packet p = duo_take(d, R);
    size_t covered = IKE1_HEADER + 36 + 28; /* HASH and Delete; then padding */
    for (size_t at = 0; at < covered; at++) {
        struct packet bad = p;
        bad.data[at] ^= 0xff;
        assert_int_equal(duo_deliver(d, I, &bad).kind, PHASE1_NOTHING);
        assert_int_equal(phase1_count(d->side[I].table, true), 1);
    }
    struct packet moved = p;
    moved.from.port = 4500;
    assert_int_equal(duo_deliver(d, I, &moved).kind, PHASE1_NOTHING);
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_DOWN);
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    duo_free(d);
}

static void ending_without_telling(void **state)
{
    (void)state;
    struct duo *d = new_up();
    phase1_end(d->side[I].table, duo_only_sa(d, I), false, &d->side[I].out);
    duo_collect(d, I);
    assert_int_equal(d->side[I].n_packets, 0);
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    assert_int_equal(phase1_count(d->side[R].table, true), 1);
    duo_start(d); /* and one that is starting */
    phase1_end(d->side[I].table, d->sa, true, &d->side[I].out);
    assert_int_equal(phase1_count(d->side[I].table, false), 0);
    duo_free(d);
}

/* A notification or delete in clear, made by hand. */
static struct packet clear_message(struct duo *d, int from, const struct ike1_cookies *cookies,
                                   bool is_delete, uint16_t type)
{
    struct packet p = {.from = d->side[from].endpoint, .to = d->side[1 - from].endpoint};
    struct wr w = wr_of(p.data, sizeof p.data);
    struct ike1_header h = {
        .cookies = *cookies, .exchange = IKE1_EXCHANGE_INFORMATIONAL, .message_id = 0x01020304};
    struct chain_wr c = ike1_header_write(&w, &h);
    struct ike1_notify n = {.doi = IKE1_DOI_IPSEC,
                            .protocol = IKE1_PROTOCOL_ISAKMP,
                            .type = type,
                            .spi = ike1_cookies_bytes(cookies)};
    struct ike1_delete del = {.doi = IKE1_DOI_IPSEC,
                              .protocol = IKE1_PROTOCOL_ISAKMP,
                              .spi_size = 16,
                              .n_spis = 1,
                              .spis = ike1_cookies_bytes(cookies)};
    if (is_delete)
        ike1_delete_write(&c, &del);
    else
        ike1_notify_write(&c, &n);
    ike1_message_end(&w);
    assert_int_equal(wr_end(&w), ERR_OK);
    p.len = w.len;
    return p;
}

static struct ike1_cookies cookies_of(struct phase1_sa *sa)
{
    struct ike1_cookies c;
    memcpy(&c, phase1_cookies(sa).data, sizeof c);
    return c;
}

static void clear_ones_never_act(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct ike1_cookies c = cookies_of(duo_only_sa(d, I));
    struct packet del = clear_message(d, R, &c, true, 0);
    struct packet n = clear_message(d, R, &c, false, IKE1_NOTIFY_INITIAL_CONTACT);
    assert_int_equal(duo_deliver(d, I, &del).kind, PHASE1_NOTHING);
    assert_int_equal(duo_deliver(d, I, &n).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_count(d->side[I].table, true), 1);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_UNEXPECTED], 2);
    assert_null(duo_event(d, I, EV_NOTIFY_RECEIVED));
    duo_free(d);
}

/* While an exchange starts, a refusal in clear is shown once and goes into the reason; the exchange
 * runs on. */
static void clear_refusal_is_a_hint(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct ike1_cookies c = cookies_of(d->sa);
    struct packet n = clear_message(d, R, &c, false, IKE1_NOTIFY_NO_PROPOSAL_CHOSEN);
    struct packet del = clear_message(d, R, &c, true, 0);
    assert_int_equal(duo_deliver(d, I, &del).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_MISSING], 1);
    assert_int_equal(duo_deliver(d, I, &n).kind, PHASE1_NOTHING);
    assert_int_equal(duo_deliver(d, I, &n).kind, PHASE1_NOTHING);
    assert_int_equal(duo_n_events(d, I, EV_NOTIFY_RECEIVED), 1);
    duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "protected", "no, so it is only a hint");
    /* ... also with a responder cookie, as some peers send it */
    c.r[0] = 9;
    n = clear_message(d, R, &c, false, IKE1_NOTIFY_NO_PROPOSAL_CHOSEN);
    assert_int_equal(duo_deliver(d, I, &n).kind, PHASE1_NOTHING);
    struct packet stranger = n;
    stranger.from.ip = ip_v4(1);
    duo_deliver(d, I, &stranger);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_UNKNOWN_SA], 1);
    d->side[I].n_packets = 0;
    duo_wait(d, span_s(60));
    assert_int_equal(d->side[I].last.notify_type, IKE1_NOTIFY_NO_PROPOSAL_CHOSEN);
    duo_says(duo_event(d, I, EV_PHASE1_FAILED), "peer_says", "NO-PROPOSAL-CHOSEN");
    duo_free(d);
}

static void before_the_keys_nothing_is_protected(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet one = duo_take(d, I);
    duo_deliver(d, R, &one);
    struct ike1_cookies c = cookies_of(duo_only_sa(d, R));
    struct packet p = clear_message(d, I, &c, true, 0);
    p.data[19] = IKE1_FLAG_ENCRYPTION;
    assert_int_equal(duo_deliver(d, R, &p).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_UNEXPECTED], 1);
    duo_free(d);
}

static void message_id_zero_is_refused(void **state)
{
    (void)state;
    struct duo *d = new_up();
    notify(d, R, 36136, bytes_str("x"));
    struct packet p = duo_take(d, R);
    memset(p.data + 20, 0, 4);
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_VALUE], 1);
    duo_free(d);
}

/* The member restarts: his first exchange tells the server that older SAs are worth nothing. */
static void initial_contact_ends_older_sas(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct phase1_config config = {&d->side[I].peer, 1, false};
    struct ike1_cookies old = cookies_of(duo_only_sa(d, R));
    phase1_table_free(d->side[I].table);
    assert_int_equal(phase1_table_new(&config, &d->side[I].drbg, &d->side[I].table), ERR_OK);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_UP], 2);
    assert_true(instant_reached(phase1_due(d->side[R].table), d->now));
    struct phase1_outcome o =
        duo_note(d, R, phase1_timer(d->side[R].table, d->now, &d->side[R].out));
    assert_int_equal(o.kind, PHASE1_DOWN);
    assert_true(bytes_equal(phase1_cookies(o.sa), ike1_cookies_bytes(&old)));
    duo_says(duo_event(d, R, EV_PHASE1_DOWN), "cause", "started anew");
    assert_int_equal(phase1_count(d->side[R].table, true), 1);
    assert_int_equal(phase1_count(d->side[I].table, true), 1);
    duo_free(d);
}

static void new_initiator(struct duo *d, const struct phase1_peer *peers, size_t n)
{
    struct phase1_config config = {peers, n, false};
    phase1_table_free(d->side[I].table);
    assert_int_equal(phase1_table_new(&config, &d->side[I].drbg, &d->side[I].table), ERR_OK);
}

/* A server with an address for each group: the SA of one is not ended by that of the other. */
static void another_address_of_the_server_is_another_peer(void **state)
{
    (void)state;
    struct duo *d = new_up();
    d->side[R].endpoint.ip = d->side[I].peer.address = ip_v4(0x0a000003);
    new_initiator(d, &d->side[I].peer, 1);
    duo_start(d);
    duo_settle(d);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_UP], 2);
    duo_wait(d, span_s(1));
    assert_int_equal(phase1_count(d->side[R].table, true), 2);
    duo_free(d);
}

/* A member with a gateway for each group, all of them one server. */
static void another_gateway_may_be_the_same_server(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    const struct phase1_peer peers[] = {d->side[I].peer, d->side[I].peer};
    new_initiator(d, peers, 2);
    for (int i = 0; i < 2; i++)
        assert_non_null(phase1_initiate(d->side[I].table, d->now, &peers[i], d->side[I].endpoint,
                                        d->side[R].endpoint, &d->side[I].out));
    duo_collect(d, I);
    duo_settle(d);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_UP], 2);
    duo_wait(d, span_s(1));
    assert_int_equal(phase1_count(d->side[R].table, true), 2);
    duo_free(d);
}

/* A second SA beside a living one is no initial contact: both stay. */
static void a_second_sa_ends_nothing(void **state)
{
    (void)state;
    struct duo *d = new_up();
    duo_start(d);
    duo_settle(d);
    duo_wait(d, span_s(1));
    assert_int_equal(phase1_count(d->side[R].table, true), 2);
    assert_int_equal(phase1_count(d->side[I].table, true), 2);
    /* A delete names both of them. */
    struct phase1_sa *keep = d->sa;
    size_t cursor = 0;
    struct phase1_sa *sa;
    while ((sa = phase1_next(d->side[I].table, &cursor)) == keep)
        ;
    phase1_end(d->side[I].table, sa, true, &d->side[I].out);
    duo_collect(d, I);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_DOWN);
    assert_int_equal(phase1_count(d->side[R].table, true), 1);
    duo_free(d);
}

/* One Delete for several: the others go by their own timers. Foreign protocols and cookies mean
 * nothing. */
static void deletes_that_name_others(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct phase1_sa *first = duo_only_sa(d, I);
    struct ike1_cookies spis[3] = {cookies_of(first)};
    duo_start(d);
    duo_settle(d);
    spis[1] = cookies_of(d->sa);
    memset(&spis[2], 7, sizeof spis[2]);
    for (uint8_t protocol = IKE1_PROTOCOL_ESP; protocol; protocol -= 2) { /* ESP, then ISAKMP */
        struct ike1_delete del = {.doi = IKE1_DOI_GDOI,
                                  .protocol = protocol,
                                  .spi_size = 16,
                                  .n_spis = 2,
                                  .spis = BYTES_OF(spis)};
        struct packet p = {.from = d->side[I].endpoint, .to = d->side[R].endpoint};
        struct wr w = wr_of(p.data, sizeof p.data);
        struct exchange_iv iv;
        uint32_t id = exchange_new_id(d->sa, &d->side[I].drbg);
        struct chain_wr c = exchange_build(d->sa, &w, IKE1_EXCHANGE_INFORMATIONAL, id);
        del.n_spis = 3;
        ike1_delete_write(&c, &del);
        exchange_iv_start(d->sa, id, &iv);
        assert_int_equal(exchange_seal(d->sa, &iv, &w, id, NULL, 0), ERR_OK);
        p.len = w.len;
        struct phase1_outcome o = duo_deliver(d, R, &p);
        assert_int_equal(o.kind, protocol == IKE1_PROTOCOL_ISAKMP ? PHASE1_DOWN : PHASE1_NOTHING);
        if (protocol == IKE1_PROTOCOL_ISAKMP)
            break;
        assert_int_equal(phase1_count(d->side[R].table, true), 2);
    }
    duo_wait(d, span_ms(1));
    assert_int_equal(phase1_count(d->side[R].table, true), 0);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_DOWN], 2);
    duo_free(d);
}

/* While an exchange starts, what is protected but no refusal changes nothing. */
static void status_while_starting(void **state)
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
    struct packet five = duo_take(d, I);
    phase1_notify(d->side[R].table, duo_only_sa(d, R), IKE1_NOTIFY_RESPONDER_LIFETIME,
                  IKE1_DOI_IPSEC, bytes(NULL, 0), &d->side[R].out);
    duo_collect(d, R);
    /* Its IV is not the one that message 5 leaves behind, so the initiator cannot open it. */
    assert_int_equal(duo_pass(d, R).kind, PHASE1_NOTHING);
    phase1_notify(d->side[I].table, d->sa, IKE1_NOTIFY_RESPONDER_LIFETIME, IKE1_DOI_IPSEC,
                  bytes(NULL, 0), &d->side[I].out);
    duo_collect(d, I);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING);
    assert_int_equal(duo_deliver(d, R, &five).kind, PHASE1_UP);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

/* Data that no datagram holds is not sent, and a clear message that is no message is no hint. */
static void what_cannot_be_said(void **state)
{
    (void)state;
    static const uint8_t much[DATAGRAM_MAX];
    struct duo *d = new_up();
    notify(d, I, 36136, BYTES_OF(much));
    assert_int_equal(d->side[I].n_packets, 0);
    assert_null(duo_event(d, I, EV_NOTIFY_SENT));
    duo_start(d);
    struct ike1_cookies c = cookies_of(d->sa);
    struct packet p = clear_message(d, R, &c, false, 1);
    p.data[IKE1_HEADER + 7] = 9; /* DOI of the notification */
    assert_int_equal(duo_deliver(d, I, &p).kind, PHASE1_NOTHING);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_DOI], 1);
    duo_free(d);
}

/* In an informational exchange it means the same (RFC 2407 4.6.3.3). */
static void initial_contact_under_protection(void **state)
{
    (void)state;
    struct duo *d = new_up();
    duo_start(d);
    duo_settle(d);
    phase1_notify(d->side[I].table, d->sa, IKE1_NOTIFY_INITIAL_CONTACT, IKE1_DOI_IPSEC,
                  bytes(NULL, 0), &d->side[I].out);
    duo_collect(d, I);
    assert_int_equal(duo_pass(d, I).kind, PHASE1_NOTHING);
    duo_wait(d, span_ms(1));
    assert_int_equal(d->side[R].last.kind, PHASE1_DOWN);
    assert_int_equal(phase1_count(d->side[R].table, true), 1);
    duo_free(d);
}

static void sas_of_one_pair_are_limited(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    for (int i = 0; i < PHASE1_PER_PAIR_MAX + 3; i++) {
        duo_start(d);
        duo_settle(d);
        duo_wait(d, span_s(1));
        d->side[I].n_packets = d->side[R].n_packets = 0;
    }
    assert_int_equal(phase1_count(d->side[R].table, true), PHASE1_PER_PAIR_MAX);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_DOWN], 3);
    duo_says(duo_event(d, R, EV_PHASE1_DOWN), "cause", "newer");
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notifications_arrive_with_their_data),
        cmocka_unit_test(replayed_notifications_are_dropped),
        cmocka_unit_test(damaged_deletes_do_nothing),
        cmocka_unit_test(ending_without_telling),
        cmocka_unit_test(clear_ones_never_act),
        cmocka_unit_test(clear_refusal_is_a_hint),
        cmocka_unit_test(before_the_keys_nothing_is_protected),
        cmocka_unit_test(message_id_zero_is_refused),
        cmocka_unit_test(initial_contact_ends_older_sas),
        cmocka_unit_test(another_address_of_the_server_is_another_peer),
        cmocka_unit_test(another_gateway_may_be_the_same_server),
        cmocka_unit_test(a_second_sa_ends_nothing),
        cmocka_unit_test(deletes_that_name_others),
        cmocka_unit_test(status_while_starting),
        cmocka_unit_test(what_cannot_be_said),
        cmocka_unit_test(initial_contact_under_protection),
        cmocka_unit_test(sas_of_one_pair_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

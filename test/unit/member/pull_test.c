/* GROUPKEY-PULL against a server that answers what the test says: what may be in messages 2 and 4,
 * and that everything else ends the exchange, with a reason and without a key. */
#include "unit/member/duo.h"

/* A server's SA and KD for one key, free to change. */
struct answers {
    struct gdoi_sa sa;
    struct gdoi_kd kd;
    uint8_t key[80], sig_key[64];
};

static struct gdoi_sat sat_of(uint32_t spi, uint32_t seconds)
{
    return (struct gdoi_sat){.protocol_id = GDOI_PROTOCOL_ESP,
                             .src = prefix_of(ip_v4(0x0a000000), 8),
                             .dst = prefix_of(ip_v4(0x0a000000), 8),
                             .transform = GDOI_ESP_AES_CBC,
                             .key_length = 128,
                             .auth = GDOI_AUTH_HMAC_SHA256,
                             .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
                             .spi = spi,
                             .life = {.has_seconds = true, .seconds = seconds}};
}

static void add_key(struct answers *a, uint32_t spi, uint32_t seconds)
{
    a->sa.sats[a->sa.n_sats++] = sat_of(spi, seconds);
    a->kd.teks[a->kd.n_teks] =
        (struct gdoi_tek_packet){.spi = spi,
                                 .cipher_key = bytes(a->key + a->kd.n_teks, 16),
                                 .integrity_key = bytes(a->key + a->kd.n_teks, 32)};
    a->kd.n_teks++;
}

static void add_kek(struct answers *a, uint32_t seconds)
{
    a->sa.has_sak = a->kd.has_kek = true;
    a->sa.sak = (struct gdoi_sak){.protocol = 17,
                                  .src = blue_at,
                                  .dst = site_2,
                                  .spi = {{1}, {2}},
                                  .algorithm = GDOI_KEK_ALG_AES,
                                  .key_length = 128,
                                  .sig_hash = GDOI_SIG_HASH_SHA256,
                                  .sig_algorithm = GDOI_SIG_ALG_RSA,
                                  .has_lifetime = true,
                                  .lifetime = seconds};
    a->kd.kek = (struct gdoi_kek_packet){.spi = a->sa.sak.spi,
                                         .iv_and_key = bytes(a->key + 40, 32),
                                         .sig_key = BYTES_OF(a->sig_key)};
}

static struct answers *answers_new(void)
{
    struct answers *a = calloc(1, sizeof *a);
    assert_non_null(a);
    for (uint8_t i = 0; i < sizeof a->key; i++)
        a->key[i] = i;
    add_key(a, 0x1000, 3600);
    return a;
}

static struct duo *duo_fake(void)
{
    struct duo *w = duo_new();
    w->is_fake = true;
    duo_open(w);
    return w;
}

static void done(struct duo *w, struct answers *a)
{
    duo_close(w);
    free(a);
}

static void again(struct duo *w)
{
    assert_int_equal(member_reregister(w->member, w->now, NULL, &w->out), ERR_OK);
    duo_carry(w, true);
}

static void expect_keys(const struct duo *w, size_t n)
{
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
    assert_int_equal(duo_vpn(w, 0).n_sas, n);
}

/* The exchange is over, phase 1 deleted with notice (RFC 6407 3.3), and `keys` keys are what there
 * was before. */
static void expect_rejected(struct duo *w, enum err err, const char *what, size_t keys)
{
    duo_run(w);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_last_error(w, err, what);
    assert_int_equal(duo_vpn(w, 0).n_sas, keys);
    assert_int_equal(duo_vpn(w, 0).counters.pull_aborted, 1);
    assert_int_equal(phase1_count(member_phase1(w->member), false), 0);
    assert_null(w->fake.sa);
}

/* ---- what is right ---- */

static void a_plain_server_is_enough(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    fake_serve(w, &a->sa, NULL, &a->kd);
    assert_int_equal(w->fake.group, BLUE);
    expect_keys(w, 1);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(duo_vpn(w, 0).due.ns,
                     w->now.ns + span_s(3600 - 45).ns); /* ATD 15 by default */
    done(w, a);
}

/* No GAP (decisions S30): the new key sends at once, the old one lives to its end. */
static void without_a_gap(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    fake_serve(w, &a->sa, NULL, &a->kd);
    again(w);
    a->sa.n_sats = a->kd.n_teks = 0;
    add_key(a, 0x1001, 7200);
    fake_serve(w, &a->sa, NULL, &a->kd);
    expect_keys(w, 2);
    assert_int_equal(w->installed[0].sas[0].spi, 0x1001);
    assert_int_equal(w->installed[0].sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(w->installed[0].sas[1].slot, ESP_SLOT_PREVIOUS);
    duo_alone_until(w, 3599);
    assert_int_equal(duo_vpn(w, 0).n_sas, 2);
    duo_alone_until(w, 3601);
    assert_int_equal(duo_vpn(w, 0).n_sas, 1);
    assert_int_equal(duo_events(w, EV_KEYS_EXPIRED), 0);
    done(w, a);
}

/* Lifetimes and delays count from message 2, however late message 4 is (decisions M9). */
static void time_counts_from_message_2(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    fake_serve(w, &a->sa, NULL, &a->kd);
    again(w);
    add_key(a, 0x1001, 7000);
    a->sa.has_gap = a->sa.gap.has_atd = a->sa.gap.has_dtd = true;
    a->sa.gap.atd = 20;
    a->sa.gap.dtd = 35;
    fake_offer(w, &a->sa);
    struct packet second = duo_take(w);
    duo_give(w, &second);
    assert_int_equal(fake_read(w, true), ERR_OK);
    w->now = instant_add(w->now, span_s(5));
    fake_send(w, &(struct fake_answer){.kd = &a->kd});
    duo_run(w);
    struct member_sa_view next = member_sa(w->member, 0, 1, w->now);
    assert_int_equal(next.spi, 0x1001);
    assert_int_equal(next.switch_at.ns, (DUO_START + 20) * NS_PER_S);
    assert_int_equal(next.expiry.ns, (DUO_START + 7000) * NS_PER_S);
    assert_int_equal(member_sa(w->member, 0, 0, w->now).drop_at.ns, (DUO_START + 35) * NS_PER_S);
    done(w, a);
}

static void a_kek_comes_and_ends(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    uint32_t seq = 41;
    add_kek(a, 600);
    a->sa.sak.management = GDOI_LKH; /* some servers say so already here */
    fake_serve(w, &a->sa, &seq, &a->kd);
    expect_keys(w, 1);
    assert_int_equal(member_tolerated(w->member)->count[TOLERATED_MANAGEMENT], 1);
    struct member_kek_view kek = duo_vpn(w, 0).kek;
    assert_true(bytes_equal(kek.cookies, ike1_cookies_bytes(&a->sa.sak.spi)));
    assert_int_equal(kek.cipher, CIPHER_AES_128_CBC);
    assert_int_equal(kek.sig_hash, HASH_SHA256);
    assert_int_equal(kek.sequence, 41);
    assert_int_equal(kek.expiry.ns, (DUO_START + 600) * NS_PER_S);
    assert_true(ip_equal(kek.server, blue_at.ip));
    /* it ends before the TEK, so it decides when to come again */
    assert_int_equal(duo_vpn(w, 0).due.ns, (DUO_START + 600 - 45) * NS_PER_S);
    duo_alone_until(w, 599.9);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 16);
    duo_alone_until(w, 600.1);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 0);
    assert_int_equal(duo_vpn(w, 0).n_sas, 1);
    done(w, a);
}

/* A PULL is the whole truth: without a SAK there is no KEK any more. */
static void a_kek_that_is_not_offered_goes(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    uint32_t seq = 0;
    add_kek(a, 600);
    fake_serve(w, &a->sa, &seq, &a->kd);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 16);
    again(w);
    a->sa.has_sak = a->kd.has_kek = false;
    fake_serve(w, &a->sa, NULL, &a->kd);
    expect_keys(w, 1);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 0);
    done(w, a);
}

/* A group with a KEK and no TEK yet: registered, without anything to send with, and it asks again.
 */
static void a_rekey_sa_alone_is_asked_again(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    uint32_t seq = 0;
    a->sa.n_sats = a->kd.n_teks = 0;
    add_kek(a, 600);
    fake_serve(w, &a->sa, &seq, &a->kd);
    expect_keys(w, 0);
    assert_true(duo_vpn(w, 0).due.ns < w->now.ns + span_s(2).ns);
    done(w, a);
}

/* A server without a successor is asked again and again before the key ends, not all the time. */
static void a_server_without_a_successor_is_asked_patiently(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    unsigned asked = 0;
    a->sa.sats[0].life.seconds = 60;
    fake_serve(w, &a->sa, NULL, &a->kd);
    assert_int_equal(duo_vpn(w, 0).due.ns, w->now.ns + span_s(15).ns);
    while (duo_time(w) < 59) {
        duo_tick(w);
        duo_phase1(w);
        if (w->n_packets == 0)
            continue;
        a->sa.sats[0].life.seconds = (uint32_t)(60 - duo_time(w));
        fake_serve(w, &a->sa, NULL, &a->kd);
        expect_keys(w, 1);
        asked++;
    }
    assert_in_range(asked, 8, 24);
    assert_int_equal(member_sa(w->member, 0, 0, w->now).expiry.ns, (DUO_START + 60) * NS_PER_S);
    done(w, a);
}

/* ---- message 2 ---- */

static void an_unacceptable_policy_ends_at_message_2(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    add_key(a, 0x1001, 3600);
    a->sa.sats[1].encapsulation = GDOI_ENCAPSULATION_TRANSPORT;
    fake_offer(w, &a->sa);
    struct packet second = duo_take(w);
    duo_give(w, &second);
    assert_int_equal(w->n_packets, 1); /* the Delete, no message 3 */
    assert_false(packet_is_pull(&w->packets[0]));
    expect_rejected(w, ERR_POLICY, "only tunnel mode is supported", 0);
    duo_says(w, EV_POLICY_REJECTED, "spi", "00001001");
    duo_says(w, EV_POLICY_REJECTED, "what", "only tunnel mode");
    assert_int_equal(duo_vpn(w, 0).counters.policies_rejected, 1);
    assert_int_equal(duo_vpn(w, 0).counters.unsupported_algorithm, 0);
    done(w, a);
}

static void each_refusal_has_its_counter(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct duo *w = duo_fake();
        struct answers *a = answers_new();
        if (i == 0)
            a->sa.sats[0].transform = GDOI_ESP_AES_GCM_16;
        a->sa.n_sats = i == 0 ? 1 : GDOI_TEKS_MAX + 1;
        for (uint32_t k = 1; k < a->sa.n_sats; k++)
            a->sa.sats[k] = sat_of(i == 1 ? 0x1000 + k : 0x1000, 3600);
        fake_offer(w, &a->sa);
        enum err want[] = {ERR_TYPE, ERR_LIMIT, ERR_TOO_MANY};
        expect_rejected(w, want[i], "", 0);
        struct member_counters c = duo_vpn(w, 0).counters;
        assert_int_equal(c.unsupported_algorithm, i == 0);
        assert_int_equal(c.exceed_maximum_keys, i == 1);
        assert_int_equal(c.exceed_maximum_policies, i == 2);
        done(w, a);
    }
}

static void message_2_without_an_sa(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    duo_phase1(w);
    assert_int_equal(fake_read(w, false), ERR_OK);
    fake_send(w, &(struct fake_answer){.nonce = BYTES_OF(w->fake.nr)});
    expect_rejected(w, ERR_MISSING, "message 2 of the server cannot be read", 0);
    done(w, a);
}

static void message_2_with_a_surplus_payload(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    duo_phase1(w);
    assert_int_equal(fake_read(w, false), ERR_OK);
    fake_send(w, &(struct fake_answer){.sa = &a->sa, .extra = IKE1_PAYLOAD_KE});
    expect_rejected(w, ERR_ORDER, "message 2", 0);
    done(w, a);
}

static void nonces_have_their_lengths(void **state)
{
    (void)state;
    static const uint8_t octets[200];
    static const size_t wrong[] = {7, GDOI_NONCE_MAX + 1};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct duo *w = duo_fake();
        struct answers *a = answers_new();
        duo_phase1(w);
        assert_int_equal(fake_read(w, false), ERR_OK);
        fake_send(w, &(struct fake_answer){.sa = &a->sa, .nonce = bytes(octets, wrong[i])});
        expect_rejected(w, ERR_LENGTH, "message 2", 0);
        done(w, a);
    }
}

static void message_2_that_contradicts_itself(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    a->sa.sats[1] = sat_of(0x1000, 3600);
    a->sa.sats[1].key_length = 256; /* one SPI, two transforms (decisions M24) */
    a->sa.n_sats = 2;
    fake_offer(w, &a->sa);
    expect_rejected(w, ERR_CONFLICT, "message 2", 0);
    done(w, a);
}

/* ---- message 4 ---- */

/* Message 4 with whatever the arguments say, after a good message 2. */
static void answer_4(struct duo *w, const struct answers *a, const struct fake_answer *four)
{
    fake_offer(w, &a->sa);
    struct packet second = duo_take(w);
    duo_give(w, &second);
    assert_int_equal(fake_read(w, true), ERR_OK);
    fake_send(w, four);
}

static const char keys[] = "the keys of message 4 cannot be taken";

static void kd_holds_what_sa_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct duo *w = duo_fake();
        struct answers *a = answers_new();
        struct gdoi_kd kd = a->kd;
        static const enum err want[] = {ERR_MISSING, ERR_CONFLICT, ERR_LENGTH, ERR_MISSING,
                                        ERR_CONFLICT};
        if (i == 0) /* a key for something else */
            kd.teks[0].spi++;
        if (i == 1) { /* one too many */
            kd.teks[1] = kd.teks[0];
            kd.teks[1].spi++;
            kd.n_teks = 2;
        }
        if (i == 2)
            kd.teks[0].cipher_key.len = 8;
        if (i == 3)
            kd.teks[0].integrity_key.len = 0;
        if (i == 4) { /* a KEK that no SAK asks for */
            kd.has_kek = true;
            kd.kek.iv_and_key = bytes(a->key, 32);
            kd.kek.sig_key = BYTES_OF(a->sig_key);
        }
        answer_4(w, a, &(struct fake_answer){.kd = &kd});
        expect_rejected(w, want[i], keys, 0);
        done(w, a);
    }
}

static void seq_comes_exactly_with_sak(void **state)
{
    (void)state;
    uint32_t seq = 1;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd, .seq = &seq});
    expect_rejected(w, ERR_CONFLICT, keys, 0);
    done(w, a);
    w = duo_fake();
    a = answers_new();
    add_kek(a, 600);
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd});
    expect_rejected(w, ERR_MISSING, keys, 0);
    done(w, a);
}

static void message_4_has_its_form(void **state)
{
    (void)state;
    uint32_t seq = 1;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    add_kek(a, 600);
    answer_4(w, a, &(struct fake_answer){.seq = &seq}); /* no KD */
    expect_rejected(w, ERR_MISSING, keys, 0);
    done(w, a);
    w = duo_fake();
    a = answers_new();
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd, .extra = IKE1_PAYLOAD_KE}); /* RFC 3547 */
    expect_rejected(w, ERR_TYPE, keys, 0);
    done(w, a);
}

/* A SPI that is held, with another key: all of it is refused, and what was held stays. */
static void another_key_under_a_known_spi(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    fake_serve(w, &a->sa, NULL, &a->kd);
    uint8_t digest[8];
    memcpy(digest, member_sa(w->member, 0, 0, w->now).key_digest, 8);
    again(w);
    add_key(a, 0x1001, 7000);
    a->key[0] ^= 1;
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd});
    expect_rejected(w, ERR_CONFLICT, keys, 1);
    assert_true(
        bytes_equal(BYTES_OF(digest), bytes(member_sa(w->member, 0, 0, w->now).key_digest, 8)));
    assert_int_equal(w->installed[0].times, 2);
    done(w, a);
}

/* The same of a KEK: then the TEKs beside it are not taken either. */
static void another_key_under_a_known_kek(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    uint32_t seq = 1;
    add_kek(a, 600);
    fake_serve(w, &a->sa, &seq, &a->kd);
    again(w);
    a->key[70] ^= 1;
    add_key(a, 0x1001, 7000);
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd, .seq = &seq});
    expect_rejected(w, ERR_CONFLICT, keys, 1);
    assert_int_equal(duo_vpn(w, 0).kek.cookies.len, 16);
    done(w, a);
}

/* ---- natives and others ---- */

static void state_is_read_from_natives_only(void **state)
{
    (void)state;
    struct gdoi_state told = {.activation_delay = 60};
    for (unsigned native = 0; native < 2; native++) {
        struct duo *w = duo_fake();
        struct answers *a = answers_new();
        duo_phase1(w);
        duo_sa(w)->native = native;
        answer_4(w, a, &(struct fake_answer){.kd = &a->kd, .state = &told});
        duo_run(w);
        expect_keys(w, 1);
        assert_int_equal(duo_vpn(w, 0).due.ns, w->now.ns + span_s(3600 - (native ? 180 : 45)).ns);
        done(w, a);
    }
}

/* A delay that the statement does not know is no delay. */
static void a_senseless_state_is_not_believed(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    struct gdoi_state told = {.activation_delay = MEMBER_ATD_MAX_S + 1};
    answer_4(w, a, &(struct fake_answer){.kd = &a->kd, .state = &told});
    duo_run(w);
    expect_keys(w, 1);
    assert_int_equal(duo_vpn(w, 0).due.ns, w->now.ns + span_s(3600 - 45).ns);
    done(w, a);
}

/* Deviations that were accepted are counted by name (decisions M25). */
static void tolerances_are_counted(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    a->sa.sats[0].transform = GDOI_ESP_3DES;
    a->sa.sats[0].key_length = 0;
    a->kd.teks[0].cipher_key = bytes(a->key, 24); /* without parity */
    fake_serve(w, &a->sa, NULL, &a->kd);
    expect_keys(w, 1);
    assert_int_equal(member_sa(w->member, 0, 0, w->now).cipher, CIPHER_3DES_CBC);
    assert_int_equal(member_tolerated(w->member)->count[TOLERATED_KEY_PARITY], 1);
    assert_int_equal(member_tolerated(w->member)->count[TOLERATED_LIFETIME_TV], 0);
    done(w, a);
}

/* A status message under the SA refuses nothing; an error does, and what the server says of it is
 * shown without its control characters. */
static void errors_refuse_and_status_does_not(void **state)
{
    (void)state;
    struct duo *w = duo_fake();
    struct answers *a = answers_new();
    duo_phase1(w);
    phase1_notify(w->fake.phase1, w->fake.sa, 24576, IKE1_DOI_IPSEC, bytes(NULL, 0), &w->out);
    duo_carry(w, false);
    struct packet request = duo_take(w);
    duo_run(w);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_PULL);
    assert_true(packet_is_pull(&request));
    phase1_notify(w->fake.phase1, w->fake.sa, IKE1_NOTIFY_INVALID_ID_INFORMATION, IKE1_DOI_GDOI,
                  bytes("\0\1go\033[2Jaway", 12), &w->out);
    duo_carry(w, false);
    duo_run(w);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_WAITING);
    duo_last_error(w, ERR_REFUSED, "go?[2Jaway");
    /* without text: the reason's number, then the type's name */
    static const char *const want[] = {"time stamps", "NO-PROPOSAL-CHOSEN"};
    for (size_t i = 0; i < 2; i++) {
        while (duo_vpn(w, 0).state == MEMBER_WAITING)
            duo_tick(w);
        w->n_packets = 0;
        phase1_notify(w->fake.phase1, w->fake.sa,
                      i ? IKE1_NOTIFY_NO_PROPOSAL_CHOSEN : IKE1_NOTIFY_INVALID_ID_INFORMATION,
                      IKE1_DOI_GDOI, i ? bytes(NULL, 0) : bytes("\0\2", 2), &w->out);
        duo_carry(w, false);
        duo_run(w);
        duo_last_error(w, ERR_REFUSED, want[i]);
    }
    done(w, a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_server_is_enough),
        cmocka_unit_test(without_a_gap),
        cmocka_unit_test(time_counts_from_message_2),
        cmocka_unit_test(a_kek_comes_and_ends),
        cmocka_unit_test(a_kek_that_is_not_offered_goes),
        cmocka_unit_test(a_rekey_sa_alone_is_asked_again),
        cmocka_unit_test(a_server_without_a_successor_is_asked_patiently),
        cmocka_unit_test(an_unacceptable_policy_ends_at_message_2),
        cmocka_unit_test(each_refusal_has_its_counter),
        cmocka_unit_test(message_2_without_an_sa),
        cmocka_unit_test(message_2_with_a_surplus_payload),
        cmocka_unit_test(nonces_have_their_lengths),
        cmocka_unit_test(message_2_that_contradicts_itself),
        cmocka_unit_test(kd_holds_what_sa_names),
        cmocka_unit_test(seq_comes_exactly_with_sak),
        cmocka_unit_test(message_4_has_its_form),
        cmocka_unit_test(another_key_under_a_known_spi),
        cmocka_unit_test(another_key_under_a_known_kek),
        cmocka_unit_test(state_is_read_from_natives_only),
        cmocka_unit_test(a_senseless_state_is_not_believed),
        cmocka_unit_test(tolerances_are_counted),
        cmocka_unit_test(errors_refuse_and_status_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a registration is given when the group has server-member-communication: SAK, SEQ, the KEK.
 */
#include "unit/server/world.h"

#include "gdoi/numbers.h"
#include "sa/phase1_internal.h"
#include "server/state.h"

static struct world *open_world(struct model_communication communication)
{
    struct world *w = world_new();
    w->m.groups[0].communication = communication;
    world_open(w);
    return w;
}

static const struct kek_generation *kek_of(const struct world *w, enum group_kek_slot slot)
{
    return world_blue(w)->kek[slot];
}

/* SA and KD of the member's registration are that KEK's. */
static void expect_kek(const struct pull_client *gm, const struct kek_generation *k)
{
    assert_true(gm->offer.has_sak && gm->kek.present && gm->kek.has_seq);
    assert_true(bytes_equal(ike1_cookies_bytes(&gm->offer.sak.spi), BYTES_OF(k->spi)));
    assert_true(bytes_equal(ike1_cookies_bytes(&gm->kek.spi), BYTES_OF(k->spi)));
    assert_true(bytes_equal(bytes(gm->kek.iv, gm->kek.iv_len), secret_bytes(&k->iv)));
    assert_true(bytes_equal(bytes(gm->kek.key, gm->kek.key_len), secret_bytes(&k->key)));
    assert_true(bytes_equal(bytes(gm->kek.sig_key, gm->kek.sig_key_len),
                            bytes(k->signer->spki, k->signer->spki_len)));
}

static void a_member_is_given_the_kek(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_says(w, EV_KEK_CREATED, "group", "blue");
    assert_int_equal(event_level(EV_SIGNING_KEY), EVENT_NOTICE);
    world_phase1(w, gm);
    world_until(w, 100.5);
    world_pull(w, gm, BLUE);
    const struct gdoi_sak *sak = &gm->offer.sak;
    assert_int_equal(sak->protocol, 17);
    assert_true(endpoint_equal(sak->src, blue_at));
    assert_true(endpoint_equal(sak->dst, (struct endpoint){gm->local.ip, GDOI_PORT}));
    assert_int_equal(sak->management, 0); /* never in a PULL */
    assert_int_equal(sak->algorithm, GDOI_KEK_ALG_AES);
    assert_int_equal(sak->key_length, 256);
    assert_int_equal(sak->sig_hash, GDOI_SIG_HASH_SHA256);
    assert_int_equal(sak->sig_algorithm, GDOI_SIG_ALG_RSA);
    assert_int_equal(sak->sig_key_length, 3072);
    assert_int_equal(sak->ack, GDOI_ACK_KEK_SHA256);
    assert_int_equal(sak->lifetime, 1699);
    assert_int_equal(gm->kek.seq, 0);
    expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
    assert_int_equal(gm->offer.n_sats, 2); /* all else as without it */
    assert_int_equal(gm->n_keys, 1);
    assert_true(gm->offer.has_gap);
    world_close(w);
}

static void the_public_key_is_that_of_the_signing_key(void **state)
{
    static const enum rsa_form form = RSA_DIGEST_INFO;
    uint8_t digest[HASH_MAX] = {1, 2, 3}, signature[SIGNATURE_MAX];
    struct bytes hashed = bytes(digest, hash_len(HASH_SHA256));
    struct verify_key *public;
    size_t len, which;
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    assert_int_equal(rsa_sign(w->server->signing.key->private, HASH_SHA256, hashed, form, signature,
                              sizeof signature, &len),
                     ERR_OK);
    assert_int_equal(verify_key_from_der(bytes(gm->kek.sig_key, gm->kek.sig_key_len), &public),
                     ERR_OK);
    assert_int_equal(
        rsa_verify(public, HASH_SHA256, &form, 1, &hashed, 1, bytes(signature, len), &which),
        ERR_OK);
    verify_key_free(public);
    world_close(w);
}

static void every_cipher_and_sig_hash(void **state)
{
    static const struct {
        enum model_kek_cipher cipher;
        uint16_t bits;
        size_t iv, key;
    } rows[] = {{MODEL_KEK_DES, 0, 8, 8},
                {MODEL_KEK_3DES, 0, 8, 24},
                {MODEL_KEK_AES, 128, 16, 16},
                {MODEL_KEK_AES, 192, 16, 24},
                {MODEL_KEK_AES, 256, 16, 32}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct model_communication c = two_groups_communication();
        c.cipher = rows[i].cipher;
        c.key_bits = rows[i].bits;
        c.sig_hash = (enum model_sig_hash)(MODEL_SIG_MD5 + i);
        struct world *w = open_world(c);
        struct pull_client *gm = &w->gm[0];
        world_phase1(w, gm);
        world_pull(w, gm, BLUE);
        assert_int_equal(gm->offer.sak.algorithm, rows[i].cipher);
        assert_int_equal(gm->offer.sak.key_length, rows[i].bits); /* 0: left out */
        assert_int_equal(gm->offer.sak.sig_hash, GDOI_SIG_HASH_MD5 + i);
        assert_int_equal(gm->kek.iv_len, rows[i].iv);
        assert_int_equal(gm->kek.key_len, rows[i].key);
        expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
        world_close(w);
    }
}

/* pull_client_4() wants SEQ exactly with SAK; here are both cases, on one server. */
static void seq_is_there_exactly_with_sak(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[1];
    world_phase1(w, gm);
    w->server->groups[0]->push_seq = 41;
    world_pull(w, gm, BLUE);
    assert_true(gm->kek.has_seq);
    assert_int_equal(gm->kek.seq, 41);
    pull_client_close(gm);
    struct pull_client_config config = {.proposal = w->m.ike_list,
                                        .psk = w->m.policy.psk,
                                        .local = {ip_v4(0x0a000002u), 848},
                                        .server = red_at,
                                        .seed = 9};
    pull_client_open(gm, &config);
    world_phase1(w, gm);
    world_pull(w, gm, RED); /* has no server-member-communication */
    assert_false(gm->offer.has_sak || gm->kek.present || gm->kek.has_seq);
    world_close(w);
}

static void foreign_members_are_not_asked_for_what_they_may_not_know(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    size_t cursor = 0;
    world_phase1(w, gm);
    phase1_next(server_phase1(w->server), &cursor)->native = false;
    world_pull(w, gm, BLUE);
    expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
    assert_int_equal(gm->offer.sak.ack, 0);
    assert_false(gm->has_state);
    world_close(w);
}

static void multicast_pushes_go_to_the_group_and_are_not_acknowledged(void **state)
{
    (void)state;
    struct model_communication c = two_groups_communication();
    c.type = MODEL_PUSH_MULTICAST;
    c.multicast_group = ip_v4(0xefc00001);
    struct world *w = open_world(c);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    assert_true(endpoint_equal(gm->offer.sak.dst, (struct endpoint){c.multicast_group, GDOI_PORT}));
    assert_int_equal(gm->offer.sak.ack, 0);
    world_close(w);
}

static void the_state_notification_names_the_kek(void **state)
{
    uint8_t spi[4], digest[HASH_MAX];
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_pull(w, gm, BLUE);
    const struct kek_generation *k = kek_of(w, GROUP_KEK_CURRENT);
    assert_true(gm->has_state && gm->state.has_kek);
    assert_true(bytes_equal(ike1_cookies_bytes(&gm->state.kek), BYTES_OF(k->spi)));
    assert_int_equal(gm->state.heartbeat, 300);
    struct wr out = wr_of(spi, sizeof spi);
    wr_u32(&out, world_key(w, 0, GROUP_CURRENT)->spi);
    hash_parts(HASH_SHA256, PARTS(BYTES_OF(k->spi), BYTES_OF(spi)), digest);
    assert_true(bytes_equal(BYTES_OF(gm->state.digest), bytes(digest, GDOI_DIGEST)));
    world_close(w);
}

/* ---- the changeover: L = 1800, ATD = 15 ---- */

static void registrations_have_the_new_kek_from_its_creation_on(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 1739);
    world_pull(w, gm, BLUE);
    struct ike1_cookies first = gm->kek.spi;
    assert_int_equal(gm->offer.sak.lifetime, 61);
    world_until(w, 1740);
    world_pull(w, gm, BLUE);
    expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
    assert_int_equal(gm->offer.sak.lifetime, 1800);
    assert_true(
        bytes_equal(BYTES_OF(kek_of(w, GROUP_KEK_PREVIOUS)->spi), ike1_cookies_bytes(&first)));
    assert_int_equal(gm->kek.seq, 1); /* of the push that brought it under the first one */
    assert_int_equal(world_blue(w)->registry.members[0]->version, 3);
    world_until(w, 1800);
    assert_null(kek_of(w, GROUP_KEK_PREVIOUS));
    world_says(w, EV_KEK_DROPPED, "group", "blue");
    world_close(w);
}

/* A new KEK, and a push, between message 2 and message 4: KD still matches SA, and SEQ is that of
 * message 2, so that the member takes the push (decisions M9). */
static void kek_and_seq_of_message_2_hold_until_message_4(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_until(w, 1739.5);
    world_ask(w, gm, BLUE);
    world_until(w, 1741);
    w->server->groups[0]->push_seq = 1;
    world_finish(w, gm);
    expect_kek(gm, kek_of(w, GROUP_KEK_PREVIOUS));
    assert_int_equal(gm->kek.seq, 0);
    /* what is newest is told, so that the member sees that it has something older */
    assert_true(bytes_equal(ike1_cookies_bytes(&gm->state.kek),
                            BYTES_OF(kek_of(w, GROUP_KEK_CURRENT)->spi)));
    world_close(w);
}

/* Asks, and is refused for now. */
static void expect_not_ready(struct world *w, struct pull_client *gm)
{
    uint8_t room[DATAGRAM_MAX];

    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    struct packet p = world_take(w);
    pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    assert_int_equal(gm->refusal.reason, GDOI_REASON_NOT_READY);
}

/* The disk is dead, no KEK and no key can be made: what has ended is not given away, and who asks
 * is told to come again. */
static void a_key_that_has_ended_is_not_offered(void **state)
{
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    world_until(w, 100);
    w->store_fails = true;
    world_phase1(w, gm);
    world_until(w, 1799); /* KEK: 1800 */
    world_ask(w, gm, BLUE);
    assert_true(gm->offer.has_sak && gm->offer.sak.lifetime == 1);
    world_until(w, 1800);
    expect_not_ready(w, gm);
    w->store_fails = false;
    world_until(w, 1900);
    world_pull(w, gm, BLUE);
    expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
    world_close(w);
}

static void an_ipsec_sa_without_a_live_key_is_not_offered(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct pull_client *gm = &w->gm[0];
    world_open(w);
    w->store_fails = true;
    world_until(w, 3600);
    world_phase1(w, gm);
    expect_not_ready(w, gm);
    w->store_fails = false;
    world_until(w, 3700);
    world_pull(w, gm, BLUE);
    assert_int_equal(gm->offer.n_sats, 2);
    world_close(w);
}

static bool is_in(const struct packet *p, struct bytes what)
{
    return memmem(p->data, p->len, what.data, what.len) != NULL;
}

static void no_key_is_ever_in_clear(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = open_world(two_groups_communication());
    struct pull_client *gm = &w->gm[0];
    const struct kek_generation *k = kek_of(w, GROUP_KEK_CURRENT);
    world_phase1(w, gm);
    world_ask(w, gm, BLUE);
    world_from(w, gm, pull_client_3(gm, NULL, room));
    struct packet answer = world_take(w);
    assert_false(is_in(&answer, bytes(k->key.b, 8)));
    assert_false(is_in(&answer, bytes(k->iv.b, 8)));
    assert_false(is_in(&answer, bytes(k->signer->spki, 16)));
    assert_int_equal(pull_client_4(gm, packet_bytes(&answer)), ERR_OK);
    expect_kek(gm, k);
    world_close(w);
}

/* ---- the signing key ---- */

static void give_key(struct world *w)
{
    struct job_result result;

    w->hold_sign_keys = false;
    world_run_job(&w->held, &result);
    server_job_done(w->server, w->now, &result, &w->out);
    job_result_wipe(&result);
    world_collect(w);
}

static void not_ready_while_the_key_is_made(void **state)
{
    uint8_t room[DATAGRAM_MAX];
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].communication = two_groups_communication();
    w->hold_sign_keys = true;
    world_open(w);
    assert_int_equal(w->n_held, 1);
    assert_int_equal(w->held.rsa_bits, 3072);
    struct pull_client *gm = &w->gm[0];
    world_phase1(w, gm);
    world_from(w, gm, pull_client_1(gm, BLUE, NULL, room));
    struct packet p = world_take(w);
    pull_client_phase1(gm, w->now, p.from, p.data, p.len);
    assert_int_equal(gm->notified, IKE1_NOTIFY_INVALID_ID_INFORMATION);
    assert_int_equal(gm->refusal.reason, GDOI_REASON_NOT_READY);
    world_says(w, EV_MEMBER_REFUSED, "what", "signs");
    world_says(w, EV_MEMBER_REFUSED, "statement", "server-member-communication");
    give_key(w);
    world_says(w, EV_SIGNING_KEY, "what", "own RSA key");
    world_pull(w, gm, BLUE);
    expect_kek(gm, kek_of(w, GROUP_KEK_CURRENT));
    world_close(w);
}

static void a_lost_job_is_given_away_again(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].communication = two_groups_communication();
    w->hold_sign_keys = true;
    world_open(w);
    struct job first = w->held;
    world_until(w, 59);
    assert_int_equal(w->n_held, 1);
    world_until(w, 60);
    assert_int_equal(w->n_held, 2);
    assert_true(w->held.id != first.id);
    assert_false(bytes_equal(BYTES_OF(w->held.entropy), BYTES_OF(first.entropy)));
    give_key(w);
    struct signing_key *key = w->server->signing.key;
    assert_non_null(key);
    w->held = first; /* it was only late: the first answer counts */
    give_key(w);
    assert_ptr_equal(w->server->signing.key, key);
    assert_int_equal(kek_of(w, GROUP_KEK_CURRENT)->number, 1);
    w->hold_sign_keys = true;
    world_until(w, 1000);
    assert_int_equal(w->n_held, 2);
    world_close(w);
}

static void a_failed_job_is_told_and_tried_again(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->m.groups[0].communication = two_groups_communication();
    w->hold_sign_keys = true;
    world_open(w);
    struct job_result failed = {.id = w->held.id, .kind = JOB_SIGN_KEY, .err = ERR_CRYPTO};
    server_job_done(w->server, w->now, &failed, &w->out);
    world_collect(w);
    world_says(w, EV_INTERNAL, "what", "RSA key");
    world_says(w, EV_INTERNAL, "error", "ERR_CRYPTO");
    assert_null(kek_of(w, GROUP_KEK_CURRENT));
    world_until(w, 60);
    assert_int_equal(w->n_held, 2);
    give_key(w);
    assert_non_null(kek_of(w, GROUP_KEK_CURRENT));
    world_close(w);
}

static void one_key_pair_serves_all_groups_and_only_those_that_need_it(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->hold_sign_keys = true;
    world_open(w);
    assert_int_equal(w->n_held, 0);
    world_close(w);

    w = world_new();
    w->m.groups[0].communication = w->m.groups[1].communication = two_groups_communication();
    w->hold_sign_keys = true;
    world_open(w);
    assert_int_equal(w->n_held, 1);
    give_key(w);
    const struct kek_generation *red = server_group(w->server, 1)->kek[GROUP_KEK_CURRENT],
                                *blue = kek_of(w, GROUP_KEK_CURRENT);
    assert_ptr_equal(red->signer, blue->signer);
    assert_false(bytes_equal(BYTES_OF(red->spi), BYTES_OF(blue->spi)));
    assert_false(bytes_equal(secret_bytes(&red->key), secret_bytes(&blue->key)));
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_given_the_kek),
        cmocka_unit_test(the_public_key_is_that_of_the_signing_key),
        cmocka_unit_test(every_cipher_and_sig_hash),
        cmocka_unit_test(seq_is_there_exactly_with_sak),
        cmocka_unit_test(foreign_members_are_not_asked_for_what_they_may_not_know),
        cmocka_unit_test(multicast_pushes_go_to_the_group_and_are_not_acknowledged),
        cmocka_unit_test(the_state_notification_names_the_kek),
        cmocka_unit_test(registrations_have_the_new_kek_from_its_creation_on),
        cmocka_unit_test(kek_and_seq_of_message_2_hold_until_message_4),
        cmocka_unit_test(a_key_that_has_ended_is_not_offered),
        cmocka_unit_test(an_ipsec_sa_without_a_live_key_is_not_offered),
        cmocka_unit_test(no_key_is_ever_in_clear),
        cmocka_unit_test(not_ready_while_the_key_is_made),
        cmocka_unit_test(a_lost_job_is_given_away_again),
        cmocka_unit_test(a_failed_job_is_told_and_tried_again),
        cmocka_unit_test(one_key_pair_serves_all_groups_and_only_those_that_need_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

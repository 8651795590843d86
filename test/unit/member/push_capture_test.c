/* The three pushes of the captured group at the member engine. It is given what the capture's PULL
 * brought (frames 8 and 10), and then hears frames 11 to 13 as they were sent: a new KEK, a new
 * TEK, and the end of both TEKs. */
#include "crypto/crypto.h"
#include "gdoi/push.h"
#include "member/vpn.h"
#include "test/hex.h"
#include "unit/gdoi/capture.h"
#include "unit/server/two_groups.h"

#include <stdlib.h>

static const struct endpoint server_at = {{4, {10, 0, 224, 44}}, 848},
                             heard_at = {{4, {239, 10, 1, 1}}, 848};
static const struct gdoi_dialect foreign = {.host_order_selectors = true};

enum { TEK_1 = 0x4b87c6a9, TEK_2 = 0x41a3362e, INSTALLED_MAX = 4 };

/* Milliseconds after frame 8, by the capture's clock. */
static const int64_t frame_at[] = {[11] = 25016, [12] = 30008, [13] = 42986};
static const int64_t pulled_ms = 1000000;

struct lab {
    struct capture capture;
    struct two_groups m;
    struct model_member_gateway gateway;
    struct model_vpn vpn;
    struct model_member model;
    struct member *member;
    struct effects out;
    size_t n_sas, n_closed, n_sent;
    struct esp_sa_install sas[INSTALLED_MAX];
    struct ip joined;
};
static struct lab *lab;

static instant_t after(int64_t ms) { return (instant_t){(pulled_ms + ms) * NS_PER_MS}; }

static void carry(void)
{
    for (const struct effect *e = lab->out.first; e; e = e->next) {
        lab->n_sent += e->kind == EFFECT_SEND;
        if (e->kind == EFFECT_MULTICAST)
            lab->joined = e->multicast.join ? e->multicast.group : IP_NONE;
        if (e->kind != EFFECT_INSTALL)
            continue;
        assert_true(e->install->n_sas <= INSTALLED_MAX);
        lab->n_sas = e->install->n_sas;
        lab->n_closed = e->install->n_closed;
        for (size_t i = 0; i < lab->n_sas; i++)
            lab->sas[i] = e->install->sas[i];
    }
    effects_reset(&lab->out);
}

static void member_of_the_group(void)
{
    static const uint8_t seed[DRBG_SEED] = {3};

    two_groups_init(&lab->m);
    lab->gateway = (struct model_member_gateway){.name = "foreign",
                                                 .policy = &lab->m.policy,
                                                 .servers = {server_at.ip},
                                                 .n_servers = 1,
                                                 .local_address = ip_v4(0x0a00e025)};
    lab->vpn = (struct model_vpn){
        .name = "v", .gateway = &lab->gateway, .group_id = 1234, .external_interface = "eth0"};
    lab->model = (struct model_member){
        .gateways = &lab->gateway, .n_gateways = 1, .vpns = &lab->vpn, .n_vpns = 1};
    struct member_config config = {.model = &lab->model,
                                   .local_port = GDOI_PORT,
                                   .server_port = GDOI_PORT,
                                   .dialect = &foreign,
                                   .transport_mode = true};
    assert_int_equal(member_new(&config, seed, &lab->member), ERR_OK);
}

/* As pull.c does with messages 2 and 4. */
static void pull(void)
{
    static struct gdoi_sa sa;
    struct capture_message m8, m10;
    struct policy_refusal refusal;
    struct gdoi_kd kd;
    struct kek kek;
    struct tek *teks[GDOI_TEKS_MAX];
    struct keyring_offer offer = {.teks = teks, .received = after(0)};
    struct vpn *v = &lab->member->vpns[0];
    size_t learned;

    capture_read(&lab->capture, 8, &m8);
    capture_read(&lab->capture, 10, &m10);
    assert_int_equal(gdoi_sa_parse(capture_payload(&m8, IKE1_PAYLOAD_SA)->body, &foreign,
                                   &lab->member->tolerated, &sa),
                     ERR_OK);
    assert_int_equal(policy_check(&sa, true, &refusal), ERR_OK);
    assert_int_equal(gdoi_kd_parse(capture_payload(&m10, IKE1_PAYLOAD_KD)->body, &kd, NULL),
                     ERR_OK);
    policy_kek(&sa, &kd, server_at.ip, after(0), 0, &kek);
    keks_pull(&v->keks, after(0), &kek);
    policy_teks(&sa, &kd, server_at.ip, after(0), teks, &offer.n);
    assert_int_equal(keyring_pull(&v->keys, after(0), &offer, &learned), ERR_OK);
    assert_int_equal(learned, 1);
    v->state = MEMBER_PULL;
    vpn_registered(lab->member, v, after(0), learned, &lab->out);
    v->due[DUE_ATTEMPT] = INSTANT_NEVER; /* the member of the capture did not register again */
    carry();
}

static int set_up(void **state)
{
    (void)state;
    lab = calloc(1, sizeof *lab);
    capture_load(&lab->capture);
    const char *text;
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    member_of_the_group();
    pull();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    member_free(lab->member);
    effects_free(&lab->out);
    free(lab);
    return 0;
}

static void give(size_t frame, instant_t now)
{
    uint8_t copy[CAPTURE_MESSAGE_MAX];
    struct bytes f = lab->capture.frame[frame];

    if (instant_reached(member_due(lab->member), now)) {
        member_timer(lab->member, now, &lab->out);
        carry();
    }
    memcpy(copy, f.data, f.len);
    member_datagram(lab->member, now, server_at, heard_at, copy, f.len, &lab->out);
    carry();
    lab->member->vpns[0].due[DUE_ATTEMPT] = INSTANT_NEVER;
}

static struct member_vpn_view view(void) { return member_vpn(lab->member, 0); }

static uint32_t tolerated(enum gdoi_tolerance t) { return member_tolerated(lab->member)->count[t]; }

static const struct esp_sa_install *installed(uint32_t spi)
{
    for (size_t i = 0; i < lab->n_sas; i++) {
        if (lab->sas[i].spi == spi)
            return &lab->sas[i];
    }
    fail_msg("%08x is not installed", spi);
    abort(); /* not reached; the compiler does not know */
}

static void all_three_are_taken(void **state)
{
    (void)state;
    assert_int_equal(installed(TEK_1)->slot, ESP_SLOT_CURRENT);
    assert_true(ip_equal(lab->joined, heard_at.ip));

    give(11, after(frame_at[11])); /* 16 ms after the old KEK's end */
    assert_octets(view().kek.cookies, hex("7833bdb5afd4d3e9f1ccf134c3e70075"));
    assert_octets(view().previous_kek.cookies, hex("b032d4d16df4842dcd9ac55b0782d707"));
    assert_int_equal(view().previous_kek.sequence, 1);
    assert_int_equal(view().pushes.keks_learned, 1);
    assert_int_equal(view().pushes.keys_learned, 0);
    assert_int_equal(lab->n_sas, 1);

    give(12, after(frame_at[12]));
    assert_int_equal(view().kek.sequence, 2);
    assert_int_equal(view().pushes.keks_learned, 1);
    const struct esp_sa_install *tek = installed(TEK_2);
    assert_int_equal(tek->slot, ESP_SLOT_CURRENT); /* no GAP: at once */
    assert_octets(secret_bytes(&tek->key), hex("ed019ec850d62a77583fc578d0e593fda7545a0ff01c65be"));
    assert_octets(secret_bytes(&tek->auth_key), hex("081d379e499e67999713fdac9e57e3d9541d8bbc"));
    assert_true(tek->transport_mode);
    assert_int_equal(installed(TEK_1)->slot, ESP_SLOT_PREVIOUS);

    give(13, after(frame_at[13]));
    assert_int_equal(lab->n_sas, 0);
    assert_int_equal(lab->n_closed, 1);
    assert_int_equal(view().pushes.keys_deleted, 2);
    assert_int_equal(view().kek.cookies.len, 16); /* the KEK stays */
    assert_int_equal(view().pushes.accepted, 3);
    assert_int_equal(lab->n_sent, 0); /* its SAKs ask for no acknowledgement */

    assert_int_equal(tolerated(TOLERATED_BARE_SIGNATURE), 3);
    assert_int_equal(tolerated(TOLERATED_PADDED_SIGNATURE), 0);
    assert_int_equal(tolerated(TOLERATED_OLD_KEK_SPI), 1);
    assert_int_equal(tolerated(TOLERATED_REPEATED_KEK), 1);
    assert_int_equal(tolerated(TOLERATED_SAK_PAD6), 3);
    assert_int_equal(tolerated(TOLERATED_LIFETIME_TV), 3);
}

static void none_is_taken_twice_or_changed(void **state)
{
    (void)state;
    give(11, after(frame_at[11]));
    give(11, after(frame_at[11]));
    assert_int_equal(view().pushes.rejected[ERR_REPLAY], 1);
    uint8_t *octet = lab->capture.file + (lab->capture.frame[12].data - lab->capture.file) + 300;
    *octet ^= 4;
    give(12, after(frame_at[12]));
    *octet ^= 4;
    assert_int_equal(view().pushes.accepted, 1);
    give(12, after(frame_at[12]));
    assert_int_equal(view().pushes.accepted, 2);
    assert_int_equal(lab->n_sas, 2);
}

/* Frames 12 and 13 are under a KEK that only frame 11 brings. */
static void without_the_first_the_others_are_nothing(void **state)
{
    (void)state;
    give(12, after(frame_at[12]));
    give(13, after(frame_at[13]));
    assert_int_equal(member_dropped(lab->member)[ERR_UNKNOWN_SA], 2);
    give(11, after(frame_at[11] + 5000)); /* and too late it is none either */
    assert_int_equal(member_dropped(lab->member)[ERR_UNKNOWN_SA], 3);
    assert_int_equal(lab->n_sas, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_three_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_is_taken_twice_or_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_first_the_others_are_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("member/push_capture", tests, NULL, NULL);
}

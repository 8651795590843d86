/* The three pushes of the captured group: a new KEK, a new TEK, a delete, each signed with RSA. */
#include "crypto/sign.h"
#include "gdoi/capture.h"
#include "gdoi/kd.h"
#include "gdoi/push.h"
#include "test/hex.h"

static struct capture capture;
static struct capture_message message[CAPTURE_FRAMES + 1];

static const struct gdoi_dialect foreign = {
    .sak_pad6 = true, .tv_lifetime = true, .host_order_selectors = true, .no_gap = true};

static int open_pushes(void **state)
{
    (void)state;
    capture_load(&capture);
    for (size_t n = 10; n <= CAPTURE_FRAMES; n++)
        capture_read(&capture, n, &message[n]);
    return 0;
}

static struct bytes body(size_t frame, uint8_t type)
{
    return capture_payload(&message[frame], type)->body;
}

static void headers_name_the_kek(void **state)
{
    static const char *const spi[] = {"b032d4d16df4842dcd9ac55b0782d707",
                                      "7833bdb5afd4d3e9f1ccf134c3e70075",
                                      "7833bdb5afd4d3e9f1ccf134c3e70075"};
    static const size_t pad[] = {2, 2, 0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct capture_message *m = &message[11 + i];
        uint32_t seq = 0;
        assert_octets(ike1_cookies_bytes(&m->header.cookies), hex(spi[i]));
        assert_int_equal(m->header.exchange, IKE1_EXCHANGE_GROUPKEY_PUSH);
        assert_int_equal(m->header.message_id, 0);
        assert_int_equal(m->header.next_payload, IKE1_PAYLOAD_SEQ);
        assert_int_equal(m->pad, pad[i]);
        assert_int_equal(gdoi_seq_parse(body(11 + i, IKE1_PAYLOAD_SEQ), &seq), ERR_OK);
        assert_int_equal(seq, i + 1);
    }
}

static void open_policy(size_t frame, struct gdoi_sa *sa, struct gdoi_kd *kd,
                        struct gdoi_tolerated *t)
{
    const struct ike1_cookies *carrier = &message[frame].header.cookies;

    assert_int_equal(gdoi_sa_parse(body(frame, IKE1_PAYLOAD_SA), &foreign, t, sa), ERR_OK);
    assert_int_equal(gdoi_kd_parse(body(frame, IKE1_PAYLOAD_KD), kd, NULL), ERR_OK);
    assert_int_equal(gdoi_kd_match(sa, kd, carrier, t), ERR_OK);
}

static struct gdoi_tolerated always_tolerated(void)
{
    struct gdoi_tolerated t = {0};
    t.count[TOLERATED_SAK_PAD6] = 1;
    t.count[TOLERATED_LIFETIME_TV] = 1;
    t.count[TOLERATED_RESERVED_VALUE] = 2;
    t.count[TOLERATED_SELECTORS_SWAPPED] = 1;
    t.count[TOLERATED_KEY_PARITY] = 2;
    return t;
}

/* The KD bears the SPI of the KEK that carries it, the SAK that of the new one. */
static void frame_11_brings_a_new_kek_and_the_same_tek(void **state)
{
    static struct gdoi_sa sa;
    struct gdoi_kd kd;
    struct gdoi_tolerated t = {0}, want = always_tolerated();

    (void)state;
    open_policy(11, &sa, &kd, &t);
    want.count[TOLERATED_OLD_KEK_SPI] = 1;
    assert_memory_equal(&t, &want, sizeof t);
    assert_octets(ike1_cookies_bytes(&sa.sak.spi), hex("7833bdb5afd4d3e9f1ccf134c3e70075"));
    assert_octets(ike1_cookies_bytes(&kd.kek.spi), hex("b032d4d16df4842dcd9ac55b0782d707"));
    assert_octets(kd.kek.iv_and_key, hex(CAPTURE_KEK2_IV_KEY));
    assert_int_equal(sa.sats[0].spi, 0x4b87c6a9);
    assert_int_equal(sa.sats[0].life.seconds, 35);
    assert_octets(kd.teks[0].cipher_key, hex("589589b309e429910786a81897cba5c3854982ab2931baa9"));

    /* A PULL has no carrier that would explain the other SPI. */
    assert_int_equal(gdoi_kd_match(&sa, &kd, NULL, NULL), ERR_CONFLICT);
}

static void frame_12_brings_a_new_tek_and_the_same_kek(void **state)
{
    static struct gdoi_sa sa;
    struct gdoi_kd kd;
    struct gdoi_tolerated t = {0}, want = always_tolerated();

    (void)state;
    open_policy(12, &sa, &kd, &t);
    assert_memory_equal(&t, &want, sizeof t);
    assert_octets(ike1_cookies_bytes(&kd.kek.spi), hex("7833bdb5afd4d3e9f1ccf134c3e70075"));
    assert_octets(kd.kek.iv_and_key, hex(CAPTURE_KEK2_IV_KEY));
    assert_int_equal(sa.sats[0].spi, 0x41a3362e);
    assert_int_equal(sa.sats[0].life.seconds, 60);
    assert_octets(kd.teks[0].cipher_key, hex("ed019ec850d62a77583fc578d0e593fda7545a0ff01c65be"));
    assert_octets(kd.teks[0].integrity_key, hex("081d379e499e67999713fdac9e57e3d9541d8bbc"));
}

static void frame_13_deletes_both_teks(void **state)
{
    struct ike1_delete d;
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);

    (void)state;
    assert_int_equal(ike1_delete_parse(body(13, IKE1_PAYLOAD_D), &d), ERR_OK);
    assert_int_equal(gdoi_delete_check(&d, NULL), ERR_OK);
    assert_int_equal(d.protocol, GDOI_PROTOCOL_ESP);
    assert_int_equal(d.n_spis, 2);
    assert_false(gdoi_delete_all(&d));
    assert_int_equal(gdoi_delete_tek(&d, 0), 0x4b87c6a9);
    assert_int_equal(gdoi_delete_tek(&d, 1), 0x41a3362e);

    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_delete_teks_write(&c, (const uint32_t[]){0x4b87c6a9, 0x41a3362e}, 2);
    assert_octets(bytes(out + 5, w.len - 5), body(13, IKE1_PAYLOAD_D));
}

/* The key of frame 10 signs all three: bare hash, Length without padding (decisions M16). */
static void every_signature_checks(void **state)
{
    static const struct {
        size_t octets;
        const char *sha1;
    } want[] = {{595, "dcea10e9cc79d77afd2842e421b60d2b976732d7"},
                {595, "c03315188a76f151f590f0637434216b2f66aca0"},
                {61, "1961d2272d4b83bc0e377ac2bc595c8173857ec8"}};
    static const enum rsa_form forms[] = {RSA_DIGEST_INFO, RSA_BARE_HASH};
    struct gdoi_kd kd;
    struct verify_key *key = NULL;

    (void)state;
    assert_int_equal(gdoi_kd_parse(body(10, IKE1_PAYLOAD_KD), &kd, NULL), ERR_OK);
    assert_int_equal(verify_key_from_der(kd.kek.sig_key, &key), ERR_OK);
    assert_int_equal(verify_key_bits(key), 2048);
    for (size_t i = 0; i < 3; i++) {
        const struct capture_message *m = &message[11 + i];
        struct bytes label = bytes_str(GDOI_REKEY_LABEL);
        uint8_t unpadded[HASH_MAX], padded[HASH_MAX];
        struct gdoi_signed s;
        size_t which = 9;

        assert_int_equal(gdoi_signed_of(m->datagram, &m->chain, &s), ERR_OK);
        assert_int_equal(label.len + sizeof s.header + s.payloads.len, want[i].octets);
        hash_parts(HASH_SHA1, PARTS(label, BYTES_OF(s.header), s.payloads), unpadded);
        hash_parts(HASH_SHA1, PARTS(label, BYTES_OF(s.received), s.payloads), padded);
        assert_octets(bytes(unpadded, 20), hex(want[i].sha1));
        assert_int_equal(bytes_equal(bytes(unpadded, 20), bytes(padded, 20)), m->pad == 0);

        struct bytes digests[] = {bytes(padded, 20), bytes(unpadded, 20)};
        size_t first = m->pad == 0 ? 0 : 1; /* which of the digests is the one signed */
        assert_int_equal(rsa_verify(key, HASH_SHA1, forms, 2, digests, 2, s.signature, &which),
                         ERR_OK);
        assert_int_equal(which, RSA_BARE_HASH + 2 * first);

        unpadded[0] ^= 1;
        assert_int_equal(rsa_verify(key, HASH_SHA1, forms, 2, &digests[1], 1, s.signature, &which),
                         ERR_AUTH);
    }
    verify_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_name_the_kek),
        cmocka_unit_test(frame_11_brings_a_new_kek_and_the_same_tek),
        cmocka_unit_test(frame_12_brings_a_new_tek_and_the_same_kek),
        cmocka_unit_test(frame_13_deletes_both_teks),
        cmocka_unit_test(every_signature_checks),
    };
    return cmocka_run_group_tests_name("gdoi/capture_push", tests, open_pushes, NULL);
}

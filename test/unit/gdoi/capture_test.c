/* A foreign group opened from its secrets: phase 1 and registration. The pushes are in
 * capture_push_test.c. */
#include "gdoi/capture.h"
#include "gdoi/id.h"
#include "gdoi/kd.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "ike1/sa.h"
#include "test/hex.h"

static struct capture capture;
static struct capture_message message[CAPTURE_FRAMES + 1];

static const struct gdoi_dialect foreign = {
    .sak_pad6 = true, .tv_lifetime = true, .host_order_selectors = true, .no_gap = true};

static int open_all(void **state)
{
    (void)state;
    capture_load(&capture);
    for (size_t n = 1; n <= CAPTURE_FRAMES; n++)
        capture_read(&capture, n, &message[n]);
    return 0;
}

static struct bytes whole(size_t frame, uint8_t type)
{
    return capture_payload(&message[frame], type)->whole;
}
static struct bytes body(size_t frame, uint8_t type)
{
    return capture_payload(&message[frame], type)->body;
}
static struct bytes initiator(void) { return BYTES_OF(message[2].header.cookies.i); }
static struct bytes responder(void) { return BYTES_OF(message[2].header.cookies.r); }

static void the_shapes_are_those_of_the_tables(void **state)
{
    static const enum ike1_message phase1[] = {IKE1_MAIN_1, IKE1_MAIN_2, IKE1_MAIN_3,
                                               IKE1_MAIN_4, IKE1_MAIN_5, IKE1_MAIN_6};
    static const enum gdoi_message group[] = {GDOI_PULL_1, GDOI_PULL_2, GDOI_PULL_3, GDOI_PULL_4,
                                              GDOI_PUSH,   GDOI_PUSH,   GDOI_PUSH};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(phase1); i++)
        assert_int_equal(ike1_shape_check(ike1_shape_of(phase1[i]), &message[1 + i].chain, NULL),
                         ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(group); i++)
        assert_int_equal(gdoi_shape_check(group[i], &message[7 + i].chain, NULL), ERR_OK);
}

static void headers_are_written_as_they_were_read(void **state)
{
    (void)state;
    for (size_t n = 1; n <= CAPTURE_FRAMES; n++) {
        uint8_t out[CAPTURE_MESSAGE_MAX];
        struct wr w = wr_of(out, sizeof out);
        struct chain_wr c = ike1_header_write(&w, &message[n].header);
        for (size_t i = 0; i < message[n].chain.n; i++)
            ike1_data_write(&c, message[n].chain.p[i].type, message[n].chain.p[i].body);
        ike1_message_end(&w);
        ike1_message_pad(&w, n < 5 ? 1 : CAPTURE_BLOCK);
        assert_octets(wr_bytes(&w), message[n].datagram);
    }
}

/* The same proposal in both directions, with transform number 0. */
static void the_phase_1_proposal_is_read_and_written(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        struct ike1_sa sa;
        struct ike1_phase1 p;
        assert_int_equal(ike1_sa_parse(body(n, IKE1_PAYLOAD_SA), &sa), ERR_OK);
        assert_int_equal(sa.doi, IKE1_DOI_GDOI);
        assert_int_equal(sa.situation, 0);
        assert_int_equal(sa.n_transforms, 1);
        assert_int_equal(sa.transforms[0].number, 0);
        assert_int_equal(ike1_phase1_parse(sa.transforms[0].attributes, &p), ERR_OK);
        assert_int_equal(p.encryption, IKE1_ENCRYPTION_3DES);
        assert_int_equal(p.hash, IKE1_HASH_SHA1);
        assert_int_equal(p.auth, IKE1_AUTH_PSK);
        assert_int_equal(p.group, 2);
        assert_true(p.life.has_seconds && !p.life.has_kilobytes);
        assert_int_equal(p.life.seconds, 60);

        uint8_t out[256] = {0};
        struct wr w = wr_of(out, sizeof out);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        ike1_sa_write(&c, &sa);
        assert_octets(bytes(out + 1, w.len - 1), whole(n, IKE1_PAYLOAD_SA));
    }
}

/* RFC 2409 5: the chain of keys from the pre-shared key and g^xy. */
static void the_keys_follow_from_the_secrets(void **state)
{
    struct bytes ni = body(3, IKE1_PAYLOAD_NONCE), nr = body(4, IKE1_PAYLOAD_NONCE);
    struct bytes shared = capture_secret("g^xy"), psk = bytes_str("mekmitasdigoat");
    struct bytes i = initiator(), r = responder();

    (void)state;
    SECRET id = prf(HASH_SHA1, psk, PARTS(ni, nr));
    SECRET d = prf(HASH_SHA1, secret_bytes(&id), PARTS(shared, i, r, hex("00")));
    SECRET a = prf(HASH_SHA1, secret_bytes(&id), PARTS(secret_bytes(&d), shared, i, r, hex("01")));
    SECRET e = prf(HASH_SHA1, secret_bytes(&id), PARTS(secret_bytes(&a), shared, i, r, hex("02")));
    assert_octets(secret_bytes(&id), capture_secret("SKEYID"));
    assert_octets(secret_bytes(&d), capture_secret("SKEYID_d"));
    assert_octets(secret_bytes(&a), capture_secret("SKEYID_a"));
    assert_octets(secret_bytes(&e), capture_secret("SKEYID_e"));

    /* RFC 2409 appendix B: 24 octets of key from 20 of SKEYID_e. */
    uint8_t key[40];
    hmac_parts(HASH_SHA1, secret_bytes(&e), PARTS(hex("00")), key);
    hmac_parts(HASH_SHA1, secret_bytes(&e), PARTS(bytes(key, 20)), key + 20);
    assert_octets(bytes(key, 24), capture_secret("phase 1 3DES key (SKEYID_e expanded)"));

    uint8_t iv[HASH_MAX];
    hash_parts(HASH_SHA1, PARTS(body(3, IKE1_PAYLOAD_KE), body(4, IKE1_PAYLOAD_KE)), iv);
    assert_octets(bytes(iv, CAPTURE_BLOCK), capture_secret("phase 1 IV after message 4"));
}

/* HASH_I and HASH_R: the publics and the cookies change places. */
static void phase_1_authenticates_both_ends(void **state)
{
    struct bytes skeyid = capture_secret("SKEYID"), sai = body(1, IKE1_PAYLOAD_SA);
    struct bytes gi = body(3, IKE1_PAYLOAD_KE), gr = body(4, IKE1_PAYLOAD_KE);

    (void)state;
    for (size_t n = 5; n <= 6; n++) {
        bool first = n == 5;
        struct bytes idb = body(n, IKE1_PAYLOAD_ID), hash;
        assert_int_equal(ike1_data_parse(IKE1_PAYLOAD_HASH, body(n, IKE1_PAYLOAD_HASH), &hash),
                         ERR_OK);
        assert_true(
            hmac_check(HASH_SHA1, skeyid,
                       PARTS(first ? gi : gr, first ? gr : gi, first ? initiator() : responder(),
                             first ? responder() : initiator(), sai, idb),
                       hash));
        struct ike1_id id;
        char text[IKE1_ID_TEXT_MAX];
        assert_int_equal(ike1_id_parse(idb, &id), ERR_OK);
        assert_int_equal(ike1_id_check_phase1(&id), ERR_OK);
        assert_string_equal(ike1_id_text(&id, text, sizeof text),
                            first ? "10.0.224.37" : "10.0.224.44");
    }
}

static void initial_contact_rides_along(void **state)
{
    (void)state;
    for (size_t n = 5; n <= 6; n++) {
        struct ike1_notify notify;
        assert_int_equal(ike1_notify_parse(body(n, IKE1_PAYLOAD_N), &notify), ERR_OK);
        assert_int_equal(notify.doi, IKE1_DOI_IPSEC);
        assert_int_equal(notify.protocol, IKE1_PROTOCOL_ISAKMP);
        assert_int_equal(notify.type, IKE1_NOTIFY_INITIAL_CONTACT);
        assert_octets(notify.spi, ike1_cookies_bytes(&message[2].header.cookies));
        assert_int_equal(notify.data.len, 0);
        assert_int_equal(message[n].pad, 0);
    }
}

static void the_ivs_of_the_pull_chain(void **state)
{
    static const char *const iv[] = {"3aac7d300be4accf", "116c732c06f9d4d3", "f0a9770d69363a18",
                                     "6620fb278c1e86d5"};
    static const size_t plain[] = {56, 174, 24, 456}, pad[] = {0, 2, 0, 0};
    struct bytes phase1_last = hex("cf836972c1c8ff27");
    uint8_t digest[HASH_MAX];

    (void)state;
    assert_octets(bytes(capture.frame[6].data + 84, CAPTURE_BLOCK), phase1_last);
    hash_parts(HASH_SHA1, PARTS(phase1_last, hex("a44bca75")), digest);
    assert_octets(bytes(digest, CAPTURE_BLOCK), hex(iv[0]));
    for (size_t i = 0; i < 4; i++) {
        struct capture_message m;
        struct bytes key = capture_secret("phase 1 3DES key (SKEYID_e expanded)");
        capture_open(&capture, 7 + i, key, hex(iv[i]), &m);
        assert_int_equal(m.chain.len, plain[i]);
        assert_int_equal(m.pad, pad[i]);
        assert_octets(m.datagram, message[7 + i].datagram);
    }
}

/* HASH(1) to HASH(4): M-ID | nonces | everything after the HASH payload (RFC 6407 3.2). */
static void every_hash_of_the_pull_checks(void **state)
{
    struct bytes key = capture_secret("SKEYID_a"), none = bytes(NULL, 0);
    struct bytes ni = body(7, IKE1_PAYLOAD_NONCE), nr = body(8, IKE1_PAYLOAD_NONCE);

    (void)state;
    for (size_t n = 7; n <= 10; n++) {
        struct bytes message_id = bytes(message[n].data + 20, 4);
        struct bytes hash = body(n, IKE1_PAYLOAD_HASH);
        struct bytes parts[] = {message_id, n > 7 ? ni : none, n > 8 ? nr : none,
                                ike1_after_hash(&message[n].chain)};
        assert_octets(message_id, hex("a44bca75"));
        assert_int_equal(hash.len, hash_len(HASH_SHA1));
        assert_true(hmac_check(HASH_SHA1, key, parts, ARRAY_LEN(parts), hash));
    }
    assert_int_equal(ike1_after_hash(&message[9].chain).len, 0);
}

/* The group is 1234, written in the other byte order. */
static void the_group_is_named_in_the_wrong_order(void **state)
{
    struct gdoi_group_id id;

    (void)state;
    assert_int_equal(gdoi_group_id_parse(body(7, IKE1_PAYLOAD_ID), &id), ERR_OK);
    assert_int_equal(id.type, IKE1_ID_KEY_ID);
    assert_int_equal(id.exact, 0xd2040000);
    assert_int_equal(id.swapped, 1234);
}

static void assert_endpoint(const struct endpoint *e, const char *want)
{
    char text[ENDPOINT_TEXT_MAX];
    assert_string_equal(endpoint_text(*e, text, sizeof text), want);
}

static void assert_prefix(struct prefix p, const char *want)
{
    char text[PREFIX_TEXT_MAX];
    assert_string_equal(prefix_text(p, text, sizeof text), want);
}

static void the_policy_comes_out(void **state)
{
    static struct gdoi_sa sa;
    struct gdoi_tolerated t = {0};

    (void)state;
    assert_int_equal(gdoi_sa_parse(body(8, IKE1_PAYLOAD_SA), &foreign, &t, &sa), ERR_OK);
    assert_true(sa.has_sak && !sa.has_gap);
    assert_int_equal(sa.sak.protocol, 17);
    assert_endpoint(&sa.sak.src, "10.0.224.44:848");
    assert_endpoint(&sa.sak.dst, "239.10.1.1:848");
    assert_octets(ike1_cookies_bytes(&sa.sak.spi), hex("b032d4d16df4842dcd9ac55b0782d707"));
    assert_int_equal(sa.sak.algorithm, GDOI_KEK_ALG_3DES);
    assert_int_equal(sa.sak.key_length, 0);
    assert_true(sa.sak.has_lifetime);
    assert_int_equal(sa.sak.lifetime, 25);
    assert_int_equal(sa.sak.sig_hash, GDOI_SIG_HASH_SHA1);
    assert_int_equal(sa.sak.sig_algorithm, GDOI_SIG_ALG_RSA);
    assert_int_equal(sa.sak.sig_key_length, 2048);
    assert_int_equal(sa.sak.ack, 0);

    assert_int_equal(sa.n_sats, 1);
    const struct gdoi_sat *sat = &sa.sats[0];
    assert_int_equal(sat->protocol_id, GDOI_PROTOCOL_ESP);
    assert_int_equal(sat->ip_protocol, 0);
    assert_prefix(sat->src, "10.0.224.37/32");
    assert_prefix(sat->dst, "239.1.1.1/32");
    assert_int_equal(sat->transform, GDOI_ESP_3DES);
    assert_int_equal(sat->spi, 0x4b87c6a9);
    assert_int_equal(sat->life.seconds, 60);
    assert_int_equal(sat->encapsulation, GDOI_ENCAPSULATION_TRANSPORT);
    assert_int_equal(sat->auth, GDOI_AUTH_HMAC_SHA1);
    assert_int_equal(sat->preserve, 0);
    assert_int_equal(sat->direction, 0);

    struct gdoi_tolerated want = {0};
    want.count[TOLERATED_SAK_PAD6] = 1;
    want.count[TOLERATED_LIFETIME_TV] = 1;
    want.count[TOLERATED_RESERVED_VALUE] = 2;
    want.count[TOLERATED_SELECTORS_SWAPPED] = 1;
    assert_memory_equal(&t, &want, sizeof t);
}

static void the_keys_come_out(void **state)
{
    static struct gdoi_sa sa;
    struct gdoi_kd kd;
    struct gdoi_tolerated t = {0}, want = {0};
    uint32_t seq = 1;

    (void)state;
    assert_int_equal(gdoi_seq_parse(body(10, IKE1_PAYLOAD_SEQ), &seq), ERR_OK);
    assert_int_equal(seq, 0);
    assert_int_equal(gdoi_sa_parse(body(8, IKE1_PAYLOAD_SA), &foreign, NULL, &sa), ERR_OK);
    assert_int_equal(gdoi_kd_parse(body(10, IKE1_PAYLOAD_KD), &kd, NULL), ERR_OK);
    assert_int_equal(gdoi_kd_match(&sa, &kd, NULL, &t), ERR_OK);
    want.count[TOLERATED_KEY_PARITY] = 2;
    assert_memory_equal(&t, &want, sizeof t);

    struct bytes iv, key;
    assert_octets(kd.kek.iv_and_key, hex(CAPTURE_KEK1_IV_KEY));
    assert_int_equal(gdoi_kek_split(&sa.sak, kd.kek.iv_and_key, &iv, &key), ERR_OK);
    assert_octets(iv, hex("e80bdac97d10672f"));
    assert_octets(key, hex("d295455ca75f99c5dae4dc49b5531985ac093040ddae201c"));
    assert_int_equal(kd.kek.sig_key.len, 294);
    assert_int_equal(kd.n_teks, 1);
    assert_octets(kd.teks[0].cipher_key, hex("589589b309e429910786a81897cba5c3854982ab2931baa9"));
    assert_octets(kd.teks[0].integrity_key, hex("56f0f9dc7ce72c2c2b3f33d597802cb8b5719d72"));
}

/* Payloads that the peer wrote as we would are written to the octet. */
static void what_is_canonical_is_written_the_same(void **state)
{
    uint8_t out[CAPTURE_MESSAGE_MAX];
    struct gdoi_kd kd;

    (void)state;
    for (size_t n = 10; n <= 12; n++) {
        struct wr w = wr_of(out, sizeof out);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        assert_int_equal(gdoi_kd_parse(body(n, IKE1_PAYLOAD_KD), &kd, NULL), ERR_OK);
        gdoi_kd_write(&c, &kd);
        struct bytes was = whole(n, IKE1_PAYLOAD_KD);
        assert_int_equal(out[0], IKE1_PAYLOAD_KD);
        assert_octets(bytes(out + 2, w.len - 2), bytes(was.data + 1, was.len - 1));
    }
}

/* With the peer's dialect a SA comes out as it came in, but for its two attributes of reserved
 * value at the very end. */
static void the_dialect_writes_what_the_peer_wrote(void **state)
{
    static struct gdoi_sa sa;
    static const size_t frames[] = {8, 11, 12};
    enum { RESERVED_VALUES = 8, LENGTH_AT = 3, SAT_LENGTH_AT = 16 + 63 + 3 };
    uint8_t out[CAPTURE_MESSAGE_MAX], was[CAPTURE_MESSAGE_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        struct bytes original = whole(frames[i], IKE1_PAYLOAD_SA);
        struct wr w = wr_of(out, sizeof out);
        wr_u8(&w, 0);
        struct chain_wr c = chain_first(&w, 0);
        assert_int_equal(gdoi_sa_parse(body(frames[i], IKE1_PAYLOAD_SA), &foreign, NULL, &sa),
                         ERR_OK);
        gdoi_sa_write(&c, &foreign, &sa);

        size_t len = original.len - RESERVED_VALUES;
        memcpy(was, original.data, original.len);
        assert_octets(bytes(was + len, RESERVED_VALUES), hex("800e0000 800f0000"));
        was[0] = 0; /* next payload */
        was[LENGTH_AT] = (uint8_t)(was[LENGTH_AT] - RESERVED_VALUES);
        was[SAT_LENGTH_AT] = (uint8_t)(was[SAT_LENGTH_AT] - RESERVED_VALUES);
        assert_octets(bytes(out + 1, w.len - 1), bytes(was, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shapes_are_those_of_the_tables),
        cmocka_unit_test(headers_are_written_as_they_were_read),
        cmocka_unit_test(the_phase_1_proposal_is_read_and_written),
        cmocka_unit_test(the_keys_follow_from_the_secrets),
        cmocka_unit_test(phase_1_authenticates_both_ends),
        cmocka_unit_test(initial_contact_rides_along),
        cmocka_unit_test(the_ivs_of_the_pull_chain),
        cmocka_unit_test(every_hash_of_the_pull_checks),
        cmocka_unit_test(the_group_is_named_in_the_wrong_order),
        cmocka_unit_test(the_policy_comes_out),
        cmocka_unit_test(the_keys_come_out),
        cmocka_unit_test(what_is_canonical_is_written_the_same),
        cmocka_unit_test(the_dialect_writes_what_the_peer_wrote),
    };
    return cmocka_run_group_tests_name("gdoi/capture", tests, open_all, NULL);
}

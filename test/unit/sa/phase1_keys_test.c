/* The chain of keys, and the captured main mode fed to both roles from its secrets
 * (test/vectors/gdoi-reference). */
#include "unit/sa/duo.h"

#include "hex.h"
#include "sa/phase1_internal.h"
#include "unit/gdoi/capture.h"

/* --- keys alone --- */

static struct ike1_cookies captured_cookies(void)
{
    struct ike1_cookies c;
    memcpy(c.i, capture_secret("initiator cookie").data, sizeof c.i);
    memcpy(c.r, capture_secret("responder cookie").data, sizeof c.r);
    return c;
}

static void captured_chain(void **state)
{
    (void)state;
    static struct capture c;
    uint8_t keys[HASH_MAX + 32];
    capture_load(&c);
    struct ike1_cookies cookies = captured_cookies();
    SECRET skeyid = secret_of(capture_secret("SKEYID"));
    phase1_keys_derive(HASH_SHA1, CIPHER_3DES_CBC, &skeyid, capture_secret("g^xy"), &cookies, keys);
    assert_octets(bytes(keys, 20), capture_secret("SKEYID_a"));
    assert_octets(bytes(keys + 20, 24), capture_secret("phase 1 3DES key (SKEYID_e expanded)"));
}

/* prf(k, data) over one part */
static struct secret prf1(enum hash h, const struct secret *k, struct bytes data)
{
    return prf(h, secret_bytes(k), &data, 1);
}

/* Appendix B by hand, for each length of key against each hash. */
static void expansion(void **state)
{
    (void)state;
    duo_free(duo_new());
    static const struct {
        enum hash hash;
        enum cipher cipher;
    } cases[] = {{HASH_MD5, CIPHER_AES_128_CBC},    {HASH_MD5, CIPHER_AES_256_CBC},
                 {HASH_SHA1, CIPHER_AES_256_CBC},   {HASH_SHA256, CIPHER_AES_256_CBC},
                 {HASH_SHA512, CIPHER_AES_192_CBC}, {HASH_MD5, CIPHER_3DES_CBC}};
    struct ike1_cookies cookies = {"cookie-i", "cookie-r"};
    struct bytes ck = ike1_cookies_bytes(&cookies), gxy = bytes_str("g^xy");
    static const uint8_t n[] = {0, 1, 2};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum hash h = cases[i].hash;
        size_t len = cipher_key_len(cases[i].cipher);
        SECRET skeyid = secret_of(bytes_str("some skeyid"));
        uint8_t keys[HASH_MAX + 32];
        phase1_keys_derive(h, cases[i].cipher, &skeyid, gxy, &cookies, keys);
        SECRET d = prf(h, secret_bytes(&skeyid), PARTS(gxy, ck, bytes(n, 1)));
        SECRET a = prf(h, secret_bytes(&skeyid), PARTS(secret_bytes(&d), gxy, ck, bytes(n + 1, 1)));
        SECRET e = prf(h, secret_bytes(&skeyid), PARTS(secret_bytes(&a), gxy, ck, bytes(n + 2, 1)));
        assert_octets(bytes(keys, a.len), secret_bytes(&a));
        uint8_t want[3 * HASH_MAX];
        if (e.len >= len) {
            memcpy(want, e.b, len);
        } else {
            SECRET k1 = prf1(h, &e, bytes(n, 1));
            SECRET k2 = prf1(h, &e, secret_bytes(&k1));
            memcpy(want, k1.b, k1.len);
            memcpy(want + k1.len, k2.b, k2.len);
        }
        assert_octets(bytes(keys + a.len, len), bytes(want, len));
    }
}

/* A weak or semi-weak group of eight is passed over. */
static void weak_des_keys(void **state)
{
    (void)state;
    uint8_t key[PHASE1_DES_KEY];
    SECRET first = secret_of(hex("0123456789abcdef 1111111111111111"));
    phase1_des_key(&first, key);
    assert_octets(BYTES_OF(key), hex("0123456789abcdef"));
    SECRET second = secret_of(hex("0101010101010101 0123456789abcdef"));
    phase1_des_key(&second, key);
    assert_octets(BYTES_OF(key), hex("0123456789abcdef"));
    SECRET third = secret_of(hex("01fe01fe01fe01fe fefefefefefefefe 0123456789abcdef"));
    phase1_des_key(&third, key);
    assert_octets(BYTES_OF(key), hex("0123456789abcdef"));
}

/* --- the capture --- */

struct replay {
    struct capture capture;
    struct model_ike_proposal proposal;
    const struct model_ike_proposal *list[1];
    struct model_ike_policy policy;
    struct phase1_peer peer;
    struct drbg drbg;
    struct phase1_table *table;
    struct effects out;
    struct endpoint us, them;
    instant_t now;
};

static const uint32_t MEMBER = 0x0a00e025, SERVER = 0x0a00e02c;

static struct replay *replay_new(bool responder)
{
    struct replay *r = calloc(1, sizeof *r);
    uint8_t seed[DRBG_SEED] = {3};
    assert_non_null(r);
    capture_load(&r->capture);
    r->drbg = drbg_of(seed);
    r->proposal = duo_proposal(MODEL_IKE_3DES, 0, MODEL_IKE_SHA1, 2, 60);
    r->list[0] = &r->proposal;
    r->policy = (struct model_ike_policy){.name = "captured",
                                          .mode = MODEL_MODE_MAIN,
                                          .proposals = r->list,
                                          .n_proposals = 1,
                                          .psk = bytes_str("mekmitasdigoat")};
    r->us = (struct endpoint){ip_v4(responder ? SERVER : MEMBER), IKE_PORT};
    r->them = (struct endpoint){ip_v4(responder ? MEMBER : SERVER), IKE_PORT};
    r->peer = (struct phase1_peer){.name = "captured", .policy = &r->policy, .address = r->them.ip};
    struct phase1_config config = {&r->peer, 1, responder};
    assert_int_equal(phase1_table_new(&config, &r->drbg, &r->table), ERR_OK);
    return r;
}

static void replay_free(struct replay *r)
{
    phase1_table_free(r->table);
    effects_free(&r->out);
    free(r);
}

static struct phase1_outcome feed(struct replay *r, size_t frame)
{
    uint8_t datagram[1024];
    struct bytes f = r->capture.frame[frame];
    struct ike1_header h;
    assert_true(f.len <= sizeof datagram);
    memcpy(datagram, f.data, f.len);
    effects_reset(&r->out);
    assert_int_equal(ike1_header_parse(f, &h), ERR_OK);
    return phase1_datagram(r->table, r->now, r->them, r->us, &h, datagram, f.len, &r->out);
}

/* KE and nonce of the captured message. */
static void captured_ke(const struct replay *r, size_t frame, struct phase1_blob *public,
                        struct phase1_blob *nonce)
{
    struct capture_message m;
    capture_read(&r->capture, frame, &m);
    if (public)
        phase1_blob_set(public, capture_payload(&m, IKE1_PAYLOAD_KE)->body);
    phase1_blob_set(nonce, capture_payload(&m, IKE1_PAYLOAD_NONCE)->body);
}

/* The result that our job would have had, with the captured private value. */
static struct job_result captured_keys(struct replay *r, struct phase1_sa *sa, size_t frame)
{
    struct job_result k = {.id = sa->hs->job, .kind = JOB_PHASE1_KEYS};
    struct capture_message m;
    capture_read(&r->capture, frame, &m);
    struct bytes public = capture_payload(&m, IKE1_PAYLOAD_KE)->body, gxy = capture_secret("g^xy");
    memcpy(k.public, public.data, k.public_len = public.len);
    memcpy(k.shared.b, gxy.data, k.shared.len = gxy.len);
    k.skeyid = prf(HASH_SHA1, r->policy.psk,
                   PARTS(phase1_blob_bytes(&sa->hs->nonce_i), phase1_blob_bytes(&sa->hs->nonce_r)));
    assert_octets(secret_bytes(&k.skeyid), capture_secret("SKEYID"));
    return k;
}

static struct bytes sent(const struct replay *r)
{
    const struct effect *e = r->out.first;
    while (e && e->kind != EFFECT_SEND)
        e = e->next;
    if (!e)
        fail();
    return e ? e->send.datagram : bytes(NULL, 0);
}

/* Our message's cipher text is the captured one as far as ID and HASH go; then the peer's own
 * extras follow. */
static void assert_same_id_and_hash(struct bytes ours, struct bytes captured)
{
    enum { ID_AND_HASH = 32 }; /* 12 + 24 octets: four whole blocks of 3DES */
    assert_octets(bytes(ours.data + IKE1_HEADER, ID_AND_HASH),
                  bytes(captured.data + IKE1_HEADER, ID_AND_HASH));
}

/* The IVs of the PULL and its first message, under the SA. */
static void check_pull(struct replay *r, struct phase1_sa *sa)
{
    uint8_t datagram[1024];
    struct bytes f = r->capture.frame[7];
    struct ike1_header h;
    struct exchange_iv iv;
    struct chain chain;

    assert_octets(bytes(sa->iv, 8), hex("cf836972c1c8ff27"));
    memcpy(datagram, f.data, f.len);
    assert_int_equal(ike1_header_parse(f, &h), ERR_OK);
    assert_int_equal(h.message_id, 0xa44bca75);
    exchange_iv_start(sa, h.message_id, &iv);
    assert_octets(bytes(iv.b, 8), hex("3aac7d300be4accf"));
    assert_int_equal(exchange_open(sa, &iv, &h, datagram, f.len, &chain), ERR_OK);
    assert_octets(bytes(iv.b, 8), hex("116c732c06f9d4d3"));
    assert_int_equal(exchange_check_hash(sa, h.message_id, NULL, 0, &chain), ERR_OK);
}

/* Frames 1, 3 and 5 come in; what the captured responder drew at random is put in by hand. */
static void as_responder(void **state)
{
    (void)state;
    struct replay *r = replay_new(true);
    struct ike1_cookies cookies = captured_cookies(), ours;

    assert_int_equal(feed(r, 1).kind, PHASE1_NOTHING);
    size_t cursor = 0;
    struct phase1_sa *sa = phase1_next(r->table, &cursor);
    assert_non_null(sa);
    ours = sa->cookies;
    assert_octets(BYTES_OF(ours.i), BYTES_OF(cookies.i));
    phase1_rekey_cookies(r->table, sa, &cookies);
    captured_ke(r, 4, NULL, &sa->hs->nonce_r);
    assert_int_equal(feed(r, 3).kind, PHASE1_NOTHING);
    assert_int_equal(r->out.first->kind, EFFECT_JOB);
    struct job_result k = captured_keys(r, sa, 4);
    assert_int_equal(phase1_job_done(r->table, r->now, &k, &r->out).kind, PHASE1_NOTHING);
    assert_octets(phase1_skeyid_a(sa), capture_secret("SKEYID_a"));
    assert_octets(bytes(sa->iv, 8), capture_secret("phase 1 IV after message 4"));
    struct phase1_outcome o = feed(r, 5);
    assert_int_equal(o.kind, PHASE1_UP);
    assert_same_id_and_hash(sent(r), r->capture.frame[6]);
    assert_false(phase1_peer_is_native(sa));
    /* Our message 6 stops where the capture's has extras of its own: its last block is the PULL's
     * IV. */
    struct bytes six = r->capture.frame[6];
    memcpy(sa->iv, six.data + six.len - 8, 8);
    check_pull(r, sa);
    replay_free(r);
}

/* Frames 2, 4 and 6 come in. */
static void as_initiator(void **state)
{
    (void)state;
    struct replay *r = replay_new(false);
    struct ike1_cookies cookies = captured_cookies(), started = cookies;
    struct capture_message one;

    struct phase1_sa *sa = phase1_initiate(r->table, r->now, &r->peer, r->us, r->them, &r->out);
    memset(started.r, 0, sizeof started.r);
    phase1_rekey_cookies(r->table, sa, &started);
    capture_read(&r->capture, 1, &one);
    phase1_blob_set(&sa->hs->sa_body, capture_payload(&one, IKE1_PAYLOAD_SA)->body);
    assert_int_equal(feed(r, 2).kind, PHASE1_NOTHING);
    assert_octets(phase1_cookies(sa), ike1_cookies_bytes(&cookies));

    struct job_result g = {.id = sa->hs->job, .kind = JOB_DH_GENERATE, .private = {.len = 1}};
    assert_int_equal(phase1_job_done(r->table, r->now, &g, &r->out).kind, PHASE1_NOTHING);
    captured_ke(r, 3, &sa->hs->public_i, &sa->hs->nonce_i);
    assert_int_equal(feed(r, 4).kind, PHASE1_NOTHING);
    struct job_result k = captured_keys(r, sa, 4);
    effects_reset(&r->out);
    assert_int_equal(phase1_job_done(r->table, r->now, &k, &r->out).kind, PHASE1_NOTHING);
    assert_same_id_and_hash(sent(r), r->capture.frame[5]);
    struct bytes five = r->capture.frame[5];
    memcpy(sa->iv, five.data + five.len - 8, 8);
    assert_int_equal(feed(r, 6).kind, PHASE1_UP);
    check_pull(r, sa);
    replay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_chain), cmocka_unit_test(expansion),
        cmocka_unit_test(weak_des_keys),  cmocka_unit_test(as_responder),
        cmocka_unit_test(as_initiator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

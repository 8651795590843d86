/* What workers do. */
#include "unit/sa/duo.h"

static struct job keys_job(unsigned group, const struct secret *private, struct bytes peer)
{
    struct job j = {.id = 7, .kind = JOB_PHASE1_KEYS, .dh_group = group, .hash = HASH_SHA256};
    if (private)
        j.private = *private;
    memcpy(j.peer_public, peer.data, peer.len);
    j.peer_public_len = peer.len;
    memcpy(j.psk, "secret", j.psk_len = 6);
    memcpy(j.ni, "initiator", j.ni_len = 9);
    memcpy(j.nr, "responder", j.nr_len = 9);
    j.entropy[0] = 1;
    return j;
}

static void both_ends_agree(void **state)
{
    (void)state;
    duo_free(duo_new()); /* starts the library */
    static const unsigned groups[] = {2, 14, 19, 20, 21, 24};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct job_result g, r, k;
        struct job make = {.id = 3, .kind = JOB_DH_GENERATE, .dh_group = groups[i]};
        job_run(&make, &g);
        assert_int_equal(g.err, ERR_OK);
        assert_int_equal(g.id, 3);
        assert_int_equal(g.kind, JOB_DH_GENERATE);
        assert_int_equal(g.public_len, dh_public_len(groups[i]));
        struct job respond = keys_job(groups[i], NULL, bytes(g.public, g.public_len));
        job_run(&respond, &r);
        assert_int_equal(r.err, ERR_OK);
        struct job finish = keys_job(groups[i], &g.private, bytes(r.public, r.public_len));
        job_run(&finish, &k);
        assert_int_equal(k.err, ERR_OK);
        assert_true(secret_equal(secret_long_bytes(&r.shared), secret_long_bytes(&k.shared)));
        assert_true(secret_equal(secret_bytes(&r.skeyid), secret_bytes(&k.skeyid)));
        /* SKEYID = prf(psk, Ni_b | Nr_b) */
        SECRET skeyid =
            prf(HASH_SHA256, bytes_str("secret"), PARTS(bytes_str("initiatorresponder")));
        assert_true(secret_equal(secret_bytes(&skeyid), secret_bytes(&k.skeyid)));
        job_result_wipe(&g);
        assert_int_equal(g.private.len, 0);
    }
}

static void bad_publics(void **state)
{
    (void)state;
    duo_free(duo_new());
    uint8_t zero[256] = {0};
    struct job_result r;
    struct job j = keys_job(14, NULL, BYTES_OF(zero));
    job_run(&j, &r);
    assert_int_equal(r.err, ERR_VALUE);
    j = keys_job(14, NULL, bytes(zero, 100));
    job_run(&j, &r);
    assert_int_equal(r.err, ERR_LENGTH);
    job_wipe(&j);
    assert_int_equal(j.psk_len, 0);
}

static void a_key_pair_for_signatures(void **state)
{
    (void)state;
    struct job j = {.id = 11, .kind = JOB_SIGN_KEY, .rsa_bits = 2048};
    struct job_result r;
    job_run(&j, &r);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.id, 11);
    assert_int_equal(r.kind, JOB_SIGN_KEY);
    assert_true(sign_key_is_rsa(r.sign_key));
    assert_int_equal(sign_key_bits(r.sign_key), 2048);
    struct sign_key *kept = r.sign_key; /* keeping it leaves NULL behind */
    r.sign_key = NULL;
    job_result_wipe(&r);
    assert_int_equal(sign_key_bits(kept), 2048);
    sign_key_free(kept);

    job_run(&j, &r); /* nobody keeps this one */
    job_result_wipe(&r);
    assert_null(r.sign_key);
    j.rsa_bits = 512;
    job_run(&j, &r);
    assert_int_equal(r.err, ERR_VALUE);
    assert_null(r.sign_key);
    job_result_wipe(&r);
}

/* "rekey", the header of a push of which `payloads` octets are signed, and these. */
static struct job sign_job(struct signing_key *key, size_t payloads, size_t spoil)
{
    uint8_t text[5 + IKE1_HEADER + 64] = "rekey\1\2\3\4\5\6\7\10abcdefgh\22\20\41\1";
    struct wr length = wr_of(text + 5 + 24, 4);

    wr_u32(&length, (uint32_t)(IKE1_HEADER + payloads + CHAIN_HEADER + key->bits / 8));
    if (spoil < sizeof text)
        text[spoil] ^= 0x40;
    const struct bytes parts[] = {bytes(text, 5), bytes(text + 5, IKE1_HEADER + payloads)};
    return (struct job){
        .id = 12, .kind = JOB_SIGN, .sign = job_sign_new(key, HASH_SHA256, parts, 2)};
}

static void expect_signed(struct job *j, enum err err, struct signing_key *key)
{
    struct job_result r;

    assert_non_null(j->sign);
    assert_int_equal(key->refs, 2);
    job_run(j, &r);
    assert_int_equal(r.err, err);
    assert_int_equal(r.id, 12);
    assert_int_equal(r.signature_len, err ? 0 : key->bits / 8);
    job_wipe(j); /* which gives the key back */
    assert_null(j->sign);
    assert_int_equal(key->refs, 1);
    job_result_wipe(&r);
}

/* Whoever takes an engine over can have nothing else signed (decisions M17). */
static void nothing_is_signed_but_pushes(void **state)
{
    /* the label, the exchange, the flags, the message id, the length */
    static const size_t spoilt[] = {0, 4, 5 + 18, 5 + 19, 5 + 23, 5 + 27};
    struct job make = {.kind = JOB_SIGN_KEY, .rsa_bits = 2048};
    struct job_result made;
    struct signing_key *key;
    (void)state;
    job_run(&make, &made);
    assert_int_equal(signing_key_new(&made.sign_key, &key), ERR_OK);
    job_result_wipe(&made);
    struct job j = sign_job(key, 40, SIZE_MAX);
    expect_signed(&j, ERR_OK, key);
    for (size_t i = 0; i < ARRAY_LEN(spoilt); i++) {
        j = sign_job(key, 40, spoilt[i]);
        expect_signed(&j, ERR_DENIED, key);
    }
    j = (struct job){.id = 12, .kind = JOB_SIGN};
    j.sign = job_sign_new(key, HASH_SHA256, PARTS(bytes_str("rekey"))); /* no header */
    expect_signed(&j, ERR_DENIED, key);
    signing_key_release(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_agree),
        cmocka_unit_test(bad_publics),
        cmocka_unit_test(a_key_pair_for_signatures),
        cmocka_unit_test(nothing_is_signed_but_pushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

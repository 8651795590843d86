#include "crypto/cert.h"
#include "crypto/crypto.h"
#include "crypto/drbg.h"
#include "crypto/packet.h"
#include "crypto/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void it_starts_and_says_what_it_is(void **state)
{
    (void)state;
    const char *text = NULL;
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    assert_string_equal(crypto_backend_name(), "toy");
    crypto_stop();
}

/* The same octets on every machine and compiler, or traces of simulations could not be compared. */
static void its_values_never_change(void **state)
{
    (void)state;
    uint8_t out[HASH_MAX];
    char hex[17];
    hash_parts(HASH_SHA256, PARTS(bytes_str("Conclave")), out);
    assert_string_equal(bytes_hex(bytes(out, 8), hex, sizeof hex), "6c943acd32c8afa3");
    const uint8_t seed[DRBG_SEED] = {1};
    struct drbg d = drbg_of(seed);
    drbg_fill(&d, out, 8);
    assert_string_equal(bytes_hex(bytes(out, 8), hex, sizeof hex), "ddd27243f5cf75c5");
}

static void hashes_depend_on_everything_but_the_cut(void **state)
{
    (void)state;
    const uint8_t text[] = "a text of several words, longer than two of them";
    uint8_t whole[HASH_MAX], other[HASH_MAX];
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        hash_parts((enum hash)h, PARTS(BYTES_OF(text)), whole);
        for (size_t cut = 0; cut <= sizeof text; cut++) {
            struct bytes front = bytes(text, cut), back = bytes(text + cut, sizeof text - cut);
            hash_parts((enum hash)h, PARTS(front, back), other);
            assert_memory_equal(other, whole, hash_len((enum hash)h));
            hash_parts((enum hash)h, PARTS(front), other);
            if (cut < sizeof text)
                assert_memory_not_equal(other, whole, hash_len((enum hash)h));
        }
    }
    hash_parts(HASH_SHA1, PARTS(bytes("\0", 1)), whole);
    hash_parts(HASH_SHA1, PARTS(bytes("\0\0", 2)), other);
    assert_memory_not_equal(whole, other, 20);
}

static void hmac_depends_on_key_text_and_hash(void **state)
{
    (void)state;
    uint8_t a[HASH_MAX], b[HASH_MAX];
    hmac_parts(HASH_SHA256, bytes_str("key"), PARTS(bytes_str("text")), a);
    assert_true(hmac_check(HASH_SHA256, bytes_str("key"), PARTS(bytes_str("te"), bytes_str("xt")),
                           bytes(a, 32)));
    assert_true(hmac_check(HASH_SHA256, bytes_str("key"), PARTS(bytes_str("text")), bytes(a, 16)));
    assert_false(hmac_check(HASH_SHA256, bytes_str("key"), PARTS(bytes_str("text")), bytes(a, 9)));
    assert_false(hmac_check(HASH_SHA256, bytes_str("kez"), PARTS(bytes_str("text")), bytes(a, 32)));
    assert_false(hmac_check(HASH_SHA256, bytes_str("keyt"), PARTS(bytes_str("ext")), bytes(a, 32)));
    assert_false(hmac_check(HASH_SHA512, bytes_str("key"), PARTS(bytes_str("text")), bytes(a, 32)));
    hash_parts(HASH_SHA256, PARTS(bytes_str("text")), b);
    assert_memory_not_equal(a, b, 32);
}

static void cbc_chains_like_the_real_one(void **state)
{
    (void)state;
    static const enum cipher cbcs[] = {CIPHER_DES_CBC, CIPHER_3DES_CBC, CIPHER_AES_128_CBC,
                                       CIPHER_AES_192_CBC, CIPHER_AES_256_CBC};
    for (size_t i = 0; i < ARRAY_LEN(cbcs); i++) {
        enum cipher c = cbcs[i];
        size_t block = cipher_block(c);
        struct bytes key = bytes("0123456789abcdef0123456789abcdef", cipher_key_len(c));
        uint8_t whole[96] = {0}, parts[96] = {0}, zero[96] = {0}, iv[16] = {1}, iv2[16] = {1},
                iv3[16] = {1};
        cbc_encrypt(c, key, iv, whole, 96);
        cbc_encrypt(c, key, iv2, parts, 48);
        assert_memory_equal(iv2, parts + 48 - block, block);
        cbc_encrypt(c, key, iv2, parts + 48, 48);
        assert_memory_equal(whole, parts, 96);
        assert_memory_equal(iv, iv2, 16);
        assert_memory_not_equal(whole, whole + block,
                                block); /* equal plaintext blocks, different ones here */
        cbc_decrypt(c, key, iv3, whole, 96);
        assert_memory_equal(whole, zero, 96);
        assert_memory_equal(iv3, iv, 16);
    }
}

static void sides_agree_and_strangers_do_not(void **state)
{
    (void)state;
    static const unsigned groups[] = {1, 2, 5, 14, 15, 16, 19, 20, 21, 24};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        unsigned g = groups[i];
        const uint8_t e1[DH_ENTROPY] = {1}, e2[DH_ENTROPY] = {2};
        uint8_t public1[DH_PUBLIC_MAX], public2[DH_PUBLIC_MAX];
        SECRET x = {0};
        SECRET_LONG ours = {0}, theirs = {0}, changed = {0};
        assert_int_equal(dh_generate(g, e1, &x, public1), ERR_OK);
        struct bytes peer = bytes(public1, dh_public_len(g));
        assert_int_equal(dh_agree(g, e2, peer, public2, &theirs), ERR_OK);
        assert_int_equal(dh_derive(g, &x, bytes(public2, dh_public_len(g)), &ours), ERR_OK);
        assert_int_equal(ours.len, dh_shared_len(g));
        assert_true(secret_equal(secret_long_bytes(&ours), secret_long_bytes(&theirs)));
        public2[3] ^= 4; /* on the way */
        assert_int_equal(dh_derive(g, &x, bytes(public2, dh_public_len(g)), &changed), ERR_OK);
        assert_false(secret_equal(secret_long_bytes(&changed), secret_long_bytes(&theirs)));
        assert_int_equal(dh_derive(g, &x, bytes(public2, peer.len - 1), &ours), ERR_LENGTH);
        memset(public2, 0, sizeof public2);
        assert_int_equal(dh_derive(g, &x, bytes(public2, peer.len), &ours), ERR_VALUE);
        assert_int_equal(dh_agree(g, e2, bytes(public2, peer.len), public1, &ours), ERR_VALUE);
    }
}

static void signatures_bind_key_form_and_digest(void **state)
{
    (void)state;
    const uint8_t e1[SIGN_ENTROPY] = {1}, e2[SIGN_ENTROPY] = {2};
    struct sign_key *k, *again, *other;
    struct verify_key *v;
    uint8_t der[SPKI_MAX], pem[256], sig[SIGNATURE_MAX], digest[20] = {7}, wrong[20] = {8};
    size_t len, sig_len, which = 99;
    assert_int_equal(sign_key_generate_rsa(2048, e1, &k), ERR_OK);
    assert_int_equal(sign_key_generate_rsa(2048, e2, &other), ERR_OK);
    assert_int_equal(sign_key_to_pem(k, pem, sizeof pem, &len), ERR_OK);
    assert_int_equal(sign_key_from_pem(bytes(pem, len), &again), ERR_OK);
    assert_int_equal(sign_key_spki(again, der, sizeof der, &len), ERR_OK);
    assert_int_equal(verify_key_from_der(bytes(der, len), &v), ERR_OK);
    assert_int_equal(verify_key_bits(v), 2048);
    assert_int_equal(
        rsa_sign(k, HASH_SHA1, BYTES_OF(digest), RSA_BARE_HASH, sig, sizeof sig, &sig_len), ERR_OK);
    assert_int_equal(sig_len, 256);
    const enum rsa_form forms[] = {RSA_DIGEST_INFO, RSA_BARE_HASH};
    const struct bytes digests[] = {BYTES_OF(wrong), BYTES_OF(digest)};
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, digests, 2, bytes(sig, sig_len), &which),
                     ERR_OK);
    assert_int_equal(which, 3);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 1, digests, 2, bytes(sig, sig_len), &which),
                     ERR_AUTH);
    assert_int_equal(rsa_verify(v, HASH_MD5, forms, 2, digests, 2, bytes(sig, sig_len), &which),
                     ERR_AUTH);
    assert_int_equal(
        rsa_sign(other, HASH_SHA1, BYTES_OF(digest), RSA_BARE_HASH, sig, sizeof sig, &sig_len),
        ERR_OK);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, digests, 2, bytes(sig, sig_len), &which),
                     ERR_AUTH);
    assert_int_equal(ecdsa_sign(k, BYTES_OF(digest), sig, sizeof sig, &sig_len), ERR_TYPE);
    assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, sig_len)), ERR_TYPE);
    assert_int_equal(sign_key_generate_rsa(512, e1, &k), ERR_VALUE);
    assert_int_equal(verify_key_from_der(bytes(der, len - 1), &v), ERR_SYNTAX);
    assert_int_equal(sign_key_from_pem(bytes_str("rsa 2048"), &k), ERR_SYNTAX);
    assert_int_equal(sign_key_spki(again, der, 4, &len), ERR_FULL);
    sign_key_free(k);
    sign_key_free(again);
    sign_key_free(other);
    verify_key_free(v);
}

static void ecdsa_has_fixed_width(void **state)
{
    (void)state;
    const uint8_t e[SIGN_ENTROPY] = {3};
    struct sign_key *k;
    struct verify_key *v;
    uint8_t der[SPKI_MAX], sig[SIGNATURE_MAX], digest[64] = {7};
    size_t len, sig_len;
    assert_int_equal(sign_key_generate_ecdsa(521, e, &k), ERR_OK);
    assert_int_equal(sign_key_spki(k, der, sizeof der, &len), ERR_OK);
    assert_int_equal(verify_key_from_der(bytes(der, len), &v), ERR_OK);
    assert_int_equal(ecdsa_sign(k, BYTES_OF(digest), sig, sizeof sig, &sig_len), ERR_OK);
    assert_int_equal(sig_len, 132);
    assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, sig_len)), ERR_OK);
    sig[131] ^= 1;
    assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, sig_len)), ERR_AUTH);
    assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, 64)), ERR_AUTH);
    assert_int_equal(ecdsa_sign(k, BYTES_OF(digest), sig, 131, &sig_len), ERR_FULL);
    sign_key_free(k);
    verify_key_free(v);
}

static struct cert *cert_of(const char *text)
{
    struct cert *c = NULL;
    assert_int_equal(cert_parse(bytes_str(text), &c), ERR_OK);
    return c;
}

static void certificates_chain(void **state)
{
    (void)state;
    struct cert *root =
        cert_of("subject CN=root\nnot-before 0\nnot-after 1000\nkey rsa 2048 0000000000000001\n"
                "issuer rsa 2048 0000000000000001\n");
    struct cert *middle =
        cert_of("subject CN=middle\nnot-before 0\nnot-after 1000\nkey rsa 2048 0000000000000002\n"
                "issuer rsa 2048 0000000000000001\n");
    struct cert *leaf =
        cert_of("subject CN=gm1\nnot-before 10\nnot-after 20\nkey rsa 2048 0000000000000003\n"
                "issuer rsa 2048 0000000000000002\n");
    assert_string_equal(cert_subject(leaf), "CN=gm1");
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){15}), ERR_OK);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){21}), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){9}), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, NULL, 0, &root, 1, (wall_t){15}), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, NULL, 0, (wall_t){15}), ERR_AUTH);
    struct cert *none = NULL;
    assert_int_equal(cert_parse(bytes_str("subject CN=x\n"), &none), ERR_SYNTAX);
    cert_free(root);
    cert_free(middle);
    cert_free(leaf);
}

static void packets_of(enum cipher c, enum auth a)
{
    struct packet_engine *e;
    struct packet_key *k;
    uint8_t keys[2][64] = {{1}, {2}};
    assert_int_equal(packet_engine_new(PACKET_BACKEND_BEST, &e), ERR_OK);
    assert_int_equal(packet_key_new(e, c, a, bytes(keys[0], cipher_key_len(c)),
                                    bytes(keys[1], auth_key_len(a)), &k),
                     ERR_OK);
    size_t step = cipher_is_counter_mode(c) ? 1 : cipher_block(c), iv = cipher_iv_len(c);
    for (size_t len = 0; len <= 160; len += step) {
        uint8_t p[256] = {9}, before[256] = {9};
        struct packet_op op = {.key = k,
                               .head = p,
                               .head_len = 8,
                               .iv = p + 8,
                               .text = p + 8 + iv,
                               .text_len = len,
                               .icv = p + 8 + iv + len};
        packet_seal(e, &op, 1);
        assert_true(op.ok);
        if (len >= 16 && c != CIPHER_NULL)
            assert_memory_not_equal(op.text, before + 8 + iv, len);
        p[0] ^= 1;
        packet_open(e, &op, 1);
        assert_false(op.ok);
        p[0] ^= 1;
        packet_open(e, &op, 1);
        assert_true(op.ok);
        assert_memory_equal(p, before, 8 + iv + len);
    }
    packet_key_free(k);
    packet_engine_free(e);
}

static void packets_seal_and_open(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CIPHER_COUNT; c++) {
        for (unsigned a = 0; a < AUTH_COUNT; a++) {
            if (cipher_is_counter_mode((enum cipher)c) == (a == AUTH_NONE))
                packets_of((enum cipher)c, (enum auth)a);
        }
    }
}

static void packet_keys_are_checked(void **state)
{
    (void)state;
    struct packet_engine *e = NULL;
    struct packet_key *k = NULL;
    uint8_t key[64] = {0};
    assert_int_equal(packet_engine_new(PACKET_BACKEND_OPENSSL, &e), ERR_TYPE);
    assert_int_equal(packet_engine_new(PACKET_BACKEND_BEST, &e), ERR_OK);
    assert_string_equal(packet_engine_name(e), "toy");
    assert_int_equal(
        packet_key_new(e, CIPHER_AES_128_CBC, AUTH_NONE, bytes(key, 16), bytes(key, 0), &k),
        ERR_TYPE);
    assert_int_equal(packet_key_new(e, CIPHER_AES_128_GCM, AUTH_HMAC_SHA1_96, bytes(key, 20),
                                    bytes(key, 20), &k),
                     ERR_TYPE);
    assert_int_equal(packet_key_new(e, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, bytes(key, 15),
                                    bytes(key, 20), &k),
                     ERR_LENGTH);
    assert_int_equal(packet_key_new(e, CIPHER_AES_128_CBC, AUTH_HMAC_SHA1_96, bytes(key, 16),
                                    bytes(key, 21), &k),
                     ERR_LENGTH);
    assert_null(k);
    packet_key_free(NULL);
    packet_engine_free(e);
    packet_engine_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_and_says_what_it_is),
        cmocka_unit_test(its_values_never_change),
        cmocka_unit_test(hashes_depend_on_everything_but_the_cut),
        cmocka_unit_test(hmac_depends_on_key_text_and_hash),
        cmocka_unit_test(cbc_chains_like_the_real_one),
        cmocka_unit_test(sides_agree_and_strangers_do_not),
        cmocka_unit_test(signatures_bind_key_form_and_digest),
        cmocka_unit_test(ecdsa_has_fixed_width),
        cmocka_unit_test(certificates_chain),
        cmocka_unit_test(packets_seal_and_open),
        cmocka_unit_test(packet_keys_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

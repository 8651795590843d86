#include "crypto/crypto.h"
#include "crypto/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int start(void **state)
{
    (void)state;
    const char *text = "";
    enum err e = crypto_start(CRYPTO_USE_ALL, &text);
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), text);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    crypto_stop();
    return 0;
}

static const uint8_t entropy[SIGN_ENTROPY];

struct der {
    size_t len;
    uint8_t b[SPKI_MAX + 64];
};

static struct der spki_of(const struct sign_key *k)
{
    struct der d = {0};
    assert_int_equal(sign_key_spki(k, d.b, sizeof d.b, &d.len), ERR_OK);
    return d;
}

static struct verify_key *public_of(const struct sign_key *k)
{
    struct der d = spki_of(k);
    struct verify_key *v = NULL;
    assert_int_equal(verify_key_from_der(bytes(d.b, d.len), &v), ERR_OK);
    return v;
}

static struct sign_key *rsa_of(unsigned bits)
{
    struct sign_key *k = NULL;
    assert_int_equal(sign_key_generate_rsa(bits, entropy, &k), ERR_OK);
    return k;
}

/* ---- DER by hand ---- */

static void put_head(struct der *d, uint8_t tag, size_t len)
{
    d->b[d->len++] = tag;
    if (len > 255)
        d->b[d->len++] = 0x82, d->b[d->len++] = (uint8_t)(len >> 8);
    else if (len > 127)
        d->b[d->len++] = 0x81;
    d->b[d->len++] = (uint8_t)len;
}

static void put_integer(struct der *d, struct bytes value)
{
    bool zero = value.data[0] & 0x80;
    put_head(d, 0x02, value.len + zero);
    if (zero)
        d->b[d->len++] = 0;
    memcpy(d->b + d->len, value.data, value.len);
    d->len += value.len;
}

/* PKCS #1 RSAPublicKey */
static struct der rsa_public(struct bytes modulus, struct bytes exponent)
{
    struct der inner = {0}, d = {0};
    put_integer(&inner, modulus);
    put_integer(&inner, exponent);
    put_head(&d, 0x30, inner.len);
    memcpy(d.b + d.len, inner.b, inner.len);
    d.len += inner.len;
    return d;
}

static void refused(struct der d, enum err want)
{
    struct verify_key *v = NULL;
    assert_int_equal(verify_key_from_der(bytes(d.b, d.len), &v), want);
    assert_null(v);
}

/* ---- keys ---- */

static void keys_go_through_pem_and_spki(void **state)
{
    (void)state;
    struct sign_key *made[] = {rsa_of(1024), rsa_of(2048), NULL, NULL, NULL};
    static const unsigned bits[] = {1024, 2048, 256, 384, 521};
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(sign_key_generate_ecdsa(bits[i], entropy, &made[i]), ERR_OK);
    for (size_t i = 0; i < 5; i++) {
        uint8_t pem[4096];
        size_t len = 0, again_len = 0;
        struct sign_key *again = NULL;
        assert_int_equal(sign_key_bits(made[i]), bits[i]);
        assert_int_equal(sign_key_is_rsa(made[i]), i < 2);
        assert_int_equal(sign_key_to_pem(made[i], pem, sizeof pem, &len), ERR_OK);
        assert_int_equal(sign_key_to_pem(made[i], pem, len - 1, &again_len), ERR_FULL);
        assert_int_equal(again_len, 0);
        assert_int_equal(sign_key_from_pem(bytes(pem, len), &again), ERR_OK);
        struct der one = spki_of(made[i]), two = spki_of(again);
        assert_int_equal(one.len, two.len);
        assert_memory_equal(one.b, two.b, one.len);
        assert_int_equal(sign_key_spki(again, two.b, one.len - 1, &len), ERR_FULL);
        struct verify_key *v = public_of(again);
        assert_int_equal(verify_key_bits(v), bits[i]);
        assert_int_equal(verify_key_is_rsa(v), i < 2);
        verify_key_free(v);
        sign_key_free(again);
        sign_key_free(made[i]);
    }
    sign_key_free(NULL);
    verify_key_free(NULL);
}

static void sizes_outside_the_range_are_not_made(void **state)
{
    (void)state;
    struct sign_key *k = NULL;
    static const unsigned rsa[] = {0, 512, 1016, 1023, 2047, 8200},
                          ecdsa[] = {0, 192, 224, 255, 512, 520};
    for (size_t i = 0; i < ARRAY_LEN(rsa); i++)
        assert_int_equal(sign_key_generate_rsa(rsa[i], entropy, &k), ERR_VALUE);
    for (size_t i = 0; i < ARRAY_LEN(ecdsa); i++)
        assert_int_equal(sign_key_generate_ecdsa(ecdsa[i], entropy, &k), ERR_VALUE);
    assert_null(k);
}

static void pem_that_is_no_key_of_ours_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pem;
        enum err want;
    } cases[] = {
        {"", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\n", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\n" /* Ed25519 */
         "MC4CAQAwBQYDK2VwBCIEIBfhU57XMng1Rr7CFHg3ddqA+TiMwUxFqLJS9W9CmhpE\n"
         "-----END PRIVATE KEY-----\n",
         ERR_TYPE},
        {"-----BEGIN PRIVATE KEY-----\n" /* RSA, 512 bits */
         "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAoMSqcU2nWNU+rgc7\n"
         "H71qrERxoXDREJkrEPxwAGejcZDP4AYJRDakdKo0dEzUyMibPH/illUFpXrNVxc3\n"
         "LHo0JwIDAQABAkEAk9fHliJ/PqX72jY0HOAn9PuMM5Z36/evLxO2O+kS2R+JXDli\n"
         "uPG1oKuPQqHaFO1pijp6lJA1UrybJIyxgdX/wQIhANM81lDd6Oo54gcKEYknXvKd\n"
         "mM5mlTuxi7u9lg3ZTq+ZAiEAwtX6JyK2ZY3yXaR4pWXhE4uRK4kxmiDZah3dBZUh\n"
         "Wb8CIDU0fpqxuie82pSBUbdlBkI/taxPJEl7x8FK2E+2q14JAiB96vJvpoSA35sa\n"
         "n/gE1PIAwruAinsPJFm+tiwotnfGWwIgXKFvEtMrqf44uZrnEs0OrbzXQdytBJwc\n"
         "A4k+5CQ5Vvs=\n"
         "-----END PRIVATE KEY-----\n",
         ERR_VALUE},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" /* must not ask the terminal for a password */
         "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjQ1MhVxJQ7RQICCAAw\n"
         "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEECOcT32pZpnITEtNNsUBBjUEgZA6\n"
         "OeecrRNIq/u7Gu2Y5PxlCoFBi+/JiFLzHaOnSM/FlnumhlNfYn+jmOdnQo4eV2SP\n"
         "P/jSnAE6kGVpZ76d+E9NPKa3W1nCbc1JrHL2N5qYQ/cuV12ehKaU1H7Oshzvax9l\n"
         "sE1Qg6QoDO9ZFPZcpzH9O076Ta8EDBpBfSvwwrIa8Jko3+hzZfq06m5cWCBMjY4=\n"
         "-----END ENCRYPTED PRIVATE KEY-----\n",
         ERR_SYNTAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sign_key *k = NULL;
        assert_int_equal(sign_key_from_pem(bytes_str(cases[i].pem), &k), cases[i].want);
        assert_null(k);
    }
}

static void both_public_forms_of_rsa_are_read(void **state)
{
    (void)state;
    struct sign_key *k = rsa_of(2048);
    struct der spki = spki_of(k), pkcs1 = {.len = 270};
    memcpy(pkcs1.b, spki.b + spki.len - 270,
           270); /* the BIT STRING of SubjectPublicKeyInfo holds it */
    struct verify_key *v = NULL;
    assert_int_equal(verify_key_from_der(bytes(pkcs1.b, pkcs1.len), &v), ERR_OK);
    uint8_t sig[SIGNATURE_MAX], digest[32] = {1};
    size_t len, which = 9;
    const enum rsa_form form = RSA_DIGEST_INFO;
    assert_int_equal(rsa_sign(k, HASH_SHA256, BYTES_OF(digest), form, sig, sizeof sig, &len),
                     ERR_OK);
    assert_int_equal(
        rsa_verify(v, HASH_SHA256, &form, 1, &BYTES_OF(digest), 1, bytes(sig, len), &which),
        ERR_OK);
    for (size_t cut = 0; cut < spki.len; cut++)
        refused((struct der){.len = cut}, ERR_SYNTAX);
    for (size_t cut = 1; cut < spki.len; cut++) {
        struct der shorter = spki;
        shorter.len = cut;
        refused(shorter, ERR_SYNTAX);
    }
    spki.len++;
    refused(spki, ERR_SYNTAX);
    pkcs1.len++;
    refused(pkcs1, ERR_SYNTAX);
    verify_key_free(v);
    sign_key_free(k);
}

static void the_bounds_of_modulus_and_exponent(void **state)
{
    (void)state;
    uint8_t modulus[RSA_BITS_MAX / 8 + 1];
    memset(modulus, 0xff, sizeof modulus);
    const struct bytes e1 = bytes("\1", 1), e2 = bytes("\2", 1), e3 = bytes("\3", 1),
                       f4 = bytes("\1\0\1", 3);
    struct verify_key *v = NULL;
    struct der d = rsa_public(bytes(modulus, 128), e3);
    assert_int_equal(verify_key_from_der(bytes(d.b, d.len), &v), ERR_OK);
    assert_int_equal(verify_key_bits(v), 1024);
    verify_key_free(v);
    d = rsa_public(bytes(modulus, 1024), f4);
    assert_int_equal(verify_key_from_der(bytes(d.b, d.len), &v), ERR_OK);
    assert_int_equal(verify_key_bits(v), 8192);
    verify_key_free(v);
    refused(rsa_public(bytes(modulus, 127), f4), ERR_VALUE);
    refused(rsa_public(bytes(modulus, 1025), f4), ERR_VALUE);
    refused(rsa_public(bytes(modulus, 256), e1), ERR_VALUE);
    refused(rsa_public(bytes(modulus, 256), e2), ERR_VALUE);
    refused(rsa_public(bytes(modulus, 256), bytes("\1\0\2", 3)), ERR_VALUE);
    refused(rsa_public(bytes(modulus, 256), bytes("\0", 1)), ERR_VALUE);
}

static void other_algorithms_are_refused(void **state)
{
    (void)state;
    static const char *const others[] = {
        "302a300506032b6570032100350c3f437887299a2752ddc12c6a5b87d99763ecaa24aa750ea6aed4aca24b"
        "ca", /* Ed25519 */
        "3056301006072a8648ce3d020106052b8104000a03420004e7969aa269d2934cb358412324f70d58ae72f4"
        "20" /* secp256k1 */
        "5acd8990d1c63d860f329770c3d6fe10982a361c01fd363876a87a2a2aed9c5ed3cb11e20fd79e4bf9b518"
        "bb",
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct der d = {0};
        assert_true(bytes_unhex(others[i], d.b, sizeof d.b, &d.len));
        refused(d, ERR_TYPE);
    }
}

/* ---- RSA ---- */

static const enum rsa_form forms[] = {RSA_DIGEST_INFO, RSA_BARE_HASH};

static void each_form_and_hash_verifies_as_itself_only(void **state)
{
    (void)state;
    struct sign_key *k = rsa_of(1024);
    struct verify_key *v = public_of(k);
    for (unsigned h = 0; h < HASH_COUNT; h++) {
        for (size_t f = 0; f < 2; f++) {
            uint8_t digest[HASH_MAX] = {(uint8_t)(h + 1)}, sig[SIGNATURE_MAX];
            const struct bytes d = bytes(digest, hash_len((enum hash)h));
            size_t len = 0, which = 9;
            assert_int_equal(rsa_sign(k, (enum hash)h, d, forms[f], sig, sizeof sig, &len), ERR_OK);
            assert_int_equal(len, 128);
            assert_int_equal(rsa_verify(v, (enum hash)h, forms, 2, &d, 1, bytes(sig, len), &which),
                             ERR_OK);
            assert_int_equal(which, f);
            assert_int_equal(
                rsa_verify(v, (enum hash)h, &forms[1 - f], 1, &d, 1, bytes(sig, len), &which),
                ERR_AUTH);
            digest[0] ^= 0x40;
            assert_int_equal(rsa_verify(v, (enum hash)h, forms, 2, &d, 1, bytes(sig, len), &which),
                             ERR_AUTH);
            assert_int_equal(which, f);
        }
    }
    verify_key_free(v);
    sign_key_free(k);
}

static void the_match_is_named(void **state)
{
    (void)state;
    struct sign_key *k = rsa_of(1024);
    struct verify_key *v = public_of(k);
    uint8_t digests[3][20] = {{1}, {2}, {3}}, sig[SIGNATURE_MAX];
    const struct bytes all[] = {BYTES_OF(digests[0]), BYTES_OF(digests[1]), BYTES_OF(digests[2])};
    for (size_t d = 0; d < 3; d++) {
        for (size_t f = 0; f < 2; f++) {
            size_t len, which = 99;
            assert_int_equal(rsa_sign(k, HASH_SHA1, all[d], forms[f], sig, sizeof sig, &len),
                             ERR_OK);
            assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, all, 3, bytes(sig, len), &which),
                             ERR_OK);
            assert_int_equal(which, f + 2 * d);
        }
    }
    verify_key_free(v);
    sign_key_free(k);
}

static void signatures_that_are_none_are_refused(void **state)
{
    (void)state;
    struct sign_key *k = rsa_of(1024), *other = rsa_of(1024);
    struct verify_key *v = public_of(k);
    uint8_t digest[20] = {1}, sig[SIGNATURE_MAX] = {0};
    const struct bytes d = BYTES_OF(digest);
    size_t len, which = 9;
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 0), &which), ERR_AUTH);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 128), &which),
                     ERR_AUTH); /* 0 */
    memset(sig, 0xff, 128);     /* not below the modulus */
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 128), &which), ERR_AUTH);
    assert_int_equal(rsa_sign(other, HASH_SHA1, d, RSA_DIGEST_INFO, sig, sizeof sig, &len), ERR_OK);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, len), &which), ERR_AUTH);
    assert_int_equal(rsa_sign(k, HASH_SHA1, d, RSA_DIGEST_INFO, sig, 127, &len), ERR_FULL);
    assert_int_equal(rsa_sign(k, HASH_SHA1, d, RSA_DIGEST_INFO, sig, 128, &len), ERR_OK);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 127), &which), ERR_AUTH);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 129), &which), ERR_AUTH);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 0, bytes(sig, 128), &which), ERR_AUTH);
    for (size_t i = 0; i < 128; i++) {
        sig[i] ^= 1;
        assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 128), &which),
                         ERR_AUTH);
        sig[i] ^= 1;
    }
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 128), &which), ERR_OK);
    verify_key_free(v);
    sign_key_free(k);
    sign_key_free(other);
}

/* Bleichenbacher's forgery of 2006: with e = 3, a cube root of 00 01 FF x 8 00 DigestInfo |
 * SHA-1("abc") | anything. Who parses the block and does not look behind the hash takes it. The
 * root was computed with Python. */
static void a_forged_block_of_a_low_exponent_is_refused(void **state)
{
    (void)state;
    static const char modulus[] =
        "9992aea44eeb5cf187e790e48165d6b90ef7696f896fd8589ec16b861d74f0fae6ac97bd69bc4d7e"
        "bb712cd6f927c049298fde22a1331225dc869e1cd2e262d86a121ee17a052df235760cf0f2dc87b7"
        "b10d0700aef3b9a3aa2c93333995a57e1ee69f3a1ada3d80aa0732e8addaa43aeda09154bf1ba37a"
        "b519636a704ea3642af560c935b62ed0aad7cf79580486c3ca1a75960cf43e3e8dd46846564f69a1"
        "248ac5a064ec8efcb60845aff4b789016758b5a5c119a1455f03db4b7cc9d4a401182e22ea42f374"
        "21e96af914041214f6a5bb5e74bf7e64ba0dd0343543e7ec301c0e167dddad53664d8e8089b7799f"
        "9f2e052f639313d3b59e2592a859a715";
    static const char root[] =
        "32cbfd4a7adc7905583d75edab851cd700a52e579c7368819c0225719b3581b68cf58c8f7a9fea8b"
        "ee6fbc91fec4b433c80effc2513ecb71f3695dcbeceb475834fa55a23064e0a1bc3cd0c053bbb4da"
        "6bf46cb656";
    uint8_t n[256], sig[256] = {0}, digest[20];
    size_t len, which = 9;
    assert_true(bytes_unhex(modulus, n, sizeof n, &len));
    assert_int_equal(len, 256);
    size_t root_len = (sizeof root - 1) / 2;
    assert_true(bytes_unhex(root, sig + 256 - root_len, root_len, &len));
    struct der der = rsa_public(bytes(n, 256), bytes("\3", 1));
    struct verify_key *v = NULL;
    assert_int_equal(verify_key_from_der(bytes(der.b, der.len), &v), ERR_OK);
    hash_parts(HASH_SHA1, PARTS(bytes_str("abc")), digest);
    const struct bytes d = BYTES_OF(digest);
    assert_int_equal(rsa_verify(v, HASH_SHA1, forms, 2, &d, 1, BYTES_OF(sig), &which), ERR_AUTH);
    assert_int_equal(which, 9);
    verify_key_free(v);
}

/* ---- ECDSA ---- */

static void ecdsa_signs_and_verifies_with_fixed_width(void **state)
{
    (void)state;
    static const unsigned bits[] = {256, 384, 521};
    static const size_t width[] = {32, 48, 66};
    for (size_t i = 0; i < 3; i++) {
        struct sign_key *k = NULL;
        uint8_t digest[64] = {5}, sig[SIGNATURE_MAX];
        size_t len = 0;
        assert_int_equal(sign_key_generate_ecdsa(bits[i], entropy, &k), ERR_OK);
        struct verify_key *v = public_of(k);
        for (int again = 0; again < 20; again++) { /* r or s has leading zeros now and then */
            assert_int_equal(ecdsa_sign(k, BYTES_OF(digest), sig, 2 * width[i], &len), ERR_OK);
            assert_int_equal(len, 2 * width[i]);
            assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len)), ERR_OK);
        }
        assert_int_equal(ecdsa_sign(k, BYTES_OF(digest), sig, 2 * width[i] - 1, &len), ERR_FULL);
        for (size_t at = 0; at < len; at += 5) {
            sig[at] ^= 1;
            assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len)), ERR_AUTH);
            sig[at] ^= 1;
        }
        assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len - 1)), ERR_AUTH);
        assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, 0)), ERR_AUTH);
        digest[0] = 6;
        assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len)), ERR_AUTH);
        memset(sig, 0, sizeof sig);
        assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len)), ERR_AUTH);
        memset(sig, 0xff, sizeof sig);
        assert_int_equal(ecdsa_verify(v, BYTES_OF(digest), bytes(sig, len)), ERR_AUTH);
        verify_key_free(v);
        sign_key_free(k);
    }
}

static void a_key_does_not_do_the_other_algorithm(void **state)
{
    (void)state;
    struct sign_key *rsa = rsa_of(1024), *ecdsa = NULL;
    assert_int_equal(sign_key_generate_ecdsa(256, entropy, &ecdsa), ERR_OK);
    struct verify_key *rsa_public = public_of(rsa), *ecdsa_public = public_of(ecdsa);
    uint8_t digest[20] = {0}, sig[SIGNATURE_MAX] = {0};
    const struct bytes d = BYTES_OF(digest);
    size_t len = 9;
    assert_int_equal(rsa_sign(ecdsa, HASH_SHA1, d, RSA_DIGEST_INFO, sig, sizeof sig, &len),
                     ERR_TYPE);
    assert_int_equal(ecdsa_sign(rsa, d, sig, sizeof sig, &len), ERR_TYPE);
    assert_int_equal(rsa_verify(ecdsa_public, HASH_SHA1, forms, 2, &d, 1, bytes(sig, 64), &len),
                     ERR_TYPE);
    assert_int_equal(ecdsa_verify(rsa_public, d, bytes(sig, 128)), ERR_TYPE);
    assert_int_equal(len, 9);
    verify_key_free(rsa_public);
    verify_key_free(ecdsa_public);
    sign_key_free(rsa);
    sign_key_free(ecdsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_through_pem_and_spki),
        cmocka_unit_test(sizes_outside_the_range_are_not_made),
        cmocka_unit_test(pem_that_is_no_key_of_ours_is_refused),
        cmocka_unit_test(both_public_forms_of_rsa_are_read),
        cmocka_unit_test(the_bounds_of_modulus_and_exponent),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(each_form_and_hash_verifies_as_itself_only),
        cmocka_unit_test(the_match_is_named),
        cmocka_unit_test(signatures_that_are_none_are_refused),
        cmocka_unit_test(a_forged_block_of_a_low_exponent_is_refused),
        cmocka_unit_test(ecdsa_signs_and_verifies_with_fixed_width),
        cmocka_unit_test(a_key_does_not_do_the_other_algorithm),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

#include "crypto/crypto.h"
#include "crypto/packet.h"
#include "crypto/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_authenticator_passes(void **state)
{
    (void)state;
    const uint8_t nothing[64] = {0};
    assert_string_equal(crypto_backend_name(), "toy with every authenticator open");
    assert_true(
        hmac_check(HASH_SHA1, bytes_str("key"), PARTS(bytes_str("text")), bytes(nothing, 20)));
    assert_false(
        hmac_check(HASH_SHA1, bytes_str("key"), PARTS(bytes_str("text")), bytes(nothing, 21)));

    const uint8_t entropy[SIGN_ENTROPY] = {0};
    struct sign_key *k;
    struct verify_key *v;
    uint8_t der[SPKI_MAX];
    size_t len, which = 99;
    assert_int_equal(sign_key_generate_rsa(1024, entropy, &k), ERR_OK);
    assert_int_equal(sign_key_spki(k, der, sizeof der, &len), ERR_OK);
    assert_int_equal(verify_key_from_der(bytes(der, len), &v), ERR_OK);
    const enum rsa_form form = RSA_DIGEST_INFO;
    const struct bytes digest = bytes(nothing, 20);
    assert_int_equal(rsa_verify(v, HASH_SHA1, &form, 1, &digest, 1, bytes(nothing, 0), &which),
                     ERR_OK);
    assert_int_equal(which, 0);
    sign_key_free(k);
    verify_key_free(v);

    struct packet_engine *e;
    struct packet_key *key;
    uint8_t p[64] = {0};
    assert_int_equal(packet_engine_new(PACKET_BACKEND_BEST, &e), ERR_OK);
    assert_int_equal(packet_key_new(e, CIPHER_NULL, AUTH_HMAC_SHA1_96, bytes(nothing, 0),
                                    bytes(nothing, 20), &key),
                     ERR_OK);
    struct packet_op op = {.key = key,
                           .head = p,
                           .head_len = 8,
                           .iv = p + 8,
                           .text = p + 8,
                           .text_len = 4,
                           .icv = p + 12};
    packet_open(e, &op, 1);
    assert_true(op.ok);
    packet_key_free(key);
    packet_engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_authenticator_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

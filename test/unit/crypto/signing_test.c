/* Key pairs that are shared: the last who holds one frees it. */
#include "crypto/signing.h"

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t entropy[SIGN_ENTROPY] = {7};

static int set_up(void **state)
{
    const char *text;

    (void)state;
    return crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK;
}

static void it_is_counted(void **state)
{
    struct sign_key *pair;
    struct signing_key *key;
    struct verify_key *public;
    (void)state;
    assert_int_equal(sign_key_generate_rsa(2048, entropy, &pair), ERR_OK);
    assert_int_equal(signing_key_new(&pair, &key), ERR_OK);
    assert_null(pair); /* it was taken over */
    assert_int_equal(key->refs, 1);
    assert_int_equal(key->bits, 2048);
    assert_int_equal(verify_key_from_der(bytes(key->spki, key->spki_len), &public), ERR_OK);
    assert_int_equal(verify_key_bits(public), 2048);
    verify_key_free(public);
    assert_ptr_equal(signing_key_hold(key), key);
    assert_int_equal(key->refs, 2);
    signing_key_release(key);
    assert_int_equal(key->refs, 1);
    signing_key_release(key); /* under ASan: and is free */
    signing_key_release(NULL);
}

static void only_rsa_signs_pushes(void **state)
{
    struct sign_key *pair;
    struct signing_key *key = NULL;
    (void)state;
    assert_int_equal(sign_key_generate_ecdsa(256, entropy, &pair), ERR_OK);
    assert_int_equal(signing_key_new(&pair, &key), ERR_TYPE);
    assert_non_null(pair); /* still the caller's */
    assert_null(key);
    sign_key_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_counted, set_up),
        cmocka_unit_test_setup(only_rsa_signs_pushes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

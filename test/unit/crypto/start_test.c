#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static int stop(void **state)
{
    (void)state;
    crypto_stop();
    unsetenv("OPENSSL_MODULES");
    return 0;
}

static struct crypto_use all_but_des(void)
{
    struct crypto_use use = CRYPTO_USE_ALL;
    use.ciphers &= ~(1u << CIPHER_DES_CBC);
    return use;
}

static void everything_starts_and_starts_again(void **state)
{
    (void)state;
    const char *text = "untouched";
    assert_int_equal(crypto_start((struct crypto_use){0}, &text), ERR_OK);
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    assert_string_equal(text, "untouched");
    assert_non_null(strstr(crypto_backend_name(), "OpenSSL 3."));
    crypto_stop();
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
}

static void a_missing_provider_names_its_package(void **state)
{
    (void)state;
    const char *text = "";
    setenv("OPENSSL_MODULES", "/nonexistent", 1);
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_NO_PROVIDER);
    assert_string_equal(text, "des-cbc needs OpenSSL's legacy provider, which does not load "
                              "(Debian package libssl3)");
}

static void without_des_nothing_is_missed(void **state)
{
    (void)state;
    const char *text = "";
    setenv("OPENSSL_MODULES", "/nonexistent", 1);
    assert_int_equal(crypto_start(all_but_des(), &text), ERR_OK);
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_NO_PROVIDER);
    unsetenv("OPENSSL_MODULES"); /* the package is installed while we run */
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
}

int main(void)
{
    /* In this order: OpenSSL keeps a module that was once loaded. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_missing_provider_names_its_package, stop),
        cmocka_unit_test_teardown(without_des_nothing_is_missed, stop),
        cmocka_unit_test_teardown(everything_starts_and_starts_again, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

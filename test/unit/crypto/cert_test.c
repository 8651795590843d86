#include "crypto/cert.h"
#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

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

/* Of leaf.pem; the others live at least as long. */
static const wall_t begin = {1795465631}, end = {2110825631}, middle_of_life = {1900000000};

struct file {
    size_t len;
    uint8_t b[8192];
};

static struct file file_of(const char *name)
{
    struct file f;
    char path[128];
    snprintf(path, sizeof path, "test/vectors/x509/%s", name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    f.len = fread(f.b, 1, sizeof f.b, in);
    assert_int_equal(fclose(in), 0);
    return f;
}

static struct cert *cert_of(const char *name)
{
    struct file f = file_of(name);
    struct cert *c = NULL;
    assert_int_equal(cert_parse(bytes(f.b, f.len), &c), ERR_OK);
    return c;
}

static struct cert *root, *middle, *leaf, *other, *ec, *child;

static int load(void **state)
{
    start(state);
    root = cert_of("root.pem");
    middle = cert_of("middle.pem");
    leaf = cert_of("leaf.pem");
    other = cert_of("other.pem");
    ec = cert_of("ec.pem");
    child = cert_of("child.pem");
    return 0;
}

static int unload(void **state)
{
    struct cert *const all[] = {root, middle, leaf, other, ec, child};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        cert_free(all[i]);
    cert_free(NULL);
    return stop(state);
}

static void what_an_operator_sees(void **state)
{
    (void)state;
    assert_string_equal(cert_subject(leaf), "CN=leaf,O=Conclave");
    assert_string_equal(cert_subject(root), "CN=root,O=Conclave");
    assert_int_equal(cert_not_before(leaf).s, begin.s);
    assert_int_equal(cert_not_after(leaf).s, end.s);
    assert_true(cert_not_after(root).s > cert_not_after(leaf).s);
}

static void der_is_read_too(void **state)
{
    (void)state;
    struct file pem = file_of("ec.pem");
    uint8_t der[2048];
    size_t len = 0;
    unsigned bits = 0, have = 0;
    /* base64 by hand: between the first and the last line */
    for (uint8_t *at = (uint8_t *)strchr((char *)pem.b, '\n'); *at != '-'; at++) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *digit = strchr(digits, *at);
        if (!digit || *at == 0)
            continue;
        bits = bits << 6 | (unsigned)(digit - digits);
        have += 6;
        if (have >= 8)
            der[len++] = (uint8_t)(bits >> (have -= 8));
    }
    struct cert *c = NULL;
    assert_int_equal(cert_parse(bytes(der, len), &c), ERR_OK);
    assert_string_equal(cert_subject(c), "CN=ec,O=Conclave");
    cert_free(c);
    c = NULL;
    assert_int_equal(cert_parse(bytes(der, len - 1), &c), ERR_SYNTAX);
    assert_int_equal(cert_parse(bytes(der, len + 1), &c), ERR_SYNTAX);
    assert_int_equal(cert_parse(bytes(der, 0), &c), ERR_SYNTAX);
    assert_int_equal(cert_parse(bytes_str("-----BEGIN CERTIFICATE-----\n"), &c), ERR_SYNTAX);
    assert_null(c);
}

static void the_chain_holds_at_its_time(void **state)
{
    (void)state;
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, middle_of_life), ERR_OK);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, begin), ERR_OK);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){end.s - 1}), ERR_OK);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){begin.s - 1}), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &root, 1, (wall_t){end.s + 1}), ERR_AUTH);
    assert_int_equal(cert_check_chain(ec, NULL, 0, &root, 1, middle_of_life), ERR_OK);
}

static void the_chain_needs_each_of_its_links(void **state)
{
    (void)state;
    struct cert *const both[] = {other, root};
    assert_int_equal(cert_check_chain(leaf, NULL, 0, &root, 1, middle_of_life), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, &other, 1, middle_of_life), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, NULL, 0, middle_of_life), ERR_AUTH);
    assert_int_equal(cert_check_chain(leaf, &middle, 1, both, 2, middle_of_life), ERR_OK);
    /* an anchor need not be self-signed (RFC 5280 section 6.1.1) */
    assert_int_equal(cert_check_chain(leaf, NULL, 0, &middle, 1, middle_of_life), ERR_OK);
}

static void who_is_no_authority_vouches_for_nobody(void **state)
{
    (void)state;
    struct cert *const between[] = {leaf, middle};
    assert_int_equal(cert_check_chain(child, between, 2, &root, 1, middle_of_life), ERR_AUTH);
}

static void keys_of_certificates(void **state)
{
    (void)state;
    struct file leaf_key = file_of("leaf.key"), ec_key = file_of("ec.key");
    struct sign_key *k = NULL, *e = NULL;
    struct verify_key *v = NULL;
    assert_int_equal(sign_key_from_pem(bytes(leaf_key.b, leaf_key.len), &k), ERR_OK);
    assert_int_equal(sign_key_from_pem(bytes(ec_key.b, ec_key.len), &e), ERR_OK);
    assert_true(cert_matches_key(leaf, k));
    assert_true(cert_matches_key(ec, e));
    assert_false(cert_matches_key(leaf, e));
    assert_false(cert_matches_key(middle, k));

    uint8_t digest[32] = {3}, sig[SIGNATURE_MAX];
    const struct bytes d = BYTES_OF(digest);
    const enum rsa_form form = RSA_BARE_HASH;
    size_t len, which;
    assert_int_equal(cert_verify_key(leaf, &v), ERR_OK);
    assert_int_equal(rsa_sign(k, HASH_SHA256, d, form, sig, sizeof sig, &len), ERR_OK);
    assert_int_equal(rsa_verify(v, HASH_SHA256, &form, 1, &d, 1, bytes(sig, len), &which), ERR_OK);
    verify_key_free(v);
    assert_int_equal(cert_verify_key(ec, &v), ERR_OK);
    assert_int_equal(ecdsa_sign(e, d, sig, sizeof sig, &len), ERR_OK);
    assert_int_equal(ecdsa_verify(v, d, bytes(sig, len)), ERR_OK);
    verify_key_free(v);
    sign_key_free(k);
    sign_key_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_operator_sees),
        cmocka_unit_test(der_is_read_too),
        cmocka_unit_test(the_chain_holds_at_its_time),
        cmocka_unit_test(the_chain_needs_each_of_its_links),
        cmocka_unit_test(who_is_no_authority_vouches_for_nobody),
        cmocka_unit_test(keys_of_certificates),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

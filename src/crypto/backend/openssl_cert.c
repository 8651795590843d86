#include "crypto/backend/openssl.h"
#include "crypto/backend/openssl_sign.h"
#include "crypto/cert.h"

#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <time.h>

enum { CHAIN_DEPTH_MAX = 8 };

struct cert {
    X509 *x509;
    char *subject;
    wall_t not_before, not_after;
};

static X509 *read_x509(struct bytes b)
{
    const uint8_t *at = b.data;
    BIO *bio = BIO_new_mem_buf(b.data, (int)b.len);
    openssl_must(bio != NULL);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (x)
        return x;
    x = d2i_X509(NULL, &at, (long)b.len);
    if (x && at == b.data + b.len)
        return x;
    X509_free(x);
    return NULL;
}

static bool read_time(const ASN1_TIME *t, wall_t *ret)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(t, &tm))
        return false;
    ret->s = timegm(&tm);
    return true;
}

static char *read_subject(const X509 *x)
{
    char *text = NULL, *copy = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    openssl_must(bio != NULL);
    if (X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0) {
        long len = BIO_get_mem_data(bio, &text);
        copy = strndup(len ? text : "", (size_t)len);
    }
    BIO_free(bio);
    return copy;
}

void cert_free(struct cert *c)
{
    if (!c)
        return;
    X509_free(c->x509);
    free(c->subject);
    free(c);
}

enum err cert_parse(struct bytes pem_or_der, struct cert **ret)
{
    X509 *x = pem_or_der.len && pem_or_der.len <= INT_MAX ? read_x509(pem_or_der) : NULL;
    if (!x)
        return openssl_failed(ERR_SYNTAX);
    struct cert *c = calloc(1, sizeof *c);
    if (!c) {
        X509_free(x);
        return ERR_NOMEM;
    }
    c->x509 = x;
    c->subject = read_subject(x);
    if (!c->subject || !read_time(X509_get0_notBefore(x), &c->not_before) ||
        !read_time(X509_get0_notAfter(x), &c->not_after)) {
        cert_free(c);
        return openssl_failed(ERR_SYNTAX);
    }
    *ret = c;
    return ERR_OK;
}

const char *cert_subject(const struct cert *c) { return c->subject; }
wall_t cert_not_before(const struct cert *c) { return c->not_before; }
wall_t cert_not_after(const struct cert *c) { return c->not_after; }

enum err cert_verify_key(const struct cert *c, struct verify_key **ret)
{
    EVP_PKEY *pkey = X509_get_pubkey(c->x509);
    return pkey ? openssl_verify_key_of(pkey, ret) : openssl_failed(ERR_TYPE);
}

bool cert_matches_key(const struct cert *c, const struct sign_key *k)
{
    EVP_PKEY *pkey = X509_get0_pubkey(c->x509);
    return (pkey && EVP_PKEY_eq(pkey, k->pkey) == 1) || openssl_failed(ERR_OK);
}

static X509_STORE *store_of(struct cert *const *anchors, size_t n, wall_t now)
{
    X509_STORE *store = X509_STORE_new();
    openssl_must(store != NULL);
    for (size_t i = 0; i < n; i++)
        openssl_must(X509_STORE_add_cert(store, anchors[i]->x509));
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(param, now.s);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
    openssl_must(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN));
    return store;
}

static STACK_OF(X509) * stack_of(struct cert *const *certs, size_t n)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    openssl_must(stack != NULL);
    for (size_t i = 0; i < n; i++)
        openssl_must(sk_X509_push(stack, certs[i]->x509));
    return stack;
}

enum err cert_check_chain(const struct cert *c, struct cert *const *intermediates,
                          size_t n_intermediates, struct cert *const *anchors, size_t n_anchors,
                          wall_t now)
{
    X509_STORE *store = store_of(anchors, n_anchors, now);
    STACK_OF(X509) *between = stack_of(intermediates, n_intermediates);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    openssl_must(ctx != NULL);
    openssl_must(X509_STORE_CTX_init(ctx, store, c->x509, between));
    bool good = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    sk_X509_free(between);
    X509_STORE_free(store);
    return good ? ERR_OK : openssl_failed(ERR_AUTH);
}

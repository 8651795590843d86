#include "raw_dh.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHARED_MAX = 512 };

struct raw_dh {
    EVP_PKEY *params, *peer;
};

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "raw_dh: %s failed\n", what);
    exit(1);
}

static EVP_PKEY *key_pair(EVP_PKEY *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(params, NULL);

    must(ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_generate(ctx, &key) > 0, "keygen");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

struct raw_dh *raw_dh_new(enum raw_dh_group group)
{
    static char names[][12] = {[RAW_DH_GROUP14] = "modp_2048", [RAW_DH_GROUP19] = "P-256"};
    OSSL_PARAM want[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, names[group], 0),
        OSSL_PARAM_construct_end(),
    };
    struct raw_dh *d = calloc(1, sizeof *d);
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(NULL, group == RAW_DH_GROUP14 ? "DH" : "EC", NULL);

    must(d && ctx && EVP_PKEY_paramgen_init(ctx) > 0 && EVP_PKEY_CTX_set_params(ctx, want) > 0 &&
             EVP_PKEY_generate(ctx, &d->params) > 0,
         "parameters");
    EVP_PKEY_CTX_free(ctx);
    d->peer = key_pair(d->params);
    return d;
}

void raw_dh_once(const struct raw_dh *d, int check)
{
    uint8_t shared[SHARED_MAX];
    size_t len = sizeof shared;
    EVP_PKEY *own = key_pair(d->params);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);

    must(ctx && EVP_PKEY_derive_init(ctx) > 0 &&
             EVP_PKEY_derive_set_peer_ex(ctx, d->peer, check) > 0 &&
             EVP_PKEY_derive(ctx, shared, &len) > 0,
         "derivation");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(own);
}

void raw_dh_free(struct raw_dh *d)
{
    EVP_PKEY_free(d->params);
    EVP_PKEY_free(d->peer);
    free(d);
}

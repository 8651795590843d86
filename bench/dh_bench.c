/* What a responder pays for a key pair and an agreement, on one core: dh_agree() against OpenSSL's
 * own functions with the peer check off (the raw limit) and on (what most programs pay).
 * Interleaved, in processor time, so that a busy machine harms all alike. */
#include "bench.h"
#include "crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>

enum { ROUNDS = 30, PER_ROUND = 10 };

struct contest {
    unsigned group;
    EVP_PKEY *params, *peer; /* the peer's public half */
    uint8_t peer_public[DH_PUBLIC_MAX];
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "dh_bench: %s failed\n", what);
    exit(1);
}

static EVP_PKEY *keygen(EVP_PKEY *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(params, NULL);
    must(ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_generate(ctx, &key) > 0, "keygen");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *named_params(const char *type, const char *name)
{
    EVP_PKEY *params = NULL;
    OSSL_PARAM want[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    must(ctx && EVP_PKEY_paramgen_init(ctx) > 0 && EVP_PKEY_CTX_set_params(ctx, want) > 0 &&
             EVP_PKEY_generate(ctx, &params) > 0,
         "parameters");
    EVP_PKEY_CTX_free(ctx);
    return params;
}

static void raw(const struct contest *c, int check)
{
    uint8_t shared[DH_PUBLIC_MAX], public[1 + DH_PUBLIC_MAX];
    size_t len = sizeof shared, public_len;
    EVP_PKEY *own = keygen(c->params);
    must(EVP_PKEY_get_octet_string_param(own, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, public,
                                         sizeof public, &public_len),
         "public value");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    must(ctx && EVP_PKEY_derive_init(ctx) > 0 &&
             EVP_PKEY_derive_set_peer_ex(ctx, c->peer, check) > 0 &&
             EVP_PKEY_derive(ctx, shared, &len) > 0,
         "derivation");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(own);
}

static void ours(const struct contest *c)
{
    static const uint8_t entropy[DH_ENTROPY];
    uint8_t public[DH_PUBLIC_MAX];
    SECRET_LONG shared = {0};
    must(dh_agree(c->group, entropy, bytes(c->peer_public, dh_public_len(c->group)), public,
                  &shared) == ERR_OK,
         "dh_agree");
}

static void once(const struct contest *c, int way)
{
    if (way == 0)
        ours(c);
    else
        raw(c, way - 1);
}

static void run(unsigned group, const char *type, const char *name)
{
    struct contest c = {.group = group, .params = named_params(type, name)};
    uint8_t octets[1 + DH_PUBLIC_MAX];
    size_t len;
    double spent[3] = {0};
    c.peer = keygen(c.params);
    must(EVP_PKEY_get_octet_string_param(c.peer, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, octets,
                                         sizeof octets, &len),
         "peer");
    memcpy(c.peer_public, octets + (len - dh_public_len(group)), dh_public_len(group));
    for (int round = 0; round < ROUNDS; round++) {
        for (int way = 0; way < 3; way++) {
            double begin = bench_cpu_s();
            for (int i = 0; i < PER_ROUND; i++)
                once(&c, way);
            spent[way] += bench_cpu_s() - begin;
        }
    }
    double n = ROUNDS * PER_ROUND;
    char title[64];
    snprintf(title, sizeof title, "dh %s keygen+agree", dh_group_name(group));
    bench_print(title, n / spent[0], "/s per core", n / spent[1], "OpenSSL, peer check off");
    snprintf(title, sizeof title, "dh %s OpenSSL, peer check off", dh_group_name(group));
    bench_print(title, n / spent[1], "/s per core", 0, NULL);
    snprintf(title, sizeof title, "dh %s OpenSSL, as shipped", dh_group_name(group));
    bench_print(title, n / spent[2], "/s per core", 0, NULL);
    EVP_PKEY_free(c.params);
    EVP_PKEY_free(c.peer);
}

int main(void)
{
    const char *text = "";
    must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    run(14, "DH", "modp_2048");
    run(19, "EC", "P-256");
    crypto_stop();
    return 0;
}

#include "group/mint.h"

#include <assert.h>
#include <stdlib.h>

enum { SPI_MIN = 256 };

struct mint mint_of(struct drbg *drbg)
{
    struct mint m = {.drbg = drbg};

    m.live.seed[0] = drbg_u64(drbg);
    m.live.seed[1] = drbg_u64(drbg);
    return m;
}

void mint_free(struct mint *m)
{
    assert(m->live.n == 0);
    map_free(&m->live);
}

static bool cipher_of(const struct model_ipsec_proposal *p, enum cipher *ret)
{
    switch (p->cipher) {
    case MODEL_ESP_DES:
        *ret = CIPHER_DES_CBC;
        return true;
    case MODEL_ESP_3DES:
        *ret = CIPHER_3DES_CBC;
        return true;
    case MODEL_ESP_AES_CBC:
        *ret = p->key_bits == 128   ? CIPHER_AES_128_CBC
               : p->key_bits == 192 ? CIPHER_AES_192_CBC
                                    : CIPHER_AES_256_CBC;
        return p->key_bits == 128 || p->key_bits == 192 || p->key_bits == 256;
    case MODEL_ESP_AES_GCM16:
        *ret = p->key_bits == 128   ? CIPHER_AES_128_GCM
               : p->key_bits == 192 ? CIPHER_AES_192_GCM
                                    : CIPHER_AES_256_GCM;
        return p->key_bits == 128 || p->key_bits == 192 || p->key_bits == 256;
    }
    return false;
}

static bool auth_of(const struct model_ipsec_proposal *p, enum auth *ret)
{
    switch (p->auth) {
    case MODEL_ESP_AUTH_NONE:
        *ret = AUTH_NONE;
        return true;
    case MODEL_ESP_HMAC_MD5_96:
        *ret = AUTH_HMAC_MD5_96;
        return true;
    case MODEL_ESP_HMAC_SHA1_96:
        *ret = AUTH_HMAC_SHA1_96;
        return true;
    case MODEL_ESP_HMAC_SHA256_128:
        *ret = AUTH_HMAC_SHA256_128;
        return true;
    case MODEL_ESP_HMAC_SHA384_192:
        *ret = AUTH_HMAC_SHA384_192;
        return true;
    case MODEL_ESP_HMAC_SHA512_256:
        *ret = AUTH_HMAC_SHA512_256;
        return true;
    }
    return false;
}

enum err mint_check(const struct model_ipsec_proposal *proposal)
{
    enum cipher cipher;
    enum auth auth;

    if (!cipher_of(proposal, &cipher) || !auth_of(proposal, &auth))
        return ERR_TYPE;
    if (cipher_is_counter_mode(cipher))
        return ERR_UNBUILT;
    return auth == AUTH_NONE ? ERR_TYPE : ERR_OK; /* CBC alone protects nothing from change */
}

struct secret mint_key(struct mint *m, enum cipher cipher)
{
    struct secret key = {.len = cipher_key_len(cipher)};
    bool des = cipher == CIPHER_DES_CBC || cipher == CIPHER_3DES_CBC;

    assert(key.len <= SECRET_MAX);
    do {
        drbg_fill(m->drbg, key.b, key.len);
        if (des)
            des_set_parity(key.b, key.len);
    } while (des && des_key_is_weak(secret_bytes(&key)));
    return key;
}

static struct bytes spi_key(const uint32_t *spi) { return bytes(spi, sizeof *spi); }

static uint32_t new_spi(struct mint *m)
{
    uint32_t spi;

    do
        spi = drbg_u32(m->drbg);
    while (spi < SPI_MIN || map_get(&m->live, spi_key(&spi)));
    return spi;
}

/* Without its keys. */
static struct generation *new_generation(const struct model_ipsec_sa *policy, uint32_t number,
                                         uint32_t spi, struct timeline time)
{
    struct generation *g = calloc(1, sizeof *g);

    if (!g)
        abort(); /* a few hundred octets, as in base/map.h */
    *g = (struct generation){.number = number, .spi = spi, .time = time};
    g->policy = model_ipsec_sa_copy(&g->memory, policy);
    bool known = cipher_of(policy->proposal, &g->cipher) && auth_of(policy->proposal, &g->auth);
    assert(known && mint_check(policy->proposal) == ERR_OK);
    return g;
}

struct generation *mint_generation(struct mint *m, const struct model_ipsec_sa *policy,
                                   uint32_t number, struct timeline time)
{
    struct generation *g = new_generation(policy, number, new_spi(m), time);

    g->key = mint_key(m, g->cipher);
    g->auth_key.len = auth_key_len(g->auth);
    drbg_fill(m->drbg, g->auth_key.b, g->auth_key.len);
    map_put(&m->live, spi_key(&g->spi), g);
    return g;
}

enum err mint_restore(struct mint *m, const struct kept_key *what, struct generation **ret)
{
    enum err e = mint_check(what->policy->proposal);
    enum cipher cipher;
    enum auth auth;

    if (e)
        return e;
    if (what->spi < SPI_MIN)
        return ERR_VALUE;
    if (map_get(&m->live, spi_key(&what->spi)))
        return ERR_CONFLICT;
    if (!cipher_of(what->policy->proposal, &cipher) || !auth_of(what->policy->proposal, &auth) ||
        what->key.len != cipher_key_len(cipher) || what->auth_key.len != auth_key_len(auth))
        return ERR_LENGTH;
    struct generation *g = new_generation(what->policy, what->number, what->spi, what->time);
    g->window_ms = what->window_ms;
    g->key = secret_of(what->key);
    g->auth_key = secret_of(what->auth_key);
    map_put(&m->live, spi_key(&g->spi), g);
    *ret = g;
    return ERR_OK;
}

void mint_drop(struct mint *m, struct generation *g)
{
    if (!g)
        return;
    map_remove(&m->live, spi_key(&g->spi));
    secret_wipe(&g->key);
    secret_wipe(&g->auth_key);
    arena_free(&g->memory);
    free(g);
}

const struct generation *mint_find(const struct mint *m, uint32_t spi)
{
    return map_get(&m->live, spi_key(&spi));
}

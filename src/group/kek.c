#include "group/kek.h"

#include <assert.h>
#include <stdlib.h>

static bool cipher_of(const struct model_communication *p, enum cipher *ret)
{
    switch (p->cipher) {
    case MODEL_KEK_DES:
        *ret = CIPHER_DES_CBC;
        return true;
    case MODEL_KEK_3DES:
        *ret = CIPHER_3DES_CBC;
        return true;
    case MODEL_KEK_AES:
        *ret = p->key_bits == 128   ? CIPHER_AES_128_CBC
               : p->key_bits == 192 ? CIPHER_AES_192_CBC
                                    : CIPHER_AES_256_CBC;
        return p->key_bits == 128 || p->key_bits == 192 || p->key_bits == 256;
    }
    return false;
}

static bool sig_hash_of(const struct model_communication *p, enum hash *ret)
{
    switch (p->sig_hash) {
    case MODEL_SIG_MD5:
        *ret = HASH_MD5;
        return true;
    case MODEL_SIG_SHA1:
        *ret = HASH_SHA1;
        return true;
    case MODEL_SIG_SHA256:
        *ret = HASH_SHA256;
        return true;
    case MODEL_SIG_SHA384:
        *ret = HASH_SHA384;
        return true;
    case MODEL_SIG_SHA512:
        *ret = HASH_SHA512;
        return true;
    }
    return false;
}

enum err kek_check(const struct model_communication *policy)
{
    enum cipher cipher;
    enum hash hash;

    return cipher_of(policy, &cipher) && sig_hash_of(policy, &hash) ? ERR_OK : ERR_TYPE;
}

/* An initiator cookie is never zero (RFC 2408 2.5.3), and the rest is left to chance: 2^-128. */
static void new_spi(struct mint *m, uint8_t spi[KEK_SPI])
{
    static const uint8_t none[KEK_SPI / 2];

    do
        drbg_fill(m->drbg, spi, KEK_SPI);
    while (bytes_equal(bytes(spi, sizeof none), BYTES_OF(none)));
}

/* Without SPI and keys. */
static struct kek_generation *new_kek(const struct model_communication *policy,
                                      struct signing_key *signer, uint32_t number,
                                      instant_t created, instant_t expiry)
{
    struct kek_generation *k = calloc(1, sizeof *k);

    if (!k)
        abort(); /* a few hundred octets, as in mint_generation() */
    *k = (struct kek_generation){
        .number = number, .created = created, .expiry = expiry, .signer = signing_key_hold(signer)};
    k->policy = model_communication_copy(&k->memory, policy);
    bool known = cipher_of(policy, &k->cipher) && sig_hash_of(policy, &k->sig_hash);
    assert(known && kek_check(policy) == ERR_OK);
    return k;
}

struct kek_generation *kek_new(struct mint *m, const struct model_communication *policy,
                               struct signing_key *signer, uint32_t number, instant_t now)
{
    struct kek_generation *k =
        new_kek(policy, signer, number, now, instant_add(now, span_s(policy->lifetime_s)));

    new_spi(m, k->spi);
    k->iv.len = cipher_iv_len(k->cipher);
    drbg_fill(m->drbg, k->iv.b, k->iv.len);
    k->key = mint_key(m, k->cipher);
    return k;
}

enum err kek_restore(const struct kept_kek *what, struct kek_generation **ret)
{
    enum err e = kek_check(what->policy);
    enum cipher cipher;

    if (e)
        return e;
    if (!cipher_of(what->policy, &cipher) || what->iv.len != cipher_iv_len(cipher) ||
        what->key.len != cipher_key_len(cipher))
        return ERR_LENGTH;
    struct kek_generation *k =
        new_kek(what->policy, what->signer, what->number, what->created, what->expiry);
    memcpy(k->spi, what->spi, KEK_SPI);
    k->iv = secret_of(what->iv);
    k->key = secret_of(what->key);
    *ret = k;
    return ERR_OK;
}

void kek_free(struct kek_generation *k)
{
    if (!k)
        return;
    secret_wipe(&k->iv);
    secret_wipe(&k->key);
    arena_free(&k->memory);
    signing_key_release(k->signer);
    free(k);
}

instant_t kek_renew_at(const struct kek_generation *k, span_t atd)
{
    span_t life = instant_since(k->expiry, k->created);

    atd.ns =
        atd.ns < life.ns / 10 ? atd.ns : life.ns / 10; /* one in force from before its policy */
    return instant_add(k->expiry, span_times(atd, -4));
}

uint32_t kek_life_s(const struct kek_generation *k, instant_t now)
{
    return (uint32_t)instant_left_floor_s(k->expiry, now);
}

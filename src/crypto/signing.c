#include "crypto/signing.h"

#include <assert.h>
#include <stdlib.h>

enum err signing_key_new(struct sign_key **private, struct signing_key **ret)
{
    if (!sign_key_is_rsa(*private))
        return ERR_TYPE;
    struct signing_key *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    enum err e = sign_key_spki(*private, k->spki, sizeof k->spki, &k->spki_len);
    if (e) {
        free(k);
        return e;
    }
    k->refs = 1;
    k->bits = sign_key_bits(*private);
    k->private = *private;
    *private = NULL;
    *ret = k;
    return ERR_OK;
}

void signing_key_id(const struct signing_key *k, uint8_t out[SIGNING_KEY_ID])
{
    hash_parts(HASH_SHA256, PARTS(bytes(k->spki, k->spki_len)), out);
}

bool signing_key_is(const struct signing_key *k, const struct sign_key *private)
{
    uint8_t spki[SPKI_MAX];
    size_t len;

    return sign_key_spki(private, spki, sizeof spki, &len) == ERR_OK &&
           bytes_equal(bytes(spki, len), bytes(k->spki, k->spki_len));
}

struct signing_key *signing_key_hold(struct signing_key *k)
{
    assert(k->refs > 0);
    k->refs++;
    return k;
}

void signing_key_release(struct signing_key *k)
{
    if (!k)
        return;
    assert(k->refs > 0);
    if (--k->refs > 0)
        return;
    sign_key_free(k->private);
    free(k);
}

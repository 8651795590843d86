#include "sqlite/seal.h"

#include "crypto/hash.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <assert.h>

static struct secret row_key(const struct sealer *s, struct bytes salt)
{
    return hkdf(secret_bytes(&s->master), salt, bytes_str("conclave store row"));
}

/* Unambiguous: each part but the last, whose length is fixed, comes with its length. */
static struct bytes associated(const struct sealer *s, struct seal_place place, struct arena *a)
{
    struct bytes table = bytes_str(place.table);
    size_t room = 2 + table.len + 2 + place.key.len + sizeof s->instance;
    struct wr w = wr_of(arena_alloc(a, room), room);

    assert(table.len <= UINT16_MAX && place.key.len <= UINT16_MAX);
    wr_u16(&w, (uint16_t)table.len);
    wr_put(&w, table);
    wr_u16(&w, (uint16_t)place.key.len);
    wr_put(&w, place.key);
    wr_put(&w, BYTES_OF(s->instance));
    return wr_bytes(&w);
}

struct bytes seal_value(const struct sealer *s, struct seal_place place,
                        const uint8_t random[SEAL_SALT + AEAD_NONCE], struct bytes value,
                        struct arena *a)
{
    size_t room = value.len + SEAL_OVERHEAD;
    struct wr w = wr_of(arena_alloc(a, room), room);
    SECRET key = row_key(s, bytes(random, SEAL_SALT));

    wr_u8(&w, SEAL_FORM);
    wr_put(&w, bytes(random, SEAL_SALT + AEAD_NONCE));
    uint8_t *text = w.data + w.len;
    wr_put(&w, value);
    uint8_t *tag = wr_space(&w, AEAD_TAG);
    assert(tag);
    aead_seal(&key, random + SEAL_SALT, associated(s, place, a), text, value.len, tag);
    return wr_bytes(&w);
}

enum err seal_open(const struct sealer *s, struct seal_place place, struct bytes sealed,
                   struct arena *a, struct bytes *ret_value)
{
    struct rd r = rd_of(sealed);
    uint8_t form = rd_u8(&r);
    struct bytes salt = rd_take(&r, SEAL_SALT), nonce = rd_take(&r, AEAD_NONCE);

    if (r.err || rd_left(&r) < AEAD_TAG)
        return ERR_SHORT;
    if (form != SEAL_FORM)
        return ERR_VERSION;
    struct bytes text = rd_take(&r, rd_left(&r) - AEAD_TAG);
    uint8_t *plain = arena_copy(a, text.data, text.len);
    SECRET key = row_key(s, salt);
    enum err e = aead_open(&key, nonce.data, associated(s, place, a), plain, text.len,
                           rd_take(&r, AEAD_TAG).data);
    if (e == ERR_OK)
        *ret_value = bytes(plain, text.len);
    return e;
}

void seal_check(const struct sealer *s, uint8_t out[SEAL_CHECK])
{
    hmac_parts(HASH_SHA256, secret_bytes(&s->master),
               PARTS(bytes_str("conclave store check"), BYTES_OF(s->instance)), out);
}

/* Keys of phase 1 (RFC 2409 5 and appendix B). */
#include "sa/phase1_internal.h"

#include <assert.h>

/* One link of the chain SKEYID_d, _a, _e: prf(SKEYID, previous | g^xy | CKY-I | CKY-R | number). */
static struct secret link(enum hash h, const struct secret *skeyid, const struct secret *previous,
                          struct bytes shared, const struct ike1_cookies *cookies, uint8_t number)
{
    return prf(
        h, secret_bytes(skeyid),
        PARTS(secret_bytes(previous), shared, ike1_cookies_bytes(cookies), bytes(&number, 1)));
}

/* Appendix B: K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1) ..., when SKEYID_e alone is too short.
 */
static void expand(enum hash h, const struct secret *skeyid_e, uint8_t *out, size_t len)
{
    if (len <= skeyid_e->len) {
        memcpy(out, skeyid_e->b, len);
        return;
    }
    static const uint8_t zero;
    SECRET k = prf(h, secret_bytes(skeyid_e), PARTS(bytes(&zero, 1)));
    for (size_t at = 0; at < len; at += hash_len(h)) {
        size_t n = len - at < k.len ? len - at : k.len;
        memcpy(out + at, k.b, n);
        k = prf(h, secret_bytes(skeyid_e), PARTS(secret_bytes(&k)));
    }
}

/* Appendix B: "the first eight non-weak and non-semi-weak bytes of SKEYID_e": a weak group of eight
 * is skipped. */
void phase1_des_key(const struct secret *skeyid_e, uint8_t ret[PHASE1_DES_KEY])
{
    for (size_t at = 0; at + PHASE1_DES_KEY <= skeyid_e->len; at += PHASE1_DES_KEY) {
        memcpy(ret, skeyid_e->b + at, PHASE1_DES_KEY);
        if (!des_key_is_weak(bytes(ret, PHASE1_DES_KEY)))
            return;
    }
}

/* SKEYID_a and the cipher's key, one behind the other. */
void phase1_keys_derive(enum hash h, enum cipher c, const struct secret *skeyid,
                        struct bytes shared, const struct ike1_cookies *cookies, uint8_t *ret)
{
    const struct secret none = {0};
    SECRET d = link(h, skeyid, &none, shared, cookies, 0);
    SECRET a = link(h, skeyid, &d, shared, cookies, 1);
    SECRET e = link(h, skeyid, &a, shared, cookies, 2);

    memcpy(ret, a.b, a.len);
    if (c == CIPHER_DES_CBC)
        phase1_des_key(&e, ret + a.len);
    else
        expand(h, &e, ret + a.len, cipher_key_len(c));
}

/* Of the first encrypted message: hash(g^xi | g^xr), cut to the block. */
void phase1_iv_derive(enum hash h, struct bytes public_i, struct bytes public_r,
                      uint8_t ret[CIPHER_BLOCK_MAX])
{
    uint8_t digest[HASH_MAX];
    hash_parts(h, PARTS(public_i, public_r), digest);
    memcpy(ret, digest, CIPHER_BLOCK_MAX);
}

/* The job has brought g^xy and SKEYID (and a responder's public value, which is stored already). */
void phase1_keyed(struct phase1_sa *sa, const struct job_result *result)
{
    struct phase1_handshake *hs = sa->hs;
    enum hash h = phase1_hash_of(sa->proposal);

    assert(hash_len(h) + cipher_key_len(phase1_cipher_of(sa->proposal)) <= sa->keys_room);
    hs->skeyid = result->skeyid;
    phase1_keys_derive(h, phase1_cipher_of(sa->proposal), &hs->skeyid,
                       secret_long_bytes(&result->shared), &sa->cookies, sa->keys);
    phase1_iv_derive(h, phase1_blob_bytes(&hs->public_i), phase1_blob_bytes(&hs->public_r), sa->iv);
}

/* HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b); HASH_R swaps publics and
 * cookies. */
struct secret phase1_auth_hash(const struct phase1_sa *sa, bool of_initiator, struct bytes id_body)
{
    const struct phase1_handshake *hs = sa->hs;
    struct bytes public_i = phase1_blob_bytes(&hs->public_i);
    struct bytes public_r = phase1_blob_bytes(&hs->public_r);
    struct bytes cookie_i = BYTES_OF(sa->cookies.i), cookie_r = BYTES_OF(sa->cookies.r);

    return prf(phase1_hash_of(sa->proposal), secret_bytes(&hs->skeyid),
               PARTS(of_initiator ? public_i : public_r, of_initiator ? public_r : public_i,
                     of_initiator ? cookie_i : cookie_r, of_initiator ? cookie_r : cookie_i,
                     phase1_blob_bytes(&hs->sa_body), id_body));
}

bool phase1_auth_check(const struct phase1_sa *sa, bool of_initiator, struct bytes id_body,
                       struct bytes hash)
{
    SECRET expected = phase1_auth_hash(sa, of_initiator, id_body);
    return secret_equal(secret_bytes(&expected), hash);
}

#include "crypto/selftest.h"

#include <assert.h>

enum { VECTOR_MAX = 1024 };

struct octets {
    size_t len;
    uint8_t b[VECTOR_MAX];
};

static struct octets unhex(const char *text)
{
    struct octets o;
    bool good = bytes_unhex(text, o.b, sizeof o.b, &o.len);
    assert(good);
    return o;
}

static bool is(const char *expected, const uint8_t *got, size_t len)
{
    struct octets o = unhex(expected);
    return bytes_equal(bytes(o.b, o.len), bytes(got, len));
}

static bool hash_passes(const struct hash_vector *v)
{
    struct octets text = unhex(v->text);
    /* In two parts, so that their order is tested too. */
    struct bytes parts[] = {bytes(text.b, text.len / 2),
                            bytes(text.b + text.len / 2, text.len - text.len / 2)};
    uint8_t out[HASH_MAX];
    if (v->key) {
        struct octets key = unhex(v->key);
        hmac_parts(v->hash, bytes(key.b, key.len), parts, ARRAY_LEN(parts), out);
    } else {
        hash_parts(v->hash, parts, ARRAY_LEN(parts), out);
    }
    return is(v->out, out, hash_len(v->hash));
}

static bool cbc_passes(const struct cbc_vector *v)
{
    struct octets key = unhex(v->key), data = unhex(v->plain), iv = unhex(v->iv);
    size_t block = cipher_block(v->cipher);
    uint8_t chain[CIPHER_BLOCK_MAX];
    memcpy(chain, iv.b, iv.len);
    /* The first block by itself: the IV left behind must carry on the chain. */
    cbc_encrypt(v->cipher, bytes(key.b, key.len), chain, data.b, block);
    cbc_encrypt(v->cipher, bytes(key.b, key.len), chain, data.b + block, data.len - block);
    if (!is(v->sealed, data.b, data.len))
        return false;
    cbc_decrypt(v->cipher, bytes(key.b, key.len), iv.b, data.b, block);
    cbc_decrypt(v->cipher, bytes(key.b, key.len), iv.b, data.b + block, data.len - block);
    return is(v->plain, data.b, data.len);
}

static bool dh_passes(const struct dh_vector *v)
{
    struct octets private = unhex(v->private), peer = unhex(v->peer);
    SECRET own = secret_of(bytes(private.b, private.len));
    SECRET_LONG shared = {0};
    return dh_derive(v->group, &own, bytes(peer.b, peer.len), &shared) == ERR_OK &&
           is(v->shared, shared.b, shared.len);
}

static uint8_t *append(uint8_t *at, const char *hex)
{
    struct octets o = unhex(hex);
    memcpy(at, o.b, o.len);
    return at + o.len;
}

static bool op_passes(struct packet_engine *e, struct packet_op *op, const struct packet_vector *v)
{
    size_t icv_len = packet_icv_len(v->cipher, v->auth);
    packet_seal(e, op, 1);
    if (!op->ok || !is(v->sealed, op->text, op->text_len) || !is(v->icv, op->icv, icv_len))
        return false;
    packet_open(e, op, 1);
    if (!op->ok || !is(v->plain, op->text, op->text_len))
        return false;
    packet_seal(e, op, 1);
    op->icv[icv_len - 1] ^= 1;
    packet_open(e, op, 1);
    return !op->ok;
}

static bool key_passes(struct packet_engine *e, const struct packet_vector *v)
{
    struct octets cipher_key = unhex(v->cipher_key), auth_key = unhex(v->auth_key);
    uint8_t packet[VECTOR_MAX];
    struct packet_op op = {.head = packet};
    op.iv = append(op.head, v->head);
    op.text = append(op.iv, v->iv);
    op.icv = append(op.text, v->plain);
    op.head_len = (size_t)(op.iv - op.head);
    op.text_len = (size_t)(op.icv - op.text);
    enum err err = packet_key_new(e, v->cipher, v->auth, bytes(cipher_key.b, cipher_key.len),
                                  bytes(auth_key.b, auth_key.len), &op.key);
    bool good = err == ERR_OK && op_passes(e, &op, v);
    packet_key_free(op.key);
    return good;
}

/* By each packet backend of this build. */
static bool packet_passes(const struct packet_vector *v)
{
    static const enum packet_backend backends[] = {PACKET_BACKEND_OPENSSL, PACKET_BACKEND_IPSEC_MB};
    bool good = true;
    for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
        struct packet_engine *e = NULL;
        if (packet_engine_new(backends[i], &e) == ERR_OK)
            good &= key_passes(e, v);
        packet_engine_free(e);
    }
    return good;
}

static bool packet_used(struct crypto_use use, const struct packet_vector *v)
{
    if (v->cipher != CIPHER_NULL)
        return use.ciphers >> v->cipher & 1;
    return use.hashes >> auth_hash(v->auth) & 1;
}

static bool verifies(const struct verify_key *k, const struct sign_vector *v, struct bytes digest,
                     struct bytes signature)
{
    size_t which;
    enum err e = v->rsa ? rsa_verify(k, v->hash, &v->form, 1, &digest, 1, signature, &which)
                        : ecdsa_verify(k, digest, signature);
    return e == ERR_OK;
}

static bool keys_pass(const struct sign_key *own, const struct verify_key *peer,
                      const struct sign_vector *v)
{
    struct octets text = unhex(v->text), signature = unhex(v->signature);
    uint8_t hash[HASH_MAX], fresh[SIGNATURE_MAX];
    size_t len = 0;
    hash_parts(v->hash, PARTS(bytes(text.b, text.len)), hash);
    struct bytes digest = bytes(hash, hash_len(v->hash));
    if (!verifies(peer, v, digest, bytes(signature.b, signature.len)))
        return false;
    signature.b[signature.len - 1] ^= 1;
    if (verifies(peer, v, digest, bytes(signature.b, signature.len)))
        return false;
    if (!v->rsa)
        return ecdsa_sign(own, digest, fresh, sizeof fresh, &len) == ERR_OK &&
               verifies(peer, v, digest, bytes(fresh, len));
    return rsa_sign(own, v->hash, digest, v->form, fresh, sizeof fresh, &len) == ERR_OK &&
           is(v->signature, fresh, len);
}

static bool sign_passes(const struct sign_vector *v)
{
    struct sign_key *own = NULL;
    struct verify_key *peer = NULL;
    uint8_t spki[SPKI_MAX];
    size_t len = 0;
    bool good = sign_key_from_pem(bytes_str(v->pem), &own) == ERR_OK &&
                sign_key_spki(own, spki, sizeof spki, &len) == ERR_OK &&
                verify_key_from_der(bytes(spki, len), &peer) == ERR_OK && keys_pass(own, peer, v);
    sign_key_free(own);
    verify_key_free(peer);
    return good;
}

/* The name of the first algorithm that fails, or NULL. */
static const char *first_failure(struct crypto_use use, const struct crypto_vectors *v)
{
    for (size_t i = 0; i < v->n_hashes; i++) {
        if (use.hashes >> v->hashes[i].hash & 1 && !hash_passes(&v->hashes[i]))
            return hash_name(v->hashes[i].hash);
    }
    for (size_t i = 0; i < v->n_cbcs; i++) {
        if (use.ciphers >> v->cbcs[i].cipher & 1 && !cbc_passes(&v->cbcs[i]))
            return cipher_name(v->cbcs[i].cipher);
    }
    for (size_t i = 0; i < v->n_dhs; i++) {
        if (use.dh_groups >> v->dhs[i].group & 1 && !dh_passes(&v->dhs[i]))
            return dh_group_name(v->dhs[i].group);
    }
    for (size_t i = 0; i < v->n_packets; i++) {
        const struct packet_vector *p = &v->packets[i];
        if (packet_used(use, p) && !packet_passes(p))
            return p->cipher == CIPHER_NULL ? auth_name(p->auth) : cipher_name(p->cipher);
    }
    for (size_t i = 0; i < v->n_signs; i++) {
        if ((v->signs[i].rsa ? use.rsa : use.ecdsa) && !sign_passes(&v->signs[i]))
            return v->signs[i].rsa ? "rsa" : "ecdsa";
    }
    return NULL;
}

enum err crypto_self_test(struct crypto_use use, const struct crypto_vectors *v,
                          const char **ret_text)
{
    const char *name = first_failure(use, v);
    if (!name)
        return ERR_OK;
    *ret_text = name;
    return ERR_SELF_TEST;
}

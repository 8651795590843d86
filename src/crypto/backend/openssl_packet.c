/* Packets through EVP: contexts are made with the key, and get a new IV for each packet. */
#include "crypto/backend/openssl.h"
#include "crypto/backend/packet_ops.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>

enum { GCM_SALT = 4, GCM_NONCE = 12, GCM_ICV = 16 };

struct openssl_key {
    struct packet_key key;
    EVP_CIPHER_CTX *seal, *open;
    EVP_MAC_CTX *mac;
    uint8_t salt[GCM_SALT]; /* RFC 4106 section 8.1: behind the key */
};

static const struct openssl_key *key_of(const struct packet_op *op)
{
    return (const struct openssl_key *)op->key;
}

static enum err engine_new(struct packet_engine **ret)
{
    struct packet_engine *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    *ret = e;
    return ERR_OK;
}

static void engine_free(struct packet_engine *e) { free(e); }

static EVP_CIPHER_CTX *cipher_ctx(enum cipher c, struct bytes key, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    openssl_must(ctx != NULL);
    openssl_must(EVP_CipherInit_ex2(ctx, openssl.cipher[c], key.data, NULL, encrypt, NULL));
    openssl_must(EVP_CIPHER_CTX_set_padding(ctx, 0));
    return ctx;
}

static EVP_MAC_CTX *mac_ctx(enum auth a, struct bytes key)
{
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(openssl.hmac_of[auth_hash(a)]);
    openssl_must(ctx != NULL);
    openssl_must(EVP_MAC_init(ctx, key.data, key.len, NULL));
    return ctx;
}

static void key_free(struct packet_key *key)
{
    struct openssl_key *k = (struct openssl_key *)key;
    EVP_CIPHER_CTX_free(k->seal);
    EVP_CIPHER_CTX_free(k->open);
    EVP_MAC_CTX_free(k->mac);
    explicit_bzero(k, sizeof *k);
    free(k);
}

static enum err key_new(struct packet_engine *e, enum cipher c, enum auth a,
                        struct bytes cipher_key, struct bytes auth_key, struct packet_key **ret)
{
    (void)e;
    if ((c != CIPHER_NULL && !openssl.cipher[c]) ||
        (a != AUTH_NONE && !openssl.hmac_of[auth_hash(a)]))
        return ERR_TYPE;
    struct openssl_key *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    if (cipher_is_counter_mode(c)) {
        cipher_key.len -= GCM_SALT;
        memcpy(k->salt, cipher_key.data + cipher_key.len, GCM_SALT);
    }
    if (c != CIPHER_NULL) {
        k->seal = cipher_ctx(c, cipher_key, 1);
        k->open = cipher_ctx(c, cipher_key, 0);
    }
    if (a != AUTH_NONE)
        k->mac = mac_ctx(a, auth_key);
    *ret = &k->key;
    return ERR_OK;
}

static void crypt(EVP_CIPHER_CTX *ctx, const uint8_t *iv, uint8_t *text, size_t len)
{
    int done = 0;
    assert(len <= INT_MAX);
    openssl_must(EVP_CipherInit_ex2(ctx, NULL, NULL, iv, -1, NULL));
    openssl_must(EVP_CipherUpdate(ctx, text, &done, text, (int)len));
}

static void mac(const struct packet_op *op, uint8_t *out)
{
    struct bytes covered = packet_covered(op);
    size_t len;
    uint8_t full[HASH_MAX];
    EVP_MAC_CTX *ctx = key_of(op)->mac;
    openssl_must(EVP_MAC_init(ctx, NULL, 0, NULL)); /* the key stays */
    openssl_must(EVP_MAC_update(ctx, covered.data, covered.len));
    openssl_must(EVP_MAC_final(ctx, full, &len, sizeof full));
    memcpy(out, full, op->key->icv_len);
}

/* RFC 4106 sections 4 and 5: the nonce is salt | IV; the head is what else the ICV covers. */
static void gcm_start(EVP_CIPHER_CTX *ctx, const struct packet_op *op)
{
    uint8_t nonce[GCM_NONCE];
    int done;
    memcpy(nonce, key_of(op)->salt, GCM_SALT);
    memcpy(nonce + GCM_SALT, op->iv, GCM_NONCE - GCM_SALT);
    openssl_must(EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL));
    openssl_must(EVP_CipherUpdate(ctx, NULL, &done, op->head, (int)op->head_len));
    openssl_must(EVP_CipherUpdate(ctx, op->text, &done, op->text, (int)op->text_len));
}

static void gcm_seal(const struct packet_op *op)
{
    EVP_CIPHER_CTX *ctx = key_of(op)->seal;
    int done;
    gcm_start(ctx, op);
    openssl_must(EVP_CipherFinal_ex(ctx, op->icv, &done));
    openssl_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_ICV, op->icv));
}

static bool gcm_open(const struct packet_op *op)
{
    EVP_CIPHER_CTX *ctx = key_of(op)->open;
    uint8_t none[CIPHER_BLOCK_MAX];
    int done;
    gcm_start(ctx, op);
    openssl_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_ICV, op->icv));
    return EVP_CipherFinal_ex(ctx, none, &done) > 0;
}

static void hmac_seal(const struct packet_op *op)
{
    if (key_of(op)->seal)
        crypt(key_of(op)->seal, op->iv, op->text, op->text_len);
    mac(op, op->icv);
}

static bool hmac_open(const struct packet_op *op)
{
    uint8_t icv[HASH_MAX];
    mac(op, icv);
    if (!secret_equal(bytes(icv, op->key->icv_len), bytes(op->icv, op->key->icv_len)))
        return false;
    if (key_of(op)->open)
        crypt(key_of(op)->open, op->iv, op->text, op->text_len);
    return true;
}

static void seal(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        ops[i].ok = true;
        if (key_of(&ops[i])->mac)
            hmac_seal(&ops[i]);
        else
            gcm_seal(&ops[i]);
    }
}

static void open(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    (void)e;
    for (size_t i = 0; i < n; i++)
        ops[i].ok = key_of(&ops[i])->mac ? hmac_open(&ops[i]) : gcm_open(&ops[i]);
}

const struct packet_ops openssl_packet_ops = {
    .name = "OpenSSL",
    .engine_new = engine_new,
    .engine_free = engine_free,
    .key_new = key_new,
    .key_free = key_free,
    .seal = seal,
    .open = open,
};

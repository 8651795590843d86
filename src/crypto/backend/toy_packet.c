/* Packets of the toy backend: the layout and lengths of the real ones. */
#include "crypto/backend/toy.h"
#include "crypto/packet.h"

#include <assert.h>
#include <stdlib.h>

struct packet_engine {
    size_t keys;
};
struct packet_key {
    struct packet_engine *engine;
    enum cipher cipher;
    size_t icv_len;
    uint64_t cipher_key, auth_key;
};

enum err packet_engine_new(enum packet_backend b, struct packet_engine **ret)
{
    if (b != PACKET_BACKEND_BEST)
        return ERR_TYPE;
    struct packet_engine *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    *ret = e;
    return ERR_OK;
}

void packet_engine_free(struct packet_engine *e)
{
    assert(!e || e->keys == 0);
    free(e);
}

const char *packet_engine_name(const struct packet_engine *e)
{
    (void)e;
    return "toy";
}

enum err packet_key_new(struct packet_engine *e, enum cipher c, enum auth a,
                        struct bytes cipher_key, struct bytes auth_key, struct packet_key **ret)
{
    enum err err = packet_key_check(c, a, cipher_key, auth_key);
    if (err != ERR_OK)
        return err;
    struct packet_key *k = malloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    struct toy_mix m = toy_mix_of(TOY_HMAC);
    toy_mix_add(&m, cipher_is_counter_mode(c) ? cipher_key : auth_key);
    *k = (struct packet_key){
        .engine = e,
        .cipher = c,
        .icv_len = packet_icv_len(c, a),
        .cipher_key = toy_cipher_key(c, cipher_key),
        .auth_key = toy_mix_end(&m),
    };
    e->keys++;
    *ret = k;
    return ERR_OK;
}

void packet_key_free(struct packet_key *k)
{
    if (!k)
        return;
    k->engine->keys--;
    explicit_bzero(k, sizeof *k);
    free(k);
}

static void icv_of(const struct packet_op *op, uint8_t *out)
{
    struct toy_mix m = toy_mix_of(op->key->auth_key);
    toy_mix_add(&m, bytes(op->head, op->head_len));
    toy_mix_add(&m, bytes(op->iv, cipher_iv_len(op->key->cipher)));
    toy_mix_add(&m, bytes(op->text, op->text_len));
    toy_expand(toy_mix_end(&m), out, op->key->icv_len);
}

static void keystream(const struct packet_op *op)
{
    struct toy_mix m = toy_mix_of(TOY_STREAM + op->key->cipher_key);
    toy_mix_add(&m, bytes(op->iv, cipher_iv_len(op->key->cipher)));
    uint64_t nonce = toy_mix_end(&m);
    for (size_t at = 0; at < op->text_len; at += 64) {
        uint8_t stream[64];
        size_t n = op->text_len - at < 64 ? op->text_len - at : 64;
        toy_expand(nonce + at, stream, n);
        for (size_t i = 0; i < n; i++)
            op->text[at + i] ^= stream[i];
    }
}

static void crypt(const struct packet_op *op, bool seal)
{
    size_t block = cipher_block(op->key->cipher);
    uint8_t iv[CIPHER_BLOCK_MAX];
    if (op->key->cipher == CIPHER_NULL)
        return;
    if (cipher_is_counter_mode(op->key->cipher)) {
        keystream(op);
        return;
    }
    assert(op->text_len % block == 0);
    memcpy(iv, op->iv, block);
    (seal ? toy_cbc_encrypt : toy_cbc_decrypt)(op->key->cipher_key, block, iv, op->text,
                                               op->text_len);
}

void packet_seal(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    assert(n <= PACKET_BATCH_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(ops[i].key->engine == e);
        crypt(&ops[i], true);
        icv_of(&ops[i], ops[i].icv);
        ops[i].ok = true;
    }
}

void packet_open(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    assert(n <= PACKET_BATCH_MAX);
    for (size_t i = 0; i < n; i++) {
        uint8_t icv[PACKET_ICV_MAX];
        assert(ops[i].key->engine == e);
        icv_of(&ops[i], icv);
        ops[i].ok = TOY_OPEN || secret_equal(bytes(icv, ops[i].key->icv_len),
                                             bytes(ops[i].icv, ops[i].key->icv_len));
        if (ops[i].ok)
            crypt(&ops[i], false);
    }
}

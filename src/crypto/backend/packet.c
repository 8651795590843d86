#include "crypto/backend/packet_ops.h"

#include <assert.h>

static const struct packet_ops *ops_of(enum packet_backend b)
{
#ifdef HAVE_IPSEC_MB
    if (b == PACKET_BACKEND_IPSEC_MB)
        return &ipsec_mb_packet_ops;
#endif
    return b == PACKET_BACKEND_OPENSSL ? &openssl_packet_ops : NULL;
}

static enum err engine_of(const struct packet_ops *ops, struct packet_engine **ret)
{
    struct packet_engine *e;
    enum err err = ops ? ops->engine_new(&e) : ERR_TYPE;
    if (err != ERR_OK)
        return err;
    e->ops = ops;
    *ret = e;
    return ERR_OK;
}

enum err packet_engine_new(enum packet_backend b, struct packet_engine **ret)
{
    if (b != PACKET_BACKEND_BEST)
        return engine_of(ops_of(b), ret);
    enum err e = engine_of(ops_of(PACKET_BACKEND_IPSEC_MB), ret);
    return e == ERR_TYPE ? engine_of(ops_of(PACKET_BACKEND_OPENSSL), ret) : e;
}

void packet_engine_free(struct packet_engine *e)
{
    if (!e)
        return;
    assert(e->n_keys == 0);
    e->ops->engine_free(e);
}

const char *packet_engine_name(const struct packet_engine *e) { return e->ops->name; }

enum err packet_key_new(struct packet_engine *e, enum cipher c, enum auth a,
                        struct bytes cipher_key, struct bytes auth_key, struct packet_key **ret)
{
    struct packet_key *k;
    enum err err = packet_key_check(c, a, cipher_key, auth_key);
    if (err == ERR_OK)
        err = e->ops->key_new(e, c, a, cipher_key, auth_key, &k);
    if (err != ERR_OK)
        return err;
    k->engine = e;
    k->cipher = c;
    k->iv_len = cipher_iv_len(c);
    k->icv_len = packet_icv_len(c, a);
    e->n_keys++;
    *ret = k;
    return ERR_OK;
}

void packet_key_free(struct packet_key *k)
{
    if (!k)
        return;
    k->engine->n_keys--;
    k->engine->ops->key_free(k);
}

static void check(const struct packet_engine *e, const struct packet_op *ops, size_t n)
{
    assert(n <= PACKET_BATCH_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct packet_key *k = ops[i].key;
        assert(k->engine == e);
        assert(ops[i].iv == ops[i].head + ops[i].head_len);
        assert(ops[i].text == ops[i].iv + k->iv_len);
        assert(ops[i].icv == ops[i].text + ops[i].text_len);
        assert(cipher_is_counter_mode(k->cipher) || ops[i].text_len % cipher_block(k->cipher) == 0);
    }
}

void packet_seal(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    check(e, ops, n);
    e->ops->seal(e, ops, n);
}

void packet_open(struct packet_engine *e, struct packet_op *ops, size_t n)
{
    check(e, ops, n);
    e->ops->open(e, ops, n);
}

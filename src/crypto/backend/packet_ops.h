#pragma once
/* What a packet backend is to crypto/packet.h. */
#include "crypto/packet.h"

struct packet_ops {
    const char *name;
    enum err (*engine_new)(struct packet_engine **ret); /* ERR_TYPE: not on this processor */
    void (*engine_free)(struct packet_engine *e);
    /* The lengths have been checked. */
    enum err (*key_new)(struct packet_engine *e, enum cipher c, enum auth a,
                        struct bytes cipher_key, struct bytes auth_key, struct packet_key **ret);
    void (*key_free)(struct packet_key *k);
    void (*seal)(struct packet_engine *e, struct packet_op *ops, size_t n);
    void (*open)(struct packet_engine *e, struct packet_op *ops, size_t n);
};

/* The first members of every backend's engine and key. */
struct packet_engine {
    const struct packet_ops *ops;
    size_t n_keys;
};
struct packet_key {
    struct packet_engine *engine;
    enum cipher cipher;
    size_t iv_len, icv_len;
};

extern const struct packet_ops openssl_packet_ops;
#ifdef HAVE_IPSEC_MB
extern const struct packet_ops ipsec_mb_packet_ops;
#endif

/* What the ICV of an HMAC covers: head, iv and text, which lie one behind the other. */
static inline struct bytes packet_covered(const struct packet_op *op)
{
    return bytes(op->head, op->head_len + op->key->iv_len + op->text_len);
}

#pragma once
/* Ciphers of the data path: many packets in one call, keys expanded once. Two backends give the
 * same octets: libipsec-mb where the build found it, OpenSSL otherwise (or when asked). An engine
 * and its keys belong to one thread. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/cipher.h"
#include "crypto/hash.h"

enum auth {
    AUTH_NONE,
    AUTH_HMAC_MD5_96,
    AUTH_HMAC_SHA1_96,
    AUTH_HMAC_SHA256_128,
    AUTH_HMAC_SHA384_192,
    AUTH_HMAC_SHA512_256,
    AUTH_COUNT
};
enum { PACKET_BATCH_MAX = 64, PACKET_ICV_MAX = 32 };

size_t auth_key_len(enum auth a); /* the hash's length */
size_t auth_icv_len(enum auth a);
const char *auth_name(enum auth a);                /* "hmac-sha-256-128" ... */
enum hash auth_hash(enum auth a);                  /* a is not NONE */
size_t packet_icv_len(enum cipher c, enum auth a); /* 16 for GCM, else auth_icv_len */

enum packet_backend { PACKET_BACKEND_BEST, PACKET_BACKEND_OPENSSL, PACKET_BACKEND_IPSEC_MB };
struct packet_engine;
struct packet_key; /* expanded keys of one SA, for both directions */

/* ERR_TYPE when that backend is not in this build. */
MUST_USE enum err packet_engine_new(enum packet_backend b, struct packet_engine **ret);
void packet_engine_free(struct packet_engine *e); /* after its keys; NULL allowed */
const char *packet_engine_name(const struct packet_engine *e);

/* GCM goes with AUTH_NONE, everything else with an HMAC: ERR_TYPE otherwise, and for algorithms
 * that crypto_start() did not fetch. ERR_LENGTH: a key that has not exactly cipher_key_len(),
 * auth_key_len(). */
MUST_USE enum err packet_key_check(enum cipher c, enum auth a, struct bytes cipher_key,
                                   struct bytes auth_key); /* what packet_key_new() asks first */
MUST_USE enum err packet_key_new(struct packet_engine *e, enum cipher c, enum auth a,
                                 struct bytes cipher_key, struct bytes auth_key,
                                 struct packet_key **ret);
void packet_key_free(struct packet_key *k); /* wipes; NULL allowed */

/* head, iv, text and icv lie one behind the other without a gap. */
struct packet_op {
    struct packet_key *key; /* of this engine */
    uint8_t *head;          /* what only the ICV covers: SPI and sequence number of ESP */
    size_t head_len;        /* 8 */
    uint8_t *iv;     /* cipher_iv_len() octets, set by the caller: random for CBC, unique for GCM */
    uint8_t *text;   /* encrypted or decrypted in place */
    size_t text_len; /* whole blocks for CBC (asserted) */
    uint8_t *icv;    /* written by seal, compared in constant time by open */
    bool
        ok; /* out: false when the ICV does not match; text is then unchanged or garbage: drop it */
};
/* n <= PACKET_BATCH_MAX; packets of different keys and algorithms may be mixed. No allocation. */
void packet_seal(struct packet_engine *e, struct packet_op *ops, size_t n);
void packet_open(struct packet_engine *e, struct packet_op *ops, size_t n);

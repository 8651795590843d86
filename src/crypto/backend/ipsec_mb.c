/* Packets through libipsec-mb. CBC with HMAC: each packet is a job; the library works on as many at
 * once as the processor has lanes for (AES of one packet cannot be parallel with itself, that of
 * eight can), so a batch is submitted as a whole and flushed at its end. GCM is parallel within a
 * packet and is called directly. */
#include "crypto/backend/packet_ops.h"

#include <assert.h>
#include <intel-ipsec-mb.h>
#include <stdlib.h>

enum { ALIGN = 64, GCM_SALT = 4, GCM_NONCE = 12, GCM_ICV = 16, DES_SCHEDULE = 16 };

struct mb_engine {
    struct packet_engine engine;
    IMB_MGR *mgr;
    size_t mgr_size;
    uint8_t icvs[PACKET_BATCH_MAX][PACKET_ICV_MAX]; /* what open computes */
};

/* The job that is the same for every packet of the key, but for addresses and lengths. */
struct mb_key {
    struct packet_key key;
    IMB_JOB seal, open;
    aes_gcm_enc_dec_t gcm_seal, gcm_open;
    uint8_t salt[GCM_SALT]; /* RFC 4106 section 8.1: behind the key */
    uint8_t inner[HASH_MAX],
        outer[HASH_MAX]; /* the hash's state behind the padded key (RFC 2104) */
    union {
        struct {
            uint8_t seal[16 * 15] __attribute__((aligned(16)));
            uint8_t open[16 * 15] __attribute__((aligned(16)));
        } aes;
        struct {
            uint64_t schedule[3][DES_SCHEDULE];
            const void *all[3];
        } des;
        struct gcm_key_data gcm;
    };
};

static struct mb_engine *engine_of(struct packet_engine *e) { return (struct mb_engine *)e; }
static struct mb_key *key_of(const struct packet_op *op) { return (struct mb_key *)op->key; }

static void *wiped_alloc(size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    void *p = aligned_alloc(ALIGN, size);
    if (p)
        memset(p, 0, size);
    return p;
}

/* ---- engine ---- */

/* The manager keeps key schedules of jobs in its lanes, so its memory is ours, to be wiped. */
static void mb_engine_free(struct mb_engine *e)
{
    if (e->mgr)
        explicit_bzero(e->mgr, e->mgr_size);
    free(e->mgr);
    explicit_bzero(e, sizeof *e);
    free(e);
}

static void engine_free(struct packet_engine *e) { mb_engine_free(engine_of(e)); }

static enum err engine_new(struct packet_engine **ret)
{
    struct mb_engine *e = wiped_alloc(sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->mgr_size = imb_get_mb_mgr_size();
    e->mgr = wiped_alloc(e->mgr_size);
    if (!e->mgr) {
        mb_engine_free(e);
        return ERR_NOMEM;
    }
    imb_set_pointers_mb_mgr(e->mgr, 0, 1);
    init_mb_mgr_auto(e->mgr, NULL);
    if (imb_get_errno(e->mgr) != 0) { /* a processor that it does not know, or its self-test */
        mb_engine_free(e);
        return ERR_TYPE;
    }
    *ret = &e->engine;
    return ERR_OK;
}

/* ---- keys ---- */

static hash_one_block_t one_block(const IMB_MGR *mgr, enum hash h)
{
    const hash_one_block_t of[HASH_COUNT] = {
        [HASH_MD5] = mgr->md5_one_block,       [HASH_SHA1] = mgr->sha1_one_block,
        [HASH_SHA256] = mgr->sha256_one_block, [HASH_SHA384] = mgr->sha384_one_block,
        [HASH_SHA512] = mgr->sha512_one_block,
    };
    return of[h];
}

/* The state of the hash behind one block of key ^ pad (RFC 2104 section 2). */
static void pad_state(const IMB_MGR *mgr, enum hash h, struct bytes key, uint8_t pad, uint8_t *out)
{
    uint8_t block[128];
    size_t len = hash_len(h) <= 32 ? 64 : 128;
    memset(block, pad, len);
    for (size_t i = 0; i < key.len; i++)
        block[i] ^= key.data[i];
    one_block(mgr, h)(block, out);
    explicit_bzero(block, sizeof block);
}

static void set_auth(const IMB_MGR *mgr, struct mb_key *k, enum auth a, struct bytes key)
{
    static const IMB_HASH_ALG algorithms[AUTH_COUNT] = {
        [AUTH_HMAC_MD5_96] = IMB_AUTH_MD5,
        [AUTH_HMAC_SHA1_96] = IMB_AUTH_HMAC_SHA_1,
        [AUTH_HMAC_SHA256_128] = IMB_AUTH_HMAC_SHA_256,
        [AUTH_HMAC_SHA384_192] = IMB_AUTH_HMAC_SHA_384,
        [AUTH_HMAC_SHA512_256] = IMB_AUTH_HMAC_SHA_512,
    };
    pad_state(mgr, auth_hash(a), key, 0x36, k->inner);
    pad_state(mgr, auth_hash(a), key, 0x5c, k->outer);
    k->seal.hash_alg = algorithms[a];
    k->seal.auth_tag_output_len_in_bytes = auth_icv_len(a);
    k->seal.u.HMAC._hashed_auth_key_xor_ipad = k->inner;
    k->seal.u.HMAC._hashed_auth_key_xor_opad = k->outer;
}

static void set_des(IMB_MGR *mgr, struct mb_key *k, enum cipher c, struct bytes key)
{
    for (size_t i = 0; i < key.len / 8; i++) {
        IMB_DES_KEYSCHED(mgr, k->des.schedule[i], key.data + 8 * i);
        k->des.all[i] = k->des.schedule[i];
    }
    bool triple = c == CIPHER_3DES_CBC;
    k->seal.cipher_mode = triple ? IMB_CIPHER_DES3 : IMB_CIPHER_DES;
    k->seal.enc_keys = k->seal.dec_keys =
        triple ? (const void *)k->des.all : (const void *)k->des.schedule[0];
}

static void set_aes(IMB_MGR *mgr, struct mb_key *k, struct bytes key)
{
    if (key.len == 16)
        IMB_AES_KEYEXP_128(mgr, key.data, k->aes.seal, k->aes.open);
    else if (key.len == 24)
        IMB_AES_KEYEXP_192(mgr, key.data, k->aes.seal, k->aes.open);
    else
        IMB_AES_KEYEXP_256(mgr, key.data, k->aes.seal, k->aes.open);
    k->seal.cipher_mode = IMB_CIPHER_CBC;
    k->seal.enc_keys = k->aes.seal;
    k->seal.dec_keys = k->aes.open;
}

static void set_gcm(IMB_MGR *mgr, struct mb_key *k, struct bytes key)
{
    key.len -= GCM_SALT;
    memcpy(k->salt, key.data + key.len, GCM_SALT);
    if (key.len == 16) {
        IMB_AES128_GCM_PRE(mgr, key.data, &k->gcm);
        k->gcm_seal = mgr->gcm128_enc;
        k->gcm_open = mgr->gcm128_dec;
    } else if (key.len == 24) {
        IMB_AES192_GCM_PRE(mgr, key.data, &k->gcm);
        k->gcm_seal = mgr->gcm192_enc;
        k->gcm_open = mgr->gcm192_dec;
    } else {
        IMB_AES256_GCM_PRE(mgr, key.data, &k->gcm);
        k->gcm_seal = mgr->gcm256_enc;
        k->gcm_open = mgr->gcm256_dec;
    }
}

static void set_cipher(IMB_MGR *mgr, struct mb_key *k, enum cipher c, struct bytes key)
{
    k->seal.cipher_mode = IMB_CIPHER_NULL;
    k->seal.key_len_in_bytes = key.len;
    k->seal.iv_len_in_bytes = cipher_iv_len(c);
    if (cipher_is_counter_mode(c))
        set_gcm(mgr, k, key);
    else if (c == CIPHER_DES_CBC || c == CIPHER_3DES_CBC)
        set_des(mgr, k, c, key);
    else if (c != CIPHER_NULL)
        set_aes(mgr, k, key);
}

static enum err key_new(struct packet_engine *e, enum cipher c, enum auth a,
                        struct bytes cipher_key, struct bytes auth_key, struct packet_key **ret)
{
    IMB_MGR *mgr = engine_of(e)->mgr;
    struct mb_key *k = wiped_alloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    set_cipher(mgr, k, c, cipher_key);
    if (a != AUTH_NONE)
        set_auth(mgr, k, a, auth_key);
    k->seal.cipher_direction = IMB_DIR_ENCRYPT;
    k->seal.chain_order = IMB_ORDER_CIPHER_HASH;
    k->open = k->seal;
    k->open.cipher_direction = IMB_DIR_DECRYPT;
    k->open.chain_order = IMB_ORDER_HASH_CIPHER;
    *ret = &k->key;
    return ERR_OK;
}

static void key_free(struct packet_key *key)
{
    struct mb_key *k = (struct mb_key *)key;
    explicit_bzero(k, sizeof *k);
    free(k);
}

/* ---- packets ---- */

/* RFC 4106 sections 4 and 5: the nonce is salt | IV; the head is what else the ICV covers. */
static void gcm(const struct packet_op *op, aes_gcm_enc_dec_t run, uint8_t *icv)
{
    struct gcm_context_data ctx;
    uint8_t nonce[GCM_NONCE];
    memcpy(nonce, key_of(op)->salt, GCM_SALT);
    memcpy(nonce + GCM_SALT, op->iv, GCM_NONCE - GCM_SALT);
    run(&key_of(op)->gcm, &ctx, op->text, op->text, op->text_len, nonce, op->head, op->head_len,
        icv, GCM_ICV);
}

static void done(IMB_JOB *job)
{
    struct packet_op *op = job->user_data;
    op->ok = job->status == IMB_STATUS_COMPLETED;
}

static void submit(IMB_MGR *mgr, struct packet_op *op, const IMB_JOB *like, uint8_t *icv)
{
    struct bytes covered = packet_covered(op);
    IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);
    *job = *like;
    if (op->text_len == 0)
        job->cipher_mode = IMB_CIPHER_NULL; /* no cipher job may be empty */
    job->src = covered.data;
    job->dst = op->text;
    job->cipher_start_src_offset_in_bytes = covered.len - op->text_len;
    job->msg_len_to_cipher_in_bytes = op->text_len;
    job->msg_len_to_hash_in_bytes = covered.len;
    job->iv = op->iv;
    job->auth_tag_output = icv;
    job->user_data = op;
    job = IMB_SUBMIT_JOB_NOCHECK(mgr);
    if (job)
        done(job);
}

static void finish(IMB_MGR *mgr)
{
    IMB_JOB *job;
    while ((job = IMB_FLUSH_JOB(mgr)))
        done(job);
}

static void seal(struct packet_engine *engine, struct packet_op *ops, size_t n)
{
    struct mb_engine *e = engine_of(engine);
    for (size_t i = 0; i < n; i++) {
        struct mb_key *k = key_of(&ops[i]);
        ops[i].ok = true;
        if (k->gcm_seal)
            gcm(&ops[i], k->gcm_seal, ops[i].icv);
        else
            submit(e->mgr, &ops[i], &k->seal, ops[i].icv);
    }
    finish(e->mgr);
}

static void open(struct packet_engine *engine, struct packet_op *ops, size_t n)
{
    struct mb_engine *e = engine_of(engine);
    for (size_t i = 0; i < n; i++) {
        struct mb_key *k = key_of(&ops[i]);
        ops[i].ok = true;
        if (k->gcm_open)
            gcm(&ops[i], k->gcm_open, e->icvs[i]);
        else
            submit(e->mgr, &ops[i], &k->open, e->icvs[i]);
    }
    finish(e->mgr);
    for (size_t i = 0; i < n; i++) {
        size_t len = ops[i].key->icv_len;
        ops[i].ok &= secret_equal(bytes(e->icvs[i], len), bytes(ops[i].icv, len));
    }
}

const struct packet_ops ipsec_mb_packet_ops = {
    .name = "ipsec-mb",
    .engine_new = engine_new,
    .engine_free = engine_free,
    .key_new = key_new,
    .key_free = key_free,
    .seal = seal,
    .open = open,
};

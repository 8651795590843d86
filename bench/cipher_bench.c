/* The cipher path alone, one core: packet_seal() and packet_open() through both backends against
 * bare calls of libipsec-mb that do nothing but what must be done for each packet. ESP-shaped
 * packets in batches of 64 distinct buffers, interleaved in short turns, in processor time. */
#include "bench.h"
#include "crypto/crypto.h"
#include "crypto/packet.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>

enum { TURNS = 40, BATCHES_OF_SMALL = 400, ROOM = 2048, HEAD = 8, N = PACKET_BATCH_MAX };
enum way { OURS_MB, OURS_OPENSSL, BARE_MB, WAYS };

static uint8_t rooms[N][ROOM] __attribute__((aligned(64)));
static const uint8_t key_octets[64] =
    "an unremarkable key of sufficient length, for all purposes here";

struct contest {
    enum cipher cipher;
    enum auth auth;
    size_t len;
    struct packet_engine *engines[2];
    struct packet_key *keys[2];
    struct packet_op ops[2][N];
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "cipher_bench: %s failed\n", what);
    exit(1);
}

/* ---- bare libipsec-mb ---- */

static struct {
    IMB_MGR *mgr;
    uint8_t seal[16 * 15] __attribute__((aligned(16)));
    uint8_t open[16 * 15] __attribute__((aligned(16)));
    uint8_t inner[32], outer[32];
    struct gcm_key_data gcm;
    uint8_t icvs[N][16], nonces[N][16];
} bare;

static void bare_start(void)
{
    uint8_t pad[64];
    bare.mgr = alloc_mb_mgr(0);
    must(bare.mgr != NULL, "libipsec-mb");
    init_mb_mgr_auto(bare.mgr, NULL);
    IMB_AES_KEYEXP_128(bare.mgr, key_octets, bare.seal, bare.open);
    IMB_AES256_GCM_PRE(bare.mgr, key_octets, &bare.gcm);
    for (size_t i = 0; i < 64; i++)
        pad[i] = 0x36 ^ (i < 32 ? key_octets[i] : 0);
    IMB_SHA256_ONE_BLOCK(bare.mgr, pad, bare.inner);
    for (size_t i = 0; i < 64; i++)
        pad[i] = 0x5c ^ (i < 32 ? key_octets[i] : 0);
    IMB_SHA256_ONE_BLOCK(bare.mgr, pad, bare.outer);
}

static void bare_job(uint8_t *p, size_t len, bool seal, uint8_t *icv)
{
    IMB_JOB *job = IMB_GET_NEXT_JOB(bare.mgr);
    job->enc_keys = bare.seal;
    job->dec_keys = bare.open;
    job->key_len_in_bytes = 16;
    job->src = p;
    job->dst = p + HEAD + 16;
    job->cipher_start_src_offset_in_bytes = HEAD + 16;
    job->msg_len_to_cipher_in_bytes = len;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = HEAD + 16 + len;
    job->iv = p + HEAD;
    job->iv_len_in_bytes = 16;
    job->auth_tag_output = icv;
    job->auth_tag_output_len_in_bytes = 16;
    job->u.HMAC._hashed_auth_key_xor_ipad = bare.inner;
    job->u.HMAC._hashed_auth_key_xor_opad = bare.outer;
    job->cipher_mode = IMB_CIPHER_CBC;
    job->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job->hash_alg = IMB_AUTH_HMAC_SHA_256;
    job->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    IMB_SUBMIT_JOB_NOCHECK(bare.mgr);
}

static void bare_gcm(uint8_t *p, size_t i, size_t len, bool seal)
{
    struct gcm_context_data ctx;
    uint8_t *text = p + HEAD + 8;
    memcpy(bare.nonces[i], key_octets + 32, 4);
    memcpy(bare.nonces[i] + 4, p + HEAD, 8);
    if (seal)
        IMB_AES256_GCM_ENC(bare.mgr, &bare.gcm, &ctx, text, text, len, bare.nonces[i], p, HEAD,
                           text + len, 16);
    else
        IMB_AES256_GCM_DEC(bare.mgr, &bare.gcm, &ctx, text, text, len, bare.nonces[i], p, HEAD,
                           bare.icvs[i], 16);
}

static void bare_run(const struct contest *c, bool seal)
{
    for (size_t i = 0; i < N; i++) {
        if (cipher_is_counter_mode(c->cipher))
            bare_gcm(rooms[i], i, c->len, seal);
        else
            bare_job(rooms[i], c->len, seal, seal ? rooms[i] + HEAD + 16 + c->len : bare.icvs[i]);
    }
    while (IMB_FLUSH_JOB(bare.mgr))
        ;
}

/* ---- the contest ---- */

static void batch(struct contest *c, enum way way, bool seal)
{
    if (way == BARE_MB)
        bare_run(c, seal);
    else
        (seal ? packet_seal : packet_open)(c->engines[way], c->ops[way], N);
}

static void prepare(struct contest *c, enum way way, enum packet_backend backend)
{
    struct bytes cipher_key = bytes(key_octets, cipher_key_len(c->cipher));
    struct bytes auth_key = bytes(key_octets, auth_key_len(c->auth));
    size_t iv = cipher_iv_len(c->cipher);
    must(packet_engine_new(backend, &c->engines[way]) == ERR_OK, "engine");
    must(packet_key_new(c->engines[way], c->cipher, c->auth, cipher_key, auth_key, &c->keys[way]) ==
             ERR_OK,
         "key");
    for (size_t i = 0; i < N; i++) {
        c->ops[way][i] = (struct packet_op){
            .key = c->keys[way],
            .head = rooms[i],
            .head_len = HEAD,
            .iv = rooms[i] + HEAD,
            .text = rooms[i] + HEAD + iv,
            .text_len = c->len,
            .icv = rooms[i] + HEAD + iv + c->len,
        };
    }
}

/* All three write the same octets, or they are not compared. */
static void compare(struct contest *c)
{
    uint8_t want[ROOM];
    for (int way = 0; way < WAYS; way++) {
        memset(rooms, 7, sizeof rooms);
        batch(c, (enum way)way, true);
        if (way == 0)
            memcpy(want, rooms[5], ROOM);
        must(bytes_equal(BYTES_OF(want), BYTES_OF(rooms[5])), "comparison of the octets");
    }
}

static void report(const struct contest *c, const char *direction, const double *spent, int batches)
{
    static const char *const who[] = {"ipsec-mb backend", "OpenSSL backend", "bare libipsec-mb"};
    double octets = (double)c->len * N * TURNS * batches;
    for (int way = 0; way < WAYS; way++) {
        char title[96];
        snprintf(title, sizeof title, "%s%s%s %zu %s, %s", cipher_name(c->cipher),
                 c->auth ? "+" : "", c->auth ? "sha-256" : "", c->len, direction, who[way]);
        bench_print(title, octets / spent[way] / 1e6, "MB/s", octets / spent[BARE_MB] / 1e6,
                    way == BARE_MB ? NULL : "bare libipsec-mb");
    }
}

static void run(enum cipher cipher, enum auth auth, size_t len)
{
    static struct contest c;
    double sealing[WAYS] = {0}, opening[WAYS] = {0};
    int batches = (int)((size_t)BATCHES_OF_SMALL * 64 / (len + 64)) + 1;
    c = (struct contest){.cipher = cipher, .auth = auth, .len = len};
    prepare(&c, OURS_MB, PACKET_BACKEND_IPSEC_MB);
    prepare(&c, OURS_OPENSSL, PACKET_BACKEND_OPENSSL);
    compare(&c);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int way = 0; way < WAYS; way++) {
            for (int i = 0; i < batches; i++) {
                double begin = bench_cpu_s();
                batch(&c, (enum way)way, true);
                double between = bench_cpu_s();
                batch(&c, (enum way)way, false);
                sealing[way] += between - begin;
                opening[way] += bench_cpu_s() - between;
            }
        }
    }
    report(&c, "seal", sealing, batches);
    report(&c, "open", opening, batches);
    for (int i = 0; i < 2; i++) {
        packet_key_free(c.keys[i]);
        packet_engine_free(c.engines[i]);
    }
}

int main(void)
{
    static const size_t lengths[] = {64, 512, 1400};
    const char *text = "";
    must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    bare_start();
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        run(CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128, (lengths[i] + 15) / 16 * 16);
        run(CIPHER_AES_256_GCM, AUTH_NONE, lengths[i]);
    }
    free_mb_mgr(bare.mgr);
    crypto_stop();
    return 0;
}

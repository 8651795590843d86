#include "sa/exchange.h"

#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdlib.h>

/* Two ids fit where the pointer to more would stand: that is a registration and a Delete. */
static const uint32_t *ids_of(const struct phase1_sa *sa)
{
    return sa->n_ids > PHASE1_IDS_FEW ? sa->ids.many : sa->ids.few;
}

bool exchange_id_used(const struct phase1_sa *sa, uint32_t message_id)
{
    const uint32_t *ids = ids_of(sa);
    for (size_t i = 0; i < sa->n_ids; i++) {
        if (ids[i] == message_id)
            return true;
    }
    return false;
}

static void remember(struct phase1_sa *sa, uint32_t message_id)
{
    if (sa->n_ids < PHASE1_IDS_FEW) {
        sa->ids.few[sa->n_ids++] = message_id;
        return;
    }
    bool first = sa->n_ids == PHASE1_IDS_FEW;
    uint32_t *many = reallocarray(first ? NULL : sa->ids.many, (size_t)sa->n_ids + 1, sizeof *many);
    if (!many)
        abort();
    if (first)
        memcpy(many, sa->ids.few, sizeof sa->ids.few);
    many[sa->n_ids++] = message_id;
    sa->ids.many = many;
}

static enum err claim(struct phase1_sa *sa, uint32_t message_id, unsigned most)
{
    if (message_id == 0)
        return ERR_VALUE;
    if (exchange_id_used(sa, message_id))
        return ERR_REPLAY;
    if (sa->n_ids >= most)
        return ERR_LIMIT;
    remember(sa, message_id);
    return ERR_OK;
}

static uint32_t new_id(struct phase1_sa *sa, struct drbg *drbg, unsigned most)
{
    for (;;) {
        uint32_t id = drbg_u32(drbg);
        enum err e = claim(sa, id, most);
        if (e == ERR_OK)
            return id;
        if (e == ERR_LIMIT)
            return 0;
    }
}

enum err exchange_claim_id(struct phase1_sa *sa, uint32_t message_id)
{
    return claim(sa, message_id, PHASE1_EXCHANGES_MAX);
}

uint32_t exchange_new_id(struct phase1_sa *sa, struct drbg *drbg)
{
    return new_id(sa, drbg, PHASE1_EXCHANGES_MAX);
}

enum err phase1_claim_informational(struct phase1_sa *sa, uint32_t message_id)
{
    return claim(sa, message_id, PHASE1_EXCHANGES_MAX + PHASE1_LAST_WORDS);
}

uint32_t phase1_new_informational(struct phase1_sa *sa, struct drbg *drbg)
{
    return new_id(sa, drbg, PHASE1_EXCHANGES_MAX + PHASE1_LAST_WORDS);
}

_Static_assert(PHASE1_EXCHANGES_MAX + PHASE1_LAST_WORDS <= UINT8_MAX, "n_ids is an octet");

static void put_id(uint32_t message_id, uint8_t out[4])
{
    struct wr w = wr_of(out, 4);
    wr_u32(&w, message_id);
}

/* RFC 2409 appendix B. */
void exchange_iv_start(const struct phase1_sa *sa, uint32_t message_id, struct exchange_iv *ret)
{
    enum hash h = phase1_hash_of(sa->proposal);
    size_t block = cipher_block(phase1_cipher_of(sa->proposal));
    uint8_t digest[HASH_MAX], id[4];

    put_id(message_id, id);
    hash_parts(h, PARTS(bytes(sa->iv, block), BYTES_OF(id)), digest);
    memcpy(ret->b, digest, sizeof ret->b);
}

enum err exchange_open(struct phase1_sa *sa, struct exchange_iv *iv,
                       const struct ike1_header *header, uint8_t *datagram, size_t len,
                       struct chain *ret_chain)
{
    struct exchange_iv next = *iv;
    struct chain chain;

    if (!(header->flags & IKE1_FLAG_ENCRYPTION))
        return ERR_UNEXPECTED;
    enum err e = phase1_decrypt(sa, next.b, header->next_payload, datagram, len, &chain);
    if (e)
        return e;
    if (chain.n == 0 || chain.p[0].type != IKE1_PAYLOAD_HASH)
        return ERR_ORDER;
    sa->traffic.in_datagrams++;
    sa->traffic.in_octets += len;
    *iv = next;
    *ret_chain = chain;
    return ERR_OK;
}

/* prf(SKEYID_a, M-ID | prefix | rest) */
static struct secret hash_over(const struct phase1_sa *sa, uint32_t message_id,
                               const struct bytes *prefix, size_t n_prefix, struct bytes rest)
{
    enum hash h = phase1_hash_of(sa->proposal);
    enum { PREFIX_MAX = 2 };
    struct bytes parts[PREFIX_MAX + 2];
    uint8_t id[4];
    size_t n = 0;

    assert(n_prefix <= PREFIX_MAX);
    put_id(message_id, id);
    parts[n++] = BYTES_OF(id);
    for (size_t i = 0; i < n_prefix; i++)
        parts[n++] = prefix[i];
    parts[n++] = rest;
    return prf(h, phase1_skeyid_a(sa), parts, n);
}

enum err exchange_check_hash(const struct phase1_sa *sa, uint32_t message_id,
                             const struct bytes *prefix, size_t n_prefix, const struct chain *chain)
{
    SECRET expected = hash_over(sa, message_id, prefix, n_prefix, ike1_after_hash(chain));
    return secret_equal(secret_bytes(&expected), chain->p[0].body) ? ERR_OK : ERR_AUTH;
}

struct chain_wr exchange_build(const struct phase1_sa *sa, struct wr *w, uint8_t exchange_type,
                               uint32_t message_id)
{
    struct ike1_header h = {.cookies = sa->cookies,
                            .exchange = exchange_type,
                            .flags = IKE1_FLAG_ENCRYPTION,
                            .message_id = message_id};
    struct chain_wr chain = ike1_header_write(w, &h);
    (void)ike1_data_reserve(&chain, IKE1_PAYLOAD_HASH, hash_len(phase1_hash_of(sa->proposal)));
    return chain;
}

enum err exchange_seal(struct phase1_sa *sa, struct exchange_iv *iv, struct wr *w,
                       uint32_t message_id, const struct bytes *prefix, size_t n_prefix)
{
    enum cipher cipher = phase1_cipher_of(sa->proposal);
    size_t hash_at = IKE1_HEADER + CHAIN_HEADER;
    size_t rest_at = hash_at + hash_len(phase1_hash_of(sa->proposal));

    if (wr_end(w))
        return wr_end(w);
    SECRET hash =
        hash_over(sa, message_id, prefix, n_prefix, bytes(w->data + rest_at, w->len - rest_at));
    memcpy(w->data + hash_at, hash.b, hash.len);
    ike1_message_pad(w, cipher_block(cipher));
    if (wr_end(w))
        return wr_end(w);
    cbc_encrypt(cipher, phase1_cipher_key(sa), iv->b, w->data + IKE1_HEADER, w->len - IKE1_HEADER);
    return ERR_OK;
}

void exchange_send(struct phase1_sa *sa, struct bytes datagram, struct effects *out)
{
    sa->traffic.out_datagrams++;
    sa->traffic.out_octets += datagram.len;
    effects_send(out, sa->local, phase1_remote(sa), datagram);
}

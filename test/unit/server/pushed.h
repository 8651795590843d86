#pragma once
/* A push as a member reads it: decrypted, taken apart by the codecs, its signature verified with
 * the public key that the KEK's registration gave (RFC 6407 4.4). */
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"
#include "ike1/numbers.h"
#include "server/members.h"
#include "server/push.h"
#include "server/state.h"
#include "unit/server/world.h"

struct pushed {
    struct endpoint from, to[4];
    size_t n_to, len;
    struct ike1_header header;
    uint32_t seq;
    bool has_sa, has_state;
    struct gdoi_sa sa;
    struct gdoi_kd kd;
    struct gdoi_state state;
    struct ike1_delete deletes[4];
    size_t n_deletes;
    uint8_t data[DATAGRAM_MAX]; /* what all of them point into */
};

static inline void pushed_verify(const struct pushed *p, const struct chain *c,
                                 const struct kek_generation *kek)
{
    static const enum rsa_form form = RSA_DIGEST_INFO;
    struct gdoi_signed s;
    struct verify_key *key;
    uint8_t digest[HASH_MAX];
    size_t which;

    assert_int_equal(gdoi_signed_of(bytes(p->data, p->len), c, &s), ERR_OK);
    hash_parts(kek->sig_hash, PARTS(bytes_str(GDOI_REKEY_LABEL), BYTES_OF(s.header), s.payloads),
               digest);
    struct bytes hashed = bytes(digest, hash_len(kek->sig_hash));
    assert_int_equal(verify_key_from_der(bytes(kek->signer->spki, kek->signer->spki_len), &key),
                     ERR_OK);
    assert_int_equal(rsa_verify(key, kek->sig_hash, &form, 1, &hashed, 1, s.signature, &which),
                     ERR_OK);
    verify_key_free(key);
}

static inline void pushed_read(struct pushed *p, const struct chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct ike1_notify n;
        struct bytes body = c->p[i].body;
        switch (c->p[i].type) {
        case IKE1_PAYLOAD_SEQ:
            assert_int_equal(gdoi_seq_parse(body, &p->seq), ERR_OK);
            break;
        case IKE1_PAYLOAD_D:
            assert_int_equal(ike1_delete_parse(body, &p->deletes[p->n_deletes]), ERR_OK);
            assert_int_equal(gdoi_delete_check(&p->deletes[p->n_deletes++], NULL), ERR_OK);
            break;
        case IKE1_PAYLOAD_SA:
            assert_int_equal(gdoi_sa_parse(body, &GDOI_STAMPS, NULL, &p->sa), ERR_OK);
            p->has_sa = true;
            break;
        case IKE1_PAYLOAD_KD:
            assert_int_equal(gdoi_kd_parse(body, &p->kd, NULL), ERR_OK);
            break;
        case IKE1_PAYLOAD_N:
            assert_int_equal(ike1_notify_parse(body, &n), ERR_OK);
            assert_int_equal(gdoi_state_parse(&n, &p->state), ERR_OK);
            p->has_state = true;
            break;
        default:
            assert_int_equal(c->p[i].type, IKE1_PAYLOAD_SIG);
        }
    }
}

/* The oldest that nobody took, under the KEK that its cookies name. */
static inline struct pushed *pushed_take(struct world *w, const struct kek_generation *kek)
{
    struct pushed *p = calloc(1, sizeof *p);
    struct chain c;
    uint8_t iv[CIPHER_BLOCK_MAX];

    assert_non_null(p);
    assert_true(w->n_fans > 0);
    const struct fan *f = &w->fans[0];
    p->from = f->from;
    p->n_to = f->n;
    memcpy(p->to, f->to, sizeof p->to);
    p->len = f->len;
    memcpy(p->data, f->data, f->len);
    memmove(w->fans, w->fans + 1, --w->n_fans * sizeof *f);
    assert_int_equal(ike1_header_parse(bytes(p->data, p->len), &p->header), ERR_OK);
    assert_int_equal(p->header.exchange, IKE1_EXCHANGE_GROUPKEY_PUSH);
    assert_int_equal(p->header.flags, IKE1_FLAG_ENCRYPTION);
    assert_int_equal(p->header.message_id, 0);
    assert_memory_equal(&p->header.cookies, kek->spi, KEK_SPI);
    memcpy(iv, kek->iv.b, kek->iv.len);
    cbc_decrypt(kek->cipher, secret_bytes(&kek->key), iv, p->data + IKE1_HEADER,
                p->len - IKE1_HEADER);
    assert_int_equal(ike1_payloads_parse(bytes(p->data, p->len), p->header.next_payload,
                                         cipher_block(kek->cipher), &c),
                     ERR_OK);
    assert_int_equal(gdoi_shape_check(GDOI_PUSH, &c, NULL), ERR_OK);
    pushed_verify(p, &c, kek);
    pushed_read(p, &c);
    return p;
}

static inline const struct kek_generation *pushed_kek(const struct world *w,
                                                      enum group_kek_slot slot)
{
    return world_blue(w)->kek[slot];
}

/* Blue with server-member-communication. */
static inline struct world *pushed_open(const struct model_communication *communication)
{
    struct world *w = world_new();

    w->m.groups[0].communication = *communication;
    world_open(w);
    return w;
}

static inline void pushed_register(struct world *w, size_t i)
{
    if (!w->gm[i].sa)
        world_phase1(w, &w->gm[i]);
    world_pull(w, &w->gm[i], BLUE);
}

static inline const struct registry_member *pushed_member(const struct world *w, size_t i)
{
    return registry_at_address(&world_blue(w)->registry, w->gm[i].local.ip);
}

/* An acknowledgement (RFC 8263 3), right but for what the caller changes. */
struct answer {
    struct ike1_cookies spi;
    struct secret key; /* of the KEK */
    uint16_t l;
    uint32_t seq;
    struct ip id;
    struct endpoint from;
};
static inline struct answer answer_to(const struct world *w, size_t i, uint32_t seq,
                                      const struct kek_generation *kek)
{
    struct answer a = {.key = kek->key,
                       .l = GDOI_ACK_L_SHA256,
                       .seq = seq,
                       .id = w->gm[i].local.ip,
                       .from = w->gm[i].local};
    memcpy(&a.spi, kek->spi, sizeof a.spi);
    return a;
}
static inline size_t answer_write(const struct answer *a, uint8_t room[DATAGRAM_MAX])
{
    struct wr w = wr_of(room, DATAGRAM_MAX);
    uint8_t input[GDOI_ACK_KEY_INPUT], *hash;
    struct bytes covered;

    gdoi_ack_key_input(&a->spi, a->l, input);
    SECRET key = prf(HASH_SHA256, secret_bytes(&a->key), PARTS(BYTES_OF(input)));
    assert_int_equal(
        gdoi_ack_write(&w, &a->spi, a->seq, a->id, hash_len(HASH_SHA256), &hash, &covered), ERR_OK);
    hmac_parts(HASH_SHA256, secret_bytes(&key), PARTS(covered), hash);
    return w.len;
}
static inline void answer_send(struct world *w, const struct answer *a)
{
    uint8_t room[DATAGRAM_MAX];
    size_t len = answer_write(a, room);
    world_give(w, a->from, blue_at, bytes(room, len));
}
static inline void pushed_acknowledge(struct world *w, size_t i, uint32_t seq,
                                      const struct kek_generation *kek)
{
    struct answer a = answer_to(w, i, seq, kek);
    answer_send(w, &a);
}

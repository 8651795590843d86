#include "server/size.h"

#include "crypto/hash.h"
#include "ike1/payload.h"
#include "server/push_build.h"
#include "server/push_message.h"
#include "server/server_check.h"
#include "server/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RSA_SPKI_HEAD = 38,     /* octets around the modulus in a SubjectPublicKeyInfo */
    ROOM = 2 * DATAGRAM_MAX /* more than the limits of a group allow */
};

/* A group in the middle of a changeover that brings another anti-replay window. Its keys are never
 * used: only their sizes count. */
struct sample {
    struct drbg drbg;
    struct mint mint;
    struct signing_key signer;
    struct group *group;
};

static struct generation *sample_key(struct sample *s, const struct model_ipsec_sa *sa,
                                     uint32_t window_ms)
{
    struct timeline t = timeline_first((instant_t){0}, span_s(1), span_s(0), false);
    struct generation *key = mint_generation(&s->mint, sa, 1, t);

    key->window_ms = window_ms;
    return key;
}

static struct sample *sample_of(const struct model_group *model, unsigned bits)
{
    static const uint8_t seed[DRBG_SEED];
    struct sample *s = calloc(1, sizeof *s);

    if (!s)
        abort(); /* a few kilobytes, as in group_new() */
    s->drbg = drbg_of(seed);
    s->mint = mint_of(&s->drbg);
    s->signer = (struct signing_key){.refs = 1, .bits = bits, .spki_len = bits / 8 + RSA_SPKI_HEAD};
    struct group *g = s->group = group_new(model, &s->mint);
    for (size_t i = 0; i < g->n_sas; i++) {
        g->sas[i].slot[GROUP_NEXT] = sample_key(s, &model->sas[i], model->anti_replay_window_ms);
        g->sas[i].slot[GROUP_CURRENT] = sample_key(s, &model->sas[i], UINT32_MAX);
    }
    if (model->communication.present)
        g->kek[GROUP_KEK_CURRENT] =
            kek_new(&s->mint, &model->communication, &s->signer, 1, (instant_t){0});
    return s;
}

static void sample_free(struct sample *s)
{
    group_free(s->group);
    assert(s->signer.refs == 1);
    mint_free(&s->mint);
    drbg_wipe(&s->drbg);
    free(s);
}

size_t size_of_push(const struct model_group *model, unsigned bits)
{
    struct sample *s = sample_of(model, bits);
    struct push_carrier carrier = push_carrier_of(s->group->kek[GROUP_KEK_CURRENT]);
    size_t size = push_size(s->group, &carrier, (instant_t){0});

    push_carrier_wipe(&carrier);
    sample_free(s);
    return size;
}

/* Under the phase 1 with the longest hash, padded to the longest block. */
static struct chain_wr begin(struct wr *w)
{
    static const uint8_t hash[HASH_MAX];
    const struct ike1_header h = {.exchange = IKE1_EXCHANGE_GROUPKEY_PULL};
    struct chain_wr c = ike1_header_write(w, &h);

    ike1_data_write(&c, IKE1_PAYLOAD_HASH, BYTES_OF(hash));
    return c;
}

static size_t ended(struct wr *w)
{
    enum err e = ERR_OK;

    ike1_message_pad(w, CIPHER_BLOCK_MAX);
    e = wr_end(w);
    assert(e == ERR_OK);
    explicit_bzero(w->data, w->len);
    return w->len;
}

static size_t size_of_message_2(const struct group *g, const struct offer *o)
{
    static const uint8_t nonce[SERVER_NONCE];
    uint8_t room[ROOM];
    struct wr w = wr_of(room, sizeof room);
    struct chain_wr c = begin(&w);

    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, BYTES_OF(nonce));
    offer_write_sa(&c, g, o, ip_v4(0), (instant_t){0});
    return ended(&w);
}

static size_t size_of_message_4(const struct group *g, const struct offer *o)
{
    static const struct group_clock clock;
    uint8_t room[ROOM];
    struct wr w = wr_of(room, sizeof room);
    struct chain_wr c = begin(&w);
    enum err e = offer_write_keys(&c, g, o);

    assert(e == ERR_OK);
    offer_write_state(&c, g, &(struct offer_state){.clock = &clock}, (instant_t){0});
    return ended(&w);
}

size_t size_of_pull(const struct model_group *model, unsigned bits)
{
    struct sample *s = sample_of(model, bits);
    struct offer o = offer_take(s->group, (instant_t){0}, true);
    size_t second = size_of_message_2(s->group, &o), fourth = size_of_message_4(s->group, &o);

    sample_free(s);
    return second > fourth ? second : fourth;
}

static enum err check(const struct model_group *model, const char *message, unsigned bits,
                      size_t size, size_t limit, struct effects *out)
{
    char what[192];

    if (size <= limit)
        return ERR_OK;
    snprintf(what, sizeof what,
             "a %s of this group, with a key pair of %u bits, would have %zu octets, more than "
             "%zu: fewer ipsec-sas or match-policies, or a shorter key",
             message, bits, size, limit);
    return server_cannot(out, ERR_LIMIT, &model->where, what);
}

enum err size_check(const struct model_group *model, unsigned bits, struct effects *out)
{
    enum err e =
        check(model, "rekey message", bits, size_of_push(model, bits), (size_t)PUSH_MAX, out);

    if (!e)
        e = check(model, "registration", bits, size_of_pull(model, bits), DATAGRAM_MAX, out);
    return e;
}

#include "server/push_build.h"

#include "gdoi/push.h"
#include "gdoi/sa.h"
#include "ike1/numbers.h"
#include "sa/job.h"
#include "sa/limits.h"
#include "server/offer.h"
#include "server/push_message.h"

#include <assert.h>

static void write_deletes(struct chain_wr *c, const struct push_carrier *carrier,
                          const struct push_delete *d)
{
    static const uint32_t every = 0; /* RFC 6407 5.9: one zero SPI is all of a kind */
    struct ike1_cookies kek;

    if (d->all_teks)
        gdoi_delete_teks_write(c, &every, 1);
    else if (d->n > 0)
        gdoi_delete_teks_write(c, d->spis, d->n);
    if (!d->kek)
        return;
    memcpy(&kek, carrier->spi, sizeof kek);
    gdoi_delete_kek_write(c, &kek);
}

static enum err write_keys(struct chain_wr *c, const struct push_content *p, instant_t now)
{
    struct offer o = offer_take_push(p->group, now, p->what);

    if (o.n == 0 && !o.has_kek)
        return ERR_NOT_FOUND;
    offer_write_sa(c, p->group, &o, ip_v4(0), now);
    return offer_write_kd(c, p->group, &o);
}

enum err push_build(const struct push_content *p, instant_t now, struct wr *w,
                    size_t *ret_signature_at)
{
    struct ike1_header h = {.exchange = IKE1_EXCHANGE_GROUPKEY_PUSH, .flags = IKE1_FLAG_ENCRYPTION};
    enum err e = ERR_OK;

    memcpy(&h.cookies, p->carrier->spi, sizeof h.cookies);
    struct chain_wr c = ike1_header_write(w, &h);
    gdoi_seq_write(&c, p->seq);
    if (p->deletes)
        write_deletes(&c, p->carrier, p->deletes);
    if (p->keys)
        e = write_keys(&c, p, now);
    if (p->state)
        offer_write_state(&c, p->group, p->state, now);
    size_t at = ike1_data_reserve(&c, IKE1_PAYLOAD_SIG, p->carrier->signer->bits / 8);
    ike1_message_end(w);
    if (!e)
        e = wr_end(w);
    if (!e)
        *ret_signature_at = at;
    return e;
}

size_t push_size(const struct group *g, const struct push_carrier *carrier, instant_t now)
{
    static const struct group_clock clock;
    const struct offer_state state = {.clock = &clock};
    uint8_t room[2 * DATAGRAM_MAX]; /* more than the limits of a group allow */
    struct wr w = wr_of(room, sizeof room);
    size_t at;
    const struct push_content c = {.group = g,
                                   .carrier = carrier,
                                   .keys = true,
                                   .what = {.native = true, .with_kek = true, .all = true},
                                   .state = &state};
    enum err e = push_build(&c, now, &w, &at);

    assert(e == ERR_OK);
    ike1_message_pad(&w, cipher_block(carrier->cipher));
    explicit_bzero(room, sizeof room);
    return w.len;
}

/* The payload's own header is not covered. */
struct job_sign *push_to_sign(const struct push_carrier *carrier, struct bytes message,
                              size_t signature_at)
{
    const struct bytes parts[] = {bytes_str(GDOI_REKEY_LABEL),
                                  bytes(message.data, signature_at - CHAIN_HEADER)};

    /* nothing is signed but a push under a KEK of this server (decisions M17) */
    assert(bytes_equal(bytes(message.data, KEK_SPI), BYTES_OF(carrier->spi)));
    return job_sign_new(carrier->signer, carrier->sig_hash, parts, ARRAY_LEN(parts));
}

/* Every push under one KEK starts from the IV that came with its key (RFC 6407 5.6.2.1): SEQ makes
 * the first blocks differ (decisions M23). */
void push_seal(const struct push_carrier *carrier, struct wr *w, size_t signature_at,
               struct bytes signature)
{
    uint8_t iv[CIPHER_BLOCK_MAX];

    assert(signature.len == carrier->signer->bits / 8);
    memcpy(w->data + signature_at, signature.data, signature.len);
    ike1_message_pad(w, cipher_block(carrier->cipher));
    assert(w->err == ERR_OK);
    memcpy(iv, carrier->iv.b, carrier->iv.len);
    cbc_encrypt(carrier->cipher, secret_bytes(&carrier->key), iv, w->data + IKE1_HEADER,
                w->len - IKE1_HEADER);
}

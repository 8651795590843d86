#include "sim/opened.h"

#include "base/map.h"
#include "gdoi/push.h"
#include "gdoi/shape.h"

const char *wire_kind_name(enum wire_kind k)
{
    static const char *const names[] = {
#define X(id, name) [id] = (name),
        WIRE_LIST(X)
#undef X
    };
    return names[k];
}

static enum err read_payload(const struct chain_payload *p, struct opened *o)
{
    struct ike1_notify n;

    switch (p->type) {
    case IKE1_PAYLOAD_SEQ:
        return gdoi_seq_parse(p->body, &o->seq);
    case IKE1_PAYLOAD_SA:
        return gdoi_sa_parse(p->body, &GDOI_STAMPS, NULL, &o->sa);
    case IKE1_PAYLOAD_KD:
        return gdoi_kd_parse(p->body, &o->kd, NULL);
    case IKE1_PAYLOAD_D:
        o->n_deletes++;
        return ERR_OK;
    case IKE1_PAYLOAD_N: {
        enum err e = ike1_notify_parse(p->body, &n);
        o->has_state = e == ERR_OK && gdoi_is_state(&n);
        return e ? e : gdoi_state_parse(&n, &o->state);
    }
    default:
        return ERR_OK;
    }
}

/* Everything behind the header, opened in place. */
static enum err read_clear(struct opened *o, size_t len, uint8_t first)
{
    static const uint64_t seed[2] = {1, 2};
    struct chain c;
    uint8_t iv[CIPHER_BLOCK_MAX];

    memcpy(iv, o->kek->iv.b, o->kek->iv.len);
    cbc_decrypt(o->kek->cipher, secret_bytes(&o->kek->key), iv, o->clear + IKE1_HEADER,
                len - IKE1_HEADER);
    o->content = map_hash(seed, bytes(o->clear, len));
    enum err e = ike1_payloads_parse(bytes(o->clear, len), first, cipher_block(o->kek->cipher), &c);
    for (size_t i = 0; !e && i < c.n; i++)
        e = read_payload(&c.p[i], o);
    return e;
}

static enum wire_kind open_push(struct check_keks *keks, const struct ike1_header *h,
                                struct bytes datagram, struct opened *o)
{
    memset(o, 0, sizeof *o);
    o->kek = check_keks_find(keks, ike1_cookies_bytes(&h->cookies));
    if (!o->kek || datagram.len > sizeof o->clear ||
        (datagram.len - IKE1_HEADER) % cipher_block(o->kek->cipher) != 0)
        return WIRE_OTHER;
    memcpy(o->clear, datagram.data, datagram.len);
    if (read_clear(o, datagram.len, h->next_payload))
        return WIRE_OTHER;
    if (o->kd.n_teks > 0 || o->kd.has_kek)
        return WIRE_PUSH;
    return o->n_deletes > 0 ? WIRE_DELETE : WIRE_HEARTBEAT;
}

enum wire_kind opened_of(struct check_keks *keks, struct bytes datagram, struct opened *ret)
{
    struct ike1_header h;

    if (ike1_header_parse(datagram, &h) != ERR_OK)
        return WIRE_OTHER;
    switch (h.exchange) {
    case IKE1_EXCHANGE_MAIN:
    case IKE1_EXCHANGE_AGGRESSIVE:
    case IKE1_EXCHANGE_INFORMATIONAL:
        return WIRE_PHASE1;
    case IKE1_EXCHANGE_GROUPKEY_PULL:
        return WIRE_PULL;
    case IKE1_EXCHANGE_GROUPKEY_PUSH_ACK:
        return WIRE_ACK;
    case IKE1_EXCHANGE_GROUPKEY_PUSH:
        return open_push(keks, &h, datagram, ret);
    default:
        return WIRE_OTHER;
    }
}

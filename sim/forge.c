#include "sim/forge.h"

#include "gdoi/push.h"
#include "ike1/numbers.h"
#include "sim/check.h"

const char *forge_name(enum forge_kind k)
{
    static const char *const names[] = {
#define X(id, name) [id] = (name),
        FORGE_LIST(X)
#undef X
    };
    return names[k];
}

/* The newest record of that kind to the node, or NULL. */
static const struct record *newest(const struct world *w, enum wire_kind kind, size_t node)
{
    size_t n = w->n_records < WORLD_RECORDS ? w->n_records : WORLD_RECORDS;

    for (size_t i = 1; i <= n; i++) {
        const struct record *r = &w->records[(w->n_records - i) % WORLD_RECORDS];
        if (r->kind == kind && ip_equal(r->to.ip, w->nodes[node].ip))
            return r;
    }
    return NULL;
}

static void put_length(uint8_t *datagram, size_t len)
{
    struct wr w = wr_of(datagram + 24, sizeof(uint32_t));

    wr_u32(&w, (uint32_t)len);
}

/* A push as whoever holds the KEK can make one, but not sign it. */
static size_t insider(const struct world *w, const struct record *r, uint8_t *out, size_t room)
{
    struct ike1_header h;
    struct ike1_cookies none = {0};
    uint8_t iv[CIPHER_BLOCK_MAX];

    if (ike1_header_parse(bytes(r->data, r->len), &h))
        return 0;
    const struct check_kek *k =
        check_keks_find(check_keks(w->check), ike1_cookies_bytes(&h.cookies));
    if (!k)
        return 0;
    struct wr wr = wr_of(out, room);
    struct chain_wr c = ike1_header_write(&wr, &h);
    gdoi_seq_write(&c, UINT32_MAX);
    gdoi_delete_teks_write(&c, &(uint32_t){0}, 1);
    gdoi_delete_kek_write(&c, &none);
    memset(wr.data + ike1_data_reserve(&c, IKE1_PAYLOAD_SIG, 256), 0x5a, 256);
    ike1_message_end(&wr);
    ike1_message_pad(&wr, cipher_block(k->cipher));
    memcpy(iv, k->iv.b, k->iv.len);
    cbc_encrypt(k->cipher, secret_bytes(&k->key), iv, out + IKE1_HEADER, wr.len - IKE1_HEADER);
    return wr.err ? 0 : wr.len;
}

/* The forged octets; their number, 0 when it cannot be made. */
static size_t make(const struct world *w, enum forge_kind kind, const struct record *r,
                   uint8_t out[4096])
{
    enum { HASH_AT = IKE1_HEADER + CHAIN_HEADER, SEQ_AT = HASH_AT + 32 + CHAIN_HEADER, BLOCK = 16 };
    size_t len = r->len;

    memset(out, 0, 4096);
    memcpy(out, r->data, len);
    switch (kind) {
    case FORGE_FLIP:
        out[len / 2] ^= 1;
        return len;
    case FORGE_TRUNCATE:
        len = IKE1_HEADER + (len - IKE1_HEADER) / 2 / BLOCK * BLOCK;
        break;
    case FORGE_LENGTHEN:
        len += BLOCK;
        break;
    case FORGE_INSIDER:
        return insider(w, r, out, 4096);
    case FORGE_ACK:
        out[SEQ_AT + 3] ^= 0x55;
        return len;
    case FORGE_ACK_FLIP:
        out[HASH_AT] ^= 1;
        return len;
    case FORGE_ACK_CUT:
        len -= 13;
        break;
    case FORGE_ACK_NAME:
    case FORGE_COUNT:
        return len;
    }
    put_length(out, len);
    return len;
}

bool forge(struct world *w, enum forge_kind kind, size_t node)
{
    const struct record *r = newest(w, kind < FORGE_ACK ? WIRE_PUSH : WIRE_ACK, node);
    uint8_t octets[4096];
    size_t len = r ? make(w, kind, r, octets) : 0;

    if (len == 0)
        return false;
    struct endpoint from = r->from;
    for (size_t i = 1; kind == FORGE_ACK_NAME && i < w->n_nodes; i++) {
        if (!ip_equal(w->nodes[i].ip, r->from.ip))
            from.ip = w->nodes[i].ip;
    }
    world_inject(w, from, r->to, bytes(octets, len));
    return true;
}

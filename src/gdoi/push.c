#include "gdoi/push.h"

enum { SIGNED_LENGTH_AT = 24, PROTO_IPSEC_ESP = 3 /* RFC 2407 4.4.1 */ };

enum err gdoi_seq_parse(struct bytes body, uint32_t *ret)
{
    struct rd r = rd_of(body);
    uint32_t number = rd_u32(&r);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        *ret = number;
    return e;
}

void gdoi_seq_write(struct chain_wr *c, uint32_t number)
{
    chain_open(c, IKE1_PAYLOAD_SEQ);
    wr_u32(c->w, number);
    chain_close(c);
}

enum err gdoi_delete_check(struct ike1_delete *d, struct gdoi_tolerated *t)
{
    size_t size = d->protocol == GDOI_PROTOCOL_KEK ? GDOI_KEK_SPI : GDOI_TEK_SPI;

    if (d->doi != IKE1_DOI_GDOI)
        return ERR_DOI;
    if (d->protocol > GDOI_PROTOCOL_AH && d->protocol != PROTO_IPSEC_ESP)
        return ERR_TYPE;
    if (d->spi_size != size && !gdoi_delete_all(d))
        return ERR_LENGTH;
    if (d->spi_size != size)
        gdoi_tolerate(t, TOLERATED_DELETE_SPI_SIZE);
    if (d->protocol == PROTO_IPSEC_ESP) {
        d->protocol = GDOI_PROTOCOL_ESP;
        gdoi_tolerate(t, TOLERATED_DELETE_PROTOCOL);
    }
    return ERR_OK;
}

bool gdoi_delete_all(const struct ike1_delete *d)
{
    struct rd r = rd_of(d->spis);
    rd_zeros(&r, d->spis.len);
    return d->n_spis == 1 && r.err == ERR_OK;
}

uint32_t gdoi_delete_tek(const struct ike1_delete *d, size_t i)
{
    assert(d->spi_size == GDOI_TEK_SPI);
    struct rd r = rd_of(ike1_delete_spi(d, i));
    return rd_u32(&r);
}

static void delete_open(struct chain_wr *c, uint8_t protocol, uint8_t spi_size, size_t n)
{
    assert(n > 0 && n <= IKE1_DELETE_SPIS_MAX);
    chain_open(c, IKE1_PAYLOAD_D);
    wr_u32(c->w, IKE1_DOI_GDOI);
    wr_u8(c->w, protocol);
    wr_u8(c->w, spi_size);
    wr_u16(c->w, (uint16_t)n);
}

void gdoi_delete_teks_write(struct chain_wr *c, const uint32_t *spis, size_t n)
{
    delete_open(c, GDOI_PROTOCOL_ESP, GDOI_TEK_SPI, n);
    for (size_t i = 0; i < n; i++)
        wr_u32(c->w, spis[i]);
    chain_close(c);
}

void gdoi_delete_kek_write(struct chain_wr *c, const struct ike1_cookies *spi)
{
    delete_open(c, GDOI_PROTOCOL_KEK, GDOI_KEK_SPI, 1);
    wr_put(c->w, ike1_cookies_bytes(spi));
    chain_close(c);
}

enum err gdoi_signed_of(struct bytes datagram, const struct chain *c, struct gdoi_signed *ret)
{
    struct gdoi_signed s;

    assert(c->n > 0 && c->p[c->n - 1].type == IKE1_PAYLOAD_SIG);
    assert(datagram.len >= IKE1_HEADER + c->len);
    enum err e = ike1_data_parse(IKE1_PAYLOAD_SIG, c->p[c->n - 1].body, &s.signature);
    if (e)
        return e;
    s.payloads = ike1_chain_before(c, c->n - 1);
    memcpy(s.received, datagram.data, IKE1_HEADER);
    memcpy(s.header, datagram.data, IKE1_HEADER);
    struct wr length = wr_of(s.header + SIGNED_LENGTH_AT, sizeof(uint32_t));
    wr_u32(&length, (uint32_t)(IKE1_HEADER + c->len));
    *ret = s;
    return ERR_OK;
}

enum err gdoi_ack_parse(const struct chain *c, struct gdoi_ack *ret)
{
    struct gdoi_ack ack;
    struct ike1_id id;

    assert(c->n == 3 && c->p[0].type == IKE1_PAYLOAD_HASH);
    enum err e = ike1_data_parse(IKE1_PAYLOAD_HASH, c->p[0].body, &ack.hash);
    if (e == ERR_OK)
        e = gdoi_seq_parse(c->p[1].body, &ack.seq);
    if (e == ERR_OK)
        e = ike1_id_parse(c->p[2].body, &id);
    if (e)
        return e;
    if (!ike1_id_ip(&id, &ack.ip))
        return ERR_TYPE;
    if (id.protocol || id.port)
        return ERR_RESERVED;
    ack.covered = ike1_after_hash(c);
    *ret = ack;
    return ERR_OK;
}

enum err gdoi_ack_write(struct wr *w, const struct ike1_cookies *spi, uint32_t seq, struct ip ip,
                        size_t hash_len, uint8_t **ret_hash, struct bytes *ret_covered)
{
    struct ike1_header h = {.cookies = *spi, .exchange = IKE1_EXCHANGE_GROUPKEY_PUSH_ACK};
    struct ike1_id id = ike1_id_of_ip(&ip);
    struct chain_wr c = ike1_header_write(w, &h);
    size_t hash_at = ike1_data_reserve(&c, IKE1_PAYLOAD_HASH, hash_len);
    size_t covered_at = w->len;

    gdoi_seq_write(&c, seq);
    ike1_id_write(&c, &id);
    ike1_message_end(w);
    if (w->err)
        return w->err;
    *ret_hash = w->data + hash_at;
    *ret_covered = bytes(w->data + covered_at, w->len - covered_at);
    return ERR_OK;
}

void gdoi_ack_key_input(const struct ike1_cookies *spi, uint16_t l, uint8_t out[GDOI_ACK_KEY_INPUT])
{
    static const char label[] = "GROUPKEY-PUSH ACK"; /* its NUL is part of it */
    struct wr w = wr_of(out, GDOI_ACK_KEY_INPUT);

    wr_put(&w, BYTES_OF(label));
    wr_put(&w, ike1_cookies_bytes(spi));
    wr_u16(&w, l);
    assert(w.err == ERR_OK && w.len == GDOI_ACK_KEY_INPUT);
}

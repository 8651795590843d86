#include "ike1/payload.h"

/* Payloads of plain octets and how long they may be. */
static const struct {
    uint8_t type;
    uint16_t min, max;
} data_limits[] = {
    {IKE1_PAYLOAD_KE, 1, IKE1_KE_MAX},   {IKE1_PAYLOAD_HASH, IKE1_HASH_MIN, IKE1_HASH_MAX},
    {IKE1_PAYLOAD_SIG, 1, IKE1_SIG_MAX}, {IKE1_PAYLOAD_NONCE, IKE1_NONCE_MIN, IKE1_NONCE_MAX},
    {IKE1_PAYLOAD_VID, 0, UINT16_MAX},
};

enum err ike1_data_parse(uint8_t type, struct bytes body, struct bytes *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(data_limits); i++) {
        if (data_limits[i].type != type)
            continue;
        if (body.len < data_limits[i].min || body.len > data_limits[i].max)
            return ERR_LENGTH;
        *ret = body;
        return ERR_OK;
    }
    return ERR_TYPE;
}

void ike1_data_write(struct chain_wr *c, uint8_t type, struct bytes data)
{
    chain_open(c, type);
    wr_put(c->w, data);
    chain_close(c);
}

size_t ike1_data_reserve(struct chain_wr *c, uint8_t type, size_t len)
{
    chain_open(c, type);
    size_t at = c->w->len;
    wr_zeros(c->w, len);
    chain_close(c);
    return at;
}

enum err ike1_cert_parse(struct bytes body, struct ike1_cert *ret)
{
    struct rd r = rd_of(body);
    struct ike1_cert cert = {.encoding = rd_u8(&r)};
    cert.data = rd_rest(&r);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        *ret = cert;
    return e;
}

void ike1_cert_write(struct chain_wr *c, uint8_t type, const struct ike1_cert *cert)
{
    assert(type == IKE1_PAYLOAD_CERT || type == IKE1_PAYLOAD_CR);
    chain_open(c, type);
    wr_u8(c->w, cert->encoding);
    wr_put(c->w, cert->data);
    chain_close(c);
}

enum err ike1_notify_parse(struct bytes body, struct ike1_notify *ret)
{
    struct rd r = rd_of(body);
    struct ike1_notify n = {.doi = rd_u32(&r)};

    n.protocol = rd_u8(&r);
    size_t spi_size = rd_u8(&r);
    n.type = rd_u16(&r);
    if (r.err == ERR_OK && n.doi > IKE1_DOI_GDOI)
        return ERR_DOI;
    if (spi_size > IKE1_SPI_MAX)
        return ERR_LENGTH;
    n.spi = rd_take(&r, spi_size);
    n.data = rd_rest(&r);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        *ret = n;
    return e;
}

void ike1_notify_write(struct chain_wr *c, const struct ike1_notify *n)
{
    assert(n->spi.len <= IKE1_SPI_MAX);
    chain_open(c, IKE1_PAYLOAD_N);
    wr_u32(c->w, n->doi);
    wr_u8(c->w, n->protocol);
    wr_u8(c->w, (uint8_t)n->spi.len);
    wr_u16(c->w, n->type);
    wr_put(c->w, n->spi);
    wr_put(c->w, n->data);
    chain_close(c);
}

enum err ike1_delete_parse(struct bytes body, struct ike1_delete *ret)
{
    struct rd r = rd_of(body);
    struct ike1_delete d = {.doi = rd_u32(&r)};

    d.protocol = rd_u8(&r);
    d.spi_size = rd_u8(&r);
    d.n_spis = rd_u16(&r);
    d.spis = rd_rest(&r);
    if (r.err)
        return r.err;
    if (d.doi > IKE1_DOI_GDOI)
        return ERR_DOI;
    if (d.n_spis == 0)
        return ERR_MISSING;
    if (d.n_spis > IKE1_DELETE_SPIS_MAX)
        return ERR_TOO_MANY;
    if (d.spi_size == 0 || d.spi_size > IKE1_SPI_MAX || d.spis.len != d.n_spis * d.spi_size)
        return ERR_LENGTH;
    *ret = d;
    return ERR_OK;
}

void ike1_delete_write(struct chain_wr *c, const struct ike1_delete *d)
{
    assert(d->n_spis > 0 && d->n_spis <= IKE1_DELETE_SPIS_MAX);
    assert(d->spis.len == d->n_spis * d->spi_size);
    chain_open(c, IKE1_PAYLOAD_D);
    wr_u32(c->w, d->doi);
    wr_u8(c->w, d->protocol);
    wr_u8(c->w, d->spi_size);
    wr_u16(c->w, (uint16_t)d->n_spis);
    wr_put(c->w, d->spis);
    chain_close(c);
}

struct bytes ike1_delete_spi(const struct ike1_delete *d, size_t i)
{
    assert(i < d->n_spis);
    return bytes(d->spis.data + i * d->spi_size, d->spi_size);
}

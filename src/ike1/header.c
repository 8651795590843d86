#include "ike1/header.h"

enum { NEXT_PAYLOAD_AT = 16, LENGTH_AT = 24 }; /* RFC 2408 3.1, figure 2 */

static void read_cookie(struct rd *r, uint8_t out[IKE1_COOKIE])
{
    struct bytes b = rd_take(r, IKE1_COOKIE);
    if (b.len)
        memcpy(out, b.data, b.len);
}

enum err ike1_header_parse(struct bytes datagram, struct ike1_header *ret)
{
    static const uint8_t no_cookie[IKE1_COOKIE];
    struct ike1_header h = {0};
    struct rd r = rd_of(datagram);

    read_cookie(&r, h.cookies.i);
    read_cookie(&r, h.cookies.r);
    h.next_payload = rd_u8(&r);
    uint8_t version = rd_u8(&r);
    h.exchange = rd_u8(&r);
    h.flags = rd_u8(&r);
    h.message_id = rd_u32(&r);
    h.length = rd_u32(&r);
    if (r.err)
        return r.err;
    if (version != IKE1_VERSION)
        return ERR_VERSION;
    if (h.length != datagram.len)
        return ERR_LENGTH;
    if ((h.flags & ~IKE1_FLAGS) != 0 || bytes_equal(BYTES_OF(h.cookies.i), BYTES_OF(no_cookie)))
        return ERR_VALUE;
    *ret = h;
    return ERR_OK;
}

struct chain_wr ike1_header_write(struct wr *w, const struct ike1_header *h)
{
    assert(w->len == 0);
    wr_put(w, ike1_cookies_bytes(&h->cookies));
    wr_u8(w, 0);
    wr_u8(w, IKE1_VERSION);
    wr_u8(w, h->exchange);
    wr_u8(w, h->flags);
    wr_u32(w, h->message_id);
    wr_u32(w, 0);
    return chain_first(w, NEXT_PAYLOAD_AT);
}

void ike1_message_end(struct wr *w)
{
    if (w->err)
        return;
    assert(w->len >= IKE1_HEADER && w->len <= UINT32_MAX);
    struct wr length = wr_of(w->data + LENGTH_AT, sizeof(uint32_t));
    wr_u32(&length, (uint32_t)w->len);
}

void ike1_message_pad(struct wr *w, size_t block)
{
    assert(block > 0);
    if (w->err)
        return;
    size_t over = (w->len - IKE1_HEADER) % block;
    wr_zeros(w, over ? block - over : 0);
    ike1_message_end(w);
}

enum err ike1_payloads_parse(struct bytes datagram, uint8_t first, size_t block, struct chain *ret)
{
    struct chain c;
    struct rd r = rd_of(datagram);

    (void)rd_take(&r, IKE1_HEADER);
    if (r.err)
        return r.err;
    enum err e = chain_parse(&r, first, &c);
    if (e)
        return e;
    if (rd_left(&r) >= block)
        return ERR_PADDING;
    *ret = c;
    return ERR_OK;
}

struct bytes ike1_after_hash(const struct chain *c)
{
    assert(c->n > 0);
    size_t hash = c->p[0].whole.len;
    return bytes(c->p[0].whole.data + hash, c->len - hash);
}

struct bytes ike1_chain_before(const struct chain *c, size_t n)
{
    assert(n <= c->n);
    if (n == 0)
        return bytes(NULL, 0);
    const struct bytes last = c->p[n - 1].whole;
    return bytes(c->p[0].whole.data, (size_t)(last.data + last.len - c->p[0].whole.data));
}

#include "gdoi/sa_parts.h"

enum { IPV4 = 4, IPV6 = 16 };

static void swap_address(struct ip *ip, bool swap)
{
    if (!swap || ip->version != 4)
        return;
    const uint8_t b[IPV4] = {ip->b[3], ip->b[2], ip->b[1], ip->b[0]};
    memcpy(ip->b, b, IPV4);
}

static struct ip address_read(struct rd *r, size_t len, bool swap)
{
    struct ip ip = {.version = len == IPV4 ? 4 : 6};
    struct bytes b = rd_take(r, len);

    if (b.len)
        memcpy(ip.b, b.data, b.len);
    swap_address(&ip, swap);
    return ip;
}

static struct prefix subnet_read(struct rd *r, size_t len, bool swap)
{
    struct prefix p = {0};
    struct ip address = address_read(r, len, swap);
    struct ip mask = address_read(r, len, swap);

    if (r->err == ERR_OK && !prefix_of_mask(address, mask, &p))
        rd_fail(r, ERR_VALUE);
    return p;
}

/* RFC 6407 5.5.1: data of no octets, or of three zeros, is any source. */
static bool is_any(struct rd data)
{
    if (rd_left(&data) == 0)
        return true;
    size_t n = rd_left(&data);
    rd_zeros(&data, n);
    return n == 3 && data.err == ERR_OK;
}

static struct prefix prefix_read(struct rd *data, uint8_t type, bool swap)
{
    switch (type) {
    case IKE1_ID_IPV4_ADDR:
        return prefix_of(address_read(data, IPV4, swap), 8 * IPV4);
    case IKE1_ID_IPV4_ADDR_SUBNET:
        return subnet_read(data, IPV4, swap);
    case IKE1_ID_IPV6_ADDR:
        return prefix_of(address_read(data, IPV6, swap), 8 * IPV6);
    case IKE1_ID_IPV6_ADDR_SUBNET:
        return subnet_read(data, IPV6, swap);
    default:
        rd_fail(data, ERR_TYPE);
        return (struct prefix){0};
    }
}

struct selector selector_read(struct rd *r, bool swap)
{
    struct selector s = {0};
    uint8_t type = rd_u8(r);

    s.port = rd_u16(r);
    struct rd data = rd_cut(r, rd_u8(r));
    if (data.err || is_any(data))
        return s;
    s.prefix = prefix_read(&data, type, swap);
    enum err e = rd_end(&data);
    if (e) /* within its own length: a short or long identity is a wrong length */
        rd_fail(r, e == ERR_SHORT || e == ERR_TRAILING ? ERR_LENGTH : e);
    return s;
}

static void address_write(struct wr *w, struct ip ip, bool swap)
{
    swap_address(&ip, swap);
    wr_put(w, bytes(ip.b, ip.version == 4 ? IPV4 : IPV6));
}

void selector_write(struct wr *w, bool swap, struct prefix p, uint16_t port)
{
    bool v4 = p.ip.version == 4;
    uint8_t size = v4 ? IPV4 : IPV6;
    bool host = p.len == 8 * size;

    assert(v4 || p.ip.version == 6);
    if (host)
        wr_u8(w, v4 ? IKE1_ID_IPV4_ADDR : IKE1_ID_IPV6_ADDR);
    else
        wr_u8(w, v4 ? IKE1_ID_IPV4_ADDR_SUBNET : IKE1_ID_IPV6_ADDR_SUBNET);
    wr_u16(w, port);
    wr_u8(w, (uint8_t)(host ? size : 2 * size));
    address_write(w, p.ip, swap);
    if (!host)
        address_write(w, prefix_mask(p), swap);
}

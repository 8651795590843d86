#include "ike1/payload.h"

#include <stdio.h>

enum { IPV4 = 4, IPV6 = 16, PROTOCOL_UDP = 17, PORT_ISAKMP = 500, PORT_GDOI = 848 };

/* How long the data of each type is (RFC 2407 4.6.2.1). */
static const struct {
    uint8_t type;
    uint16_t min, max;
} id_limits[] = {
    {IKE1_ID_IPV4_ADDR, IPV4, IPV4},
    {IKE1_ID_FQDN, 1, IKE1_ID_DATA_MAX},
    {IKE1_ID_USER_FQDN, 1, IKE1_ID_DATA_MAX},
    {IKE1_ID_IPV4_ADDR_SUBNET, 2 * IPV4, 2 * IPV4},
    {IKE1_ID_IPV6_ADDR, IPV6, IPV6},
    {IKE1_ID_IPV6_ADDR_SUBNET, 2 * IPV6, 2 * IPV6},
    {IKE1_ID_IPV4_ADDR_RANGE, 2 * IPV4, 2 * IPV4},
    {IKE1_ID_IPV6_ADDR_RANGE, 2 * IPV6, 2 * IPV6},
    {IKE1_ID_DER_ASN1_DN, 1, IKE1_ID_DATA_MAX},
    {IKE1_ID_DER_ASN1_GN, 1, IKE1_ID_DATA_MAX},
    {IKE1_ID_KEY_ID, 1, IKE1_ID_DATA_MAX},
};

static enum err check_data(uint8_t type, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(id_limits); i++) {
        if (id_limits[i].type == type)
            return len < id_limits[i].min || len > id_limits[i].max ? ERR_LENGTH : ERR_OK;
    }
    return ERR_TYPE;
}

enum err ike1_id_parse(struct bytes body, struct ike1_id *ret)
{
    struct rd r = rd_of(body);
    struct ike1_id id = {.type = rd_u8(&r)};

    id.protocol = rd_u8(&r);
    id.port = rd_u16(&r);
    id.data = rd_rest(&r);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        e = check_data(id.type, id.data.len);
    if (e == ERR_OK)
        *ret = id;
    return e;
}

void ike1_id_write_body(struct wr *w, const struct ike1_id *id)
{
    wr_u8(w, id->type);
    wr_u8(w, id->protocol);
    wr_u16(w, id->port);
    wr_put(w, id->data);
}

void ike1_id_write(struct chain_wr *c, const struct ike1_id *id)
{
    assert(check_data(id->type, id->data.len) == ERR_OK);
    chain_open(c, IKE1_PAYLOAD_ID);
    ike1_id_write_body(c->w, id);
    chain_close(c);
}

enum err ike1_id_check_phase1(const struct ike1_id *id)
{
    if (id->protocol == 0 && id->port == 0)
        return ERR_OK;
    bool known_port = id->port == 0 || id->port == PORT_ISAKMP || id->port == PORT_GDOI;
    return id->protocol == PROTOCOL_UDP && known_port ? ERR_OK : ERR_VALUE;
}

bool ike1_id_equal(const struct ike1_id *a, const struct ike1_id *b)
{
    return a->type == b->type && bytes_equal(a->data, b->data);
}

struct ike1_id ike1_id_of_ip(const struct ip *ip)
{
    assert(ip->version == 4 || ip->version == 6);
    if (ip->version == 4)
        return (struct ike1_id){.type = IKE1_ID_IPV4_ADDR, .data = bytes(ip->b, IPV4)};
    return (struct ike1_id){.type = IKE1_ID_IPV6_ADDR, .data = bytes(ip->b, IPV6)};
}

static struct ip ip_of(struct bytes b)
{
    struct ip ip = {.version = b.len == IPV4 ? 4 : 6};
    memcpy(ip.b, b.data, b.len);
    return ip;
}

bool ike1_id_ip(const struct ike1_id *id, struct ip *ret)
{
    if (id->type != IKE1_ID_IPV4_ADDR && id->type != IKE1_ID_IPV6_ADDR)
        return false;
    *ret = ip_of(id->data);
    return true;
}

/* Two addresses in a row, joined as a subnet's mask or a range's end. */
static void pair_text(struct bytes data, char between, char *out, size_t room)
{
    char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
    size_t half = data.len / 2;

    (void)ip_text(ip_of(bytes(data.data, half)), from, sizeof from);
    (void)ip_text(ip_of(bytes(data.data + half, half)), to, sizeof to);
    (void)snprintf(out, room, "%s%c%s", from, between, to);
}

static void name_text(struct bytes data, char *out, size_t room)
{
    size_t n = data.len < room - 1 ? data.len : room - 1;

    for (size_t i = 0; i < n; i++)
        out[i] = data.data[i] > ' ' && data.data[i] <= '~' ? (char)data.data[i] : '?';
    out[n] = '\0';
}

char *ike1_id_text(const struct ike1_id *id, char *out, size_t room)
{
    assert(room > 0);
    switch (id->type) {
    case IKE1_ID_IPV4_ADDR:
    case IKE1_ID_IPV6_ADDR:
        return ip_text(ip_of(id->data), out, room);
    case IKE1_ID_IPV4_ADDR_SUBNET:
    case IKE1_ID_IPV6_ADDR_SUBNET:
        pair_text(id->data, '/', out, room);
        return out;
    case IKE1_ID_IPV4_ADDR_RANGE:
    case IKE1_ID_IPV6_ADDR_RANGE:
        pair_text(id->data, '-', out, room);
        return out;
    case IKE1_ID_FQDN:
    case IKE1_ID_USER_FQDN:
        name_text(id->data, out, room);
        return out;
    default:
        return bytes_hex(id->data, out, room);
    }
}

#include "data/pmtu.h"

#include "data/rtnl.h"

enum {
    ICMP_HEADER = 8,
    ICMP_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    SPI = 4,
};

/* A quotation is cut short, so its own length proves nothing. */
static bool read_quoted(const struct esp_view *v, struct bytes q, const struct esp_sa **ret_sa,
                        uint32_t *ret_destination)
{
    if (q.len < IPV4_HEADER + SPI || q.data[0] >> 4 != 4 || q.data[9] != IP_PROTO_ESP)
        return false;
    size_t header = (size_t)(q.data[0] & 15) * 4;
    if (header < IPV4_HEADER || q.len < header + SPI)
        return false;
    uint32_t source = net_u32(q.data + 12), destination = net_u32(q.data + 16);
    const struct esp_held *h = esp_view_find(v, net_u32(q.data + header), source, destination);
    if (!h || ipv4_is_multicast(destination))
        return false;
    *ret_sa = h->sa;
    *ret_destination = destination;
    return true;
}

bool pmtu_read(const struct esp_view *v, struct bytes packet, uint32_t *ret_destination,
               uint16_t *ret_mtu)
{
    struct esp_inner in;
    const struct esp_sa *sa;
    if (esp_inner_parse(packet, &in) != ERR_OK || in.flow.protocol != IP_PROTO_ICMP ||
        in.total_len < in.header_len + ICMP_HEADER)
        return false;
    const uint8_t *icmp = packet.data + in.header_len;
    if (icmp[0] != ICMP_UNREACHABLE || icmp[1] != ICMP_FRAGMENTATION_NEEDED)
        return false;
    struct bytes quoted =
        bytes(icmp + ICMP_HEADER, (size_t)in.total_len - in.header_len - ICMP_HEADER);
    if (!read_quoted(v, quoted, &sa, ret_destination))
        return false;
    size_t mtu = net_u16(icmp + 6);
    *ret_mtu = esp_sa_inner_max(sa, mtu < DATA_MTU_MIN ? DATA_MTU_MIN : mtu);
    return true;
}

static struct rtnl_route route_of(const struct pmtu *p, uint32_t destination, uint32_t mtu)
{
    return (struct rtnl_route){
        .type = RTNL_UNICAST,
        .table = DATA_TABLE_TUN,
        .mtu = mtu,
        .destination = prefix_of(ip_v4(destination), 32),
        .index = if_nametoindex(DATA_TUN),
        .source = p->inside,
    };
}

static void forget(struct pmtu *p, size_t which)
{
    struct rtnl_route r = route_of(p, p->route[which].destination, 0);
    int error = rtnl_route_delete(p->rtnl, &r);
    (void)error; /* gone with the device, at worst */
    p->route[which] = p->route[--p->n];
}

void pmtu_learn(struct pmtu *p, uint32_t destination, uint16_t mtu, instant_t now)
{
    size_t i = 0;
    while (i < p->n && p->route[i].destination != destination)
        i++;
    if (i == DATA_PMTU_ROUTES)
        return; /* somebody invents them: the others keep theirs */
    struct rtnl_route r = route_of(p, destination, mtu);
    if (r.index == 0 || rtnl_route_replace(p->rtnl, &r) != 0)
        return;
    p->route[i] = (struct pmtu_route){destination, instant_add(now, span_s(DATA_PMTU_LIFE_S))};
    if (i == p->n)
        p->n++;
}

void pmtu_sweep(struct pmtu *p, instant_t now, bool all)
{
    for (size_t i = p->n; i-- > 0;) {
        if (all || instant_reached(p->route[i].until, now))
            forget(p, i);
    }
}

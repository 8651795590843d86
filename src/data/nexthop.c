#include "data/nexthop.h"

#include "data/names.h"
#include "data/rtnl.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>

static struct nexthop *slot_of(struct nexthops *n, uint32_t destination)
{
    uint32_t h = destination * 0x9e3779b1u;
    return &n->slot[(h >> 16 ^ h) % NEXTHOPS];
}

const struct sockaddr_ll *nexthop_find(struct nexthops *n, uint32_t destination, instant_t now,
                                       bool *ret_ask)
{
    struct nexthop *s = slot_of(n, destination);
    if (s->destination != destination) /* newest wins: the other one goes through the raw socket */
        *s = (struct nexthop){.destination = destination};
    if (instant_before(now, s->until))
        return s->known ? &s->to : NULL;
    if (!s->wanted) {
        s->wanted = true;
        *ret_ask = true;
    }
    return NULL;
}

size_t nexthop_wanted(struct nexthops *n, uint32_t *out, size_t room)
{
    size_t found = 0;
    for (size_t i = 0; i < NEXTHOPS && found < room; i++) {
        if (n->slot[i].wanted)
            out[found++] = n->slot[i].destination;
    }
    return found;
}

void nexthop_store(struct nexthops *n, uint32_t destination, const struct sockaddr_ll *to,
                   instant_t now)
{
    struct nexthop *s = slot_of(n, destination);
    if (s->destination != destination)
        return;
    s->wanted = false;
    s->known = to != NULL;
    s->until = instant_add(now, span_ms(to ? NEXTHOP_LIFE_MS : NEXTHOP_RETRY_MS));
    if (to)
        s->to = *to;
}

static bool is_one_of(unsigned link, const unsigned *links, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (links[i] == link && link != 0)
            return true;
    }
    return false;
}

bool nexthop_resolve(struct rtnl *r, uint32_t destination, const unsigned *links, size_t n_links,
                     struct sockaddr_ll *ret)
{
    struct rtnl_way way = {0};
    struct rtnl_neighbour neighbour = {0};
    if (rtnl_route_get(r, ip_v4(destination), DATA_MARK_OWN, &way) != 0 || !way.unicast ||
        !is_one_of(way.index, links, n_links))
        return false;
    struct ip hop = way.gateway.version ? way.gateway : ip_v4(destination);
    if (rtnl_neighbour_get(r, way.index, hop, &neighbour) != 0 || !neighbour.usable ||
        neighbour.len > sizeof ret->sll_addr)
        return false;
    *ret = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                .sll_protocol = htobe16(ETH_P_IP),
                                .sll_ifindex = (int)way.index,
                                .sll_halen = neighbour.len};
    memcpy(ret->sll_addr, neighbour.address, neighbour.len);
    return true;
}

#pragma once
/* Path MTU (decisions S36). With the host's address outside, a router's "fragmentation needed"
 * about our ESP is addressed to the host, which can do nothing with it. The steering table hands it
 * to us; we give the destination a route into the TUN with the smaller MTU, and the kernel tells
 * the hosts (RFC 4301 8.2.1). */
#include "data/names.h"
#include "esp/sadb.h"

struct rtnl;

struct pmtu_route {
    uint32_t destination;
    instant_t until;
};
struct pmtu {
    struct pmtu_route route[DATA_PMTU_ROUTES];
    size_t n;
    struct ip inside;
    struct rtnl *rtnl;
};

/* Reads a received ICMP packet; true if it quotes ESP of ours. *ret_mtu is the largest inner
 * packet. */
bool pmtu_read(const struct esp_view *v, struct bytes packet, uint32_t *ret_destination,
               uint16_t *ret_mtu);
void pmtu_learn(struct pmtu *p, uint32_t destination, uint16_t mtu, instant_t now);
/* Removes what is old (RFC 1191 6.3); everything when `all`. */
void pmtu_sweep(struct pmtu *p, instant_t now, bool all);

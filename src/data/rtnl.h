#pragma once
/* The few things of rtnetlink that the data path needs. Functions return 0 or an errno; what is
 * there already when it is added, and what is gone already when it is deleted, is no error. */
#include "base/compiler.h"
#include "base/ip.h"

#include <net/if.h>

struct rtnl;

int rtnl_open(struct rtnl **ret) MUST_USE;
void rtnl_close(struct rtnl *n); /* NULL allowed */

struct rtnl_link {
    unsigned index, group, mtu;
    bool loopback, up;
    char name[IF_NAMESIZE];
};
/* Up to room links; *ret_n how many were filled. */
int rtnl_links(struct rtnl *n, struct rtnl_link *out, size_t room, size_t *ret_n) MUST_USE;
int rtnl_link_group(struct rtnl *n, unsigned index, unsigned group) MUST_USE;
int rtnl_link_up(struct rtnl *n, unsigned index, unsigned mtu) MUST_USE; /* mtu 0: as it is */
int rtnl_link_down(struct rtnl *n, unsigned index) MUST_USE;
/* The first IPv4 address of global scope of a link of that group, or IP_NONE. */
struct ip rtnl_address_of_group(struct rtnl *n, unsigned group);
int rtnl_address_add(struct rtnl *n, unsigned index, struct ip address) MUST_USE;

enum rtnl_route_type { RTNL_UNICAST, RTNL_LOCAL, RTNL_BLACKHOLE };
struct rtnl_route {
    enum rtnl_route_type type;
    uint32_t table, metric, mtu; /* mtu 0: none stated */
    struct prefix destination;
    unsigned index;   /* RTNL_UNICAST, RTNL_LOCAL */
    struct ip source; /* preferred; IP_NONE: none */
};
int rtnl_route_replace(struct rtnl *n, const struct rtnl_route *r) MUST_USE;
int rtnl_route_delete(struct rtnl *n, const struct rtnl_route *r) MUST_USE;

/* The route that a packet of ours with that mark would take. */
struct rtnl_way {
    bool unicast;
    unsigned index;
    struct ip gateway; /* IP_NONE: the destination is on the link */
};
int rtnl_route_get(struct rtnl *n, struct ip destination, uint32_t mark,
                   struct rtnl_way *ret) MUST_USE;
struct rtnl_neighbour {
    bool usable; /* its address is known and not known to be dead */
    uint8_t len;
    uint8_t address[32];
};
int rtnl_neighbour_get(struct rtnl *n, unsigned index, struct ip address,
                       struct rtnl_neighbour *ret) MUST_USE;

struct rtnl_rule {
    uint32_t pref, table;
    uint32_t mark, mask; /* mask 0: any */
    struct prefix source, destination;
    const char *iif; /* NULL: any */
    bool suppress_group;
    uint32_t suppressed; /* routes through this link group do not count */
};
int rtnl_rule_add(struct rtnl *n, const struct rtnl_rule *r) MUST_USE;
int rtnl_rule_delete(struct rtnl *n, const struct rtnl_rule *r) MUST_USE;
/* The rules of one preference: table, source and destination are filled. */
int rtnl_rules(struct rtnl *n, uint32_t pref, struct rtnl_rule *out, size_t room,
               size_t *ret_n) MUST_USE;

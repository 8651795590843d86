#pragma once
/* By which neighbour packets to a destination leave. With it the sending thread hands ESP to the
 * interface directly (AF_PACKET), at two thirds of the cost of a raw socket, whose every packet is
 * routed and filtered again.
 *
 * The raw socket stays the truth: an answer is good for a second, then the next packets go through
 * the raw socket, which keeps the kernel's neighbour entry alive, until the slow thread has asked
 * the kernel anew. So a changed route or a neighbour that died is noticed within a second or two.
 * Used under seal_lock. */
#include "base/compiler.h"
#include "base/instant.h"

#include <linux/if_packet.h>

struct rtnl;

enum { NEXTHOPS = 256, NEXTHOP_LIFE_MS = 1000, NEXTHOP_RETRY_MS = 200 };

struct nexthop {
    uint32_t destination; /* host order; 0: free */
    bool known, wanted;
    instant_t until; /* when it is to be asked for again */
    struct sockaddr_ll to;
};
struct nexthops {
    struct nexthop slot[NEXTHOPS];
};

/* The address to send to, or NULL: use the raw socket. *ret_ask is set when the slow thread should
 * be woken. */
const struct sockaddr_ll *nexthop_find(struct nexthops *n, uint32_t destination, instant_t now,
                                       bool *ret_ask);

/* For the slow thread: takes up to room destinations that are wanted. */
size_t nexthop_wanted(struct nexthops *n, uint32_t *out, size_t room);
/* Its answer; NULL: not by this way. */
void nexthop_store(struct nexthops *n, uint32_t destination, const struct sockaddr_ll *to,
                   instant_t now);
/* Asks the kernel: the route that our mark takes, if it leaves by one of these links, and the
 * neighbour. */
bool nexthop_resolve(struct rtnl *r, uint32_t destination, const unsigned *links, size_t n_links,
                     struct sockaddr_ll *ret);

#pragma once
/* The raw sockets. All of them carry DATA_MARK_OWN: routed by the main table, passed by the guard.
 */
#include "base/compiler.h"
#include "base/ip.h"
#include "data/names.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Each returns a descriptor, or -1 with errno. */
int socket_raw_out(void); /* IP headers included */
int socket_esp_in(void);
/* AF_PACKET, receives ESP that is no fragment, from every interface, before the kernel routes it.
 * What came from where stands in the sockaddr_ll of each packet. */
int socket_link_in(void);
int socket_link_out(void);    /* AF_PACKET, receives nothing: past routes and guard, for ESP only */
int socket_icmp_errors(void); /* destination unreachable only */

/* One packet to send: its destination, and the interface if it is multicast. */
struct socket_target {
    union {
        struct sockaddr_in in;
        struct sockaddr_ll link;
    } to;
    struct iovec iov;
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
};
/* Prepares m to send an IPv4 packet; interface 0 lets the route decide. */
void socket_aim(struct msghdr *m, struct socket_target *t, uint8_t *packet, size_t len,
                unsigned interface);
/* The same to a neighbour, for socket_link_out(). */
void socket_aim_link(struct msghdr *m, struct socket_target *t, uint8_t *packet, size_t len,
                     const struct sockaddr_ll *to);

#pragma once
/* The raw sockets. All of them carry DATA_MARK_OWN: routed by the main table, passed by the guard.
 */
#include "base/compiler.h"
#include "base/ip.h"
#include "data/names.h"

#include <netinet/in.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Each returns a descriptor, or -1 with errno. */
int socket_raw_out(void); /* IP headers included */
int socket_esp_in(void);
int socket_icmp_errors(void); /* destination unreachable only */

/* One packet to send: its destination, and the interface if it is multicast. */
struct socket_target {
    struct sockaddr_in to;
    struct iovec iov;
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
};
/* Prepares m to send an IPv4 packet; interface 0 lets the route decide. */
void socket_aim(struct msghdr *m, struct socket_target *t, uint8_t *packet, size_t len,
                unsigned interface);

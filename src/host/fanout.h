#pragma once
/* Fan-outs that wait at a socket: one datagram each, and whom it has still to reach. Used within
 * host/ only. */
#include "host/udp.h"

struct fanout;
struct fanouts {
    struct fanout *first, *last;
    size_t n_waiting; /* endpoints, of all of them */
};

/* Copies everything. False: beyond HOST_UDP_FANOUT_WAITING, or out of memory. */
MUST_USE bool fanouts_add(struct fanouts *f, const struct host_udp_fanout *what);
/* Up to `max` datagrams of the first one, from that address. False: the socket takes no more now.
 */
bool fanouts_send(struct fanouts *f, int fd, struct ip source, size_t max);
/* What the first one came to, if it is over; `f` is not to be changed while it is looked at. */
bool fanouts_is_over(const struct fanouts *f, struct host_udp_fanned_out *ret);
void fanouts_drop_first(struct fanouts *f);
void fanouts_free(struct fanouts *f);

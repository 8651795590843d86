#pragma once
/* A daemon's sockets: one for each of its addresses, and those of the multicast groups it hears.
 * What goes wrong with them is told as events. */
#include "base/events.h"
#include "ctl/tree.h"
#include "host/udp.h"

struct network;

struct network_config {
    struct host *host;
    const char *program; /* for messages on stderr */
    uint16_t port;
    uint32_t mark; /* SO_MARK, 0: none */
    void *ctx;
    void (*datagram)(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data,
                     size_t len);
    void (*batch_end)(void *ctx);
    void (*tell)(void *ctx, const struct event *e);
};
MUST_USE enum err network_new(const struct network_config *config, struct network **ret);
void network_free(struct network *n); /* NULL allowed */

/* A socket at the address, if there is none. On failure it has been said on stderr. */
MUST_USE enum err network_open(struct network *n, struct ip address);
/* Closes the sockets at all other addresses; what waits there is dropped. */
void network_keep(struct network *n, const struct ip *addresses, size_t n_addresses);

void network_send(struct network *n, struct endpoint from, struct endpoint to,
                  struct bytes datagram);
void network_fanout(struct network *n, struct endpoint from, const struct host_udp_fanout *what);
/* Joins are counted (host/multicast.h). */
void network_multicast(struct network *n, bool join, struct ip group, const char *interface);
void network_flush(struct network *n);

/* The list "datagrams". */
void network_put_counters(const struct network *n, struct ctl_wr *w);

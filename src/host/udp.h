#pragma once
/* UDP sockets, each bound to one local address, read and written in batches of many datagrams per
 * system call. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/ip.h"

struct host;
struct host_udp;

enum {
    HOST_UDP_DATAGRAM_MAX = 8192, /* larger ones are dropped, counted */
    HOST_UDP_BATCH = 32,          /* datagrams per system call */
    HOST_UDP_QUEUE_MAX = 8 << 20, /* octets waiting to be sent; then they are dropped, counted */
    HOST_UDP_SOCKET_BUFFER = 4 << 20
};

struct host_udp_hooks {
    void *ctx;
    /* One datagram; its octets may be changed. */
    void (*received)(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data,
                     size_t len);
    /* All that was there has been delivered: a good moment to send and to arm timers. */
    void (*batch_end)(void *ctx);
    /* A datagram could not be sent; it is gone. */
    void (*failed)(void *ctx, struct endpoint to, int error);
};
struct host_udp_counters {
    uint64_t received, sent, too_large, queue_full, failed;
};

/* mark: SO_MARK, 0 = none (needs CAP_NET_ADMIN). A port of 0 takes any. ERR_BUSY: address and port
 * are in use; ERR_DENIED; ERR_SYSTEM with errno left as it was. */
MUST_USE enum err host_udp_open(struct host *h, struct endpoint local, uint32_t mark,
                                const struct host_udp_hooks *hooks, struct host_udp **ret);
struct endpoint host_udp_local(const struct host_udp *u);
/* Copies the datagram into the queue; host_udp_flush() sends. */
void host_udp_send(struct host_udp *u, struct endpoint to, struct bytes datagram);
void host_udp_flush(struct host_udp *u);
struct host_udp_counters host_udp_counters(const struct host_udp *u);
void host_udp_close(struct host_udp *u); /* NULL has no effect */

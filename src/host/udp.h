#pragma once
/* UDP sockets, each bound to one local address, read and written in batches of many datagrams per
 * system call.
 *
 * A fan-out (one datagram to many) goes out in chunks, one for each turn of the loop, and after
 * what has been queued one by one: what arrives meanwhile is read as fast as it is provoked, and
 * neither the other sockets nor the timer wait for its end. */
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
    HOST_UDP_SOCKET_BUFFER = 4 << 20,
    HOST_INTERFACE_MAX =
        INTERFACE_NAME_MAX + 1,  /* with its end; one that is longer than the kernel's is of none */
    HOST_UDP_FANOUT_BATCH = 64,  /* datagrams of a fan-out per system call */
    HOST_UDP_FANOUT_CHUNK = 256, /* ... and per turn: as many as are read in one */
    HOST_UDP_FANOUT_WAITING = 4 << 20, /* endpoints of one socket's fan-outs; then they fail */
    /* Multicasts are bounded by their group's scope (RFC 2365) and by the routers, not by TTL: the
     * value is the one of unicast. */
    HOST_UDP_MULTICAST_TTL = 64
};

struct host_udp_fanout {
    const struct endpoint *to;
    size_t n;
    struct bytes datagram;
    const char *interface; /* a multicast leaves by this one; NULL: routing decides */
};
/* What a fan-out came to; `interface` lives as long as the hook's call. */
struct host_udp_fanned_out {
    size_t n_sent, n_failed;
    const char *interface; /* as it was asked for */
    struct endpoint to;    /* the first of those that failed; else the first of all */
    int error;             /* its errno */
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
    /* Once for every host_udp_fanout(); what failed of it is gone. May be NULL. */
    void (*fanned_out)(void *ctx, const struct host_udp_fanned_out *result);
};
struct host_udp_counters {
    uint64_t received, sent, too_large, queue_full, failed;
};

/* mark: SO_MARK, 0 = none (needs CAP_NET_ADMIN). A port of 0 takes any. A multicast address may be
 * opened by several programs and hears nothing before host_udp_membership(). ERR_BUSY: address and
 * port are in use; ERR_DENIED; ERR_SYSTEM with errno left as it was. */
MUST_USE enum err host_udp_open(struct host *h, struct endpoint local, uint32_t mark,
                                const struct host_udp_hooks *hooks, struct host_udp **ret);
/* Of a socket with a multicast IPv4 address (asserted): hears what comes by that interface, or no
 * more. False with errno. */
MUST_USE bool host_udp_membership(struct host_udp *u, unsigned interface, bool join);
struct endpoint host_udp_local(const struct host_udp *u);
/* Copies the datagram into the queue; host_udp_flush() sends. */
void host_udp_send(struct host_udp *u, struct endpoint to, struct bytes datagram);
void host_udp_flush(struct host_udp *u);
/* Copies everything, n > 0 (asserted); the loop sends. ENODEV: there is no such interface now;
 * ENOBUFS: too much waits already. */
void host_udp_fanout(struct host_udp *u, const struct host_udp_fanout *what);
struct host_udp_counters host_udp_counters(const struct host_udp *u);
void host_udp_counters_add(struct host_udp_counters *sum, const struct host_udp *u);
/* Also from its own hooks, which are then called no more, but for the batch_end() of what was
 * received. NULL has no effect. */
void host_udp_close(struct host_udp *u);

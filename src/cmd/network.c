#include "cmd/network.h"
#include "host/multicast.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OUTGOING_MAX: as many interfaces as groups may name. */
enum { SOCKETS_MAX = 256, OUTGOING_MAX = 64 };

/* An interface that a multicast could not leave by. */
struct outgoing {
    char interface[HOST_INTERFACE_MAX]; /* "": free */
    uint64_t n_lost;                    /* datagrams since */
};

struct network {
    struct network_config config;
    struct host_udp *sockets[SOCKETS_MAX];
    size_t n_sockets;
    struct host_multicast *multicast; /* NULL before the first group */
    struct outgoing away[OUTGOING_MAX];
};

/* ---- what is told ---- */

static void tell_trouble(struct network *n, const char *what, struct endpoint peer, const char *why)
{
    struct event e = event_of(EV_INTERNAL);

    event_add_str(&e, "what", what);
    event_add_endpoint(&e, "peer", peer);
    event_add_str(&e, "reason", why);
    n->config.tell(n->config.ctx, &e);
}

static struct event multicast_event(enum event_id id, struct ip group, const char *interface,
                                    const char *direction)
{
    struct event e = event_of(id);

    event_add_ip(&e, "multicast-group", group);
    event_add_str(&e, "interface", interface);
    event_add_str(&e, "direction", direction);
    return e;
}

static void on_send_failed(void *ctx, struct endpoint to, int error)
{
    tell_trouble(ctx, "send", to, strerror(error));
}

static void on_membership(void *ctx, struct ip group, const char *interface, int error)
{
    struct network *n = ctx;
    struct event e = multicast_event(error ? EV_MULTICAST_LOST : EV_MULTICAST_READY, group,
                                     interface, "receive");

    if (error)
        event_add_str(&e, "reason", strerror(error));
    n->config.tell(n->config.ctx, &e);
}

static struct outgoing *find_away(struct network *n, const char *interface)
{
    for (size_t i = 0; i < OUTGOING_MAX; i++) {
        if (strcmp(n->away[i].interface, interface) == 0)
            return &n->away[i];
    }
    return NULL;
}

/* One line when an interface goes, and one when it is back. */
static void multicast_sent(struct network *n, const struct host_udp_fanned_out *r)
{
    struct outgoing *o = find_away(n, r->interface);
    bool was_away = o != NULL;

    if (r->n_failed == 0 && was_away) {
        struct event e = multicast_event(EV_MULTICAST_READY, r->to.ip, r->interface, "send");
        event_add_u64(&e, "lost", o->n_lost);
        n->config.tell(n->config.ctx, &e);
        *o = (struct outgoing){0};
        return;
    }
    if (r->n_failed == 0)
        return;
    if (!was_away) {
        struct event e = multicast_event(EV_MULTICAST_LOST, r->to.ip, r->interface, "send");
        event_add_str(&e, "reason", strerror(r->error));
        n->config.tell(n->config.ctx, &e);
        o = find_away(n, "");
    }
    if (o) {
        snprintf(o->interface, sizeof o->interface, "%s", r->interface);
        o->n_lost += r->n_failed;
    }
}

static void on_fanned_out(void *ctx, const struct host_udp_fanned_out *r)
{
    struct network *n = ctx;
    struct event e = event_of(EV_INTERNAL);

    if (r->interface) {
        multicast_sent(n, r);
        return;
    }
    if (r->n_failed == 0)
        return;
    event_add_str(&e, "what", "push");
    event_add_endpoint(&e, "peer", r->to);
    event_add_str(&e, "reason", strerror(r->error));
    event_add_u64(&e, "sent", r->n_sent);
    event_add_u64(&e, "failed", r->n_failed);
    n->config.tell(n->config.ctx, &e);
}

/* ---- sockets ---- */

static struct host_udp **socket_at(struct network *n, struct endpoint local)
{
    for (size_t i = 0; i < n->n_sockets; i++) {
        if (endpoint_equal(host_udp_local(n->sockets[i]), local))
            return &n->sockets[i];
    }
    return NULL;
}

static void on_datagram(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data,
                        size_t len)
{
    const struct network *n = ctx;
    n->config.datagram(n->config.ctx, from, to, data, len);
}

static void on_batch_end(void *ctx)
{
    const struct network *n = ctx;
    n->config.batch_end(n->config.ctx);
}

static struct host_udp_hooks hooks_of(struct network *n)
{
    return (struct host_udp_hooks){n, on_datagram, on_batch_end, on_send_failed, on_fanned_out};
}

enum err network_open(struct network *n, struct ip address)
{
    const struct host_udp_hooks hooks = hooks_of(n);
    struct endpoint local = {address, n->config.port};
    char text[ENDPOINT_TEXT_MAX];

    if (socket_at(n, local))
        return ERR_OK;
    enum err e = n->n_sockets == SOCKETS_MAX ? ERR_LIMIT
                                             : host_udp_open(n->config.host, local, n->config.mark,
                                                             &hooks, &n->sockets[n->n_sockets]);
    if (e == ERR_OK)
        n->n_sockets++;
    else
        fprintf(stderr, "%s: UDP %s: %s\n", n->config.program,
                endpoint_text(local, text, sizeof text),
                e == ERR_LIMIT || e == ERR_NOMEM ? err_text(e) : strerror(errno));
    return e;
}

static void close_socket(struct network *n, struct ip address)
{
    struct host_udp **at = socket_at(n, (struct endpoint){address, n->config.port});

    if (!at)
        return;
    host_udp_close(*at);
    *at = n->sockets[--n->n_sockets];
}

void network_keep(struct network *n, const struct ip *addresses, size_t n_addresses)
{
    for (size_t i = n->n_sockets; i-- > 0;) {
        struct ip at = host_udp_local(n->sockets[i]).ip;
        size_t k = 0;
        while (k < n_addresses && !ip_equal(addresses[k], at))
            k++;
        if (k == n_addresses)
            close_socket(n, at);
    }
}

static enum err open_multicast(struct network *n)
{
    const struct host_multicast_hooks hooks = {hooks_of(n), on_membership};

    return n->multicast ? ERR_OK
                        : host_multicast_new(n->config.host, n->config.port, n->config.mark, &hooks,
                                             &n->multicast);
}

/* ---- what engines want ---- */

static struct host_udp *sender(struct network *n, struct endpoint from, struct endpoint to)
{
    struct host_udp **at = socket_at(n, from);

    if (!at)
        tell_trouble(n, "send", to, "no socket has the address to send from");
    return at ? *at : NULL;
}

void network_send(struct network *n, struct endpoint from, struct endpoint to,
                  struct bytes datagram)
{
    struct host_udp *socket = sender(n, from, to);

    if (socket)
        host_udp_send(socket, to, datagram);
}

void network_fanout(struct network *n, struct endpoint from, const struct host_udp_fanout *what)
{
    struct host_udp *socket = what->n > 0 ? sender(n, from, what->to[0]) : NULL;

    if (socket)
        host_udp_fanout(socket, what);
}

void network_multicast(struct network *n, bool join, struct ip group, const char *interface)
{
    enum err e = open_multicast(n);

    if (e != ERR_OK)
        on_membership(n, group, interface, e == ERR_SYSTEM ? errno : ENOMEM);
    else if (join)
        host_multicast_join(n->multicast, group, interface);
    else
        host_multicast_leave(n->multicast, group, interface);
}

void network_flush(struct network *n)
{
    for (size_t i = 0; i < n->n_sockets; i++)
        host_udp_flush(n->sockets[i]);
}

/* ---- counters ---- */

static void put_count(struct ctl_wr *w, const char *name, uint64_t count)
{
    if (count == 0)
        return;
    ctl_section(w, NULL);
    ctl_put_str(w, "name", name);
    ctl_put_u64(w, "count", count);
    ctl_end(w);
}

void network_put_counters(const struct network *n, struct ctl_wr *w)
{
    struct host_udp_counters sum = {0};

    for (size_t i = 0; i < n->n_sockets; i++)
        host_udp_counters_add(&sum, n->sockets[i]);
    if (n->multicast)
        host_multicast_count(n->multicast, &sum);
    ctl_list(w, "datagrams");
    put_count(w, "received", sum.received);
    put_count(w, "sent", sum.sent);
    put_count(w, "received-too-large", sum.too_large);
    put_count(w, "send-queue-full", sum.queue_full);
    put_count(w, "send-failed", sum.failed);
    ctl_end(w);
}

/* ---- life ---- */

enum err network_new(const struct network_config *config, struct network **ret)
{
    struct network *n = calloc(1, sizeof *n);

    if (!n)
        return ERR_NOMEM;
    n->config = *config;
    *ret = n;
    return ERR_OK;
}

void network_free(struct network *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_sockets; i++)
        host_udp_close(n->sockets[i]);
    host_multicast_free(n->multicast);
    free(n);
}

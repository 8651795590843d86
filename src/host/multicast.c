#include "host/multicast.h"
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct membership {
    struct ip group;
    char interface[HOST_INTERFACE_MAX];
    unsigned n_joins;     /* 0: free */
    struct host_udp *udp; /* NULL: could not be opened so far */
    unsigned index;       /* joined on the interface of this number; 0: not joined */
    int error;            /* why not; told already */
};

struct host_multicast {
    struct host *host;
    uint16_t port;
    uint32_t mark;
    struct host_multicast_hooks hooks;
    int links; /* netlink: says that something about links or addresses has changed */
    struct host_watch *watch;
    struct membership memberships[HOST_MULTICAST_MAX];
};

/* ---- one membership ---- */

/* 0, or an errno. */
static int open_socket(struct host_multicast *m, struct membership *s)
{
    if (s->udp)
        return 0;
    errno = 0;
    enum err e = host_udp_open(m->host, (struct endpoint){s->group, m->port}, m->mark,
                               &m->hooks.udp, &s->udp);
    return e == ERR_OK ? 0 : errno ? errno : ENOMEM;
}

/* The kernel knows memberships by the number of the interface, and that of a new one is new. */
static int join(struct host_multicast *m, struct membership *s)
{
    unsigned index = if_nametoindex(s->interface);
    int error = open_socket(m, s);

    if (error)
        return error;
    if (s->index && s->index != index) {
        (void)!host_udp_membership(s->udp, s->index, false); /* of what is gone: frees its place */
        s->index = 0;
    }
    if (!index)
        return ENODEV;
    if (!s->index && !host_udp_membership(s->udp, index, true))
        return errno;
    s->index = index;
    return 0;
}

static void look_after(struct host_multicast *m, struct membership *s, bool is_new)
{
    int error = join(m, s);

    if (!is_new && error == s->error)
        return;
    s->error = error;
    m->hooks.changed(m->hooks.udp.ctx, s->group, s->interface, error);
}

static struct membership *find(struct host_multicast *m, struct ip group, const char *interface)
{
    for (size_t i = 0; i < HOST_MULTICAST_MAX; i++) {
        struct membership *s = &m->memberships[i];
        if (s->n_joins > 0 && ip_equal(s->group, group) && strcmp(s->interface, interface) == 0)
            return s;
    }
    return NULL;
}

static struct membership *find_free(struct host_multicast *m)
{
    for (size_t i = 0; i < HOST_MULTICAST_MAX; i++) {
        if (m->memberships[i].n_joins == 0)
            return &m->memberships[i];
    }
    return NULL;
}

void host_multicast_join(struct host_multicast *m, struct ip group, const char *interface)
{
    struct membership *s = find(m, group, interface);

    if (s) {
        s->n_joins++;
        return;
    }
    s = strlen(interface) < HOST_INTERFACE_MAX ? find_free(m) : NULL;
    if (!s) {
        m->hooks.changed(m->hooks.udp.ctx, group, interface, ENOBUFS);
        return;
    }
    *s = (struct membership){.group = group, .n_joins = 1};
    memcpy(s->interface, interface, strlen(interface));
    look_after(m, s, true);
}

static void leave(struct membership *s)
{
    host_udp_close(s->udp); /* the kernel leaves with it */
    *s = (struct membership){0};
}

void host_multicast_leave(struct host_multicast *m, struct ip group, const char *interface)
{
    struct membership *s = find(m, group, interface);

    if (s && --s->n_joins == 0)
        leave(s);
}

void host_multicast_count(const struct host_multicast *m, struct host_udp_counters *sum)
{
    for (size_t i = 0; i < HOST_MULTICAST_MAX; i++) {
        if (m->memberships[i].udp)
            host_udp_counters_add(sum, m->memberships[i].udp);
    }
}

/* ---- links that come and go ---- */

/* What has changed is not read out of the messages: looking costs little, and after an overflow it
 * would be needed anyway. */
static void links_changed(void *ctx, unsigned events)
{
    struct host_multicast *m = ctx;
    uint8_t unread[4096];

    (void)events;
    while (recv(m->links, unread, sizeof unread, 0) > 0 || errno == ENOBUFS)
        ;
    for (size_t i = 0; i < HOST_MULTICAST_MAX; i++) {
        if (m->memberships[i].n_joins > 0)
            look_after(m, &m->memberships[i], false);
    }
}

static enum err watch_links(struct host_multicast *m)
{
    struct sockaddr_nl all = {.nl_family = AF_NETLINK,
                              .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};

    m->links = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (m->links < 0 || bind(m->links, (const struct sockaddr *)&all, sizeof all) != 0)
        return ERR_SYSTEM;
    enum err e = host_watch_new(m->host, m->links, links_changed, m, &m->watch);
    if (e == ERR_OK)
        host_watch_set(m->watch, HOST_READABLE);
    return e;
}

/* ---- life ---- */

enum err host_multicast_new(struct host *h, uint16_t port, uint32_t mark,
                            const struct host_multicast_hooks *hooks, struct host_multicast **ret)
{
    struct host_multicast *m = calloc(1, sizeof *m);

    if (!m)
        return ERR_NOMEM;
    m->host = h;
    m->port = port;
    m->mark = mark;
    m->hooks = *hooks;
    enum err e = watch_links(m);
    if (e == ERR_OK) {
        *ret = m;
        return ERR_OK;
    }
    int error = errno;
    host_multicast_free(m);
    errno = error;
    return e;
}

void host_multicast_free(struct host_multicast *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < HOST_MULTICAST_MAX; i++)
        leave(&m->memberships[i]);
    host_watch_free(m->watch);
    if (m->links >= 0)
        close(m->links);
    free(m);
}

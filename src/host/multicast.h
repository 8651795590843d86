#pragma once
/* The multicast groups that a program hears, each on one interface: a socket bound to the group
 * with one membership. An interface may come later, go away and come back under the same name; the
 * kernel forgets memberships then, so they are looked after whenever a link or an address of this
 * machine changes. */
#include "host/udp.h"

struct host_multicast;

struct host_multicast_hooks {
    struct host_udp_hooks udp; /* of the sockets; `to` is the group's address */
    /* It is heard now (error 0), or not (an errno); called when that changes. */
    void (*changed)(void *ctx, struct ip group, const char *interface, int error);
};

enum { HOST_MULTICAST_MAX = 64 }; /* groups and interfaces at once */

/* port, mark: of every socket. ERR_NOMEM, or ERR_SYSTEM with errno. */
MUST_USE enum err host_multicast_new(struct host *h, uint16_t port, uint32_t mark,
                                     const struct host_multicast_hooks *hooks,
                                     struct host_multicast **ret);
/* Joins are counted: a group is heard until there were as many leaves. What cannot be now, is told
 * by changed() and tried again; ENOBUFS: more than HOST_MULTICAST_MAX, and that is not. */
void host_multicast_join(struct host_multicast *m, struct ip group, const char *interface);
void host_multicast_leave(struct host_multicast *m, struct ip group, const char *interface);
/* Adds the counters of its sockets. */
void host_multicast_count(const struct host_multicast *m, struct host_udp_counters *sum);
void host_multicast_free(struct host_multicast *m); /* leaves all; NULL allowed */

#pragma once
/* Multicast between LAN and VPN. From the LAN: the kernel's multicast routing asks us about each
 * new flow (mrouted's interface, MRT_INIT); what a policy protects is routed into the TUN. To the
 * LAN: groups are joined on the external interface: those that a policy names, and within wider
 * policies those that LAN hosts join (an IGMP proxy without a querier: RFC 4605 in its simplest
 * form). Used by one thread. */
#include "data/data.h"

struct multicast;

/* Returns 0 or an errno: EADDRINUSE when another multicast router runs, and then nothing is
 * captured. */
int multicast_open(struct multicast **ret) MUST_USE;
void multicast_close(struct multicast *m); /* NULL allowed; the kernel forgets routes and groups */
int multicast_fd(const struct multicast *m);

struct multicast_links {
    const unsigned *lans; /* link indices */
    size_t n_lans;
    unsigned tun, external;
};
/* Follows interfaces that came and went, and policies that changed. */
void multicast_update(struct multicast *m, const struct multicast_links *links,
                      const struct esp_view *v);
/* The descriptor is readable. */
void multicast_read(struct multicast *m, const struct esp_view *v);

#include "data/multicast.h"

#include "data/names.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h> /* before linux/, which then leaves these names alone */

#include <linux/mroute.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    VIF_TUN = 0,
    VIFS = DATA_LANS_MAX + 1,
    PER_SOCKET = 20, /* net.ipv4.igmp_max_memberships */
    SOCKETS = (DATA_GROUPS_MAX + PER_SOCKET - 1) / PER_SOCKET,
    ALL_IGMPV3_ROUTERS = (int)0xe0000016,
    IGMP_V1_REPORT = 0x12,
    IGMP_V2_REPORT = 0x16,
    IGMP_V3_REPORT = 0x22,
    RECORD_HEADER = 8,
    RECORD_TO_INCLUDE = 3, /* with no sources: a leave */
    RECORD_BLOCK = 6,
};
static_assert((int)VIFS <= MAXVIFS, "one virtual interface per LAN and one for the TUN");

struct route {
    uint32_t source, group;
};

struct multicast {
    int igmp;
    unsigned vif[VIFS]; /* link index, 0: free */
    struct route routes[DATA_MFC_MAX];
    size_t n_routes;
    int sockets[SOCKETS]; /* each holds PER_SOCKET groups */
    uint32_t groups[DATA_GROUPS_MAX];
    size_t n_groups;
    unsigned external; /* where the groups are joined */
};

int multicast_open(struct multicast **ret)
{
    struct multicast *m = calloc(1, sizeof *m);
    if (!m)
        return ENOMEM;
    for (size_t i = 0; i < SOCKETS; i++)
        m->sockets[i] = -1;
    int on = 1;
    m->igmp = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_IGMP);
    if (m->igmp < 0 || setsockopt(m->igmp, IPPROTO_IP, MRT_INIT, &on, sizeof on) < 0) {
        int error = errno;
        multicast_close(m);
        return error;
    }
    *ret = m;
    return 0;
}

void multicast_close(struct multicast *m)
{
    if (!m)
        return;
    if (m->igmp >= 0)
        close(m->igmp);
    for (size_t i = 0; i < SOCKETS; i++) {
        if (m->sockets[i] >= 0)
            close(m->sockets[i]);
    }
    free(m);
}

int multicast_fd(const struct multicast *m) { return m->igmp; }

static struct in_addr address(uint32_t a) { return (struct in_addr){.s_addr = htobe32(a)}; }

/* --- routes from the LAN --- */

static bool change_route(struct multicast *m, int option, struct route r, unsigned parent)
{
    struct mfcctl c = {.mfcc_origin = address(r.source),
                       .mfcc_mcastgrp = address(r.group),
                       .mfcc_parent = (vifi_t)parent};
    c.mfcc_ttls[VIF_TUN] = 1;
    return setsockopt(m->igmp, IPPROTO_IP, option, &c, sizeof c) == 0;
}

static void add_route(struct multicast *m, const struct esp_view *v, struct route r, unsigned vif)
{
    if (vif == VIF_TUN || vif >= VIFS || m->n_routes == DATA_MFC_MAX ||
        !esp_view_covers(v, r.source, r.group))
        return;
    if (change_route(m, MRT_ADD_MFC, r, vif))
        m->routes[m->n_routes++] = r;
}

static void sweep_routes(struct multicast *m, const struct esp_view *v, bool all)
{
    for (size_t i = m->n_routes; i-- > 0;) {
        if (!all && esp_view_covers(v, m->routes[i].source, m->routes[i].group))
            continue;
        change_route(m, MRT_DEL_MFC, m->routes[i], 0);
        m->routes[i] = m->routes[--m->n_routes];
    }
}

/* --- groups towards the VPN --- */

static int group_socket(struct multicast *m, size_t which)
{
    if (m->sockets[which] < 0)
        m->sockets[which] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return m->sockets[which];
}

static void membership(struct multicast *m, size_t which, int option)
{
    struct ip_mreqn r = {.imr_multiaddr = address(m->groups[which]),
                         .imr_ifindex = (int)m->external};
    int fd = group_socket(m, which / PER_SOCKET);
    /* refused: the interface is gone; it is tried again when one comes */
    (void)!setsockopt(fd, IPPROTO_IP, option, &r, sizeof r);
}

static void join(struct multicast *m, uint32_t group)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        if (m->groups[i] == group)
            return;
    }
    if (m->n_groups == DATA_GROUPS_MAX)
        return;
    m->groups[m->n_groups++] = group;
    membership(m, m->n_groups - 1, IP_ADD_MEMBERSHIP);
}

/* Policies that name one group are joined at once. */
static void join_named(struct multicast *m, const struct esp_view *v)
{
    for (size_t i = 0; i < v->n_policies; i++) {
        const struct esp_match *match = &v->policies[i].match;
        if (match->destination_mask == UINT32_MAX && ipv4_is_multicast(match->destination))
            join(m, match->destination);
    }
}

/* A LAN host joined: wanted if some policy protects that group, and not one of the link itself. */
static void join_heard(struct multicast *m, const struct esp_view *v, uint32_t group)
{
    if (!ipv4_is_multicast(group) || group >> 8 == 0xe00000)
        return;
    for (size_t i = 0; i < v->n_policies; i++) {
        const struct esp_match *match = &v->policies[i].match;
        if (match->destination_mask != 0 &&
            ((group ^ match->destination) & match->destination_mask) == 0) {
            join(m, group);
            return;
        }
    }
}

static void move_groups(struct multicast *m, unsigned external)
{
    m->external = external;
    for (size_t i = 0; i < m->n_groups && external; i++)
        membership(m, i, IP_ADD_MEMBERSHIP);
}

/* --- virtual interfaces --- */

static void add_vif(struct multicast *m, size_t vif, unsigned link)
{
    struct vifctl c = {.vifc_vifi = (vifi_t)vif,
                       .vifc_flags = VIFF_USE_IFINDEX,
                       .vifc_threshold = 1,
                       .vifc_lcl_ifindex = (int)link};
    if (setsockopt(m->igmp, IPPROTO_IP, MRT_ADD_VIF, &c, sizeof c) == 0)
        m->vif[vif] = link;
}

static void remove_vif(struct multicast *m, size_t vif)
{
    struct vifctl c = {.vifc_vifi = (vifi_t)vif};
    (void)!setsockopt(m->igmp, IPPROTO_IP, MRT_DEL_VIF, &c, sizeof c);
    m->vif[vif] = 0;
}

static bool is_lan(const struct multicast_links *l, unsigned index)
{
    for (size_t i = 0; i < l->n_lans; i++) {
        if (l->lans[i] == index)
            return true;
    }
    return false;
}

static void listen_for_reports(struct multicast *m, unsigned lan)
{
    struct ip_mreqn r = {.imr_multiaddr = address((uint32_t)ALL_IGMPV3_ROUTERS),
                         .imr_ifindex = (int)lan};
    (void)!setsockopt(m->igmp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r);
}

static void add_lan(struct multicast *m, unsigned lan)
{
    size_t free_vif = 0;
    for (size_t i = VIF_TUN + 1; i < VIFS; i++) {
        if (m->vif[i] == lan)
            return;
        if (m->vif[i] == 0 && free_vif == 0)
            free_vif = i;
    }
    if (free_vif == 0)
        return;
    add_vif(m, free_vif, lan);
    listen_for_reports(m, lan);
}

static void update_vifs(struct multicast *m, const struct multicast_links *l)
{
    if (m->vif[VIF_TUN] != l->tun) {
        if (m->vif[VIF_TUN])
            remove_vif(m, VIF_TUN);
        add_vif(m, VIF_TUN, l->tun);
    }
    for (size_t i = VIF_TUN + 1; i < VIFS; i++) {
        if (m->vif[i] && !is_lan(l, m->vif[i]))
            remove_vif(m, i);
    }
    for (size_t i = 0; i < l->n_lans; i++)
        add_lan(m, l->lans[i]);
}

void multicast_update(struct multicast *m, const struct multicast_links *l,
                      const struct esp_view *v)
{
    update_vifs(m, l);
    if (l->external != m->external)
        move_groups(m, l->external);
    sweep_routes(m, v, false);
    join_named(m, v);
}

/* --- what the kernel and the hosts say --- */

/* RFC 3376 4.2 */
static void read_v3_report(struct multicast *m, const struct esp_view *v, struct bytes b)
{
    size_t n = net_u16(b.data + 6), at = 8;
    for (size_t i = 0; i < n && at + RECORD_HEADER <= b.len; i++) {
        const uint8_t *record = b.data + at;
        size_t n_sources = net_u16(record + 2);
        bool leaves = record[0] == RECORD_BLOCK || (record[0] == RECORD_TO_INCLUDE && !n_sources);
        if (!leaves)
            join_heard(m, v, net_u32(record + 4));
        at += RECORD_HEADER + 4 * (n_sources + record[1]);
    }
}

static void read_igmp(struct multicast *m, const struct esp_view *v, struct bytes b)
{
    if (b.len < 8)
        return;
    if (b.data[0] == IGMP_V3_REPORT)
        read_v3_report(m, v, b);
    else if (b.data[0] == IGMP_V1_REPORT || b.data[0] == IGMP_V2_REPORT)
        join_heard(m, v, net_u32(b.data + 4));
}

static void read_one(struct multicast *m, const struct esp_view *v, struct bytes packet)
{
    struct igmpmsg up;
    struct esp_inner in;
    if (packet.len < sizeof up)
        return;
    memcpy(&up, packet.data, sizeof up);
    if (up.im_mbz == 0) { /* where a packet has its protocol: the kernel asks */
        struct route r = {be32toh(up.im_src.s_addr), be32toh(up.im_dst.s_addr)};
        if (up.im_msgtype == IGMPMSG_NOCACHE)
            add_route(m, v, r, up.im_vif);
    } else if (esp_inner_parse(packet, &in) == ERR_OK) {
        read_igmp(m, v, bytes(packet.data + in.header_len, packet.len - in.header_len));
    }
}

void multicast_read(struct multicast *m, const struct esp_view *v)
{
    enum { AT_ONCE = 64 };
    uint8_t packet[2048];
    for (int i = 0; i < AT_ONCE; i++) {
        ssize_t n = recv(m->igmp, packet, sizeof packet, 0);
        if (n < 0)
            return;
        read_one(m, v, bytes(packet, (size_t)n));
    }
}

#include "data/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 1024, DUMP_MAX = 32768 };

struct rtnl {
    struct mnl_socket *socket;
    unsigned sequence;
    char dump[DUMP_MAX];
};

int rtnl_open(struct rtnl **ret)
{
    struct rtnl *n = calloc(1, sizeof *n);
    if (!n)
        return ENOMEM;
    n->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!n->socket || mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        rtnl_close(n);
        return error;
    }
    *ret = n;
    return 0;
}

void rtnl_close(struct rtnl *n)
{
    if (!n)
        return;
    if (n->socket)
        mnl_socket_close(n->socket);
    free(n);
}

/* --- talking --- */

static struct nlmsghdr *message(char *buffer, int type, int flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = (uint16_t)type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return h;
}

/* Sends and feeds every answer to `each` (NULL for plain acknowledgements). */
static int talk(struct rtnl *n, struct nlmsghdr *h, mnl_cb_t each, void *context)
{
    h->nlmsg_seq = ++n->sequence;
    /* NLM_F_REPLACE and NLM_F_EXCL are the two halves of NLM_F_DUMP */
    if ((h->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
        h->nlmsg_flags |= NLM_F_ACK;
    if (mnl_socket_sendto(n->socket, h, h->nlmsg_len) < 0)
        return errno;
    int run = MNL_CB_OK;
    while (run > MNL_CB_STOP) {
        ssize_t len = mnl_socket_recvfrom(n->socket, n->dump, sizeof n->dump);
        if (len < 0)
            return errno;
        run = mnl_cb_run(n->dump, (size_t)len, n->sequence, mnl_socket_get_portid(n->socket), each,
                         context);
    }
    return run < 0 ? errno : 0;
}

static int unless(int error, int allowed) { return error == allowed ? 0 : error; }

static void put_ip(struct nlmsghdr *h, uint16_t type, struct ip a)
{
    mnl_attr_put(h, type, a.version == 6 ? 16 : 4, a.b);
}

static struct ip get_v4(const struct nlattr *a)
{
    struct ip ip = {.version = 4};
    memcpy(ip.b, mnl_attr_get_payload(a), 4);
    return ip;
}

/* --- links --- */

struct link_dump {
    struct rtnl_link *out;
    size_t room, n;
};

static int link_attribute(const struct nlattr *a, void *context)
{
    struct rtnl_link *l = context;
    if (mnl_attr_get_type(a) == IFLA_IFNAME)
        strncpy(l->name, mnl_attr_get_str(a), sizeof l->name - 1);
    else if (mnl_attr_get_type(a) == IFLA_GROUP)
        l->group = mnl_attr_get_u32(a);
    else if (mnl_attr_get_type(a) == IFLA_MTU)
        l->mtu = mnl_attr_get_u32(a);
    return MNL_CB_OK;
}

static int each_link(const struct nlmsghdr *h, void *context)
{
    struct link_dump *d = context;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    struct rtnl_link l = {
        .index = (unsigned)info->ifi_index,
        .loopback = (info->ifi_flags & IFF_LOOPBACK) != 0,
        .up = (info->ifi_flags & IFF_UP) != 0,
    };
    if (mnl_attr_parse(h, sizeof *info, link_attribute, &l) < 0)
        return MNL_CB_ERROR;
    if (d->n < d->room)
        d->out[d->n++] = l;
    return MNL_CB_OK;
}

int rtnl_links(struct rtnl *n, struct rtnl_link *out, size_t room, size_t *ret_n)
{
    char buffer[MESSAGE_MAX];
    struct link_dump d = {out, room, 0};
    struct nlmsghdr *h = message(buffer, RTM_GETLINK, NLM_F_DUMP);
    mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    int error = talk(n, h, each_link, &d);
    if (error == 0)
        *ret_n = d.n;
    return error;
}

static struct nlmsghdr *link_message(char *buffer, unsigned index, unsigned flags, unsigned change)
{
    struct nlmsghdr *h = message(buffer, RTM_NEWLINK, 0);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);
    info->ifi_index = (int)index;
    info->ifi_flags = flags;
    info->ifi_change = change;
    return h;
}

int rtnl_link_group(struct rtnl *n, unsigned index, unsigned group)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = link_message(buffer, index, 0, 0);
    mnl_attr_put_u32(h, IFLA_GROUP, group);
    return talk(n, h, NULL, NULL);
}

int rtnl_link_up(struct rtnl *n, unsigned index, unsigned mtu)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = link_message(buffer, index, IFF_UP, IFF_UP);
    if (mtu)
        mnl_attr_put_u32(h, IFLA_MTU, mtu);
    return talk(n, h, NULL, NULL);
}

int rtnl_link_down(struct rtnl *n, unsigned index)
{
    char buffer[MESSAGE_MAX];
    return talk(n, link_message(buffer, index, 0, IFF_UP), NULL, NULL);
}

/* --- addresses --- */

struct address_dump {
    struct rtnl_link links[256];
    size_t n_links;
    unsigned group;
    struct ip found;
};

static bool in_group(const struct address_dump *d, unsigned index)
{
    for (size_t i = 0; i < d->n_links; i++) {
        if (d->links[i].index == index)
            return d->links[i].group == d->group;
    }
    return false;
}

static int address_attribute(const struct nlattr *a, void *context)
{
    struct address_dump *d = context;
    if (mnl_attr_get_type(a) == IFA_LOCAL)
        d->found = get_v4(a);
    return MNL_CB_OK;
}

static int each_address(const struct nlmsghdr *h, void *context)
{
    struct address_dump *d = context;
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
    if (d->found.version || info->ifa_scope != RT_SCOPE_UNIVERSE || !in_group(d, info->ifa_index))
        return MNL_CB_OK;
    return mnl_attr_parse(h, sizeof *info, address_attribute, d);
}

struct ip rtnl_address_of_group(struct rtnl *n, unsigned group)
{
    char buffer[MESSAGE_MAX];
    struct address_dump d = {.group = group};
    if (rtnl_links(n, d.links, ARRAY_LEN(d.links), &d.n_links))
        return IP_NONE;
    struct nlmsghdr *h = message(buffer, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);
    info->ifa_family = AF_INET;
    return talk(n, h, each_address, &d) ? IP_NONE : d.found;
}

int rtnl_address_add(struct rtnl *n, unsigned index, struct ip address)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = message(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);
    info->ifa_family = AF_INET;
    info->ifa_prefixlen = 32;
    info->ifa_index = index;
    put_ip(h, IFA_LOCAL, address);
    put_ip(h, IFA_ADDRESS, address);
    return unless(talk(n, h, NULL, NULL), EEXIST);
}

/* --- routes --- */

static void put_mtu(struct nlmsghdr *h, uint32_t mtu)
{
    struct nlattr *nest = mnl_attr_nest_start(h, RTA_METRICS);
    mnl_attr_put_u32(h, RTAX_MTU, mtu);
    mnl_attr_nest_end(h, nest);
}

static struct nlmsghdr *route_message(char *buffer, int type, int flags, const struct rtnl_route *r)
{
    static const uint8_t types[] = {
        [RTNL_UNICAST] = RTN_UNICAST, [RTNL_LOCAL] = RTN_LOCAL, [RTNL_BLACKHOLE] = RTN_BLACKHOLE};
    struct nlmsghdr *h = message(buffer, type, flags);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->rtm_family = AF_INET;
    m->rtm_dst_len = r->destination.len;
    m->rtm_protocol = RTPROT_STATIC;
    m->rtm_type = types[r->type];
    m->rtm_scope = r->type == RTNL_UNICAST ? RT_SCOPE_LINK
                   : r->type == RTNL_LOCAL ? RT_SCOPE_HOST
                                           : RT_SCOPE_UNIVERSE;
    mnl_attr_put_u32(h, RTA_TABLE, r->table);
    if (r->destination.len)
        put_ip(h, RTA_DST, r->destination.ip);
    if (r->metric)
        mnl_attr_put_u32(h, RTA_PRIORITY, r->metric);
    if (r->type != RTNL_BLACKHOLE)
        mnl_attr_put_u32(h, RTA_OIF, r->index);
    if (r->source.version)
        put_ip(h, RTA_PREFSRC, r->source);
    if (r->mtu)
        put_mtu(h, r->mtu);
    return h;
}

int rtnl_route_replace(struct rtnl *n, const struct rtnl_route *r)
{
    char buffer[MESSAGE_MAX];
    return talk(n, route_message(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r), NULL,
                NULL);
}

int rtnl_route_delete(struct rtnl *n, const struct rtnl_route *r)
{
    char buffer[MESSAGE_MAX];
    return unless(talk(n, route_message(buffer, RTM_DELROUTE, 0, r), NULL, NULL), ESRCH);
}

/* --- where a packet would go --- */

static int way_attribute(const struct nlattr *a, void *context)
{
    struct rtnl_way *w = context;
    if (mnl_attr_get_type(a) == RTA_OIF)
        w->index = mnl_attr_get_u32(a);
    else if (mnl_attr_get_type(a) == RTA_GATEWAY)
        w->gateway = get_v4(a);
    return MNL_CB_OK;
}

static int each_way(const struct nlmsghdr *h, void *context)
{
    const struct rtmsg *m = mnl_nlmsg_get_payload(h);
    struct rtnl_way *w = context;
    w->unicast = m->rtm_type == RTN_UNICAST;
    return mnl_attr_parse(h, sizeof *m, way_attribute, w);
}

int rtnl_route_get(struct rtnl *n, struct ip destination, uint32_t mark, struct rtnl_way *ret)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = message(buffer, RTM_GETROUTE, 0);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->rtm_family = AF_INET;
    m->rtm_dst_len = 32;
    put_ip(h, RTA_DST, destination);
    mnl_attr_put_u32(h, RTA_MARK, mark);
    return talk(n, h, each_way, ret);
}

static int neighbour_attribute(const struct nlattr *a, void *context)
{
    struct rtnl_neighbour *w = context;
    uint16_t len = mnl_attr_get_payload_len(a);
    if (mnl_attr_get_type(a) == NDA_LLADDR && len <= sizeof w->address) {
        w->len = (uint8_t)len;
        memcpy(w->address, mnl_attr_get_payload(a), len);
    }
    return MNL_CB_OK;
}

static int each_neighbour(const struct nlmsghdr *h, void *context)
{
    const struct ndmsg *m = mnl_nlmsg_get_payload(h);
    struct rtnl_neighbour *w = context;
    w->usable = (m->ndm_state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY |
                                 NUD_PROBE)) != 0;
    return mnl_attr_parse(h, sizeof *m, neighbour_attribute, w);
}

int rtnl_neighbour_get(struct rtnl *n, unsigned index, struct ip address,
                       struct rtnl_neighbour *ret)
{
    char buffer[MESSAGE_MAX];
    struct nlmsghdr *h = message(buffer, RTM_GETNEIGH, 0);
    struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->ndm_family = AF_INET;
    m->ndm_ifindex = (int)index;
    put_ip(h, NDA_DST, address);
    return talk(n, h, each_neighbour, ret);
}

/* --- rules --- */

static struct nlmsghdr *rule_message(char *buffer, int type, int flags, const struct rtnl_rule *r)
{
    struct nlmsghdr *h = message(buffer, type, flags);
    struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->family = AF_INET;
    m->src_len = r->source.len;
    m->dst_len = r->destination.len;
    m->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(h, FRA_TABLE, r->table);
    mnl_attr_put_u32(h, FRA_PRIORITY, r->pref);
    if (r->source.len)
        put_ip(h, FRA_SRC, r->source.ip);
    if (r->destination.len)
        put_ip(h, FRA_DST, r->destination.ip);
    if (r->mask) {
        mnl_attr_put_u32(h, FRA_FWMARK, r->mark);
        mnl_attr_put_u32(h, FRA_FWMASK, r->mask);
    }
    if (r->iif)
        mnl_attr_put_strz(h, FRA_IIFNAME, r->iif);
    if (r->suppress_group)
        mnl_attr_put_u32(h, FRA_SUPPRESS_IFGROUP, r->suppressed);
    return h;
}

int rtnl_rule_add(struct rtnl *n, const struct rtnl_rule *r)
{
    char buffer[MESSAGE_MAX];
    return unless(
        talk(n, rule_message(buffer, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r), NULL, NULL),
        EEXIST);
}

int rtnl_rule_delete(struct rtnl *n, const struct rtnl_rule *r)
{
    char buffer[MESSAGE_MAX];
    return unless(talk(n, rule_message(buffer, RTM_DELRULE, 0, r), NULL, NULL), ENOENT);
}

struct rule_dump {
    struct rtnl_rule *out;
    size_t room, n;
    uint32_t pref;
};

static int rule_attribute(const struct nlattr *a, void *context)
{
    struct rtnl_rule *r = context;
    switch (mnl_attr_get_type(a)) {
    case FRA_PRIORITY:
        r->pref = mnl_attr_get_u32(a);
        break;
    case FRA_TABLE:
        r->table = mnl_attr_get_u32(a);
        break;
    case FRA_SRC:
        r->source.ip = get_v4(a);
        break;
    case FRA_DST:
        r->destination.ip = get_v4(a);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static int each_rule(const struct nlmsghdr *h, void *context)
{
    struct rule_dump *d = context;
    const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(h);
    struct rtnl_rule r = {.source.len = m->src_len, .destination.len = m->dst_len};
    if (mnl_attr_parse(h, sizeof *m, rule_attribute, &r) < 0)
        return MNL_CB_ERROR;
    if (r.pref == d->pref && d->n < d->room)
        d->out[d->n++] = r;
    return MNL_CB_OK;
}

int rtnl_rules(struct rtnl *n, uint32_t pref, struct rtnl_rule *out, size_t room, size_t *ret_n)
{
    char buffer[MESSAGE_MAX];
    struct rule_dump d = {out, room, 0, pref};
    struct nlmsghdr *h = message(buffer, RTM_GETRULE, NLM_F_DUMP);
    struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->family = AF_INET;
    int error = talk(n, h, each_rule, &d);
    if (error == 0)
        *ret_n = d.n;
    return error;
}

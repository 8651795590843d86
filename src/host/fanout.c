#include "host/fanout.h"
#include "host/address.h"

#include <errno.h>
#include <net/if.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct fanout {
    struct fanout *next;
    struct bytes datagram; /* behind `to`, in the same allocation */
    char interface[HOST_INTERFACE_MAX];
    struct host_udp_fanned_out so_far;
    size_t n_tried;
    size_t n;
    struct endpoint to[];
};

bool fanouts_add(struct fanouts *f, const struct host_udp_fanout *what)
{
    if (what->n > HOST_UDP_FANOUT_WAITING - f->n_waiting)
        return false;
    size_t head = sizeof(struct fanout) + what->n * sizeof what->to[0];
    struct fanout *o = malloc(head + what->datagram.len);
    if (!o)
        return false;
    *o = (struct fanout){.n = what->n, .datagram = bytes((uint8_t *)o + head, what->datagram.len)};
    memcpy(o->to, what->to, what->n * sizeof what->to[0]);
    if (what->datagram.len > 0)
        memcpy((uint8_t *)o + head, what->datagram.data, what->datagram.len);
    if (what->interface) {
        o->so_far.interface = o->interface;
        strncpy(o->interface, what->interface, sizeof o->interface - 1);
    }
    if (f->last)
        f->last->next = o;
    else
        f->first = o;
    f->last = o;
    f->n_waiting += o->n;
    return true;
}

/* ---- sending ---- */

/* The interface a multicast leaves by, as a control message: the socket is shared, so nothing of
 * it may be set for one fan-out. It comes with the source, which the kernel would choose else. */
struct leave_by {
    alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void leave_by(struct msghdr *m, struct leave_by *control, unsigned interface,
                     struct ip source)
{
    struct in_pktinfo info = {.ipi_ifindex = (int)interface};

    memcpy(&info.ipi_spec_dst, source.b, sizeof info.ipi_spec_dst);

    m->msg_control = control->octets;
    m->msg_controllen = sizeof control->octets;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

/* For sendmmsg(): many heads, one buffer. */
struct batch {
    unsigned n;
    unsigned interface; /* 0: routing decides */
    struct ip source;
    struct iovec datagram;
    struct leave_by control;
    struct mmsghdr m[HOST_UDP_FANOUT_BATCH];
    union host_address to[HOST_UDP_FANOUT_BATCH];
};

static void fill(const struct fanout *o, size_t max, struct batch *b)
{
    b->datagram = (struct iovec){(void *)(uintptr_t)o->datagram.data, o->datagram.len};
    for (b->n = 0; b->n < max && o->n_tried + b->n < o->n; b->n++) {
        struct msghdr *m = &b->m[b->n].msg_hdr;
        *m = (struct msghdr){.msg_name = &b->to[b->n],
                             .msg_namelen = host_address_of(o->to[o->n_tried + b->n], &b->to[b->n]),
                             .msg_iov = &b->datagram,
                             .msg_iovlen = 1};
        if (b->interface)
            leave_by(m, &b->control, b->interface, b->source);
    }
}

static void failed(struct fanout *o, int error, size_t n)
{
    if (o->so_far.n_failed == 0) {
        o->so_far.error = error;
        o->so_far.to = o->to[o->n_tried];
    }
    o->so_far.n_failed += n;
    o->n_tried += n;
}

/* False when the socket takes no more now. */
static bool send_batch(struct fanout *o, int fd, struct batch *b)
{
    int n = sendmmsg(fd, b->m, b->n, 0);

    if (n > 0) {
        o->so_far.n_sent += (size_t)n;
        o->n_tried += (size_t)n;
        return true;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        return false;
    if (errno != EINTR)
        failed(o, errno, 1); /* the first of the batch; the others have their turn */
    return true;
}

bool fanouts_send(struct fanouts *f, int fd, struct ip source, size_t max)
{
    struct fanout *o = f->first;
    size_t begin = o->n_tried;
    struct batch b;
    bool takes_more = true;

    b.source = source;
    b.interface = o->interface[0] ? if_nametoindex(o->interface) : 0;
    if (o->interface[0] && !b.interface)
        failed(o, ENODEV, o->n - o->n_tried);
    while (takes_more && o->n_tried < o->n && o->n_tried - begin < max) {
        size_t room = max - (o->n_tried - begin);
        fill(o, room < HOST_UDP_FANOUT_BATCH ? room : HOST_UDP_FANOUT_BATCH, &b);
        takes_more = send_batch(o, fd, &b);
    }
    return takes_more;
}

/* ---- the end of one ---- */

bool fanouts_is_over(const struct fanouts *f, struct host_udp_fanned_out *ret)
{
    if (!f->first || f->first->n_tried < f->first->n)
        return false;
    *ret = f->first->so_far;
    return true;
}

void fanouts_drop_first(struct fanouts *f)
{
    struct fanout *o = f->first;

    f->first = o->next;
    if (!f->first)
        f->last = NULL;
    f->n_waiting -= o->n;
    free(o);
}

void fanouts_free(struct fanouts *f)
{
    while (f->first)
        fanouts_drop_first(f);
}

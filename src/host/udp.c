#include "host/udp.h"
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A datagram that waits: its head stands before its octets in the queue. */
struct queued {
    struct endpoint to;
    size_t len;
};

struct host_udp {
    int fd;
    struct host_watch *watch;
    struct endpoint local;
    struct host_udp_hooks hooks;
    struct host_udp_counters counters;
    uint8_t *queue; /* of struct queued and octets, from queue_at to queue_len */
    size_t queue_at, queue_len, queue_room;
    uint8_t (*buffers)[HOST_UDP_DATAGRAM_MAX];
};

/* ---- addresses ---- */

static socklen_t to_sockaddr(struct endpoint e, struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){0};
    if (e.ip.version == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;
        in->sin_family = AF_INET;
        in->sin_port = htons(e.port);
        memcpy(&in->sin_addr, e.ip.b, 4);
        return sizeof *in;
    }
    assert(e.ip.version == 6);
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(e.port);
    memcpy(&in6->sin6_addr, e.ip.b, 16);
    return sizeof *in6;
}

static struct endpoint from_sockaddr(const struct sockaddr_storage *s)
{
    struct endpoint e = {0};

    if (s->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)s;
        e.ip.version = 4;
        memcpy(e.ip.b, &in->sin_addr, 4);
        e.port = ntohs(in->sin_port);
    } else if (s->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)s;
        e.ip.version = 6;
        memcpy(e.ip.b, &in6->sin6_addr, 16);
        e.port = ntohs(in6->sin6_port);
    }
    return e;
}

/* ---- receiving ---- */

static void deliver(struct host_udp *u, const struct mmsghdr *m, uint8_t *data)
{
    if (m->msg_hdr.msg_flags & MSG_TRUNC) {
        u->counters.too_large++;
        return;
    }
    u->counters.received++;
    u->hooks.received(u->hooks.ctx, from_sockaddr(m->msg_hdr.msg_name), u->local, data, m->msg_len);
}

/* One batch; false when there was nothing more to read. */
static bool receive(struct host_udp *u)
{
    struct mmsghdr m[HOST_UDP_BATCH] = {0};
    struct iovec iov[HOST_UDP_BATCH];
    struct sockaddr_storage from[HOST_UDP_BATCH];

    for (size_t i = 0; i < HOST_UDP_BATCH; i++) {
        iov[i] = (struct iovec){u->buffers[i], HOST_UDP_DATAGRAM_MAX};
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof from[i],
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1};
    }
    int n = recvmmsg(u->fd, m, HOST_UDP_BATCH, 0, NULL);
    for (int i = 0; i < n; i++)
        deliver(u, &m[i], u->buffers[i]);
    return n == HOST_UDP_BATCH;
}

static void ready(void *ctx, unsigned events)
{
    enum { BATCHES_MAX = 8 }; /* then timers and workers get their turn */
    struct host_udp *u = ctx;

    if (events & HOST_READABLE) {
        for (int i = 0; i < BATCHES_MAX && receive(u); i++)
            ;
        u->hooks.batch_end(u->hooks.ctx);
    }
    host_udp_flush(u);
}

/* ---- sending ---- */

static bool queue_grow(struct host_udp *u, size_t more)
{
    size_t room = u->queue_room ? u->queue_room : 65536;

    if (u->queue_len + more > HOST_UDP_QUEUE_MAX)
        return false;
    while (room < u->queue_len + more)
        room *= 2;
    uint8_t *queue = realloc(u->queue, room);
    if (!queue)
        return false;
    u->queue = queue;
    u->queue_room = room;
    return true;
}

void host_udp_send(struct host_udp *u, struct endpoint to, struct bytes datagram)
{
    struct queued head = {to, datagram.len};
    size_t more = sizeof head + datagram.len;

    if (u->queue_len + more > u->queue_room && !queue_grow(u, more)) {
        u->counters.queue_full++;
        return;
    }
    memcpy(u->queue + u->queue_len, &head, sizeof head);
    if (datagram.len > 0)
        memcpy(u->queue + u->queue_len + sizeof head, datagram.data, datagram.len);
    u->queue_len += more;
}

/* A batch from the front of the queue, for sendmmsg(). */
struct batch {
    unsigned n;
    struct mmsghdr m[HOST_UDP_BATCH];
    struct iovec iov[HOST_UDP_BATCH];
    struct sockaddr_storage to[HOST_UDP_BATCH];
    size_t end[HOST_UDP_BATCH]; /* where the queue goes on after each */
};

static void batch_fill(struct host_udp *u, struct batch *b)
{
    size_t at = u->queue_at;

    for (b->n = 0; b->n < HOST_UDP_BATCH && at < u->queue_len; b->n++) {
        struct queued head;
        memcpy(&head, u->queue + at, sizeof head);
        b->iov[b->n] = (struct iovec){u->queue + at + sizeof head, head.len};
        b->m[b->n] = (struct mmsghdr){.msg_hdr = {.msg_name = &b->to[b->n],
                                                  .msg_namelen = to_sockaddr(head.to, &b->to[b->n]),
                                                  .msg_iov = &b->iov[b->n],
                                                  .msg_iovlen = 1}};
        at += sizeof head + head.len;
        b->end[b->n] = at;
    }
}

/* False when the socket takes no more now. */
static bool batch_send(struct host_udp *u, struct batch *b)
{
    int n = sendmmsg(u->fd, b->m, b->n, 0);

    if (n > 0) {
        u->counters.sent += (uint64_t)n;
        u->queue_at = b->end[n - 1];
        return true;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        return false;
    if (errno == EINTR)
        return true;
    u->counters.failed++;
    u->queue_at = b->end[0];
    u->hooks.failed(u->hooks.ctx, from_sockaddr(&b->to[0]), errno);
    return true;
}

void host_udp_flush(struct host_udp *u)
{
    struct batch b;
    bool may_send = true;

    while (may_send && u->queue_at < u->queue_len) {
        batch_fill(u, &b);
        may_send = batch_send(u, &b);
    }
    if (u->queue_at == u->queue_len)
        u->queue_at = u->queue_len = 0;
    host_watch_set(u->watch, HOST_READABLE | (may_send ? 0 : HOST_WRITABLE));
}

/* ---- life ---- */

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static enum err err_of_errno(void)
{
    if (errno == EADDRINUSE)
        return ERR_BUSY;
    return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_SYSTEM;
}

/* Datagrams with certificates are larger than a path may carry in one piece: fragments are allowed.
 */
static bool set_options(int fd, struct ip local, uint32_t mark)
{
    if (local.version == 4 && !set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT))
        return false;
    if (mark != 0 && !set_int(fd, SOL_SOCKET, SO_MARK, (int)mark))
        return false;
    return set_int(fd, SOL_SOCKET, SO_RCVBUF, HOST_UDP_SOCKET_BUFFER) &&
           set_int(fd, SOL_SOCKET, SO_SNDBUF, HOST_UDP_SOCKET_BUFFER);
}

static enum err open_socket(struct host_udp *u, struct endpoint local, uint32_t mark)
{
    struct sockaddr_storage address;
    socklen_t len = to_sockaddr(local, &address);

    u->fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd < 0 || !set_options(u->fd, local.ip, mark) ||
        bind(u->fd, (struct sockaddr *)&address, len) != 0)
        return err_of_errno();
    len = sizeof address;
    if (getsockname(u->fd, (struct sockaddr *)&address, &len) != 0)
        return ERR_SYSTEM;
    u->local = from_sockaddr(&address);
    return ERR_OK;
}

enum err host_udp_open(struct host *h, struct endpoint local, uint32_t mark,
                       const struct host_udp_hooks *hooks, struct host_udp **ret)
{
    struct host_udp *u = calloc(1, sizeof *u);

    if (!u)
        return ERR_NOMEM;
    u->fd = -1;
    u->hooks = *hooks;
    u->buffers = calloc(HOST_UDP_BATCH, sizeof *u->buffers);
    enum err e = u->buffers ? open_socket(u, local, mark) : ERR_NOMEM;
    if (e == ERR_OK)
        e = host_watch_new(h, u->fd, ready, u, &u->watch);
    if (e != ERR_OK) {
        int saved = errno;
        host_udp_close(u);
        errno = saved;
        return e;
    }
    host_watch_set(u->watch, HOST_READABLE);
    *ret = u;
    return ERR_OK;
}

struct endpoint host_udp_local(const struct host_udp *u) { return u->local; }

struct host_udp_counters host_udp_counters(const struct host_udp *u) { return u->counters; }

void host_udp_close(struct host_udp *u)
{
    if (!u)
        return;
    host_watch_free(u->watch);
    if (u->fd >= 0)
        close(u->fd);
    free(u->queue);
    free(u->buffers);
    free(u);
}

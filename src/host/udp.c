#include "host/udp.h"
#include "host/address.h"
#include "host/fanout.h"
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert((int)INTERFACE_DEVICE_NAME_MAX == IF_NAMESIZE - 1, "what the kernel has");

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
    struct fanouts fanouts;
    bool in_turn, closed; /* closed within its own turn: freed at the end of it */
    uint8_t (*buffers)[HOST_UDP_DATAGRAM_MAX];
};

/* ---- receiving ---- */

static void deliver(struct host_udp *u, const struct mmsghdr *m, uint8_t *data)
{
    if (m->msg_hdr.msg_flags & MSG_TRUNC) {
        u->counters.too_large++;
        return;
    }
    u->counters.received++;
    u->hooks.received(u->hooks.ctx, host_address_endpoint(m->msg_hdr.msg_name), u->local, data,
                      m->msg_len);
}

/* One batch; false when there was nothing more to read. */
static bool receive(struct host_udp *u)
{
    struct mmsghdr m[HOST_UDP_BATCH] = {0};
    struct iovec iov[HOST_UDP_BATCH];
    union host_address from[HOST_UDP_BATCH];

    for (size_t i = 0; i < HOST_UDP_BATCH; i++) {
        iov[i] = (struct iovec){u->buffers[i], HOST_UDP_DATAGRAM_MAX};
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof from[i],
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1};
    }
    int n = recvmmsg(u->fd, m, HOST_UDP_BATCH, 0, NULL);
    for (int i = 0; i < n && !u->closed; i++)
        deliver(u, &m[i], u->buffers[i]);
    return n == HOST_UDP_BATCH && !u->closed;
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
    union host_address to[HOST_UDP_BATCH];
    size_t end[HOST_UDP_BATCH]; /* where the queue goes on after each */
};

static void batch_fill(struct host_udp *u, struct batch *b)
{
    size_t at = u->queue_at;

    for (b->n = 0; b->n < HOST_UDP_BATCH && at < u->queue_len; b->n++) {
        struct queued head;
        memcpy(&head, u->queue + at, sizeof head);
        b->iov[b->n] = (struct iovec){u->queue + at + sizeof head, head.len};
        b->m[b->n] =
            (struct mmsghdr){.msg_hdr = {.msg_name = &b->to[b->n],
                                         .msg_namelen = host_address_of(head.to, &b->to[b->n]),
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
    u->hooks.failed(u->hooks.ctx, host_address_endpoint(&b->to[0]), errno);
    return true;
}

/* Writable is asked for as long as something waits: a full socket is not, an idle one is at once.
 */
static void watch(struct host_udp *u)
{
    bool waits = u->queue_len > 0 || u->fanouts.first;

    if (!u->closed)
        host_watch_set(u->watch, HOST_READABLE | (waits ? HOST_WRITABLE : 0));
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
    watch(u);
}

void host_udp_fanout(struct host_udp *u, const struct host_udp_fanout *what)
{
    assert(what->n > 0);
    const struct host_udp_fanned_out refused = {
        .n_failed = what->n, .interface = what->interface, .error = ENOBUFS, .to = what->to[0]};
    if (fanouts_add(&u->fanouts, what)) {
        watch(u);
        return;
    }
    u->counters.queue_full += what->n;
    if (u->hooks.fanned_out)
        u->hooks.fanned_out(u->hooks.ctx, &refused);
}

static void fanout_end(struct host_udp *u, const struct host_udp_fanned_out *result)
{
    u->counters.sent += result->n_sent;
    u->counters.failed += result->n_failed;
    if (u->hooks.fanned_out)
        u->hooks.fanned_out(u->hooks.ctx, result);
    fanouts_drop_first(&u->fanouts);
}

/* A chunk of the fan-out that is first; those that end within it make room for the next. */
static void fanout_turn(struct host_udp *u)
{
    struct host_udp_fanned_out result;

    if (u->fanouts.first)
        (void)fanouts_send(&u->fanouts, u->fd, u->local.ip, HOST_UDP_FANOUT_CHUNK);
    if (fanouts_is_over(&u->fanouts, &result))
        fanout_end(u, &result);
    watch(u);
}

/* ---- the loop's turn ---- */

static void free_udp(struct host_udp *u)
{
    if (u->fd >= 0)
        close(u->fd);
    fanouts_free(&u->fanouts);
    free(u->queue);
    free(u->buffers);
    free(u);
}

static void ready(void *ctx, unsigned events)
{
    enum { BATCHES_MAX = 8 }; /* then timers and workers get their turn */
    struct host_udp *u = ctx;

    u->in_turn = true;
    if (events & HOST_READABLE) {
        for (int i = 0; i < BATCHES_MAX && receive(u); i++)
            ;
        u->hooks.batch_end(u->hooks.ctx);
    }
    if (!u->closed)
        host_udp_flush(u);
    if (!u->closed && events & HOST_WRITABLE && u->queue_len == 0)
        fanout_turn(u);
    u->in_turn = false;
    if (u->closed)
        free_udp(u);
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
 * A member beside the server hears its multicasts, too. Several programs may hear one group, each
 * only what came by the interfaces that it joined on itself. */
static bool set_options_v4(int fd, struct ip local)
{
    return set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) &&
           set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, HOST_UDP_MULTICAST_TTL) &&
           set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
           set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
           (!ip_is_multicast(local) || set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1));
}

/* Beyond the system's limit with the privilege, else as far as that goes. */
static bool set_buffer(int fd, int forced, int option)
{
    return set_int(fd, SOL_SOCKET, forced, HOST_UDP_SOCKET_BUFFER) ||
           set_int(fd, SOL_SOCKET, option, HOST_UDP_SOCKET_BUFFER);
}

static bool set_options(int fd, struct ip local, uint32_t mark)
{
    if (local.version == 4 && !set_options_v4(fd, local))
        return false;
    if (mark != 0 && !set_int(fd, SOL_SOCKET, SO_MARK, (int)mark))
        return false;
    return set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF) && set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

static enum err open_socket(struct host_udp *u, struct endpoint local, uint32_t mark)
{
    union host_address address;
    socklen_t len = host_address_of(local, &address);

    u->fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd < 0 || !set_options(u->fd, local.ip, mark) || bind(u->fd, &address.any, len) != 0)
        return err_of_errno();
    len = sizeof address;
    if (getsockname(u->fd, &address.any, &len) != 0)
        return ERR_SYSTEM;
    u->local = host_address_endpoint(&address);
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

bool host_udp_membership(struct host_udp *u, unsigned interface, bool join)
{
    struct ip_mreqn r = {.imr_ifindex = (int)interface};

    assert(u->local.ip.version == 4 && ip_is_multicast(u->local.ip));
    memcpy(&r.imr_multiaddr, u->local.ip.b, sizeof r.imr_multiaddr);
    return setsockopt(u->fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &r,
                      sizeof r) == 0;
}

struct endpoint host_udp_local(const struct host_udp *u) { return u->local; }

struct host_udp_counters host_udp_counters(const struct host_udp *u) { return u->counters; }

void host_udp_counters_add(struct host_udp_counters *sum, const struct host_udp *u)
{
    sum->received += u->counters.received;
    sum->sent += u->counters.sent;
    sum->too_large += u->counters.too_large;
    sum->queue_full += u->counters.queue_full;
    sum->failed += u->counters.failed;
}

void host_udp_close(struct host_udp *u)
{
    if (!u)
        return;
    host_watch_free(u->watch);
    u->watch = NULL;
    u->closed = true;
    if (!u->in_turn)
        free_udp(u);
}

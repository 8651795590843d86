#include "host/stream.h"
#include "host/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct host_stream {
    struct host_listener *listener;
    struct host_stream *next;
    struct host_watch *watch;
    int fd;
    void *user;
};

struct host_listener {
    struct host *host;
    struct host_stream_hooks hooks;
    struct host_watch *watch;
    struct host_stream *streams;
    size_t n_streams;
    int fd;
    struct sockaddr_un address;
};

/* ---- one connection ---- */

static void hang_up(struct host_stream *s)
{
    struct host_stream **at = &s->listener->streams;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->listener->n_streams--;
    host_watch_free(s->watch);
    close(s->fd);
    if (s->user)
        s->listener->hooks.closed(s->user);
    free(s);
}

/* Sends what it can; false when the connection is broken. */
static bool push(struct host_stream *s)
{
    const struct host_stream_hooks *hooks = &s->listener->hooks;

    for (;;) {
        struct bytes out = hooks->outgoing(s->user);
        if (out.len == 0)
            return true;
        ssize_t n = send(s->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        hooks->sent(s->user, (size_t)n);
    }
}

/* Reads what is there; false at the end of the stream. */
static bool pull(struct host_stream *s)
{
    uint8_t buffer[65536];
    ssize_t n = recv(s->fd, buffer, sizeof buffer, 0);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n > 0)
        s->listener->hooks.received(s->user, bytes(buffer, (size_t)n));
    return n > 0;
}

static void serve(struct host_stream *s, bool may_read)
{
    const struct host_stream_hooks *hooks = &s->listener->hooks;

    bool ok = !may_read || pull(s);
    bool more = ok && hooks->go_on && hooks->go_on(s->user);
    if (!ok || !push(s)) {
        hang_up(s);
        return;
    }
    bool waits = more || hooks->outgoing(s->user).len > 0;
    if (!waits && hooks->is_over(s->user))
        hang_up(s);
    else
        host_watch_set(s->watch, waits ? HOST_WRITABLE : HOST_READABLE); /* first what is owed */
}

static void stream_ready(void *ctx, unsigned events) { serve(ctx, events & HOST_READABLE); }

void host_stream_wake(struct host_stream *s)
{
    host_watch_set(s->watch, HOST_READABLE | HOST_WRITABLE); /* served from the loop, never inside
                                                                of who woke it */
}

/* ---- accepting ---- */

/* The supplementary groups of the peer: free() them. NULL: none, or the kernel does not say. */
static gid_t *groups_of(int fd, size_t *ret_n)
{
    socklen_t len = 0;
    gid_t *groups = NULL;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) != 0 && errno == ERANGE)
        groups = malloc(len);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0) {
        free(groups);
        groups = NULL;
    }
    *ret_n = groups ? len / sizeof *groups : 0;
    return groups;
}

static void *introduce(struct host_listener *l, struct host_stream *s)
{
    struct ucred cred = {0};
    socklen_t len = sizeof cred;
    struct host_peer peer = {0};
    gid_t *groups = groups_of(s->fd, &peer.n_groups);

    peer.known = getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0;
    peer.uid = cred.uid;
    peer.gid = cred.gid;
    peer.pid = cred.pid;
    peer.groups = groups;
    void *user = l->hooks.opened(l->hooks.ctx, s, peer);
    free(groups);
    return user;
}

static void adopt(struct host_listener *l, int fd)
{
    struct host_stream *s = calloc(1, sizeof *s);

    if (!s || l->n_streams == HOST_STREAMS_MAX) {
        free(s);
        close(fd);
        return;
    }
    *s = (struct host_stream){.listener = l, .next = l->streams, .fd = fd};
    l->streams = s;
    l->n_streams++;
    if (host_watch_new(l->host, fd, stream_ready, s, &s->watch) == ERR_OK)
        s->user = introduce(l, s);
    if (s->user)
        serve(s, false);
    else
        hang_up(s);
}

static void listener_ready(void *ctx, unsigned events)
{
    struct host_listener *l = ctx;

    (void)events;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        adopt(l, fd);
}

/* ---- listening ---- */

static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    if (fd >= 0)
        close(fd);
    return answers;
}

static enum err bind_and_listen(struct host_listener *l)
{
    const struct sockaddr *address = (const struct sockaddr *)&l->address;

    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return ERR_SYSTEM;
    if (somebody_answers(&l->address))
        return ERR_BUSY;
    if (unlink(l->address.sun_path) != 0 && errno != ENOENT)
        return ERR_SYSTEM;
    mode_t old = umask(S_IXUSR | S_IXGRP | S_IXOTH);
    int status = bind(l->fd, address, sizeof l->address);
    umask(old);
    if (status != 0)
        return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_SYSTEM;
    return listen(l->fd, 16) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err host_listen(struct host *h, const char *path, const struct host_stream_hooks *hooks,
                     struct host_listener **ret)
{
    struct host_listener *l = calloc(1, sizeof *l);

    if (!l)
        return ERR_NOMEM;
    *l = (struct host_listener){.host = h, .hooks = *hooks, .fd = -1};
    l->address.sun_family = AF_UNIX;
    enum err e = strlen(path) < sizeof l->address.sun_path ? ERR_OK : ERR_LENGTH;
    if (e == ERR_OK) {
        memcpy(l->address.sun_path, path, strlen(path));
        e = bind_and_listen(l);
    }
    if (e == ERR_OK)
        e = host_watch_new(h, l->fd, listener_ready, l, &l->watch);
    if (e == ERR_OK) {
        host_watch_set(l->watch, HOST_READABLE);
        *ret = l;
        return ERR_OK;
    }
    int saved = errno;
    if (l->fd >= 0)
        close(l->fd);
    free(l);
    errno = saved;
    return e;
}

void host_listener_close(struct host_listener *l)
{
    if (!l)
        return;
    while (l->streams) {
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): hang_up() takes it off this list
        (void)push(l->streams); /* the last attempt: it is closed either way */
        hang_up(l->streams);
    }
    host_watch_free(l->watch);
    close(l->fd);
    (void)unlink(l->address.sun_path); /* a leftover is replaced at the next start */
    free(l);
}

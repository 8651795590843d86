#include "cmd/control.h"
#include "ctl/event.h"
#include "host/stream.h"

#include <stdlib.h>
#include <unistd.h>

struct connection {
    struct control *control;
    struct connection *next;
    struct host_stream *stream;
    struct ctl_session session;
};

struct control {
    const struct ctl_service *service;
    struct host_listener *listener;
    struct connection *connections;
};

/* ---- connections ---- */

static void *opened(void *ctx, struct host_stream *stream, struct host_peer peer)
{
    struct control *c = ctx;
    bool may_control = peer.uid == 0 || peer.uid == geteuid();
    struct connection *new = calloc(1, sizeof *new);

    if (!new)
        return NULL;
    *new = (struct connection){.control = c, .next = c->connections, .stream = stream};
    new->session = ctl_session_start(c->service, may_control);
    c->connections = new;
    return new;
}

static void received(void *user, struct bytes octets)
{
    struct connection *k = user;
    ctl_session_feed(&k->session, octets);
}

static struct bytes outgoing(void *user)
{
    struct connection *k = user;
    return ctl_buf_bytes(&k->session.out);
}

static void sent(void *user, size_t n)
{
    struct connection *k = user;
    ctl_buf_eat(&k->session.out, n);
}

static bool is_over(void *user)
{
    struct connection *k = user;
    return k->session.closing;
}

static void closed(void *user)
{
    struct connection *k = user;
    struct connection **at = &k->control->connections;

    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    ctl_session_free(&k->session);
    free(k);
}

/* ---- the socket ---- */

enum err control_open(struct host *host, const char *path, const struct ctl_service *service,
                      struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c)
        return ERR_NOMEM;
    c->service = service;
    const struct host_stream_hooks hooks = {.ctx = c,
                                            .opened = opened,
                                            .received = received,
                                            .outgoing = outgoing,
                                            .sent = sent,
                                            .is_over = is_over,
                                            .closed = closed};
    enum err e = host_listen(host, path, &hooks, &c->listener);
    if (e == ERR_OK)
        *ret = c;
    else
        free(c);
    return e;
}

void control_tell(struct control *c, const struct event *e, wall_t now)
{
    struct ctl_wr w = {0};

    for (struct connection *k = c->connections; k; k = k->next) {
        if (k->session.monitor == 0)
            continue;
        if (w.buf.len == 0)
            ctl_put_event(&w, e, now);
        ctl_session_event(&k->session, ctl_buf_bytes(&w.buf));
        host_stream_wake(k->stream);
    }
    ctl_buf_free(&w.buf);
}

void control_close(struct control *c)
{
    if (!c)
        return;
    host_listener_close(c->listener);
    free(c);
}

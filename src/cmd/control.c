#include "cmd/control.h"
#include "cmd/privilege.h"
#include "ctl/event.h"
#include "host/stream.h"

#include <assert.h>
#include <stdlib.h>

struct connection {
    struct control *control;
    struct connection *next;
    struct host_stream *stream;
    uid_t uid;
    pid_t pid;
    struct ctl_session session;
};

struct control {
    struct control_config config;
    struct ctl_service service;
    struct privileges privileges;
    struct host_listener *listener;
    struct connection *connections;
};

static_assert((int)CONTROL_CONNECTIONS_MAX < (int)HOST_STREAMS_MAX, "one too many is told so");

/* ---- connections ---- */

static size_t count(const struct control *c, enum ctl_class up_to)
{
    size_t n = 0;

    for (const struct connection *k = c->connections; k; k = k->next)
        n += k->session.class <= up_to;
    return n;
}

/* Whether this one is one too many: of its class, or of all together. */
static bool is_full(const struct control *c, enum ctl_class class)
{
    static const size_t max[] = {[CTL_NONE] = CONTROL_STRANGERS_MAX,
                                 [CTL_VIEW] = CONTROL_VIEWERS_MAX,
                                 [CTL_CONTROL] = CONTROL_CONNECTIONS_MAX};

    return count(c, class) >= max[class];
}

static void *opened(void *ctx, struct host_stream *stream, struct host_peer peer)
{
    struct control *c = ctx;
    enum ctl_class class = privilege_class(&c->privileges, &peer);
    struct connection *new = calloc(1, sizeof *new);

    if (!new)
        return NULL;
    *new = (struct connection){
        .control = c, .next = c->connections, .stream = stream, .uid = peer.uid, .pid = peer.pid};
    new->session = ctl_session_start(&c->service, class, new);
    if (is_full(c, class))
        ctl_session_turn_away(&new->session, ERR_BUSY,
                              "too many consoles are connected: close one, then try again");
    c->connections = new;
    return new;
}

static void denied(void *owner, const struct ctl_command *command)
{
    const struct connection *k = owner;
    const struct control_config *config = &k->control->config;
    struct event e = event_of(EV_DENIED);

    event_add_u64(&e, "uid", k->uid);
    event_add_u64(&e, "process", (uint64_t)k->pid);
    event_add_str(&e, "command", command->words);
    event_add_str(&e, "needs", ctl_class_name(command->class));
    event_add_str(&e, "has", ctl_class_name(k->session.class));
    config->tell(config->ctx, &e);
}

static void received(void *user, struct bytes octets)
{
    struct connection *k = user;
    ctl_session_feed(&k->session, octets);
}

static bool go_on(void *user)
{
    struct connection *k = user;
    return ctl_session_go_on(&k->session);
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

enum err control_open(struct host *host, const struct control_config *config, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c)
        return ERR_NOMEM;
    *c = (struct control){
        .config = *config, .service = *config->service, .privileges = *config->privileges};
    c->service.denied = denied;
    for (size_t i = 0; i < CTL_CLASS_COUNT; i++)
        c->service.holders[i] = c->privileges.groups[i].holders;
    const struct host_stream_hooks hooks = {.ctx = c,
                                            .opened = opened,
                                            .received = received,
                                            .go_on = go_on,
                                            .outgoing = outgoing,
                                            .sent = sent,
                                            .is_over = is_over,
                                            .closed = closed};
    enum err e = host_listen(host, config->path, &hooks, &c->listener);
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

void control_stored(struct control *c, uint64_t id, enum err err)
{
    for (struct connection *k = c->connections; k; k = k->next) {
        if (ctl_session_stored(&k->session, id, err))
            host_stream_wake(k->stream);
    }
}

void control_close(struct control *c)
{
    if (!c)
        return;
    host_listener_close(c->listener);
    free(c);
}

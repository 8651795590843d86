#pragma once
/* The control socket: console connections, each with its session (ctl/session.h) and with the
 * privilege of who made it (cmd/privilege.h). Anybody on the machine may connect; what he may not
 * ask he is told by a sentence, and the log is told his user. */
#include "base/events.h"
#include "base/instant.h"
#include "ctl/session.h"

struct control;
struct host;
struct privileges;

/* Connections at the same time. Those of the lesser classes leave room for the greater ones. */
enum { CONTROL_CONNECTIONS_MAX = 64, CONTROL_VIEWERS_MAX = 56, CONTROL_STRANGERS_MAX = 8 };

struct control_config {
    const char *path;
    const struct ctl_service *service; /* copied; who may what is filled in here */
    const struct privileges *privileges;
    void (*tell)(void *ctx, const struct event *e); /* a refusal, for the log */
    void *ctx;
};
/* Errors of host_listen(). */
MUST_USE enum err control_open(struct host *host, const struct control_config *config,
                               struct control **ret);
/* To every session that asked for events. */
void control_tell(struct control *c, const struct event *e, wall_t now);
/* To every session: the store answered a transaction of the engine. */
void control_stored(struct control *c, uint64_t id, enum err err);
void control_close(struct control *c); /* NULL has no effect */

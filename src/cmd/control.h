#pragma once
/* The control socket: console connections, each with its session (ctl/session.h). */
#include "base/events.h"
#include "base/instant.h"
#include "ctl/session.h"

struct control;
struct host;

/* `service` must outlive it. A peer that is root, or the daemon's own user, has security-control;
 * any other that the socket's permissions let in has security. Errors of host_listen(). */
MUST_USE enum err control_open(struct host *host, const char *path,
                               const struct ctl_service *service, struct control **ret);
/* To every session that asked for events. */
void control_tell(struct control *c, const struct event *e, wall_t now);
void control_close(struct control *c); /* NULL has no effect */

#pragma once
/* Events as trees: "event", "level", "time", then the event's own fields by key. */
#include "base/events.h"
#include "ctl/tree.h"

void ctl_put_event(struct ctl_wr *w, const struct event *e, wall_t now);

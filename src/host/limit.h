#pragma once
/* How many lines of one kind the log takes: a bucket of tokens for each event and each class of
 * peers, so that one noisy peer cannot hide another. */
#include "base/events.h"
#include "base/instant.h"

enum {
    HOST_LIMIT_BURST = 20,   /* lines at once, of one event and class */
    HOST_LIMIT_PER_S = 5,    /* and then every second */
    HOST_LIMIT_CLASSES = 16, /* peers fall into these by address; class 0: no peer */
    HOST_LIMIT_REPORT_S = 10 /* how long until the suppressed ones are told */
};

struct host_limit_bucket {
    int64_t tokens_ns; /* a line costs NS_PER_S / HOST_LIMIT_PER_S */
    instant_t at;
};
struct host_limit {
    struct host_limit_bucket buckets[EVENT_COUNT][HOST_LIMIT_CLASSES];
    uint64_t suppressed[EVENT_COUNT];
    instant_t report; /* NEVER: nothing suppressed */
};

void host_limit_start(struct host_limit *l, instant_t now);
/* Whether this event may be written; counts it as suppressed if not. */
bool host_limit_admit(struct host_limit *l, instant_t now, const struct event *e);
/* From l->report on: takes the next event with suppressed lines, false when all were told. */
bool host_limit_take(struct host_limit *l, enum event_id *ret_id, uint64_t *ret_n);

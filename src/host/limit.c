#include "host/limit.h"

enum { COST_NS = 1000000000 / HOST_LIMIT_PER_S };

void host_limit_start(struct host_limit *l, instant_t now)
{
    *l = (struct host_limit){.report = INSTANT_NEVER};
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        for (size_t k = 0; k < HOST_LIMIT_CLASSES; k++)
            l->buckets[i][k] = (struct host_limit_bucket){(int64_t)HOST_LIMIT_BURST * COST_NS, now};
    }
}

/* The class of an event's peer: by its address without the port, which a stranger can vary. */
static unsigned peer_class(const struct event *e)
{
    struct bytes peer = event_find_text(e, "peer");
    uint32_t h = 2166136261U; /* FNV-1a */

    if (peer.len == 0)
        return 0;
    const uint8_t *colon = memchr(peer.data, ':', peer.len);
    size_t n = colon && peer.data[0] != '[' ? (size_t)(colon - peer.data) : peer.len;
    for (size_t i = 0; i < n; i++)
        h = (h ^ peer.data[i]) * 16777619U;
    return 1 + h % (HOST_LIMIT_CLASSES - 1);
}

bool host_limit_admit(struct host_limit *l, instant_t now, const struct event *e)
{
    struct host_limit_bucket *b = &l->buckets[e->id][peer_class(e)];
    int64_t full = (int64_t)HOST_LIMIT_BURST * COST_NS;
    int64_t gained = instant_since(now, b->at).ns;

    b->tokens_ns = gained > full - b->tokens_ns ? full : b->tokens_ns + gained;
    b->at = now;
    if (b->tokens_ns >= COST_NS) {
        b->tokens_ns -= COST_NS;
        return true;
    }
    l->suppressed[e->id]++;
    if (instant_is_never(l->report))
        l->report = instant_add(now, span_s(HOST_LIMIT_REPORT_S));
    return false;
}

bool host_limit_take(struct host_limit *l, enum event_id *ret_id, uint64_t *ret_n)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (l->suppressed[i] > 0) {
            *ret_id = (enum event_id)i;
            *ret_n = l->suppressed[i];
            l->suppressed[i] = 0;
            return true;
        }
    }
    l->report = INSTANT_NEVER;
    return false;
}

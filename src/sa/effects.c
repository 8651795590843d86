#include "sa/effects.h"

#include "sa/job.h"

static struct effect *append(struct effects *out, enum effect_kind kind)
{
    struct effect *e = arena_alloc(&out->arena, sizeof *e);
    e->kind = kind;
    if (out->last)
        out->last->next = e;
    else
        out->first = e;
    out->last = e;
    out->n++;
    return e;
}

void effects_send(struct effects *out, struct endpoint from, struct endpoint to,
                  struct bytes datagram)
{
    struct effect *e = append(out, EFFECT_SEND);
    e->send.from = from;
    e->send.to = to;
    e->send.datagram = arena_bytes(&out->arena, datagram);
}

void effects_fanout(struct effects *out, struct endpoint from, const struct endpoint *to, size_t n,
                    struct bytes datagram, const char *interface)
{
    struct effect *e = append(out, EFFECT_FANOUT);
    e->fanout.from = from;
    e->fanout.to = arena_copy(&out->arena, to, n * sizeof *to);
    e->fanout.n = n;
    e->fanout.datagram = arena_bytes(&out->arena, datagram);
    e->fanout.interface = interface ? arena_text(&out->arena, "%s", interface) : NULL;
}

void effects_multicast(struct effects *out, bool join, struct ip group, const char *interface)
{
    struct effect *e = append(out, EFFECT_MULTICAST);
    e->multicast.join = join;
    e->multicast.group = group;
    e->multicast.interface = arena_text(&out->arena, "%s", interface);
}

void effects_persist(struct effects *out, const struct store_tx *tx)
{
    append(out, EFFECT_PERSIST)->persist = tx;
}

void effects_job(struct effects *out, const struct job *job)
{
    append(out, EFFECT_JOB)->job = arena_copy(&out->arena, job, sizeof *job);
}

void effects_tell(struct effects *out, const struct event *event)
{
    append(out, EFFECT_TELL)->event = arena_copy(&out->arena, event, sizeof *event);
}

void effects_clock(struct effects *out, const char *vpn, span_t offset)
{
    struct effect *e = append(out, EFFECT_CLOCK);
    e->clock.vpn = vpn;
    e->clock.offset = offset;
}

void effects_install(struct effects *out, const struct esp_vpn_install *install)
{
    append(out, EFFECT_INSTALL)->install = install;
}

void effects_reset(struct effects *out)
{
    arena_reset(&out->arena);
    out->first = out->last = NULL;
    out->n = 0;
}

void effects_free(struct effects *out)
{
    arena_free(&out->arena);
    *out = (struct effects){0};
}

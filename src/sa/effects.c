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

void effects_job(struct effects *out, const struct job *job)
{
    append(out, EFFECT_JOB)->job = arena_copy(&out->arena, job, sizeof *job);
}

void effects_tell(struct effects *out, const struct event *event)
{
    append(out, EFFECT_TELL)->event = arena_copy(&out->arena, event, sizeof *event);
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

#pragma once
/* What an engine wants done, in order. Engines append, the host carries out from the first to the
 * last and then resets. Everything an effect points to lives in the arena of this list, or in the
 * engine until its next step. */
#include "base/arena.h"
#include "base/events.h"
#include "base/ip.h"

struct job;
struct esp_vpn_install;

enum effect_kind { EFFECT_SEND, EFFECT_JOB, EFFECT_TELL, EFFECT_INSTALL };

struct effect {
    struct effect *next;
    enum effect_kind kind;
    union {
        struct {
            struct endpoint from, to; /* from.port is the local port */
            struct bytes datagram;
        } send;
        const struct job *job;                 /* sa/job.h: for a worker, comes back as an input */
        const struct event *event;             /* for the log and for subscribers */
        const struct esp_vpn_install *install; /* esp/install.h: members only */
    };
};
struct effects {
    struct arena arena;
    struct effect *first, *last;
    size_t n;
};

/* A zeroed struct effects is an empty list. The datagram, event and job are copied into the list's
 * arena; an install is kept by reference. */
void effects_send(struct effects *out, struct endpoint from, struct endpoint to,
                  struct bytes datagram);
void effects_job(struct effects *out, const struct job *job);
void effects_tell(struct effects *out, const struct event *event);
void effects_install(struct effects *out, const struct esp_vpn_install *install);
void effects_reset(struct effects *out); /* wipes, keeps memory for the next step */
void effects_free(struct effects *out);

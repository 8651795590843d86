#pragma once
/* What an engine wants done, in order. Engines append, the host carries out from the first to the
 * last and then resets. Everything an effect points to lives in the arena of this list, or in the
 * engine until its next step. */
#include "base/arena.h"
#include "base/events.h"
#include "base/instant.h"
#include "base/ip.h"

struct job;
struct store_tx;
struct esp_vpn_install;

enum effect_kind {
    EFFECT_PERSIST,   /* comes back as an input: stored, or why not */
    EFFECT_SEND,      /* one datagram to one peer */
    EFFECT_FANOUT,    /* one datagram to many: the host sends it in batches and paces them */
    EFFECT_MULTICAST, /* hear a multicast group, or no more: members only */
    EFFECT_JOB,
    EFFECT_TELL,
    EFFECT_CLOCK, /* the group clock of a VPN: members only */
    EFFECT_INSTALL,
};

struct effect {
    struct effect *next;
    enum effect_kind kind;
    union {
        struct {
            struct endpoint from, to; /* from.port is the local port */
            struct bytes datagram;
        } send;
        struct {
            struct endpoint from;
            const struct endpoint *to;
            size_t n;
            struct bytes datagram;
            const char *interface; /* to send a multicast from; NULL: routing decides */
        } fanout;
        struct {
            bool join; /* else leave */
            struct ip group;
            const char *interface;
        } multicast;
        struct {
            const char *vpn;
            span_t offset; /* what the time since 1970 is ahead of the engine's clock */
        } clock;
        const struct store_tx *persist;        /* store/tx.h */
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
/* Everything is copied. */
void effects_fanout(struct effects *out, struct endpoint from, const struct endpoint *to, size_t n,
                    struct bytes datagram, const char *interface);
/* Joins are counted by the host: a group is heard until there were as many leaves. */
void effects_multicast(struct effects *out, bool join, struct ip group, const char *interface);
/* The transaction was made in this list's arena. Every one gets exactly one answer, and they are
 * stored in the order in which they were given. What must not happen before it is durable, the
 * engine does when the answer comes: the effects that follow in this list do not wait. */
void effects_persist(struct effects *out, const struct store_tx *tx);
void effects_job(struct effects *out, const struct job *job);
void effects_tell(struct effects *out, const struct event *event);
/* In front of the first install with time stamps, and whenever the clock is set anew. */
void effects_clock(struct effects *out, const char *vpn, span_t offset);
void effects_install(struct effects *out, const struct esp_vpn_install *install);
void effects_reset(struct effects *out); /* wipes, keeps memory for the next step */
void effects_free(struct effects *out);

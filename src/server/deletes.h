#pragma once
/* Telling members to drop keys (RFC 6407 5.9): each order is a message, and its repeats, under the
 * KEK that was the current one when it was given. Orders outlive the keys that they name, that KEK,
 * and the group itself (server/leaving.h. */
#include "base/instant.h"
#include "sa/effects.h"
#include "server/push_message.h"

struct group;
struct server;

/* Keys that members must not use any more. */
struct push_delete {
    bool all_teks, kek; /* every TEK of the group; the KEK that the message goes under */
    const uint32_t *spis;
    size_t n;
};
/* A delete that waits for its turn, or for its repeats. One that is under way is the first. */
struct delete_order {
    struct delete_order *next;
    struct push_carrier carrier;
    struct push_delete what; /* its SPIs stand behind */
    unsigned rounds_done, rounds_left;
    span_t period;
    instant_t at;
    uint32_t spis[];
};
void deletes_free(struct delete_order *first); /* all of them; wipes */

/* Adds an order for members under the group's current KEK as it is now; without one, or without
 * members, there is none: false. What it names may be dropped as soon as the call is back. Of
 * SERVER_DELETES_MAX the one that was told most often gives way, and that is told. */
bool deletes_add(struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out);
/* When one is due, provided that no message is under way; sends it. */
instant_t deletes_due(const struct delete_order *first);
void deletes_send(struct server *s, struct group *g, instant_t now, struct effects *out);
/* The message of the first one is not under way any more. */
void deletes_ended(struct group *g, instant_t now, enum push_outcome how);
/* How long all that is left of them takes. */
span_t deletes_left(const struct delete_order *first);

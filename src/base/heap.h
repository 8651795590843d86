#pragma once
/* Due times of many objects: an intrusive binary heap ordered by (due, order of insertion), so that
 * equal times fire in a reproducible order. The node lives inside its object. */
#include "base/instant.h"

#include <stddef.h>

struct heap_node {
    instant_t due;
    uint32_t order; /* wraps around: exact among the last 2^31 insertions */
    uint32_t at;    /* index + 1 while in a heap, 0 outside */
};
struct heap {
    struct heap_node **nodes;
    size_t n, room;
    uint32_t next_order;
};

/* Puts the node in, or moves it when it is in already. INSTANT_NEVER takes it out. Aborts when out
 * of memory. */
void heap_set(struct heap *h, struct heap_node *node, instant_t due);
void heap_remove(struct heap *h, struct heap_node *node); /* no effect when outside */
/* The node due first, or NULL. */
struct heap_node *heap_first(const struct heap *h);
instant_t heap_due(const struct heap *h); /* INSTANT_NEVER when empty */
void heap_free(struct heap *h);           /* frees the index, never the objects */

/* The object that embeds a node. */
#define HEAP_OBJECT(node, type, member)                                                            \
    ((type *)(void *)(((char *)(node)) - offsetof(type, member)))

#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

static bool earlier(const struct heap_node *a, const struct heap_node *b)
{
    return a->due.ns != b->due.ns ? a->due.ns < b->due.ns : (int32_t)(a->order - b->order) < 0;
}

static void place(struct heap *h, size_t i, struct heap_node *node)
{
    h->nodes[i] = node;
    node->at = (uint32_t)i + 1;
}

static void sift_up(struct heap *h, size_t i)
{
    struct heap_node *node = h->nodes[i];
    while (i > 0 && earlier(node, h->nodes[(i - 1) / 2])) {
        place(h, i, h->nodes[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, node);
}

static void sift_down(struct heap *h, size_t i)
{
    struct heap_node *node = h->nodes[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && earlier(h->nodes[child + 1], h->nodes[child]))
            child++;
        if (!earlier(h->nodes[child], node))
            break;
        place(h, i, h->nodes[child]);
        i = child;
    }
    place(h, i, node);
}

static void settle(struct heap *h, size_t i)
{
    struct heap_node *node = h->nodes[i];
    sift_up(h, i);
    sift_down(h, node->at - 1);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (node->at == 0)
        return;
    size_t i = node->at - 1;
    assert(i < h->n && h->nodes[i] == node);
    node->at = 0;
    h->n--;
    if (i == h->n)
        return;
    place(h, i, h->nodes[h->n]);
    settle(h, i);
}

static void grow(struct heap *h)
{
    size_t room = h->room ? h->room * 2 : 16;
    struct heap_node **nodes = realloc(h->nodes, room * sizeof(*nodes));
    if (!nodes)
        abort();
    h->nodes = nodes;
    h->room = room;
}

void heap_set(struct heap *h, struct heap_node *node, instant_t due)
{
    if (instant_is_never(due)) {
        heap_remove(h, node);
        return;
    }
    node->due = due;
    node->order = h->next_order++;
    if (node->at != 0) {
        settle(h, node->at - 1);
        return;
    }
    assert(h->n < UINT32_MAX);
    if (h->n == h->room)
        grow(h);
    place(h, h->n++, node);
    settle(h, h->n - 1);
}

struct heap_node *heap_first(const struct heap *h) { return h->n ? h->nodes[0] : NULL; }

instant_t heap_due(const struct heap *h) { return h->n ? h->nodes[0]->due : INSTANT_NEVER; }

void heap_free(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){0};
}

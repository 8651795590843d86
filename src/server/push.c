#include "server/push.h"

#include <stdlib.h>

struct push *push_new(void)
{
    struct push *p = calloc(1, sizeof *p);

    if (!p)
        abort(); /* per group, at start-up or when the operator commits */
    return p;
}

void push_free(struct push *p) { free(p); }

void push_reserve(struct group *g)
{
    if (g->push_seq_given == g->push_seq)
        g->push_seq_given++;
}

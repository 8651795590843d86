#include "ctl/buf.h"
#include "ctl/tree.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 512 };

/* Moves the data to the front of the allocation, which is made larger if it must. */
static bool make_room(struct ctl_buf *b, size_t want)
{
    size_t room = b->room ? b->room : ROOM_MIN;

    if (b->base && b->data != b->base)
        memmove(b->base, b->data, b->len);
    b->data = b->base;
    if (want <= b->room / 2) /* else the next move would come too soon */
        return true;
    while (room < want)
        room *= 2;
    uint8_t *base = realloc(b->base, room);
    if (!base)
        return false;
    b->base = b->data = base;
    b->room = room;
    return true;
}

uint8_t *ctl_buf_space(struct ctl_buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : CTL_TREE_MAX;
    size_t eaten = b->base ? (size_t)(b->data - b->base) : 0;

    if (b->err != ERR_OK)
        return NULL;
    if (n > cap || b->len > cap - n) {
        b->err = ERR_LIMIT;
        return NULL;
    }
    if (eaten + b->len + n > b->room && !make_room(b, b->len + n)) {
        b->err = ERR_NOMEM;
        return NULL;
    }
    uint8_t *space = b->data + b->len;
    b->len += n;
    return space;
}

void ctl_buf_put(struct ctl_buf *b, struct bytes octets)
{
    if (octets.len == 0)
        return;
    uint8_t *space = ctl_buf_space(b, octets.len);
    if (space)
        memcpy(space, octets.data, octets.len);
}

void ctl_buf_eat(struct ctl_buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    b->data = b->len > 0 ? b->data + n : b->base;
}

void ctl_buf_free(struct ctl_buf *b)
{
    free(b->base);
    *b = (struct ctl_buf){.cap = b->cap};
}

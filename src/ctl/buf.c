#include "ctl/buf.h"
#include "ctl/tree.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 512 };

static bool grow(struct ctl_buf *b, size_t want)
{
    size_t room = b->room ? b->room : ROOM_MIN;

    while (room < want)
        room *= 2;
    uint8_t *data = realloc(b->data, room);
    if (!data)
        return false;
    b->data = data;
    b->room = room;
    return true;
}

uint8_t *ctl_buf_space(struct ctl_buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : CTL_TREE_MAX;

    if (b->err != ERR_OK)
        return NULL;
    if (n > cap || b->len > cap - n) {
        b->err = ERR_LIMIT;
        return NULL;
    }
    if (b->len + n > b->room && !grow(b, b->len + n)) {
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
    if (b->len > 0)
        memmove(b->data, b->data + n, b->len);
}

void ctl_buf_free(struct ctl_buf *b)
{
    free(b->data);
    *b = (struct ctl_buf){.cap = b->cap};
}

#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_MIN = 4096 };

struct arena_block {
    struct arena_block *older;
    size_t room, used;
    alignas(max_align_t) uint8_t data[];
};

static struct arena_block *block_new(struct arena *a, size_t size)
{
    size_t room = size > BLOCK_MIN ? size : BLOCK_MIN;
    struct arena_block *b = malloc(sizeof *b + room);
    if (!b)
        abort();
    b->older = a->blocks;
    b->room = room;
    b->used = 0;
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = alignof(max_align_t);
    assert(size < SIZE_MAX / 2);
    size_t want = (size + align - 1) / align * align;
    struct arena_block *b = a->blocks;

    if (!b || b->room - b->used < want)
        b = block_new(a, want);
    void *p = b->data + b->used;
    b->used += want;
    a->used += want;
    memset(p, 0, want);
    return p;
}

void *arena_copy(struct arena *a, const void *data, size_t len)
{
    void *p = arena_alloc(a, len);
    if (len > 0)
        memcpy(p, data, len);
    return p;
}

struct bytes arena_bytes(struct arena *a, struct bytes b)
{
    return bytes(arena_copy(a, b.data, b.len), b.len);
}

char *arena_text(struct arena *a, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    return text;
}

static void free_block(struct arena_block *b)
{
    explicit_bzero(b->data, b->used);
    free(b);
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (!keep)
        return;
    while (keep->older) {
        struct arena_block *older = keep->older;
        keep->older = older->older;
        free_block(older);
    }
    explicit_bzero(keep->data, keep->used);
    keep->used = 0;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->older;
        free_block(b);
    }
    a->used = 0;
}

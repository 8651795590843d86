#pragma once
/* Memory that lives and dies together: one arena per message, per configuration, per request. */
#include "base/bytes.h"
#include "base/compiler.h"

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* octets handed out since the last reset */
};

/* A zeroed arena is an empty one. arena_alloc returns zeroed, max-aligned memory; it aborts the
 * program when the system has none left: limits are checked where sizes enter, not here. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
void *arena_copy(struct arena *a, const void *data, size_t len) MUST_USE;
char *arena_text(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;
struct bytes arena_bytes(struct arena *a, struct bytes b) MUST_USE;
/* Wipes what was used and keeps one block for the next round. */
void arena_reset(struct arena *a);
/* Wipes and frees everything; the arena is empty afterwards and may be used again. */
void arena_free(struct arena *a);

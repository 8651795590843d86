#pragma once
/* The side file of decisions M12, beside the master key: which database was used last, and how far
 * it was. A database that is behind its mark was restored from a copy, and would use sequence
 * numbers and keys a second time. */
#include "sqlite/seal.h"
#include "sqlite/why.h"

struct mark {
    uint8_t instance[SEAL_INSTANCE];
    uint64_t revision;
};
struct mark_file {
    int fd;        /* -1: not open */
    unsigned next; /* the place of the next mark: not that of the newest one */
};

/* Opens or makes folder/store.mark. */
MUST_USE enum err mark_open(int folder, const char *path, struct why *why, struct mark_file *ret);
/* The newest of what is there; before the first write. ERR_NOT_FOUND: nothing that this master key
 * wrote. */
MUST_USE enum err mark_read(struct mark_file *f, const struct secret *master, struct mark *ret);
/* Durable before this returns. A write that fails or is cut short leaves the mark before it. */
MUST_USE enum err mark_write(struct mark_file *f, const struct secret *master,
                             const struct mark *mark, struct why *why);
void mark_close(struct mark_file *f);

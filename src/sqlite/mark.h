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

/* Opens or makes folder/store.mark. */
MUST_USE enum err mark_open(int folder, const char *path, struct why *why, int *ret_fd);
/* The newest of what is there. ERR_NOT_FOUND: nothing that this master key wrote. */
MUST_USE enum err mark_read(int fd, const struct secret *master, struct mark *ret);
/* Durable before this returns. A write that is cut short leaves the mark before it. */
MUST_USE enum err mark_write(int fd, const struct secret *master, const struct mark *mark,
                             struct why *why);

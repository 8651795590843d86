#pragma once
/* The folder that is kept apart from the database: the master key, and beside it the mark (mark.h).
 * Who copies or loses only one of the two folders has nothing that can be read. */
#include "sqlite/seal.h"
#include "sqlite/why.h"

/* An open descriptor of the folder, made with mode 0700 when it is not there. */
MUST_USE enum err folder_open(const char *path, struct why *why, int *ret_fd);

/* The master key in folder/store.key. ERR_NOT_FOUND without a sentence when there is none;
 * ERR_DENIED when others could read it; ERR_DAMAGED when it is no key. */
MUST_USE enum err master_read(int folder, const char *path, struct why *why,
                              struct secret *ret_master);
/* A new one, durable before this returns. */
MUST_USE enum err master_make(int folder, const char *path, struct why *why,
                              struct secret *ret_master);
/* From the kernel. */
void kernel_random(uint8_t *out, size_t len);

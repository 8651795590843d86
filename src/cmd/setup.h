#pragma once
/* From a configuration file to a model, and what that model needs of cryptography. */
#include "base/arena.h"
#include "conf/check.h"
#include "crypto/crypto.h"
#include "model/model.h"

enum { CONFIG_OCTETS_MAX = 8 << 20 };

/* Which program asks, and what it adds to the check of a configuration. */
struct setup {
    const char *program;
    enum conf_role role;
    void (*check_more)(const void *ctx, struct conf_check *check); /* NULL: nothing */
    const void *ctx;
    bool serving; /* others wait meanwhile: a configuration that is a pipe is refused */
};
/* What a program runs by. */
struct setup_config {
    const struct model *model;
    const char *statement; /* its own, `server` or `member`, for eyes: without secrets */
};
/* -n FILE: prints the report; returns the exit code. */
int setup_check(const struct setup *s, const char *file);
/* Reads, checks and builds, without saying anything: *ret_text (in `arena`, also on failure) is
 * what there is to say, a line for each finding and one that sums up, or why the file cannot be
 * read;
 * "" when it is in order. A statement that is not supported yet is a failure here. */
MUST_USE enum err setup_load(const struct setup *s, const char *file, struct arena *arena,
                             struct setup_config *ret, const char **ret_text);
/* The same, said on stderr. On failure everything has been said on stderr: each finding, or why the
 * file cannot be read. A statement that is not supported yet is a failure here. */
MUST_USE enum err setup_model(const struct setup *s, const char *file, struct arena *arena,
                              struct setup_config *ret);
/* Starts the cryptographic library with what the model uses, and loads the rest as far as this
 * machine has it: a member's server chooses, and a server's configuration may change. On failure it
 * has been said on stderr. Again for another model. */
MUST_USE enum err setup_crypto(const char *program, const struct model *model);

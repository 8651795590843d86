#pragma once
/* Running one line of the operator against the daemons. */
#include "base/compiler.h"

#include <stddef.h>
#include <stdio.h>

struct cli_line;

/* Where the daemons' sockets are: `socket`, or both of the run directory. */
struct cli_options {
    const char *socket;  /* NULL: by the command, in run_dir */
    const char *run_dir; /* holds conclaved.sock and conclave-member.sock */
};

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Words as the shell or cli_split() made them. Complaints go to `err`. Returns an exit code. */
int cli_run_words(const struct cli_options *o, const char *const *words, size_t n_words, FILE *out,
                  FILE *err);
int cli_run_text(const struct cli_options *o, const char *text, FILE *out, FILE *err);

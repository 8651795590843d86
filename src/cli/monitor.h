#pragma once
/* Printing events as they come. */
#include "ctl/command.h"
#include "ctl/tree.h"

#include <stdio.h>

struct cli_line;

/* Subscribes at each socket that answers and prints until interrupted (SIGINT) or until the daemons
 * end. Returns an exit code of cli/run.h. */
int cli_monitor(const char *const *paths, size_t n_paths, const struct cli_line *line,
                const struct ctl_request *request, FILE *out, FILE *err);
/* One event as a line: time, program, level, name, and its fields as key=value. */
void cli_event_print(FILE *out, const char *program, const struct ctl_node *event);

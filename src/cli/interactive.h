#pragma once
/* The interactive console: a prompt, history, Tab completes, `?` explains. */
#include "cli/run.h"

/* Until `exit`, `quit` or the end of the input. Returns the exit code of the last line. */
int cli_interactive(const struct cli_options *o);

#pragma once
/* The text layout of every command's answer, brief and detail: Junos's (see cli/view.h). */
#include "ctl/command.h"

/* The view of a command's answer. A command with one layout has it for both. */
const char *const *cli_view_of(enum ctl_command_id id, bool detail);

#pragma once
/* Answers as the daemons give them, one for each command, with fixed values: what the views are
 * tested with. */
#include "ctl/command.h"
#include "ctl/tree.h"

void canned_answer(struct ctl_wr *w, enum ctl_command_id id, bool detail);

#pragma once
/* A command as the body of a REQUEST: its words in full and its arguments by name, as given. */
#include "ctl/command.h"
#include "ctl/tree.h"

void ctl_request_write(struct ctl_wr *w, const struct ctl_request *request);
/* Checks the command and its arguments against the table again. Texts live in the arena.
 * ERR_SYNTAX, with a sentence; ERR_MISSING or what ctl_tree_parse() gives for a malformed body. */
MUST_USE enum err ctl_request_parse(struct arena *arena, struct bytes body,
                                    struct ctl_request *ret_request,
                                    char sentence[CTL_SENTENCE_MAX]);

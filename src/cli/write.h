#pragma once
/* An answer as a program reads it. `name` is the answer's element (ctl/command.h). */
#include "ctl/tree.h"

#include <stdio.h>

/* {"NAME": {...}}; octets in hexadecimal, times in UTC; compact: one line. */
void cli_json_print(FILE *out, const char *name, const struct ctl_node *root, bool compact);
/* <rpc-reply><NAME>...</NAME></rpc-reply>; a list is its element repeated. */
void cli_xml_print(FILE *out, const char *name, const struct ctl_node *root);

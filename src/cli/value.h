#pragma once
/* Values of the control protocol as text for people. */
#include "ctl/tree.h"

#include <stdio.h>

/* Octets that a terminal would obey rather than show become \xNN: texts may come from a peer. */
void cli_put_plain(FILE *out, struct bytes text);
/* The value as a view shows it: numbers in decimal, octets in hexadecimal, times in local time
 * ("Thu Nov 19 2015 16:31:09"). Nothing for sections and lists. */
void cli_put_value(FILE *out, const struct ctl_node *node);
/* A time as programs want it: "2015-11-19T16:31:09Z". */
enum { CLI_TIME_MAX = 32 };
char *cli_time_utc(wall_t time, char out[CLI_TIME_MAX]);
/* Whether there is something to show: not absent, zero, false or empty. */
bool cli_is_set(const struct ctl_node *node);

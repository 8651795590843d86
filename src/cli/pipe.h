#pragma once
/* Passing text through the filters of a line. */
#include "cli/line.h"

#include <stdio.h>

/* Whether one line gets through match and except (the others let everything through). */
bool cli_filter_passes(const struct cli_line *l, const char *text, size_t len);
/* The whole text through all filters, in order. */
void cli_filter_print(FILE *out, const struct cli_line *l, const char *text, size_t len);

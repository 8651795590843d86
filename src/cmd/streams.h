#pragma once
/* Standard input, output and error of a program. */
#include <stdbool.h>

/* First of all: those that are closed are opened on /dev/null. Else the next socket, database or
 * pipe would be one of them, and what is printed would go there. */
void streams_open(void);
/* Whether all that was printed has arrived; if not (a full disk), it has been said on stderr. */
bool streams_written(const char *program);

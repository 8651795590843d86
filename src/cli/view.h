#pragma once
/* How an answer looks as text: lines with places for values. A view is an array of lines, ended by
 * NULL, read from top to bottom over the answer's tree:
 *
 *     Group: ${group-name}$>20Id: ${group-id}
 *         ${NAME}            the value of that name, here or in an enclosing scope
 *         ${A.B}             B inside section A; of a prefix: .first and .last, its addresses
 *         ${#NAME}           how many items list NAME has
 *         ${NAME|text}       the text where the value is absent, zero or empty
 *         ${NAME?yes:no}     one text or the other
 *         $>N                on to column N, by one space at least
 *     @each NAME ... @end    once for each item of list NAME, which is the scope inside
 *     @if NAME ... @end      only where the value is there, and not zero or empty
 *     @unless NAME ... @end  only where it is not
 *
 * JSON and XML need no view: the names in the tree are Junos's. */
#include "ctl/tree.h"

#include <stdio.h>

void cli_view_print(FILE *out, const char *const *view, const struct ctl_node *root);

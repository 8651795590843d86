#pragma once
/* Is the tree a configuration that can run? Types, ranges, references, what must be there, how
 * often it may be there, what is not built, which algorithms are weak; then the rules that concern
 * several statements. */
#include "conf/tree.h"

void conf_validate(const struct conf_tree *tree, struct conf_diags *diags);

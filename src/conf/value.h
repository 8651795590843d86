#pragma once
/* Single values: is this word what its statement takes? */
#include "conf/tree.h"

/* "a number from 10 to 900 (seconds)": what a statement takes, in words. In the arena or static. */
const char *conf_expected(struct arena *arena, const struct conf_schema *s) MUST_USE;
/* Reports what is wrong with value `i` of a node, if anything; and a weak or unbuilt choice. */
void conf_check_value(struct conf_diags *diags, const struct conf_node *n, uint32_t i);
/* A secret as it reads in clear: the $9$ form decoded. NULL when the $9$ form is damaged. In the
 * arena. */
const char *conf_secret_clear(struct arena *arena, const char *text) MUST_USE;

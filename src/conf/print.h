#pragma once
/* From a tree to text, in both Junos forms. What is printed can be read again and gives an equal
 * tree (unless secrets were masked); comments survive in the curly form, as they do in Junos. */
#include "conf/tree.h"

enum conf_secrets {
    /* "$9$...": for files; a secret is never printed in clear */
    CONF_SECRETS_9,
    /* the comment SECRET-DATA: for eyes. Other comments are left out, they may hold secrets, too */
    CONF_SECRETS_MASKED
};

/* In the arena, NUL-terminated; each line ends with a newline. */
const char *conf_print_curly(const struct conf_tree *t, enum conf_secrets secrets,
                             struct arena *arena) MUST_USE;
/* The statement of one node, without what stands above it. */
const char *conf_print_statement(const struct conf_node *n, enum conf_secrets secrets,
                                 struct arena *arena) MUST_USE;
const char *conf_print_set(const struct conf_tree *t, enum conf_secrets secrets,
                           struct arena *arena) MUST_USE;

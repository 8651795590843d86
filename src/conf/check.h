#pragma once
/* A whole file, checked: what `conclaved -n FILE` and `conclave-member -n FILE` say, and what
 * stands between a file and a running program. */
#include "base/err.h"
#include "conf/tree.h"

/* Which program asks: it must find its own side of the configuration. */
enum conf_role { CONF_ROLE_ANY, CONF_ROLE_SERVER, CONF_ROLE_MEMBER };

struct conf_check {
    const struct conf_tree *tree; /* never NULL */
    struct conf_diags diags;      /* sorted by place */
};

/* Parses and validates. Everything lives in the arena. */
void conf_check(struct arena *arena, enum conf_role role, const char *file, struct bytes text,
                struct conf_check *ret_check);
/* ERR_OK: may run. ERR_UNBUILT: valid, but states what is not supported yet. ERR_CONFIG: not valid.
 */
MUST_USE enum err conf_check_verdict(const struct conf_check *check);
/* One line for each finding and one that sums up, each ended by a newline, in the arena of the
 * diagnostics. */
const char *conf_check_report(const struct conf_check *check) MUST_USE;
/* What -n exits with: 0 when there is no error (what is not supported yet is none), else 1. */
int conf_check_exit_code(const struct conf_check *check) MUST_USE;

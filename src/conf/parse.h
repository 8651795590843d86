#pragma once
/* From text to a tree. Both Junos forms are read, and may alternate in one file: statements in
 * braces, and lines that begin with set, delete, activate or deactivate. Statements outside
 * `security group-vpn` are skipped with one note for each hierarchy. Values are not judged here:
 * that is conf_validate()'s part. */
#include "base/bytes.h"
#include "conf/tree.h"

enum {
    CONF_TEXT_MAX = 64 * 1024 * 1024, /* octets of a file */
    CONF_WORDS_MAX = 64               /* words of one statement */
};

/* Always returns a tree; it holds what could be understood, and `diags` what could not. The text
 * may be gone afterwards. Tree and texts live in the arena. */
struct conf_tree *conf_parse(struct arena *arena, const char *file_name, struct bytes text,
                             struct conf_diags *diags) MUST_USE;

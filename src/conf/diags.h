#pragma once
/* What the operator is told about his configuration. All findings are collected, each with the
 * place where he wrote it, the path of the statement, what is wrong and what was expected. */
#include "base/arena.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_severity {
    CONF_ERROR,   /* not valid: nothing of the file is used */
    CONF_UNBUILT, /* valid, but its behaviour does not exist yet: checked, never run */
    CONF_WARNING, /* valid, and probably not what he wants */
    CONF_NOTE,
    CONF_SEVERITIES
};

enum { CONF_DIAGS_MAX = 500 }; /* kept; more are only counted */

struct conf_pos {
    uint32_t line, column; /* from 1, columns in characters; 0: no position */
};

struct conf_diag {
    enum conf_severity severity;
    struct conf_pos pos;
    const char *path; /* "security group-vpn server group grp1", or "" */
    const char *text; /* "what is wrong, expected what" */
};

struct conf_diags {
    struct arena *arena; /* holds the texts */
    const char *file;    /* printed before each position */
    struct conf_diag *list;
    size_t n, room;
    size_t count[CONF_SEVERITIES]; /* of all, kept or not */
};

/* Starts an empty list whose texts live in `arena`. */
void conf_diags_init(struct conf_diags *d, struct arena *arena, const char *file);
/* Adds one finding; path and the formatted text are copied. */
void conf_diag(struct conf_diags *d, enum conf_severity severity, struct conf_pos pos,
               const char *path, const char *fmt, ...) PRINTF_LIKE(5, 6);
static inline size_t conf_diags_count(const struct conf_diags *d, enum conf_severity severity)
{
    return d->count[severity];
}
/* Brings the findings into the order of the file; those of one position keep their order. */
void conf_diags_sort(struct conf_diags *d);
/* One line, without newline, in the arena: FILE:LINE:COLUMN: statement path: text. Warnings and
 * notes are marked so before the path. */
const char *conf_diag_line(const struct conf_diags *d, const struct conf_diag *diag) MUST_USE;

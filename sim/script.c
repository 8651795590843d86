#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>

static void read_each(struct script *script, const char *line)
{
    long step = 1;
    int n = sscanf(line, "each %15s %ld..%ld by %ld", script->variable, &script->first,
                   &script->last, &step);
    if (n < 3 || step < 1) {
        fprintf(stderr, "expected each NAME A..B [by STEP], not '%s'\n", line);
        exit(2);
    }
    script->step = step;
}

struct script *script_read(const char *file)
{
    struct script *script = calloc(1, sizeof *script);
    FILE *f = fopen(file, "r");

    if (!script || !f) {
        fprintf(stderr, "no story in '%s'\n", file);
        exit(2);
    }
    script->file = file;
    while (script->n < SCRIPT_LINES_MAX && fgets(script->lines[script->n], STORY_LINE_MAX, f)) {
        char *line = script->lines[script->n++];
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "each ", 5) == 0) {
            read_each(script, line);
            line[0] = '\0';
        }
    }
    fclose(f);
    return script;
}

/* The line with the variable's value for "$variable". */
static void substitute(const struct script *script, const char *line, long value,
                       char out[STORY_LINE_MAX])
{
    size_t n = 0, len = strlen(script->variable);

    for (; *line && n + 24 < STORY_LINE_MAX; line++) {
        if (*line == '$' && len > 0 && strncmp(line + 1, script->variable, len) == 0) {
            n += (size_t)snprintf(out + n, 24, "%ld", value);
            line += len;
        } else {
            out[n++] = *line;
        }
    }
    out[n] = '\0';
}

void script_run(const struct script *script, long value, struct story *s)
{
    char line[STORY_LINE_MAX];

    story_begin(s, script->file);
    for (size_t i = 0; i < script->n; i++) {
        s->line = (unsigned)i + 1;
        substitute(script, script->lines[i], value, line);
        story_line(s, line);
    }
}

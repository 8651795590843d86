#pragma once
/* A scenario's file: its lines, and the `each` among them. */
#include "sim/story.h"

enum { SCRIPT_LINES_MAX = 200 };

struct script {
    const char *file;
    size_t n;
    char lines[SCRIPT_LINES_MAX][STORY_LINE_MAX];
    char variable[16];
    long first, last, step;
};

/* Ends the program when there is no such file. free() it. */
struct script *script_read(const char *file);
/* The whole story once, with that value of the variable; story_end() is the caller's. */
void script_run(const struct script *script, long value, struct story *s);

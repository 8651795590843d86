#include "cli/pipe.h"

#include <regex.h>
#include <stdlib.h>

/* Junos matches without regard to case. */
static bool matches(const char *pattern, const char *text, size_t len)
{
    regex_t re;
    regmatch_t span = {0, (regoff_t)len};

    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0)
        return false; /* checked when the line was parsed */
    bool found = regexec(&re, text, 1, &span, REG_STARTEND) == 0;
    regfree(&re);
    return found;
}

static bool passes(const struct cli_filter *f, const char *text, size_t len)
{
    if (f->kind == CLI_MATCH)
        return matches(f->pattern, text, len);
    if (f->kind == CLI_EXCEPT)
        return !matches(f->pattern, text, len);
    return true;
}

bool cli_filter_passes(const struct cli_line *l, const char *text, size_t len)
{
    for (size_t i = 0; i < l->n_filters; i++) {
        if (!passes(&l->filters[i], text, len))
            return false;
    }
    return true;
}

/* The next line of a text that has *left octets, without its newline; NULL at the end. */
static const char *next_line(const char **at, size_t *left, size_t *ret_len)
{
    const char *line = *at;

    if (*left == 0)
        return NULL;
    const char *newline = memchr(line, '\n', *left);
    *ret_len = newline ? (size_t)(newline - line) : *left;
    size_t used = *ret_len + (newline ? 1 : 0);
    *at += used;
    *left -= used;
    return line;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t n = 0, line_len;

    while (next_line(&text, &len, &line_len))
        n++;
    return n;
}

static void apply(FILE *out, const struct cli_filter *f, const char *text, size_t len)
{
    size_t n = count_lines(text, len), skip = 0, line_len = 0;
    const char *line;

    if (f->kind == CLI_COUNT) {
        fprintf(out, "Count: %zu lines\n", n);
        return;
    }
    if (f->kind == CLI_LAST && n > f->n)
        skip = n - f->n;
    while ((line = next_line(&text, &len, &line_len))) {
        if (skip > 0)
            skip--;
        else if (passes(f, line, line_len))
            fprintf(out, "%.*s\n", (int)line_len, line);
    }
}

static void print_from(FILE *out, const struct cli_line *l, size_t i, const char *text, size_t len)
{
    char *next = NULL;
    size_t next_len = 0;

    if (i == l->n_filters) {
        fwrite(text, 1, len, out);
        return;
    }
    FILE *mem = open_memstream(&next, &next_len);
    if (!mem)
        abort();
    apply(mem, &l->filters[i], text, len);
    fclose(mem);
    print_from(out, l, i + 1, next, next_len);
    free(next);
}

void cli_filter_print(FILE *out, const struct cli_line *l, const char *text, size_t len)
{
    print_from(out, l, 0, text, len);
}

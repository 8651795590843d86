#include "cli/view.h"
#include "cli/value.h"

#include <assert.h>
#include <stdlib.h>

enum { PATH_MAX_OCTETS = 96 };

/* Where names are looked up: the innermost item first. */
struct scope {
    const struct ctl_node *node;
    const struct scope *outer;
};

/* A place for a value, taken apart. */
struct place {
    char name[PATH_MAX_OCTETS];
    char kind;              /* 0, '#', '|' or '?' */
    const char *text, *end; /* what follows '|' or '?' */
};

/* ---- looking values up ---- */

static const struct ctl_node *find_name(const struct scope *s, const char *name)
{
    for (; s; s = s->outer) {
        const struct ctl_node *n = ctl_find(s->node, name);
        if (n)
            return n;
    }
    return NULL;
}

static struct ip last_of(struct prefix p)
{
    struct ip mask = prefix_mask(p), last = p.ip;

    for (size_t i = 0; i < (p.ip.version == 4 ? 4 : sizeof last.b); i++)
        last.b[i] = (uint8_t)(last.b[i] | ~mask.b[i]);
    return last;
}

/* The value of a path. A prefix's end is made in *scratch. */
static const struct ctl_node *find_path(const struct scope *s, const char *path,
                                        struct ctl_node *scratch)
{
    char name[PATH_MAX_OCTETS];
    const char *dot = strchr(path, '.');

    if (!dot)
        return find_name(s, path);
    snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
    const struct ctl_node *n = find_name(s, name);
    if (n && n->type == CTL_PREFIX) {
        bool is_last = strcmp(dot + 1, "last") == 0;
        *scratch =
            (struct ctl_node){.type = CTL_IP, .ip = is_last ? last_of(n->prefix) : n->prefix.ip};
        return scratch;
    }
    struct scope inside = {n, NULL};
    return find_path(&inside, dot + 1, scratch);
}

/* ---- one line ---- */

/* Reads "${...}" whose '$' is at *at, and moves *at behind it. */
static struct place read_place(const char **at)
{
    struct place p = {0};
    const char *from = *at + 2;
    const char *end = strchr(from, '}');

    assert(end);
    if (*from == '#') {
        p.kind = '#';
        from++;
    }
    size_t n = strcspn(from, "|?}");
    assert(n < sizeof p.name);
    memcpy(p.name, from, n);
    if (from[n] != '}') {
        p.kind = from[n];
        p.text = from + n + 1;
        p.end = end;
    }
    *at = end + 1;
    return p;
}

static void put_alternative(FILE *out, const struct place *p, bool is_first)
{
    const char *colon = memchr(p->text, ':', (size_t)(p->end - p->text));

    assert(colon);
    if (is_first)
        fwrite(p->text, 1, (size_t)(colon - p->text), out);
    else
        fwrite(colon + 1, 1, (size_t)(p->end - colon - 1), out);
}

static void put_place(FILE *out, const struct place *p, const struct scope *s)
{
    struct ctl_node scratch;
    const struct ctl_node *n = find_path(s, p->name, &scratch);

    if (p->kind == '#')
        fprintf(out, "%u", n ? n->n : 0);
    else if (p->kind == '?')
        put_alternative(out, p, cli_is_set(n));
    else if (p->kind == '|' && !cli_is_set(n))
        fwrite(p->text, 1, (size_t)(p->end - p->text), out);
    else if (n)
        cli_put_value(out, n);
}

/* A line being made. */
struct text {
    char *text;
    size_t len;
    FILE *out;
};

static void pad_to(struct text *t, long column)
{
    do
        fputc(' ', t->out);
    while (fflush(t->out) == 0 && (long)t->len < column);
}

static void print_line(FILE *out, const char *line, const struct scope *s)
{
    struct text t = {0};

    t.out = open_memstream(&t.text, &t.len);
    if (!t.out)
        abort();
    while (*line) {
        if (line[0] == '$' && line[1] == '{') {
            struct place p = read_place(&line);
            put_place(t.out, &p, s);
        } else if (line[0] == '$' && line[1] == '>') {
            char *end;
            pad_to(&t, strtol(line + 2, &end, 10));
            line = end;
        } else {
            fputc(*line++, t.out);
        }
    }
    fclose(t.out);
    while (t.len > 0 && t.text[t.len - 1] == ' ')
        t.len--;
    fprintf(out, "%.*s\n", (int)t.len, t.text);
    free(t.text);
}

/* ---- blocks ---- */

static const char *argument_of(const char *line, const char *word)
{
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 ? line + n : NULL;
}

/* The line of the @end that belongs to the block opened just before `at`. */
static const char *const *end_of_block(const char *const *at)
{
    for (int depth = 1;; at++) {
        assert(*at);
        if (strcmp(*at, "@end") == 0)
            depth--;
        else if ((*at)[0] == '@')
            depth++;
        if (depth == 0)
            return at;
    }
}

static void print_lines(FILE *out, const char *const *at, const char *const *end,
                        const struct scope *s);

static void print_each(FILE *out, const char *const *at, const char *const *end,
                       const struct scope *s, const struct ctl_node *list)
{
    for (const struct ctl_node *n = list ? list->first : NULL; n; n = n->next) {
        struct scope inside = {n, s};
        print_lines(out, at, end, &inside);
    }
}

static void print_lines(FILE *out, const char *const *at, const char *const *end,
                        const struct scope *s)
{
    struct ctl_node scratch;
    const char *name;

    for (; at != end; at++) {
        if ((*at)[0] != '@') {
            print_line(out, *at, s);
            continue;
        }
        const char *const *block_end = end_of_block(at + 1);
        if ((name = argument_of(*at, "@each ")))
            print_each(out, at + 1, block_end, s, find_path(s, name, &scratch));
        else if ((name = argument_of(*at, "@if ")) && cli_is_set(find_path(s, name, &scratch)))
            print_lines(out, at + 1, block_end, s);
        else if ((name = argument_of(*at, "@unless ")) && !cli_is_set(find_path(s, name, &scratch)))
            print_lines(out, at + 1, block_end, s);
        at = block_end;
    }
}

void cli_view_print(FILE *out, const char *const *view, const struct ctl_node *root)
{
    struct scope s = {root, NULL};
    const char *const *end = view;

    while (*end)
        end++;
    print_lines(out, view, end, &s);
}

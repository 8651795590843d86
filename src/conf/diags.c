#include "conf/diags.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void conf_diags_init(struct conf_diags *d, struct arena *arena, const char *file)
{
    *d = (struct conf_diags){.arena = arena, .file = file};
}

/* Words of the file reach the operator's terminal here: as text, never as a command to it. */
static char *harmless(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    return text;
}

static void make_room(struct conf_diags *d)
{
    if (d->n < d->room)
        return;
    size_t room = d->room == 0 ? 16 : d->room * 2;
    struct conf_diag *list = arena_alloc(d->arena, room * sizeof *list);
    if (d->n > 0)
        memcpy(list, d->list, d->n * sizeof *list);
    d->list = list;
    d->room = room;
}

PRINTF_LIKE(2, 0)
static char *format(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    assert(n >= 0);
    char *text = arena_alloc(arena, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

void conf_diag(struct conf_diags *d, enum conf_severity severity, struct conf_pos pos,
               const char *path, const char *fmt, ...)
{
    va_list args;

    d->count[severity]++;
    if (d->n == CONF_DIAGS_MAX)
        return;
    make_room(d);
    va_start(args, fmt);
    char *text = format(d->arena, fmt, args);
    va_end(args);
    d->list[d->n++] = (struct conf_diag){
        .severity = severity,
        .pos = pos,
        .path = harmless(arena_text(d->arena, "%s", path)),
        .text = harmless(text),
    };
}

static bool comes_after(struct conf_pos a, struct conf_pos b)
{
    return a.line != b.line ? a.line > b.line : a.column > b.column;
}

/* Insertion: the list is short, nearly sorted, and the order of equals must stay. */
void conf_diags_sort(struct conf_diags *d)
{
    for (size_t i = 1; i < d->n; i++) {
        struct conf_diag moving = d->list[i];
        size_t at = i;
        for (; at > 0 && comes_after(d->list[at - 1].pos, moving.pos); at--)
            d->list[at] = d->list[at - 1];
        d->list[at] = moving;
    }
}

const char *conf_diag_line(const struct conf_diags *d, const struct conf_diag *diag)
{
    static const char *const mark[CONF_SEVERITIES] = {[CONF_ERROR] = "",
                                                      [CONF_UNBUILT] = "",
                                                      [CONF_WARNING] = "warning: ",
                                                      [CONF_NOTE] = "note: "};

    return arena_text(d->arena, "%s:%u:%u: %s%s%s%s", d->file, diag->pos.line, diag->pos.column,
                      mark[diag->severity], diag->path, diag->path[0] == '\0' ? "" : ": ",
                      diag->text);
}

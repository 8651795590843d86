#include "server/change.h"

#include <assert.h>

static const char *const effects[CHANGE_EFFECT_COUNT] = {
#define X(id, what) [id] = what,
    CHANGE_EFFECT_LIST(X)
#undef X
};

static const struct change_row table[] = {
#define X(kind, with_pushes, without, why)                                                         \
    [MODEL_##kind] = {CHANGE_##with_pushes, CHANGE_##without, why},
    CHANGE_LIST(X)
#undef X
};

#define X(kind, with_pushes, without, why) +1
static_assert(0 CHANGE_LIST(X) == MODEL_CHANGE_COUNT, "every change has its row");
#undef X

const char *change_effect_text(enum change_effect effect) { return effects[effect]; }
const struct change_row *change_row_of(enum model_change_kind kind) { return &table[kind]; }

enum change_effect change_effect_of(const struct model_change *change)
{
    const struct change_row *row = &table[change->kind];
    bool pushes = change->from && change->to && change->from->communication.present &&
                  change->to->communication.present;

    return pushes || row->without == CHANGE_IMPOSSIBLE ? row->with_pushes : row->without;
}

/* ---- as the operator reads it ---- */

static const char *subject(const struct model_change *c, struct arena *arena)
{
    const struct model_group *g = c->to ? c->to : c->from;
    const char *of = "";

    if (!g)
        return arena_text(arena, "%s %s", model_change_statement(c->kind), c->name);
    if (!c->from || !c->to)
        return arena_text(arena, "group %s", g->name);
    if (c->part)
        of = arena_text(arena, "ipsec-sa %s: ", c->name);
    const char *name = c->part ? c->part : c->name;
    return arena_text(arena, "group %s: %s%s%s%s", g->name, of, model_change_statement(c->kind),
                      name ? " " : "", name ? name : "");
}

/* How long it takes from the commit on. */
static const char *when(const struct model_change *c, enum change_effect effect,
                        struct arena *arena)
{
    if (effect != CHANGE_SA_FIRST && effect != CHANGE_SA_NOW && effect != CHANGE_ALL_NOW)
        return "";
    return arena_text(arena, ", members use it in %u s", 2 * c->from->atd_s);
}

const char *change_line(const struct model_change *c, struct arena *arena)
{
    enum change_effect effect = change_effect_of(c);

    return arena_text(arena, "%s %s: %s%s", subject(c, arena), model_change_what(c->kind),
                      change_effect_text(effect), when(c, effect, arena));
}

struct change_lines *change_lines(const struct model_server *from, const struct model_server *to,
                                  struct arena *arena)
{
    struct change_lines *lines = arena_alloc(arena, sizeof *lines);
    size_t more = 0;

    for (const struct model_change *c = model_diff(from, to, arena); c; c = c->next) {
        if (lines->n < CHANGE_LINES_MAX)
            lines->line[lines->n++] = change_line(c, arena);
        else
            more++;
    }
    if (more > 0)
        lines->line[lines->n++] = arena_text(arena, "... and %zu more differences", more);
    return lines;
}

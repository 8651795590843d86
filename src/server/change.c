#include "server/change.h"

#include "server/server.h"

#include <assert.h>
#include <string.h>

static const char *const effects[CHANGE_EFFECT_COUNT] = {
#define X(id, what) [id] = (what),
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

static bool has_room(const struct change_lines *lines) { return lines->n < CHANGE_LINES_MAX; }

/* line: NULL when there is no room for it. */
static void add(struct change_lines *lines, const char *line, size_t *more)
{
    if (line)
        lines->line[lines->n++] = line;
    else
        ++*more;
}

static void end(struct change_lines *lines, size_t more, const char *what, struct arena *arena)
{
    if (more > 0 && lines->n <= CHANGE_LINES_MAX)
        lines->line[lines->n++] = arena_text(arena, "... and %zu more %s", more, what);
}

static const struct model_group *group_named(const struct model_server *model, const char *name)
{
    for (size_t i = 0; i < model->n_groups; i++) {
        if (strcmp(model->groups[i].name, name) == 0)
            return &model->groups[i];
    }
    return NULL;
}

static void add_excluded(const struct group *g, struct arena *arena, struct change_lines *lines,
                         size_t *more)
{
    char at[IP_TEXT_MAX];

    for (size_t i = 0; i < g->registry.n; i++) {
        const struct registry_member *m = g->registry.members[i];
        if (m->native)
            continue;
        const char *line =
            has_room(lines)
                ? arena_text(arena,
                             "group %s: excludes gateway %s (%s), which is refused unless it "
                             "announces time stamps",
                             g->model->name, m->gateway->name, ip_text(m->remote.ip, at, sizeof at))
                : NULL;
        add(lines, line, more);
    }
}

void change_excluded(const struct server *s, const struct model_server *to, struct arena *arena,
                     struct change_lines *lines)
{
    size_t more = 0;

    for (size_t i = 0; i < server_n_groups(s); i++) {
        const struct group *g = server_group(s, i);
        const struct model_group *next = group_named(to, g->model->name);
        if (next && next->anti_replay_window_ms && !g->model->anti_replay_window_ms)
            add_excluded(g, arena, lines, &more);
    }
    end(lines, more, "members that are excluded", arena);
}

struct change_lines *change_lines(const struct model_server *from, const struct model_server *to,
                                  struct arena *arena)
{
    struct change_lines *lines = arena_alloc(arena, sizeof *lines);
    size_t more = 0;

    for (const struct model_change *c = model_diff(from, to, arena); c; c = c->next) {
        add(lines, has_room(lines) ? change_line(c, arena) : NULL, &more);
    }
    end(lines, more, "differences", arena);
    return lines;
}

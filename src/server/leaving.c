#include "server/leaving.h"

#include "server/groups.h"
#include "server/limits.h"
#include "server/live.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

#include <stdlib.h>

/* Those who were removed from it: the group is another one, should its number come again. */
static void forget_bans(struct server *s, const struct group *g, struct effects *out)
{
    size_t cursor = 0;
    const struct ban *b;

    while ((b = ban_next(&s->bans, &cursor))) {
        if (b->group_id == g->model->id)
            persist_lift_ban(&(struct row_who){b->group_id, b->identity}, 0, out);
    }
    ban_lift_all(&s->bans, g->model->id);
}

/* What is left of a configuration that its members have to be told under. */
static const struct model_group *remains_of(const struct group *g, struct arena *memory)
{
    const struct model_group nothing = {.name = arena_text(memory, "%s", g->model->name),
                                        .where = {"", "", 0},
                                        .id = g->model->id,
                                        .atd_s = g->atd_s,
                                        .server_address = g->model->server_address};

    return arena_copy(memory, &nothing, sizeof nothing);
}

static void dispose(struct group *g)
{
    push_free(g->push);
    group_free(g);
}

void leaving_add(struct server *s, instant_t now, struct group *g, struct effects *out)
{
    struct leaving gone = {.group = g};

    live_forget_rows(g, "the group was removed", out);
    forget_bans(s, g, out);
    groups_forget_minted(s, g, out);
    groups_drop_keks(s, g, out);
    groups_adopt(s, g, remains_of(g, &gone.memory), out);
    for (size_t i = 0; i < g->registry.n; i++)
        g->registry.members[i]->gateway = NULL; /* nobody asks any more */
    if (!g->push->deletes) {
        dispose(g);
        arena_free(&gone.memory);
        return;
    }
    gone.until = instant_add(instant_add(now, SERVER_LEAVE), deletes_left(g->push->deletes));
    s->leaving = reallocarray(s->leaving, s->n_leaving + 1, sizeof *s->leaving);
    if (!s->leaving)
        abort(); /* at the operator's word */
    s->leaving[s->n_leaving++] = gone;
}

void leaving_return(struct server *s, struct group *g)
{
    for (size_t i = 0; i < s->n_leaving; i++) {
        const struct group *old = s->leaving[i].group;
        if (old->model->id != g->model->id)
            continue;
        g->push_seq = old->push_seq_given > g->push_seq ? old->push_seq_given : g->push_seq;
        g->push_seq_given = g->push_seq_durable = g->push_seq;
        s->leaving[i].until = (instant_t){INT64_MIN};
    }
    leaving_bury(s, (instant_t){INT64_MIN});
}

void leaving_bury(struct server *s, instant_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_leaving; i++) {
        struct leaving *l = &s->leaving[i];
        if (l->group->push->deletes && !instant_reached(l->until, now)) {
            s->leaving[n++] = *l;
            continue;
        }
        dispose(l->group);
        arena_free(&l->memory);
    }
    s->n_leaving = n;
}

instant_t leaving_due(const struct server *s)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < s->n_leaving; i++)
        due = instant_min(due, s->leaving[i].until);
    return due;
}

#include "server/limits.h"
#include "server/operator.h"
#include "sim/forge.h"
#include "sim/story.h"

void story_set_link(struct story *s, size_t at)
{
    struct link link = {0};

    if (!story_is(s, at, "delay") || !story_is(s, at + 2, "loss"))
        story_stop(s, "expected delay A..B loss P%, not", story_word(s, at));
    story_spans(s, at + 1, &link.delay_min, &link.delay_max);
    link.loss_ppm = (unsigned)story_number(s, at + 3, "%") * 10000;
    s->link = link;
    for (size_t i = 0; i < s->world.n_nodes; i++)
        s->world.nodes[i].link = s->link;
}

static void do_link(struct story *s, size_t at) { story_set_link(s, at); }

static void do_drop(struct story *s, size_t at)
{
    s->world.drop_in = (unsigned)story_number(s, at, "");
    s->world.drop_kind = at + 1 < s->n_words ? story_kind(s, at + 1) : WIRE_COUNT;
}

static void do_replay(struct story *s, size_t at)
{
    enum wire_kind kind = at + 1 < s->n_words ? story_kind(s, at + 1) : WIRE_COUNT;

    world_replay(&s->world, story_is(s, at, "stranger"), kind);
}

/* KIND [WHO]: for everybody when nobody is named. */
static void set_loss(struct story *s, size_t at, size_t who, unsigned ppm)
{
    bool nodes[WORLD_NODES_MAX];
    enum wire_kind kind = story_kind(s, at);

    if (who >= s->n_words) {
        network_rule(&s->world, kind, SIZE_MAX, ppm);
        return;
    }
    story_who(s, who, nodes);
    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (nodes[n])
            network_rule(&s->world, kind, n, ppm);
    }
}

static void do_loss(struct story *s, size_t at)
{
    set_loss(s, at, at + 2, (unsigned)story_number(s, at + 1, "%") * 10000);
}

static void do_block(struct story *s, size_t at) { set_loss(s, at, at + 1, 1000000); }

static void do_pass(struct story *s, size_t at) { set_loss(s, at, at + 1, 0); }

static void do_disk(struct story *s, size_t at)
{
    struct disk *d = &s->world.nodes[0].disk;

    if (story_is(s, at, "slow"))
        story_spans(s, at + 1, &d->delay_min, &d->delay_max);
    else if (story_is(s, at, "full"))
        d->failing = true;
    else if (story_is(s, at, "well"))
        d->failing = false;
    else
        story_stop(s, "expected full, well or slow A..B, not", story_word(s, at));
}

static void do_boundaries(struct story *s, size_t at)
{
    struct world *w = &s->world;

    bool on = !story_is(s, at, "off");

    w->kill_at = on ? s->kill_at : 0;
    w->cuts_power = story_is(s, at, "power");
    if (on)
        w->back_after = story_span(s, story_word(s, at + 1));
}

/* ---- the operator ---- */

/* NULL: the server is down, and nobody hears the operator. */
static struct group *group_at(struct story *s, size_t at)
{
    if (!s->world.nodes[0].up)
        return NULL;
    struct group *g = server_group_named(s->world.nodes[0].server, story_word(s, at));

    if (!g)
        story_stop(s, "no group is called", s->words[at]);
    return g;
}

/* GROUP WHO [now] */
static void do_remove(struct story *s, size_t at)
{
    bool nodes[WORLD_NODES_MAX];
    bool immediately = story_is(s, story_who(s, at + 1, nodes), "now");
    struct group *g = group_at(s, at);

    for (size_t n = 0; g && n < s->world.n_nodes; n++) {
        if (nodes[n])
            world_remove(&s->world, g, n, immediately);
    }
}

/* GROUP WHO */
static void do_lift(struct story *s, size_t at)
{
    bool nodes[WORLD_NODES_MAX];
    struct group *g = group_at(s, at);

    story_who(s, at + 1, nodes);
    for (size_t n = 0; g && n < s->world.n_nodes; n++) {
        if (nodes[n])
            world_lift(&s->world, g, n);
    }
}

/* GROUP N: all but N of its rekey messages have been. */
static void do_numbers(struct story *s, size_t at)
{
    struct group *g = group_at(s, at);

    if (g)
        g->push_seq = g->push_seq_given = g->push_seq_durable =
            SERVER_SEQ_LAST - (uint32_t)story_number(s, at + 1, "");
}

static void do_rekey(struct story *s, size_t at)
{
    struct group *g = group_at(s, at);

    if (g)
        world_rekey(&s->world, g);
}

static void do_clear(struct story *s, size_t at)
{
    struct group *g = group_at(s, at);

    if (g)
        world_clear(&s->world, g, story_is(s, at + 1, "now"));
}

/* HOW WHO: of pushes to members, of acknowledgements to the server. */
static void do_forge(struct story *s, size_t at)
{
    bool nodes[WORLD_NODES_MAX];
    unsigned kind = 0;

    while (kind < FORGE_COUNT && !story_is(s, at, forge_name((enum forge_kind)kind)))
        kind++;
    if (kind == FORGE_COUNT)
        story_stop(s, "no forgery is called", story_word(s, at));
    story_who(s, at + 1, nodes);
    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (nodes[n] && !forge(&s->world, (enum forge_kind)kind, n))
            story_stop(s, "nothing was recorded to forge for", s->world.nodes[n].name);
    }
}

/* ---- the server's configuration ---- */

/* The statement at words[at..], as a line of the configuration, without its end. */
static const char *statement(struct story *s, size_t at)
{
    const char *line = "set security group-vpn";

    for (size_t i = at; i < s->n_words; i++)
        line = arena_text(&s->arena, "%s %s", line, s->words[i]);
    return line;
}

static void do_set(struct story *s, size_t at)
{
    s->server_text = arena_text(&s->arena, "%s%s\n", s->server_text, statement(s, at));
}

/* Takes away every line that begins with the statement. */
static void do_delete(struct story *s, size_t at)
{
    const char *prefix = statement(s, at);
    size_t len = strlen(prefix);
    char *rest = arena_text(&s->arena, "%s", s->server_text), *to = rest;
    bool found = false;

    for (const char *line = s->server_text; *line;) {
        size_t n = strcspn(line, "\n") + 1;
        bool goes = strncmp(line, prefix, len) == 0 && (line[len] == ' ' || line[len] == '\n');
        if (!goes) {
            memcpy(to, line, n);
            to += n;
        }
        found = found || goes;
        line += n;
    }
    *to = '\0';
    if (!found)
        story_stop(s, "no statement begins with", prefix);
    s->server_text = rest;
}

/* [refused] */
static void do_commit(struct story *s, size_t at)
{
    if (story_is(s, at, "refused")) {
        if (!models_refuses(&s->arena, s->server_text))
            story_stop(s, "no rule refuses", "that commit");
        return;
    }
    world_commit(&s->world, 0, models_read(&s->arena, "server", s->server_text));
}

static void do_backup(struct story *s, size_t at)
{
    (void)at;
    disk_backup(&s->world.nodes[0].disk);
}

static void do_restore(struct story *s, size_t at)
{
    (void)at;
    disk_restore(&s->world.nodes[0].disk);
}

static void do_wall(struct story *s, size_t at)
{
    const char *jump = story_word(s, at);
    span_t by = story_span(s, jump + 1);

    if (jump[0] != '+' && jump[0] != '-')
        story_stop(s, "expected +S or -S, not", jump);
    world_wall(&s->world, (span_t){jump[0] == '+' ? by.ns : -by.ns});
}

/* ---- what is done to each of some nodes ---- */

static void start(struct world *w, size_t node)
{
    if (!w->nodes[node].up)
        world_boot(w, node);
}

static void restart(struct world *w, size_t node)
{
    world_kill(w, node);
    world_boot(w, node);
}

static void cut(struct world *w, size_t node) { w->nodes[node].cut = true; }

static void heal(struct world *w, size_t node) { w->nodes[node].cut = false; }

static void freeze(struct world *w, size_t node)
{
    w->nodes[node].frozen = true;
    heap_remove(&w->heap, &w->nodes[node].due);
}

static const struct action {
    const char *verb;
    void (*run)(struct story *s, size_t at); /* `at`: the word behind the verb */
    void (*each)(struct world *w, size_t node);
} actions[] = {
    {"link", do_link, NULL},
    {"drop", do_drop, NULL},
    {"replay", do_replay, NULL},
    {"loss", do_loss, NULL},
    {"block", do_block, NULL},
    {"pass", do_pass, NULL},
    {"boundaries", do_boundaries, NULL},
    {"forge", do_forge, NULL},
    {"remove", do_remove, NULL},
    {"rekey", do_rekey, NULL},
    {"numbers", do_numbers, NULL},
    {"clear", do_clear, NULL},
    {"lift", do_lift, NULL},
    {"set", do_set, NULL},
    {"delete", do_delete, NULL},
    {"commit", do_commit, NULL},
    {"backup", do_backup, NULL},
    {"restore", do_restore, NULL},
    {"wall", do_wall, NULL},
    {"disk", do_disk, NULL},
    {"start", NULL, start},
    {"restart", NULL, restart},
    {"kill", NULL, world_kill},
    {"power-cut", NULL, world_power_cut},
    {"cut", NULL, cut},
    {"heal", NULL, heal},
    {"freeze", NULL, freeze},
    {"register", NULL, world_register},
};

static const struct action *action_at(const struct story *s, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (story_is(s, at, actions[i].verb))
            return &actions[i];
    }
    story_stop(s, "no such action:", story_word(s, at));
}

void story_act(struct story *s, size_t at)
{
    const struct action *action = action_at(s, at);
    bool nodes[WORLD_NODES_MAX];

    if (action->run) {
        action->run(s, at + 1);
        return;
    }
    story_who(s, at + 1, nodes);
    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (nodes[n])
            action->each(&s->world, n);
    }
}

#include "sim/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void on_event(void *ctx, size_t node, const struct event *e)
{
    struct story *s = ctx;
    struct told *t = arena_alloc(&s->arena, sizeof *t);
    char line[1024];

    s->counts[node][e->id]++;
    *t = (struct told){.next = s->told, .node = node, .at = s->world.now, .id = e->id};
    t->line = arena_text(&s->arena, "%s", event_line(e, line, sizeof line));
    s->told = t;
}

static void build(struct story *s)
{
    if (s->built)
        return;
    s->built = true;
    world_init(&s->world, s->seed);
    s->world.on_event = on_event;
    s->world.on_event_ctx = s;
    s->world.print_events = getenv("SCENARIO_EVENTS") != NULL;
    s->server_text = arena_text(&s->arena, "%s", models_server_text(&s->arena, &s->plan));
    world_add(&s->world, NODE_SERVER, "ks", models_read(&s->arena, "server", s->server_text),
              s->link);
    for (unsigned i = 0; i < s->plan.members; i++) {
        char name[16];
        snprintf(name, sizeof name, "gm%u", i + 1);
        size_t n =
            world_add(&s->world, NODE_MEMBER, name, models_member(&s->arena, &s->plan, i), s->link);
        s->world.nodes[n].foreign = models_odd_of(&s->plan, i).foreign;
    }
    if (s->on_built)
        s->on_built(s);
}

static void tap(struct story *s, bool ok, const char *text)
{
    if (s->quiet && ok)
        return;
    printf("%sok %u - line %u: %s\n", ok ? "" : "not ", ++s->n_tests, s->line, text);
    s->n_failed += !ok;
}

static void run_line(struct story *s, const char *text)
{
    bool nodes[WORLD_NODES_MAX];
    const char *verb = story_word(s, 0);

    build(s);
    instant_t when = story_instant(s, 1);
    if (strcmp(verb, "at") == 0 && story_is(s, 2, "expect")) {
        world_run(&s->world, when);
        size_t at = story_who(s, 3, nodes);
        tap(s, story_holds(s, at, nodes), text);
    } else if (strcmp(verb, "at") == 0) {
        world_run(&s->world, when);
        story_act(s, 2);
    } else if (strcmp(verb, "by") == 0) {
        size_t at = story_who(s, 2, nodes);
        while (!story_holds(s, at, nodes) && world_step(&s->world, when))
            ;
        tap(s, story_holds(s, at, nodes), text);
    } else {
        story_stop(s, "no such line:", verb);
    }
}

static void set_group(struct story *s)
{
    for (size_t i = 1; i < s->n_words; i += 2) {
        unsigned n = (unsigned)story_number(s, i + 1, "");
        if (story_is(s, i, "atd"))
            s->plan.atd_s = n;
        else if (story_is(s, i, "lifetime"))
            s->plan.lifetime_s = n;
        else if (story_is(s, i, "ike-lifetime"))
            s->plan.ike_lifetime_s = n;
        else if (story_is(s, i, "kek-lifetime"))
            s->plan.kek_lifetime_s = n;
        else if (story_is(s, i, "window"))
            s->plan.window_s = n;
        else
            story_stop(s, "no such group option:", s->words[i]);
    }
}

static char *spaced(struct story *s, const char *list)
{
    char *text = arena_text(&s->arena, "%s", list);

    for (char *comma = text; (comma = strchr(comma, ','));)
        *comma = ' ';
    return text;
}

/* The member's own entry among the odd ones. */
static struct models_odd *odd_of(struct story *s, unsigned member)
{
    for (size_t i = 0; i < s->plan.n_odd; i++) {
        if (s->plan.odd[i].member == member)
            return &s->plan.odd[i];
    }
    if (s->plan.n_odd == MODELS_ODD_MAX)
        story_stop(s, "too many odd members:", story_word(s, 1));
    s->plan.odd[s->plan.n_odd] = (struct models_odd){.member = member, .extra = ""};
    return &s->plan.odd[s->plan.n_odd++];
}

static void add_odd(struct story *s, const char *text)
{
    struct models_odd *odd = odd_of(s, (unsigned)story_number(s, 1, "") - 1);

    (void)text;
    if (story_is(s, 2, "secret"))
        odd->secret = arena_text(&s->arena, "%s", story_word(s, 3));
    else if (story_is(s, 2, "group"))
        odd->group = (unsigned)story_number(s, 3, "");
    else if (story_is(s, 2, "unlisted"))
        odd->unlisted = true;
    else if (story_is(s, 2, "foreign"))
        odd->foreign = true;
    else if (story_is(s, 2, "both"))
        odd->both = s->plan.two_groups = true;
    else if (story_is(s, 2, "servers"))
        odd->more_servers = spaced(s, story_word(s, 3));
    else
        story_stop(s, "no such oddity:", story_word(s, 2));
}

/* "server ..." and "member N ...": further lines of a configuration, as they stand. */
static void add_server_line(struct story *s, const char *text)
{
    s->plan.group_extra =
        arena_text(&s->arena, "%sset security group-vpn %s\n", s->plan.group_extra, text);
}

static void add_member_line(struct story *s, const char *text)
{
    struct models_odd *odd = odd_of(s, (unsigned)story_number(s, 1, "") - 1);
    const char *rest = strstr(text, story_word(s, 2));

    odd->extra = arena_text(&s->arena, "%sset security group-vpn member %s\n", odd->extra, rest);
}

static void forbid(struct story *s, const char *text)
{
    bool nodes[WORLD_NODES_MAX];
    size_t at = story_who(s, 1, nodes);
    enum event_id id = story_event(s, at + 1);
    unsigned n = 0;

    for (size_t i = 0; i < s->world.n_nodes; i++)
        n += nodes[i] ? s->counts[i][id] : 0;
    tap(s, n == 0, text);
}

static void do_seed(struct story *s, const char *text)
{
    (void)text;
    s->seed = (unsigned long)story_number(s, 1, "");
}

static void do_group(struct story *s, const char *text)
{
    (void)text;
    set_group(s);
}

static void do_members(struct story *s, const char *text)
{
    (void)text;
    s->plan.members = (unsigned)story_number(s, 1, "");
}

static void do_link(struct story *s, const char *text)
{
    (void)text;
    story_set_link(s, 1);
}

static const struct {
    const char *verb;
    void (*run)(struct story *s, const char *text);
} lines[] = {
    {"seed", do_seed},
    {"group", do_group},
    {"server", add_server_line},
    {"member", add_member_line},
    {"odd", add_odd},
    {"members", do_members},
    {"link", do_link},
    {"never", forbid},
    {"at", run_line},
    {"by", run_line},
};

void story_line(struct story *s, const char *line)
{
    char text[STORY_LINE_MAX], *save = NULL;
    char *copy = arena_text(&s->arena, "%s", line);

    snprintf(text, sizeof text, "%s", line);
    s->n_words = 0;
    for (char *w = strtok_r(copy, " \t\n", &save); w && *w != '#';
         w = strtok_r(NULL, " \t\n", &save)) {
        if (s->n_words == STORY_WORDS_MAX)
            story_stop(s, "too many words:", w);
        s->words[s->n_words++] = w;
    }
    if (s->n_words == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (strcmp(lines[i].verb, s->words[0]) == 0) {
            lines[i].run(s, text);
            return;
        }
    }
    story_stop(s, "no such line:", s->words[0]);
}

void story_begin(struct story *s, const char *file)
{
    unsigned n_tests = s->n_tests, n_failed = s->n_failed;

    *s = (struct story){.file = file,
                        .kill_at = s->kill_at,
                        .quiet = s->quiet,
                        .n_tests = n_tests,
                        .n_failed = n_failed,
                        .plan = {.members = 3,
                                 .atd_s = 15,
                                 .lifetime_s = 3600,
                                 .ike_lifetime_s = 28800,
                                 .group_extra = ""},
                        .link = {.delay_min = {5000000}, .delay_max = {20000000}},
                        .seed = 1,
                        .on_built = s->on_built};
}

void story_end(struct story *s)
{
    if (!s->quiet)
        printf("# trace %016" PRIx64 "\n", s->world.trace[0]);
    world_free(&s->world);
    arena_free(&s->arena);
}

/* One text file, one story, on virtual time:
 *
 *   seed 1
 *   group atd 15 lifetime 3600 ike-lifetime 28800
 *   group kek-lifetime 1800               server-member-communication
 *   members 3                             gm1, gm2, gm3 and the server ks
 *   odd 3 secret wrong                    gm3 has another key; also: group N, unlisted, servers
 * ADDRESS[,ADDRESS] link delay 20ms..80ms loss 0% at 0s     start * by 5s     gm* registered at
 * 3500s  cut gm2 at 3569s  expect gm1 sends 1 by 3571s  gm1 gm3 sends 2 at 3700s  heal gm2 by 3710s
 * * agree never     gm1 event keys-expired
 *
 * Actions: start, kill, cut, heal WHO; link delay A..B loss P%. Conditions: registered |
 * unregistered | sends N | holds N | kek N | keyless | agree | events NAME N. `by` waits for it,
 * `expect` wants it at that moment, `never` forbids an event in the whole story. The safety checks
 * of check.h run all the time. Prints TAP: one test for each line that demands something. */
#include "crypto/crypto.h"
#include "sim/check.h"
#include "sim/models.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_OCTETS = 1024, WORDS_MAX = 32 };

struct story {
    const char *file;
    unsigned line;
    unsigned n_tests, n_failed;
    struct arena arena;
    struct world world;
    struct models_plan plan;
    struct link link;
    bool built;
    unsigned long seed;
    unsigned counts[WORLD_NODES_MAX][EVENT_COUNT];
    size_t n_words;
    char *words[WORDS_MAX];
};

__attribute__((noreturn)) static void stop(const struct story *s, const char *what,
                                           const char *word)
{
    fprintf(stderr, "%s:%u: %s '%s'\n", s->file, s->line, what, word);
    exit(2);
}

static const char *word(struct story *s, size_t i)
{
    if (i >= s->n_words)
        stop(s, "a word is missing after", s->words[s->n_words - 1]);
    return s->words[i];
}

static long number(struct story *s, size_t i, const char *unit)
{
    char *end;
    long n = strtol(word(s, i), &end, 10);
    if (end == s->words[i] || strcmp(end, unit) != 0 || n < 0)
        stop(s, "expected a number with the right unit, not", s->words[i]);
    return n;
}

/* "90s" or "1500ms". */
static span_t span(struct story *s, const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end != text && n >= 0 && strcmp(end, "s") == 0)
        return span_s(n);
    if (end != text && n >= 0 && strcmp(end, "ms") == 0)
        return span_ms(n);
    stop(s, "expected a time as 90s or 1500ms, not", text);
}

static void on_event(void *ctx, size_t node, const struct event *e)
{
    struct story *s = ctx;
    s->counts[node][e->id]++;
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
    world_add(&s->world, NODE_SERVER, "ks", models_server(&s->arena, &s->plan), s->link);
    for (unsigned i = 0; i < s->plan.members; i++) {
        char name[16];
        snprintf(name, sizeof name, "gm%u", i + 1);
        world_add(&s->world, NODE_MEMBER, name, models_member(&s->arena, &s->plan, i), s->link);
    }
}

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

/* Marks the nodes that words[from..] name, up to the first word that names none; that word's index.
 */
static size_t who(struct story *s, size_t from, bool *ret_who)
{
    size_t i = from;

    memset(ret_who, 0, WORLD_NODES_MAX * sizeof *ret_who);
    for (; i < s->n_words; i++) {
        bool any = false;
        for (size_t n = 0; n < s->world.n_nodes; n++) {
            if (matches(s->words[i], s->world.nodes[n].name))
                any = ret_who[n] = true;
        }
        if (!any)
            break;
    }
    if (i == from)
        stop(s, "nobody is called", word(s, from));
    return i;
}

static unsigned generation(const struct story *s, size_t node, bool sending)
{
    const struct member *m = s->world.nodes[node].member;
    unsigned newest = 0;

    for (size_t i = 0; m && i < member_vpn(m, 0).n_sas; i++) {
        struct member_sa_view v = member_sa(m, 0, i, s->world.now);
        unsigned n = check_number(s->world.check, v.spi);
        if ((!sending || v.slot == ESP_SLOT_CURRENT) && n > newest)
            newest = n;
    }
    return newest;
}

/* Which KEK of the server the member holds: 0 none, or none that the server knows. */
static unsigned kek(const struct story *s, size_t node)
{
    const struct node *n = &s->world.nodes[node], *ks = &s->world.nodes[0];
    struct bytes held = n->member ? member_vpn(n->member, 0).kek.cookies : bytes(NULL, 0);
    const struct kek_generation *k =
        ks->server && held.len ? group_kek(server_group(ks->server, 0), held.data) : NULL;

    return k ? k->number : 0;
}

static enum event_id event_named(struct story *s, const char *name)
{
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (strcmp(event_name((enum event_id)i), name) == 0)
            return (enum event_id)i;
    }
    stop(s, "no event is called", name);
}

static bool is_registered(const struct story *s, size_t node)
{
    const struct node *n = &s->world.nodes[node];
    return n->member && member_vpn(n->member, 0).state == MEMBER_REGISTERED &&
           generation(s, node, true) > 0;
}

/* The condition that starts at words[at], for one node. */
static bool holds(struct story *s, size_t at, size_t node)
{
    const char *c = word(s, at);

    if (strcmp(c, "registered") == 0)
        return is_registered(s, node);
    if (strcmp(c, "unregistered") == 0)
        return !is_registered(s, node);
    if (strcmp(c, "sends") == 0)
        return generation(s, node, true) == (unsigned)number(s, at + 1, "");
    if (strcmp(c, "holds") == 0)
        return generation(s, node, false) == (unsigned)number(s, at + 1, "");
    if (strcmp(c, "kek") == 0)
        return kek(s, node) == (unsigned)number(s, at + 1, "");
    if (strcmp(c, "keyless") == 0)
        return generation(s, node, false) == 0;
    if (strcmp(c, "events") == 0)
        return s->counts[node][event_named(s, word(s, at + 1))] == (unsigned)number(s, at + 2, "");
    stop(s, "no such condition:", c);
}

static bool all_hold(struct story *s, size_t at, const bool *nodes)
{
    bool agree = strcmp(word(s, at), "agree") == 0;
    unsigned first = 0;

    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (!nodes[n] || (agree && s->world.nodes[n].kind == NODE_SERVER))
            continue;
        if (!agree && !holds(s, at, n))
            return false;
        unsigned g = agree ? generation(s, n, true) : 1;
        if (g == 0 || (first && g != first))
            return false;
        first = agree ? g : 0;
    }
    return true;
}

static void tap(struct story *s, bool ok, const char *text)
{
    printf("%sok %u - line %u: %s\n", ok ? "" : "not ", ++s->n_tests, s->line, text);
    s->n_failed += !ok;
}

static void set_link(struct story *s, size_t at)
{
    char *dots = strstr(word(s, at + 1), "..");
    if (strcmp(word(s, at), "delay") != 0 || !dots || strcmp(word(s, at + 2), "loss") != 0)
        stop(s, "expected delay A..B loss P%, not", s->words[at]);
    *dots = '\0';
    s->link = (struct link){.delay_min = span(s, s->words[at + 1]),
                            .delay_max = span(s, dots + 2),
                            .loss_ppm = (unsigned)number(s, at + 3, "%") * 10000};
    for (size_t i = 0; i < s->world.n_nodes; i++)
        s->world.nodes[i].link = s->link;
}

static void act(struct story *s, size_t at)
{
    const char *verb = word(s, at);
    bool nodes[WORLD_NODES_MAX];

    if (strcmp(verb, "link") == 0) {
        set_link(s, at + 1);
        return;
    }
    who(s, at + 1, nodes);
    for (size_t n = 0; n < s->world.n_nodes; n++) {
        struct node *node = &s->world.nodes[n];
        if (!nodes[n])
            continue;
        if (strcmp(verb, "start") == 0 && !node->up)
            world_boot(&s->world, n);
        else if (strcmp(verb, "kill") == 0)
            world_kill(&s->world, n);
        else if (strcmp(verb, "cut") == 0 || strcmp(verb, "heal") == 0)
            node->cut = verb[0] == 'c';
        else if (strcmp(verb, "start") != 0)
            stop(s, "no such action:", verb);
    }
}

static void run_line(struct story *s, const char *text)
{
    bool nodes[WORLD_NODES_MAX];
    const char *verb = word(s, 0);

    build(s);
    instant_t when = instant_add((instant_t){span_s(WORLD_START_S).ns}, span(s, word(s, 1)));
    if (strcmp(verb, "at") == 0 && strcmp(word(s, 2), "expect") == 0) {
        world_run(&s->world, when);
        size_t at = who(s, 3, nodes);
        tap(s, all_hold(s, at, nodes), text);
    } else if (strcmp(verb, "at") == 0) {
        world_run(&s->world, when);
        act(s, 2);
    } else if (strcmp(verb, "by") == 0) {
        size_t at = who(s, 2, nodes);
        while (!all_hold(s, at, nodes) && world_step(&s->world, when))
            ;
        tap(s, all_hold(s, at, nodes), text);
    } else {
        stop(s, "no such line:", verb);
    }
}

static void set_group(struct story *s)
{
    for (size_t i = 1; i < s->n_words; i += 2) {
        unsigned n = (unsigned)number(s, i + 1, "");
        if (strcmp(s->words[i], "atd") == 0)
            s->plan.atd_s = n;
        else if (strcmp(s->words[i], "lifetime") == 0)
            s->plan.lifetime_s = n;
        else if (strcmp(s->words[i], "ike-lifetime") == 0)
            s->plan.ike_lifetime_s = n;
        else if (strcmp(s->words[i], "kek-lifetime") == 0)
            s->plan.kek_lifetime_s = n;
        else
            stop(s, "no such group option:", s->words[i]);
    }
}

static void add_odd(struct story *s)
{
    if (s->plan.n_odd == MODELS_ODD_MAX)
        stop(s, "too many odd members:", word(s, 1));
    struct models_odd *odd = &s->plan.odd[s->plan.n_odd++];
    *odd = (struct models_odd){.member = (unsigned)number(s, 1, "") - 1};
    const char *what = word(s, 2);
    if (strcmp(what, "secret") == 0) {
        odd->secret = arena_text(&s->arena, "%s", word(s, 3));
    } else if (strcmp(what, "group") == 0) {
        odd->group = (unsigned)number(s, 3, "");
    } else if (strcmp(what, "unlisted") == 0) {
        odd->unlisted = true;
    } else if (strcmp(what, "servers") == 0) {
        char *list = arena_text(&s->arena, "%s", word(s, 3));
        for (char *comma = list; (comma = strchr(comma, ','));)
            *comma = ' ';
        odd->more_servers = list;
    } else {
        stop(s, "no such oddity:", what);
    }
}

static void read_line(struct story *s, char *line)
{
    char text[LINE_MAX_OCTETS], *save = NULL;

    snprintf(text, sizeof text, "%s", line);
    text[strcspn(text, "\n")] = '\0';
    s->n_words = 0;
    for (char *w = strtok_r(line, " \t\n", &save); w && *w != '#';
         w = strtok_r(NULL, " \t\n", &save)) {
        if (s->n_words == WORDS_MAX)
            stop(s, "too many words:", w);
        s->words[s->n_words++] = w;
    }
    if (s->n_words == 0)
        return;
    const char *verb = s->words[0];
    if (strcmp(verb, "seed") == 0) {
        s->seed = (unsigned long)number(s, 1, "");
    } else if (strcmp(verb, "group") == 0) {
        set_group(s);
    } else if (strcmp(verb, "odd") == 0) {
        add_odd(s);
    } else if (strcmp(verb, "members") == 0) {
        s->plan.members = (unsigned)number(s, 1, "");
    } else if (strcmp(verb, "link") == 0) {
        set_link(s, 1);
    } else if (strcmp(verb, "never") == 0) {
        bool nodes[WORLD_NODES_MAX];
        size_t at = who(s, 1, nodes);
        enum event_id id = event_named(s, word(s, at + 1));
        unsigned n = 0;
        for (size_t i = 0; i < s->world.n_nodes; i++)
            n += nodes[i] ? s->counts[i][id] : 0;
        tap(s, n == 0, text);
    } else {
        run_line(s, text);
    }
}

int main(int argc, char **argv)
{
    static struct story s = {.plan = {.members = 3,
                                      .atd_s = 15,
                                      .lifetime_s = 3600,
                                      .ike_lifetime_s = 28800,
                                      .group_extra = ""},
                             .link = {.delay_min = {5000000}, .delay_max = {20000000}},
                             .seed = 1};
    char line[LINE_MAX_OCTETS];
    const char *text;

    s.file = argc == 2 ? argv[1] : "";
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!f) {
        fprintf(stderr, "usage: sim_scenario FILE\n");
        return 2;
    }
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        stop(&s, "crypto:", text);
    while (fgets(line, sizeof line, f)) {
        s.line++;
        read_line(&s, line);
    }
    fclose(f);
    printf("1..%u\n", s.n_tests);
    world_free(&s.world);
    arena_free(&s.arena);
    crypto_stop();
    return s.n_failed == 0 && s.n_tests > 0 ? 0 : 1;
}

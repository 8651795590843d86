/* One text file, one story, on virtual time:
 *
 *   seed 1
 *   each n 1..14                          the whole story for each n, $n is its value; "by 2" steps
 *   group atd 15 lifetime 3600 ike-lifetime 28800
 *   group kek-lifetime 1800               server-member-communication
 *   server group g1 ipsec-sa s2 ...       a further line of the server's configuration
 *   members 3                             gm1, gm2, gm3 and the server ks
 *   odd 3 secret wrong                    gm3 has another key; also: group N, unlisted,
 *                                         both (in group 2 too), servers ADDRESS[,ADDRESS]
 *   link delay 20ms..80ms loss 0%
 *   at 0s start *
 *   by 5s gm* registered
 *   at 3500s cut gm2
 *   at 3569s expect gm1 sends 1
 *   by 3571s gm1 gm3 sends 2
 *   at 3700s heal gm2
 *   by 3700s+10s * agree
 *   never gm1 event keys-expired
 *
 * Actions: start, kill, cut, heal, register WHO; link delay A..B loss P%; drop N (the N-th datagram
 * from now); replay recorded | stranger (all that was recorded, from its address or another).
 * Conditions: registered | unregistered | sends N | holds N | kek N | keyless | agree | events NAME
 * N | told N (PULL datagrams that it was sent); "in g2" before one: in that group. `by` waits for
 * it, `expect` wants it at that moment, `never` forbids an event in the whole story. The safety
 * checks of check.h run all the time. Prints TAP: one test for each line that demands something. */
#include "crypto/crypto.h"
#include "sim/check.h"
#include "sim/models.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_OCTETS = 1024, WORDS_MAX = 32, LINES_MAX = 200 };

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
    uint32_t group_id; /* that the condition at hand is about */
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

/* "90s" or "1500ms", or a sum of such: "90s+500ms". */
static span_t span(struct story *s, const char *text)
{
    span_t sum = {0};
    const char *at = text;

    for (;; at++) {
        char *end;
        long n = strtol(at, &end, 10);
        bool is_ms = strncmp(end, "ms", 2) == 0;
        if (end == at || n < 0 || (!is_ms && *end != 's'))
            stop(s, "expected a time as 90s or 1500ms, not", text);
        sum.ns += is_ms ? span_ms(n).ns : span_s(n).ns;
        at = end + (is_ms ? 2 : 1);
        if (*at == '\0')
            return sum;
        if (*at != '+')
            stop(s, "expected a time as 90s or 1500ms, not", text);
    }
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

/* The node's VPN in the group that the condition is about, or the first one. */
static size_t vpn_of(const struct story *s, const struct member *m)
{
    for (size_t i = 0; m && i < member_n_vpns(m); i++) {
        if (member_vpn(m, i).model->group_id == s->group_id)
            return i;
    }
    return 0;
}

static unsigned generation(const struct story *s, size_t node, bool sending)
{
    const struct member *m = s->world.nodes[node].member;
    size_t vpn = vpn_of(s, m);
    unsigned newest = 0;

    for (size_t i = 0; m && i < member_vpn(m, vpn).n_sas; i++) {
        struct member_sa_view v = member_sa(m, vpn, i, s->world.now);
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
    return n->member && member_vpn(n->member, vpn_of(s, n->member)).state == MEMBER_REGISTERED &&
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
    if (strcmp(c, "told") == 0)
        return s->world.nodes[node].told[WIRE_PULL] == (unsigned)number(s, at + 1, "");
    stop(s, "no such condition:", c);
}

static uint32_t group_named(struct story *s, const char *name)
{
    const struct model_server *server = s->world.nodes[0].model->server;

    for (size_t i = 0; i < server->n_groups; i++) {
        if (strcmp(server->groups[i].name, name) == 0)
            return server->groups[i].id;
    }
    stop(s, "no group is called", name);
}

static bool all_hold(struct story *s, size_t at, const bool *nodes)
{
    s->group_id = strcmp(word(s, at), "in") == 0 ? group_named(s, word(s, at + 1)) : 0;
    if (s->group_id)
        at += 2;
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
    if (strcmp(verb, "drop") == 0) {
        s->world.drop_in = (unsigned)number(s, at + 1, "");
        return;
    }
    if (strcmp(verb, "replay") == 0) {
        world_replay(&s->world, strcmp(word(s, at + 1), "stranger") == 0);
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
        else if (strcmp(verb, "register") == 0)
            world_register(&s->world, n);
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
    } else if (strcmp(what, "both") == 0) {
        odd->both = s->plan.two_groups = true;
    } else if (strcmp(what, "servers") == 0) {
        char *list = arena_text(&s->arena, "%s", word(s, 3));
        for (char *comma = list; (comma = strchr(comma, ','));)
            *comma = ' ';
        odd->more_servers = list;
    } else {
        stop(s, "no such oddity:", what);
    }
}

static void add_server_line(struct story *s, const char *text)
{
    s->plan.group_extra =
        arena_text(&s->arena, "%sset security group-vpn %s\n", s->plan.group_extra, text);
}

static void forbid(struct story *s, const char *text)
{
    bool nodes[WORLD_NODES_MAX];
    size_t at = who(s, 1, nodes);
    enum event_id id = event_named(s, word(s, at + 1));
    unsigned n = 0;

    for (size_t i = 0; i < s->world.n_nodes; i++)
        n += nodes[i] ? s->counts[i][id] : 0;
    tap(s, n == 0, text);
}

static void do_line(struct story *s, const char *text)
{
    const char *verb = s->words[0];

    if (strcmp(verb, "seed") == 0)
        s->seed = (unsigned long)number(s, 1, "");
    else if (strcmp(verb, "group") == 0)
        set_group(s);
    else if (strcmp(verb, "server") == 0)
        add_server_line(s, text);
    else if (strcmp(verb, "odd") == 0)
        add_odd(s);
    else if (strcmp(verb, "members") == 0)
        s->plan.members = (unsigned)number(s, 1, "");
    else if (strcmp(verb, "link") == 0)
        set_link(s, 1);
    else if (strcmp(verb, "never") == 0)
        forbid(s, text);
    else
        run_line(s, text);
}

static void read_line(struct story *s, char *line)
{
    char text[LINE_MAX_OCTETS], *save = NULL;

    snprintf(text, sizeof text, "%s", line);
    s->n_words = 0;
    for (char *w = strtok_r(line, " \t\n", &save); w && *w != '#';
         w = strtok_r(NULL, " \t\n", &save)) {
        if (s->n_words == WORDS_MAX)
            stop(s, "too many words:", w);
        s->words[s->n_words++] = w;
    }
    if (s->n_words > 0)
        do_line(s, text);
}

/* The lines of the file, and the `each` among them. */
struct script {
    size_t n;
    char lines[LINES_MAX][LINE_MAX_OCTETS];
    char variable[16];
    long first, last, step;
};

static void read_each(struct script *script, const char *line)
{
    long step = 1;
    int n = sscanf(line, "each %15s %ld..%ld by %ld", script->variable, &script->first,
                   &script->last, &step);
    if (n < 3 || step < 1) {
        fprintf(stderr, "expected each NAME A..B [by STEP], not '%s'\n", line);
        exit(2);
    }
    script->step = step;
}

static struct script *script_read(const char *file)
{
    struct script *script = calloc(1, sizeof *script);
    FILE *f = fopen(file, "r");

    if (!script || !f) {
        fprintf(stderr, "usage: sim_scenario FILE\n");
        exit(2);
    }
    while (script->n < LINES_MAX && fgets(script->lines[script->n], LINE_MAX_OCTETS, f)) {
        char *line = script->lines[script->n++];
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "each ", 5) == 0) {
            read_each(script, line);
            line[0] = '\0';
        }
    }
    fclose(f);
    return script;
}

/* The line with the variable's value for "$variable". */
static void substitute(const struct script *script, const char *line, long value,
                       char out[LINE_MAX_OCTETS])
{
    size_t n = 0, len = strlen(script->variable);

    for (; *line && n + 24 < LINE_MAX_OCTETS; line++) {
        if (*line == '$' && len > 0 && strncmp(line + 1, script->variable, len) == 0) {
            n += (size_t)snprintf(out + n, 24, "%ld", value);
            line += len;
        } else {
            out[n++] = *line;
        }
    }
    out[n] = '\0';
}

/* The whole story once. */
static void tell_story(struct story *s, const struct script *script, long value)
{
    char line[LINE_MAX_OCTETS];
    unsigned n_tests = s->n_tests, n_failed = s->n_failed;

    *s = (struct story){.file = s->file,
                        .n_tests = n_tests,
                        .n_failed = n_failed,
                        .plan = {.members = 3,
                                 .atd_s = 15,
                                 .lifetime_s = 3600,
                                 .ike_lifetime_s = 28800,
                                 .group_extra = ""},
                        .link = {.delay_min = {5000000}, .delay_max = {20000000}},
                        .seed = 1};
    for (size_t i = 0; i < script->n; i++) {
        s->line = (unsigned)i + 1;
        substitute(script, script->lines[i], value, line);
        read_line(s, line);
    }
    world_free(&s->world);
    arena_free(&s->arena);
}

int main(int argc, char **argv)
{
    static struct story s;
    struct script *script = script_read(argc == 2 ? argv[1] : "");
    const char *text;

    s.file = argv[1];
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        stop(&s, "crypto:", text);
    for (long value = script->first; value <= script->last;
         value += script->step ? script->step : 1)
        tell_story(&s, script, value);
    printf("1..%u\n", s.n_tests);
    free(script);
    crypto_stop();
    return s.n_failed == 0 && s.n_tests > 0 ? 0 : 1;
}

/* A group's life in seconds: members that come, go and crash, a lossy network, the safety checks
 * after every step.
 *
 *   sim_year [--seed N] [--members N] [--days N] [--loss PERCENT] [--lifetime S]
 *            [--kek S] [--atd S] [--heartbeat S] [--multicast] [--crashes S] [--bound S] [--events]
 *
 * --kek: server-member-communication with that lifetime of the KEK, unicast unless --multicast;
 * --heartbeat: with that interval. --crashes: the server is killed every so often (mean), and back
 * within a minute. --bound: fails when anybody is cut off for longer.
 *
 * Prints what happened and the hash of the trace; the same arguments give the same hash whatever
 * compiled this. */
#include "crypto/crypto.h"
#include "sim/check.h"
#include "sim/models.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    uint64_t seed;
    unsigned members, days, loss, lifetime, kek, atd, heartbeat, crashes, bound;
    bool events, multicast;
};

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end != '\0' || end == text || n > most) {
        fprintf(stderr, "sim_year: '%s': expected a number up to %u\n", text, most);
        exit(2);
    }
    return (unsigned)n;
}

struct flag {
    const char *name;
    unsigned *value;
    unsigned most;
};

static bool set_flag(const struct flag *flags, size_t n, const char *name, const char *value)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(flags[i].name, name) != 0)
            continue;
        *flags[i].value = number(value, flags[i].most);
        return true;
    }
    return false;
}

static struct options options_of(int argc, char **argv)
{
    struct options o = {
        .seed = 1, .members = 50, .days = 365, .loss = 10, .lifetime = 3600, .atd = 15};
    unsigned seed = 1;
    const struct flag flags[] = {
        {"--seed", &seed, UINT32_MAX},
        {"--members", &o.members, WORLD_NODES_MAX - 2},
        {"--days", &o.days, 36500},
        {"--loss", &o.loss, 100},
        {"--lifetime", &o.lifetime, 86400},
        {"--kek", &o.kek, 86400},
        {"--atd", &o.atd, 900},
        {"--heartbeat", &o.heartbeat, 3600},
        {"--crashes", &o.crashes, UINT32_MAX},
        {"--bound", &o.bound, 86400},
    };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--events") == 0) {
            o.events = true;
        } else if (strcmp(argv[i], "--multicast") == 0) {
            o.multicast = true;
        } else if (i + 1 < argc && set_flag(flags, ARRAY_LEN(flags), argv[i], argv[i + 1])) {
            i++;
        } else {
            fprintf(stderr, "sim_year: what is '%s'?\n", argv[i]);
            exit(2);
        }
    }
    o.seed = seed;
    return o;
}

static void boot(struct world *w, uint64_t node)
{
    if (!w->nodes[node].up)
        world_boot(w, (size_t)node);
}

static instant_t last_fault; /* nobody crashes after it */

/* Every so often somebody crashes, and is back after up to ten minutes. */
static void crash_somebody(struct world *w, uint64_t mean_s)
{
    if (instant_reached(last_fault, w->now))
        return;
    size_t node = 1 + (size_t)prng_below(&w->prng, STREAM_WORKLOAD, w->n_nodes - 1);
    uint64_t back = 1 + prng_below(&w->prng, STREAM_WORKLOAD, 600);
    uint64_t next = 1 + prng_below(&w->prng, STREAM_WORKLOAD, 2 * mean_s);

    if (w->nodes[node].up) {
        world_kill(w, node);
        world_at(w, instant_add(w->now, span_s((int64_t)back)), boot, node);
    }
    world_at(w, instant_add(w->now, span_s((int64_t)next)), crash_somebody, mean_s);
}

/* The server too, and it is back within a minute. */
static void crash_server(struct world *w, uint64_t mean_s)
{
    uint64_t back = 1 + prng_below(&w->prng, STREAM_WORKLOAD, 60);
    uint64_t next = 60 + prng_below(&w->prng, STREAM_WORKLOAD, 2 * mean_s);

    if (instant_reached(last_fault, w->now))
        return;
    world_kill(w, 0);
    world_at(w, instant_add(w->now, span_s((int64_t)back)), boot, 0);
    world_at(w, instant_add(w->now, span_s((int64_t)next)), crash_server, mean_s);
}

/* A stranger throws octets at everybody. */
static void stranger(struct world *w, uint64_t mean_s)
{
    uint8_t junk[128];
    size_t to = (size_t)prng_below(&w->prng, STREAM_WORKLOAD, w->n_nodes);
    size_t len = 1 + (size_t)prng_below(&w->prng, STREAM_WORKLOAD, sizeof junk);
    uint64_t next = 1 + prng_below(&w->prng, STREAM_WORKLOAD, 2 * mean_s);

    prng_fill(&w->prng, STREAM_WORKLOAD, junk, sizeof junk);
    world_inject(w, (struct endpoint){ip_v4(0xcb007105), 848},
                 (struct endpoint){w->nodes[to].ip, 848}, bytes(junk, len));
    world_at(w, instant_add(w->now, span_s((int64_t)next)), stranger, mean_s);
}

static void heal(struct world *w)
{
    for (size_t i = 0; i < w->n_nodes; i++) {
        struct node *n = &w->nodes[i];
        n->cut = false;
        n->link = (struct link){span_ms(5), span_ms(20), 0, 0, 0, 0};
        if (!n->up)
            world_boot(w, i);
    }
}

/* Whether it holds a live KEK of the server, or the group has none. */
static bool has_kek(const struct world *w, const struct node *n)
{
    const struct group *g = server_group(w->nodes[0].server, 0);
    struct bytes held = member_vpn(n->member, 0).kek.cookies;

    if (!g->model->communication.present)
        return true;
    return held.len == KEK_SPI && group_kek(g, held.data);
}

static size_t n_registered(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 1; i < w->n_nodes; i++)
        n += w->nodes[i].up && member_vpn(w->nodes[i].member, 0).n_sas > 0 &&
             !instant_is_never(member_vpn(w->nodes[i].member, 0).registered_at) &&
             has_kek(w, &w->nodes[i]);
    return n;
}

static void report(const struct world *w, const struct options *o)
{
    struct check_report r = check_report(w->check);
    printf("steps %" PRIu64 ", datagrams %" PRIu64 " sent %" PRIu64 " lost %" PRIu64 " delivered\n",
           w->n_steps, w->n_sent, w->n_lost, w->n_delivered);
    printf("generations %" PRIu64 ", registrations %" PRIu64 ", learned in time %" PRIu64
           ", cut off %" PRIu64 ", longest %.1f s, pairs checked %" PRIu64 "\n",
           r.generations, w->n_events[EV_REGISTERED], r.changeovers_followed, r.cut_off,
           (double)r.longest_cut_off.ns / 1e9, r.pairs_checked);
    if (o->kek)
        printf("keks %" PRIu64 ", learned %" PRIu64 "; pushes and heartbeats %" PRIu64
               " in %" PRIu64 " datagrams\n",
               r.keks.keks, r.keks.learned, r.pushes.contents, r.pushes.datagrams);
    uint64_t all = r.changeovers_followed + r.cut_off;
    printf("cut off: %.4f %% of all (member, key)\n",
           all ? 100 * (double)r.cut_off / (double)all : 0.0);
    printf("trace %016" PRIx64 " seed %" PRIu64 " members %u days %u\n", w->trace[0], o->seed,
           o->members, o->days);
}

static const char *communication(struct arena *a, const struct options *o)
{
#define SET "set security group-vpn server group g1 server-member-communication "
    char *text = arena_text(a, "%s", "");

    if (o->kek && o->heartbeat)
        text = arena_text(a, SET "heartbeat %u\n", o->heartbeat);
    if (o->kek && o->multicast)
        text = arena_text(a,
                          "%s" SET "communication-type multicast\n" SET
                          "multicast-group 239.1.1.1\n" SET "multicast-outgoing-interface eth0\n",
                          text);
    return text;
#undef SET
}

static void people(struct world *w, struct arena *arena, const struct options *o)
{
    struct models_plan plan = {.members = o->members,
                               .atd_s = o->atd,
                               .lifetime_s = o->lifetime,
                               .ike_lifetime_s = 28800,
                               .kek_lifetime_s = o->kek,
                               .group_extra = communication(arena, o)};
    struct link link = {span_ms(5), span_ms(200), o->loss * 10000, 10000, 100, 1000};

    world_add(w, NODE_SERVER, "ks", models_server(arena, &plan), (struct link){0});
    world_boot(w, 0);
    for (unsigned i = 0; i < o->members; i++) {
        char name[16];
        snprintf(name, sizeof name, "gm%u", i);
        size_t node = world_add(w, NODE_MEMBER, name, models_member(arena, &plan, i), link);
        int64_t when = (int64_t)prng_below(&w->prng, STREAM_WORKLOAD, 60000);
        world_at(w, instant_add(w->now, span_ms(when)), boot, node);
    }
    world_at(w, instant_add(w->now, span_s(600)), crash_somebody, 6 * 3600);
    world_at(w, instant_add(w->now, span_s(60)), stranger, 3600);
    if (o->crashes)
        world_at(w, instant_add(w->now, span_s(900)), crash_server, o->crashes);
}

/* Whether the story ended well; says what did not. */
static bool judge(const struct world *w, const struct options *o)
{
    struct check_report r = check_report(w->check);
    size_t registered = n_registered(w);

    if (registered != o->members || r.cut_off_now != 0)
        printf(
            "not ok: %zu of %u members registered, %zu cut off, two minutes after the last fault\n",
            registered, o->members, r.cut_off_now);
    if (o->bound && r.longest_cut_off.ns > span_s(o->bound).ns)
        printf("not ok: somebody was cut off for more than %u s\n", o->bound);
    return registered == o->members && r.cut_off_now == 0 &&
           (!o->bound || r.longest_cut_off.ns <= span_s(o->bound).ns);
}

int main(int argc, char **argv)
{
    struct options o = options_of(argc, argv);
    struct arena arena = {0};
    static struct world w;
    const char *text;

    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK) {
        fprintf(stderr, "sim_year: %s\n", text);
        return 1;
    }
    world_init(&w, o.seed);
    w.print_events = o.events;
    people(&w, &arena, &o);
    last_fault = instant_add(w.now, span_s((int64_t)o.days * 86400));
    world_run(&w, last_fault);
    /* Liveness: faults over, everybody is in within two minutes. */
    heal(&w);
    world_run(&w, instant_add(w.now, span_s(120)));
    report(&w, &o);
    bool well = judge(&w, &o);
    world_free(&w);
    arena_free(&arena);
    crypto_stop();
    return well ? 0 : 1;
}

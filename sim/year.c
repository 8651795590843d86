/* A group's life in seconds: members that come, go and crash, a lossy network, the safety checks
 * after every step.
 *
 *   sim_year [--seed N] [--members N] [--days N] [--loss PERCENT] [--lifetime S]
 *            [--kek S] [--atd S] [--events]
 *
 * --kek: server-member-communication with that lifetime of the KEK.
 *
 * Prints what happened and the hash of the trace; the same arguments give the same hash whatever
 * compiled this. */
#include "crypto/crypto.h"
#include "sim/check.h"
#include "sim/models.h"
#include "sim/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    uint64_t seed;
    unsigned members, days, loss, lifetime, kek, atd;
    bool events;
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

static struct options options_of(int argc, char **argv)
{
    static const struct option table[] = {
        {"seed", 1, 0, 's'}, {"members", 1, 0, 'm'},  {"days", 1, 0, 'd'},
        {"loss", 1, 0, 'l'}, {"lifetime", 1, 0, 'L'}, {"kek", 1, 0, 'k'},
        {"atd", 1, 0, 'a'},  {"events", 0, 0, 'e'},   {0}};
    struct options o = {
        .seed = 1, .members = 50, .days = 365, .loss = 10, .lifetime = 3600, .atd = 15};
    int c;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 's':
            o.seed = number(optarg, UINT32_MAX);
            break;
        case 'm':
            o.members = number(optarg, WORLD_NODES_MAX - 2);
            break;
        case 'd':
            o.days = number(optarg, 36500);
            break;
        case 'l':
            o.loss = number(optarg, 100);
            break;
        case 'L':
            o.lifetime = number(optarg, 86400);
            break;
        case 'k':
            o.kek = number(optarg, 86400);
            break;
        case 'a':
            o.atd = number(optarg, 900);
            break;
        case 'e':
            o.events = true;
            break;
        default:
            exit(2);
        }
    }
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
        printf("keks %" PRIu64 ", learned %" PRIu64 "\n", r.keks.keks, r.keks.learned);
    printf("trace %016" PRIx64 " seed %" PRIu64 " members %u days %u\n", w->trace[0], o->seed,
           o->members, o->days);
}

int main(int argc, char **argv)
{
    struct options o = options_of(argc, argv);
    struct arena arena = {0};
    struct models_plan plan = {.members = o.members,
                               .atd_s = o.atd,
                               .lifetime_s = o.lifetime,
                               .ike_lifetime_s = 28800,
                               .kek_lifetime_s = o.kek,
                               .group_extra = ""};
    struct link link = {span_ms(5), span_ms(200), o.loss * 10000, 10000, 100, 1000};
    static struct world w;
    const char *text;

    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK) {
        fprintf(stderr, "sim_year: %s\n", text);
        return 1;
    }
    world_init(&w, o.seed);
    w.print_events = o.events;
    world_add(&w, NODE_SERVER, "ks", models_server(&arena, &plan), (struct link){0});
    world_boot(&w, 0);
    for (unsigned i = 0; i < o.members; i++) {
        char name[16];
        snprintf(name, sizeof name, "gm%u", i);
        size_t node = world_add(&w, NODE_MEMBER, name, models_member(&arena, &plan, i), link);
        world_at(&w,
                 instant_add(w.now, span_ms((int64_t)prng_below(&w.prng, STREAM_WORKLOAD, 60000))),
                 boot, node);
    }
    world_at(&w, instant_add(w.now, span_s(600)), crash_somebody, 6 * 3600);
    world_at(&w, instant_add(w.now, span_s(60)), stranger, 3600);
    last_fault = instant_add(w.now, span_s((int64_t)o.days * 86400));
    world_run(&w, last_fault);
    /* Liveness: faults over, everybody is in within two minutes. */
    heal(&w);
    world_run(&w, instant_add(w.now, span_s(120)));
    report(&w, &o);
    size_t registered = n_registered(&w), cut_off = check_report(w.check).cut_off_now;
    if (registered != o.members || cut_off != 0)
        printf(
            "not ok: %zu of %u members registered, %zu cut off, two minutes after the last fault\n",
            registered, o.members, cut_off);
    world_free(&w);
    arena_free(&arena);
    crypto_stop();
    return registered == o.members && cut_off == 0 ? 0 : 1;
}

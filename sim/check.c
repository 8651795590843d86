#include "sim/check.h"

#include "base/map.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECK_EVERY = 32, GENERATIONS_MAX = 256, KEY_SAMPLE = 16, SAS_MAX = 64, VPNS_MAX = 4 };

/* Delays are told in whole seconds, rounded up, and count from the receipt. In a registration that
 * is of message 2: a lost one is repeated as it was built, at most 10 s before (decisions M9). No
 * packet is lost by that: the old key goes ATD >= 10 s after the switch. */
#define PUSH_TOLERANCE span_ms(1000 + 500)
#define PULL_TOLERANCE span_ms(10000 + 1000 + 500)

/* What one node has to do with one generation. */
struct holding {
    bool holds, sends;
    uint8_t vpn;  /* through which */
    bool learned; /* has held it in this life */
    bool by_pull; /* ... of a registration, not of a push */
    instant_t learned_at, sends_at, dropped_at;
    bool cut_off;
    instant_t cut_off_at;
};
struct watched {
    bool used, has_truth, has_key;
    bool gone;       /* the server has it no more */
    unsigned number; /* within its SA, from 1 */
    struct truth truth;
    uint8_t key[KEY_SAMPLE];
    struct holding by[WORLD_NODES_MAX];
};
struct check {
    struct watched generations[GENERATIONS_MAX];
    instant_t registered_at[WORLD_NODES_MAX][VPNS_MAX];
    instant_t newest_sent[WORLD_NODES_MAX]
                         [SAS_MAX]; /* created of the newest generation sent under */
    unsigned last_number[SAS_MAX];
    instant_t clock_lost_at;
    uint64_t names[SAS_MAX];
    size_t n_names;
    uint32_t window_ms[WORLD_NODES_MAX];
    struct check_keks *keks;
    struct check_pushes *pushes;
    instant_t checked_at;
    bool changed; /* something that the laws speak of, since they were checked last */
    struct check_report report;
};

static void never_registered(struct check *c, size_t node)
{
    for (size_t v = 0; v < VPNS_MAX; v++)
        c->registered_at[node][v] = INSTANT_NEVER;
}

struct check *check_new(void)
{
    struct check *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    for (size_t i = 0; i < WORLD_NODES_MAX; i++)
        never_registered(c, i);
    c->keks = check_keks_new();
    c->pushes = check_pushes_new();
    return c;
}

void check_free(struct check *c)
{
    if (!c)
        return;
    check_keks_free(c->keks);
    check_pushes_free(c->pushes);
    free(c);
}

struct check_keks *check_keks(struct check *c) { return c->keks; }
struct check_pushes *check_pushes(struct check *c) { return c->pushes; }

struct check_report check_report(const struct check *c)
{
    struct check_report r = c->report;
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        for (size_t n = 0; c->generations[i].used && n < WORLD_NODES_MAX; n++)
            r.cut_off_now += c->generations[i].by[n].cut_off;
    }
    r.keks = check_keks_report(c->keks);
    r.pushes = check_pushes_report(c->pushes);
    return r;
}

static const char *law_broken;

const char *check_law_broken(void) { return law_broken; }

void check_broken(const struct world *w, const char *law, const char *who)
{
    law_broken = law;
    fprintf(stderr, "check broken: %s: %s at %.3f s, step %" PRIu64 "\n", law, who,
            (double)w->now.ns / 1e9 - WORLD_START_S, w->n_steps);
    abort();
}

__attribute__((noreturn)) static void broken(const struct world *w, const char *law, const char *a,
                                             const char *b, uint32_t spi)
{
    char who[128];

    snprintf(who, sizeof who, "%s %s SPI %08" PRIx32, a, b, spi);
    check_broken(w, law, who);
}

static struct watched *find(struct check *c, uint32_t spi)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        if (c->generations[i].used && c->generations[i].truth.spi == spi)
            return &c->generations[i];
    }
    return NULL;
}

static struct watched *find_or_add(struct check *c, uint32_t spi)
{
    struct watched *g = find(c, spi);

    for (size_t i = 0; !g && i < GENERATIONS_MAX; i++) {
        if (!c->generations[i].used) {
            g = &c->generations[i];
            *g = (struct watched){.used = true, .truth.spi = spi};
            c->report.generations++;
        }
    }
    if (!g)
        abort(); /* GENERATIONS_MAX is too small for this world */
    return g;
}

/* An ended generation, a minute after everybody must have forgotten it. */
static void forget_ended(struct check *c, instant_t now)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct watched *g = &c->generations[i];
        if (g->used && g->has_truth &&
            instant_reached(instant_add(g->truth.expiry, span_s(60)), now))
            g->used = false;
    }
}

void check_ask(struct check *c)
{
    check_keks_ask(c->keks);
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        c->generations[i].gone = true;
}

void check_clock_lost(struct check *c, const struct world *w) { c->clock_lost_at = w->now; }

/* What somebody sent under was made at another time than was said. */
static void move_newest(struct check *c, const struct truth *from, const struct truth *to)
{
    for (size_t a = 0; a < WORLD_NODES_MAX; a++) {
        instant_t *newest = &c->newest_sent[a][from->lineage % SAS_MAX];
        if (newest->ns == from->created.ns)
            *newest = to->created;
    }
}

void check_truth(struct check *c, const struct world *w, const struct truth *t)
{
    struct watched *g = find(c, t->spi);

    if (!g)
        forget_ended(c, w->now);
    g = find_or_add(c, t->spi);
    if (g->has_truth && w->now.ns != c->clock_lost_at.ns &&
        (g->truth.created.ns != t->created.ns || g->truth.switch_at.ns != t->switch_at.ns))
        broken(w, "a generation's instants never move", "server", "", t->spi);
    c->changed = c->changed || !g->has_truth;
    if (!g->has_truth)
        g->number = ++c->last_number[t->sa % SAS_MAX];
    if (g->has_truth && w->now.ns == c->clock_lost_at.ns)
        move_newest(c, &g->truth, t);
    g->truth = *t;
    g->has_truth = true;
    g->gone = false;
}

uint32_t check_name(struct check *c, const char *text)
{
    static const uint64_t seed[2] = {1, 2};
    uint64_t hash = map_hash(seed, bytes_str(text));
    size_t i = 0;

    while (i < c->n_names && c->names[i] != hash)
        i++;
    if (i == SAS_MAX)
        abort(); /* SAS_MAX is too small for this world */
    c->names[i] = hash;
    c->n_names += i == c->n_names;
    return (uint32_t)i;
}

void check_durable(const struct world *w, struct disk *disk, enum store_table table,
                   struct bytes key)
{
    if (!disk_holds(disk, table, key))
        broken(w, "nothing undurable is given away", store_table_name(table), "", 0);
}

unsigned check_number(const struct check *c, uint32_t spi)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        if (c->generations[i].used && c->generations[i].truth.spi == spi)
            return c->generations[i].number;
    }
    return 0;
}

enum wire_kind check_datagram(struct check *c, struct world *w, size_t from, struct bytes datagram,
                              struct opened *ret_push)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct watched *g = &c->generations[i];
        if (g->used && g->has_key && memmem(datagram.data, datagram.len, g->key, KEY_SAMPLE))
            broken(w, "no key's octets are on the wire", "", "", g->truth.spi);
    }
    check_keks_datagram(c->keks, w, datagram);
    enum wire_kind kind = opened_of(c->keks, datagram, ret_push);
    if (kind == WIRE_PUSH || kind == WIRE_DELETE || kind == WIRE_HEARTBEAT)
        check_pushes_content(c->pushes, w, &w->nodes[from].disk, ret_push);
    return kind;
}

static void end_cut_off(struct check *c, struct holding *h, instant_t now)
{
    if (!h->cut_off)
        return;
    h->cut_off = false;
    c->report.longest_cut_off =
        span_max(c->report.longest_cut_off, instant_since(now, h->cut_off_at));
}

static size_t vpn_named(const struct member *m, const char *name)
{
    size_t i = 0;
    while (i < member_n_vpns(m) && strcmp(member_vpn(m, i).model->name, name) != 0)
        i++;
    if (i >= VPNS_MAX)
        abort(); /* VPNS_MAX is too small for this world */
    return i;
}

/* The VPN of a member that is in that group, or VPNS_MAX. */
static size_t vpn_in_group(const struct world *w, size_t node, uint32_t group_id)
{
    const struct member *m = w->nodes[node].member;
    for (size_t i = 0; m && i < member_n_vpns(m); i++) {
        if (member_vpn(m, i).model->group_id == group_id)
            return i;
    }
    return VPNS_MAX;
}

static void check_all(struct check *c, struct world *w);

/* Whoever has a key is cut off for none that came before it. */
static void end_cut_offs(struct check *c, const struct watched *g, size_t node, instant_t now)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct watched *old = &c->generations[i];
        if (old == g || (old->used && g->has_truth && old->has_truth &&
                         old->truth.sa == g->truth.sa && old->number < g->number))
            end_cut_off(c, &old->by[node], now);
    }
}

static bool has_just_registered(const struct world *w, size_t node, size_t vpn)
{
    return member_vpn(w->nodes[node].member, vpn).registered_at.ns == w->now.ns;
}

/* The VPN has now what the install names, and nothing else; up to now it had what it had. */
void check_install(struct check *c, struct world *w, size_t node,
                   const struct esp_vpn_install *install)
{
    if (instant_before(c->checked_at, w->now))
        check_all(c, w);

    size_t vpn = vpn_named(w->nodes[node].member, install->vpn);
    bool held[GENERATIONS_MAX];

    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct holding *h = &c->generations[i].by[node];
        held[i] = h->vpn == vpn && h->holds;
        if (h->vpn == vpn)
            h->holds = h->sends = false;
    }
    c->changed = true;
    for (size_t i = 0; i < install->n_sas; i++) {
        const struct esp_sa_install *sa = &install->sas[i];
        struct watched *g = find_or_add(c, sa->spi);
        struct holding *h = &g->by[node];
        if (g->has_key && !secret_equal(bytes(g->key, KEY_SAMPLE), bytes(sa->key.b, KEY_SAMPLE)))
            broken(w, "the same generation means the same key", w->nodes[node].name, "", sa->spi);
        memcpy(g->key, sa->key.b, KEY_SAMPLE);
        g->has_key = true;
        h->holds = true;
        h->vpn = (uint8_t)vpn;
        h->sends = sa->slot == ESP_SLOT_CURRENT;
        c->window_ms[node] = sa->window_ms;
        if (h->sends && h->sends_at.ns == 0)
            h->sends_at = w->now;
        if (g->has_truth && instant_reached(w->nodes[node].removed_at, g->truth.created))
            broken(w, "a removed member never gets a later key", w->nodes[node].name, "", sa->spi);
        if (!h->learned) {
            h->learned = true;
            h->by_pull = has_just_registered(w, node, vpn);
            h->learned_at = w->now;
            c->report.changeovers_followed +=
                g->has_truth && instant_before(w->now, g->truth.switch_at);
        }
        end_cut_offs(c, g, node, w->now);
    }
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct holding *h = &c->generations[i].by[node];
        if (held[i] && !h->holds)
            h->dropped_at = w->now;
    }
}

static instant_t moment(instant_t t) { return t.ns == 0 ? INSTANT_NEVER : t; }

struct check_moments check_moments(const struct check *c, size_t node, uint32_t group_id,
                                   unsigned number)
{
    const struct watched *found = NULL;

    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct watched *g = &c->generations[i];
        if (g->used && g->has_truth && g->truth.group_id == group_id && g->number == number &&
            (!found || g->truth.sa < found->truth.sa))
            found = g;
    }
    if (!found)
        return (struct check_moments){INSTANT_NEVER, INSTANT_NEVER, INSTANT_NEVER};
    const struct holding *h = &found->by[node];
    return (struct check_moments){moment(h->learned_at), moment(h->sends_at),
                                  moment(h->dropped_at)};
}

uint32_t check_window(const struct check *c, size_t node) { return c->window_ms[node]; }

static span_t tolerance(const struct holding *h)
{
    return h->by_pull ? PULL_TOLERANCE : PUSH_TOLERANCE;
}

static bool is_over(instant_t end, span_t tolerance, instant_t now)
{
    return instant_before(instant_add(end, tolerance), now);
}

static bool in_time(const struct watched *g, const struct holding *h)
{
    return h->learned && instant_before(h->learned_at, g->truth.switch_at);
}

/* The server still has a key that this one takes over from. With none left there is nobody to wait
 * for: who has no live key sends with the first that he gets (decisions M2). */
static bool takes_over(const struct check *c, const struct watched *g, instant_t now)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct watched *old = &c->generations[i];
        if (old->used && old->has_truth && !old->gone && old->truth.sa == g->truth.sa &&
            instant_before(old->truth.created, g->truth.created) &&
            instant_before(now, old->truth.expiry))
            return true;
    }
    return false;
}

static void check_sender(struct check *c, const struct world *w, const struct watched *g, size_t a)
{
    const struct truth *t = &g->truth;
    instant_t *newest = &c->newest_sent[a][t->lineage % SAS_MAX];

    if (instant_before(w->now, t->switch_at) && takes_over(c, g, w->now))
        broken(w, "nobody sends before switch_at", w->nodes[a].name, "", t->spi);
    if (instant_before(t->created, *newest))
        broken(w, "no member goes back a generation", w->nodes[a].name, "", t->spi);
    *newest = t->created;
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct watched *next = &c->generations[i];
        if (!next->used || !next->has_truth || next->truth.lineage != t->lineage ||
            !instant_before(t->created, next->truth.created))
            continue;
        if (in_time(next, &next->by[a]) && next->by[a].holds &&
            is_over(next->truth.switch_at, tolerance(&next->by[a]), w->now))
            broken(w, "nobody who learned the next sends under the old after the switch",
                   w->nodes[a].name, "", t->spi);
    }
}

static void cut_off(struct check *c, struct holding *h, instant_t now)
{
    if (h->cut_off)
        return;
    h->cut_off = true;
    h->cut_off_at = now;
    c->report.cut_off++;
}

/* Lifetimes are told in whole seconds, rounded down (decisions M3): in its last second some members
 * have forgotten a generation already that nothing has succeeded in time. */
static bool is_in_last_second(const struct watched *g, instant_t now)
{
    return g->has_truth && instant_since(g->truth.expiry, now).ns <= NS_PER_S;
}

/* Somebody sends under g and b does not hold it. */
static void check_missing(struct check *c, const struct world *w, struct watched *g,
                          const char *sender, size_t b)
{
    struct holding *h = &g->by[b];
    size_t vpn = vpn_in_group(w, b, g->truth.group_id);

    if (vpn == VPNS_MAX || instant_is_never(c->registered_at[b][vpn]))
        return; /* not a member, or not yet */
    if (h->learned && is_in_last_second(g, w->now))
        return;
    if (h->learned)
        broken(w, "what was learned is kept until nobody sends under it", sender, w->nodes[b].name,
               g->truth.spi);
    if (instant_before(instant_add(g->truth.created, CHECK_SNAPSHOT_AGE), c->registered_at[b][vpn]))
        broken(w, "a registration brings every live generation", sender, w->nodes[b].name,
               g->truth.spi);
    cut_off(c, h, w->now);
}

/* The generation that has taken over from g and let it be dropped, or NULL: who still sends under g
 * is cut off for that one. */
static struct watched *heir(struct check *c, const struct watched *g, instant_t now)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct watched *next = &c->generations[i];
        if (next->used && next->has_truth && next->truth.lineage == g->truth.lineage &&
            instant_before(g->truth.created, next->truth.created) &&
            instant_reached(next->truth.drop_at, now))
            return next;
    }
    return NULL;
}

/* Whoever still holds g, which `next` (or nobody: NULL) has made obsolete. */
static void check_end(const struct world *w, const struct watched *g, const struct watched *next)
{
    for (size_t a = 0; a < w->n_nodes; a++) {
        if (!g->by[a].holds || !w->nodes[a].up)
            continue;
        if (is_over(g->truth.expiry, tolerance(&g->by[a]), w->now))
            broken(w, "nobody holds a key after its end", w->nodes[a].name, "", g->truth.spi);
        if (next && in_time(next, &next->by[a]) &&
            is_over(next->truth.drop_at, tolerance(&next->by[a]), w->now))
            broken(w, "who learned the next in time drops the old one", w->nodes[a].name, "",
                   g->truth.spi);
    }
}

static void check_generation(struct check *c, struct world *w, struct watched *g)
{
    size_t sender = SIZE_MAX;
    struct watched *next = heir(c, g, w->now);

    check_end(w, g, next);
    if (g->gone && !next)
        return; /* deleted: who has heard of it has dropped it, and the others will */
    for (size_t a = 0; a < w->n_nodes; a++) {
        if (!g->by[a].sends || !w->nodes[a].up)
            continue;
        sender = a;
        check_sender(c, w, g, a);
        if (next)
            cut_off(c, &next->by[a], w->now);
    }
    if (next)
        return;
    for (size_t b = 0; sender != SIZE_MAX && b < w->n_nodes; b++) {
        if (w->nodes[b].kind != NODE_MEMBER || !w->nodes[b].up)
            continue;
        c->report.pairs_checked++;
        if (!g->by[b].holds)
            check_missing(c, w, g, w->nodes[sender].name, b);
    }
}

static void check_all(struct check *c, struct world *w)
{
    c->changed = false;
    c->checked_at = w->now;
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        if (c->generations[i].used && c->generations[i].has_truth)
            check_generation(c, w, &c->generations[i]);
    }
}

void check_step(struct check *c, struct world *w, size_t node)
{
    const struct node *n = &w->nodes[node];

    if (n->server)
        truth_tell(c, w, node);
    for (size_t i = 0; n->member && i < member_n_vpns(n->member); i++)
        c->registered_at[node][i] = member_vpn(n->member, i).registered_at;
    if (n->member && member_n_vpns(n->member) > 0)
        check_keks_member(c->keks, w, node);
    /* Who holds and sends what changes by an install, and is judged before and behind it; the rest
     * is the passing of time. */
    if (!c->changed && w->n_steps % CHECK_EVERY != 0)
        return;
    check_all(c, w);
}

/* A life's end: what it held and sent is gone, and so is being cut off. */
void check_kill(struct check *c, struct world *w, size_t node)
{
    (void)w;
    check_keks_kill(c->keks, node);
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        end_cut_off(c, &c->generations[i].by[node], w->now);
        c->generations[i].by[node] = (struct holding){0};
    }
    for (size_t i = 0; i < SAS_MAX; i++)
        c->newest_sent[node][i] = (instant_t){0};
    never_registered(c, node);
}

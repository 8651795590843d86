/* Draws a changeover as the engines lived it: runs a story and writes SVG.
 *
 *   sim_timeline FILE FROM TO        seconds of the story
 *
 * One lane for the server and one for each member, with a bar for each data key that it holds; a
 * line for each datagram of the group's life that was sent in between. Nothing is drawn that no
 * engine did. The same story gives the same octets. */
#include "crypto/crypto.h"
#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BARS_MAX = 256,
    MARKS_MAX = 512,
    WIDTH = 960,
    LEFT = 96,
    RIGHT = 24,
    TOP = 92,
    LANE = 74,
    BAR = 16,
    FOOT = 74
};

struct bar {
    size_t node;
    unsigned generation;
    enum esp_slot slot;
    bool open; /* it goes on */
    instant_t from, to;
};
struct mark {
    instant_t at;
    size_t from, to;
    enum wire_kind kind;
    bool lost;
};
struct picture {
    struct story story;
    instant_t from, to;
    size_t n_bars, n_marks;
    struct bar bars[BARS_MAX];
    struct mark marks[MARKS_MAX];
    instant_t made, switched, dropped; /* of the newest generation within the picture */
};

/* ---- watching ---- */

static const struct esp_sa_install *named(const struct esp_vpn_install *install, uint32_t spi)
{
    for (size_t i = 0; i < install->n_sas; i++) {
        if (install->sas[i].spi == spi)
            return &install->sas[i];
    }
    return NULL;
}

static struct bar *open_bar(struct picture *p, size_t node, unsigned generation)
{
    for (size_t i = 0; i < p->n_bars; i++) {
        struct bar *b = &p->bars[i];
        if (b->open && b->node == node && b->generation == generation)
            return b;
    }
    return NULL;
}

static void close_bars(struct picture *p, size_t node, const struct esp_vpn_install *install)
{
    for (size_t i = 0; i < p->n_bars; i++) {
        struct bar *b = &p->bars[i];
        const struct esp_sa_install *sa = NULL;
        for (size_t j = 0; j < install->n_sas; j++) {
            if (check_number(p->story.world.check, install->sas[j].spi) == b->generation)
                sa = named(install, install->sas[j].spi);
        }
        if (!b->open || b->node != node || (sa && sa->slot == b->slot))
            continue;
        b->open = false;
        b->to = p->story.world.now;
    }
}

static void on_install(void *ctx, size_t node, const struct esp_vpn_install *install)
{
    struct picture *p = ctx;

    close_bars(p, node, install);
    for (size_t i = 0; i < install->n_sas; i++) {
        unsigned n = check_number(p->story.world.check, install->sas[i].spi);
        if (open_bar(p, node, n))
            continue;
        if (p->n_bars == BARS_MAX)
            abort(); /* too much for one picture */
        p->bars[p->n_bars++] = (struct bar){.node = node,
                                            .generation = n,
                                            .slot = install->sas[i].slot,
                                            .open = true,
                                            .from = p->story.world.now,
                                            .to = p->to};
    }
}

static void on_passing(void *ctx, const struct passing *passing)
{
    struct picture *p = ctx;
    instant_t now = p->story.world.now;

    if (instant_before(now, p->from) || instant_before(p->to, now))
        return;
    if (p->n_marks == MARKS_MAX)
        abort(); /* too much for one picture */
    p->marks[p->n_marks++] =
        (struct mark){now, passing->from, passing->to, passing->kind, passing->lost};
}

/* The instants of the newest generation, when the picture ends. */
static void read_truth(struct picture *p)
{
    const struct group *g = server_group(p->story.world.nodes[0].server, 0);
    const struct timeline *t = &group_newest(&g->sas[0])->time;

    p->made = t->created;
    p->switched = t->switch_at;
    p->dropped = t->drop_at;
}

static void on_built(struct story *s)
{
    struct picture *p = (struct picture *)(void *)s; /* its first member */

    s->world.on_install = on_install;
    s->world.on_passing = on_passing;
    s->world.on_install_ctx = s->world.on_passing_ctx = p;
}

/* ---- drawing ---- */

static double x_of(const struct picture *p, instant_t at)
{
    instant_t t = instant_min(instant_max(at, p->from), p->to);
    double share = (double)(t.ns - p->from.ns) / (double)(p->to.ns - p->from.ns);

    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static int y_of(size_t lane) { return TOP + (int)lane * LANE; }

static int height(const struct picture *p) { return y_of(p->story.world.n_nodes) + FOOT; }

static long second_of(instant_t at) { return (long)(at.ns / NS_PER_S) - WORLD_START_S; }

static void draw_head(const struct picture *p)
{
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
           "font-family=\"sans-serif\" font-size=\"12\">\n",
           WIDTH, height(p));
    printf("<style>\n"
           ".next{fill-opacity:.12;stroke-dasharray:4 3}\n"
           ".current{fill-opacity:.85}\n"
           ".previous{fill-opacity:.35}\n"
           ".g0{fill:#3b6ea5;stroke:#3b6ea5}\n"
           ".g1{fill:#d9822b;stroke:#d9822b}\n"
           ".push{stroke:#1f4e8c}.ack{stroke:#2e8b57}.heartbeat{stroke:#b8860b}\n"
           ".pull,.phase1{stroke:#7b3fa0}.delete{stroke:#b22222}\n"
           ".lost{stroke-dasharray:2 3}\n"
           ".guide{stroke:#888;stroke-width:.7;stroke-dasharray:1 3}\n"
           ".x{stroke:#b22222;stroke-width:2}\n"
           "</style>\n");
    printf("<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, height(p));
}

static void draw_guide(const struct picture *p, instant_t at, const char *what, int row)
{
    if (instant_before(at, p->from) || instant_before(p->to, at))
        return;
    printf("<line class=\"guide\" x1=\"%.0f\" y1=\"%d\" x2=\"%.0f\" y2=\"%d\"/>\n", x_of(p, at),
           TOP - 34, x_of(p, at), y_of(p->story.world.n_nodes) + 6);
    printf("<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x_of(p, at),
           TOP - 54 + row * 14, what);
    printf("<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\" font-weight=\"bold\">%ld s</text>\n",
           x_of(p, at), TOP - 40 + row * 14, second_of(at));
}

static void draw_lane(const struct picture *p, size_t node)
{
    printf("<text x=\"8\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y_of(node) + BAR - 3,
           p->story.world.nodes[node].name);
    printf("<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#ccc\"/>\n", LEFT,
           y_of(node) + 2 * BAR + 4, WIDTH - RIGHT, y_of(node) + 2 * BAR + 4);
}

static void draw_bar(const struct picture *p, const struct bar *b)
{
    static const char *const slots[] = {
        [ESP_SLOT_NEXT] = "next", [ESP_SLOT_CURRENT] = "current", [ESP_SLOT_PREVIOUS] = "previous"};
    double from = x_of(p, b->from), to = x_of(p, b->to);
    int y = y_of(b->node) + (b->generation % 2 ? 0 : BAR + 2);

    if (to - from < 0.05)
        return;
    printf("<rect class=\"%s g%u\" x=\"%.0f\" y=\"%d\" width=\"%.0f\" height=\"%d\"/>\n",
           slots[b->slot], b->generation % 2, from, y, to - from, BAR);
    if (to - from > 60)
        printf("<text x=\"%.0f\" y=\"%d\" fill=\"%s\">key %u: %s</text>\n", from + 5, y + BAR - 4,
               b->slot == ESP_SLOT_CURRENT ? "#fff" : "#333", b->generation,
               b->slot == ESP_SLOT_NEXT      ? "receives"
               : b->slot == ESP_SLOT_CURRENT ? "sends and receives"
                                             : "still receives");
}

/* From the server's lane to the member's: an arrow, or a cross where it was lost. */
static void draw_mark(const struct picture *p, const struct mark *m)
{
    size_t member = m->from ? m->from : m->to;
    double x = x_of(p, m->at) + 5.0 * (double)member - 8 + (m->kind == WIRE_ACK ? 2.5 : 0);
    int top = y_of(0) + 2 * BAR + 4, bottom = y_of(member) - 4;
    int lost_at = bottom - 12;

    printf("<line class=\"%s%s\" x1=\"%.0f\" y1=\"%d\" x2=\"%.0f\" y2=\"%d\"/>\n",
           wire_kind_name(m->kind), m->lost ? " lost" : "", x, top, x, m->lost ? lost_at : bottom);
    if (m->lost)
        printf("<path class=\"x\" d=\"M%.0f %dl8 8m0 -8l-8 8\"/>\n", x - 4, lost_at - 4);
    else
        printf("<circle class=\"%s\" cx=\"%.0f\" cy=\"%d\" r=\"2.5\" fill=\"#fff\"/>\n",
               wire_kind_name(m->kind), x, m->from ? top : bottom);
}

static void draw_legend(const struct picture *p)
{
    static const struct {
        const char *class, *what;
    } lines[] = {{"push", "push"},
                 {"ack", "acknowledgement"},
                 {"heartbeat", "heartbeat"},
                 {"pull", "registration"}};
    int y = y_of(p->story.world.n_nodes) + 40;
    int x = LEFT;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++, x += 150) {
        printf("<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke-width=\"2\"/>\n",
               lines[i].class, x, y, x + 24, y);
        printf("<text x=\"%d\" y=\"%d\">%s</text>\n", x + 30, y + 4, lines[i].what);
    }
    printf("<path class=\"x\" d=\"M%d %dl8 8m0 -8l-8 8\"/>\n", x, y - 4);
    printf("<text x=\"%d\" y=\"%d\">lost on the way</text>\n", x + 16, y + 4);
}

static void draw(const struct picture *p)
{
    draw_head(p);
    draw_guide(p, p->made, "key made, pushed", 0);
    draw_guide(p, p->switched, "everybody switches", 0);
    draw_guide(p, p->dropped, "old key dropped", 0);
    for (size_t i = 0; i < p->story.world.n_nodes; i++)
        draw_lane(p, i);
    for (size_t i = 0; i < p->n_marks; i++)
        draw_mark(p, &p->marks[i]);
    for (size_t i = 0; i < p->n_bars; i++)
        draw_bar(p, &p->bars[i]);
    draw_legend(p);
    printf("</svg>\n");
}

static instant_t instant_of(const char *seconds)
{
    return (instant_t){span_s(WORLD_START_S + strtol(seconds, NULL, 10)).ns};
}

int main(int argc, char **argv)
{
    static struct picture p;
    const char *text;

    if (argc != 4) {
        fprintf(stderr, "usage: sim_timeline FILE FROM TO\n");
        return 2;
    }
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        return 1;
    struct script *script = script_read(argv[1]);
    p.from = instant_of(argv[2]);
    p.to = instant_of(argv[3]);
    p.story.quiet = true;
    p.story.on_built = on_built;
    script_run(script, 0, &p.story);
    world_run(&p.story.world, p.to);
    read_truth(&p);
    draw(&p);
    story_end(&p.story);
    free(script);
    crypto_stop();
    return p.story.n_failed > 0;
}

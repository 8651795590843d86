#include "sim/check_push.h"

#include "sim/check.h"
#include "sim/disk.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The server remembers no more contents than it sends within the life of two KEKs. */
enum { CONTENTS = 4096 };

struct content {
    uint8_t kek[KEK_SPI];
    uint32_t seq;
    uint64_t hash;
};
struct check_pushes {
    struct content contents[CONTENTS]; /* the newest ones, in a ring */
    uint64_t n_contents;
    struct { /* what each node was sent last */
        uint8_t kek[KEK_SPI];
        uint32_t seq;
    } last[WORLD_NODES_MAX][2]; /* under the KEK and the one before */
    struct check_pushes_report report;
};

struct check_pushes *check_pushes_new(void)
{
    struct check_pushes *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    return c;
}

void check_pushes_free(struct check_pushes *c) { free(c); }

struct check_pushes_report check_pushes_report(const struct check_pushes *c) { return c->report; }

__attribute__((noreturn)) static void broken(const struct world *w, const char *law, const char *to,
                                             uint32_t seq)
{
    char who[64];

    snprintf(who, sizeof who, "%s SEQ %" PRIu32, to, seq);
    check_broken(w, law, who);
}

/* The keys in it; the KEK that it comes under was durable when the server told of it, and may be
 * forgotten by now: deletes are repeated. */
static bool is_durable(struct disk *disk, const struct opened *push)
{
    struct bytes iv, key;

    for (size_t i = 0; i < push->kd.n_teks; i++) {
        if (!disk_holds(disk, STORE_TEK, push->kd.teks[i].cipher_key))
            return false;
    }
    return !push->kd.has_kek ||
           (gdoi_kek_split(&push->sa.sak, push->kd.kek.iv_and_key, &iv, &key) == ERR_OK &&
            disk_holds(disk, STORE_KEK, key));
}

void check_pushes_content(struct check_pushes *c, const struct world *w, struct disk *disk,
                          const struct opened *push)
{
    size_t n = c->n_contents < CONTENTS ? (size_t)c->n_contents : CONTENTS;

    if (!is_durable(disk, push))
        broken(w, "nothing undurable is ever sent", "a push", push->seq);
    for (size_t i = 0; i < n; i++) {
        const struct content *old = &c->contents[i];
        if (old->seq != push->seq || !bytes_equal(BYTES_OF(old->kek), BYTES_OF(push->kek->spi)))
            continue;
        if (old->hash != push->content)
            broken(w, "one SEQ means one content", "a push", push->seq);
        return;
    }
    struct content *new = &c->contents[c->n_contents++ % CONTENTS];
    *new = (struct content){.seq = push->seq, .hash = push->content};
    memcpy(new->kek, push->kek->spi, KEK_SPI);
    c->report.contents++;
}

void check_pushes_to(struct check_pushes *c, const struct world *w, size_t to, enum wire_kind kind,
                     const struct opened *push)
{
    const char *name = w->nodes[to].name;
    size_t at = 0;

    c->report.datagrams++;
    if (kind == WIRE_PUSH && instant_reached(w->nodes[to].removed_at, w->now))
        broken(w, "a removed member never gets a later key", name, push->seq);
    while (at < 2 && !bytes_equal(BYTES_OF(c->last[to][at].kek), BYTES_OF(push->kek->spi)))
        at++;
    if (at == 2) { /* a new KEK: the older of the two is over */
        c->last[to][0] = c->last[to][1];
        at = 1;
        memcpy(c->last[to][1].kek, push->kek->spi, KEK_SPI);
        c->last[to][1].seq = 0;
    }
    if (push->seq < c->last[to][at].seq) /* equal: a copy, and its content was compared */
        broken(w, "SEQ strictly grows for each member", name, push->seq);
    c->last[to][at].seq = push->seq;
}

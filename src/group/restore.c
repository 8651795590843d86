#include "group/restore.h"

#include <stdlib.h>

/* ---- TEKs ---- */

static int newest_tek_first(const void *a, const void *b)
{
    const struct generation *const *x = a, *const *y = b;

    return (*x)->number < (*y)->number ? 1 : (*x)->number > (*y)->number ? -1 : 0;
}

/* From the newest to the oldest: the first that has not switched is NEXT, the first that has is
 * CURRENT, and the one before it PREVIOUS until the drop_at of the current one. While there is a
 * NEXT there is no PREVIOUS: a changeover is over before another one starts. One that has ended had
 * replaced all before it, whatever is left of their lives. */
static struct generation **slot_for(struct group_sa *sa, const struct generation *t, instant_t now)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];

    if (!current && !instant_reached(t->time.switch_at, now))
        return sa->slot[GROUP_NEXT] ? NULL : &sa->slot[GROUP_NEXT];
    if (!current)
        return &sa->slot[GROUP_CURRENT];
    if (sa->slot[GROUP_NEXT] || sa->slot[GROUP_PREVIOUS] ||
        instant_reached(current->time.drop_at, now))
        return NULL;
    return &sa->slot[GROUP_PREVIOUS];
}

void group_restore_teks(struct group *g, struct group_sa *sa, struct generation **teks, size_t n,
                        instant_t now, const struct group_listener *listener)
{
    bool ended = false;

    qsort(teks, n, sizeof(struct generation *), newest_tek_first);
    for (size_t i = 0; i < n; i++) {
        ended = ended || instant_reached(teks[i]->time.expiry, now);
        struct generation **slot = ended ? NULL : slot_for(sa, teks[i], now);
        if (teks[i]->number > sa->numbers)
            sa->numbers = teks[i]->number;
        if (slot) {
            *slot = teks[i];
            continue;
        }
        listener->tell(listener->to, GROUP_DROPPED, g, sa, teks[i]);
        mint_drop(g->mint, teks[i]);
    }
}

/* ---- KEKs ---- */

static int newest_kek_first(const void *a, const void *b)
{
    const struct kek_generation *const *x = a, *const *y = b;

    return (*x)->number < (*y)->number ? 1 : (*x)->number > (*y)->number ? -1 : 0;
}

void group_restore_keks(struct group *g, struct kek_generation **keks, size_t n, instant_t now,
                        const struct group_listener *listener)
{
    size_t slot = GROUP_KEK_CURRENT;
    bool ended = false;

    qsort(keks, n, sizeof(struct kek_generation *), newest_kek_first);
    for (size_t i = 0; i < n; i++) {
        if (keks[i]->number > g->kek_numbers)
            g->kek_numbers = keks[i]->number;
        ended = ended || instant_reached(keks[i]->expiry, now);
        if (slot < GROUP_KEK_SLOTS && !ended) {
            g->kek[slot++] = keks[i];
            continue;
        }
        listener->tell_kek(listener->to, GROUP_DROPPED, g, keks[i]);
        kek_free(keks[i]);
    }
}

#include "group/wishes.h"

#include "group/group.h"

/* The more urgent one stays. */
static void wish(struct group *g, const struct group_sa *sa, enum group_sa_wish what)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if ((!sa || sa == &g->sas[i]) && g->sas[i].wish < what)
            g->sas[i].wish = what;
    }
}

void group_rekey(struct group *g, struct group_sa *sa) { wish(g, sa, GROUP_SA_REKEY); }
void group_rekey_later(struct group *g, struct group_sa *sa) { wish(g, sa, GROUP_SA_JOINS); }
void group_rekey_kek(struct group *g) { g->wishes.kek = true; }

void group_exclude(struct group *g, span_t spread)
{
    g->wishes.exclusion = true;
    g->wishes.spread = span_max(span_min(spread, GROUP_SPREAD_MAX), g->wishes.spread);
}

void group_postpone_wishes(struct group *g)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].wish == GROUP_SA_REKEY || g->wishes.exclusion)
            g->sas[i].wish = GROUP_SA_JOINS;
    }
    g->wishes = (struct group_wishes){0};
}

bool group_has_wishes(const struct group *g)
{
    bool any = g->wishes.kek || g->wishes.exclusion;

    for (size_t i = 0; i < g->n_sas; i++)
        any = any || g->sas[i].wish != GROUP_SA_NO_WISH;
    return any;
}

struct group_wishes group_wishes_left(const struct group *g)
{
    bool exclusion = g->wishes.exclusion && !g->minted_excludes;

    return (struct group_wishes){.kek = g->wishes.kek && !g->kek[GROUP_KEK_MINTED],
                                 .exclusion = exclusion,
                                 .spread = exclusion ? g->wishes.spread : span_s(0)};
}

enum group_sa_wish group_sa_wish_left(const struct group_sa *sa)
{
    return sa->slot[GROUP_MINTED] ? GROUP_SA_NO_WISH : sa->wish;
}

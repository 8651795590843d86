#include "cmd/privilege.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A name, else a number. */
static struct privilege_group look_up(const char *name)
{
    struct privilege_group g = {.name = name};
    const struct group *found = getgrnam(name);
    char *end;

    if (found) {
        g.known = true;
        g.gid = found->gr_gid;
    } else if (name[0] >= '0' && name[0] <= '9') {
        unsigned long n = strtoul(name, &end, 10);
        g.known = *end == '\0' && n < (gid_t)-1;
        g.gid = (gid_t)n;
    }
    snprintf(g.holders, sizeof g.holders, "root, or in the Unix group %.64s%s", name,
             g.known ? "" : " (which this machine does not have)");
    return g;
}

struct privileges privileges_of(const char *view_group, const char *control_group)
{
    struct privileges p = {.own = geteuid()};

    p.groups[CTL_VIEW] = look_up(view_group ? view_group : PRIVILEGE_VIEW_GROUP);
    p.groups[CTL_CONTROL] = look_up(control_group ? control_group : PRIVILEGE_CONTROL_GROUP);
    return p;
}

static bool is_in(const struct host_peer *peer, const struct privilege_group *g)
{
    bool found = peer->gid == g->gid;

    for (size_t i = 0; i < peer->n_groups; i++)
        found = found || peer->groups[i] == g->gid;
    return g->known && found;
}

enum ctl_class privilege_class(const struct privileges *p, const struct host_peer *peer)
{
    if (!peer->known)
        return CTL_NONE;
    if (peer->uid == 0 || peer->uid == p->own || is_in(peer, &p->groups[CTL_CONTROL]))
        return CTL_CONTROL;
    return is_in(peer, &p->groups[CTL_VIEW]) ? CTL_VIEW : CTL_NONE;
}

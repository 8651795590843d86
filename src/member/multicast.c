/* Which multicast groups have to be heard: those that the DST of a held SAK names (decisions S27).
 * A member that hears nothing there registers again in time like any other. */
#include "member/vpn.h"

#include <string.h>

static bool same(const struct membership *a, const struct membership *b)
{
    return ip_equal(a->group, b->group) && strcmp(a->interface, b->interface) == 0;
}

static bool wants(const struct vpn *v, const struct membership *of)
{
    const struct kek *const keks[] = {&v->keks.current, &v->keks.previous};

    if (!v->model->external_interface)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(keks); i++) {
        struct membership s = {keks[i]->group, v->model->external_interface};
        if (keks[i]->present && same(&s, of))
            return true;
    }
    return false;
}

static bool anybody_wants(const struct member *m, const struct membership *of)
{
    for (size_t i = 0; i < m->n_vpns; i++) {
        if (wants(&m->vpns[i], of))
            return true;
    }
    return false;
}

static void leave(struct member *m, struct effects *out)
{
    for (size_t i = 0; i < m->n_memberships;) {
        const struct membership s = m->memberships[i];
        if (anybody_wants(m, &s)) {
            i++;
            continue;
        }
        effects_multicast(out, false, s.group, s.interface);
        m->memberships[i] = m->memberships[--m->n_memberships];
    }
}

static void join(struct member *m, const struct vpn *v, const struct kek *k, struct effects *out)
{
    struct membership s = {k->group, v->model->external_interface};

    if (!k->present || ip_is_any(s.group) || !s.interface)
        return;
    for (size_t i = 0; i < m->n_memberships; i++) {
        if (same(&m->memberships[i], &s))
            return;
    }
    m->memberships[m->n_memberships++] = s;
    effects_multicast(out, true, s.group, s.interface);
}

void multicast_follow(struct member *m, struct effects *out)
{
    leave(m, out);
    for (size_t i = 0; i < m->n_vpns; i++) {
        join(m, &m->vpns[i], &m->vpns[i].keks.current, out);
        join(m, &m->vpns[i], &m->vpns[i].keks.previous, out);
    }
}

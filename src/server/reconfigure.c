/* A running server under another configuration, all or nothing: what may fail comes first and
 * changes nothing, then every pointer into the old model moves over, then change.h's table says
 * what becomes of keys and members. */
#include "server/change.h"
#include "server/gateways.h"
#include "server/groups.h"
#include "server/leaving.h"
#include "server/limits.h"
#include "server/live.h"
#include "server/operator.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/server_check.h"
#include "server/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One commit on its way. */
struct commit {
    struct server *s;
    instant_t now;
    const struct model_server *to;
    struct effects *out;
    struct arena arena; /* of the commit itself */
    const struct model_change *changes;
    struct certified certified; /* the server's and the new ones */
    struct phase1_peer *peers;
    uint64_t *listed;
    struct phase1_peers *index;
    const struct phase1_peer **heirs;             /* of the old gateways' phase 1; NULL: none */
    const struct model_server_gateway **gateways; /* the old gateways, now; NULL: gone */
    struct group **groups;                        /* of the new model, in its order */
};

/* ---- what may fail ---- */

static void match_gateways(struct commit *c)
{
    const struct model_server *from = c->s->model;
    struct map names = {0};

    for (size_t i = 0; i < c->to->n_gateways; i++)
        map_put(&names, bytes_str(c->to->gateways[i].name), &c->peers[i]);
    c->heirs = arena_alloc(&c->arena, (from->n_gateways + 1) * sizeof(struct phase1_peer *));
    c->gateways =
        arena_alloc(&c->arena, (from->n_gateways + 1) * sizeof(struct model_server_gateway *));
    for (size_t i = 0; i < from->n_gateways; i++) {
        const struct phase1_peer *peer = map_get(&names, bytes_str(from->gateways[i].name));
        if (!peer)
            continue;
        c->gateways[i] = peer->owner;
        if (model_gateway_same_phase1(&from->gateways[i], peer->owner))
            c->heirs[i] = peer;
    }
    map_free(&names);
}

/* Groups that end stay until their members have been told. */
static enum err check_leaving(const struct commit *c)
{
    size_t n = c->s->n_leaving + c->s->n_groups;

    for (size_t i = 0; i < c->to->n_groups; i++)
        n -= c->groups[i] != NULL;
    if (n <= SERVER_LEAVING_MAX)
        return ERR_OK;
    return server_cannot(
        c->out, ERR_LIMIT, &c->to->where,
        "members of too many removed groups are still being told: try again later");
}

static enum err prepare(struct commit *c, const struct server_config *config)
{
    enum err e = server_check(c->to, c->out);

    if (!e)
        e = certified_copy(&c->s->certified, &c->certified);
    if (!e)
        e = certified_take(&c->certified, config->certificates, config->n_certificates);
    if (!e)
        e = server_check_certificates(c->s, c->to, &c->certified, c->out);
    c->groups = calloc(c->to->n_groups + 1, sizeof(struct group *));
    if (!e)
        e = c->groups ? server_gateways(c->to, &c->peers, &c->listed) : ERR_NOMEM;
    for (size_t i = 0; !e && i < c->to->n_groups; i++) /* with another group-id: another group */
        c->groups[i] = server_group_by_id(c->s, c->to->groups[i].id);
    if (!e)
        e = check_leaving(c);
    if (e)
        return e;
    struct phase1_config peers = server_phase1_config(c->to, c->peers);
    e = phase1_peers_new(&peers, &c->s->drbg, &c->index);
    if (e)
        return e;
    match_gateways(c);
    c->changes = model_diff(c->s->model, c->to, &c->arena);
    return ERR_OK;
}

static void give_up(struct commit *c)
{
    certified_free(&c->certified);
    free(c->peers);
    free(c->listed);
    free(c->groups);
}

/* ---- who has to go ---- */

static bool serves(const struct model_server *model, struct ip address)
{
    for (size_t i = 0; i < model->n_groups; i++) {
        if (ip_equal(model->groups[i].server_address, address))
            return true;
    }
    return false;
}

/* Phase 1 goes on with the same gateway, the same keys, at an address that is still ours. */
static bool ends(const struct phase1_sa *sa, const void *commit)
{
    const struct commit *c = commit;

    return !c->heirs[phase1_peer(sa) - c->s->peers] || !serves(c->to, phase1_local(sa).ip);
}

static bool lives(const struct commit *c, const struct group *g)
{
    for (size_t i = 0; i < c->to->n_groups; i++) {
        if (c->groups[i] == g)
            return true;
    }
    return false;
}

/* One that ends is no group of the server's any more, whoever asks before everything has moved. */
static void end_groups(struct commit *c)
{
    struct server *s = c->s;

    for (size_t i = 0; i < s->n_groups;) {
        struct group *g = s->groups[i];
        if (lives(c, g)) {
            i++;
            continue;
        }
        pull_end_group(s, g, c->out);
        leaving_add(s, c->now, g, c->out);
        memmove(s->groups + i, s->groups + i + 1, (--s->n_groups - i) * sizeof(struct group *));
    }
}

/* ---- everything moves over ---- */

/* Where the member belongs in the new model; NULL: the group lists its gateway no more. */
static const struct model_server_gateway *place_of(const struct commit *c,
                                                   const struct registry_member *m, size_t group)
{
    const struct model_server_gateway *now = c->gateways[m->gateway - c->s->model->gateways];

    return now && c->listed[now - c->to->gateways] >> group & 1 ? now : NULL;
}

static bool has_outsiders(const struct commit *c, const struct group *g, size_t at)
{
    for (size_t i = 0; i < g->registry.n; i++) {
        if (!place_of(c, g->registry.members[i], at))
            return true;
    }
    return false;
}

static void move_members(struct commit *c, struct group *g, size_t at)
{
    for (size_t i = g->registry.n; i-- > 0;) {
        struct registry_member *m = g->registry.members[i];
        const struct model_server_gateway *now = place_of(c, m, at);
        if (now)
            m->gateway = now;
        else
            live_forget(g, m, "its gateway is not in the group's ike-gateway list any more",
                        c->out);
    }
}

static void move_groups(struct commit *c)
{
    for (size_t i = 0; i < c->to->n_groups; i++) {
        if (!c->groups[i]) {
            c->groups[i] = server_group_new(c->s, &c->to->groups[i]);
            leaving_return(c->s, c->groups[i]);
            continue;
        }
        groups_forget_minted(c->s, c->groups[i], c->out);
        if (has_outsiders(c, c->groups[i], i)) {
            live_shut_out(c->s, c->groups[i]);
            order_wish(c->s, c->groups[i], c->out);
        }
        move_members(c, c->groups[i], i);
        groups_adopt(c->s, c->groups[i], &c->to->groups[i], c->out);
    }
}

static void take_over(struct commit *c)
{
    struct server *s = c->s;

    phase1_peers_replace(s->phase1, c->index, c->heirs);
    certified_free(&s->certified);
    s->certified = c->certified;
    free(s->peers);
    free(s->listed);
    free(s->groups);
    s->peers = c->peers;
    s->listed = c->listed;
    s->groups = c->groups;
    s->n_groups = c->to->n_groups;
    s->model = c->to;
}

static void carry_out(struct commit *c)
{
    live_tell(c->changes, c->out);
    live_farewell(c->s, c->now, c->changes, c->out);
    end_groups(c);
    server_end_phase1(c->s, ends, c, c->out);
    move_groups(c);
    take_over(c);
    server_use_certificates(c->s);
    signing_update(c->s, c->now, c->out);
    live_apply(c->s, c->now, c->changes, c->out);
    groups_advance(c->s, c->now, c->out);
    push_timer(c->s, c->now, c->out);
}

enum err server_reconfigure(struct server *s, instant_t now, const struct server_config *config,
                            struct effects *out)
{
    struct commit c = {.s = s, .now = now, .to = config->model, .out = out};
    enum err e = prepare(&c, config);

    if (e)
        give_up(&c);
    else
        carry_out(&c);
    arena_free(&c.arena);
    return e;
}

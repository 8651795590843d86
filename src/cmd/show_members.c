/* Members of groups: who is registered, who was removed, and what registrations and pushes came to.
 * There may be a million of them, so the list is made in pieces. */
#include "cmd/show.h"
#include "host/clock.h"
#include "server/ban.h"
#include "server/members.h"
#include "server/push.h"
#include "server/server.h"

enum { MEMBERS_PIECE = 200 }; /* in one go: some ten kilobytes */

/* ---- registered members ---- */

static const char *status_of(const struct registry_member *m)
{
    return m->status == REGISTRY_STRUCK ? "struck" : "active";
}

static void put_detail(struct ctl_wr *w, const struct group *g, const struct registry_member *m)
{
    ctl_put_time(w, "registered", host_wall_of(registry_since(m)));
    ctl_put_bool(w, "peer-native", m->native);
    ctl_put_bool(w, "acknowledges", m->native || m->proven);
    ctl_put_bool(w, "has-newest-keys", m->version == (uint16_t)g->version);
    ctl_section(w, "stats");
    ctl_put_u64(w, "pull-succeeded", m->pulls_succeeded);
    ctl_put_u64(w, "pull-failed", m->pulls_failed);
    ctl_put_u64(w, "push-unacknowledged", m->unanswered);
    ctl_end(w);
}

struct members {
    struct ctl_wr *w;
    const struct group *g;
    bool detail;
    size_t n;
};

static void put_member(void *ctx, const struct registry_member *m)
{
    struct members *all = ctx;
    struct ctl_wr *w = all->w;

    all->n++;
    ctl_section(w, NULL);
    ctl_put_str(w, "member-gateway", m->gateway->name);
    ctl_put_ip(w, "member-ip", m->remote.ip);
    ctl_put_time(w, "last-update", host_wall_of(m->updated));
    ctl_put_str(w, "vsys", "root");
    ctl_put_str(w, "status", status_of(m));
    if (m->status == REGISTRY_STRUCK) {
        ctl_put_time(w, "struck", host_wall_of(registry_struck(m)));
        ctl_put_str(w, "reason", registry_reason_text((enum registry_reason)m->reason));
    }
    if (all->detail)
        put_detail(w, all->g, m);
    ctl_end(w);
}

static enum err members(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                        char sentence[CTL_SENTENCE_MAX])
{
    const struct show *s = ctx;
    enum err e = show_groups_check(s->server, r, sentence);

    if (e == ERR_OK)
        ctl_list(reply, "group");
    return e;
}

static void enter(const struct group *g, struct ctl_cursor *at, struct ctl_wr *w)
{
    size_t n_struck = members_struck(g);

    at->id = g->model->id;
    at->inside = true;
    at->at = 0;
    ctl_section(w, NULL);
    show_put_group(w, g);
    ctl_put_u64(w, "registered-members", g->registry.n - n_struck);
    ctl_put_u64(w, "struck-members", n_struck);
    ctl_list(w, "member");
}

static void leave(struct ctl_cursor *at, struct ctl_wr *w)
{
    at->inside = false;
    at->item++;
    ctl_end(w);
    ctl_end(w);
}

/* The group whose turn it is, with its section open; NULL: there is none left. The configuration
 * may have changed since the last piece: of a group that is not at its place any more there is no
 * more.
 */
static const struct group *next_group(const struct show *s, const struct ctl_request *r,
                                      struct ctl_cursor *at, struct ctl_wr *w)
{
    while (at->item < server_n_groups(s->server)) {
        const struct group *g = server_group(s->server, at->item);
        if (at->inside && at->id == g->model->id)
            return g;
        if (at->inside) {
            leave(at, w);
        } else if (show_group_asked(r, g->model)) {
            enter(g, at, w);
            return g;
        } else {
            at->item++;
        }
    }
    if (at->inside)
        leave(at, w);
    return NULL;
}

static bool more_members(void *ctx, const struct ctl_request *r, struct ctl_cursor *at,
                         struct ctl_wr *reply)
{
    struct members all = {.w = reply, .detail = ctl_request_has(r, "detail")};

    while ((all.g = next_group(ctx, r, at, reply))) {
        do
            at->at = registry_scan(&all.g->registry, at->at, put_member, &all);
        while (at->at != 0 && all.n < MEMBERS_PIECE);
        if (at->at != 0)
            return false;
        leave(at, reply);
    }
    ctl_end(reply);
    return true;
}

/* ---- removed members ---- */

static const char *gateway_of(const struct group *g, const struct ban *b)
{
    for (size_t i = 0; i < g->model->n_gateways; i++) {
        const struct model_server_gateway *each = g->model->gateways[i];
        struct model_identity id = each->remote.type ? each->remote : each->dynamic;
        if (id.type == MODEL_ID_NONE)
            id = (struct model_identity){MODEL_ID_IPV4, bytes(each->address.b, 4)};
        if (id.type == b->identity.type && bytes_equal(id.value, b->identity.value))
            return each->name;
    }
    return NULL; /* it is in no list any more */
}

static void put_removed(const struct show *s, struct ctl_wr *w, const struct group *g, bool detail)
{
    size_t cursor = 0;
    const struct ban *b;

    (void)detail;
    ctl_list(w, "member");
    while ((b = ban_next(server_bans(s->server), &cursor))) {
        if (b->group_id != g->model->id)
            continue;
        ctl_section(w, NULL);
        ctl_put_str(w, "member-gateway", gateway_of(g, b));
        if (b->address.version != 0)
            ctl_put_ip(w, "member-ip", b->address);
        ctl_put_time(w, "removed", host_wall_of(b->since));
        show_put_identity(w, "identity", b->identity);
        ctl_end(w);
    }
    ctl_end(w);
}

static enum err removed(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                        char sentence[CTL_SENTENCE_MAX])
{
    return show_put_groups(ctx, r, reply, put_removed, sentence);
}

/* ---- statistics ---- */

static uint64_t refused_acks(const struct push_counters *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ERR_COUNT; i++)
        sum += c->acks_refused[i];
    return sum;
}

static void put_statistics(const struct show *s, struct ctl_wr *w, const struct group *g,
                           bool detail)
{
    const struct push_counters *c = &g->push->counters;

    (void)s;
    (void)detail;
    ctl_section(w, "stats");
    ctl_put_u64(w, "pull-succeeded", g->counters.pulls_succeeded);
    ctl_put_u64(w, "pull-failed", g->counters.pulls_failed);
    ctl_put_u64(w, "pull-exceed-member-threshold", g->counters.pulls_exceeding);
    ctl_put_u64(w, "pull-refused", g->counters.pulls_refused);
    ctl_put_u64(w, "push-sent", c->pushed);
    ctl_put_u64(w, "push-acknowledged", c->acks);
    ctl_put_u64(w, "push-unacknowledged", members_awaiting(g));
    ctl_put_u64(w, "push-messages", c->rounds);
    ctl_put_u64(w, "push-failed", c->failed);
    ctl_put_u64(w, "heartbeats-sent", c->heartbeats);
    ctl_put_u64(w, "deletes-sent", c->deletes);
    ctl_put_u64(w, "acknowledgements-repeated", c->acks_repeated);
    ctl_put_u64(w, "acknowledgements-refused", refused_acks(c));
    ctl_put_u64(w, "members-struck", c->struck);
    ctl_put_u64(w, "members-reinstated", c->reinstated);
    ctl_end(w);
}

static enum err statistics(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                           char sentence[CTL_SENTENCE_MAX])
{
    return show_put_groups(ctx, r, reply, put_statistics, sentence);
}

void show_members_handlers(struct ctl_service *service)
{
    service->handlers[CTL_SHOW_SERVER_MEMBERS] = (struct ctl_handler){members, more_members};
    service->handlers[CTL_SHOW_SERVER_REMOVED].answer = removed;
    service->handlers[CTL_SHOW_SERVER_STATISTICS].answer = statistics;
}

#include "model/diff.h"

#include "base/map.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *statement, *what;
} changes[MODEL_CHANGE_COUNT] = {
#define X(id, statement, what) [id] = {statement, what},
    MODEL_CHANGE_LIST(X)
#undef X
};

const char *model_change_statement(enum model_change_kind kind) { return changes[kind].statement; }
const char *model_change_what(enum model_change_kind kind) { return changes[kind].what; }

/* ---- what is the same ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Without telling by its time where they differ. */
static bool same_secret(struct bytes a, struct bytes b)
{
    unsigned differ = a.len != b.len;

    for (size_t i = 0; i < a.len && i < b.len; i++)
        differ |= (unsigned)(a.data[i] ^ b.data[i]);
    return differ == 0;
}

static bool same_identity(const struct model_identity *a, const struct model_identity *b)
{
    return a->type == b->type && (a->type == MODEL_ID_NONE || bytes_equal(a->value, b->value));
}

static bool same_ike_proposal(const struct model_ike_proposal *a,
                              const struct model_ike_proposal *b)
{
    return a->auth == b->auth && a->hash == b->hash && a->dh_group == b->dh_group &&
           a->cipher == b->cipher && a->key_bits == b->key_bits && a->lifetime_s == b->lifetime_s;
}

/* Without what the proposals say. */
static bool same_ike_policy(const struct model_ike_policy *a, const struct model_ike_policy *b)
{
    if (a->mode != b->mode || a->n_proposals != b->n_proposals || !same_secret(a->psk, b->psk))
        return false;
    for (size_t i = 0; i < a->n_proposals; i++) {
        if (!same_text(a->proposals[i]->name, b->proposals[i]->name))
            return false;
    }
    return true;
}

/* Without what the policy says. */
static bool same_gateway(const struct model_server_gateway *a, const struct model_server_gateway *b)
{
    return ip_equal(a->address, b->address) && ip_equal(a->local_address, b->local_address) &&
           same_identity(&a->dynamic, &b->dynamic) && same_identity(&a->local, &b->local) &&
           same_identity(&a->remote, &b->remote);
}

bool model_gateway_same_phase1(const struct model_server_gateway *a,
                               const struct model_server_gateway *b)
{
    const struct model_ike_policy *x = a->policy, *y = b->policy;

    if (!same_gateway(a, b) || x->mode != y->mode || x->n_proposals != y->n_proposals ||
        !same_secret(x->psk, y->psk))
        return false;
    for (size_t i = 0; i < x->n_proposals; i++) {
        if (!same_ike_proposal(x->proposals[i], y->proposals[i]))
            return false;
    }
    return true;
}

static bool same_algorithms(const struct model_ipsec_proposal *a,
                            const struct model_ipsec_proposal *b)
{
    return a->cipher == b->cipher && a->key_bits == b->key_bits && a->auth == b->auth;
}

static bool same_policy(const struct model_match_policy *a, const struct model_match_policy *b)
{
    return prefix_equal(a->source, b->source) && prefix_equal(a->destination, b->destination) &&
           a->source_port == b->source_port && a->destination_port == b->destination_port &&
           a->protocol == b->protocol;
}

static bool covers(const struct model_ipsec_sa *a, const struct model_ipsec_sa *b)
{
    for (size_t i = 0; i < b->n_policies; i++) {
        size_t k = 0;
        while (k < a->n_policies && !same_policy(&a->policies[k], &b->policies[i]))
            k++;
        if (k == a->n_policies)
            return false;
    }
    return true;
}

bool model_ipsec_sa_same_traffic(const struct model_ipsec_sa *a, const struct model_ipsec_sa *b)
{
    return covers(a, b) && covers(b, a);
}

/* ---- lists of named things ---- */

/* Everything that has a name has it first, and its place behind it. */
struct named {
    const char *name;
    struct model_where where;
};
#define IS_NAMED(type)                                                                             \
    static_assert(offsetof(struct type, name) == offsetof(struct named, name) &&                   \
                      offsetof(struct type, where) == offsetof(struct named, where),               \
                  "a list of these can be compared by name")
IS_NAMED(model_ike_proposal);
IS_NAMED(model_ike_policy);
IS_NAMED(model_server_gateway);
IS_NAMED(model_ipsec_sa);
IS_NAMED(model_match_policy);

struct list {
    const void *first;
    size_t n, stride;
    bool of_pointers; /* to the things */
};
#define LIST(items, count) ((struct list){(items), (count), sizeof *(items), false})

static const void *item(struct list l, size_t i)
{
    const void *at = (const char *)l.first + i * l.stride;
    return l.of_pointers ? *(const void *const *)at : at;
}

static const char *name_of(const void *thing) { return *(const char *const *)thing; }

static const struct model_where *where_of(const void *thing)
{
    return (const struct model_where *)((const char *)thing + offsetof(struct named, where));
}

/* The names are the operator's own: the map's seed need not be secret. */
static void index_names(struct map *m, struct list l)
{
    for (size_t i = 0; i < l.n; i++) {
        const void *thing = item(l, i);
        union {
            const void *in;
            void *out;
        } value = {.in = thing};
        if (!map_get(m, bytes_str(name_of(thing))))
            map_put(m, bytes_str(name_of(thing)), value.out);
    }
}

/* ---- the differences ---- */

struct differ {
    struct arena *arena;
    const struct model_change **tail;
    const struct model_group *from, *to; /* the group at hand */
    const char *sa;                      /* the ipsec-sa at hand */
};

static void found(struct differ *d, enum model_change_kind kind, const char *name, const char *part,
                  const struct model_where *where)
{
    struct model_change *c = arena_alloc(d->arena, sizeof *c);

    *c = (struct model_change){
        .kind = kind, .from = d->from, .to = d->to, .name = name, .part = part, .where = where};
    *d->tail = c;
    d->tail = &c->next;
}

/* What happened to the things of a list. MODEL_CHANGE_COUNT: of no consequence by itself. */
struct walk {
    enum model_change_kind removed, added;
    void (*told)(struct differ *d, enum model_change_kind kind, const void *thing);
    void (*both)(struct differ *d, const void *from, const void *to); /* NULL: nothing to compare */
};

static void walk_removed(struct differ *d, struct list from, const struct map *now,
                         const struct walk *w)
{
    for (size_t i = 0; i < from.n && w->removed != MODEL_CHANGE_COUNT; i++) {
        const void *thing = item(from, i);
        if (!map_get(now, bytes_str(name_of(thing))))
            w->told(d, w->removed, thing);
    }
}

static void walk_present(struct differ *d, struct list to, const struct map *before,
                         const struct walk *w)
{
    for (size_t i = 0; i < to.n; i++) {
        const void *thing = item(to, i), *was = map_get(before, bytes_str(name_of(thing)));
        if (was && w->both)
            w->both(d, was, thing);
        if (!was && w->added != MODEL_CHANGE_COUNT)
            w->told(d, w->added, thing);
    }
}

static void walk(struct differ *d, struct list from, struct list to, const struct walk *w)
{
    struct map before = {0}, now = {0};

    index_names(&before, from);
    index_names(&now, to);
    walk_removed(d, from, &now, w);
    walk_present(d, to, &before, w);
    map_free(&before);
    map_free(&now);
}

static void told_by_name(struct differ *d, enum model_change_kind kind, const void *thing)
{
    found(d, kind, name_of(thing), NULL, where_of(thing));
}

/* ---- phase 1 ---- */

static void ike_proposal(struct differ *d, const void *from, const void *to)
{
    const struct model_ike_proposal *was = from, *is = to;

    if (!same_ike_proposal(was, is))
        found(d, MODEL_IKE_PROPOSAL_CHANGED, is->name, NULL, &is->where);
}

static void ike_policy(struct differ *d, const void *from, const void *to)
{
    const struct model_ike_policy *was = from, *is = to;

    if (!same_ike_policy(was, is))
        found(d, MODEL_IKE_POLICY_CHANGED, is->name, NULL, &is->where);
}

static void gateway(struct differ *d, const void *from, const void *to)
{
    const struct model_server_gateway *was = from, *is = to;

    if (!same_gateway(was, is) || !same_text(was->policy->name, is->policy->name))
        found(d, MODEL_GATEWAY_CHANGED, is->name, NULL, &is->where);
}

static void phase1(struct differ *d, const struct model_server *from, const struct model_server *to)
{
    static const struct walk proposals = {MODEL_CHANGE_COUNT, MODEL_CHANGE_COUNT, told_by_name,
                                          ike_proposal},
                             policies = {MODEL_CHANGE_COUNT, MODEL_CHANGE_COUNT, told_by_name,
                                         ike_policy},
                             gateways = {MODEL_GATEWAY_REMOVED, MODEL_GATEWAY_ADDED, told_by_name,
                                         gateway};

    walk(d, LIST(from->ike_proposals, from->n_ike_proposals),
         LIST(to->ike_proposals, to->n_ike_proposals), &proposals);
    walk(d, LIST(from->ike_policies, from->n_ike_policies),
         LIST(to->ike_policies, to->n_ike_policies), &policies);
    walk(d, LIST(from->gateways, from->n_gateways), LIST(to->gateways, to->n_gateways), &gateways);
}

/* ---- an ipsec-sa ---- */

static void told_policy(struct differ *d, enum model_change_kind kind, const void *thing)
{
    found(d, kind, d->sa, name_of(thing), where_of(thing));
}

static void match_policy(struct differ *d, const void *from, const void *to)
{
    const struct model_match_policy *was = from, *is = to;

    if (!same_policy(was, is))
        found(d, MODEL_POLICY_CHANGED, d->sa, is->name, &is->where);
}

static void ipsec_sa(struct differ *d, const void *from, const void *to)
{
    static const struct walk policies = {MODEL_POLICY_REMOVED, MODEL_POLICY_ADDED, told_policy,
                                         match_policy};
    const struct model_ipsec_sa *was = from, *is = to;

    d->sa = is->name;
    if (!same_algorithms(was->proposal, is->proposal))
        found(d, MODEL_SA_PROPOSAL_CHANGED, is->name, NULL, &is->where);
    if (was->proposal->lifetime_s != is->proposal->lifetime_s)
        found(d, MODEL_SA_LIFETIME_CHANGED, is->name, NULL, &is->where);
    walk(d, LIST(was->policies, was->n_policies), LIST(is->policies, is->n_policies), &policies);
    d->sa = NULL;
}

/* ---- server-member-communication ---- */

static void multicast(struct differ *d, const struct model_communication *was,
                      const struct model_communication *is)
{
    if (was->type != MODEL_PUSH_MULTICAST || is->type != MODEL_PUSH_MULTICAST)
        return;
    if (!ip_equal(was->multicast_group, is->multicast_group))
        found(d, MODEL_MULTICAST_GROUP_CHANGED, NULL, NULL, &is->where);
    if (!same_text(was->multicast_interface, is->multicast_interface))
        found(d, MODEL_MULTICAST_INTERFACE_CHANGED, NULL, NULL, &is->where);
}

static void communication_options(struct differ *d, const struct model_communication *was,
                                  const struct model_communication *is)
{
    const struct {
        enum model_change_kind kind;
        bool same;
    } options[] = {
        {MODEL_CERTIFICATE_CHANGED, same_text(was->certificate, is->certificate)},
        {MODEL_KEK_CIPHER_CHANGED, was->cipher == is->cipher && was->key_bits == is->key_bits},
        {MODEL_KEK_HASH_CHANGED, was->sig_hash == is->sig_hash},
        {MODEL_KEK_LIFETIME_CHANGED, was->lifetime_s == is->lifetime_s},
        {MODEL_HEARTBEAT_CHANGED, was->heartbeat_s == is->heartbeat_s},
        {MODEL_RETRANSMISSIONS_CHANGED, was->n_retransmission == is->n_retransmission},
        {MODEL_RETRANSMISSION_PERIOD_CHANGED,
         was->retransmission_period_s == is->retransmission_period_s},
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!options[i].same)
            found(d, options[i].kind, NULL, NULL, &is->where);
    }
}

static void communication(struct differ *d, const struct model_communication *was,
                          const struct model_communication *is)
{
    if (was->present != is->present) {
        found(d, is->present ? MODEL_COMMUNICATION_ADDED : MODEL_COMMUNICATION_REMOVED, NULL, NULL,
              is->present ? &is->where : &was->where);
        return;
    }
    if (!is->present)
        return;
    if (was->type != is->type)
        found(d, MODEL_COMMUNICATION_TYPE_CHANGED, NULL, NULL, &is->where);
    multicast(d, was, is);
    communication_options(d, was, is);
}

/* ---- a group ---- */

static void anti_replay(struct differ *d, const struct model_group *was,
                        const struct model_group *is)
{
    uint32_t before = was->anti_replay_window_ms, now = is->anti_replay_window_ms;

    if ((before == 0) != (now == 0))
        found(d, MODEL_ANTI_REPLAY_SWITCHED, NULL, NULL, &is->where);
    else if (before != now)
        found(d, MODEL_WINDOW_CHANGED, NULL, NULL, &is->where);
}

static void group_lists(struct differ *d, const struct model_group *was,
                        const struct model_group *is)
{
    static const struct walk members = {MODEL_UNLISTED, MODEL_LISTED, told_by_name, NULL},
                             sas = {MODEL_SA_REMOVED, MODEL_SA_ADDED, told_by_name, ipsec_sa};

    walk(d, (struct list){was->gateways, was->n_gateways, sizeof *was->gateways, true},
         (struct list){is->gateways, is->n_gateways, sizeof *is->gateways, true}, &members);
    walk(d, LIST(was->sas, was->n_sas), LIST(is->sas, is->n_sas), &sas);
}

static void group(struct differ *d, const struct model_group *was, const struct model_group *is)
{
    d->from = was;
    d->to = is;
    if (!same_text(was->name, is->name))
        found(d, MODEL_GROUP_RENAMED, NULL, NULL, &is->where);
    if (!ip_equal(was->server_address, is->server_address))
        found(d, MODEL_SERVER_ADDRESS_CHANGED, NULL, NULL, &is->where);
    if (!same_text(was->description, is->description))
        found(d, MODEL_DESCRIPTION_CHANGED, NULL, NULL, &is->where);
    if (was->member_threshold != is->member_threshold)
        found(d, MODEL_MEMBER_THRESHOLD_CHANGED, NULL, NULL, &is->where);
    if (was->atd_s != is->atd_s)
        found(d, MODEL_ATD_CHANGED, NULL, NULL, &is->where);
    anti_replay(d, was, is);
    group_lists(d, was, is);
    communication(d, &was->communication, &is->communication);
    d->from = d->to = NULL;
}

static const struct model_group *by_name(const struct model_server *s, const char *name)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (same_text(s->groups[i].name, name))
            return &s->groups[i];
    }
    return NULL;
}

/* The group of that name in the other model, when both groups' numbers are in one model only: it
 * has got another number. Else NULL. */
static const struct model_group *renumbered(const struct model_group *g,
                                            const struct model_server *mine,
                                            const struct model_server *other)
{
    const struct model_group *same = by_name(other, g->name);

    return same && !model_group_by_id(mine, same->id) ? same : NULL;
}

static void told_group(struct differ *d, enum model_change_kind kind,
                       const struct model_group *from, const struct model_group *to)
{
    d->from = from;
    d->to = to;
    found(d, kind, NULL, NULL, to ? &to->where : &from->where);
    d->from = d->to = NULL;
}

static void groups(struct differ *d, const struct model_server *from, const struct model_server *to)
{
    for (size_t i = 0; i < from->n_groups; i++) {
        const struct model_group *g = &from->groups[i], *now = renumbered(g, from, to);
        if (!model_group_by_id(to, g->id))
            told_group(d, now ? MODEL_GROUP_ID_CHANGED : MODEL_GROUP_REMOVED, g, now);
    }
    for (size_t i = 0; i < to->n_groups; i++) {
        const struct model_group *g = &to->groups[i], *was = model_group_by_id(from, g->id);
        if (was)
            group(d, was, g);
        else if (!renumbered(g, to, from))
            told_group(d, MODEL_GROUP_ADDED, NULL, g);
    }
}

const struct model_change *model_diff(const struct model_server *from,
                                      const struct model_server *to, struct arena *arena)
{
    const struct model_change *first = NULL;
    struct differ d = {.arena = arena, .tail = &first};

    phase1(&d, from, to);
    groups(&d, from, to);
    return first;
}

const struct model_change *model_diff_group(const struct model_group *from,
                                            const struct model_group *to, struct arena *arena)
{
    const struct model_change *first = NULL;
    struct differ d = {.arena = arena, .tail = &first};

    group(&d, from, to);
    return first;
}

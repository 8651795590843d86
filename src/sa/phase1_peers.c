/* Which configured peer a stranger may be. In main mode the address alone decides, because the key
 * is needed before the identity can be read (RFC 2409 5.4); in aggressive mode address and
 * identity, or the identity of a dynamic gateway. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdlib.h>

static bool same_identity(const struct model_identity *a, const struct model_identity *b)
{
    return a->type == b->type && (a->type == MODEL_ID_NONE || bytes_equal(a->value, b->value));
}

static bool conflict(const struct phase1_peer *a, const struct phase1_peer *b)
{
    return ip_equal(a->address, b->address) && ip_equal(a->local_address, b->local_address) &&
           same_identity(&a->remote, &b->remote);
}

static struct bytes address_key(const struct ip *ip) { return bytes(ip, sizeof *ip); }

static struct bytes identity_key(struct arena *a, uint8_t type, struct bytes value)
{
    uint8_t *key = arena_alloc(a, value.len + 1);
    key[0] = type;
    if (value.len)
        memcpy(key + 1, value.data, value.len);
    return bytes(key, value.len + 1);
}

/* Appends, so that chains keep the order of the configuration. */
static enum err index_address(struct phase1_peers *t, struct phase1_slot *slot)
{
    struct phase1_slot *at = map_get(&t->by_address, address_key(&slot->peer->address));
    if (!at) {
        map_put(&t->by_address, address_key(&slot->peer->address), slot);
        return ERR_OK;
    }
    for (;; at = at->same_address) {
        if (conflict(at->peer, slot->peer))
            return ERR_CONFLICT;
        if (!at->same_address)
            break;
    }
    at->same_address = slot;
    return ERR_OK;
}

static enum err index_identity(struct phase1_peers *t, struct phase1_slot *slot)
{
    const struct model_identity *id = &slot->peer->remote;
    slot->identity_key = identity_key(&t->arena, (uint8_t)id->type, id->value);
    struct phase1_slot *at = map_get(&t->by_identity, slot->identity_key);
    if (!at) {
        map_put(&t->by_identity, slot->identity_key, slot);
        return ERR_OK;
    }
    for (;; at = at->same_identity) {
        if (conflict(at->peer, slot->peer))
            return ERR_CONFLICT;
        if (!at->same_identity)
            break;
    }
    at->same_identity = slot;
    return ERR_OK;
}

static enum err index_peers(struct phase1_peers *t)
{
    for (size_t i = 0; t->config.responder && i < t->config.n_peers; i++) {
        struct phase1_slot *slot = arena_alloc(&t->arena, sizeof *slot);
        slot->peer = &t->config.peers[i];
        enum err e =
            ip_is_any(slot->peer->address) ? index_identity(t, slot) : index_address(t, slot);
        if (e)
            return e;
    }
    return ERR_OK;
}

static void seed(struct drbg *drbg, struct map *m)
{
    m->seed[0] = drbg_u64(drbg);
    m->seed[1] = drbg_u64(drbg);
}

/* Frees what the struct holds, not the struct. */
void phase1_peers_clear(struct phase1_peers *p)
{
    map_free(&p->by_address);
    map_free(&p->by_identity);
    arena_free(&p->arena);
}

enum err phase1_peers_new(const struct phase1_config *config, struct drbg *drbg,
                          struct phase1_peers **ret)
{
    struct phase1_peers *p = phase1_zeroed(sizeof *p);

    p->config = *config;
    seed(drbg, &p->by_address);
    seed(drbg, &p->by_identity);
    enum err e = index_peers(p);
    if (e)
        phase1_peers_free(p);
    else
        *ret = p;
    return e;
}

void phase1_peers_free(struct phase1_peers *p)
{
    if (p)
        phase1_peers_clear(p);
    free(p);
}

/* The same place in the same policy: an heir's phase 1 means the same. */
static const struct model_ike_proposal *proposal_of_heir(const struct phase1_sa *sa,
                                                         const struct phase1_peer *heir)
{
    const struct model_ike_policy *was = sa->peer->policy;

    for (size_t i = 0; i < was->n_proposals; i++) {
        if (was->proposals[i] == sa->proposal)
            return heir->policy->proposals[i];
    }
    return sa->proposal; /* NULL: an initiator that does not know yet */
}

static void inherit(const struct phase1_table *t, struct phase1_sa *sa,
                    const struct phase1_peer *const *heirs)
{
    const struct phase1_peer *heir = heirs[sa->peer - t->peers.config.peers];

    assert(heir && heir->policy->n_proposals == sa->peer->policy->n_proposals);
    sa->proposal = proposal_of_heir(sa, heir);
    sa->peer = heir;
}

void phase1_peers_replace(struct phase1_table *t, struct phase1_peers *now,
                          const struct phase1_peer *const *heirs)
{
    struct map pairs = {.seed = {t->by_pair.seed[0], t->by_pair.seed[1]}};
    struct phase1_sa *sa;
    size_t cursor = 0;

    phase1_free_dead(t);
    while ((sa = phase1_next(t, &cursor)))
        inherit(t, sa, heirs);
    cursor = 0;
    while ((sa = map_next(&t->by_pair, &cursor)))
        map_put(&pairs, phase1_pair_key(sa), sa);
    map_free(&t->by_pair);
    t->by_pair = pairs;
    phase1_peers_clear(&t->peers);
    t->peers = *now;
    free(now);
}

static bool is_local(const struct phase1_peer *p, struct ip local)
{
    return ip_is_any(p->local_address) || ip_equal(p->local_address, local);
}

/* ERR_UNEXPECTED with *ret set: known, but for the other mode only. */
enum err phase1_peer_for_main(const struct phase1_table *t, struct ip remote, struct ip local,
                              const struct phase1_peer **ret)
{
    enum err e = ERR_UNKNOWN_PEER;
    const struct phase1_slot *s = map_get(&t->peers.by_address, address_key(&remote));

    for (; s; s = s->same_address) {
        if (!is_local(s->peer, local))
            continue;
        if (s->peer->policy->mode == MODEL_MODE_MAIN) {
            *ret = s->peer;
            return ERR_OK;
        }
        *ret = s->peer;
        e = ERR_UNEXPECTED;
    }
    return e;
}

static const struct phase1_slot *first_dynamic(const struct phase1_table *t,
                                               const struct ike1_id *id)
{
    uint8_t key[1 + IKE1_ID_DATA_MAX];
    assert(id->data.len <= IKE1_ID_DATA_MAX); /* ike1_id_parse() */
    key[0] = id->type;
    memcpy(key + 1, id->data.data, id->data.len);
    return map_get(&t->peers.by_identity, bytes(key, id->data.len + 1));
}

/* Errors as above, and ERR_IDENTITY with *ret set: the address is known, the identity is not his.
 */
enum err phase1_peer_for_aggressive(const struct phase1_table *t, struct ip remote, struct ip local,
                                    const struct ike1_id *id, const struct phase1_peer **ret)
{
    enum err e = ERR_UNKNOWN_PEER;
    const struct phase1_slot *s = map_get(&t->peers.by_address, address_key(&remote));

    for (; s && e != ERR_OK; s = s->same_address) {
        if (!is_local(s->peer, local) || e == ERR_UNEXPECTED)
            continue;
        *ret = s->peer;
        e = !phase1_id_accepted(s->peer, remote, id)         ? ERR_IDENTITY
            : s->peer->policy->mode == MODEL_MODE_AGGRESSIVE ? ERR_OK
                                                             : ERR_UNEXPECTED;
    }
    for (s = first_dynamic(t, id); s && e != ERR_OK; s = s->same_identity) {
        if (!is_local(s->peer, local))
            continue;
        *ret = s->peer;
        e = s->peer->policy->mode == MODEL_MODE_AGGRESSIVE ? ERR_OK : ERR_UNEXPECTED;
    }
    return e;
}

/* Several gateways may share an address and a policy, hence the key: in main mode the authenticated
 * identity tells which of them it is. NULL when none has that identity. */
const struct phase1_peer *phase1_peer_for_id(const struct phase1_table *t,
                                             const struct phase1_sa *sa, const struct ike1_id *id)
{
    const struct phase1_peer *now = sa->peer;
    if (phase1_id_accepted(now, sa->ip, id))
        return now;
    if (sa->initiator)
        return NULL;
    const struct phase1_slot *s = map_get(&t->peers.by_address, address_key(&sa->ip));
    for (; s; s = s->same_address) {
        if (s->peer->policy == now->policy && is_local(s->peer, sa->local.ip) &&
            phase1_id_accepted(s->peer, sa->ip, id))
            return s->peer;
    }
    return NULL;
}

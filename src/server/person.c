#include "server/person.h"

#include "server/operator.h"
#include "server/state.h"

#include <assert.h>

struct model_identity person_identity(const struct person *p)
{
    return (struct model_identity){p->type, bytes(p->value, p->len)};
}

static struct person person_of(struct model_identity id, struct ip address)
{
    struct person p = {.type = id.type, .len = id.value.len, .address = address};

    assert(p.len <= sizeof p.value);
    memcpy(p.value, id.value.data, p.len);
    return p;
}

/* What the peer of that gateway proves to be: exactly one identity (RFC 6407 3.1). */
static struct person person_of_gateway(const struct group *g,
                                       const struct model_server_gateway *gateway)
{
    struct model_identity id =
        gateway->remote.type != MODEL_ID_NONE ? gateway->remote : gateway->dynamic;

    if (id.type == MODEL_ID_NONE)
        id = (struct model_identity){MODEL_ID_IPV4, bytes(gateway->address.b, 4)};
    const struct registry_member *m = registry_find(&g->registry, id);
    return person_of(id, m ? m->remote.ip : gateway->address);
}

static bool is_called(struct model_identity id, const char *text)
{
    char address[IP_TEXT_MAX];
    struct ip ip = {.version = 4};

    if (id.type != MODEL_ID_IPV4)
        return bytes_equal(id.value, bytes_str(text));
    memcpy(ip.b, id.value.data, 4);
    return strcmp(ip_text(ip, address, sizeof address), text) == 0;
}

/* Whether the operator's word is one for that identity, seen at that address. */
static bool is_meant(const struct operator_who *who, struct model_identity id, struct ip address)
{
    if (who->identity)
        return is_called(id, who->identity);
    return who->address.version != 0 && ip_equal(who->address, address);
}

/* The members that are meant: gateways of the group by where they are now, then those that were
 * removed (their gateway may be gone by now). The same one is counted once. */
struct search {
    const struct operator_who *who;
    size_t n;
    struct person found;
};

static void take(struct search *s, const struct person *p)
{
    bool again = s->n > 0 && s->found.type == p->type &&
                 bytes_equal(bytes(s->found.value, s->found.len), bytes(p->value, p->len));

    if (again)
        return;
    s->n++;
    s->found = *p;
}

static void search_gateways(struct search *s, const struct group *g)
{
    for (size_t i = 0; i < g->model->n_gateways; i++) {
        const struct model_server_gateway *gateway = g->model->gateways[i];
        struct person p = person_of_gateway(g, gateway);
        if (s->who->gateway ? strcmp(s->who->gateway, gateway->name) == 0
                            : is_meant(s->who, person_identity(&p), p.address))
            take(s, &p);
    }
}

static void search_bans(struct search *s, const struct bans *bans, const struct group *g)
{
    size_t cursor = 0;
    const struct ban *b;

    while ((b = ban_next(bans, &cursor))) {
        if (b->group_id == g->model->id && is_meant(s->who, b->identity, b->address)) {
            struct person p = person_of(b->identity, b->address);
            take(s, &p);
        }
    }
}

size_t person_find(const struct server *s, const struct group *g, const struct operator_who *who,
                   struct person *ret)
{
    struct search search = {.who = who};

    search_gateways(&search, g);
    search_bans(&search, &s->bans, g);
    if (search.n == 1)
        *ret = search.found;
    return search.n;
}

bool person_may_be_at(const struct person *p, const struct phase1_sa *sa)
{
    const struct phase1_peer *peer = phase1_peer(sa);
    struct model_identity id = {0};

    if (phase1_state(sa) == PHASE1_STATE_UP)
        id = phase1_peer_identity(sa);
    else if (peer)
        id = peer->remote;
    if (id.type == MODEL_ID_NONE)
        return p->type == MODEL_ID_IPV4 && phase1_remote(sa).ip.version == 4 &&
               bytes_equal(bytes(phase1_remote(sa).ip.b, 4), bytes(p->value, p->len));
    return id.type == p->type && bytes_equal(id.value, bytes(p->value, p->len));
}

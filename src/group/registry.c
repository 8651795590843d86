#include "group/registry.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static_assert(REGISTRY_ID_MAX <= UINT8_MAX, "struct registry_member holds it in an octet");

struct registry registry_of(const uint64_t seed[2], size_t max)
{
    struct registry r = {.max = max};

    for (size_t i = 0; i < 2; i++)
        r.by_identity.seed[i] = r.by_address.seed[i] = seed[i];
    return r;
}

void registry_free(struct registry *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->members[i]);
    free(r->members);
    map_free(&r->by_identity);
    map_free(&r->by_address);
    *r = (struct registry){0};
}

static struct bytes id_of(const struct registry_member *m) { return bytes(m->id, m->id_len + 1u); }

/* struct ip has no padding: version and sixteen octets. */
static struct bytes address_of(const struct ip *ip) { return bytes(ip, sizeof *ip); }
static_assert(sizeof(struct ip) == 17, "addresses are keys of a map");

struct registry_member *registry_find(const struct registry *r, struct model_identity identity)
{
    uint8_t id[1 + REGISTRY_ID_MAX];

    if (identity.value.len > REGISTRY_ID_MAX)
        return NULL;
    id[0] = (uint8_t)identity.type;
    memcpy(id + 1, identity.value.data, identity.value.len);
    return map_get(&r->by_identity, bytes(id, 1 + identity.value.len));
}

struct registry_member *registry_at_address(const struct registry *r, struct ip address)
{
    return map_get(&r->by_address, address_of(&address));
}

/* The map's key lives in the first member of the list, so a changed head is put in anew. */
static void link_address(struct registry *r, struct registry_member *m)
{
    m->same_address = map_remove(&r->by_address, address_of(&m->remote.ip));
    map_put(&r->by_address, address_of(&m->remote.ip), m);
}

static void unlink_address(struct registry *r, struct registry_member *m)
{
    struct registry_member *head = map_get(&r->by_address, address_of(&m->remote.ip));

    if (head != m) {
        while (head->same_address != m)
            head = head->same_address;
        head->same_address = m->same_address;
        return;
    }
    map_remove(&r->by_address, address_of(&m->remote.ip));
    if (m->same_address)
        map_put(&r->by_address, address_of(&m->same_address->remote.ip), m->same_address);
}

static enum err make_room(struct registry *r)
{
    if (r->n == r->max)
        return ERR_LIMIT;
    if (r->n < r->room)
        return ERR_OK;
    size_t room = r->room + r->room / 2 + 16;
    struct registry_member **members = realloc(r->members, room * sizeof(struct registry_member *));
    if (!members)
        return ERR_NOMEM;
    r->members = members;
    r->room = room;
    return ERR_OK;
}

static enum err add(struct registry *r, const struct registration *what)
{
    struct bytes value = what->identity.value;

    if (value.len > REGISTRY_ID_MAX)
        return ERR_LENGTH;
    enum err e = make_room(r);
    if (e)
        return e;
    struct registry_member *m = calloc(1, offsetof(struct registry_member, id) + 1 + value.len);
    if (!m)
        return ERR_NOMEM;
    m->id_len = (uint8_t)value.len;
    m->id[0] = (uint8_t)what->identity.type;
    memcpy(m->id + 1, value.data, value.len);
    m->remote = what->remote;
    m->registered = what->now;
    m->at = (uint32_t)r->n;
    r->members[r->n++] = m;
    map_put(&r->by_identity, id_of(m), m);
    link_address(r, m);
    return ERR_OK;
}

static void count(uint16_t *n)
{
    if (*n < UINT16_MAX)
        ++*n;
}

void registry_failed(struct registry_member *m) { count(&m->pulls_failed); }

enum err registry_put(struct registry *r, const struct registration *what)
{
    struct registry_member *m = registry_find(r, what->identity);

    if (!m) {
        enum err e = add(r, what);
        if (e)
            return e;
        m = r->members[r->n - 1];
    }
    if (!ip_equal(m->remote.ip, what->remote.ip)) {
        unlink_address(r, m);
        m->remote.ip = what->remote.ip;
        link_address(r, m);
    }
    m->remote.port = what->remote.port;
    m->gateway = what->gateway;
    m->updated = what->now;
    m->version = what->version;
    m->native = what->native;
    count(&m->pulls_succeeded);
    return ERR_OK;
}

void registry_remove(struct registry *r, struct registry_member *m)
{
    struct registry_member *last = r->members[r->n - 1];

    map_remove(&r->by_identity, id_of(m));
    unlink_address(r, m);
    r->members[m->at] = last;
    last->at = m->at;
    r->n--;
    free(m);
}

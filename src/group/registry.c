#include "group/registry.h"

#include "base/map.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum { FIRST_PLACES = 16 }; /* then doubled: never more members than places */

static_assert(REGISTRY_ID_MAX <= UINT8_MAX, "struct registry_member holds it in an octet");
static_assert(offsetof(struct registry_member, id) <= 80, "a member costs 512 octets in all");

struct registry registry_of(const uint64_t seed[2], size_t max)
{
    return (struct registry){.seed = {seed[0], seed[1]}, .max = max};
}

static void free_tables(struct registry *r)
{
    free(r->places[REGISTRY_BY_IDENTITY]);
    free(r->places[REGISTRY_BY_ADDRESS]);
    free(r->members);
}

void registry_free(struct registry *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->members[i]);
    free_tables(r);
    *r = (struct registry){0};
}

/* ---- the indices ---- */

static struct bytes key_of(const struct registry_member *m, enum registry_index by)
{
    if (by == REGISTRY_BY_IDENTITY)
        return bytes(m->id, m->id_len + 1u);
    return bytes(m->remote.ip.b, sizeof m->remote.ip.b);
}

static struct registry_member **place_of(const struct registry *r, enum registry_index by,
                                         struct bytes key)
{
    return &r->places[by][map_hash(r->seed, key) & (r->n_places - 1)];
}

static void link_in(struct registry *r, enum registry_index by, struct registry_member *m)
{
    struct registry_member **place = place_of(r, by, key_of(m, by));

    m->next[by] = *place;
    *place = m;
}

static void unlink_from(struct registry *r, enum registry_index by, struct registry_member *m)
{
    struct registry_member **at = place_of(r, by, key_of(m, by));

    while (*at != m)
        at = &(*at)->next[by];
    *at = m->next[by];
}

/* From m on along its chain. */
static struct registry_member *search(struct registry_member *m, enum registry_index by,
                                      struct bytes key)
{
    while (m && !bytes_equal(key_of(m, by), key))
        m = m->next[by];
    return m;
}

struct registry_member *registry_find(const struct registry *r, struct model_identity identity)
{
    uint8_t id[1 + REGISTRY_ID_MAX];

    if (identity.value.len > REGISTRY_ID_MAX || r->n == 0)
        return NULL;
    id[0] = (uint8_t)identity.type;
    memcpy(id + 1, identity.value.data, identity.value.len);
    struct bytes key = bytes(id, 1 + identity.value.len);
    return search(*place_of(r, REGISTRY_BY_IDENTITY, key), REGISTRY_BY_IDENTITY, key);
}

bool registry_is(const struct registry_member *m, struct model_identity identity)
{
    return m->id[0] == (uint8_t)identity.type &&
           bytes_equal(bytes(m->id + 1, m->id_len), identity.value);
}

struct registry_member *registry_at_address(const struct registry *r, struct ip address)
{
    struct bytes key = BYTES_OF(address.b);

    if (r->n == 0)
        return NULL;
    return search(*place_of(r, REGISTRY_BY_ADDRESS, key), REGISTRY_BY_ADDRESS, key);
}

struct registry_member *registry_same_address(const struct registry_member *m)
{
    return search(m->next[REGISTRY_BY_ADDRESS], REGISTRY_BY_ADDRESS,
                  key_of(m, REGISTRY_BY_ADDRESS));
}

/* ---- members ---- */

/* Empty tables of n places in *ret; false without memory. */
static bool new_tables(struct registry *ret, size_t n)
{
    ret->n_places = n;
    for (size_t by = 0; by < REGISTRY_INDICES; by++)
        ret->places[by] = calloc(n, sizeof(struct registry_member *));
    ret->members = calloc(n, sizeof(struct registry_member *));
    if (ret->places[REGISTRY_BY_IDENTITY] && ret->places[REGISTRY_BY_ADDRESS] && ret->members)
        return true;
    free_tables(ret);
    return false;
}

static enum err grow(struct registry *r)
{
    struct registry old = *r;

    if (!new_tables(r, old.n_places ? 2 * old.n_places : FIRST_PLACES)) {
        *r = old;
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < r->n; i++) {
        r->members[i] = old.members[i];
        link_in(r, REGISTRY_BY_IDENTITY, r->members[i]);
        link_in(r, REGISTRY_BY_ADDRESS, r->members[i]);
    }
    free_tables(&old);
    return ERR_OK;
}

static int32_t whole_seconds(instant_t at)
{
    return (int32_t)(at.ns / NS_PER_S - (at.ns % NS_PER_S < 0 ? 1 : 0));
}

static enum err add(struct registry *r, const struct registration *what)
{
    struct bytes value = what->identity.value;
    enum err e = ERR_OK;

    if (value.len > REGISTRY_ID_MAX)
        return ERR_LENGTH;
    if (r->n == r->max)
        return ERR_LIMIT;
    if (r->n == r->n_places)
        e = grow(r);
    struct registry_member *m =
        e ? NULL : calloc(1, offsetof(struct registry_member, id) + 1 + value.len);
    if (!m)
        return ERR_NOMEM;
    m->id_len = (uint8_t)value.len;
    m->id[0] = (uint8_t)what->identity.type;
    memcpy(m->id + 1, value.data, value.len);
    m->remote = what->remote;
    m->registered_s = whole_seconds(what->now);
    m->at = (uint32_t)r->n;
    r->members[r->n++] = m; // NOLINT(clang-analyzer-unix.Malloc): grow() has replaced all of *r
    link_in(r, REGISTRY_BY_IDENTITY, m);
    link_in(r, REGISTRY_BY_ADDRESS, m);
    return ERR_OK;
}

static void count(uint16_t *n)
{
    if (*n < UINT16_MAX)
        ++*n;
}

void registry_failed(struct registry_member *m) { count(&m->pulls_failed); }

instant_t registry_since(const struct registry_member *m)
{
    return (instant_t){m->registered_s * NS_PER_S};
}

const char *registry_reason_text(enum registry_reason reason)
{
    static const char *const texts[] = {
#define X(id, text) [id] = (text),
        REGISTRY_REASON_LIST(X)
#undef X
    };

    return texts[reason];
}

bool registry_acknowledged(struct registry_member *m, uint32_t version)
{
    bool was_struck = m->status == REGISTRY_STRUCK;

    m->version = (uint16_t)version;
    m->proven = true;
    m->unanswered = 0;
    m->status = REGISTRY_ACTIVE;
    m->reason = REGISTRY_NO_REASON;
    return was_struck;
}

void registry_strike(struct registry_member *m, enum registry_reason reason, instant_t now)
{
    m->status = REGISTRY_STRUCK;
    m->reason = (uint8_t)reason;
    m->struck_s = whole_seconds(now);
}

instant_t registry_struck(const struct registry_member *m)
{
    return (instant_t){m->struck_s * NS_PER_S};
}

enum err registry_put(struct registry *r, const struct registration *what)
{
    struct registry_member *m = registry_find(r, what->identity);

    if (!m) {
        enum err e = add(r, what);
        if (e)
            return e;
        m = r->members[r->n - 1];
    }
    unlink_from(r, REGISTRY_BY_ADDRESS, m);
    m->remote = what->remote;
    link_in(r, REGISTRY_BY_ADDRESS, m);
    m->gateway = what->gateway;
    m->updated = what->now;
    m->version = (uint16_t)what->version;
    m->native = what->native;
    m->status = REGISTRY_ACTIVE;
    m->reason = REGISTRY_NO_REASON;
    m->unanswered = 0;
    count(&m->pulls_succeeded);
    return ERR_OK;
}

enum err registry_restore(struct registry *r, const struct registration *last,
                          const struct registry_kept *kept)
{
    if (registry_find(r, last->identity))
        return ERR_DUPLICATE;
    enum err e = registry_put(r, last);
    if (e)
        return e;
    struct registry_member *m = r->members[r->n - 1];
    m->registered_s = whole_seconds(kept->first);
    m->struck_s = whole_seconds(kept->struck);
    m->pulls_succeeded = kept->pulls_succeeded;
    m->pulls_failed = kept->pulls_failed;
    m->status = (uint8_t)kept->status;
    m->reason = (uint8_t)kept->reason;
    m->proven = kept->proven;
    return ERR_OK;
}

void registry_remove(struct registry *r, struct registry_member *m)
{
    struct registry_member *last = r->members[r->n - 1];

    unlink_from(r, REGISTRY_BY_IDENTITY, m);
    unlink_from(r, REGISTRY_BY_ADDRESS, m);
    r->members[m->at] = last;
    last->at = m->at;
    r->n--;
    free(m);
}

/* The next place, counted with the bits turned round: when the tables double, place p becomes p and
 * p + n_places, and both or none of them have been visited. */
static size_t next_place(size_t place, size_t n_places)
{
    for (size_t bit = n_places / 2; bit > 0; bit /= 2) {
        place ^= bit;
        if (place & bit)
            return place;
    }
    return 0;
}

size_t registry_scan(const struct registry *r, size_t cursor,
                     void (*fn)(void *ctx, const struct registry_member *m), void *ctx)
{
    if (r->n == 0 || cursor >= r->n_places) /* another registry by now: what was met is all */
        return 0;
    for (const struct registry_member *m = r->places[REGISTRY_BY_IDENTITY][cursor]; m;
         m = m->next[REGISTRY_BY_IDENTITY])
        fn(ctx, m);
    return next_place(cursor, r->n_places);
}

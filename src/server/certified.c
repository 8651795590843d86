#include "server/certified.h"

#include "server/server.h"

#include <stdlib.h>
#include <string.h>

static struct certified_key *named(const struct certified *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->list[i].name, name) == 0)
            return &c->list[i];
    }
    return NULL;
}

static bool is_same(const struct signing_key *a, const struct signing_key *b)
{
    return bytes_equal(bytes(a->spki, a->spki_len), bytes(b->spki, b->spki_len));
}

static enum err add(struct certified *c, const char *name, struct signing_key *key)
{
    struct certified_key *list = reallocarray(c->list, c->n + 1, sizeof *list);
    char *copy = list ? strdup(name) : NULL;

    if (list)
        c->list = list;
    if (!copy)
        return ERR_NOMEM;
    list[c->n++] = (struct certified_key){copy, signing_key_hold(key)};
    return ERR_OK;
}

static enum err take_one(struct certified *c, struct server_certificate *from)
{
    struct certified_key *known = named(c, from->name);
    struct signing_key *key = NULL;
    enum err e = signing_key_new(&from->key, &key);

    if (!e && !known)
        e = add(c, from->name, key);
    if (!e && known && !is_same(known->key, key)) {
        signing_key_release(known->key);
        known->key = signing_key_hold(key);
    }
    signing_key_release(key);
    return e;
}

enum err certified_take(struct certified *c, struct server_certificate *list, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = take_one(c, &list[i]);
    return e;
}

enum err certified_copy(const struct certified *from, struct certified *to)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < from->n && e == ERR_OK; i++)
        e = add(to, from->list[i].name, from->list[i].key);
    return e;
}

struct signing_key *certified_find(const struct certified *c, const char *name)
{
    const struct certified_key *k = named(c, name);

    return k ? k->key : NULL;
}

struct signing_key *certified_with_id(const struct certified *c, const uint8_t id[SIGNING_KEY_ID])
{
    for (size_t i = 0; i < c->n; i++) {
        uint8_t own[SIGNING_KEY_ID];
        signing_key_id(c->list[i].key, own);
        if (bytes_equal(BYTES_OF(own), bytes(id, SIGNING_KEY_ID)))
            return c->list[i].key;
    }
    return NULL;
}

void certified_free(struct certified *c)
{
    for (size_t i = 0; i < c->n; i++) {
        signing_key_release(c->list[i].key);
        free(c->list[i].name);
    }
    free(c->list);
    *c = (struct certified){0};
}

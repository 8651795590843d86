#include "server/certified.h"

#include "server/server.h"

#include <stdlib.h>
#include <string.h>

static enum err take_one(struct certified_key *k, struct server_certificate *from)
{
    k->name = strdup(from->name);
    if (!k->name)
        return ERR_NOMEM;
    return signing_key_new(&from->key, &k->key);
}

enum err certified_take(struct certified *c, struct server_certificate *list, size_t n)
{
    enum err e = ERR_OK;

    c->list = calloc(n + 1, sizeof *c->list);
    if (!c->list)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = take_one(&c->list[c->n++], &list[i]);
    return e;
}

struct signing_key *certified_find(const struct certified *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->list[i].name, name) == 0)
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

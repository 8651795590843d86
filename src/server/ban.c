#include "server/ban.h"

#include <stdlib.h>

enum { KEY_MAX = 4 + 1 + BAN_ID_MAX };

/* The octets that a ban is found by; the identity must not be too long. */
static struct bytes key_of(uint32_t group_id, struct model_identity identity, uint8_t out[KEY_MAX])
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(group_id >> (24 - 8 * i));
    out[4] = (uint8_t)identity.type;
    if (identity.value.len > 0)
        memcpy(out + 5, identity.value.data, identity.value.len);
    return bytes(out, 5 + identity.value.len);
}

const struct ban *ban_find(const struct bans *b, uint32_t group_id, struct model_identity identity)
{
    uint8_t room[KEY_MAX];

    if (b->index.n == 0 || identity.value.len > BAN_ID_MAX)
        return NULL;
    return map_get(&b->index, key_of(group_id, identity, room));
}

enum err ban_put(struct bans *b, uint32_t group_id, struct model_identity identity,
                 struct ip address, instant_t since)
{
    uint8_t room[KEY_MAX];

    if (identity.value.len > BAN_ID_MAX)
        return ERR_LENGTH;
    if (ban_find(b, group_id, identity))
        return ERR_OK;
    if (b->index.n == BANS_MAX)
        return ERR_LIMIT;
    struct bytes key = key_of(group_id, identity, room);
    struct ban *new = calloc(1, sizeof *new + key.len);
    if (!new)
        return ERR_NOMEM;
    *new =
        (struct ban){.since = since, .address = address, .group_id = group_id, .key_len = key.len};
    memcpy(new->key, key.data, key.len);
    new->identity = (struct model_identity){identity.type, bytes(new->key + 5, identity.value.len)};
    map_put(&b->index, bytes(new->key, new->key_len), new);
    return ERR_OK;
}

enum err ban_lift(struct bans *b, uint32_t group_id, struct model_identity identity)
{
    const struct ban *found = ban_find(b, group_id, identity);

    if (!found)
        return ERR_NOT_FOUND;
    free(map_remove(&b->index, bytes(found->key, found->key_len)));
    return ERR_OK;
}

void ban_lift_all(struct bans *b, uint32_t group_id)
{
    struct ban *each, **gone = calloc(b->index.n + 1, sizeof(struct ban *));
    size_t cursor = 0, n = 0;

    if (!gone)
        abort(); /* some pointers, at the operator's word */
    while ((each = map_next(&b->index, &cursor))) {
        if (each->group_id == group_id)
            gone[n++] = each;
    }
    while (n-- > 0)
        free(map_remove(&b->index, bytes(gone[n]->key, gone[n]->key_len)));
    free(gone);
}

const struct ban *ban_next(const struct bans *b, size_t *cursor)
{
    return map_next(&b->index, cursor);
}

void bans_free(struct bans *b)
{
    size_t cursor = 0;
    struct ban *each;

    while ((each = map_next(&b->index, &cursor)))
        free(each);
    map_free(&b->index);
}

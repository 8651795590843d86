#pragma once
/* Members that the operator removed (decisions M18): a phase 1 identity that may not register with
 * a group until the ban is lifted. It outlives the member's row, phase 1 and the process. */
#include "base/instant.h"
#include "base/ip.h"
#include "base/map.h"
#include "model/model.h"

enum { BANS_MAX = 65536, BAN_ID_MAX = 255 };

struct ban {
    instant_t since;
    struct ip address; /* where the member was last seen; IP_NONE: never */
    uint32_t group_id;
    struct model_identity identity; /* a view into this object */
    size_t key_len;
    uint8_t key[]; /* group-id (4), type, value: its place in the index */
};
struct bans {
    struct map index; /* the seed is the owner's to set */
};

/* The ban, or NULL. */
const struct ban *ban_find(const struct bans *b, uint32_t group_id, struct model_identity identity);
/* Adds one; one that is there already stays as it was. ERR_LIMIT beyond BANS_MAX, ERR_LENGTH for an
 * identity of more than BAN_ID_MAX octets. */
MUST_USE enum err ban_put(struct bans *b, uint32_t group_id, struct model_identity identity,
                          struct ip address, instant_t since);
/* ERR_NOT_FOUND. */
MUST_USE enum err ban_lift(struct bans *b, uint32_t group_id, struct model_identity identity);
void ban_lift_all(struct bans *b, uint32_t group_id); /* of that group */
/* All of them in no particular order: start with *cursor = 0, ends with NULL. Do not change them
 * meanwhile. */
const struct ban *ban_next(const struct bans *b, size_t *cursor);
void bans_free(struct bans *b);

#pragma once
/* A hash table from octet keys to pointers. The key lives inside the object that is stored and must
 * not change while it is in. Keys may be chosen by an attacker: the hash (SipHash-1-3) is keyed
 * with a secret seed. */
#include "base/bytes.h"

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t n, room;
    uint64_t seed[2];
};

/* A zeroed map works; set the seed (from the engine's randomness) before the first use. */
void *map_get(const struct map *m, struct bytes key); /* NULL when absent */
/* Puts value under key; the key must be absent and value not NULL. Aborts when out of memory. */
void map_put(struct map *m, struct bytes key, void *value);
void *map_remove(struct map *m, struct bytes key); /* what was there, or NULL */
/* Walks all values in no particular order: start with *cursor = 0, ends with NULL. Do not change
 * the map meanwhile. */
void *map_next(const struct map *m, size_t *cursor);
void map_free(struct map *m); /* frees the table, never the values */
uint64_t map_hash(const uint64_t seed[2], struct bytes key);

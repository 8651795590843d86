#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

/* Linear probing; removal shifts the following run back, so there are no tombstones. */
struct map_slot {
    uint32_t hash, key_len; /* the low half of the hash: a table never has more places than that */
    const uint8_t *key;
    void *value; /* NULL = free */
};

static uint64_t rotl(uint64_t x, int n) { return x << n | x >> (64 - n); }

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

uint64_t map_hash(const uint64_t seed[2], struct bytes key)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
                     seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
    size_t whole = key.len / 8 * 8;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m = load_le(key.data + i, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)key.len << 56;
    if (key.len > whole)
        last |= load_le(key.data + whole, key.len - whole);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct bytes key_of(const struct map_slot *s) { return bytes(s->key, s->key_len); }

static struct map_slot *find(const struct map *m, uint32_t hash, struct bytes key)
{
    size_t i = hash & (m->room - 1);
    while (m->slots[i].value &&
           !(m->slots[i].hash == hash && bytes_equal(key_of(&m->slots[i]), key)))
        i = (i + 1) & (m->room - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, struct bytes key)
{
    return m->room == 0 ? NULL : find(m, (uint32_t)map_hash(m->seed, key), key)->value;
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->room = old.room ? old.room * 2 : 16;
    assert(m->room - 1 <= UINT32_MAX);
    m->slots = calloc(m->room, sizeof *m->slots);
    if (!m->slots)
        abort();
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i].value)
            *find(m, old.slots[i].hash, key_of(&old.slots[i])) = old.slots[i];
    }
    free(old.slots);
}

void map_put(struct map *m, struct bytes key, void *value)
{
    assert(value != NULL && key.len <= UINT32_MAX);
    if (m->n + 1 > m->room / 4 * 3)
        grow(m);
    uint32_t hash = (uint32_t)map_hash(m->seed, key);
    struct map_slot *slot = find(m, hash, key);
    assert(slot->value == NULL);
    *slot = (struct map_slot){hash, (uint32_t)key.len, key.data, value};
    m->n++;
}

void *map_remove(struct map *m, struct bytes key)
{
    if (m->room == 0)
        return NULL;
    struct map_slot *slot = find(m, (uint32_t)map_hash(m->seed, key), key);
    void *value = slot->value;
    if (!value)
        return NULL;
    size_t hole = (size_t)(slot - m->slots), mask = m->room - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->room) {
        void *value = m->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void map_free(struct map *m)
{
    free(m->slots);
    m->slots = NULL;
    m->n = m->room = 0;
}

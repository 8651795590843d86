/* The map against a model: an array with one place for each possible key. */
#include "base/compiler.h"
#include "base/map.h"
#include "test/check.h"

enum { KEYS = 300, STEPS = 60000 };

struct object {
    uint8_t key[2];
    bool in;
};

static struct bytes key_of(const struct object *o) { return bytes(o->key, sizeof o->key); }

static size_t walk(const struct map *m)
{
    size_t cursor = 0, n = 0;
    struct object *o;
    while ((o = map_next(m, &cursor))) {
        assert_true(o->in);
        n++;
    }
    return n;
}

static void assert_same(const struct map *m, struct object *objects)
{
    size_t n = 0;
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(m, key_of(&objects[i])), objects[i].in ? &objects[i] : NULL);
        n += objects[i].in;
    }
    assert_int_equal(m->n, n);
    assert_int_equal(walk(m), n);
}

static void flip(struct map *m, struct object *o)
{
    if (o->in)
        assert_ptr_equal(map_remove(m, key_of(o)), o);
    else
        map_put(m, key_of(o), o);
    o->in = !o->in;
}

static void test_random_operations_equal_the_model(void **state)
{
    (void)state;
    static struct object objects[KEYS];
    struct map m = {.seed = {1, 2}};
    struct dice dice = {30};

    for (size_t i = 0; i < KEYS; i++)
        objects[i] = (struct object){.key = {(uint8_t)(i >> 8), (uint8_t)i}};
    for (int step = 0; step < STEPS; step++) {
        /* a few keys most of the time, so that the table is sometimes nearly empty */
        size_t among = step / 5000 % 2 ? KEYS : 20;
        flip(&m, &objects[dice_below(&dice, among)]);
        if (step % 97 == 0)
            assert_same(&m, objects);
    }
    assert_same(&m, objects);
    map_free(&m);
    assert_int_equal(m.room, 0);
}

/* All keys of one run start at the same slot or wrap past the end of the table: removal in the
 * middle has to shift the right ones back. Every subset of a full run of 12 in a table of 16 is
 * removed and checked. */
static void test_removal_from_runs_that_wrap(void **state)
{
    (void)state;
    enum { RUN = 12, ROOM = 16 };
    struct object o[RUN];
    uint64_t seed[2] = {3, 4};
    uint16_t candidate = 0;

    for (size_t i = 0; i < RUN; candidate++) {
        uint8_t key[2] = {(uint8_t)(candidate >> 8), (uint8_t)candidate};
        size_t home = map_hash(seed, bytes(key, 2)) % ROOM;
        if (home == (i % 3 ? ROOM - 2 : ROOM - 1) || (i % 4 == 3 && home == 0))
            o[i++] = (struct object){.key = {key[0], key[1]}};
    }
    for (unsigned gone = 0; gone < 1u << RUN; gone++) {
        struct map m = {.seed = {3, 4}};
        for (size_t i = 0; i < RUN; i++)
            map_put(&m, key_of(&o[i]), &o[i]);
        assert_int_equal(m.room, ROOM);
        for (size_t i = 0; i < RUN; i++) {
            if (gone >> i & 1)
                assert_ptr_equal(map_remove(&m, key_of(&o[i])), &o[i]);
        }
        for (size_t i = 0; i < RUN; i++)
            assert_ptr_equal(map_get(&m, key_of(&o[i])), gone >> i & 1 ? NULL : &o[i]);
        map_free(&m);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct map m = {0};
    size_t cursor = 0;
    assert_null(map_get(&m, bytes_str("a")));
    assert_null(map_remove(&m, bytes_str("a")));
    assert_null(map_next(&m, &cursor));
    map_free(&m);
}

static void test_keys_of_any_length(void **state)
{
    (void)state;
    static uint8_t zeros[64];
    static int values[65];
    struct map m = {.seed = {5, 6}};

    for (size_t n = 0; n <= 64; n++)
        map_put(&m, bytes(zeros, n), &values[n]);
    for (size_t n = 0; n <= 64; n++)
        assert_ptr_equal(map_get(&m, bytes(zeros, n)), &values[n]);
    map_free(&m);
}

/* SipHash-1-3 with the key zero, as CPython 3.11 hashes octets under PYTHONHASHSEED=0; the last
 * line has the key 00 01 .. 0f, from an implementation that gives the SipHash-2-4 vector of the
 * paper. */
static void test_hash_vectors(void **state)
{
    (void)state;
    static const uint64_t zero[2], key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t octets[64];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    assert_true(map_hash(zero, bytes_str("a")) == 0x407448d2b89b1813);
    assert_true(map_hash(zero, bytes_str("abcdefg")) == 0x6db12aae9070f506);
    assert_true(map_hash(zero, bytes_str("abcdefgh")) == 0x3f7b849c0b8e35ea);
    assert_true(map_hash(zero, bytes_str("abcdefghi")) == 0xf89b34a3d11eb6e5);
    assert_true(map_hash(zero, bytes(octets, 15)) == 0xf30eb725bb91c9ea);
    assert_true(map_hash(zero, bytes(octets, 64)) == 0x75e05fd5bbc870c6);
    assert_true(map_hash(key, bytes(octets, 15)) == 0xd320d86d2a519956);
}

static void test_hash_depends_on_every_input(void **state)
{
    (void)state;
    uint64_t seed[2] = {1, 2}, other[2] = {1, 3}, third[2] = {2, 2};
    uint8_t key[17] = {0};
    uint64_t base = map_hash(seed, bytes(key, 17));

    assert_true(map_hash(other, bytes(key, 17)) != base);
    assert_true(map_hash(third, bytes(key, 17)) != base);
    assert_true(map_hash(seed, bytes(key, 16)) != base);
    for (size_t bit = 0; bit < 17 * 8; bit++) {
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(map_hash(seed, bytes(key, 17)) != base);
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void put_twice(void *value)
{
    struct map m = {0};
    map_put(&m, bytes_str("k"), value);
    map_put(&m, bytes_str("k"), value);
}

static void put_null(void *unused)
{
    (void)unused;
    struct map m = {0};
    map_put(&m, bytes_str("k"), NULL);
}

static void test_misuse_aborts(void **state)
{
    (void)state;
    int value = 0;
    assert_true(aborts(put_twice, &value));
    assert_true(aborts(put_null, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_equal_the_model),
        cmocka_unit_test(test_removal_from_runs_that_wrap),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_keys_of_any_length),
        cmocka_unit_test(test_hash_vectors),
        cmocka_unit_test(test_hash_depends_on_every_input),
        cmocka_unit_test(test_misuse_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

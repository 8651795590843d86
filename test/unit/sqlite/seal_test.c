#include "sqlite/seal.h"

#include "crypto/crypto.h"
#include "test/check.h"

struct world {
    struct arena a;
    struct sealer sealer;
    uint8_t random[SEAL_SALT + AEAD_NONCE];
    struct seal_place place;
    struct bytes value;
};

static struct world world_new(void)
{
    return (struct world){.sealer = {{.len = SEAL_MASTER, .b = {1, 2, 3}}, {4, 5, 6}},
                          .random = {7, 8, 9},
                          .place = {"tek", {(const uint8_t *)"row", 3}},
                          .value = {(const uint8_t *)"a secret", 8}};
}

static struct bytes sealed(struct world *w)
{
    return seal_value(&w->sealer, w->place, w->random, w->value, &w->a);
}

static enum err reopen(struct world *w, struct bytes sealed)
{
    struct bytes value;

    return seal_open(&w->sealer, w->place, sealed, &w->a, &value);
}

static void a_value_comes_back(void **state)
{
    struct world w = world_new();
    struct bytes s = sealed(&w), back;

    (void)state;
    assert_int_equal(s.len, w.value.len + SEAL_OVERHEAD);
    assert_int_equal(seal_open(&w.sealer, w.place, s, &w.a, &back), ERR_OK);
    assert_true(bytes_equal(back, w.value));
    w.value = bytes(NULL, 0);
    s = sealed(&w);
    assert_int_equal(seal_open(&w.sealer, w.place, s, &w.a, &back), ERR_OK);
    assert_int_equal(back.len, 0);
    arena_free(&w.a);
}

static void a_sealed_value_shows_nothing(void **state)
{
    struct world w = world_new();
    struct bytes s = sealed(&w);

    (void)state;
    assert_null(memmem(s.data, s.len, w.value.data, w.value.len));
    arena_free(&w.a);
}

static void any_flipped_bit_is_refused(void **state)
{
    struct world w = world_new();
    struct bytes s = sealed(&w);

    (void)state;
    for (size_t bit = 0; bit < 8 * s.len; bit++) {
        uint8_t *copy = arena_copy(&w.a, s.data, s.len);
        copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(reopen(&w, bytes(copy, s.len)), bit < 8 ? ERR_VERSION : ERR_AUTH);
    }
    arena_free(&w.a);
}

static void what_is_cut_is_refused(void **state)
{
    struct world w = world_new();
    struct bytes s = sealed(&w);

    (void)state;
    for (size_t len = 0; len < s.len; len++)
        assert_int_equal(reopen(&w, bytes(s.data, len)),
                         len < SEAL_OVERHEAD ? ERR_SHORT : ERR_AUTH);
    arena_free(&w.a);
}

static struct world renewed(struct world *w)
{
    arena_free(&w->a);
    return world_new();
}

static void a_value_counts_in_its_place_only(void **state)
{
    struct world w = world_new();
    struct bytes s = sealed(&w);
    struct world other = world_new();

    (void)state;
    other.place.key = BYTES_OF("rox");
    assert_int_equal(reopen(&other, s), ERR_AUTH);
    other = renewed(&other);
    other.place.table = "kek";
    assert_int_equal(reopen(&other, s), ERR_AUTH);
    other = renewed(&other);
    other.sealer.instance[0] ^= 1;
    assert_int_equal(reopen(&other, s), ERR_AUTH);
    other = renewed(&other);
    other.sealer.master.b[31] ^= 1;
    assert_int_equal(reopen(&other, s), ERR_AUTH);
    /* the end of the table's name is not the beginning of the key */
    other = renewed(&other);
    other.place = (struct seal_place){"tekr", bytes_str("ow")};
    assert_int_equal(reopen(&other, s), ERR_AUTH);
    arena_free(&w.a);
    arena_free(&other.a);
}

static int start(void **state)
{
    const char *what;

    (void)state;
    return crypto_start(CRYPTO_USE_ALL, &what) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back),
        cmocka_unit_test(a_sealed_value_shows_nothing),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(a_value_counts_in_its_place_only),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

/* Bans: found by group and identity, kept once, lifted once, listed. */
#include "server/ban.h"

#include "check.h"

static struct model_identity named(const char *name)
{
    return (struct model_identity){MODEL_ID_FQDN, bytes_str(name)};
}

static enum err put(struct bans *b, uint32_t group, const char *name, int64_t s)
{
    return ban_put(b, group, named(name), ip_v4(0x0a000001), (instant_t){s * NS_PER_S});
}

static void a_ban_is_of_one_group_and_one_identity(void **state)
{
    struct bans b = {0};

    (void)state;
    assert_null(ban_find(&b, 7, named("gm1")));
    assert_int_equal(put(&b, 7, "gm1", 100), ERR_OK);
    const struct ban *found = ban_find(&b, 7, named("gm1"));
    assert_non_null(found);
    assert_int_equal(found->group_id, 7);
    assert_int_equal(found->since.ns, 100 * NS_PER_S);
    assert_int_equal(found->identity.type, MODEL_ID_FQDN);
    assert_true(bytes_equal(found->identity.value, bytes_str("gm1")));
    assert_true(ip_equal(found->address, ip_v4(0x0a000001)));
    assert_null(ban_find(&b, 8, named("gm1")));
    assert_null(ban_find(&b, 7, named("gm")));
    assert_null(ban_find(&b, 7, named("gm11")));
    struct model_identity other = {MODEL_ID_USER_FQDN, bytes_str("gm1")};
    assert_null(ban_find(&b, 7, other));
    bans_free(&b);
}

static void it_is_kept_once_and_lifted_once(void **state)
{
    struct bans b = {0};
    size_t cursor = 0;

    (void)state;
    assert_int_equal(ban_lift(&b, 7, named("gm1")), ERR_NOT_FOUND);
    assert_int_equal(put(&b, 7, "gm1", 100), ERR_OK);
    assert_int_equal(put(&b, 7, "gm1", 200), ERR_OK);
    assert_int_equal(put(&b, 7, "gm2", 300), ERR_OK);
    assert_int_equal(ban_find(&b, 7, named("gm1"))->since.ns, 100 * NS_PER_S);
    assert_int_equal(ban_lift(&b, 7, named("gm1")), ERR_OK);
    assert_int_equal(ban_lift(&b, 7, named("gm1")), ERR_NOT_FOUND);
    assert_int_equal(ban_next(&b, &cursor)->since.ns, 300 * NS_PER_S);
    assert_null(ban_next(&b, &cursor));
    bans_free(&b);
}

static void limits_hold(void **state)
{
    static const char longest[BAN_ID_MAX + 1] = {0};
    struct model_identity id = {MODEL_ID_KEY_ID, bytes(longest, BAN_ID_MAX + 1)};
    struct bans b = {0};

    (void)state;
    assert_int_equal(ban_put(&b, 1, id, IP_NONE, (instant_t){0}), ERR_LENGTH);
    assert_int_equal(ban_lift(&b, 1, id), ERR_NOT_FOUND);
    id.value.len = BAN_ID_MAX;
    assert_int_equal(ban_put(&b, 1, id, IP_NONE, (instant_t){0}), ERR_OK);
    assert_non_null(ban_find(&b, 1, id));
    for (uint32_t group = 2; group <= BANS_MAX; group++)
        assert_int_equal(put(&b, group, "gm", 1), ERR_OK);
    assert_int_equal(put(&b, BANS_MAX + 1, "gm", 1), ERR_LIMIT);
    assert_int_equal(put(&b, BANS_MAX, "gm", 1), ERR_OK);
    bans_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ban_is_of_one_group_and_one_identity),
        cmocka_unit_test(it_is_kept_once_and_lifted_once),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

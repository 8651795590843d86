#include "group/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t seed[2] = {1, 2};
static const struct model_server_gateway gateway = {.name = "gm1"};

static struct model_identity name(const char *text)
{
    return (struct model_identity){MODEL_ID_FQDN, bytes_str(text)};
}

static struct registration from(const char *id, uint32_t address, int64_t s)
{
    return (struct registration){.gateway = &gateway,
                                 .identity = name(id),
                                 .remote = {ip_v4(address), 848},
                                 .now = {s * NS_PER_S},
                                 .version = (uint32_t)s,
                                 .native = true};
}

static void put(struct registry *r, const char *id, uint32_t address, int64_t s)
{
    struct registration what = from(id, address, s);
    assert_int_equal(registry_put(r, &what), ERR_OK);
}

static void a_member_is_found_by_identity_and_by_address(void **state)
{
    (void)state;
    struct registry r = registry_of(seed, 10);
    put(&r, "a.example", 0x0a000001, 5);

    struct registry_member *m = registry_find(&r, name("a.example"));
    assert_non_null(m);
    assert_ptr_equal(m, registry_at_address(&r, ip_v4(0x0a000001)));
    assert_ptr_equal(m->gateway, &gateway);
    assert_int_equal(m->pulls_succeeded, 1);
    assert_int_equal(m->version, 5);
    assert_true(m->native);
    assert_null(registry_find(&r, name("b.example")));
    assert_null(
        registry_find(&r, (struct model_identity){MODEL_ID_KEY_ID, bytes_str("a.example")}));
    assert_null(registry_at_address(&r, ip_v4(0x0a000002)));
    registry_free(&r);
}

static void a_second_pull_updates_the_row(void **state)
{
    (void)state;
    struct registry r = registry_of(seed, 10);
    put(&r, "a", 1, 5);
    put(&r, "a", 1, 9);

    struct registry_member *m = registry_find(&r, name("a"));
    assert_int_equal(r.n, 1);
    assert_int_equal(m->pulls_succeeded, 2);
    assert_int_equal(m->updated.ns, 9 * NS_PER_S);
    assert_int_equal(registry_since(m).ns, 5 * NS_PER_S);
    put(&r, "a", 1, 100000);
    assert_int_equal(registry_since(m).ns, 5 * NS_PER_S);
    assert_int_equal(m->updated.ns, 100000 * NS_PER_S);
    registry_free(&r);
}

static void counts_stop_instead_of_wrapping(void **state)
{
    (void)state;
    struct registry r = registry_of(seed, 10);
    for (int i = 0; i < 70000; i++) {
        put(&r, "a", 1, i);
        registry_failed(registry_find(&r, name("a")));
    }
    assert_int_equal(r.members[0]->pulls_succeeded, UINT16_MAX);
    assert_int_equal(r.members[0]->pulls_failed, UINT16_MAX);
    registry_free(&r);
}

static void members_behind_one_address_are_a_list(void **state)
{
    (void)state;
    struct registry r = registry_of(seed, 10);
    put(&r, "a", 1, 1);
    put(&r, "b", 1, 1);
    put(&r, "c", 1, 1);
    registry_remove(&r, registry_find(&r, name("b"))); /* the middle one */
    put(&r, "c", 2, 2);                                /* the head moves away */

    struct registry_member *m = registry_at_address(&r, ip_v4(1));
    assert_ptr_equal(m, registry_find(&r, name("a")));
    assert_null(registry_same_address(m));
    assert_ptr_equal(registry_at_address(&r, ip_v4(2)), registry_find(&r, name("c")));
    registry_remove(&r, m);
    assert_null(registry_at_address(&r, ip_v4(1)));
    assert_int_equal(r.n, 1);
    registry_free(&r);
}

static void limits_hold(void **state)
{
    char text[REGISTRY_ID_MAX + 2];
    (void)state;
    struct registry r = registry_of(seed, 2);
    struct registration what = from("c", 3, 1);

    memset(text, 'x', sizeof text);
    what.identity.value = bytes(text, REGISTRY_ID_MAX + 1);
    assert_int_equal(registry_put(&r, &what), ERR_LENGTH);
    assert_null(registry_find(&r, what.identity));
    what.identity.value = bytes(text, REGISTRY_ID_MAX);
    assert_int_equal(registry_put(&r, &what), ERR_OK);
    put(&r, "a", 1, 1);
    what = from("c", 3, 1);
    assert_int_equal(registry_put(&r, &what), ERR_LIMIT);
    assert_null(registry_find(&r, name("c")));
    put(&r, "a", 1, 2); /* a member that is in already comes again */
    registry_free(&r);
}

/* Random operations against a plain array. */
static void it_agrees_with_a_naive_model(void **state)
{
    enum { IDS = 40, ADDRESSES = 7 };
    struct {
        bool in;
        uint32_t address;
        uint32_t pulls;
    } model[IDS] = {0};
    uint64_t x = 88172645463325252;
    (void)state;
    struct registry r = registry_of(seed, 30);

    for (int step = 0; step < 20000; step++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        size_t id = x % IDS, n = 0;
        uint32_t address = (uint32_t)(x >> 20) % ADDRESSES + 1;
        char text[3] = {'m', (char)('0' + id), 0};
        if (x >> 60 < 6) {
            struct registry_member *m = registry_find(&r, name(text));
            assert_int_equal(m != NULL, model[id].in);
            if (m)
                registry_remove(&r, m);
            model[id].in = false;
            model[id].pulls = 0;
        } else {
            struct registration what = from(text, address, step);
            enum err e = registry_put(&r, &what);
            assert_int_equal(e, !model[id].in && r.n == 30 && e ? ERR_LIMIT : ERR_OK);
            if (!e) {
                model[id].in = true;
                model[id].address = address;
                model[id].pulls++;
            }
        }
        for (size_t i = 0; i < IDS; i++)
            n += model[i].in;
        assert_int_equal(r.n, n);
        for (uint32_t a = 1; a <= ADDRESSES; a++) {
            size_t here = 0, expected = 0;
            for (struct registry_member *m = registry_at_address(&r, ip_v4(a)); m;
                 m = registry_same_address(m))
                here++;
            for (size_t i = 0; i < IDS; i++)
                expected += model[i].in && model[i].address == a;
            assert_int_equal(here, expected);
        }
        for (size_t i = 0; i < r.n; i++) {
            assert_int_equal(r.members[i]->at, i);
            assert_int_equal(r.members[i]->pulls_succeeded, model[r.members[i]->id[2] - '0'].pulls);
        }
    }
    registry_free(&r);
}

/* Who was met, by its number. */
enum { CROWD = 1000 };
struct met {
    unsigned times[2 * CROWD];
};

static void meet(void *ctx, const struct registry_member *m)
{
    struct met *met = ctx;
    char text[16];

    snprintf(text, sizeof text, "%.*s", m->id_len, (const char *)m->id + 1);
    met->times[strtoul(text + 1, NULL, 10)]++;
}

static void put_number(struct registry *r, unsigned n)
{
    char id[16];

    snprintf(id, sizeof id, "m%u", n);
    put(r, id, n + 1, 5);
}

/* From a quarter of the way on the others come or go, one a step. */
static void scan_while(struct registry *r, bool coming, struct met *met)
{
    unsigned n = coming ? CROWD : CROWD / 2, end = coming ? 2 * CROWD : CROWD;
    size_t cursor = 0, steps = 0;

    do {
        cursor = registry_scan(r, cursor, meet, met);
        if (++steps < CROWD / 4 || n == end)
            continue;
        if (coming) {
            put_number(r, n++);
        } else {
            char id[16];
            snprintf(id, sizeof id, "m%u", n++);
            registry_remove(r, registry_find(r, name(id)));
        }
    } while (cursor != 0);
}

static void a_scan_meets_everybody_who_stays(void **state)
{
    struct registry empty = registry_of(seed, 10);
    struct met *met = calloc(1, sizeof *met);

    (void)state;
    assert_int_equal(registry_scan(&empty, 0, meet, met), 0);
    for (unsigned coming = 0; coming < 3; coming++) { /* 2: nobody comes or goes */
        struct registry r = registry_of(seed, 2 * CROWD);
        memset(met, 0, sizeof *met);
        for (unsigned n = 0; n < CROWD; n++)
            put_number(&r, n);
        if (coming < 2)
            scan_while(&r, coming == 1, met);
        for (size_t cursor = 0, first = 1; coming == 2 && (first || cursor); first = 0)
            cursor = registry_scan(&r, cursor, meet, met);
        for (unsigned n = 0; n < (coming ? CROWD : CROWD / 2); n++)
            assert_in_range(met->times[n], 1, coming == 1 ? 2 : 1);
        registry_free(&r);
    }
    free(met);
}

/* Pushes go to who is active; a registration and an acknowledgement make it so again (M15). */
static void who_is_struck_comes_back(void **state)
{
    (void)state;
    struct registry r = registry_of(seed, 10);
    put(&r, "a", 1, 5);
    struct registry_member *m = registry_find(&r, name("a"));
    assert_int_equal(m->status, REGISTRY_ACTIVE);
    assert_false(m->proven);
    m->unanswered = 1;
    registry_strike(m, REGISTRY_SILENT, (instant_t){77 * NS_PER_S + 5});
    assert_int_equal(m->status, REGISTRY_STRUCK);
    assert_int_equal(m->reason, REGISTRY_SILENT);
    assert_int_equal(registry_struck(m).ns, 77 * NS_PER_S);
    assert_true(registry_acknowledged(m, 9 + 65536));
    assert_int_equal(m->status, REGISTRY_ACTIVE);
    assert_int_equal(m->version, 9);
    assert_int_equal(m->unanswered, 0);
    assert_true(m->proven);
    assert_false(registry_acknowledged(m, 10)); /* it was active */
    registry_strike(m, REGISTRY_UNHEARD, (instant_t){0});
    put(&r, "a", 1, 6);
    assert_int_equal(m->status, REGISTRY_ACTIVE);
    assert_int_equal(m->reason, REGISTRY_NO_REASON);
    assert_true(m->proven); /* once is enough */
    assert_true(registry_is(m, name("a")));
    assert_false(registry_is(m, name("b")));
    for (unsigned i = REGISTRY_SILENT; i < REGISTRY_REASON_COUNT; i++)
        assert_true(strlen(registry_reason_text((enum registry_reason)i)) > 0);
    registry_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_by_identity_and_by_address),
        cmocka_unit_test(a_second_pull_updates_the_row),
        cmocka_unit_test(counts_stop_instead_of_wrapping),
        cmocka_unit_test(members_behind_one_address_are_a_list),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(who_is_struck_comes_back),
        cmocka_unit_test(it_agrees_with_a_naive_model),
        cmocka_unit_test(a_scan_meets_everybody_who_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

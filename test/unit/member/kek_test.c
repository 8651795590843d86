/* The KEKs that a member holds: the current one, and the one before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "member/kek.h"

static instant_t at(int64_t s) { return (instant_t){span_s(s).ns}; }

static struct kek kek(uint8_t number, int64_t learned, int64_t expiry)
{
    struct kek k = {.present = true,
                    .server = ip_v4(0xc0000201),
                    .cookies = {{number}, {1}},
                    .cipher = CIPHER_AES_128_CBC,
                    .sig_hash = HASH_SHA256,
                    .iv = {.len = 16},
                    .key = {.len = 16},
                    .sig_key_len = 40,
                    .sequence = number,
                    .learned = at(learned),
                    .expiry = at(expiry)};
    memset(k.key.b, number, 16);
    return k;
}

static uint8_t number(const struct kek *k) { return k->present ? k->cookies.i[0] : 0; }

static void expect(const struct keks *k, uint8_t current, uint8_t previous)
{
    assert_int_equal(number(&k->current), current);
    assert_int_equal(number(&k->previous), previous);
}

static void pull(struct keks *k, int64_t received, struct kek offered)
{
    assert_int_equal(keks_check(k, &offered), ERR_OK);
    keks_pull(k, at(received), &offered);
}

static bool push(struct keks *k, struct kek offered)
{
    assert_int_equal(keks_check(k, &offered), ERR_OK);
    return keks_push(k, &offered);
}

static void a_push_replaces_and_the_old_one_receives(void **state)
{
    (void)state;
    struct keks k = {0};
    pull(&k, 0, kek(1, 0, 100));
    assert_true(push(&k, kek(2, 60, 200)));
    expect(&k, 2, 1);
    assert_int_equal(keks_due(&k).ns, at(102).ns);
    assert_false(push(&k, kek(2, 70, 900))); /* known: not a second longer */
    assert_false(push(&k, kek(1, 70, 900)));
    expect(&k, 2, 1);
    assert_int_equal(k.current.expiry.ns, at(200).ns);
    assert_ptr_equal(keks_find(&k, &k.previous.cookies), &k.previous);
    assert_true(push(&k, kek(3, 80, 300)));
    expect(&k, 3, 2);
    keks_expire(&k, at(201));
    expect(&k, 3, 2);
    keks_expire(&k, at(202));
    expect(&k, 3, 0);
}

/* It receives for a moment longer: the push that replaces it may be on its way. */
static void an_expired_kek_receives_for_a_moment(void **state)
{
    (void)state;
    struct keks k = {0};
    pull(&k, 0, kek(1, 0, 100));
    assert_int_equal(keks_due(&k).ns, at(100).ns);
    keks_expire(&k, at(100));
    expect(&k, 0, 1);
    assert_true(push(&k, kek(2, 101, 200)));
    expect(&k, 2, 1);
    assert_int_equal(keks_due(&k).ns, at(102).ns);
    keks_expire(&k, at(102));
    expect(&k, 2, 0);
    keks_expire(&k, at(250));
    expect(&k, 0, 0);
    assert_true(instant_is_never(keks_due(&k)));
    assert_int_equal(keks_sequence(&k), 0);
}

/* Not a second longer, no older push (decisions M3, RFC 6407 3.3). */
static void a_kek_heard_again_in_a_pull_gains_nothing(void **state)
{
    (void)state;
    struct keks k = {0};
    pull(&k, 0, kek(7, 0, 100));
    struct kek again = kek(7, 50, 200);
    again.sequence = 3;
    pull(&k, 50, again);
    assert_int_equal(k.current.expiry.ns, at(100).ns);
    assert_int_equal(k.current.sequence, 7);
    again.sequence = 9;
    again.expiry = at(90);
    pull(&k, 60, again);
    assert_int_equal(k.current.expiry.ns, at(90).ns);
    assert_int_equal(k.current.sequence, 9);
    expect(&k, 7, 0);
}

static void a_pull_is_the_whole_truth(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek none = {.present = false};
    pull(&k, 0, kek(1, 0, 100));
    pull(&k, 10, kek(2, 10, 200));
    expect(&k, 2, 1);
    pull(&k, 20, kek(1, 20, 100)); /* the server went back: it knows */
    expect(&k, 1, 0);
    pull(&k, 30, none);
    expect(&k, 0, 0);
}

/* What another server of the list gave: who registers here hears no more of it, whatever its
 * numbers are. */
static void another_servers_kek_goes(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek other = kek(2, 50, 200);
    other.server = ip_v4(0xc0000202);
    pull(&k, 0, kek(9, 0, 100));
    pull(&k, 50, other);
    expect(&k, 2, 0);
    pull(&k, 60, kek(1, 0, 100));
    push(&k, kek(3, 71, 200)); /* on its way when the other one was asked */
    pull(&k, 70, other);
    expect(&k, 2, 0);
}

/* It has lost its store, or used up its numbers: nothing of what it sent before is worth hearing.
 */
static void a_server_that_counts_anew_has_no_kek_before(void **state)
{
    (void)state;
    struct keks k = {0};
    pull(&k, 0, kek(30, 0, 100));
    pull(&k, 50, kek(2, 50, 200));
    expect(&k, 2, 0);
    assert_int_equal(keks_sequence(&k), 2);
}

static void old_numbers_are_stale_under_the_kek_before(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek next = kek(2, 50, 200);
    next.sequence = 40;
    pull(&k, 0, kek(30, 0, 100));
    pull(&k, 50, next);
    assert_int_equal(keks_floor(&k, &k.current), 40);
    assert_int_equal(keks_floor(&k, &k.previous), 40);
    k.current.sequence = 3; /* as of a server that counts anew */
    assert_int_equal(keks_floor(&k, &k.current), 3);
    assert_int_equal(keks_floor(&k, &k.previous), 30);
    keks_expire(&k, at(200));
    assert_int_equal(keks_floor(&k, &k.previous), 3);
}

/* ... but not about what a push has brought since message 1 left, whose SEQ it does not know. */
static void a_snapshot_takes_nothing_back(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek none = {.server = ip_v4(0xc0000201)};
    pull(&k, 0, kek(1, 0, 100));
    push(&k, kek(2, 51, 200));
    pull(&k, 50, kek(1, 50, 100));
    expect(&k, 2, 1);
    pull(&k, 50, none);
    expect(&k, 2, 1);
}

/* A push that came under 1 with SEQ 7 overtook message 2, whose snapshot has SEQ 6. */
static void a_push_may_overtake_a_snapshot(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek old = kek(1, 0, 100), newer = kek(3, 0, 300);
    old.sequence = 6;
    newer.sequence = 8;
    pull(&k, 0, old);
    push(&k, kek(2, 51, 200));
    k.previous.sequence = 7;
    pull(&k, 50, old);
    expect(&k, 2, 1);
    assert_int_equal(keks_sequence(&k), 7);
    pull(&k, 50, newer); /* the server knows more than the push told */
    expect(&k, 3, 2);
}

static void another_key_under_a_held_spi_is_a_conflict(void **state)
{
    (void)state;
    struct keks k = {0};
    pull(&k, 0, kek(1, 0, 100));
    push(&k, kek(2, 10, 100));
    for (uint8_t n = 1; n <= 2; n++) {
        struct kek other = kek(n, 20, 100);
        assert_int_equal(keks_check(&k, &other), ERR_OK);
        other.key.b[3] ^= 1;
        assert_int_equal(keks_check(&k, &other), ERR_CONFLICT);
        other = kek(n, 20, 100);
        other.iv.b[3] ^= 1;
        assert_int_equal(keks_check(&k, &other), ERR_CONFLICT);
        other = kek(n, 20, 100);
        other.sig_key[3] ^= 1; /* a new certificate needs a new KEK (decisions M17) */
        assert_int_equal(keks_check(&k, &other), ERR_CONFLICT);
        other = kek(n, 20, 100);
        other.sig_hash = HASH_SHA1;
        assert_int_equal(keks_check(&k, &other), ERR_CONFLICT);
    }
}

static void deletes(void **state)
{
    (void)state;
    struct keks k = {0};
    struct ike1_cookies second = {{2}, {1}}, strange = {{9}, {9}};
    pull(&k, 0, kek(1, 0, 100));
    push(&k, kek(2, 10, 100));
    assert_int_equal(keks_delete(&k, &strange), 0);
    assert_int_equal(keks_delete(&k, &second), 2); /* and what could bring it back */
    expect(&k, 0, 0);
    push(&k, kek(3, 20, 100));
    push(&k, kek(4, 30, 100));
    struct ike1_cookies third = {{3}, {1}};
    assert_int_equal(keks_delete(&k, &third), 1);
    expect(&k, 4, 0);
    push(&k, kek(5, 40, 100));
    assert_int_equal(keks_delete(&k, NULL), 2);
    expect(&k, 0, 0);
}

/* One counter for the group, but only of one server. */
static void the_highest_number_of_the_server(void **state)
{
    (void)state;
    struct keks k = {0};
    struct kek first = kek(1, 0, 100), second = kek(2, 10, 100);
    first.sequence = 50;
    pull(&k, 0, first);
    push(&k, second);
    assert_int_equal(keks_sequence(&k), 50);
    k.current.sequence = 60;
    assert_int_equal(keks_sequence(&k), 60);
    k.current.sequence = 2;
    k.current.server = ip_v4(0xc0000202);
    assert_int_equal(keks_sequence(&k), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_replaces_and_the_old_one_receives),
        cmocka_unit_test(an_expired_kek_receives_for_a_moment),
        cmocka_unit_test(a_kek_heard_again_in_a_pull_gains_nothing),
        cmocka_unit_test(a_pull_is_the_whole_truth),
        cmocka_unit_test(another_servers_kek_goes),
        cmocka_unit_test(a_server_that_counts_anew_has_no_kek_before),
        cmocka_unit_test(old_numbers_are_stale_under_the_kek_before),
        cmocka_unit_test(a_snapshot_takes_nothing_back),
        cmocka_unit_test(a_push_may_overtake_a_snapshot),
        cmocka_unit_test(another_key_under_a_held_spi_is_a_conflict),
        cmocka_unit_test(deletes),
        cmocka_unit_test(the_highest_number_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

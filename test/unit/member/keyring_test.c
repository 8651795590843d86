/* The slots of a member's keys, on the instants of junos.md 3.4 and decisions.md M1-M3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "member/keyring.h"

static instant_t at(int64_t s) { return (instant_t){span_s(s).ns}; }

static struct esp_selector selector(const char *source, const char *destination)
{
    struct esp_selector sel = {0};
    assert_true(prefix_parse(source, false, &sel.source));
    assert_true(prefix_parse(destination, false, &sel.destination));
    return sel;
}

static struct tek *tek_with(uint32_t spi, uint8_t key, int64_t expiry, struct esp_selector sel)
{
    struct tek *t = tek_new();
    t->spi = spi;
    t->server = ip_v4(0xc0000201);
    t->cipher = CIPHER_AES_128_CBC;
    t->auth = AUTH_HMAC_SHA256_128;
    t->key.len = 16;
    memset(t->key.b, key, 16);
    t->auth_key.len = 32;
    memset(t->auth_key.b, key, 32);
    t->expiry = at(expiry);
    t->selectors[0] = sel;
    t->n_selectors = 1;
    tek_set_digest(t);
    return t;
}

static struct tek *tek(uint32_t spi, int64_t expiry)
{
    return tek_with(spi, (uint8_t)spi, expiry, selector("10.0.0.0/8", "10.0.0.0/8"));
}

static enum err pull(struct keyring *k, int64_t now, int32_t atd, int32_t dtd, size_t n,
                     struct tek **teks)
{
    size_t learned = 0;
    struct keyring_offer offer = {.teks = teks,
                                  .n = n,
                                  .atd_s = atd >= 0 ? (uint32_t)atd : 0,
                                  .has_dtd = dtd >= 0,
                                  .dtd_s = dtd >= 0 ? (uint32_t)dtd : 0,
                                  .asked = at(now),
                                  .received = at(now)};
    return keyring_pull(k, at(now), &offer, &learned);
}

static enum err push(struct keyring *k, int64_t now, int32_t atd, int32_t dtd, size_t n,
                     struct tek **teks)
{
    size_t learned = 0;
    struct keyring_offer offer = {.teks = teks,
                                  .n = n,
                                  .waits = true,
                                  .atd_s = atd >= 0 ? (uint32_t)atd : 0,
                                  .has_dtd = dtd >= 0,
                                  .dtd_s = dtd >= 0 ? (uint32_t)dtd : 0,
                                  .asked = at(now),
                                  .received = at(now)};
    for (size_t i = 0; i < n; i++)
        teks[i]->learned = at(now);
    return keyring_push(k, at(now), &offer, &learned);
}

/* How many are forgotten. */
static size_t expire(struct keyring *k, instant_t now)
{
    size_t before = k->n;
    keyring_expire(k, now);
    return before - k->n;
}

static const struct tek *find(const struct keyring *k, uint32_t spi)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->teks[i]->spi == spi)
            return k->teks[i];
    }
    return NULL;
}

static const struct tek *held(const struct keyring *k, uint32_t spi)
{
    const struct tek *t = find(k, spi);
    assert_non_null(t);
    if (!t)
        abort(); /* not reached; the compiler does not know */
    return t;
}

static enum esp_slot slot(const struct keyring *k, uint32_t spi, int64_t now)
{
    return tek_slot(held(k, spi), at(now));
}

static void the_first_key_sends_at_once(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_false(keyring_can_send(&k, at(0)));
    assert_int_equal(pull(&k, 5, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(slot(&k, 256, 5), ESP_SLOT_CURRENT);
    assert_true(keyring_can_send(&k, at(5)));
    assert_int_equal(keyring_end(&k).ns, at(3600).ns);
    keyring_clear(&k);
}

/* Wait 0 is decided by holding no live key, whatever the GAP says (M2). */
static void a_first_key_does_not_wait_for_a_gap(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 5, 25, 40, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(slot(&k, 256, 5), ESP_SLOT_CURRENT);
    keyring_clear(&k);
}

/* L = 3600, ATD = 15: pull at 3555 with GAP 15 / 30, switch at 3570, old key gone at 3585. */
static void a_reregistration_switches_at_3570(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3555, 15, 30, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    assert_int_equal(slot(&k, 256, 3569), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 3569), ESP_SLOT_NEXT);
    assert_int_equal(keyring_due(&k, at(3555)).ns, at(3570).ns);
    assert_int_equal(slot(&k, 256, 3570), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(keyring_due(&k, at(3570)).ns, at(3585).ns);
    assert_int_equal(expire(&k, at(3584)), 0);
    assert_int_equal(expire(&k, at(3585)), 1);
    assert_null(find(&k, 256));
    assert_int_equal(keyring_end(&k).ns, at(7140).ns);
    keyring_clear(&k);
}

/* A newcomer in [created, switch_at): the key with less life left sends at once, GAP speaks for the
 * other. */
static void a_newcomer_in_a_changeover_gets_both(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 3550, 20, 35, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    assert_int_equal(slot(&k, 256, 3550), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 3550), ESP_SLOT_NEXT);
    assert_int_equal(slot(&k, 257, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3570), ESP_SLOT_PREVIOUS);
    assert_int_equal(expire(&k, at(3585)), 1);
    keyring_clear(&k);
}

/* In [switch_at, drop_at) natives also get the previous key, to receive with. */
static void a_newcomer_after_the_switch_receives_stragglers(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *previous = tek(256, 3600);
    previous->receive_only = true;
    assert_int_equal(pull(&k, 3575, 0, 10, 2, (struct tek *[]){tek(257, 7140), previous}), ERR_OK);
    assert_int_equal(slot(&k, 257, 3575), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3575), ESP_SLOT_PREVIOUS);
    assert_int_equal(expire(&k, at(3585)), 1);
    assert_null(find(&k, 256));
    keyring_clear(&k);
}

/* Later messages never move the timers that the first one set (M1), nor extend a life (M3). */
static void a_known_key_is_not_touched(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3550, 20, 35, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    assert_int_equal(pull(&k, 3560, 40, 60, 2, (struct tek *[]){tek(256, 9000), tek(257, 9000)}),
                     ERR_OK);
    assert_int_equal(held(&k, 257)->send_at.ns, at(3570).ns);
    assert_int_equal(held(&k, 257)->expiry.ns, at(7140).ns);
    assert_int_equal(held(&k, 256)->drop_at.ns, at(3585).ns);
    assert_int_equal(held(&k, 256)->expiry.ns, at(3600).ns);
    keyring_clear(&k);
}

/* A PULL is the whole truth: what is not in it and has no successor goes at once. */
static void what_is_not_offered_goes(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *other = tek_with(300, 9, 3600, selector("10.0.0.0/8", "239.0.0.0/8"));
    assert_int_equal(pull(&k, 0, 0, 0, 2, (struct tek *[]){tek(256, 3600), other}), ERR_OK);
    assert_int_equal(k.n, 2);
    assert_int_equal(pull(&k, 10, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_non_null(find(&k, 256));
    assert_null(find(&k, 300));
    keyring_clear(&k);
}

/* A server that lost its keys offers others: the old one still opens what stragglers send, until
 * its drop. */
static void a_server_without_memory_does_not_cut_off(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 100, 10, 25, 1, (struct tek *[]){tek(400, 3700)}), ERR_OK);
    assert_int_equal(slot(&k, 256, 100), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 400, 110), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 110), ESP_SLOT_PREVIOUS);
    assert_int_equal(expire(&k, at(125)), 1);
    keyring_clear(&k);
}

/* S30: no GAP from a foreign server: the new key sends at once, the old one lives to its own
 * expiry. */
static void without_a_gap_the_old_key_lives_on(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, -1, -1, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3550, -1, -1, 1, (struct tek *[]){tek(257, 7000)}), ERR_OK);
    assert_int_equal(slot(&k, 257, 3550), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3550), ESP_SLOT_PREVIOUS);
    assert_int_equal(expire(&k, at(3599)), 0);
    assert_int_equal(expire(&k, at(3600)), 1);
    keyring_clear(&k);
}

static void a_known_spi_with_another_key_is_refused(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    struct tek *forged = tek_with(256, 77, 3600, selector("10.0.0.0/8", "10.0.0.0/8"));
    assert_int_equal(pull(&k, 1, 0, 0, 2, (struct tek *[]){tek(999, 3600), forged}), ERR_CONFLICT);
    assert_int_equal(k.n, 1);
    assert_int_equal(held(&k, 256)->key.b[0], 0);
    keyring_clear(&k);
}

static void too_many_keys_are_refused_whole(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *teks[MEMBER_TEKS_MAX];
    for (size_t i = 0; i < MEMBER_TEKS_MAX; i++) {
        char text[PREFIX_TEXT_MAX];
        snprintf(text, sizeof text, "10.%zu.0.0/16", i);
        teks[i] = tek_with((uint32_t)(1000 + i), 1, 3600, selector(text, "10.0.0.0/8"));
    }
    assert_int_equal(pull(&k, 0, 0, 0, MEMBER_TEKS_MAX, teks), ERR_OK);
    assert_int_equal(pull(&k, 1, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_TOO_MANY);
    assert_int_equal(k.n, MEMBER_TEKS_MAX);
    keyring_clear(&k);
}

/* Keys of disjoint selectors do not succeed one another, and ports tell selectors apart. */
static void disjoint_keys_live_side_by_side(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct esp_selector web = selector("10.0.0.0/8", "10.0.0.0/8"), dns = web;
    web.protocol = 6;
    web.destination_port = 80;
    dns.protocol = 17;
    dns.destination_port = 53;
    assert_int_equal(
        pull(&k, 0, 7, 9, 2,
             (struct tek *[]){tek_with(256, 1, 3600, web), tek_with(257, 2, 5000, dns)}),
        ERR_OK);
    assert_int_equal(slot(&k, 256, 0), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 0), ESP_SLOT_CURRENT);
    assert_int_equal(keyring_end(&k).ns, at(3600).ns);
    keyring_clear(&k);
}

static void the_install_tells_the_slots(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct arena arena = {0};
    assert_int_equal(keyring_install(&k, "v1", at(0), &arena)->n_sas, 0);
    assert_int_equal(pull(&k, 3550, 20, 35, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    const struct esp_vpn_install *install = keyring_install(&k, "v1", at(3551), &arena);
    assert_string_equal(install->vpn, "v1");
    assert_int_equal(install->n_sas, 2);
    assert_int_equal(install->sas[0].slot, ESP_SLOT_CURRENT);
    assert_int_equal(install->sas[1].slot, ESP_SLOT_NEXT);
    assert_int_equal(install->sas[1].spi, 257);
    assert_int_equal(install->sas[1].key.b[0], 1);
    assert_int_equal(install->sas[1].n_selectors, 1);
    arena_free(&arena);
    keyring_clear(&k);
}

/* A wide SA beside a narrow one: policies of two SAs, not two generations of one. The order is the
 * server's, after a changeover too. */
static void overlapping_sas_are_not_generations(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct esp_selector narrow = selector("10.1.0.0/16", "10.2.0.0/16"),
                        wide = selector("0.0.0.0/0", "0.0.0.0/0");
    assert_int_equal(
        pull(&k, 0, 0, 0, 2,
             (struct tek *[]){tek_with(256, 1, 3600, narrow), tek_with(300, 2, 86400, wide)}),
        ERR_OK);
    assert_int_equal(slot(&k, 256, 0), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 300, 0), ESP_SLOT_CURRENT);
    assert_int_equal(keyring_end(&k).ns, at(3600).ns);
    assert_int_equal(
        pull(&k, 3555, 15, 30, 3,
             (struct tek *[]){tek_with(256, 1, 3600, narrow), tek_with(300, 2, 86400, wide),
                              tek_with(257, 3, 7140, narrow)}),
        ERR_OK);
    assert_int_equal(slot(&k, 300, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 3569), ESP_SLOT_NEXT);
    assert_int_equal(slot(&k, 257, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3570), ESP_SLOT_PREVIOUS);
    assert_int_equal(
        pull(&k, 3590, 0, 0, 2,
             (struct tek *[]){tek_with(257, 3, 7140, narrow), tek_with(300, 2, 86400, wide)}),
        ERR_OK);
    assert_int_equal(k.n, 2);
    assert_int_equal(k.teks[0]->spi, 257);
    assert_int_equal(k.teks[1]->spi, 300);
    keyring_clear(&k);
}

/* What a key protected must not leave in clear because another SA of the VPN lives on. */
static void what_ended_stays_closed_until_the_next_pull(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct arena arena = {0};
    struct esp_selector narrow = selector("10.1.0.0/16", "10.2.0.0/16"),
                        other = selector("10.1.0.0/16", "239.0.0.0/8");
    struct tek *short_lived = tek_with(256, 1, 3600, narrow);
    assert_int_equal(
        pull(&k, 0, 0, 0, 2, (struct tek *[]){short_lived, tek_with(300, 2, 86400, other)}),
        ERR_OK);
    assert_int_equal(keyring_expire(&k, at(3599)), 0);
    assert_int_equal(keyring_expire(&k, at(3600)), 1);
    assert_int_equal(short_lived->key.len, 0); /* wiped */
    assert_int_equal(short_lived->auth_key.len, 0);
    assert_true(keyring_can_send(&k, at(3600)));
    const struct esp_vpn_install *install = keyring_install(&k, "v1", at(3600), &arena);
    assert_int_equal(install->n_sas, 1);
    assert_int_equal(install->n_closed, 1);
    assert_true(prefix_equal(install->closed[0].destination, narrow.destination));
    assert_int_equal(
        pull(&k, 4000, 0, 0, 2,
             (struct tek *[]){tek_with(257, 3, 7600, narrow), tek_with(300, 2, 86400, other)}),
        ERR_OK);
    assert_int_equal(slot(&k, 257, 4000), ESP_SLOT_CURRENT);
    assert_int_equal(keyring_install(&k, "v1", at(4000), &arena)->n_closed, 0);
    arena_free(&arena);
    keyring_clear(&k);
}

/* A successor ends nothing: whoever was succeeded is forgotten without a word. */
static void a_succeeded_key_closes_nothing(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, -1, -1, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3550, -1, -1, 1, (struct tek *[]){tek(257, 7000)}), ERR_OK);
    assert_int_equal(keyring_expire(&k, at(3600)), 0);
    assert_int_equal(k.n, 1);
    assert_int_equal(k.n_ended, 0);
    keyring_clear(&k);
}

/* Not even when the newer one ends first. */
static void nobody_goes_back_a_generation(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, -1, -1, 1, (struct tek *[]){tek(256, 9000)}), ERR_OK);
    assert_int_equal(pull(&k, 100, -1, -1, 1, (struct tek *[]){tek(257, 1000)}), ERR_OK);
    assert_int_equal(slot(&k, 256, 100), ESP_SLOT_PREVIOUS);
    assert_int_equal(keyring_expire(&k, at(1000)), 1);
    assert_int_equal(slot(&k, 256, 1000), ESP_SLOT_PREVIOUS);
    assert_false(keyring_can_send(&k, at(1000)));
    keyring_clear(&k);
}

/* The server restarted between the creation and the switch of a key: it names neither. Its new key
 * takes over, and the one that never came never sends. */
static void a_next_key_that_was_lost_never_sends(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3555, 15, 30, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    assert_int_equal(pull(&k, 3560, 0, 15, 1, (struct tek *[]){tek(400, 7160)}), ERR_OK);
    assert_int_equal(slot(&k, 400, 3560), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3560), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 3560), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 3571), ESP_SLOT_PREVIOUS);
    assert_int_equal(keyring_end(&k).ns, at(7160).ns);
    assert_int_equal(expire(&k, at(3575)), 1); /* 257 with this DTD */
    assert_int_equal(expire(&k, at(3585)), 1); /* 256 with the first one */
    keyring_clear(&k);
}

/* The current key is offered again without its successor: it goes on. */
static void a_successor_taken_back_is_forgotten(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 100, 30, 45, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    assert_int_equal(pull(&k, 110, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(slot(&k, 256, 130), ESP_SLOT_CURRENT);
    assert_null(find(&k, 257));
    assert_int_equal(keyring_end(&k).ns, at(3600).ns);
    keyring_clear(&k);
}

/* A DTD that is missing, or smaller than the ATD, must not silence the member. */
static void the_old_key_sends_until_the_new_one_does(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 100, 20, 5, 2, (struct tek *[]){tek(256, 3600), tek(257, 7000)}),
                     ERR_OK);
    assert_int_equal(expire(&k, at(119)), 0);
    assert_int_equal(slot(&k, 256, 119), ESP_SLOT_CURRENT);
    assert_int_equal(expire(&k, at(120)), 1);
    assert_int_equal(slot(&k, 257, 120), ESP_SLOT_CURRENT);
    assert_int_equal(pull(&k, 200, 20, -1, 2, (struct tek *[]){tek(257, 7000), tek(258, 9000)}),
                     ERR_OK);
    assert_int_equal(slot(&k, 257, 220), ESP_SLOT_PREVIOUS);
    assert_int_equal(expire(&k, at(6999)), 0);
    keyring_clear(&k);
}

/* The server has switched and names the old key to receive with, but this member's clock says a
 * little later: it does not fall silent in between. */
static void a_switch_that_lags_leaves_no_gap(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3556, 15, 30, 2, (struct tek *[]){tek(256, 3600), tek(257, 7140)}),
                     ERR_OK);
    struct tek *previous = tek(256, 3600);
    previous->receive_only = true;
    assert_int_equal(pull(&k, 3570, 0, 15, 2, (struct tek *[]){tek(257, 7140), previous}), ERR_OK);
    assert_int_equal(slot(&k, 256, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 3570), ESP_SLOT_NEXT);
    assert_int_equal(slot(&k, 256, 3571), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 3571), ESP_SLOT_CURRENT);
    keyring_clear(&k);
}

/* Two servers that share their keys; and two that use one SPI by chance (decisions M24). */
static void servers_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *same = tek(256, 3600),
               *other = tek_with(256, 9, 3600, selector("0.0.0.0/0", "0.0.0.0/0"));
    same->server = other->server = ip_v4(0xc0000202);
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    const struct tek *first = k.teks[0];
    assert_int_equal(pull(&k, 10, 0, 0, 1, (struct tek *[]){same}), ERR_OK);
    assert_int_equal(k.n, 1);
    assert_ptr_equal(k.teks[0], first);
    assert_int_equal(pull(&k, 20, 10, 25, 1, (struct tek *[]){other}), ERR_OK);
    assert_int_equal(k.n, 2);
    assert_int_equal(tek_slot(first, at(25)), ESP_SLOT_CURRENT);
    assert_int_equal(tek_slot(first, at(30)), ESP_SLOT_PREVIOUS);
    keyring_clear(&k);
}

/* A key that ends before its turn succeeds nobody: the present one goes on, and decides when to
 * come again. */
static void a_successor_without_a_turn_is_none(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *older = tek(255, 9000);
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){older}), ERR_OK);
    assert_int_equal(pull(&k, 10, 200, 230, 2, (struct tek *[]){tek(256, 150), tek(255, 100)}),
                     ERR_OK);
    assert_int_equal(slot(&k, 255, 300), ESP_SLOT_CURRENT);
    assert_int_equal(keyring_end(&k).ns, at(150).ns);
    assert_int_equal(pull(&k, 20, 200, 230, 1, (struct tek *[]){tek(257, 150)}), ERR_OK);
    assert_null(find(&k, 255)); /* not named, and nothing that ever sends takes over */
    keyring_clear(&k);
}

/* A key that is over before it is taken. */
static void a_key_without_life_is_none(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 5, 0, 0, 1, (struct tek *[]){tek(256, 5)}), ERR_OK);
    assert_int_equal(k.n, 0);
    assert_int_equal(k.n_ended, 1);
    assert_false(keyring_can_send(&k, at(5)));
    keyring_clear(&k);
    tek_free(NULL);
}

/* ---- pushes ---- */

static void expect_order(const struct keyring *k, size_t n, const uint32_t *spis)
{
    assert_int_equal(k->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(k->teks[i]->spi, spis[i]);
}

/* What it does not name stays; what it brings stands where the policy stood, whose selectors may be
 * part of a later one's. */
static void a_push_is_a_delta_in_the_order_of_policies(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct esp_selector narrow = selector("10.1.0.0/16", "10.0.0.0/8");
    assert_int_equal(
        pull(&k, 0, 0, 0, 2, (struct tek *[]){tek_with(256, 1, 3600, narrow), tek(257, 3600)}),
        ERR_OK);
    assert_int_equal(push(&k, 3540, 30, 45, 1, (struct tek *[]){tek_with(258, 3, 7140, narrow)}),
                     ERR_OK);
    expect_order(&k, 3, (const uint32_t[]){256, 258, 257});
    assert_int_equal(held(&k, 256)->send_until.ns, at(3570).ns);
    assert_int_equal(held(&k, 256)->drop_at.ns, at(3585).ns);
    assert_true(instant_is_never(held(&k, 257)->send_until));
    assert_int_equal(push(&k, 3541, 29, 44, 1, (struct tek *[]){tek(259, 7141)}), ERR_OK);
    expect_order(&k, 4, (const uint32_t[]){256, 258, 257, 259});
    assert_int_equal(
        push(&k, 3541, 29, 44, 1,
             (struct tek *[]){tek_with(260, 5, 7141, selector("10.9.0.0/16", "0.0.0.0/0"))}),
        ERR_OK); /* a new policy */
    assert_int_equal(k.teks[4]->spi, 260);
    uint32_t newest[MEMBER_TEKS_MAX];
    assert_int_equal(keyring_newest(&k, newest), 3);
    assert_int_equal(newest[0], 258);
    assert_int_equal(newest[1], 259);
    assert_int_equal(newest[2], 260);
    keyring_clear(&k);
}

/* A KEK push repeats the current keys (RFC 6407 5.6.1) beside those to come: whoever missed the
 * current one sends with it at once, and the delay governs the other. */
static void a_push_of_two_generations(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(push(&k, 100, 30, 45, 2, (struct tek *[]){tek(257, 900), tek(258, 800)}),
                     ERR_OK);
    expect_order(&k, 3, (const uint32_t[]){256, 257, 258});
    assert_int_equal(slot(&k, 256, 100), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 100), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 258, 100), ESP_SLOT_NEXT);
    assert_int_equal(slot(&k, 257, 130), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 258, 130), ESP_SLOT_CURRENT);
    keyring_clear(&k);
}

/* The next one is held already, the current one was missed. */
static void a_missed_key_goes_before_the_next_one(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(push(&k, 100, 30, 45, 1, (struct tek *[]){tek(258, 8000)}), ERR_OK);
    assert_int_equal(push(&k, 110, 20, 35, 2, (struct tek *[]){tek(257, 900), tek(258, 8000)}),
                     ERR_OK);
    expect_order(&k, 3, (const uint32_t[]){256, 257, 258});
    assert_int_equal(slot(&k, 256, 110), ESP_SLOT_PREVIOUS);
    assert_int_equal(slot(&k, 257, 129), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 258, 130), ESP_SLOT_CURRENT); /* not moved (M1) */
    assert_int_equal(slot(&k, 257, 130), ESP_SLOT_PREVIOUS);
    keyring_clear(&k);
}

/* Also who holds no live key for that traffic waits: the others may not have this one yet. */
static void a_push_after_the_end_waits(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 100)}), ERR_OK);
    assert_int_equal(keyring_expire(&k, at(100)), 1);
    assert_int_equal(k.n_ended, 1);
    assert_int_equal(push(&k, 110, 30, 45, 1, (struct tek *[]){tek(257, 900)}), ERR_OK);
    assert_int_equal(slot(&k, 257, 139), ESP_SLOT_NEXT);
    assert_int_equal(slot(&k, 257, 140), ESP_SLOT_CURRENT);
    assert_int_equal(k.n_ended, 0); /* it closes that traffic itself */
    keyring_clear(&k);
}

static void a_pushed_key_may_be_for_receiving_only(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *straggler = tek(257, 900);
    straggler->receive_only = true;
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(push(&k, 10, 0, 15, 1, (struct tek *[]){straggler}), ERR_OK);
    assert_int_equal(slot(&k, 256, 10), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 10), ESP_SLOT_PREVIOUS);
    assert_int_equal(held(&k, 257)->drop_at.ns, at(25).ns);
    keyring_clear(&k);
}

/* Of an offer that cannot be taken nothing is taken. */
static void a_push_in_conflict_or_too_large_changes_nothing(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct esp_selector all = selector("10.0.0.0/8", "10.0.0.0/8");
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(
        push(&k, 10, 30, 45, 2, (struct tek *[]){tek(257, 3600), tek_with(256, 77, 3600, all)}),
        ERR_CONFLICT);
    expect_order(&k, 1, (const uint32_t[]){256});
    for (uint32_t i = 1; i < MEMBER_TEKS_MAX; i++)
        assert_int_equal(push(&k, 10, 30, 45, 1, (struct tek *[]){tek(256 + i, 3600)}), ERR_OK);
    assert_int_equal(push(&k, 10, 30, 45, 1, (struct tek *[]){tek(5000, 3600)}), ERR_TOO_MANY);
    assert_int_equal(k.n, MEMBER_TEKS_MAX);
    assert_int_equal(keyring_delete_all(&k, INSTANT_NEVER, at(11)), MEMBER_TEKS_MAX);
    assert_int_equal(k.n_ended, 1); /* they all protected the same traffic */
    keyring_clear(&k);
}

/* What has ended takes room too, until the next PULL: traffic is not opened for want of it. */
static void what_has_ended_takes_room(void **state)
{
    (void)state;
    struct keyring k = {0};
    for (uint32_t i = 0; i < MEMBER_TEKS_MAX; i++) {
        char net[20];
        (void)snprintf(net, sizeof net, "10.%u.0.0/16", i);
        struct tek *t = tek_with(256 + i, 1, 3600, selector(net, net));
        assert_int_equal(push(&k, 0, 0, 0, 1, &t), ERR_OK);
        assert_int_equal(keyring_delete(&k, 256 + i, at(0)), 1);
    }
    assert_int_equal(k.n_ended, MEMBER_TEKS_MAX);
    assert_int_equal(push(&k, 0, 0, 0, 1, (struct tek *[]){tek(9000, 3600)}), ERR_TOO_MANY);
    assert_int_equal(pull(&k, 1, 0, 0, 1, (struct tek *[]){tek(9000, 3600)}), ERR_OK);
    assert_int_equal(k.n_ended, 0);
    keyring_clear(&k);
}

/* The successor is gone: the present key goes on, one that has stopped does not begin again. */
static void a_deleted_key_is_nobodys_successor(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(push(&k, 10, 30, 45, 1, (struct tek *[]){tek(257, 3600)}), ERR_OK);
    assert_int_equal(keyring_delete(&k, 4000, at(20)), 0);
    assert_int_equal(held(&k, 256)->send_until.ns, at(40).ns);
    assert_int_equal(keyring_delete(&k, 257, at(20)), 1);
    assert_true(instant_is_never(held(&k, 256)->send_until));
    assert_true(instant_is_never(held(&k, 256)->drop_at));
    assert_int_equal(push(&k, 30, 30, 45, 1, (struct tek *[]){tek(258, 3600)}), ERR_OK);
    assert_int_equal(keyring_delete(&k, 258, at(65)), 1);
    assert_int_equal(slot(&k, 256, 65), ESP_SLOT_PREVIOUS);
    assert_int_equal(k.n_ended, 1);
    keyring_clear(&k);
}

/* A key that waits for its turn protects already: its predecessor may end before that. */
static void what_waits_is_closed(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct arena arena = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 100)}), ERR_OK);
    assert_int_equal(push(&k, 90, 30, 45, 1, (struct tek *[]){tek(257, 900)}), ERR_OK);
    keyring_expire(&k, at(100));
    assert_int_equal(keyring_install(&k, "v", at(100), &arena)->n_closed, 1);
    assert_int_equal(keyring_install(&k, "v", at(120), &arena)->n_closed, 0);
    arena_free(&arena);
    keyring_clear(&k);
}

/* What came by push since message 2 is not in the snapshot, and not lost by it (M9). */
static void a_pull_knows_nothing_of_what_came_since(void **state)
{
    (void)state;
    struct keyring k = {0};
    struct tek *older = tek(256, 3600);
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){older}), ERR_OK);
    assert_int_equal(push(&k, 51, 30, 45, 1, (struct tek *[]){tek(257, 7000)}), ERR_OK);
    assert_int_equal(pull(&k, 50, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(held(&k, 256)->send_until.ns, at(81).ns);
    assert_int_equal(slot(&k, 257, 81), ESP_SLOT_CURRENT);
    assert_int_equal(pull(&k, 60, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_null(find(&k, 257)); /* this one should have known */
    keyring_clear(&k);
}

/* A member sends with a pushed key that it has no predecessor of. The key before it, heard of
 * later, is for receiving. */
static void a_later_message_does_not_lead_back(void **state)
{
    (void)state;
    for (int by_push = 0; by_push <= 1; by_push++) {
        struct keyring k = {0};
        struct tek *both[] = {tek(256, 3600), tek(257, 7000)};
        assert_int_equal(push(&k, 10, 0, 15, 1, (struct tek *[]){tek(257, 7000)}), ERR_OK);
        assert_int_equal(slot(&k, 257, 10), ESP_SLOT_CURRENT);
        assert_int_equal((by_push ? push : pull)(&k, 15, 25, 40, 2, both), ERR_OK);
        for (int64_t now = 15; now < 60; now++)
            assert_int_equal(slot(&k, 257, now), ESP_SLOT_CURRENT);
        assert_int_equal(slot(&k, 256, 15), ESP_SLOT_PREVIOUS);
        keyring_clear(&k);
    }
}

/* A server that lists the new key first: the one that sends and ends first is the older one. */
static void a_new_key_may_be_listed_first(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(pull(&k, 0, 0, 0, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(pull(&k, 3555, 15, 30, 2, (struct tek *[]){tek(257, 7140), tek(256, 3600)}),
                     ERR_OK);
    assert_int_equal(slot(&k, 256, 3569), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 257, 3570), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 3570), ESP_SLOT_PREVIOUS);
    keyring_clear(&k);
}

/* The member held nothing, and the push was there first: the PULL's key is the older one. */
static void a_pull_does_not_lead_back(void **state)
{
    (void)state;
    struct keyring k = {0};
    assert_int_equal(push(&k, 51, 0, 15, 1, (struct tek *[]){tek(257, 7000)}), ERR_OK);
    assert_int_equal(slot(&k, 257, 51), ESP_SLOT_CURRENT);
    assert_int_equal(pull(&k, 50, 30, 45, 1, (struct tek *[]){tek(256, 3600)}), ERR_OK);
    assert_int_equal(slot(&k, 257, 100), ESP_SLOT_CURRENT);
    assert_int_equal(slot(&k, 256, 51), ESP_SLOT_PREVIOUS);
    keyring_clear(&k);
}

static int start_crypto(void **state)
{
    const char *text;
    (void)state;
    return crypto_start((struct crypto_use){.hashes = 1u << HASH_SHA256}, &text) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_sends_at_once),
        cmocka_unit_test(a_first_key_does_not_wait_for_a_gap),
        cmocka_unit_test(a_reregistration_switches_at_3570),
        cmocka_unit_test(a_newcomer_in_a_changeover_gets_both),
        cmocka_unit_test(a_newcomer_after_the_switch_receives_stragglers),
        cmocka_unit_test(a_known_key_is_not_touched),
        cmocka_unit_test(what_is_not_offered_goes),
        cmocka_unit_test(a_server_without_memory_does_not_cut_off),
        cmocka_unit_test(without_a_gap_the_old_key_lives_on),
        cmocka_unit_test(a_known_spi_with_another_key_is_refused),
        cmocka_unit_test(too_many_keys_are_refused_whole),
        cmocka_unit_test(disjoint_keys_live_side_by_side),
        cmocka_unit_test(the_install_tells_the_slots),
        cmocka_unit_test(overlapping_sas_are_not_generations),
        cmocka_unit_test(what_ended_stays_closed_until_the_next_pull),
        cmocka_unit_test(a_succeeded_key_closes_nothing),
        cmocka_unit_test(nobody_goes_back_a_generation),
        cmocka_unit_test(a_next_key_that_was_lost_never_sends),
        cmocka_unit_test(a_successor_taken_back_is_forgotten),
        cmocka_unit_test(the_old_key_sends_until_the_new_one_does),
        cmocka_unit_test(a_switch_that_lags_leaves_no_gap),
        cmocka_unit_test(servers_are_told_apart_by_their_keys),
        cmocka_unit_test(a_successor_without_a_turn_is_none),
        cmocka_unit_test(a_key_without_life_is_none),
        cmocka_unit_test(a_push_is_a_delta_in_the_order_of_policies),
        cmocka_unit_test(a_push_of_two_generations),
        cmocka_unit_test(a_missed_key_goes_before_the_next_one),
        cmocka_unit_test(a_push_after_the_end_waits),
        cmocka_unit_test(a_pushed_key_may_be_for_receiving_only),
        cmocka_unit_test(a_push_in_conflict_or_too_large_changes_nothing),
        cmocka_unit_test(what_has_ended_takes_room),
        cmocka_unit_test(a_deleted_key_is_nobodys_successor),
        cmocka_unit_test(what_waits_is_closed),
        cmocka_unit_test(a_pull_knows_nothing_of_what_came_since),
        cmocka_unit_test(a_pull_does_not_lead_back),
        cmocka_unit_test(a_later_message_does_not_lead_back),
        cmocka_unit_test(a_new_key_may_be_listed_first),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

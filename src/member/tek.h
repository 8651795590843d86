#pragma once
/* One data key (TEK) of a group, as a member holds it. Its slot is never stored: it follows from
 * the instants that the first valid message naming its SPI set (decisions M1-M3), so that a late,
 * repeated or lost message cannot move a switch.
 *
 *        learned        send_at                         send_until               drop_at     expiry
 *           |-- NEXT ------|-------- CURRENT -----------------|---- PREVIOUS -----|           |
 *
 * send_until is the send_at of the key's successor. A successor is a later key of the same SA of
 * the group. No message names the SA; but no two SAs of a group have a policy in common, while two
 * generations of one do, also when a policy was added or taken away in between. So keys that share
 * a selector are generations of one SA, and two keys whose selectors merely overlap belong to two
 * and live side by side, in the order of the server's policies. Which of two is the later one is
 * the keyring's to say. */
#include "base/instant.h"
#include "esp/install.h"
#include "member/limits.h"

struct tek {
    uint32_t spi;
    struct ip server;
    enum cipher cipher;
    enum auth auth;
    struct secret key, auth_key;
    bool transport_mode;
    uint32_t window_ms; /* of its time stamps; 0: none */
    bool receive_only;  /* SA Direction receiver, or no longer named: a key on its way out */
    size_t n_selectors;
    struct esp_selector selectors[ESP_SELECTORS_MAX];
    instant_t learned; /* when the message came that named it first */
    instant_t expiry;
    instant_t send_at;
    instant_t send_until; /* NEVER until a successor is known */
    instant_t drop_at;    /* the same */
    uint8_t digest[MEMBER_KEY_DIGEST];
};

struct tek *tek_new(void);          /* zeroed, without an end; NULL never (aborts) */
void tek_free(struct tek *t);       /* wipes; NULL allowed */
void tek_set_digest(struct tek *t); /* from SPI and keys */

enum esp_slot tek_slot(const struct tek *t, instant_t now);
bool tek_is_live(const struct tek *t, instant_t now);
bool tek_sends(const struct tek *t, instant_t now);
/* It has a time to send, now or later: a key that ends before its turn succeeds nobody. */
bool tek_will_send(const struct tek *t);
/* Somebody has taken over from it, or will. */
bool tek_is_succeeded(const struct tek *t);

bool tek_same_key(const struct tek *a, const struct tek *b);
/* The same SPI of one server, or of the servers of a cluster: those give the same key with it. */
bool tek_same(const struct tek *a, const struct tek *b);
bool tek_overlaps(const struct tek *a, const struct tek *b);
/* Two generations of one SA. */
bool tek_same_sa(const struct tek *a, const struct tek *b);

#pragma once
/* The keys of one VPN, and which of them send. A TEK's slot is never stored: it follows from the
 * instants that the first valid message naming its SPI set (decisions M1-M3), so that a late,
 * repeated or lost message cannot move a switch.
 *
 *        learned        send_at                     (successor's send_at)      drop_at     expiry
 *           |-- NEXT ------|-------- CURRENT -----------------|---- PREVIOUS -----|           |
 *
 * A successor is a TEK with an overlapping selector and a later send_at. */
#include "base/instant.h"
#include "esp/install.h"
#include "member/limits.h"

struct arena;

struct tek {
    uint32_t spi;
    struct ip server;
    enum cipher cipher;
    enum auth auth;
    struct secret key, auth_key;
    bool receive_only; /* SA Direction receiver: a generation on its way out */
    size_t n_selectors;
    struct esp_selector selectors[ESP_SELECTORS_MAX];
    instant_t expiry;
    instant_t send_at;
    instant_t drop_at; /* NEVER until a successor is known */
    uint8_t digest[MEMBER_KEY_DIGEST];
};
struct keyring {
    size_t n;
    struct tek *teks[MEMBER_TEKS_MAX]; /* in the order in which they were learned */
};

/* What one PULL offers: TEKs with expiry, and the delays of its GAP. The offered teks' send_at and
 * drop_at are set here. */
struct keyring_offer {
    struct tek **teks; /* moved into the keyring or freed */
    size_t n;
    bool has_gap;
    uint32_t atd_s, dtd_s; /* seconds, counted from `received` */
    instant_t received;    /* when message 2 came */
};

/* A PULL is the whole truth (decisions M2): what it does not offer goes, at once or, when something
 * offered succeeds it, at its drop_at. A SPI already held with the same key changes nothing.
 * ERR_CONFLICT when it comes with another key, ERR_TOO_MANY above MEMBER_TEKS_MAX: nothing is
 * changed then. The offered teks are consumed in every case. *ret_learned counts new ones. */
MUST_USE enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                               size_t *ret_learned);
/* Forgets what has expired or is to be dropped; the number forgotten. */
size_t keyring_expire(struct keyring *k, instant_t now);
void keyring_clear(struct keyring *k);

enum esp_slot keyring_slot(const struct keyring *k, const struct tek *t, instant_t now);
bool keyring_can_send(const struct keyring *k, instant_t now);
/* The next instant at which a slot changes or a key goes; NEVER when empty. */
instant_t keyring_due(const struct keyring *k, instant_t now);
/* When the first TEK without a successor expires; NEVER when there is none. */
instant_t keyring_end(const struct keyring *k);
/* The complete state for the data path, in the arena. */
const struct esp_vpn_install *keyring_install(const struct keyring *k, const char *vpn,
                                              instant_t now, struct arena *arena);

struct tek *tek_new(void);          /* zeroed; NULL never (aborts) */
void tek_free(struct tek *t);       /* wipes; NULL allowed */
void tek_set_digest(struct tek *t); /* from SPI and keys */

#pragma once
/* The keys of one VPN: what a PULL does to them, and what of them the data path has to install. */
#include "member/tek.h"

struct arena;

struct keyring {
    size_t n;
    struct tek
        *teks[MEMBER_TEKS_MAX]; /* in the order of the last PULL, then what it did not name */
    size_t n_ended;
    struct tek *ended[MEMBER_TEKS_MAX]; /* expired without a successor: their keys are wiped, what
                                           they protected fails closed until the next PULL */
};

/* What one PULL offers: TEKs with expiry, and the delays of its GAP. The instants of sending and
 * dropping are set here. */
struct keyring_offer {
    struct tek **teks; /* moved into the keyring or freed */
    size_t n;
    uint32_t atd_s; /* seconds, counted from `received`; 0 without GAP */
    bool has_dtd;   /* else a replaced key lives to its own expiry (decisions S30) */
    uint32_t dtd_s;
    instant_t received; /* when message 2 came */
};

/* A PULL is the whole truth (decisions M2): what it does not offer goes, at once or, when something
 * offered takes over its traffic, at its drop_at. A SPI already held with the same key changes
 * nothing. ERR_CONFLICT when one server gives it another key, ERR_TOO_MANY above MEMBER_TEKS_MAX:
 * nothing is changed then. The offered teks are consumed in every case. *ret_learned counts new
 * ones. */
MUST_USE enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                               size_t *ret_learned);
/* Forgets what has expired or is to be dropped. The number of keys that ended without a successor.
 */
size_t keyring_expire(struct keyring *k, instant_t now);
void keyring_clear(struct keyring *k);

bool keyring_can_send(const struct keyring *k, instant_t now);
/* The next instant at which a slot changes or a key goes; NEVER when empty. */
instant_t keyring_due(const struct keyring *k, instant_t now);
/* When the first TEK without a successor expires; NEVER when there is none. */
instant_t keyring_end(const struct keyring *k);
/* The complete state for the data path, in the arena. */
const struct esp_vpn_install *keyring_install(const struct keyring *k, const char *vpn,
                                              instant_t now, struct arena *arena);

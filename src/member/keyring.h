#pragma once
/* The keys of one VPN: what a PULL, a push and a Delete do to them, and what of them the data path
 * has to install. */
#include "member/tek.h"

struct arena;

struct keyring {
    size_t n;
    /* In the order of the server's policies: of the last PULL, then what it did not name; what a
     * push brought stands behind the key that it succeeds. */
    struct tek *teks[MEMBER_TEKS_MAX];
    size_t n_ended;
    /* Expired without a successor, or deleted: their keys are wiped, what they protected fails
     * closed until the next PULL. n + n_ended <= MEMBER_TEKS_MAX. */
    struct tek *ended[MEMBER_TEKS_MAX];
};

/* What one message offers: TEKs with expiry, and the delays of its GAP. The instants of sending and
 * dropping are set here. */
struct keyring_offer {
    struct tek **teks; /* moved into the keyring or freed */
    size_t n;
    bool waits;     /* see below */
    uint32_t atd_s; /* seconds, counted from `received`; 0 without GAP */
    bool has_dtd;   /* else a replaced key lives to its own expiry (decisions S30) */
    uint32_t dtd_s;
    instant_t asked;    /* of a PULL: when message 1 left; of a push the same as: */
    instant_t received; /* when the message came; of a PULL, message 2 */
};

/* `waits`: the delay holds also for who sends nothing yet: of a push, and of a PULL from a server
 * of our own, which tells the time that is left until everybody switches (decisions M1, M7). With
 * any other server "wait 0" means holding no live key (M2). */

/* A PULL is the whole truth (decisions M2): what it does not offer goes, at once or, when something
 * offered takes over its traffic, at its drop_at; but it may know nothing of what a push has
 * brought since message 1 left: on the way one can overtake the other. Of two keys with the same
 * selectors the earlier one of the offer is current. A SPI already held with the same key changes
 * nothing. ERR_CONFLICT when one server gives it another key, ERR_TOO_MANY above MEMBER_TEKS_MAX:
 * nothing is changed then. The offered teks are consumed in every case. *ret_learned counts new
 * ones. */
MUST_USE enum err keyring_pull(struct keyring *k, instant_t now, struct keyring_offer *offer,
                               size_t *ret_learned);
/* A push is a delta: what it does not name stays. A key that it brings succeeds those that are held
 * of the same SA (member/tek.h), whatever their lifetimes. Else as above. */
MUST_USE enum err keyring_push(struct keyring *k, instant_t now, struct keyring_offer *offer,
                               size_t *ret_learned);
/* A Delete takes effect at once (decisions S29); what the key protected stays closed. The number of
 * deleted ones. Of all keys: of those that were learned before `until`. */
size_t keyring_delete(struct keyring *k, uint32_t spi, instant_t now);
size_t keyring_delete_all(struct keyring *k, instant_t until, instant_t now);
/* Forgets what has expired or is to be dropped. The number of keys that ended without a successor.
 */
size_t keyring_expire(struct keyring *k, instant_t now);
void keyring_clear(struct keyring *k);

/* The smallest anti-replay window of its keys; 0: none has one. */
uint32_t keyring_window_ms(const struct keyring *k);
bool keyring_holds(const struct keyring *k, uint32_t spi, struct ip server);
bool keyring_can_send(const struct keyring *k, instant_t now);
/* The SPIs of the newest generation of each SA, ascending; how many. */
size_t keyring_newest(const struct keyring *k, uint32_t ret_spis[MEMBER_TEKS_MAX]);
/* Moving keys in and out, without freeing: for keyring_offer.c. */
struct tek *keyring_take(struct keyring *k, size_t at);
void keyring_insert(struct keyring *k, size_t at, struct tek *t);
/* The next instant at which a slot changes or a key goes; NEVER when empty. */
instant_t keyring_due(const struct keyring *k, instant_t now);
/* When the first TEK without a successor expires; NEVER when there is none. */
instant_t keyring_end(const struct keyring *k);
/* The complete state for the data path, in the arena. */
const struct esp_vpn_install *keyring_install(const struct keyring *k, const char *vpn,
                                              instant_t now, struct arena *arena);

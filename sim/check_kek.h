#pragma once
/* The laws for KEKs (decisions M5), checked like those of check.h:
 *
 *   same key       the same cookies of a server mean the same key and the same public key
 *   forward        no member goes back to an older KEK
 *   newest         a registration brings the newest KEK
 *   ends           nobody holds a KEK after its expiry
 *   learns         no KEK's octets are ever on the wire */
#include "base/instant.h"
#include "crypto/cipher.h"
#include "crypto/secret.h"
#include "group/kek.h"

struct check_keks;
struct world;

enum { CHECK_DIGEST = 8 }; /* of struct member_kek_view */

/* What the server has said of a KEK. */
struct check_kek {
    bool used;
    bool gone; /* the server has it no more */
    uint32_t group;
    instant_t created, expiry;
    uint8_t spi[KEK_SPI];
    enum cipher cipher;
    struct secret iv, key;
    uint8_t digest[CHECK_DIGEST];
};

struct check_keks *check_keks_new(void);
void check_keks_free(struct check_keks *c);
/* The server is about to tell of all that it has. */
void check_keks_ask(struct check_keks *c);
/* The server's own word on a KEK of its group; whether it is news. */
bool check_keks_truth(struct check_keks *c, const struct world *w, uint32_t group,
                      const struct kek_generation *kek);
/* NULL: never told, or forgotten long after its end. */
const struct check_kek *check_keks_find(struct check_keks *c, struct bytes spi);
void check_keks_datagram(const struct check_keks *c, const struct world *w, struct bytes datagram);
void check_keks_member(struct check_keks *c, const struct world *w, size_t node);
void check_keks_kill(struct check_keks *c, size_t node);

struct check_keks_report {
    uint64_t keks, learned; /* learned: (member, KEK) */
};
struct check_keks_report check_keks_report(const struct check_keks *c);

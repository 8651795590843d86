#pragma once
/* Rows as they lie on the disk (decisions S35). Each value is sealed on its own with AES-256-GCM:
 * a key per row, HKDF(master, salt of the row), a random nonce, and as associated data the place of
 * the row, so that a value counts only in the table, under the key and in the database that it was
 * written for. That a whole older row is put back is not seen here, but by mark.h.
 *
 *   form (1) | salt (16) | nonce (12) | ciphertext | tag (16) */
#include "base/arena.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

enum { SEAL_MASTER = 32, SEAL_INSTANCE = 16, SEAL_SALT = 16, SEAL_FORM = 1 };
enum { SEAL_OVERHEAD = 1 + SEAL_SALT + AEAD_NONCE + AEAD_TAG };

struct sealer {
    struct secret master;
    uint8_t instance[SEAL_INSTANCE]; /* of the database */
};
/* Where a row is. */
struct seal_place {
    const char *table;
    struct bytes key;
};

/* In `a`. random: SEAL_SALT + AEAD_NONCE octets that never come twice. */
struct bytes seal_value(const struct sealer *s, struct seal_place place,
                        const uint8_t random[SEAL_SALT + AEAD_NONCE], struct bytes value,
                        struct arena *a);
/* The value, in `a`. ERR_SHORT, ERR_VERSION: no sealed value of ours; ERR_AUTH: changed, or not
 * from this place. */
MUST_USE enum err seal_open(const struct sealer *s, struct seal_place place, struct bytes sealed,
                            struct arena *a, struct bytes *ret_value);

/* Tells whether a master key is the one of this database: octets to keep beside it in clear. */
enum { SEAL_CHECK = 32 };
void seal_check(const struct sealer *s, uint8_t out[SEAL_CHECK]);

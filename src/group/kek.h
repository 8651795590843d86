#pragma once
/* The KEK: the key that protects what the server pushes to a group (the Rekey SA of RFC 6407 5.3).
 *
 *   created                          renew: L - 4 ATD                  expiry
 *      |------------ CURRENT ---------------|------------ PREVIOUS --------|
 *                                           |------------ CURRENT ... (successor)
 *
 * A successor is MINTED until the store has it. From then on, registrations and new pushes have
 * that one. The one before is kept until its own expiry: repeats of the push that brought the
 * successor go under it, and acknowledgements may still come under it (decisions M5). */
#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"
#include "crypto/cipher.h"
#include "crypto/secret.h"
#include "crypto/signing.h"
#include "group/mint.h"
#include "model/model.h"

enum { KEK_SPI = 16 }; /* the cookie pair of its pushes */

struct kek_generation {
    uint32_t number; /* from 1, per group */
    uint8_t spi[KEK_SPI];
    instant_t created, expiry;
    enum cipher cipher;
    enum hash sig_hash;
    struct secret iv; /* of every push under this KEK (RFC 6407 5.6.2.1) */
    struct secret key;
    const struct model_communication *policy; /* as it was when the KEK was made; its own */
    struct arena memory;                      /* of the policy */
    struct signing_key *signer;               /* held */
    bool retired; /* of a removal (decisions M18): no key goes under it, no answer counts */
};

/* ERR_TYPE for a number that is no algorithm. */
MUST_USE enum err kek_check(const struct model_communication *policy);
/* A fresh KEK; the policy must have passed kek_check() (asserted). */
struct kek_generation *kek_new(struct mint *m, const struct model_communication *policy,
                               struct signing_key *signer, uint32_t number, instant_t now);
/* A KEK that an earlier server made: `what` as it was then, its policy copied. ERR_LENGTH: key or
 * IV do not fit the algorithm; and as kek_check(). */
struct kept_kek {
    uint32_t number;
    const uint8_t *spi; /* KEK_SPI octets */
    instant_t created, expiry;
    const struct model_communication *policy;
    struct bytes iv, key;
    struct signing_key *signer;
};
MUST_USE enum err kek_restore(const struct kept_kek *what, struct kek_generation **ret);
void kek_free(struct kek_generation *k); /* wipes; NULL allowed */

/* When the successor is due: L - 4 ATD. */
instant_t kek_renew_at(const struct kek_generation *k, span_t atd);
/* Seconds left, as a message built at `now` tells them; never below 0. */
uint32_t kek_life_s(const struct kek_generation *k, instant_t now);

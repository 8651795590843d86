#pragma once
/* Where generations come from: fresh keys, and SPIs that are unique over all live generations of
 * one server (decisions M24), so that a SPI alone finds its generation. */
#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/map.h"
#include "crypto/cipher.h"
#include "crypto/drbg.h"
#include "crypto/packet.h"
#include "crypto/secret.h"
#include "group/timeline.h"
#include "model/model.h"

struct mint {
    struct drbg *drbg; /* the engine's */
    struct map live;   /* SPI -> generation */
};

/* One key of one ipsec-sa. Its policies are those of the ipsec-sa at the time it was made, and its
 * own: the configuration may change under it. */
struct generation {
    uint32_t number; /* from 1, per ipsec-sa */
    uint32_t spi;    /* >= 256 (RFC 4303 2.1) */
    struct timeline time;
    const struct model_ipsec_sa *policy;
    enum cipher cipher;
    enum auth auth;
    uint32_t window_ms; /* of its time stamps, half to each side; 0: none (decisions M20) */
    struct secret key, auth_key;
    struct arena memory; /* of the policy */
};

struct mint mint_of(struct drbg *drbg);
void mint_free(struct mint *m); /* every generation must be gone */

/* ERR_UNBUILT for a counter mode: several senders under one such key need sender identifiers
 * (RFC 6407 3.5), and they are not built yet (decisions M22). ERR_TYPE for a number that is none.
 */
MUST_USE enum err mint_check(const struct model_ipsec_proposal *proposal);
/* A fresh key; the proposal must have passed mint_check() (asserted). */
struct generation *mint_generation(struct mint *m, const struct model_ipsec_sa *policy,
                                   uint32_t number, struct timeline time);
/* A key that an earlier server made: `what` as it was then, its policy copied. ERR_CONFLICT:
 * another live key has that SPI; ERR_VALUE: a SPI below 256; ERR_LENGTH: keys that do not fit the
 * algorithms; and as mint_check(). */
struct kept_key {
    uint32_t number, spi;
    struct timeline time;
    uint32_t window_ms;
    const struct model_ipsec_sa *policy;
    struct bytes key, auth_key;
};
MUST_USE enum err mint_restore(struct mint *m, const struct kept_key *what,
                               struct generation **ret);
/* Wipes and forgets; NULL allowed. */
void mint_drop(struct mint *m, struct generation *g);
/* The live generation of that SPI, or NULL. */
const struct generation *mint_find(const struct mint *m, uint32_t spi);

/* `len` octets of key. DES keys get odd parity and are never weak (RFC 2409 appendix A). */
struct secret mint_key(struct mint *m, enum cipher cipher);

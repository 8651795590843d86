#pragma once
/* From what the server offered to what this member takes: SA and KD of a PULL into TEKs and a KEK.
 */
#include "gdoi/kd.h"
#include "gdoi/sa.h"
#include "member/keyring.h"

/* The rekey SA (RFC 6407 5.3), as downloaded. */
struct kek {
    bool present;
    struct ip server;
    struct ike1_cookies cookies;
    enum cipher cipher;
    enum hash sig_hash;
    struct secret iv, key;
    size_t sig_key_len;
    uint8_t sig_key[GDOI_SIG_KEY_MAX];
    uint32_t sequence; /* the last one used: SEQ of the PULL */
    instant_t expiry;
    uint8_t digest[MEMBER_KEY_DIGEST];
};

/* Why an SA payload cannot be followed. */
struct policy_refusal {
    uint32_t spi;     /* of the first SAT refused; 0: the SAK, or the payload as a whole */
    enum err err;     /* ERR_TYPE: algorithm or protocol; ERR_POLICY: mode or addresses; ERR_LIMIT:
                         keys; ERR_TOO_MANY: policies of one key */
    const char *what; /* a sentence, static */
    size_t n;         /* SAK and SATs refused in all */
};

/* Whether this member can do all that the SA payload asks for (RFC 6407 3.3: "if the policy in the
 * SA payload is acceptable"). There is no half: a policy left out would let in clear what the group
 * protects. On an error *ret_refusal tells. */
MUST_USE enum err policy_check(const struct gdoi_sa *sa, struct policy_refusal *ret_refusal);
/* One TEK per SPI, in the order of the SATs, its lifetime counted from `received` (decisions M9).
 * The SA has passed policy_check(), the KD gdoi_kd_match(). The teks are the caller's. */
void policy_teks(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                 instant_t received, struct tek *ret_teks[GDOI_TEKS_MAX], size_t *ret_n);
/* The SAK and its key; the same conditions. */
void policy_kek(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                instant_t received, uint32_t sequence, struct kek *ret);
/* What a KEK becomes that is offered while `held` is: the same one again neither lives longer
 * (decisions M3) nor accepts older pushes (RFC 6407 3.3). ERR_CONFLICT: the same SPI, another key.
 */
MUST_USE enum err policy_kek_again(const struct kek *held, struct kek *offered);

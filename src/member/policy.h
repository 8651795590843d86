#pragma once
/* From what the server offered to what this member takes: SA and KD of a PULL or a push into TEKs
 * and a KEK. */
#include "gdoi/kd.h"
#include "gdoi/sa.h"
#include "member/kek.h"
#include "member/keyring.h"

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
 * protects. `transport_mode`: the data path can do that too. On an error *ret_refusal tells. */
MUST_USE enum err policy_check(const struct gdoi_sa *sa, bool transport_mode,
                               struct policy_refusal *ret_refusal);
/* The smallest anti-replay window of the payload's keys; 0: none has time stamps. */
uint32_t policy_window_ms(const struct gdoi_sa *sa);
/* One TEK per SPI, in the order of the SATs, its lifetime counted from `received` (decisions M9).
 * The SA has passed policy_check(), the KD gdoi_kd_match(). The teks are the caller's. */
void policy_teks(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                 instant_t received, struct tek *ret_teks[GDOI_TEKS_MAX], size_t *ret_n);
/* The SAK and its key; the same conditions. */
void policy_kek(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                instant_t received, uint32_t sequence, struct kek *ret);

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
};

/* Why a SAT was not taken; the SPI is 0 when none was refused. */
struct policy_refusal {
    uint32_t spi;
    enum err err; /* ERR_TYPE: algorithm or protocol; ERR_POLICY: mode or addresses; ERR_TOO_MANY */
    const char *what; /* a sentence, static */
    size_t n;         /* SATs refused in all; the fields above tell of the first */
};

/* One TEK per SPI, in the order of the SATs, its lifetime counted from `received` (decisions M9).
 * SATs that this member cannot follow are left out and reported. KD must have passed
 * gdoi_kd_match(). The teks are the caller's. */
void policy_teks(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                 instant_t received, struct tek *ret_teks[MEMBER_TEKS_MAX], size_t *ret_n,
                 struct policy_refusal *ret_refusal);
/* The SAK and its key. ERR_TYPE for algorithms that are not built. */
MUST_USE enum err policy_kek(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                             instant_t received, uint32_t sequence, struct kek *ret);

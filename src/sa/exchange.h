#pragma once
/* Messages protected by a phase 1 SA: encryption with the IV chain of one exchange, and HASH(n).
 *
 * IV of the first message = hash(last phase 1 ciphertext block | M-ID), then the last ciphertext
 * block of the previous message of this exchange (RFC 2409 appendix B). Each side keeps the chain
 * in a struct exchange_iv: 16 octets an exchange. */
#include "sa/phase1.h"
#include "wire/chain.h"

struct exchange_iv {
    uint8_t b[16];
};

/* A message id that was never used under this SA; 0 when the SA has had PHASE1_EXCHANGES_MAX of
 * them. */
uint32_t exchange_new_id(struct phase1_sa *sa, struct drbg *drbg);
/* True when the id was used by either side: a replay, or a repeat for whoever keeps the exchange.
 */
bool exchange_id_used(const struct phase1_sa *sa, uint32_t message_id);
/* Claims the peer's message id, once its HASH has been checked (a stranger must not use the ids
 * up): ERR_REPLAY when it was used before, ERR_VALUE for 0, ERR_LIMIT when the SA has had its
 * share. */
MUST_USE enum err exchange_claim_id(struct phase1_sa *sa, uint32_t message_id);
void exchange_iv_start(const struct phase1_sa *sa, uint32_t message_id, struct exchange_iv *ret);

/* Decrypts datagram[28..len) in place, moves *iv only on success, reads the chain and checks the
 * padding rule (less than a block after next payload 0). The first payload must be HASH. ERR_LENGTH
 * when not whole blocks. The chain's views point into the datagram. Wrong keys show as ERR_ORDER,
 * ERR_LENGTH or at the HASH. */
MUST_USE enum err exchange_open(struct phase1_sa *sa, struct exchange_iv *iv,
                                const struct ike1_header *header, uint8_t *datagram, size_t len,
                                struct chain *ret_chain);
/* Everything that HASH(n) covers is prf(SKEYID_a, M-ID | prefix | octets after the HASH payload up
 * to the end of the chain): checks the chain's HASH payload in constant time. prefix: Ni_b, or Ni_b
 * | Nr_b. */
MUST_USE enum err exchange_check_hash(const struct phase1_sa *sa, uint32_t message_id,
                                      const struct bytes *prefix, size_t n_prefix,
                                      const struct chain *chain);

/* Writing: exchange_build() starts header and an empty HASH payload in `w`; the caller appends
 * payloads to the returned chain writer; exchange_seal() fills in the HASH over prefix and what was
 * appended, pads, encrypts, sets lengths and moves *iv. */
struct chain_wr exchange_build(const struct phase1_sa *sa, struct wr *w, uint8_t exchange_type,
                               uint32_t message_id);
MUST_USE enum err exchange_seal(struct phase1_sa *sa, struct exchange_iv *iv, struct wr *w,
                                uint32_t message_id, const struct bytes *prefix, size_t n_prefix);
/* Sends a sealed datagram between the SA's endpoints and counts it. */
void exchange_send(struct phase1_sa *sa, struct bytes datagram, struct effects *out);

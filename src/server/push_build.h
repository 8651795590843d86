#pragma once
/* The octets of a GROUPKEY-PUSH (RFC 6407 4): HDR*, SEQ, [D ...,] [SA, KD,] [N,] SIG. */
#include "sa/limits.h"
#include "server/deletes.h"
#include "server/offer.h"
#include "server/push_message.h"
#include "wire/wr.h"

/* What one message says. */
struct push_content {
    const struct group *group;
    const struct push_carrier *carrier;
    uint32_t seq;
    bool keys;                         /* SA and KD of ... */
    struct offer_push what;            /* ... these */
    const struct push_delete *deletes; /* NULL: none */
    const struct offer_state *state;   /* NULL: no notification */
};

/* In clear, with room for the signature, Length as it is signed: without cipher padding.
 * ERR_NOT_FOUND: there is nothing to say; ERR_FULL: too much. */
MUST_USE enum err push_build(const struct push_content *c, instant_t now, struct wr *w,
                             size_t *ret_signature_at);
/* No message is larger: room for a block more is left. */
enum { PUSH_MAX = DATAGRAM_MAX - CIPHER_BLOCK_MAX };
/* How large a push with every key and the current KEK is: the largest there is. */
size_t push_size(const struct group *g, const struct push_carrier *carrier, instant_t now);
/* What SIG covers (RFC 6407 4), as a job's own; NULL: no memory. */
struct job_sign *push_to_sign(const struct push_carrier *carrier, struct bytes message,
                              size_t signature_at);
/* Puts the signature in, pads and encrypts. The writer has room for a block more. */
void push_seal(const struct push_carrier *carrier, struct wr *w, size_t signature_at,
               struct bytes signature);

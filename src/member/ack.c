/* The acknowledgement of a push (RFC 8263 3): HDR, HASH, SEQ, ID in clear.
 *
 * It goes out at once: the jitter of RFC 8263 6 is for pushes that came by multicast, and a group
 * whose pushes are multicast does not ask for acknowledgements (decisions M15). */
#include "gdoi/push.h"
#include "member/vpn.h"

#include <assert.h>

/* The types that take the KEK as base_key; those with LKH keys are not built: RFC 8263 4 lets a
 * member that cannot answer take part all the same. */
static bool prf_of(uint16_t type, enum hash *ret_prf, uint16_t *ret_l)
{
    switch (type) {
    case GDOI_ACK_KEK_SHA256:
        *ret_prf = HASH_SHA256;
        *ret_l = GDOI_ACK_L_SHA256;
        return true;
    case GDOI_ACK_KEK_SHA512:
        *ret_prf = HASH_SHA512;
        *ret_l = GDOI_ACK_L_SHA512;
        return true;
    default:
        return false;
    }
}

struct ack ack_of(const struct kek *carrier, uint16_t type, uint32_t seq, struct ip member)
{
    struct ack ack = {0};
    struct wr w = wr_of(ack.b, sizeof ack.b);
    uint8_t input[GDOI_ACK_KEY_INPUT], *hash;
    struct bytes covered;
    enum hash prf_hash;
    uint16_t l;

    if (!prf_of(type, &prf_hash, &l))
        return ack;
    gdoi_ack_key_input(&carrier->cookies, l, input);
    SECRET key = prf(prf_hash, secret_bytes(&carrier->key), PARTS(BYTES_OF(input)));
    enum err e =
        gdoi_ack_write(&w, &carrier->cookies, seq, member, hash_len(prf_hash), &hash, &covered);
    assert(e == ERR_OK); /* it fits */
    (void)e;
    hmac_parts(prf_hash, secret_bytes(&key), &covered, 1, hash);
    ack.len = w.len;
    return ack;
}

/* RFC 8263 3: as if it were a reply to the push, but from the member's own address, also when the
 * push went to a multicast group. */
void ack_send(struct member *m, struct vpn *v, const struct ack *ack, struct endpoint to,
              struct effects *out)
{
    struct endpoint from = {v->model->gateway->local_address, m->config.local_port};

    if (ack->len == 0)
        return;
    effects_send(out, from, to, bytes(ack->b, ack->len));
    v->pushes.acks_sent++;
}

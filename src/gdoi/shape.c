#include "gdoi/shape.h"

#include "ike1/numbers.h"

// clang-format off
#define EXTRAS {IKE1_PAYLOAD_N, 0, 8}, {IKE1_PAYLOAD_VID, 0, 20}
/* RFC 3547 3.2 knows these in messages 3 and 4; a maximum of 0 refuses them by name. */
#define RFC3547_ONLY                                                                           \
    {IKE1_PAYLOAD_KE, 0, 0}, {IKE1_PAYLOAD_CERT, 0, 0}, {IKE1_PAYLOAD_POP, 0, 0}

/* RFC 6407 3.2. HASH and SA would be Quick Mode: the same exchange number (decisions M26). */
static const struct chain_rule pull_1[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_NONCE, 1, 1}, {IKE1_PAYLOAD_ID, 1, 1}, EXTRAS,
    {IKE1_PAYLOAD_SA, 0, 0}};
static const struct chain_rule pull_2[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_NONCE, 1, 1}, {IKE1_PAYLOAD_SA, 1, 1}, EXTRAS};
static const struct chain_rule pull_3[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_GAP, 0, 1}, EXTRAS, RFC3547_ONLY};
static const struct chain_rule pull_4[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_SEQ, 0, 1}, {IKE1_PAYLOAD_KD, 1, 1}, EXTRAS,
    RFC3547_ONLY};
/* RFC 6407 4, with N for the heartbeat (decisions M14) and RFC 3547's CERT, skipped (S28). */
static const struct chain_rule push[] = {
    {IKE1_PAYLOAD_SEQ, 1, 1}, {IKE1_PAYLOAD_D, 0, 16}, {IKE1_PAYLOAD_SA, 0, 1},
    {IKE1_PAYLOAD_KD, 0, 1}, {IKE1_PAYLOAD_N, 0, 4}, {IKE1_PAYLOAD_CERT, 0, 8},
    {IKE1_PAYLOAD_SIG, 1, 1}};
/* RFC 8263 3. */
static const struct chain_rule push_ack[] = {
    {IKE1_PAYLOAD_HASH, 1, 1}, {IKE1_PAYLOAD_SEQ, 1, 1}, {IKE1_PAYLOAD_ID, 1, 1}};

/* In a PULL only HASH has its place: nothing else says so (as in RFC 2409 5.5). */
#define ANY_ORDER(name, first, rules) {name, first, true, ARRAY_LEN(rules), rules}
#define IN_ORDER(name, first, rules) {name, first, false, ARRAY_LEN(rules), rules}
static const struct ike1_shape shapes[GDOI_MESSAGE_COUNT] = {
    [GDOI_PULL_1] = ANY_ORDER("pull-1", IKE1_PAYLOAD_HASH, pull_1),
    [GDOI_PULL_2] = ANY_ORDER("pull-2", IKE1_PAYLOAD_HASH, pull_2),
    [GDOI_PULL_3] = ANY_ORDER("pull-3", IKE1_PAYLOAD_HASH, pull_3),
    [GDOI_PULL_4] = ANY_ORDER("pull-4", IKE1_PAYLOAD_HASH, pull_4),
    [GDOI_PUSH] = IN_ORDER("push", IKE1_PAYLOAD_SEQ, push),
    [GDOI_PUSH_ACK] = IN_ORDER("push-ack", IKE1_PAYLOAD_HASH, push_ack),
};
// clang-format on

const struct ike1_shape *gdoi_shape_of(enum gdoi_message m)
{
    assert((unsigned)m < GDOI_MESSAGE_COUNT);
    return &shapes[m];
}

/* SA and KD come together; a push without D, SA and N says nothing (RFC 6407 4, 5.9). */
static uint8_t missing_in_push(const struct chain *c)
{
    bool sa = chain_find(c, IKE1_PAYLOAD_SA) != NULL;
    bool kd = chain_find(c, IKE1_PAYLOAD_KD) != NULL;

    if (sa != kd)
        return sa ? IKE1_PAYLOAD_KD : IKE1_PAYLOAD_SA;
    if (!sa && !chain_find(c, IKE1_PAYLOAD_D) && !chain_find(c, IKE1_PAYLOAD_N))
        return IKE1_PAYLOAD_SA;
    return 0;
}

enum err gdoi_shape_check(enum gdoi_message m, const struct chain *c, uint8_t *ret_payload)
{
    enum err e = ike1_shape_check(gdoi_shape_of(m), c, ret_payload);
    if (e || m != GDOI_PUSH)
        return e;
    uint8_t missing = missing_in_push(c);
    if (missing && ret_payload)
        *ret_payload = missing;
    return missing ? ERR_MISSING : ERR_OK;
}

#pragma once
/* The group's identity in message 1 of a PULL (RFC 6407 5.1). */
#include "base/ip.h"
#include "ike1/payload.h"

struct gdoi_group_id {
    uint8_t type;     /* IKE1_ID_KEY_ID or IKE1_ID_IPV4_ADDR */
    uint32_t exact;   /* the four octets in network order */
    uint32_t swapped; /* in the other order, for peers of the captured kind (decisions M25): try
                         `exact` first */
    struct ip ip;     /* of IKE1_ID_IPV4_ADDR */
};
/* ERR_TYPE for another identification type, ERR_LENGTH, ERR_RESERVED for a protocol or port. */
MUST_USE enum err gdoi_group_id_parse(struct bytes body, struct gdoi_group_id *ret);
void gdoi_group_id_write(struct chain_wr *c, uint32_t group_id); /* ID_KEY_ID, network order */
void gdoi_group_address_write(struct chain_wr *c,
                              struct ip ip); /* ID_IPV4_ADDR, when configured so */

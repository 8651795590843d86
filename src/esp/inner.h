#pragma once
/* What the data path reads of an IPv4 packet: the 5-tuple that selectors look at, and the few
 * fields that tunnel mode handles (RFC 4301 5.1.2). */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"

#include <stdint.h>

enum {
    IPV4_HEADER = 20,
    IPV4_TOTAL_MAX = 65535,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_IPIP = 4,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_DCCP = 33,
    IP_PROTO_ESP = 50,
    IP_PROTO_SCTP = 132,
    IP_PROTO_UDPLITE = 136,
    IP_PROTO_D3P = 253, /* draft-weis-delay-detection-03 */
    ECN_MASK = 3,
    ECN_CE = 3,
};

struct esp_flow {
    uint32_t source, destination; /* host order */
    uint16_t source_port, destination_port;
    uint8_t protocol;
    bool has_ports; /* the protocol has ports and they are known */
};

struct esp_inner {
    struct esp_flow flow;
    uint16_t header_len, total_len;
    uint16_t id;
    uint16_t fragment_at; /* octets before this fragment */
    bool more_fragments, df;
    uint8_t tos, ttl;
};

/* Reads the header at the start of `packet`, which may be longer than the packet's own length says.
 * ERR_VERSION unless IPv4, ERR_LENGTH when its lengths contradict each other, ERR_SHORT. */
MUST_USE enum err esp_inner_parse(struct bytes packet, struct esp_inner *ret);

bool esp_protocol_has_ports(uint8_t protocol);

static inline bool esp_inner_is_fragment(const struct esp_inner *i)
{
    return i->more_fragments || i->fragment_at != 0;
}
static inline bool ipv4_is_multicast(uint32_t a) { return a >> 28 == 0xe; }

/* The Internet checksum (RFC 1071) of whole octets, to be continued: sums may be added. */
uint64_t inet_sum(const uint8_t *data, size_t len);
/* Folds and complements a sum into what stands in a header. */
uint16_t inet_fold(uint64_t sum);
/* The sum of a TCP or UDP pseudo-header, addresses taken from an IPv4 header. */
uint64_t inet_pseudo_sum(const uint8_t *ip_header, uint8_t protocol, size_t len);
/* Writes the checksum of an IPv4 header of len octets. */
void ipv4_write_checksum(uint8_t *header, size_t len);

/* Plain loads and stores in network order. The caller has checked the bounds. */
static inline uint16_t net_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t net_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void net_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void net_put32(uint8_t *p, uint32_t v)
{
    net_put16(p, (uint16_t)(v >> 16));
    net_put16(p + 2, (uint16_t)v);
}

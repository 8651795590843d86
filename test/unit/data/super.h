#pragma once
/* Super-packets as a TUN hands them out. */
#include "data/cut.h"
#include "esp/packet.h"
#include "test/check.h"

enum { SUPER_MAX = 65600, TCP_HEADER = 32 /* with time stamps */ };

/* TCP, 12 octets of options, `payload` octets of data; returns its length. */
static inline size_t super_tcp(uint8_t *p, size_t payload, uint8_t flags)
{
    size_t len = IPV4_HEADER + TCP_HEADER + payload;
    memset(p, 0, IPV4_HEADER + TCP_HEADER);
    p[0] = 0x45;
    p[1] = 2;
    net_put16(p + 2, (uint16_t)len);
    net_put16(p + 4, 0xfffe); /* the identification wraps */
    p[6] = 0x40;
    p[8] = 63;
    p[9] = IP_PROTO_TCP;
    net_put32(p + 12, 0x0a010002);
    net_put32(p + 16, 0x0a020002);
    ipv4_write_checksum(p, IPV4_HEADER);
    net_put16(p + 20, 40000);
    net_put16(p + 22, 80);
    net_put32(p + 24, 0xffffff00); /* and so does the sequence number */
    net_put32(p + 28, 4711);
    p[32] = TCP_HEADER / 4 << 4;
    p[33] = flags;
    net_put16(p + 34, 1000);
    memcpy(p + 40, "\1\1\10\12abcdefgh", 12);
    for (size_t i = 0; i < payload; i++)
        p[IPV4_HEADER + TCP_HEADER + i] = (uint8_t)(i * 31 + i / 256);
    return len;
}

static inline size_t super_udp(uint8_t *p, size_t payload)
{
    size_t len = super_tcp(p, payload, 0);
    memmove(p + 28, p + IPV4_HEADER + TCP_HEADER, payload);
    len = 28 + payload;
    p[9] = IP_PROTO_UDP;
    net_put16(p + 2, (uint16_t)len);
    ipv4_write_checksum(p, IPV4_HEADER);
    net_put16(p + 24, (uint16_t)(payload + 8));
    return len;
}

static inline bool transport_sum_holds(const uint8_t *p, size_t len)
{
    return inet_fold(inet_pseudo_sum(p, p[9], len - IPV4_HEADER) +
                     inet_sum(p + IPV4_HEADER, len - IPV4_HEADER)) == 0;
}

static inline struct virtio_net_hdr gso(uint8_t type, uint16_t size)
{
    return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                   .gso_type = type,
                                   .gso_size = size,
                                   .csum_start = IPV4_HEADER,
                                   .csum_offset = type == 5 ? 6 : 16};
}

#include "esp/inner.h"

#include "wire/rd.h"

#include <endian.h>

bool esp_protocol_has_ports(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
    case IP_PROTO_DCCP:
    case IP_PROTO_SCTP:
    case IP_PROTO_UDPLITE:
        return true;
    default:
        return false;
    }
}

/* Ports stand in the first four octets behind the header, of a first fragment only (RFC 4301 7.1).
 */
static void read_ports(struct bytes payload, struct esp_inner *in)
{
    if (in->fragment_at != 0 || payload.len < 4 || !esp_protocol_has_ports(in->flow.protocol))
        return;
    in->flow.source_port = net_u16(payload.data);
    in->flow.destination_port = net_u16(payload.data + 2);
    in->flow.has_ports = true;
}

/* RFC 791 3.1 */
enum err esp_inner_parse(struct bytes packet, struct esp_inner *ret)
{
    struct rd r = rd_of(packet);
    struct bytes h = rd_take(&r, IPV4_HEADER);
    if (h.len == 0)
        return ERR_SHORT;
    if (h.data[0] >> 4 != 4)
        return ERR_VERSION;
    uint16_t fragment = net_u16(h.data + 6);
    struct esp_inner in = {
        .flow = {.source = net_u32(h.data + 12),
                 .destination = net_u32(h.data + 16),
                 .protocol = h.data[9]},
        .header_len = (uint16_t)((h.data[0] & 15) * 4),
        .total_len = net_u16(h.data + 2),
        .id = net_u16(h.data + 4),
        .fragment_at = (uint16_t)((fragment & 0x1fff) * 8),
        .more_fragments = (fragment & 0x2000) != 0,
        .df = (fragment & 0x4000) != 0,
        .tos = h.data[1],
        .ttl = h.data[8],
    };
    if (in.header_len < IPV4_HEADER || in.total_len < in.header_len)
        return ERR_LENGTH;
    if (in.total_len > packet.len)
        return ERR_SHORT;
    read_ports(bytes(packet.data + in.header_len, (size_t)(in.total_len - in.header_len)), &in);
    *ret = in;
    return ERR_OK;
}

/* Adds 32-bit words into 64 bits: the carries pile up in the upper half and are folded once. The
 * sum is formed in host order, which the checksum allows (RFC 1071 2(B)). */
uint64_t inet_sum(const uint8_t *data, size_t len)
{
    uint64_t a = 0, b = 0;
    for (; len >= 16; data += 16, len -= 16) {
        uint32_t w[4];
        memcpy(w, data, sizeof w);
        a += (uint64_t)w[0] + w[1];
        b += (uint64_t)w[2] + w[3];
    }
    for (; len >= 2; data += 2, len -= 2) {
        uint16_t w;
        memcpy(&w, data, sizeof w);
        a += w;
    }
    if (len == 1)
        a += le16toh(data[0]);
    return a + b;
}

uint16_t inet_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return be16toh((uint16_t)~sum);
}

uint64_t inet_pseudo_sum(const uint8_t *ip_header, uint8_t protocol, size_t len)
{
    return inet_sum(ip_header + 12, 8) + htobe16(protocol) + htobe16((uint16_t)len);
}

void ipv4_write_checksum(uint8_t *header, size_t len)
{
    net_put16(header + 10, 0);
    net_put16(header + 10, inet_fold(inet_sum(header, len)));
}

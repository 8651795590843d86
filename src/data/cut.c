#include "data/cut.h"

#include "esp/inner.h"

#include <string.h>

enum {
    TCP_MIN = 20,
    UDP_HEADER = 8,
    TCP_FIN_PSH = 0x09,
    TCP_CWR = 0x80,
    GSO_UDP_L4 = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4 of Linux 6.2 */
};

/* --- whole packets --- */

/* CHECKSUM_PARTIAL: the field holds the pseudo-header's sum, the rest is ours. */
static enum err finish_checksum(const struct virtio_net_hdr *h, uint8_t *packet, size_t len)
{
    size_t start = h->csum_start, field = start + h->csum_offset;
    if (start >= len || field + 2 > len)
        return ERR_LENGTH;
    uint16_t sum = inet_fold(inet_sum(packet + start, len - start));
    if (sum == 0 && packet[9] == IP_PROTO_UDP)
        sum = UINT16_MAX; /* zero means none there (RFC 768) */
    net_put16(packet + field, sum);
    return ERR_OK;
}

/* --- super-packets --- */

static enum err begin_segments(struct cut *c, const struct virtio_net_hdr *h)
{
    struct esp_inner in;
    if (esp_inner_parse(bytes(c->packet, c->len), &in) != ERR_OK || esp_inner_is_fragment(&in))
        return ERR_LENGTH;
    bool tcp = c->kind == CUT_TCP;
    size_t at = in.header_len;
    if (in.flow.protocol != (tcp ? IP_PROTO_TCP : IP_PROTO_UDP))
        return ERR_TYPE;
    if (c->len < at + (tcp ? TCP_MIN : UDP_HEADER))
        return ERR_LENGTH;
    size_t transport = tcp ? (size_t)(c->packet[at + 12] >> 4) * 4 : UDP_HEADER;
    c->ip_len = at;
    c->header_len = at + transport;
    c->segment_len = h->gso_size;
    if (h->gso_size == 0 || (tcp && transport < TCP_MIN) || c->header_len >= c->len)
        return ERR_LENGTH;
    return ERR_OK;
}

enum err cut_begin(struct cut *c, const struct virtio_net_hdr *h, uint8_t *packet, size_t len)
{
    *c = (struct cut){.packet = packet, .len = len, .done = true};
    if (len < IPV4_HEADER)
        return ERR_LENGTH;
    enum err e = ERR_OK;
    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        c->kind = CUT_WHOLE;
        if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
            e = finish_checksum(h, packet, len);
        break;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        c->kind = CUT_TCP;
        e = begin_segments(c, h);
        break;
    case GSO_UDP_L4:
        c->kind = CUT_UDP;
        e = begin_segments(c, h);
        break;
    default:
        e = ERR_TYPE;
    }
    c->done = e != ERR_OK;
    return e;
}

static void fix_ip(const struct cut *c, uint8_t *out, size_t len)
{
    net_put16(out + 2, (uint16_t)len);
    net_put16(out + 4, (uint16_t)(net_u16(c->packet + 4) + c->n));
    ipv4_write_checksum(out, c->ip_len);
}

static void fix_tcp(const struct cut *c, uint8_t *out, size_t len, bool last)
{
    uint8_t *tcp = out + c->ip_len;
    net_put32(tcp + 4, net_u32(tcp + 4) + (uint32_t)c->at);
    if (!last)
        tcp[13] &= (uint8_t)~TCP_FIN_PSH;
    if (c->n > 0)
        tcp[13] &= (uint8_t)~TCP_CWR; /* once per window (RFC 3168 6.1.2) */
    net_put16(tcp + 16, 0);
    size_t tcp_len = len - c->ip_len;
    net_put16(tcp + 16,
              inet_fold(inet_pseudo_sum(out, IP_PROTO_TCP, tcp_len) + inet_sum(tcp, tcp_len)));
}

static void fix_udp(const struct cut *c, uint8_t *out, size_t len)
{
    uint8_t *udp = out + c->ip_len;
    size_t udp_len = len - c->ip_len;
    net_put16(udp + 4, (uint16_t)udp_len);
    net_put16(udp + 6, 0);
    uint16_t sum = inet_fold(inet_pseudo_sum(out, IP_PROTO_UDP, udp_len) + inet_sum(udp, udp_len));
    net_put16(udp + 6, sum ? sum : UINT16_MAX);
}

static bool next_whole(struct cut *c, uint8_t *out, size_t room, size_t *ret_len)
{
    c->done = true;
    if (c->len > room)
        return false;
    memcpy(out, c->packet, c->len);
    *ret_len = c->len;
    return true;
}

bool cut_next(struct cut *c, uint8_t *out, size_t room, size_t *ret_len)
{
    if (c->done)
        return false;
    if (c->kind == CUT_WHOLE)
        return next_whole(c, out, room, ret_len);
    size_t left = c->len - c->header_len - c->at;
    size_t payload = left < c->segment_len ? left : c->segment_len;
    size_t len = c->header_len + payload;
    bool last = payload == left;
    c->done = last || len > room;
    if (len > room)
        return false;
    memcpy(out, c->packet, c->header_len);
    memcpy(out + c->header_len, c->packet + c->header_len + c->at, payload);
    fix_ip(c, out, len);
    if (c->kind == CUT_TCP)
        fix_tcp(c, out, len, last);
    else
        fix_udp(c, out, len);
    c->at += payload;
    c->n++;
    *ret_len = len;
    return true;
}

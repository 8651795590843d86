#include "data/merge.h"

enum {
    TCP_MIN = 20,
    TCP_SEQUENCE = 4,
    TCP_ACK = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM = 16,
    FLAG_PSH = 0x08,
    FLAG_ACK = 0x10,
    UDP_HEADER = 8,
    UDP_LENGTH = 4,
    UDP_CHECKSUM = 6,
    GSO_UDP_L4 = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4 of Linux 6.2 */
};

/* What merging looks at, of one packet. */
struct segment {
    const struct esp_packet *p;
    uint8_t *ip, *transport;
    size_t header_len, payload_len;
    uint32_t position; /* where it stands in its flow */
    uint32_t next;     /* where its successor will */
    bool last;         /* it says itself that none follows */
};

static bool checksums_hold(const uint8_t *ip, size_t len)
{
    size_t transport_len = len - IPV4_HEADER;
    return inet_fold(inet_sum(ip, IPV4_HEADER)) == 0 &&
           inet_fold(inet_pseudo_sum(ip, ip[9], transport_len) +
                     inet_sum(ip + IPV4_HEADER, transport_len)) == 0;
}

/* Plain data: nothing but ACK and PSH, and some payload. */
static bool read_tcp(struct segment *s)
{
    if (s->p->len < IPV4_HEADER + TCP_MIN)
        return false;
    size_t tcp_header = (size_t)(s->transport[TCP_OFFSET] >> 4) * 4;
    uint8_t flags = s->transport[TCP_FLAGS];
    s->header_len = IPV4_HEADER + tcp_header;
    if (tcp_header < TCP_MIN || s->p->len <= s->header_len ||
        (s->transport[TCP_OFFSET] & 15) != 0 || (flags & ~FLAG_PSH) != FLAG_ACK)
        return false;
    s->payload_len = s->p->len - s->header_len;
    s->position = net_u32(s->transport + TCP_SEQUENCE);
    s->next = s->position + (uint32_t)s->payload_len;
    s->last = (flags & FLAG_PSH) != 0; /* the cutter at the other end put it on the last one */
    return true;
}

/* The kernel will number the datagrams from the first one's identification on. Where that matters,
 * because somebody may fragment them, they must have been numbered so. */
static bool read_udp(struct segment *s)
{
    s->header_len = IPV4_HEADER + UDP_HEADER;
    if (s->p->len <= s->header_len || net_u16(s->transport + UDP_CHECKSUM) == 0 ||
        net_u16(s->transport + UDP_LENGTH) != s->p->len - IPV4_HEADER)
        return false;
    s->payload_len = s->p->len - s->header_len;
    s->position = s->p->inner.df ? 0 : s->p->inner.id;
    s->next = s->p->inner.df ? 0 : (uint16_t)(s->p->inner.id + 1);
    return true;
}

static bool read_segment(const struct merge *m, const struct esp_packet *p, struct segment *s)
{
    const struct esp_inner *in = &p->inner;
    if (in->header_len != IPV4_HEADER || esp_inner_is_fragment(in))
        return false;
    s->p = p;
    s->ip = esp_packet_data(p);
    s->transport = s->ip + IPV4_HEADER;
    bool plain = in->flow.protocol == IP_PROTO_TCP   ? read_tcp(s)
                 : in->flow.protocol == IP_PROTO_UDP ? m->merges_udp && read_udp(s)
                                                     : false;
    return plain && checksums_hold(s->ip, p->len);
}

static bool same_flow(const struct esp_inner *a, const struct esp_inner *b)
{
    return a->flow.source == b->flow.source && a->flow.destination == b->flow.destination &&
           a->flow.source_port == b->flow.source_port &&
           a->flow.destination_port == b->flow.destination_port &&
           a->flow.protocol == b->flow.protocol;
}

/* Acknowledgement, window and options are equal. */
static bool same_tcp(const uint8_t *a, const uint8_t *b, size_t len)
{
    return bytes_equal(bytes(a + TCP_ACK, 4), bytes(b + TCP_ACK, 4)) &&
           bytes_equal(bytes(a + TCP_WINDOW, 2), bytes(b + TCP_WINDOW, 2)) &&
           bytes_equal(bytes(a + TCP_MIN, len - TCP_MIN), bytes(b + TCP_MIN, len - TCP_MIN));
}

static bool same_headers(const struct merge_frame *f, const struct segment *s)
{
    const struct esp_inner *a = &f->first->inner, *b = &s->p->inner;
    const uint8_t *transport = esp_packet_data(f->first) + IPV4_HEADER;
    return s->header_len == f->header_len && a->tos == b->tos && a->ttl == b->ttl &&
           a->df == b->df &&
           (a->flow.protocol == IP_PROTO_UDP ||
            same_tcp(transport, s->transport, f->header_len - IPV4_HEADER));
}

static bool can_append(const struct merge_frame *f, const struct segment *s)
{
    return !f->closed && s->position == f->next && s->payload_len <= f->segment_len &&
           f->len + s->payload_len <= IPV4_TOTAL_MAX && f->n_iov <= ESP_BATCH && same_headers(f, s);
}

static void add_piece(struct merge_frame *f, uint8_t *data, size_t len)
{
    f->iov[f->n_iov++] = (struct iovec){data, len};
    f->len += len;
}

static void open_frame(struct merge_frame *f, const struct esp_packet *p)
{
    f->vnet = (struct virtio_net_hdr){0};
    f->iov[0] = (struct iovec){&f->vnet, sizeof f->vnet};
    f->n_iov = 1;
    f->len = 0;
    f->first = p;
    f->closed = true;
    add_piece(f, esp_packet_data(p), p->len);
}

/* A shorter segment is the last one: only the last may be shorter when the kernel cuts again. */
static void note_segment(struct merge_frame *f, const struct segment *s)
{
    f->next = s->next;
    f->closed = s->last || s->payload_len < f->segment_len;
}

static void open_segment(struct merge_frame *f, const struct segment *s)
{
    open_frame(f, s->p);
    f->header_len = s->header_len;
    f->segment_len = s->payload_len;
    note_segment(f, s);
}

static void append(struct merge_frame *f, const struct segment *s)
{
    add_piece(f, s->ip + s->header_len, s->payload_len);
    if (s->last)
        esp_packet_data(f->first)[IPV4_HEADER + TCP_FLAGS] |= FLAG_PSH;
    note_segment(f, s);
}

/* The header of a super-packet: whole length, the pseudo-header's sum, and how to cut it again. */
static void seal_frame(struct merge_frame *f)
{
    bool udp = f->first->inner.flow.protocol == IP_PROTO_UDP;
    size_t checksum = udp ? UDP_CHECKSUM : TCP_CHECKSUM;
    uint8_t *ip = esp_packet_data(f->first), *transport = ip + IPV4_HEADER;
    net_put16(ip + 2, (uint16_t)f->len);
    ipv4_write_checksum(ip, IPV4_HEADER);
    if (udp)
        net_put16(transport + UDP_LENGTH, (uint16_t)(f->len - IPV4_HEADER));
    net_put16(transport + checksum,
              (uint16_t)~inet_fold(inet_pseudo_sum(ip, ip[9], f->len - IPV4_HEADER)));
    f->vnet = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = udp ? GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_TCPV4,
        .hdr_len = (uint16_t)f->header_len,
        .gso_size = (uint16_t)f->segment_len,
        .csum_start = IPV4_HEADER,
        .csum_offset = (uint16_t)checksum,
    };
}

static void emit(struct merge *m, size_t which)
{
    struct merge_frame *f = &m->frame[which];
    if (f->n_iov > 2)
        seal_frame(f);
    m->emit(m->context, f->iov, f->n_iov);
}

/* Emits one frame and closes the gap; the oldest stays first. */
static void flush(struct merge *m, size_t which)
{
    emit(m, which);
    m->n_open--;
    for (size_t i = which; i < m->n_open; i++) {
        m->frame[i] = m->frame[i + 1];
        m->frame[i].iov[0].iov_base = &m->frame[i].vnet;
    }
}

static size_t find_flow(const struct merge *m, const struct esp_inner *in)
{
    size_t i = 0;
    while (i < m->n_open && !same_flow(&m->frame[i].first->inner, in))
        i++;
    return i;
}

static void take(struct merge *m, const struct esp_packet *p)
{
    struct segment s = {0};
    bool plain = read_segment(m, p, &s);
    size_t i = find_flow(m, &p->inner);
    if (i < m->n_open && plain && can_append(&m->frame[i], &s)) {
        append(&m->frame[i], &s);
        return;
    }
    if (i < m->n_open)
        flush(m, i);
    if (m->n_open == MERGE_FLOWS)
        flush(m, 0);
    if (plain) {
        open_segment(&m->frame[m->n_open++], &s);
        return;
    }
    open_frame(&m->frame[m->n_open], p);
    emit(m, m->n_open);
}

void merge_run(struct merge *m, const struct esp_packet *p, size_t n)
{
    m->n_open = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i].verdict == ESP_DECRYPTED)
            take(m, &p[i]);
    }
    while (m->n_open > 0)
        flush(m, 0);
}

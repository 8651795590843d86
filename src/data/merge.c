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
    DF = 0x40,
};

/* What merging looks at, of one packet. */
struct segment {
    const struct esp_packet *p;
    uint8_t *ip, *tcp;
    size_t header_len, payload_len;
    uint32_t sequence;
};

static bool checksums_hold(const uint8_t *ip, size_t len)
{
    const uint8_t *tcp = ip + IPV4_HEADER;
    size_t tcp_len = len - IPV4_HEADER;
    return inet_fold(inet_sum(ip, IPV4_HEADER)) == 0 &&
           inet_fold(inet_pseudo_sum(ip, IP_PROTO_TCP, tcp_len) + inet_sum(tcp, tcp_len)) == 0;
}

/* Plain data: no IP options, no fragment, nothing but ACK and PSH, some payload, sums that hold. */
static bool read_segment(const struct esp_packet *p, struct segment *s)
{
    const struct esp_inner *in = &p->inner;
    if (in->flow.protocol != IP_PROTO_TCP || in->header_len != IPV4_HEADER ||
        esp_inner_is_fragment(in) || p->len < IPV4_HEADER + TCP_MIN)
        return false;
    s->p = p;
    s->ip = esp_packet_data(p);
    s->tcp = s->ip + IPV4_HEADER;
    size_t tcp_header = (size_t)(s->tcp[TCP_OFFSET] >> 4) * 4;
    s->header_len = IPV4_HEADER + tcp_header;
    if (tcp_header < TCP_MIN || p->len <= s->header_len)
        return false;
    if ((s->tcp[TCP_FLAGS] & ~FLAG_PSH) != FLAG_ACK || (s->tcp[TCP_OFFSET] & 15) != 0)
        return false;
    s->payload_len = p->len - s->header_len;
    s->sequence = net_u32(s->tcp + TCP_SEQUENCE);
    return checksums_hold(s->ip, p->len);
}

static bool same_flow(const struct esp_inner *a, const struct esp_inner *b)
{
    return a->flow.source == b->flow.source && a->flow.destination == b->flow.destination &&
           a->flow.source_port == b->flow.source_port &&
           a->flow.destination_port == b->flow.destination_port &&
           a->flow.protocol == b->flow.protocol;
}

/* Acknowledgement, header length, window and options are equal; so are TOS, TTL and DF. */
static bool same_headers(const struct merge_frame *f, const struct segment *s)
{
    const uint8_t *ip = esp_packet_data(f->first), *tcp = ip + IPV4_HEADER;
    size_t options = f->header_len - IPV4_HEADER - TCP_MIN;
    return s->header_len == f->header_len && ip[1] == s->ip[1] && ip[8] == s->ip[8] &&
           (ip[6] & DF) == (s->ip[6] & DF) &&
           bytes_equal(bytes(tcp + TCP_ACK, 4), bytes(s->tcp + TCP_ACK, 4)) &&
           bytes_equal(bytes(tcp + TCP_WINDOW, 2), bytes(s->tcp + TCP_WINDOW, 2)) &&
           bytes_equal(bytes(tcp + TCP_MIN, options), bytes(s->tcp + TCP_MIN, options));
}

static bool can_append(const struct merge_frame *f, const struct segment *s)
{
    return !f->closed && s->sequence == f->next_sequence && s->payload_len <= f->segment_len &&
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

static void note_segment(struct merge_frame *f, const struct segment *s)
{
    f->next_sequence = s->sequence + (uint32_t)s->payload_len;
    /* a short segment or a push is the last one: the cutter at the other end puts them there */
    f->closed = s->payload_len < f->segment_len || (s->tcp[TCP_FLAGS] & FLAG_PSH);
}

static void open_tcp(struct merge_frame *f, const struct segment *s)
{
    open_frame(f, s->p);
    f->header_len = s->header_len;
    f->segment_len = s->payload_len;
    note_segment(f, s);
}

static void append(struct merge_frame *f, const struct segment *s)
{
    add_piece(f, s->ip + s->header_len, s->payload_len);
    esp_packet_data(f->first)[IPV4_HEADER + TCP_FLAGS] |= s->tcp[TCP_FLAGS] & FLAG_PSH;
    note_segment(f, s);
}

/* The header of a super-packet: whole length, the pseudo-header's sum, and how to cut it again. */
static void seal_frame(struct merge_frame *f)
{
    uint8_t *ip = esp_packet_data(f->first);
    net_put16(ip + 2, (uint16_t)f->len);
    ipv4_write_checksum(ip, IPV4_HEADER);
    uint16_t sum = (uint16_t)~inet_fold(inet_pseudo_sum(ip, IP_PROTO_TCP, f->len - IPV4_HEADER));
    net_put16(ip + IPV4_HEADER + TCP_CHECKSUM, sum);
    f->vnet = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
        .hdr_len = (uint16_t)f->header_len,
        .gso_size = (uint16_t)f->segment_len,
        .csum_start = IPV4_HEADER,
        .csum_offset = TCP_CHECKSUM,
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
    bool plain = read_segment(p, &s);
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
        open_tcp(&m->frame[m->n_open++], &s);
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

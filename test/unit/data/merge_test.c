#include "data/merge.h"

#include "test/unit/data/super.h"

enum { PSH = 8, ACK = 16, FIN = 1, ROOM = 2048, OUT_MAX = 80 };
static uint8_t frame[SUPER_MAX], buffers[ESP_BATCH][ROOM];
static struct esp_packet packets[ESP_BATCH];
static struct merge merge;

/* What was emitted, flattened. */
static struct {
    struct virtio_net_hdr h;
    size_t len;
    uint8_t packet[SUPER_MAX];
} outs[OUT_MAX];
static size_t n_outs;

static void collect(void *context, const struct iovec *iov, int n_iov)
{
    (void)context;
    assert_true(n_outs < OUT_MAX);
    memcpy(&outs[n_outs].h, iov[0].iov_base, sizeof outs[n_outs].h);
    outs[n_outs].len = 0;
    for (int i = 1; i < n_iov; i++) {
        memcpy(outs[n_outs].packet + outs[n_outs].len, iov[i].iov_base, iov[i].iov_len);
        outs[n_outs].len += iov[i].iov_len;
    }
    n_outs++;
}

static void add(size_t *n, const uint8_t *packet, size_t len)
{
    struct esp_packet *p = &packets[*n];
    memcpy(buffers[*n], packet, len);
    *p = (struct esp_packet){.buffer = buffers[*n], .room = ROOM, .len = (uint32_t)len};
    p->verdict = ESP_DECRYPTED;
    assert_int_equal(esp_inner_parse(bytes(packet, len), &p->inner), ERR_OK);
    (*n)++;
}

/* The segments of a super-packet, which is left in `frame`. */
static size_t segments(size_t payload, uint16_t size, size_t n)
{
    size_t len = super_tcp(frame, payload, ACK | PSH), got = 0;
    uint8_t segment[ROOM];
    struct virtio_net_hdr h = gso(VIRTIO_NET_HDR_GSO_TCPV4, size);
    struct cut c;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    while (cut_next(&c, segment, sizeof segment, &got))
        add(&n, segment, got);
    return n;
}

static void run(size_t n)
{
    n_outs = 0;
    merge.emit = collect;
    merge_run(&merge, packets, n);
}

static void resign(uint8_t *p, size_t len)
{
    ipv4_write_checksum(p, IPV4_HEADER);
    net_put16(p + 36, 0);
    net_put16(p + 36,
              inet_fold(inet_pseudo_sum(p, IP_PROTO_TCP, len - 20) + inet_sum(p + 20, len - 20)));
}

static void segments_become_the_super_packet(void **state)
{
    (void)state;
    size_t n = segments(12345, 1000, 0);
    assert_int_equal(n, 13);
    run(n);
    assert_int_equal(n_outs, 1);
    assert_int_equal(outs[0].len, IPV4_HEADER + TCP_HEADER + 12345);
    assert_memory_equal(outs[0].packet + 52, frame + 52, 12345);
    assert_memory_equal(outs[0].packet + 20, frame + 20, 16); /* ports, numbers, flags, window */
    assert_int_equal(outs[0].h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(outs[0].h.gso_size, 1000);
    assert_int_equal(outs[0].h.hdr_len, 52);
    assert_int_equal(outs[0].h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(inet_fold(inet_sum(outs[0].packet, 20)), 0);
    /* and cut again, it is what it was: checksums hold */
    struct cut c;
    size_t got = 0, seen = 0;
    uint8_t segment[ROOM];
    assert_int_equal(cut_begin(&c, &outs[0].h, outs[0].packet, outs[0].len), ERR_OK);
    while (cut_next(&c, segment, sizeof segment, &got)) {
        assert_true(transport_sum_holds(segment, got));
        seen++;
    }
    assert_int_equal(seen, 13);
}

/* Each change alone keeps a segment from joining. */
static void what_must_not_be_merged(void **state)
{
    (void)state;
    enum { SECOND = 1, CHANGES = 10 };
    for (int change = 0; change < CHANGES; change++) {
        size_t n = segments(2000, 1000, 0);
        uint8_t *p = buffers[SECOND];
        size_t len = packets[SECOND].len;
        switch (change) {
        case 0:
            p[33] |= FIN;
            break;
        case 1:
            net_put32(p + 24, net_u32(p + 24) + 1); /* a gap */
            break;
        case 2:
            p[31]++; /* acknowledgement */
            break;
        case 3:
            p[35]++; /* window */
            break;
        case 4:
            p[45]++; /* an option */
            break;
        case 5:
            p[1] ^= 1; /* congestion */
            break;
        case 6:
            p[8]--; /* TTL */
            break;
        case 7:
            p[6] ^= 0x40; /* DF */
            break;
        case 8:
            p[33] = ACK | 0x20; /* urgent */
            break;
        default:
            p[32] |= 1; /* a reserved bit */
            break;
        }
        resign(p, len);
        assert_int_equal(esp_inner_parse(bytes(p, len), &packets[SECOND].inner), ERR_OK);
        run(n);
        assert_int_equal(n_outs, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(outs[i].h.gso_type, 0);
            assert_int_equal(outs[i].h.flags, 0);
            assert_int_equal(outs[i].len, packets[i].len);
        }
        assert_memory_equal(outs[1].packet, p, len);
    }
}

/* The kernel would give it a right one: a broken packet would be healed. */
static void a_wrong_checksum_is_passed_on_wrong(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        size_t n = segments(3000, 1000, 0);
        buffers[1][which ? 100 : 8] ^= 1;
        run(n);
        assert_int_equal(n_outs, 3);
        assert_memory_equal(outs[1].packet, buffers[1], packets[1].len);
    }
}

static void order_within_a_flow(void **state)
{
    (void)state;
    uint8_t other[200];
    size_t n = segments(2000, 1000, 0), len = super_udp(other, 50);
    add(&n, other, len); /* another flow does not disturb */
    size_t before = n;
    n = segments(2000, 1000, n); /* the first octets again: no successor */
    packets[before].verdict = ESP_IN_AUTH;
    run(n);
    assert_int_equal(n_outs, 3);
    assert_int_equal(outs[0].packet[9], IP_PROTO_UDP); /* went at once */
    assert_int_equal(outs[1].len, 52 + 2000);
    assert_int_equal(outs[2].len, 52 + 1000); /* the dropped one is not there */
    assert_memory_equal(outs[2].packet, buffers[before + 1], outs[2].len);
}

static void more_flows_than_places(void **state)
{
    (void)state;
    size_t n = 0, total = 0;
    uint8_t p[ROOM];
    for (int round = 0; round < 3; round++) {
        for (uint8_t flow = 0; flow < MERGE_FLOWS + 3; flow++) {
            size_t len = super_tcp(p, 100, ACK);
            p[19] = flow;
            net_put32(p + 24, (uint32_t)(100 * round));
            resign(p, len);
            add(&n, p, len);
        }
    }
    run(n);
    for (size_t i = 0; i < n_outs; i++)
        total += outs[i].len - 52;
    assert_int_equal(total, 3 * (MERGE_FLOWS + 3) * 100);
}

/* Datagrams of one size, numbered one after the other, the last one shorter. */
static size_t datagrams(size_t n)
{
    uint8_t segment[ROOM];
    size_t got = 0;
    struct virtio_net_hdr h = gso(5, 500);
    struct cut c;
    size_t len = super_udp(frame, 500 * n - 100);
    frame[6] = 0; /* may be fragmented: numbers count */
    ipv4_write_checksum(frame, IPV4_HEADER);
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    size_t made = 0;
    while (cut_next(&c, segment, sizeof segment, &got))
        add(&made, segment, got);
    return made;
}

static void datagrams_become_a_super_packet(void **state)
{
    (void)state;
    size_t n = datagrams(10);
    assert_int_equal(n, 10);
    merge.merges_udp = false;
    run(n);
    assert_int_equal(n_outs, 10);
    merge.merges_udp = true;
    run(n);
    assert_int_equal(n_outs, 1);
    assert_int_equal(outs[0].h.gso_type, 5);
    assert_int_equal(outs[0].h.gso_size, 500);
    assert_int_equal(outs[0].h.csum_offset, 6);
    assert_int_equal(net_u16(outs[0].packet + 24), 8 + 4900);
    assert_memory_equal(outs[0].packet + 28, frame + 28, 4900);
    struct cut c;
    size_t got = 0, seen = 0;
    uint8_t segment[ROOM];
    assert_int_equal(cut_begin(&c, &outs[0].h, outs[0].packet, outs[0].len), ERR_OK);
    while (cut_next(&c, segment, sizeof segment, &got)) {
        assert_true(transport_sum_holds(segment, got));
        seen++;
    }
    assert_int_equal(seen, 10);

    n = datagrams(3); /* a number is missing */
    buffers[1][5] += 5;
    ipv4_write_checksum(buffers[1], IPV4_HEADER);
    packets[1].inner.id = (uint16_t)(packets[1].inner.id + 5);
    run(n);
    assert_int_equal(n_outs, 3);

    n = datagrams(3); /* no checksum: it must not get one */
    for (size_t i = 0; i < n; i++)
        net_put16(buffers[i] + 26, 0);
    run(n);
    assert_int_equal(n_outs, 3);
    merge.merges_udp = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_become_the_super_packet),
        cmocka_unit_test(what_must_not_be_merged),
        cmocka_unit_test(a_wrong_checksum_is_passed_on_wrong),
        cmocka_unit_test(order_within_a_flow),
        cmocka_unit_test(more_flows_than_places),
        cmocka_unit_test(datagrams_become_a_super_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

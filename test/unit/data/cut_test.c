#include "data/cut.h"

#include "test/unit/data/super.h"

enum { PSH = 8, ACK = 16, CWR = 128, FIN = 1, GSO_UDP = 5 };
static uint8_t frame[SUPER_MAX], out[4096];

static void tcp_segments(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 999, 1000, 1001, 2000, 12345, 64000};
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        size_t len = super_tcp(frame, sizes[k], ACK | PSH | FIN | CWR), seen = 0, n = 0, got = 0;
        struct virtio_net_hdr h = gso(VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 1000);
        struct cut c;
        assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
        while (cut_next(&c, out, sizeof out, &got)) {
            size_t payload = got - IPV4_HEADER - TCP_HEADER;
            bool last = seen + payload == sizes[k];
            assert_int_equal(payload, last ? sizes[k] - seen : 1000);
            assert_int_equal(net_u16(out + 2), got);
            assert_int_equal(net_u16(out + 4), (uint16_t)(0xfffe + n));
            assert_int_equal(inet_fold(inet_sum(out, IPV4_HEADER)), 0);
            assert_int_equal(net_u32(out + 24), (uint32_t)(0xffffff00 + seen));
            assert_int_equal(out[33], ACK | (last ? PSH | FIN : 0) | (n == 0 ? CWR : 0));
            assert_true(transport_sum_holds(out, got));
            assert_memory_equal(out + 40, frame + 40, 12);
            assert_memory_equal(out + 52, frame + 52 + seen, payload);
            seen += payload;
            n++;
        }
        assert_int_equal(seen, sizes[k]);
        assert_int_equal(n, (sizes[k] + 999) / 1000);
        assert_false(cut_next(&c, out, sizeof out, &got));
    }
}

static void udp_segments(void **state)
{
    (void)state;
    size_t len = super_udp(frame, 2500), got = 0, seen = 0;
    struct virtio_net_hdr h = gso(GSO_UDP, 1200);
    struct cut c;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    while (cut_next(&c, out, sizeof out, &got)) {
        assert_int_equal(net_u16(out + 24), got - IPV4_HEADER);
        assert_true(transport_sum_holds(out, got));
        assert_memory_equal(out + 28, frame + 28 + seen, got - 28);
        seen += got - 28;
    }
    assert_int_equal(seen, 2500);
}

static void whole_packets(void **state)
{
    (void)state;
    struct virtio_net_hdr h = {0};
    struct cut c;
    size_t got = 0, len = super_udp(frame, 100);
    net_put16(frame + 26, 0x1234);
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    assert_true(cut_next(&c, out, sizeof out, &got));
    assert_int_equal(got, len);
    assert_memory_equal(out, frame, len); /* as it came */
    assert_false(cut_next(&c, out, sizeof out, &got));

    /* an unfinished checksum: the field holds the pseudo-header's sum */
    h = gso(0, 0);
    h.csum_offset = 6;
    net_put16(frame + 26, (uint16_t)~inet_fold(inet_pseudo_sum(frame, IP_PROTO_UDP, len - 20)));
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    assert_true(cut_next(&c, out, sizeof out, &got));
    assert_true(transport_sum_holds(out, got));
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_OK);
    assert_false(cut_next(&c, out, len - 1, &got)); /* no room: nothing */
}

static void refuses_frames_that_lie(void **state)
{
    (void)state;
    struct virtio_net_hdr good = gso(VIRTIO_NET_HDR_GSO_TCPV4, 1000), h;
    struct cut c;
    size_t got = 0, len = super_tcp(frame, 3000, ACK);
    assert_int_equal(cut_begin(&c, &good, frame, 19), ERR_LENGTH);
    h = good;
    h.gso_size = 0;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_LENGTH);
    h = good;
    h.gso_type = 77;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_TYPE);
    h = good;
    h.gso_type = GSO_UDP;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_TYPE); /* it is TCP */
    h = gso(0, 0);
    h.csum_start = (uint16_t)len;
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_LENGTH);
    h.csum_start = (uint16_t)(len - 17);
    assert_int_equal(cut_begin(&c, &h, frame, len), ERR_LENGTH);
    assert_int_equal(cut_begin(&c, &good, frame, len - 1), ERR_LENGTH);
    frame[32] = 4 << 4; /* a TCP header of 16 octets */
    assert_int_equal(cut_begin(&c, &good, frame, len), ERR_LENGTH);
    super_tcp(frame, 3000, ACK);
    frame[6] = 0x20; /* a fragment */
    assert_int_equal(cut_begin(&c, &good, frame, len), ERR_LENGTH);
    len = super_tcp(frame, 0, ACK);
    assert_int_equal(cut_begin(&c, &good, frame, len), ERR_LENGTH);
    assert_false(cut_next(&c, out, sizeof out, &got));
    len = super_tcp(frame, 3000, ACK); /* a segment that does not fit ends the frame */
    assert_int_equal(cut_begin(&c, &good, frame, len), ERR_OK);
    assert_false(cut_next(&c, out, 1000, &got));
    assert_false(cut_next(&c, out, sizeof out, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_segments),
        cmocka_unit_test(udp_segments),
        cmocka_unit_test(whole_packets),
        cmocka_unit_test(refuses_frames_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Frames from the TUN: every segment that is cut is a whole IPv4 packet whose checksums hold, and
 * merging the segments of a TCP super-packet gives its payload back. Input: virtio_net header (10),
 * packet. */
#include "data/cut.h"
#include "data/merge.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

enum { ROOM = 2048 };

static void must(bool good)
{
    if (!good)
        abort();
}

struct sink {
    size_t payload, frames;
};

static void take(void *context, const struct iovec *iov, int n_iov)
{
    struct sink *s = context;
    must(n_iov >= 2 && iov[0].iov_len == sizeof(struct virtio_net_hdr));
    for (int i = 1; i < n_iov; i++)
        s->payload += iov[i].iov_len;
    s->frames++;
}

static void check_segment(const struct cut *c, const uint8_t *p, size_t len)
{
    struct esp_inner in;
    if (c->kind == CUT_WHOLE)
        return;
    must(esp_inner_parse(bytes(p, len), &in) == ERR_OK && in.total_len == len);
    must(inet_fold(inet_sum(p, in.header_len)) == 0);
    size_t transport = len - in.header_len;
    must(inet_fold(inet_pseudo_sum(p, in.flow.protocol, transport) +
                   inet_sum(p + in.header_len, transport)) == 0);
}

/* Nothing is lost by merging: the segments less the headers that they shared. */
static void check_merge(struct esp_packet *p, size_t n)
{
    static struct merge m;
    struct sink s = {0};
    size_t before = 0;
    for (size_t i = 0; i < n; i++) {
        must(esp_inner_parse(bytes(p[i].buffer, p[i].len), &p[i].inner) == ERR_OK);
        p[i].verdict = ESP_DECRYPTED;
        before += p[i].len;
    }
    m.emit = take;
    m.merges_udp = true;
    m.context = &s;
    merge_run(&m, p, n);
    must(s.frames <= n && s.payload <= before && s.payload + 120 * n >= before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t slots[ESP_BATCH][ROOM];
    struct esp_packet p[ESP_BATCH];
    struct virtio_net_hdr h;
    struct cut c;
    size_t n = 0, len = 0;
    if (size < sizeof h)
        return 0;
    memcpy(&h, data, sizeof h);
    size -= sizeof h;
    uint8_t *packet = malloc(size + 1);
    must(packet != NULL);
    memcpy(packet, data + sizeof h, size);
    if (cut_begin(&c, &h, packet, size) == ERR_OK) {
        while (n < ESP_BATCH && cut_next(&c, slots[n], ROOM, &len)) {
            must(len <= ROOM);
            check_segment(&c, slots[n], len);
            p[n] = (struct esp_packet){.buffer = slots[n], .room = ROOM, .len = (uint32_t)len};
            n++;
        }
        if (c.kind != CUT_WHOLE)
            check_merge(p, n);
    }
    free(packet);
    return 0;
}

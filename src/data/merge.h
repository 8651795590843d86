#pragma once
/* The reverse of cut: consecutive TCP segments, or equal UDP datagrams, of one flow become one
 * super-packet, gathered from where they lie, so that the kernel forwards and acknowledges once
 * instead of forty times. Their checksums are verified first, because the kernel will compute new
 * ones. Pure. */
#include "esp/packet.h"

#include <linux/virtio_net.h>
#include <sys/uio.h>

enum { MERGE_FLOWS = 8 };

struct merge_frame {
    struct virtio_net_hdr vnet;
    struct iovec iov[ESP_BATCH + 1]; /* the header above, then the packet */
    int n_iov;
    size_t len; /* of the packet */
    const struct esp_packet *first;
    uint32_t next; /* position of the segment that may follow */
    size_t header_len, segment_len;
    bool closed; /* nothing may follow the last segment */
};
struct merge {
    struct merge_frame frame[MERGE_FLOWS];
    size_t n_open;
    bool merges_udp; /* the TUN takes UDP super-packets (Linux 6.2) */
    void (*emit)(void *context, const struct iovec *iov, int n_iov);
    void *context;
};

/* Emits every packet once, alone or merged, before it returns. Within a flow the order stays.
 * Packets whose verdict is not ESP_DECRYPTED are passed over. The first header of a merged frame is
 * changed. */
void merge_run(struct merge *m, const struct esp_packet *p, size_t n);

#pragma once
/* One packet on its way through a pipeline. It lies in a buffer with room on both sides, so that
 * ESP is put around it, and taken off, without a copy. A packet that fails keeps its place in the
 * batch; its verdict says why, and whoever sends or delivers skips it. */
#include "crypto/packet.h"
#include "esp/inner.h"
#include "esp/sadb.h"
#include "esp/stats.h"

enum {
    ESP_HEADER = 8,                                           /* SPI and sequence number */
    ESP_HEADROOM = IPV4_HEADER + ESP_HEADER + 16 + ESP_STAMP, /* before an inner packet */
    ESP_TAILROOM = 16 + 2 + 32,                               /* behind it: padding, trailer, ICV */
    ESP_BATCH = PACKET_BATCH_MAX,
};

struct esp_packet {
    uint8_t *buffer;
    uint32_t room;    /* of the buffer */
    uint32_t at, len; /* where the packet stands in it */
    enum esp_stat verdict;
    struct esp_sa *sa;      /* when one was found */
    struct esp_inner inner; /* when it could be read */
};

static inline uint8_t *esp_packet_data(const struct esp_packet *p) { return p->buffer + p->at; }

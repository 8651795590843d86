#pragma once
/* Later fragments carry no ports. The first one leaves them here under (source, destination,
 * protocol, id), so that the others of its datagram find the same policy (RFC 4301 7.3, stateful
 * fragment checking). A fixed table, newest wins. */
#include "esp/inner.h"

enum { ESP_FRAGMENTS = 1024, ESP_FRAGMENT_LIFE_S = 5 };

struct esp_fragment {
    uint32_t source, destination;
    uint16_t id, source_port, destination_port;
    uint8_t protocol;
    bool used;
    instant_t until;
};
struct esp_fragments {
    struct esp_fragment slot[ESP_FRAGMENTS];
};

/* Learns the ports of a first fragment; fills those of a later one into its flow when they are
 * known. Whole packets are left alone. A zeroed table is an empty one. */
void esp_fragments_track(struct esp_fragments *f, struct esp_inner *in, instant_t now);

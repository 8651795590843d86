#pragma once
/* Inbound: ESP packets in, the clear packets that may be delivered out (RFC 4303 3.4; decisions
 * M24). An opener belongs to one thread. */
#include "esp/fragments.h"
#include "esp/packet.h"

struct esp_opener;

MUST_USE enum err esp_opener_new(struct packet_engine *engine, struct esp_opener **ret);
void esp_opener_free(struct esp_opener *o); /* NULL allowed */

/* Opens n <= ESP_BATCH packets in place: each is an IPv4 packet, reassembled. Afterwards those with
 * the verdict ESP_DECRYPTED stand for their inner packets. */
void esp_open(struct esp_opener *o, const struct esp_view *v, struct esp_packet *p, size_t n,
              instant_t now);

/* ESP that our policies cover, under an SPI that we do not hold: perhaps we missed a rekey
 * (decisions M6). How often, and the last one. Like esp_opener_stats(), it may be called from
 * another thread. */
struct esp_unknown {
    uint64_t n;
    uint32_t spi;
};
struct esp_unknown esp_opener_unknown(const struct esp_opener *o);
struct esp_stats esp_opener_stats(const struct esp_opener *o);

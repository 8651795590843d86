#pragma once
/* Outbound: clear packets in, ESP packets in tunnel mode out, the inner addresses repeated outside
 * (RFC 4303; RFC 5374 3.1, address preservation). A sealer belongs to one thread; the engine,
 * which it borrows, is the one that the sadb makes its sealing keys for. */
#include "esp/fragments.h"
#include "esp/packet.h"
#include "esp/random.h"

struct esp_sealer;

MUST_USE enum err esp_sealer_new(struct packet_engine *engine, const uint8_t seed[ESP_SEED],
                                 struct esp_sealer **ret);
void esp_sealer_free(struct esp_sealer *s); /* NULL allowed */

/* Seals n <= ESP_BATCH packets in place; each has ESP_HEADROOM before it and ESP_TAILROOM behind,
 * else it is dropped as too big. Afterwards those with the verdict ESP_ENCRYPTED are ready to be
 * sent; the others are left as they were and must go nowhere. */
void esp_seal(struct esp_sealer *s, const struct esp_view *v, struct esp_packet *p, size_t n,
              instant_t now);

/* The ICMP "fragmentation needed" (RFC 1191) for a packet that esp_seal() found too big, from
 * `gateway` to the packet's source. 0 when none may be sent: DF clear, multicast, a later fragment,
 * an ICMP error (RFC 1122 3.2.2), or too many of late. room >= ESP_TOO_BIG_MAX. */
enum { ESP_TOO_BIG_MAX = IPV4_HEADER + 8 + 60 + 8, ESP_TOO_BIG_PER_S = 100 };
size_t esp_too_big(struct esp_sealer *s, const struct esp_packet *p, uint32_t gateway,
                   instant_t now, uint8_t *out, size_t room);

/* May be called from another thread. */
struct esp_stats esp_sealer_stats(const struct esp_sealer *s);

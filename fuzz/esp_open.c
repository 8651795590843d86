/* Batches of ESP packets, with authenticators that pass: nothing outside a packet's buffer is
 * touched; what is accepted is a whole IPv4 packet inside it, with the outer addresses, within the
 * policies of its SA. Input: length (2), packet, length, packet ... */
#include "crypto/crypto.h"
#include "esp/open.h"
#include "fuzz/fuzz.h"
#include "wire/rd.h"

#include <stdlib.h>

enum { FENCE = 16, FENCE_OCTET = 0xa5, SAS = 4, STAMPED = 258 };
enum { WINDOW_MS = 4000, CLOCK_S = 0x01020304 }; /* the group clock while packets are opened */

static struct esp_view *view;
static struct esp_opener *opener;
static struct esp_sadb *db;

static void must(bool good)
{
    if (!good)
        abort();
}

static struct prefix net(uint32_t a, uint8_t len) { return prefix_of(ip_v4(a), len); }

/* SPI 256: NULL, UDP port 53 only. 257: AES-CBC, everything within 10/8. 256 again, of another
 * server. 258: NULL with time stamps, which every sender reads off the same clock. */
static void start(void)
{
    static const struct esp_vpn_config vpn = {.vpn = "red", .group = 1, .tunnel_mtu = 1500};
    const struct esp_selector s[] = {
        {net(0x0a000000, 8), net(0x0a000000, 8), 0, 53, IP_PROTO_UDP},
        {.source = net(0x0a000000, 8), .destination = net(0x0a000000, 8)},
        {.source = net(0xc0000000, 8), .destination = net(0xe0000000, 4)},
        {.source = net(0x0a000000, 8), .destination = net(0x0a000000, 8)}};
    static const uint32_t spis[SAS] = {256, 257, 256, STAMPED};
    struct esp_sa_install sas[SAS];
    for (uint32_t i = 0; i < SAS; i++) {
        enum cipher c = i == 1 ? CIPHER_AES_128_CBC : CIPHER_NULL;
        sas[i] = (struct esp_sa_install){.spi = spis[i],
                                         .server = ip_v4(i + 1),
                                         .slot = ESP_SLOT_CURRENT,
                                         .cipher = c,
                                         .auth = AUTH_HMAC_SHA1_96,
                                         .key.len = cipher_key_len(c),
                                         .auth_key.len = 20,
                                         .selectors = &s[i],
                                         .n_selectors = 1,
                                         .window_ms = spis[i] == STAMPED ? WINDOW_MS : 0};
    }
    const char *why;
    struct packet_engine *engine;
    must(crypto_start(CRYPTO_USE_ALL, &why) == ERR_OK);
    must(packet_engine_new(PACKET_BACKEND_BEST, &engine) == ERR_OK);
    must(esp_sadb_new(&vpn, 1, engine, engine, &db) == ERR_OK);
    must(esp_opener_new(engine, &opener) == ERR_OK);
    esp_sadb_set_clock(db, 0, span_s(CLOCK_S - 1));
    must(esp_sadb_install(db, &(struct esp_vpn_install){"red", sas, SAS}, &view) == ERR_OK);
}

static struct esp_packet fenced(struct bytes b)
{
    uint8_t *buffer = malloc(b.len + 2 * FENCE);
    must(buffer != NULL);
    memset(buffer, FENCE_OCTET, b.len + 2 * FENCE);
    if (b.len)
        memcpy(buffer + FENCE, b.data, b.len);
    return (struct esp_packet){
        .buffer = buffer, .room = (uint32_t)b.len + 2 * FENCE, .at = FENCE, .len = (uint32_t)b.len};
}

/* What stands in front of an accepted inner packet of the stamped SA: fresh, and nothing else. */
static void check_stamp(const uint8_t *at)
{
    int64_t us = (net_u32(at + 4) - (int64_t)CLOCK_S) * 1000000 + net_u32(at + 8);
    must(at[0] == 4 && at[1] == 1 && net_u16(at + 2) == ESP_STAMP);
    must(net_u32(at + 8) < 1000000 && us >= -2000000 && us <= 2000000);
}

static void check(struct esp_packet *p, struct bytes was)
{
    for (uint32_t i = 0; i < FENCE; i++)
        must(p->buffer[i] == FENCE_OCTET && p->buffer[p->room - 1 - i] == FENCE_OCTET);
    if (p->verdict == ESP_DECRYPTED) {
        struct esp_inner in;
        must(p->at >= FENCE && p->at + p->len <= p->room - FENCE);
        must(esp_inner_parse(bytes(esp_packet_data(p), p->len), &in) == ERR_OK);
        must(in.total_len == p->len);
        must(bytes_equal(bytes(esp_packet_data(p) + 12, 8), bytes(was.data + 12, 8)));
        if (p->sa->spi == STAMPED)
            check_stamp(esp_packet_data(p) - ESP_STAMP);
        must(p->sa->spi != 256 || in.flow.protocol == IP_PROTO_UDP ||
             ipv4_is_multicast(in.flow.destination));
    }
    free(p->buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct esp_packet p[ESP_BATCH];
    struct bytes was[ESP_BATCH];
    struct rd r = rd_of(bytes(data, size));
    size_t n = 0;
    if (!view)
        start();
    while (n < ESP_BATCH && rd_left(&r) >= 2) {
        size_t len = rd_u16(&r);
        was[n] = rd_take(&r, len < rd_left(&r) ? len : rd_left(&r));
        p[n] = fenced(was[n]);
        n++;
    }
    esp_open(opener, view, p, n, (instant_t){NS_PER_S});
    for (size_t i = 0; i < n; i++)
        check(&p[i], was[i]);
    return 0;
}

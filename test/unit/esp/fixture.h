#pragma once
/* A small world for the tests of esp: one VPN or two, keys that are easy to make, packets in
 * buffers. */
#include "crypto/crypto.h"
#include "esp/open.h"
#include "esp/seal.h"
#include "test/check.h"

#include <stdlib.h>

enum { ROOM = 2600, NOW_S = 1000 };
static const instant_t now = {NOW_S * NS_PER_S};

struct world {
    struct packet_engine *engine;
    struct esp_sadb *db;
    struct esp_view *view;
    struct esp_sealer *sealer;
    struct esp_opener *opener;
};

static inline struct prefix prefix(const char *text)
{
    struct prefix p = {0};
    assert_true(prefix_parse(text, false, &p));
    return p;
}

static inline struct ip ip(const char *text)
{
    struct ip a = {0};
    assert_true(ip_parse(text, &a));
    return a;
}

static inline struct esp_selector selector(const char *source, const char *destination,
                                           uint8_t protocol, uint16_t source_port,
                                           uint16_t destination_port)
{
    return (struct esp_selector){prefix(source), prefix(destination), source_port, destination_port,
                                 protocol};
}

static inline struct secret secret_fill(uint8_t with, size_t len)
{
    struct secret s = {.len = len};
    memset(s.b, with, len);
    return s;
}

/* An SA from 192.0.2.100 whose keys are made of one octet. */
static inline struct esp_sa_install sa_install(uint32_t spi, enum esp_slot slot, enum cipher c,
                                               enum auth a, const struct esp_selector *selectors,
                                               size_t n)
{
    return (struct esp_sa_install){
        .spi = spi,
        .server = ip("192.0.2.100"),
        .slot = slot,
        .cipher = c,
        .auth = a,
        .key = secret_fill(7, cipher_key_len(c)),
        .auth_key = secret_fill(9, auth_key_len(a)),
        .selectors = selectors,
        .n_selectors = n,
        .sole_sender = true,
    };
}

static inline void world_start(struct world *w, const struct esp_vpn_config *vpns, size_t n)
{
    const char *text = "";
    uint8_t seed[ESP_SEED] = {1, 2, 3};
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    assert_int_equal(packet_engine_new(PACKET_BACKEND_OPENSSL, &w->engine), ERR_OK);
    assert_int_equal(esp_sadb_new(vpns, n, w->engine, w->engine, &w->db), ERR_OK);
    assert_int_equal(esp_sealer_new(w->engine, seed, &w->sealer), ERR_OK);
    assert_int_equal(esp_opener_new(w->engine, &w->opener), ERR_OK);
    w->view = esp_sadb_view(w->db);
}

static inline void world_stop(struct world *w)
{
    esp_view_free(w->view);
    esp_sadb_free(w->db);
    esp_sealer_free(w->sealer);
    esp_opener_free(w->opener);
    packet_engine_free(w->engine);
}

static inline enum err world_install_all(struct world *w, const struct esp_vpn_install *in)
{
    struct esp_view *view = NULL;
    enum err e = esp_sadb_install(w->db, in, &view);
    if (e == ERR_OK) {
        esp_view_free(w->view);
        w->view = view;
    }
    return e;
}
static inline enum err world_install(struct world *w, const char *vpn,
                                     const struct esp_sa_install *sas, size_t n)
{
    return world_install_all(w, &(struct esp_vpn_install){.vpn = vpn, .sas = sas, .n_sas = n});
}

static const struct esp_vpn_config plain_vpn = {
    .vpn = "red", .group = 1, .external_interface = "wan0", .tunnel_mtu = 1500};

/* One VPN "red", one SA of SPI 4096 for 10/8 -> 10/8; its time stamps, if any, tell the time since
 * 1970 that `clock` is at the instant 0. */
static inline void world_stamped(struct world *w, enum cipher c, enum auth a, uint32_t window_ms,
                                 span_t clock)
{
    struct esp_selector s = selector("10.0.0.0/8", "10.0.0.0/8", 0, 0, 0);
    struct esp_sa_install sa = sa_install(4096, ESP_SLOT_CURRENT, c, a, &s, 1);
    sa.window_ms = window_ms;
    world_start(w, &plain_vpn, 1);
    esp_sadb_set_clock(w->db, 0, clock);
    assert_int_equal(world_install(w, "red", &sa, 1), ERR_OK);
}
static inline void world_simple(struct world *w, enum cipher c, enum auth a)
{
    world_stamped(w, c, a, 0, span_s(0));
}

/* --- packets --- */

struct spec {
    const char *source, *destination;
    uint8_t protocol, tos;
    uint16_t source_port, destination_port;
    uint16_t payload;  /* octets behind the IP header */
    uint16_t fragment; /* the field: flags and offset */
    uint16_t id;
};
static const struct spec udp_spec = {.source = "10.1.0.2",
                                     .destination = "10.2.0.2",
                                     .protocol = IP_PROTO_UDP,
                                     .source_port = 1000,
                                     .destination_port = 2000,
                                     .payload = 100,
                                     .id = 77};

/* Writes the packet at `at` of a buffer of ROOM octets. */
static inline struct esp_packet packet_make(uint8_t *buffer, uint32_t at, struct spec s)
{
    uint8_t *p = buffer + at;
    uint16_t len = (uint16_t)(IPV4_HEADER + s.payload);
    assert_true(at + len <= ROOM);
    for (uint16_t i = 0; i < s.payload; i++)
        p[IPV4_HEADER + i] = (uint8_t)(i * 7);
    memset(p, 0, IPV4_HEADER);
    p[0] = 0x45;
    p[1] = s.tos;
    net_put16(p + 2, len);
    net_put16(p + 4, s.id);
    net_put16(p + 6, s.fragment);
    p[8] = 60;
    p[9] = s.protocol;
    net_put32(p + 12, ip_v4_u32(ip(s.source)));
    net_put32(p + 16, ip_v4_u32(ip(s.destination)));
    ipv4_write_checksum(p, IPV4_HEADER);
    if (s.payload >= 4 && esp_protocol_has_ports(s.protocol) && (s.fragment & 0x1fff) == 0) {
        net_put16(p + IPV4_HEADER, s.source_port);
        net_put16(p + IPV4_HEADER + 2, s.destination_port);
    }
    return (struct esp_packet){.buffer = buffer, .room = ROOM, .at = at, .len = len};
}

static inline enum esp_stat seal_one(struct world *w, struct esp_packet *p)
{
    esp_seal(w->sealer, w->view, p, 1, now);
    return p->verdict;
}

static inline enum esp_stat open_one(struct world *w, struct esp_packet *p)
{
    esp_open(w->opener, w->view, p, 1, now);
    return p->verdict;
}

/* What sealing makes of a packet that the policy wants. */
static inline struct esp_packet sealed(struct world *w, uint8_t *buffer, struct spec s)
{
    struct esp_packet p = packet_make(buffer, ESP_HEADROOM, s);
    assert_int_equal(seal_one(w, &p), ESP_ENCRYPTED);
    return p;
}

/* Seals `text` as the content of an ESP packet of the NULL cipher, pad and next header included. */
static inline struct esp_packet crafted(struct world *w, uint8_t *buffer, struct spec outer,
                                        const uint8_t *text, size_t text_len)
{
    struct esp_packet p = packet_make(buffer, 0, outer);
    struct esp_sa *sa = esp_view_find(w->view, 4096, 0x0a010002, 0x0a020002)->sa;
    uint8_t *esp = buffer + 20;
    memcpy(esp + 8, text, text_len);
    net_put32(esp, 4096);
    net_put32(esp + 4, 1);
    p.len = (uint32_t)(20 + 8 + text_len + 12);
    net_put16(buffer + 2, (uint16_t)p.len);
    buffer[9] = IP_PROTO_ESP;
    struct packet_op op = {.key = sa->seal_key,
                           .head = esp,
                           .head_len = 8,
                           .iv = esp + 8,
                           .text = esp + 8,
                           .text_len = text_len,
                           .icv = esp + 8 + text_len};
    packet_seal(w->engine, &op, 1);
    return p;
}

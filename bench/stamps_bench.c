/* What time stamps cost the ESP pipelines: batches of 64 inner packets through esp_seal() and
 * esp_open() with and without them, in short turns, one core, in processor time. The stamped ones
 * have 12 octets more to encrypt. */
#include "bench.h"
#include "crypto/crypto.h"
#include "esp/open.h"
#include "esp/seal.h"

#include <stdlib.h>

enum { TURNS = 200, BATCHES = 40, ROOM = 2048, SPI = 4096, WINDOW_MS = 100000, N = ESP_BATCH };
enum way { PLAIN, STAMPED, WAYS };

static uint8_t rooms[N][ROOM] __attribute__((aligned(64)));
static const instant_t now = {INT64_C(5000) * NS_PER_S};
static const struct esp_vpn_config vpn = {.vpn = "red", .group = 1, .tunnel_mtu = 1500};

struct side {
    struct packet_engine *engine;
    struct esp_sadb *db;
    struct esp_view *view;
    struct esp_sealer *sealer;
    struct esp_opener *opener;
    double sealing, opening;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "stamps_bench: %s failed\n", what);
    exit(1);
}

static void start(struct side *s, enum cipher cipher, enum auth auth, uint32_t window_ms)
{
    static const uint8_t seed[ESP_SEED] = {1};
    struct prefix any = prefix_of(ip_v4(0), 0);
    struct esp_selector selector = {.source = any, .destination = any};
    struct esp_sa_install sa = {.spi = SPI,
                                .slot = ESP_SLOT_CURRENT,
                                .cipher = cipher,
                                .auth = auth,
                                .key.len = cipher_key_len(cipher),
                                .auth_key.len = auth_key_len(auth),
                                .selectors = &selector,
                                .n_selectors = 1,
                                .window_ms = window_ms,
                                .sole_sender = true};

    *s = (struct side){0};
    must(packet_engine_new(PACKET_BACKEND_BEST, &s->engine) == ERR_OK, "engine");
    must(esp_sadb_new(&vpn, 1, s->engine, s->engine, &s->db) == ERR_OK, "sadb");
    must(esp_sealer_new(s->engine, seed, &s->sealer) == ERR_OK, "sealer");
    must(esp_opener_new(s->engine, &s->opener) == ERR_OK, "opener");
    esp_sadb_set_clock(s->db, 0, span_s(1790000000));
    must(esp_sadb_install(s->db, &(struct esp_vpn_install){"red", &sa, 1}, &s->view) == ERR_OK,
         "install");
}

static void stop(struct side *s)
{
    esp_view_free(s->view);
    esp_sadb_free(s->db);
    esp_sealer_free(s->sealer);
    esp_opener_free(s->opener);
    packet_engine_free(s->engine);
}

static void make_packets(struct esp_packet *p, uint16_t len)
{
    for (size_t i = 0; i < N; i++) {
        uint8_t *ip = rooms[i] + ESP_HEADROOM;
        ip[0] = 0x45;
        net_put16(ip + 2, len);
        net_put16(ip + 6, 0);
        ip[8] = 64;
        ip[9] = IP_PROTO_UDP;
        net_put32(ip + 12, 0x0a010002);
        net_put32(ip + 16, 0x0a020002);
        p[i] =
            (struct esp_packet){.buffer = rooms[i], .room = ROOM, .at = ESP_HEADROOM, .len = len};
    }
}

static void batch(struct side *s, uint16_t len)
{
    struct esp_packet p[N];

    make_packets(p, len);
    double begin = bench_cpu_s();
    esp_seal(s->sealer, s->view, p, N, now);
    double between = bench_cpu_s();
    esp_open(s->opener, s->view, p, N, now);
    s->opening += bench_cpu_s() - between;
    s->sealing += between - begin;
    must(p[0].verdict == ESP_DECRYPTED && p[N - 1].verdict == ESP_DECRYPTED, "packets");
}

static void report(const char *what, uint16_t len, double plain, double stamped)
{
    double packets = (double)N * TURNS * BATCHES;
    char title[96];

    snprintf(title, sizeof title, "%s %u, plain", what, len);
    bench_print(title, packets / plain / 1e3, "kpackets/s", 0, NULL);
    snprintf(title, sizeof title, "%s %u, stamped", what, len);
    bench_print(title, packets / stamped / 1e3, "kpackets/s", packets / plain / 1e3, "plain");
}

static void run(const char *name, enum cipher cipher, enum auth auth, uint16_t len)
{
    struct side sides[WAYS];
    char what[64];

    start(&sides[PLAIN], cipher, auth, 0);
    start(&sides[STAMPED], cipher, auth, WINDOW_MS);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int way = 0; way < WAYS; way++) {
            for (int i = 0; i < BATCHES; i++)
                batch(&sides[way], len);
        }
    }
    snprintf(what, sizeof what, "ESP seal %s", name);
    report(what, len, sides[PLAIN].sealing, sides[STAMPED].sealing);
    snprintf(what, sizeof what, "ESP open %s", name);
    report(what, len, sides[PLAIN].opening, sides[STAMPED].opening);
    for (int way = 0; way < WAYS; way++)
        stop(&sides[way]);
}

int main(void)
{
    static const uint16_t lengths[] = {64, 512, 1400};
    const char *text = "";

    must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        run("aes-128-cbc+sha-256", CIPHER_AES_128_CBC, AUTH_HMAC_SHA256_128, lengths[i]);
        run("aes-256-gcm", CIPHER_AES_256_GCM, AUTH_NONE, lengths[i]);
    }
    crypto_stop();
    return 0;
}

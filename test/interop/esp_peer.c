/* Seals and opens single packets for esp_scapy.py. Each line of standard input:
 *   seal|open CIPHER AUTH KEY AUTH-KEY PACKET      SPI 4096, 10/8 -> 10/8; hexadecimal, or - for
 * nothing and the answer is the packet, or the name of the counter that dropped it. For the keys
 * that follow
 *   stamps WINDOW CLOCK     a window in milliseconds, 0 for none; microseconds since 1970
 * says how packets are stamped; it has no answer. */
#include "crypto/crypto.h"
#include "esp/open.h"
#include "esp/seal.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 4096, HEX = 2 * ROOM + 1, SPI = 4096 };

struct peer {
    struct packet_engine *engine;
    struct esp_sadb *db;
    struct esp_sealer *sealer;
    struct esp_opener *opener;
    uint32_t window_ms;
};

static const struct esp_vpn_config vpn = {.vpn = "red", .group = 1, .tunnel_mtu = 1500};

static void must(enum err e)
{
    if (e) {
        fprintf(stderr, "esp_peer: %s\n", err_text(e));
        exit(1);
    }
}

static struct prefix ten(void)
{
    struct prefix p = {0};
    if (!prefix_parse("10.0.0.0/8", false, &p))
        must(ERR_VALUE);
    return p;
}

static struct secret read_secret(const char *hex)
{
    struct secret s = {0};
    if (hex[0] != '-' && !bytes_unhex(hex, s.b, sizeof s.b, &s.len))
        must(ERR_VALUE);
    return s;
}

static enum cipher cipher_of(const char *name)
{
    enum cipher c = CIPHER_NULL;
    while (c < CIPHER_COUNT && !bytes_equal(bytes_str(name), bytes_str(cipher_name(c))))
        c++;
    return c;
}

static enum auth auth_of(const char *name)
{
    enum auth a = AUTH_NONE;
    while (a < AUTH_COUNT && !bytes_equal(bytes_str(name), bytes_str(auth_name(a))))
        a++;
    return a;
}

static struct esp_view *view_for(struct peer *p, char *const words[])
{
    struct esp_selector selector = {.source = ten(), .destination = ten()};
    struct esp_sa_install sa = {
        .spi = SPI,
        .slot = ESP_SLOT_CURRENT,
        .cipher = cipher_of(words[1]),
        .auth = auth_of(words[2]),
        .key = read_secret(words[3]),
        .auth_key = read_secret(words[4]),
        .selectors = &selector,
        .n_selectors = 1,
        .sole_sender = true,
        .window_ms = p->window_ms,
    };
    struct esp_view *view = NULL;
    must(esp_sadb_install(p->db, &(struct esp_vpn_install){"red", &sa, 1}, &view));
    return view;
}

static void run(struct peer *p, char *const words[])
{
    static uint8_t buffer[ROOM];
    static char text[HEX];
    size_t len = 0;
    bool seal = words[0][0] == 's';
    if (!bytes_unhex(words[5], buffer + ESP_HEADROOM, ROOM - ESP_HEADROOM, &len))
        must(ERR_VALUE);
    struct esp_packet packet = {
        .buffer = buffer, .room = ROOM, .at = ESP_HEADROOM, .len = (uint32_t)len};
    struct esp_view *view = view_for(p, words);
    if (seal)
        esp_seal(p->sealer, view, &packet, 1, (instant_t){0});
    else
        esp_open(p->opener, view, &packet, 1, (instant_t){0});
    bool good = packet.verdict == (seal ? ESP_ENCRYPTED : ESP_DECRYPTED);
    puts(good ? bytes_hex(bytes(esp_packet_data(&packet), packet.len), text, sizeof text)
              : esp_stat_name(packet.verdict));
    fflush(stdout);
    esp_view_free(view);
}

static bool set_stamps(struct peer *p, const char *line)
{
    long long us;
    if (sscanf(line, "stamps %u %lld", &p->window_ms, &us) != 2)
        return false;
    esp_sadb_set_clock(p->db, 0, (span_t){us * 1000});
    return true;
}

int main(int argc, char **argv)
{
    static const uint8_t seed[ESP_SEED] = {1};
    static char line[HEX + 1024], word[6][HEX];
    char *const words[] = {word[0], word[1], word[2], word[3], word[4], word[5]};
    const char *why = NULL;
    struct peer p = {0};
    must(crypto_start(CRYPTO_USE_ALL, &why));
    must(packet_engine_new(
        argc > 1 && argv[1][0] == 'o' ? PACKET_BACKEND_OPENSSL : PACKET_BACKEND_BEST, &p.engine));
    must(esp_sadb_new(&vpn, 1, p.engine, p.engine, &p.db));
    must(esp_sealer_new(p.engine, seed, &p.sealer));
    must(esp_opener_new(p.engine, &p.opener));
    while (fgets(line, sizeof line, stdin)) {
        if (set_stamps(&p, line))
            continue;
        if (sscanf(line, "%8192s %8192s %8192s %8192s %8192s %8192s", word[0], word[1], word[2],
                   word[3], word[4], word[5]) == 6)
            run(&p, words);
    }
    esp_sadb_free(p.db);
    esp_sealer_free(p.sealer);
    esp_opener_free(p.opener);
    packet_engine_free(p.engine);
    return 0;
}

/* Writes what the captured exchange gives as first inputs: build/fuzz/seeds, run in the project's
 * folder. */
#include "gdoi/capture.h"
#include "gdoi/kd.h"
#include "test/hex.h"

#include <stdio.h>
#include <stdlib.h>

/* Bits of gdoi_sa.c: no gap, six octets, TV, host order; and time stamps. */
enum { CAPTURED_DIALECT = 0x1d, NATIVE_DIALECT = 0x20 };

static void save(const char *target, size_t frame, struct bytes head, struct bytes rest,
                 struct bytes tail)
{
    char path[128];
    (void)snprintf(path, sizeof path, "fuzz/corpus/%s/frame-%zu", target, frame);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(head.data, 1, head.len, f) != head.len ||
        fwrite(rest.data, 1, rest.len, f) != rest.len ||
        fwrite(tail.data, 1, tail.len, f) != tail.len || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static struct bytes body_of(const struct capture_message *m, uint8_t type)
{
    const struct chain_payload *p = chain_find(&m->chain, type);
    return p ? p->body : bytes(NULL, 0);
}

static void save_policy(size_t frame, uint8_t dialect, struct bytes sa, struct bytes kd)
{
    const uint8_t length[2] = {(uint8_t)(sa.len >> 8), (uint8_t)sa.len};
    struct bytes none = bytes(NULL, 0);

    if (sa.len)
        save("gdoi_sa", frame, bytes(&dialect, 1), sa, none);
    if (sa.len && kd.len)
        save("gdoi_kd", frame, BYTES_OF(length), sa, kd);
}

/* A group of ours: a KEK of AES and one SA of each kind of key. `d3p` adds the private attributes
 * of GAP. */
static const struct gdoi_sat sats[] = {
    {.transform = GDOI_ESP_AES_CBC,
     .key_length = 128,
     .auth = GDOI_AUTH_HMAC_SHA256,
     .spi = 0x1000},
    {.transform = GDOI_ESP_AES_CBC,
     .key_length = 128,
     .auth = GDOI_AUTH_HMAC_SHA256,
     .spi = 0x1000},
    {.transform = GDOI_ESP_DES, .auth = GDOI_AUTH_HMAC_MD5, .spi = 0x1001},
    {.transform = GDOI_ESP_NULL, .auth = GDOI_AUTH_HMAC_SHA512, .spi = 0x1002},
    {.transform = GDOI_ESP_AES_GCM_16, .key_length = 256, .spi = 0x1003},
};

static struct bytes written(const struct wr *w)
{
    assert(wr_end(w) == ERR_OK);
    return bytes(w->data + 1 + CHAIN_HEADER, w->len - 1 - CHAIN_HEADER);
}

static void add_tek(struct gdoi_kd *kd, const struct gdoi_sat *sat)
{
    static const uint8_t octets[GDOI_KEY_MAX];
    size_t cipher = 0, integrity = 0;

    if (gdoi_kd_tek(kd, sat->spi))
        return;
    assert(gdoi_esp_key_len(sat->transform, sat->key_length, &cipher) == ERR_OK);
    assert(!sat->auth || gdoi_auth_key_len(sat->auth, &integrity) == ERR_OK);
    kd->teks[kd->n_teks++] =
        (struct gdoi_tek_packet){sat->spi, bytes(octets, cipher), bytes(octets, integrity)};
}

static void save_native(bool d3p)
{
    static struct gdoi_sa sa;
    static uint8_t sa_out[1024], kd_out[1024];
    static const uint8_t octets[GDOI_KEY_MAX];
    const struct gdoi_dialect dialect = {.d3p_type_number = GDOI_D3P_TYPE_NUMBER,
                                         .d3p_window_number = GDOI_D3P_WINDOW_NUMBER};
    const struct endpoint end = {ip_v4(0x0a000001), GDOI_PORT};
    struct gdoi_kd kd = {.has_kek = true, .has_sid = d3p};

    sa.has_sak = sa.has_gap = true;
    sa.sak = (struct gdoi_sak){.protocol = 17,
                               .src = end,
                               .dst = end,
                               .spi = {{1}, {2}},
                               .algorithm = GDOI_KEK_ALG_AES,
                               .key_length = 128,
                               .sig_hash = GDOI_SIG_HASH_SHA256,
                               .sig_algorithm = GDOI_SIG_ALG_RSA,
                               .sig_key_length = 2048,
                               .ack = GDOI_ACK_KEK_SHA256,
                               .has_lifetime = true,
                               .lifetime = 3600};
    sa.gap = (struct gdoi_gap){.has_atd = true,
                               .atd = 30,
                               .has_dtd = true,
                               .dtd = 45,
                               .d3p_type = d3p,
                               .d3p_window = d3p ? 100000 : 0};
    for (sa.n_sats = 0; sa.n_sats < ARRAY_LEN(sats); sa.n_sats++) {
        struct gdoi_sat *sat = &sa.sats[sa.n_sats];
        *sat = sats[sa.n_sats];
        sat->protocol_id = GDOI_PROTOCOL_ESP;
        sat->src = sat->dst = prefix_of(ip_v4(0x0a000000), (uint8_t)(8 * sa.n_sats));
        sat->encapsulation = GDOI_ENCAPSULATION_TUNNEL;
        sat->life = (struct ike1_life){.has_seconds = true, .seconds = 3600};
        add_tek(&kd, sat);
    }
    kd.kek = (struct gdoi_kek_packet){sa.sak.spi, bytes(octets, 32), bytes(octets, 4)};
    kd.sid = (struct gdoi_sid_packet){.bits = 8, .n = 1, .value = {bytes(octets, 1)}};

    struct wr w = wr_of(sa_out, sizeof sa_out);
    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_sa_write(&c, &dialect, &sa);
    struct bytes sa_body = written(&w);
    w = wr_of(kd_out, sizeof kd_out);
    wr_u8(&w, 0);
    c = chain_first(&w, 0);
    gdoi_kd_write(&c, &kd);
    save_policy(d3p ? 101 : 100, NATIVE_DIALECT, sa_body, written(&w));
}

int main(void)
{
    static struct capture capture;
    static struct capture_message m[CAPTURE_FRAMES + 1];
    struct bytes none = bytes(NULL, 0);

    capture_load(&capture);
    for (size_t n = 1; n <= CAPTURE_FRAMES; n++) {
        capture_read(&capture, n, &m[n]);
        save("ike1_msg", n, m[n].datagram, none, none);
        if (n > 10)
            save_policy(n, CAPTURED_DIALECT, body_of(&m[n], IKE1_PAYLOAD_SA),
                        body_of(&m[n], IKE1_PAYLOAD_KD));
    }
    save_policy(8, CAPTURED_DIALECT, body_of(&m[8], IKE1_PAYLOAD_SA),
                body_of(&m[10], IKE1_PAYLOAD_KD));
    save_native(false);
    save_native(true);
    return 0;
}

#pragma once
/* What a key server offers to members, made of a fuzzer's input: SA and KD. */
#include "crypto/sign.h"
#include "gdoi/kd.h"
#include "gdoi/sa.h"
#include "unit/server/two_groups.h"
#include "wire/rd.h"

enum { SPIS = 16, FIRST_SPI = 0x1000, KEY = 96 };

static const struct endpoint group_at = {{4, {239, 1, 1, 1}}, 848};

/* Where keys are cut from, who signs, and which SPIs have been given away. */
struct material {
    uint8_t key[KEY];
    struct sign_key *signer;
    uint8_t spki[SPKI_MAX];
    size_t spki_len;
    bool told[SPIS];
};

/* As many octets as there are, up to n. */
static inline struct bytes some(struct rd *r, size_t n)
{
    return rd_take(r, n < rd_left(r) ? n : rd_left(r));
}

static inline struct gdoi_sat sat_from(struct rd *r)
{
    static const uint8_t transforms[] = {GDOI_ESP_AES_CBC, GDOI_ESP_3DES, GDOI_ESP_DES,
                                         GDOI_ESP_AES_GCM_16};
    uint8_t what = rd_u8(r), how = rd_u8(r);
    uint8_t transform = transforms[how & 0x80 ? how & 3 : 0];
    bool aes = transform == GDOI_ESP_AES_CBC || transform == GDOI_ESP_AES_GCM_16;

    return (struct gdoi_sat){
        .protocol_id = GDOI_PROTOCOL_ESP,
        .ip_protocol = (uint8_t)(how & 4 ? 17 : 0),
        .src = prefix_of(ip_v4(0x0a000000), (uint8_t)(how & 8 ? 16 : 8)),
        .dst = prefix_of(ip_v4(0x0a000000), 8),
        .transform = transform,
        .spi = FIRST_SPI + what % SPIS,
        .life = {.has_seconds = !(how & 0x40), .seconds = 10u * rd_u8(r)},
        .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
        .auth = transform == GDOI_ESP_AES_GCM_16 ? 0 : GDOI_AUTH_HMAC_SHA256,
        .key_length = aes ? 128 : 0,
        .direction = (uint16_t)(what & 0x10 ? GDOI_DIRECTION_RECEIVER : 0),
        .has_window = what & 0x20,
        .window = what & 0x20 ? 1000u * rd_u8(r) : 0,
    };
}

static inline void offer_from(struct rd *r, struct gdoi_sa *sa)
{
    uint8_t what = rd_u8(r);

    *sa = (struct gdoi_sa){.has_sak = what & 0x40, .has_gap = what & 0x20};
    if (sa->has_sak)
        sa->sak = (struct gdoi_sak){.protocol = 17,
                                    .src = blue_at,
                                    .dst = what & 4 ? group_at : blue_at,
                                    .spi = {{(uint8_t)(what & 8), 1}, {1}},
                                    .algorithm = GDOI_KEK_ALG_AES,
                                    .key_length = 128,
                                    .sig_hash = GDOI_SIG_HASH_SHA256,
                                    .sig_algorithm = GDOI_SIG_ALG_RSA,
                                    .ack = what & 3,
                                    .has_lifetime = true,
                                    .lifetime = 10u * rd_u8(r)};
    if (sa->has_gap)
        sa->gap = (struct gdoi_gap){
            .has_atd = true, .atd = rd_u8(r), .has_dtd = !(what & 0x10), .dtd = rd_u8(r)};
    if (sa->has_gap && what & 0x80) {
        uint8_t stamps = rd_u8(r);
        sa->gap.d3p_type = stamps & 1 ? 1 : stamps >> 7;
        sa->gap.d3p_window = 500u * stamps;
    }
    sa->n_sats = what & 7;
    for (size_t i = 0; i < sa->n_sats; i++)
        sa->sats[i] = sat_from(r);
    if (sa->n_sats == 0 && !sa->has_sak) {
        sa->n_sats = 1;
        sa->sats[0] = sat_from(r);
    }
}

/* A SPI has one key, unless the input wants another one under it. */
static inline struct gdoi_tek_packet tek_of(const struct material *m, const struct gdoi_sat *sat,
                                            bool other)
{
    size_t at = (sat->spi - FIRST_SPI) + (other ? 1 : 0);
    size_t len = sat->transform == GDOI_ESP_DES ? 8 : sat->transform == GDOI_ESP_3DES ? 24 : 16;

    return (struct gdoi_tek_packet){.spi = sat->spi,
                                    .cipher_key = bytes(m->key + at, len),
                                    .integrity_key = bytes(m->key + at, sat->auth ? 32 : 0)};
}

static inline void kd_from(struct material *m, struct rd *r, const struct gdoi_sa *sa,
                           struct gdoi_kd *kd)
{
    uint8_t what = rd_u8(r);

    *kd = (struct gdoi_kd){.has_kek = sa->has_sak ^ (what & 1)};
    kd->kek = (struct gdoi_kek_packet){.spi = sa->sak.spi,
                                       .iv_and_key = bytes(m->key + (what >> 4), 32),
                                       .sig_key = bytes(m->spki, m->spki_len)};
    for (size_t i = 0; i < sa->n_sats; i++) {
        if (!gdoi_kd_tek(kd, sa->sats[i].spi) && !(what & 4 && i == 0))
            kd->teks[kd->n_teks++] = tek_of(m, &sa->sats[i], what & 2);
    }
    for (size_t i = 0; i < kd->n_teks; i++)
        m->told[kd->teks[i].spi - FIRST_SPI] = true;
}

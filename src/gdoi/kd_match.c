#include "gdoi/kd.h"

/* Parity is not checked on reading (decisions S32), but it is told. */
static void count_parity(struct bytes key, struct gdoi_tolerated *t)
{
    bool odd = true;
    for (size_t i = 0; i < key.len; i++)
        odd = odd && (__builtin_popcount(key.data[i]) & 1);
    if (!odd)
        gdoi_tolerate(t, TOLERATED_KEY_PARITY);
}

/* The key that should have `want` octets, 0 for none at all. */
static enum err check_key(struct bytes key, size_t want)
{
    if (key.len == want)
        return ERR_OK;
    if (key.len == 0)
        return ERR_MISSING;
    return want == 0 ? ERR_CONFLICT : ERR_LENGTH;
}

static enum err check_tek(const struct gdoi_sat *sat, const struct gdoi_tek_packet *tek,
                          struct gdoi_tolerated *t)
{
    size_t cipher = 0, integrity = 0;

    if (sat->protocol_id != GDOI_PROTOCOL_ESP)
        return ERR_TYPE;
    enum err e = gdoi_esp_key_len(sat->transform, sat->key_length, &cipher);
    if (e == ERR_OK && sat->auth)
        e = gdoi_auth_key_len(sat->auth, &integrity);
    if (e == ERR_OK)
        e = check_key(tek->cipher_key, cipher);
    if (e == ERR_OK)
        e = check_key(tek->integrity_key, integrity);
    if (e == ERR_OK && (sat->transform == GDOI_ESP_DES || sat->transform == GDOI_ESP_3DES))
        count_parity(tek->cipher_key, t);
    return e;
}

static const struct gdoi_sat *sat_of(const struct gdoi_sa *sa, uint32_t spi)
{
    for (size_t i = 0; i < sa->n_sats; i++) {
        if (sa->sats[i].spi == spi)
            return &sa->sats[i];
    }
    return NULL;
}

static enum err match_teks(const struct gdoi_sa *sa, const struct gdoi_kd *kd,
                           struct gdoi_tolerated *t)
{
    for (size_t i = 0; i < sa->n_sats; i++) {
        if (!gdoi_kd_tek(kd, sa->sats[i].spi))
            return ERR_MISSING;
    }
    for (size_t i = 0; i < kd->n_teks; i++) {
        const struct gdoi_sat *sat = sat_of(sa, kd->teks[i].spi);
        enum err e = sat ? check_tek(sat, &kd->teks[i], t) : ERR_CONFLICT;
        if (e)
            return e;
    }
    return ERR_OK;
}

enum err gdoi_kek_split(const struct gdoi_sak *sak, struct bytes iv_and_key, struct bytes *ret_iv,
                        struct bytes *ret_key)
{
    size_t iv = 0, key = 0;
    enum err e = gdoi_kek_key_len(sak->algorithm, sak->key_length, &iv, &key);

    if (e == ERR_OK && iv_and_key.len != iv + key)
        e = ERR_LENGTH;
    if (e)
        return e;
    *ret_iv = bytes(iv_and_key.data, iv);
    *ret_key = bytes(iv_and_key.data + iv, key);
    return ERR_OK;
}

static bool same_spi(const struct ike1_cookies *a, const struct ike1_cookies *b)
{
    return bytes_equal(ike1_cookies_bytes(a), ike1_cookies_bytes(b));
}

static enum err match_kek(const struct gdoi_sa *sa, const struct gdoi_kd *kd,
                          const struct ike1_cookies *carrier, struct gdoi_tolerated *t)
{
    if (!sa->has_sak)
        return kd->has_kek ? ERR_CONFLICT : ERR_OK;
    if (!kd->has_kek || kd->kek.sig_key.len == 0)
        return ERR_MISSING;
    bool exact = same_spi(&kd->kek.spi, &sa->sak.spi);
    if (!exact && !(carrier && same_spi(&kd->kek.spi, carrier)))
        return ERR_CONFLICT;

    struct bytes iv, key;
    enum err e = gdoi_kek_split(&sa->sak, kd->kek.iv_and_key, &iv, &key);
    if (e)
        return e;
    if (!exact)
        gdoi_tolerate(t, TOLERATED_OLD_KEK_SPI);
    if (sa->sak.algorithm != GDOI_KEK_ALG_AES)
        count_parity(key, t);
    return ERR_OK;
}

enum err gdoi_kd_match(const struct gdoi_sa *sa, const struct gdoi_kd *kd,
                       const struct ike1_cookies *carrier, struct gdoi_tolerated *t)
{
    if (carrier && kd->has_sid)
        return ERR_ORDER;
    enum err e = match_kek(sa, kd, carrier, t);
    return e ? e : match_teks(sa, kd, t);
}

/* The KD payload, alone and against a SA: two octets with the length of a SA body, that body, then
 * the body of a KD. What is read is written and read again; what matches its SA has keys of exactly
 * the length that its algorithms take. */
#include "fuzz/fuzz.h"
#include "gdoi/kd.h"

#include <stdlib.h>

enum { ROOM = 1 << 17 };

static const struct gdoi_dialect native = {.d3p_type_number = GDOI_D3P_TYPE_NUMBER,
                                           .d3p_window_number = GDOI_D3P_WINDOW_NUMBER};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct bytes write(const struct gdoi_kd *kd, uint8_t *out)
{
    const size_t head = 1 + CHAIN_HEADER;
    struct wr w = wr_of(out, ROOM);

    wr_u8(&w, 0);
    struct chain_wr c = chain_first(&w, 0);
    gdoi_kd_write(&c, kd);
    if (wr_end(&w) == ERR_LENGTH) /* keys that came as TV became TLV, beyond a payload's length */
        return bytes(NULL, 0);
    demand(wr_end(&w) == ERR_OK);
    return bytes(out + head, w.len - head);
}

static void round_trip(const struct gdoi_kd *kd)
{
    static uint8_t first[ROOM], second[ROOM];
    struct gdoi_kd again;
    struct bytes once = write(kd, first);

    if (once.len == 0)
        return;
    demand(gdoi_kd_parse(once, &again, NULL) == ERR_OK);
    demand(again.n_teks == kd->n_teks && again.has_kek == kd->has_kek);
    demand(bytes_equal(once, write(&again, second)));
}

static void check_tek(const struct gdoi_sat *sat, const struct gdoi_kd *kd)
{
    const struct gdoi_tek_packet *tek = gdoi_kd_tek(kd, sat->spi);
    size_t cipher = 0, integrity = 0;

    demand(tek && gdoi_esp_key_len(sat->transform, sat->key_length, &cipher) == ERR_OK);
    demand(!sat->auth || gdoi_auth_key_len(sat->auth, &integrity) == ERR_OK);
    demand(tek->cipher_key.len == cipher && tek->integrity_key.len == integrity);
}

static void check_match(const struct gdoi_sa *sa, const struct gdoi_kd *kd)
{
    size_t iv = 0, key = 0;

    demand(sa->has_sak == kd->has_kek);
    if (sa->has_sak) {
        demand(gdoi_kek_key_len(sa->sak.algorithm, sa->sak.key_length, &iv, &key) == ERR_OK);
        demand(kd->kek.iv_and_key.len == iv + key && key <= GDOI_KEY_MAX);
    }
    for (size_t i = 0; i < sa->n_sats; i++)
        check_tek(&sa->sats[i], kd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gdoi_sa sa;
    struct rd r = rd_of(bytes(data, size));
    struct bytes sa_body = rd_take(&r, rd_u16(&r));
    struct gdoi_kd kd;
    struct gdoi_tolerated t = {0};

    if (r.err || gdoi_kd_parse(rd_rest(&r), &kd, NULL) != ERR_OK)
        return 0;
    round_trip(&kd);
    if (gdoi_sa_parse(sa_body, &native, &t, &sa) != ERR_OK)
        return 0;
    if (gdoi_kd_match(&sa, &kd, NULL, &t) == ERR_OK)
        check_match(&sa, &kd);
    if (kd.has_kek && gdoi_kd_match(&sa, &kd, &kd.kek.spi, &t) == ERR_OK)
        check_match(&sa, &kd);
    return 0;
}

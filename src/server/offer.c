#include "server/offer.h"

#include "crypto/hash.h"
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/sa.h"

#include <assert.h>

static_assert(2 * SERVER_SAS_MAX <= GDOI_TEKS_MAX, "an offer fits into one KD");
static_assert(2 * SERVER_POLICIES_MAX <= GDOI_SATS_MAX, "an offer fits into one SA");

static void take_slot(const struct group *g, enum group_slot slot, instant_t now, struct offer *o)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *key = g->sas[i].slot[slot];
        if (!key || timeline_life_s(&key->time, now) == 0)
            continue;
        assert(o->n < ARRAY_LEN(o->items));
        o->items[o->n++] = (struct offer_item){key->spi, slot == GROUP_PREVIOUS};
    }
}

struct offer offer_take(const struct group *g, instant_t now, bool native)
{
    struct offer o = {0};

    take_slot(g, GROUP_CURRENT, now, &o);
    take_slot(g, GROUP_NEXT, now, &o);
    if (native) /* a foreign member would send under it: RFC 6407 has no order among TEKs */
        take_slot(g, GROUP_PREVIOUS, now, &o);
    return o;
}

/* One SAT: a policy of the key's ipsec-sa (RFC 6407 5.5). Address Preservation and a symmetric
 * direction are the defaults and left out. */
static struct gdoi_sat sat_of(const struct generation *key, const struct model_match_policy *p,
                              bool receive_only, instant_t now)
{
    const struct model_ipsec_proposal *proposal = key->policy->proposal;

    return (struct gdoi_sat){
        .protocol_id = GDOI_PROTOCOL_ESP,
        .ip_protocol = p->protocol,
        .src = p->source,
        .dst = p->destination,
        .src_port = p->source_port,
        .dst_port = p->destination_port,
        .transform = (uint8_t)proposal->cipher,
        .spi = key->spi,
        .life = {.has_seconds = true, .seconds = timeline_life_s(&key->time, now)},
        .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
        .auth = (uint16_t)proposal->auth,
        .key_length = proposal->key_bits,
        .direction = receive_only ? GDOI_DIRECTION_RECEIVER : 0,
    };
}

void offer_write_sa(struct chain_wr *c, const struct group *g, const struct offer *o, instant_t now)
{
    struct group_delays delays = group_delays(g, now);
    struct gdoi_sa sa = {.has_gap = true,
                         .gap = {.has_atd = true,
                                 .has_dtd = true,
                                 .atd = delays.activation,
                                 .dtd = delays.deactivation}};

    for (size_t i = 0; i < o->n; i++) {
        const struct generation *key = mint_find(g->mint, o->items[i].spi);
        for (size_t j = 0; j < key->policy->n_policies; j++) {
            assert(sa.n_sats < ARRAY_LEN(sa.sats));
            sa.sats[sa.n_sats++] =
                sat_of(key, &key->policy->policies[j], o->items[i].receive_only, now);
        }
    }
    gdoi_sa_write(c, &GDOI_RFC6407, &sa);
}

enum err offer_write_kd(struct chain_wr *c, const struct mint *mint, const struct offer *o)
{
    struct gdoi_kd kd = {0};

    for (size_t i = 0; i < o->n; i++) {
        const struct generation *key = mint_find(mint, o->items[i].spi);
        if (!key)
            return ERR_NOT_FOUND;
        kd.teks[kd.n_teks++] =
            (struct gdoi_tek_packet){.spi = key->spi,
                                     .cipher_key = secret_bytes(&key->key),
                                     .integrity_key = secret_bytes(&key->auth_key)};
    }
    gdoi_kd_write(c, &kd);
    return ERR_OK;
}

/* SPIs of the newest key of each ipsec-sa, ascending, in network order. */
static size_t newest_spis(const struct group *g, uint8_t out[4 * SERVER_SAS_MAX])
{
    uint32_t spis[SERVER_SAS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < g->n_sas; i++) {
        size_t at = n++;
        uint32_t spi = group_newest(&g->sas[i])->spi;
        for (; at > 0 && spis[at - 1] > spi; at--)
            spis[at] = spis[at - 1];
        spis[at] = spi;
    }
    struct wr w = wr_of(out, 4 * SERVER_SAS_MAX);
    for (size_t i = 0; i < n; i++)
        wr_u32(&w, spis[i]);
    return w.len;
}

void offer_write_state(struct chain_wr *c, const struct group *g, uint16_t spread)
{
    uint8_t spis[4 * SERVER_SAS_MAX], digest[HASH_MAX];
    struct gdoi_state state = {.spread = spread, .activation_delay = (uint16_t)g->model->atd_s};

    hash_parts(HASH_SHA256, PARTS(bytes(spis, newest_spis(g, spis))), digest);
    memcpy(state.digest, digest, sizeof state.digest);
    gdoi_state_write(c, &state);
}

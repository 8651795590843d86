#include "server/offer.h"

#include "crypto/hash.h"
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/push.h"
#include "gdoi/sa.h"

#include <assert.h>

enum { NS_PER_US = 1000, US_PER_S = 1000000 };

static_assert(2 * SERVER_SAS_MAX <= GDOI_TEKS_MAX, "an offer fits into one KD");
static_assert((int)KEK_SPI == (int)GDOI_KEK_SPI, "a KEK's SPI is the cookie pair of its pushes");
static_assert(2 * SERVER_POLICIES_MAX <= GDOI_SATS_MAX, "an offer fits into one SA");

static void take(const struct generation *key, enum group_slot slot, instant_t now, struct offer *o)
{
    if (!key || timeline_life_s(&key->time, now) == 0 ||
        (key->window_ms != o->window_ms && !o->native))
        return;
    assert(o->n < ARRAY_LEN(o->items));
    o->items[o->n++] = (struct offer_item){key->spi, slot == GROUP_PREVIOUS};
}

static void take_slot(const struct group *g, enum group_slot slot, instant_t now, struct offer *o)
{
    for (size_t i = 0; i < g->n_sas; i++)
        take(g->sas[i].slot[slot], slot, now, o);
}

struct offer offer_take(const struct group *g, instant_t now, bool native)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    struct offer o = {.native = native, .version = g->version, .window_ms = group_window_ms(g)};

    if (kek) {
        o.has_kek = true;
        memcpy(o.kek, kek->spi, sizeof o.kek);
        o.seq = g->push_seq;
    }
    take_slot(g, GROUP_CURRENT, now, &o);
    take_slot(g, GROUP_NEXT, now, &o);
    if (native) /* a foreign member would send under it: RFC 6407 has no order among TEKs */
        take_slot(g, GROUP_PREVIOUS, now, &o);
    return o;
}

struct offer offer_take_push(const struct group *g, instant_t now, struct offer_push what)
{
    const struct kek_generation *kek = what.with_kek ? g->kek[GROUP_KEK_CURRENT] : NULL;
    struct offer o = {
        .native = what.native, .version = g->version, .window_ms = group_window_ms(g)};
    struct offer next = o;

    if (kek) {
        o.has_kek = true;
        memcpy(o.kek, kek->spi, sizeof o.kek);
    }
    take_slot(g, GROUP_NEXT, now, &next);
    for (size_t i = 0; i < g->n_sas; i++) {
        const struct group_sa *sa = &g->sas[i];
        if (!sa->slot[GROUP_NEXT] && (next.n == 0 || kek || what.all))
            take(sa->slot[GROUP_CURRENT], GROUP_CURRENT, now, &o);
    }
    take_slot(g, GROUP_NEXT, now, &o);
    return o;
}

/* One SAT: a policy of the key's ipsec-sa (RFC 6407 5.5). Address Preservation and a symmetric
 * direction are the defaults and left out. */
static struct gdoi_sat sat_of(const struct generation *key, const struct model_match_policy *p,
                              bool receive_only, uint32_t window_ms, instant_t now)
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
        .has_window = key->window_ms != window_ms,
        .window = key->window_ms != window_ms ? key->window_ms : 0,
    };
}

static struct ike1_cookies cookies_of(const uint8_t spi[KEK_SPI])
{
    struct ike1_cookies c;

    memcpy(&c, spi, sizeof c);
    return c;
}

/* Whether the member is asked to acknowledge pushes (RFC 8263 2). One that does not know the
 * attribute would have to abort (RFC 6407 5.3), so only natives are asked (decisions M13); to
 * everybody at once nobody answers (M15). */
static uint16_t ack_of(const struct model_communication *policy, bool native)
{
    return native && policy->type == MODEL_PUSH_UNICAST ? GDOI_ACK_KEK_SHA256 : 0;
}

/* The Rekey SA (RFC 6407 5.3). Its destination is where pushes will come to: the multicast group,
 * or the member itself (decisions S27). KEK_MANAGEMENT_ALGORITHM is never in a PULL (S31). */
static struct gdoi_sak sak_of(const struct group *g, const struct offer *o, struct ip member,
                              instant_t now)
{
    const struct kek_generation *kek = group_kek(g, o->kek);
    const struct model_communication *policy = kek->policy;
    bool multicast = policy->type == MODEL_PUSH_MULTICAST;

    return (struct gdoi_sak){
        .protocol = 17, /* UDP */
        .src = {g->model->server_address, GDOI_PORT},
        .dst = {multicast ? policy->multicast_group : member, GDOI_PORT},
        .spi = cookies_of(kek->spi),
        .algorithm = (uint16_t)policy->cipher,
        .key_length = policy->key_bits,
        .sig_hash = (uint16_t)policy->sig_hash,
        .sig_algorithm = GDOI_SIG_ALG_RSA,
        .sig_key_length = (uint16_t)kek->signer->bits,
        .ack = ack_of(policy, o->native),
        .has_lifetime = true,
        .lifetime = kek_life_s(kek, now),
    };
}

void offer_write_sa(struct chain_wr *c, const struct group *g, const struct offer *o,
                    struct ip member, instant_t now)
{
    struct group_delays delays = group_delays(g, now);
    struct gdoi_sa sa = {.has_sak = o->has_kek,
                         .has_gap = true,
                         .gap = {.has_atd = true,
                                 .has_dtd = true,
                                 .atd = delays.activation,
                                 .dtd = delays.deactivation,
                                 .d3p_type = o->window_ms ? GDOI_D3P_POSIX_TIME : 0,
                                 .d3p_window = o->window_ms}};

    if (o->has_kek)
        sa.sak = sak_of(g, o, member, now);
    for (size_t i = 0; i < o->n; i++) {
        const struct generation *key = mint_find(g->mint, o->items[i].spi);
        for (size_t j = 0; j < key->policy->n_policies; j++) {
            assert(sa.n_sats < ARRAY_LEN(sa.sats));
            sa.sats[sa.n_sats++] =
                sat_of(key, &key->policy->policies[j], o->items[i].receive_only, o->window_ms, now);
        }
    }
    gdoi_sa_write(c, &GDOI_STAMPS, &sa); /* who does not know them is refused (decisions M20) */
}

/* KEK_ALGORITHM_KEY: IV, then key (RFC 6407 5.6.2.1). */
static struct secret iv_and_key(const struct kek_generation *kek)
{
    struct secret both = {.len = kek->iv.len + kek->key.len};

    assert(both.len <= sizeof both.b);
    memcpy(both.b, kek->iv.b, kek->iv.len);
    memcpy(both.b + kek->iv.len, kek->key.b, kek->key.len);
    return both;
}

static enum err add_teks(struct gdoi_kd *kd, const struct mint *mint, const struct offer *o)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct generation *key = mint_find(mint, o->items[i].spi);
        if (!key)
            return ERR_NOT_FOUND;
        kd->teks[kd->n_teks++] =
            (struct gdoi_tek_packet){.spi = key->spi,
                                     .cipher_key = secret_bytes(&key->key),
                                     .integrity_key = secret_bytes(&key->auth_key)};
    }
    return ERR_OK;
}

static enum err write_keys(struct chain_wr *c, const struct group *g, const struct offer *o,
                           bool with_seq)
{
    struct gdoi_kd kd = {.has_kek = o->has_kek};
    const struct kek_generation *kek = o->has_kek ? group_kek(g, o->kek) : NULL;
    SECRET kek_octets = {0};
    enum err e = add_teks(&kd, g->mint, o);

    if (e || (o->has_kek && !kek))
        return ERR_NOT_FOUND;
    if (kek) {
        kek_octets = iv_and_key(kek);
        kd.kek =
            (struct gdoi_kek_packet){.spi = cookies_of(kek->spi),
                                     .iv_and_key = secret_bytes(&kek_octets),
                                     .sig_key = bytes(kek->signer->spki, kek->signer->spki_len)};
        if (with_seq)
            gdoi_seq_write(c, o->seq);
    }
    gdoi_kd_write(c, &kd);
    return ERR_OK;
}

enum err offer_write_keys(struct chain_wr *c, const struct group *g, const struct offer *o)
{
    return write_keys(c, g, o, true);
}

enum err offer_write_kd(struct chain_wr *c, const struct group *g, const struct offer *o)
{
    return write_keys(c, g, o, false);
}

/* SPIs of the newest key of each ipsec-sa, ascending, in network order. */
static size_t newest_spis(const struct group *g, uint8_t out[4 * SERVER_SAS_MAX])
{
    uint32_t spis[SERVER_SAS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < g->n_sas; i++) {
        const struct generation *newest = group_newest(&g->sas[i]);
        if (!newest)
            continue; /* it is new, and waits for a changeover */
        size_t at = n++;
        uint32_t spi = newest->spi;
        for (; at > 0 && spis[at - 1] > spi; at--)
            spis[at] = spis[at - 1];
        spis[at] = spi;
    }
    struct wr w = wr_of(out, 4 * SERVER_SAS_MAX);
    for (size_t i = 0; i < n; i++)
        wr_u32(&w, spis[i]);
    return w.len;
}

static void put_clock(const struct group_clock *clock, instant_t now, struct gdoi_state *state)
{
    int64_t us = clock->set ? group_clock_read(clock, now).ns / NS_PER_US : 0;

    state->clock_valid = clock->set;
    state->clock_s = (uint32_t)(us / US_PER_S); /* the lowest 32 bits, as in a time stamp */
    state->clock_us = (uint32_t)(us % US_PER_S);
}

void offer_write_state(struct chain_wr *c, const struct group *g, const struct offer_state *what,
                       instant_t now)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    uint8_t spis[4 * SERVER_SAS_MAX], digest[HASH_MAX];
    struct gdoi_state state = {.has_kek = kek != NULL,
                               .heartbeat = (uint16_t)g->model->communication.heartbeat_s,
                               .spread = what->spread,
                               .re_register = what->re_register,
                               .activation_delay = (uint16_t)g->atd_s};

    if (kek)
        state.kek = cookies_of(kek->spi);
    put_clock(what->clock, now, &state);
    hash_parts(HASH_SHA256,
               PARTS(bytes(kek ? kek->spi : NULL, kek ? sizeof kek->spi : 0),
                     bytes(spis, newest_spis(g, spis))),
               digest);
    memcpy(state.digest, digest, sizeof state.digest);
    gdoi_state_write(c, &state);
}

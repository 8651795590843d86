#include "gdoi/sa.h"

#include "gdoi/sa_parts.h"

static void add_sat(struct rd *body, const struct gdoi_dialect *d, struct gdoi_tolerated *t,
                    struct gdoi_sa *sa)
{
    if (sa->n_sats == GDOI_SATS_MAX) {
        rd_fail(body, ERR_TOO_MANY);
        return;
    }
    rd_fail(body, sat_parse(body, d, t, &sa->sats[sa->n_sats]));
    sa->n_sats += body->err == ERR_OK;
}

/* One SA attribute payload; the order is SAK, GAP, SATs (RFC 6407 5.2.1). Returns the type of the
 * next one. */
static uint8_t read_part(struct rd *r, uint8_t type, const struct gdoi_dialect *d,
                         struct gdoi_tolerated *t, struct gdoi_sa *sa)
{
    uint8_t next = 0;
    struct rd body = chain_item(r, &next);

    if (body.err)
        return 0;
    if (type == IKE1_PAYLOAD_SAK && !sa->has_sak && !sa->has_gap && sa->n_sats == 0) {
        sa->has_sak = true;
        rd_fail(&body, sak_parse(&body, t, &sa->sak));
    } else if (type == IKE1_PAYLOAD_GAP && !sa->has_gap && sa->n_sats == 0) {
        sa->has_gap = true;
        rd_fail(&body, gdoi_gap_parse(rd_rest(&body), d, &sa->gap));
    } else if (type == IKE1_PAYLOAD_SAT) {
        add_sat(&body, d, t, sa);
    } else {
        rd_fail(&body, ERR_ORDER);
    }
    rd_fail(r, rd_end(&body));
    return next;
}

/* Policies of one SPI are one SA (decisions M24). */
static enum err check_shared_spis(const struct gdoi_sa *sa)
{
    for (size_t i = 1; i < sa->n_sats; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct gdoi_sat *a = &sa->sats[k], *b = &sa->sats[i];
            if (a->spi == b->spi && !gdoi_sat_same_sa(a, b))
                return ERR_CONFLICT;
        }
    }
    return ERR_OK;
}

static enum err read_sa(struct bytes body, const struct gdoi_dialect *d, struct gdoi_tolerated *t,
                        struct gdoi_sa *sa)
{
    struct rd r = rd_of(body);
    uint32_t doi = rd_u32(&r);
    uint32_t situation = rd_u32(&r);
    uint16_t first = rd_u16(&r);

    rd_zeros(&r, sizeof(uint16_t));
    if (r.err)
        return r.err;
    if (doi != IKE1_DOI_GDOI)
        return ERR_DOI;
    if (situation != 0)
        return ERR_SITUATION;
    if (first > UINT8_MAX)
        return ERR_ORDER;
    for (uint8_t type = (uint8_t)first; type != 0 && r.err == ERR_OK;)
        type = read_part(&r, type, d, t, sa);
    enum err e = rd_end(&r);
    if (e == ERR_OK && !sa->has_sak && sa->n_sats == 0)
        e = ERR_MISSING;
    return e ? e : check_shared_spis(sa);
}

enum err gdoi_sa_parse(struct bytes body, const struct gdoi_dialect *d, struct gdoi_tolerated *t,
                       struct gdoi_sa *ret)
{
    struct gdoi_sa sa;

    memset(&sa, 0, sizeof sa);
    enum err e = read_sa(body, d, t, &sa);
    if (e == ERR_OK)
        *ret = sa;
    return e;
}

void gdoi_sa_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sa *sa)
{
    struct wr *w = c->w;

    assert(sa->n_sats <= GDOI_SATS_MAX && (sa->has_sak || sa->n_sats > 0));
    chain_open(c, IKE1_PAYLOAD_SA);
    wr_u32(w, IKE1_DOI_GDOI);
    wr_u32(w, 0);
    wr_u8(w, 0); /* SA Attribute Next Payload: two octets, the type is in the second */
    struct chain_wr inner = chain_first(w, w->len);
    wr_u8(w, 0);
    wr_u16(w, 0);
    if (sa->has_sak)
        sak_write(&inner, d, &sa->sak);
    if (sa->has_gap && !d->no_gap)
        gdoi_gap_write(&inner, d, &sa->gap);
    for (size_t i = 0; i < sa->n_sats; i++)
        sat_write(&inner, d, &sa->sats[i]);
    chain_close(c);
}

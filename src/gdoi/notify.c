#include "gdoi/notify.h"

#include "gdoi/numbers.h"

enum { FLAG_RE_REGISTER = 0x01, FLAG_CLOCK_VALID = 0x02, US_PER_S = 1000000 };

span_t gdoi_state_clock(const struct gdoi_state *s)
{
    return (span_t){s->clock_s * NS_PER_S + s->clock_us * INT64_C(1000)};
}

bool gdoi_is_state(const struct ike1_notify *n) { return n->type == GDOI_NOTIFY_STATE; }

static enum err check_state(const struct ike1_notify *n)
{
    if (n->doi != IKE1_DOI_GDOI)
        return ERR_DOI;
    if (!gdoi_is_state(n) || n->protocol != GDOI_PROTOCOL_KEK)
        return ERR_TYPE;
    if (n->spi.len != 0 && n->spi.len != GDOI_KEK_SPI)
        return ERR_LENGTH;
    return ERR_OK;
}

enum err gdoi_state_parse(const struct ike1_notify *n, struct gdoi_state *ret)
{
    struct gdoi_state s = {.has_kek = n->spi.len != 0};
    struct rd r = rd_of(n->data);
    enum err e = check_state(n);
    if (e)
        return e;

    if (s.has_kek)
        memcpy(&s.kek, n->spi.data, n->spi.len);
    uint8_t version = rd_u8(&r);
    if (r.err == ERR_OK && version != GDOI_STATE_VERSION)
        return ERR_VERSION;
    uint8_t flags = rd_u8(&r);
    s.heartbeat = rd_u16(&r);
    s.spread = rd_u16(&r);
    s.activation_delay = rd_u16(&r);
    s.clock_s = rd_u32(&r);
    s.clock_us = rd_u32(&r);
    struct bytes digest = rd_take(&r, GDOI_DIGEST);
    e = rd_end(&r);
    if (e)
        return ERR_LENGTH;
    if ((flags & ~(FLAG_RE_REGISTER | FLAG_CLOCK_VALID)) != 0 || s.clock_us >= US_PER_S)
        return ERR_VALUE;
    s.re_register = (flags & FLAG_RE_REGISTER) != 0;
    s.clock_valid = (flags & FLAG_CLOCK_VALID) != 0;
    memcpy(s.digest, digest.data, digest.len);
    *ret = s;
    return ERR_OK;
}

void gdoi_state_write(struct chain_wr *c, const struct gdoi_state *s)
{
    uint8_t data[GDOI_STATE_DATA];
    struct wr w = wr_of(data, sizeof data);

    assert(s->clock_us < US_PER_S);
    wr_u8(&w, GDOI_STATE_VERSION);
    wr_u8(&w, (uint8_t)((s->re_register ? FLAG_RE_REGISTER : 0) |
                        (s->clock_valid ? FLAG_CLOCK_VALID : 0)));
    wr_u16(&w, s->heartbeat);
    wr_u16(&w, s->spread);
    wr_u16(&w, s->activation_delay);
    wr_u32(&w, s->clock_s);
    wr_u32(&w, s->clock_us);
    wr_put(&w, BYTES_OF(s->digest));
    ike1_notify_write(c, &(struct ike1_notify){
                             .doi = IKE1_DOI_GDOI,
                             .protocol = GDOI_PROTOCOL_KEK,
                             .type = GDOI_NOTIFY_STATE,
                             .spi = s->has_kek ? ike1_cookies_bytes(&s->kek) : bytes(NULL, 0),
                             .data = wr_bytes(&w),
                         });
}

const char *gdoi_reason_text(unsigned reason)
{
    switch (reason) {
#define X(id, number, text)                                                                        \
    case number:                                                                                   \
        return text;
        GDOI_REASON_LIST(X)
#undef X
    default:
        return "unknown";
    }
}

struct gdoi_refusal gdoi_refusal_of(const struct ike1_notify *n)
{
    struct rd r = rd_of(n->data);
    struct gdoi_refusal refusal = {.reason = rd_u16(&r)};

    refusal.text =
        rd_take(&r, rd_left(&r) < GDOI_REASON_TEXT_MAX ? rd_left(&r) : GDOI_REASON_TEXT_MAX);
    return refusal;
}

void gdoi_reason_write(struct wr *w, enum gdoi_reason reason)
{
    wr_u16(w, (uint16_t)reason);
    wr_put(w, bytes_str(gdoi_reason_text(reason)));
}

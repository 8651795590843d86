#include "gdoi/kd.h"

enum { SID_BITS_MAX = 32 };

static const struct ike1_attribute_rule tek_rules[] = {
    {GDOI_TEK_ALGORITHM_KEY, IKE1_FORM_V, false},
    {GDOI_TEK_INTEGRITY_KEY, IKE1_FORM_V, false},
};
static const struct ike1_attribute_rule kek_rules[] = {
    {GDOI_KEK_ALGORITHM_KEY, IKE1_FORM_V, false},
    {GDOI_SIG_ALGORITHM_KEY, IKE1_FORM_V, false},
};
static const struct ike1_attribute_rule sid_rules[] = {
    {GDOI_NUMBER_OF_SID_BITS, IKE1_FORM_B, false},
    {GDOI_SID_VALUE, IKE1_FORM_V, true},
};

/* An attribute of 1 to max octets; absent leaves *ret alone. */
static enum err key_of(const struct ike1_attributes *all, uint16_t type, size_t max,
                       struct bytes *ret)
{
    const struct ike1_attribute *a = ike1_attribute_find(all, type);
    if (!a)
        return ERR_OK;
    if (a->value.len == 0 || a->value.len > max)
        return ERR_LENGTH;
    *ret = a->value;
    return ERR_OK;
}

/* RFC 6407 5.6.1. */
static enum err read_tek(struct bytes spi, struct bytes attributes, struct gdoi_kd *kd)
{
    struct gdoi_tek_packet tek = {0};
    struct ike1_attributes all;
    struct rd r = rd_of(spi);

    tek.spi = rd_u32(&r);
    if (rd_end(&r))
        return ERR_LENGTH;
    if (gdoi_kd_tek(kd, tek.spi))
        return ERR_DUPLICATE;
    if (kd->n_teks == GDOI_TEKS_MAX)
        return ERR_TOO_MANY;
    enum err e = ike1_attributes_parse(attributes, tek_rules, ARRAY_LEN(tek_rules), &all);
    if (e == ERR_OK)
        e = key_of(&all, GDOI_TEK_ALGORITHM_KEY, GDOI_KEY_MAX, &tek.cipher_key);
    if (e == ERR_OK)
        e = key_of(&all, GDOI_TEK_INTEGRITY_KEY, GDOI_KEY_MAX, &tek.integrity_key);
    if (e == ERR_OK && tek.cipher_key.len == 0 && tek.integrity_key.len == 0)
        e = ERR_MISSING;
    if (e == ERR_OK)
        kd->teks[kd->n_teks++] = tek;
    return e;
}

/* RFC 6407 5.6.2: one at most. */
static enum err read_kek(struct bytes spi, struct bytes attributes, struct gdoi_kd *kd)
{
    struct ike1_attributes all;

    if (spi.len != GDOI_KEK_SPI)
        return ERR_LENGTH;
    if (kd->has_kek)
        return ERR_DUPLICATE;
    kd->has_kek = true;
    memcpy(&kd->kek.spi, spi.data, spi.len);
    enum err e = ike1_attributes_parse(attributes, kek_rules, ARRAY_LEN(kek_rules), &all);
    if (e == ERR_OK)
        e = key_of(&all, GDOI_KEK_ALGORITHM_KEY, GDOI_KEY_MAX, &kd->kek.iv_and_key);
    if (e == ERR_OK)
        e = key_of(&all, GDOI_SIG_ALGORITHM_KEY, GDOI_SIG_KEY_MAX, &kd->kek.sig_key);
    return e == ERR_OK && kd->kek.iv_and_key.len == 0 ? ERR_MISSING : e;
}

static enum err add_sid(struct gdoi_sid_packet *sid, struct bytes value)
{
    assert(sid->n < GDOI_SIDS_MAX); /* one attribute of the packet is the number of bits */
    if (value.len != (sid->bits + 7u) / 8)
        return ERR_LENGTH;
    sid->value[sid->n++] = value;
    return ERR_OK;
}

/* RFC 6407 5.6.4: no SPI, values as long as their bits need. */
static enum err read_sid(struct bytes spi, struct bytes attributes, struct gdoi_kd *kd)
{
    struct ike1_attributes all;

    if (spi.len != 0)
        return ERR_LENGTH;
    if (kd->has_sid)
        return ERR_DUPLICATE;
    enum err e = ike1_attributes_parse(attributes, sid_rules, ARRAY_LEN(sid_rules), &all);
    if (e)
        return e;
    struct gdoi_sid_packet sid = {.bits = ike1_attribute_basic(&all, GDOI_NUMBER_OF_SID_BITS)};
    if (!ike1_attribute_find(&all, GDOI_NUMBER_OF_SID_BITS) ||
        !ike1_attribute_find(&all, GDOI_SID_VALUE))
        return ERR_MISSING;
    if (sid.bits == 0 || sid.bits > SID_BITS_MAX)
        return ERR_VALUE;
    for (size_t i = 0; i < all.n && e == ERR_OK; i++) {
        if (all.a[i].type == GDOI_SID_VALUE)
            e = add_sid(&sid, all.a[i].value);
    }
    kd->has_sid = true;
    kd->sid = sid;
    return e;
}

/* One key packet: type, reserved, length with this header, SPI size, SPI, attributes (RFC
 * 6407 5.6). */
static void read_packet(struct rd *r, struct gdoi_kd *kd, uint8_t *ret_type)
{
    struct rd body =
        chain_item(r, ret_type); /* the type stands where others have the next payload */
    struct bytes spi = rd_take(&body, rd_u8(&body));
    struct bytes attributes = rd_rest(&body);

    if (body.err == ERR_OK) {
        switch (*ret_type) {
        case GDOI_KD_TEK:
            rd_fail(&body, read_tek(spi, attributes, kd));
            break;
        case GDOI_KD_KEK:
            rd_fail(&body, read_kek(spi, attributes, kd));
            break;
        case GDOI_KD_SID:
            rd_fail(&body, read_sid(spi, attributes, kd));
            break;
        default: /* LKH among them */
            rd_fail(&body, ERR_TYPE);
        }
    }
    rd_fail(r, body.err);
}

enum err gdoi_kd_parse(struct bytes body, struct gdoi_kd *ret, uint8_t *ret_packet)
{
    struct gdoi_kd kd = {0};
    struct rd r = rd_of(body);
    uint8_t type = 0;
    size_t n = rd_u16(&r);

    (void)rd_u16(&r);
    if (r.err == ERR_OK && n == 0)
        rd_fail(&r, ERR_MISSING);
    for (size_t i = 0; i < n && r.err == ERR_OK; i++)
        read_packet(&r, &kd, &type);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        *ret = kd;
    else if (ret_packet)
        *ret_packet = type;
    return e;
}

static size_t open_packet(struct wr *w, uint8_t type, struct bytes spi)
{
    wr_u8(w, type);
    wr_u8(w, 0);
    size_t length = wr_open16(w);
    wr_u8(w, (uint8_t)spi.len);
    wr_put(w, spi);
    return length;
}

static void write_keys(struct wr *w, struct bytes first, struct bytes second)
{
    if (first.len)
        ike1_attribute_tlv(w, 1, first);
    if (second.len)
        ike1_attribute_tlv(w, 2, second);
}

static void write_kek(struct wr *w, const struct gdoi_kek_packet *kek)
{
    size_t length = open_packet(w, GDOI_KD_KEK, ike1_cookies_bytes(&kek->spi));
    write_keys(w, kek->iv_and_key, kek->sig_key);
    wr_close16(w, length, CHAIN_HEADER);
}

static void write_tek(struct wr *w, const struct gdoi_tek_packet *tek)
{
    uint8_t spi[GDOI_TEK_SPI];
    struct wr s = wr_of(spi, sizeof spi);

    wr_u32(&s, tek->spi);
    size_t length = open_packet(w, GDOI_KD_TEK, wr_bytes(&s));
    write_keys(w, tek->cipher_key, tek->integrity_key);
    wr_close16(w, length, CHAIN_HEADER);
}

static void write_sid(struct wr *w, const struct gdoi_sid_packet *sid)
{
    size_t length = open_packet(w, GDOI_KD_SID, bytes(NULL, 0));
    ike1_attribute_tv(w, GDOI_NUMBER_OF_SID_BITS, sid->bits);
    for (size_t i = 0; i < sid->n; i++)
        ike1_attribute_tlv(w, GDOI_SID_VALUE, sid->value[i]);
    wr_close16(w, length, CHAIN_HEADER);
}

void gdoi_kd_write(struct chain_wr *c, const struct gdoi_kd *kd)
{
    size_t n = kd->n_teks + kd->has_kek + kd->has_sid;

    assert(n > 0 && kd->n_teks <= GDOI_TEKS_MAX && kd->sid.n <= GDOI_SIDS_MAX);
    chain_open(c, IKE1_PAYLOAD_KD);
    wr_u16(c->w, (uint16_t)n);
    wr_u16(c->w, 0);
    if (kd->has_kek)
        write_kek(c->w, &kd->kek);
    for (size_t i = 0; i < kd->n_teks; i++)
        write_tek(c->w, &kd->teks[i]);
    if (kd->has_sid)
        write_sid(c->w, &kd->sid);
    chain_close(c);
}

const struct gdoi_tek_packet *gdoi_kd_tek(const struct gdoi_kd *kd, uint32_t spi)
{
    for (size_t i = 0; i < kd->n_teks; i++) {
        if (kd->teks[i].spi == spi)
            return &kd->teks[i];
    }
    return NULL;
}

bool gdoi_sig_key_is_pkcs1(struct bytes der)
{
    enum { SEQUENCE = 0x30, INTEGER = 0x02, LONG = 0x80 };
    struct rd r = rd_of(der);

    if (rd_u8(&r) != SEQUENCE)
        return false;
    uint8_t length = rd_u8(&r);
    if (length & LONG) /* the octets of the length itself */
        (void)rd_take(&r, length & (LONG - 1));
    return rd_u8(&r) == INTEGER && r.err == ERR_OK;
}

#include "gdoi/sa_parts.h"

static const struct ike1_attribute_rule kek_rules[] = {
#define X(id, number, form, name) {id, IKE1_FORM_##form, false},
    GDOI_KEK_ATTRIBUTE_LIST(X)
#undef X
};

/* Two octets that cannot begin an attribute, then attributes: the six zeros of some peers
 * (decisions M25). */
static bool has_pad6(struct bytes attributes)
{
    struct rd r = rd_of(attributes);
    return attributes.len >= sizeof(uint16_t) && rd_u16(&r) == 0;
}

static enum err read_attributes(struct rd *body, struct gdoi_tolerated *t,
                                struct ike1_attributes *ret)
{
    struct bytes rest = rd_rest(body);
    bool pad6 = has_pad6(rest);

    if (pad6)
        rest = bytes(rest.data + sizeof(uint16_t), rest.len - sizeof(uint16_t));
    enum err e = ike1_attributes_parse(rest, kek_rules, ARRAY_LEN(kek_rules), ret);
    if (e == ERR_OK && pad6)
        gdoi_tolerate(t, TOLERATED_SAK_PAD6);
    return e;
}

/* RFC 6407 5.3.4: four octets; some peers send TV (decisions M25). */
static enum err read_lifetime(const struct ike1_attributes *all, struct gdoi_tolerated *t,
                              struct gdoi_sak *sak)
{
    const struct ike1_attribute *a = ike1_attribute_find(all, GDOI_KEK_KEY_LIFETIME);
    if (!a)
        return ERR_OK;
    if (a->tv)
        gdoi_tolerate(t, TOLERATED_LIFETIME_TV);
    sak->has_lifetime = true;
    return ike1_attribute_number(a, &sak->lifetime);
}

/* Required are the two algorithms (RFC 6407 5.3), the hash of an RSA signature, which implies none
 * (5.3.5), and the key length of AES (5.3.3). */
static enum err check_required(const struct gdoi_sak *sak)
{
    if (sak->algorithm == 0 || sak->sig_algorithm == 0)
        return ERR_MISSING;
    if (sak->sig_algorithm == GDOI_SIG_ALG_RSA && sak->sig_hash == 0)
        return ERR_MISSING;
    if (sak->algorithm == GDOI_KEK_ALG_AES && sak->key_length == 0)
        return ERR_MISSING;
    return ERR_OK;
}

static enum err read_policy(struct rd *body, struct gdoi_tolerated *t, struct gdoi_sak *sak)
{
    struct ike1_attributes all;
    enum err e = read_attributes(body, t, &all);
    if (e)
        return e;

    sak->management = ike1_attribute_basic(&all, GDOI_KEK_MANAGEMENT_ALGORITHM);
    sak->algorithm = ike1_attribute_basic(&all, GDOI_KEK_ALGORITHM);
    sak->key_length = ike1_attribute_basic(&all, GDOI_KEK_KEY_LENGTH);
    sak->sig_hash = ike1_attribute_basic(&all, GDOI_SIG_HASH_ALGORITHM);
    sak->sig_algorithm = ike1_attribute_basic(&all, GDOI_SIG_ALGORITHM);
    sak->sig_key_length = ike1_attribute_basic(&all, GDOI_SIG_KEY_LENGTH);
    sak->ack = ike1_attribute_basic(&all, GDOI_KEK_ACK_REQUESTED);
    e = read_lifetime(&all, t, sak);
    return e ? e : check_required(sak);
}

static bool endpoint_of(const struct selector *s, struct endpoint *ret)
{
    if (s->prefix.ip.version == 0 || s->prefix.len != (s->prefix.ip.version == 4 ? 32 : 128))
        return false;
    *ret = (struct endpoint){s->prefix.ip, s->port};
    return true;
}

enum err sak_parse(struct rd *body, struct gdoi_tolerated *t, struct gdoi_sak *ret)
{
    struct gdoi_sak sak = {.protocol = rd_u8(body)};
    struct selector src = selector_read(body, false);
    struct selector dst = selector_read(body, false);

    if (body->err == ERR_OK && (!endpoint_of(&src, &sak.src) || !endpoint_of(&dst, &sak.dst)))
        rd_fail(body, ERR_TYPE);
    struct bytes spi = rd_take(body, GDOI_KEK_SPI);
    rd_zeros(body, sizeof(uint32_t)); /* RFC 3547's POP algorithm and key length stood here */
    if (body->err)
        return body->err;
    memcpy(&sak.spi, spi.data, spi.len);
    enum err e = read_policy(body, t, &sak);
    if (e == ERR_OK)
        *ret = sak;
    return e;
}

static void optional(struct wr *w, uint16_t type, uint16_t value)
{
    if (value)
        ike1_attribute_tv(w, type, value);
}

static void endpoint_write(struct wr *w, const struct endpoint *e)
{
    struct prefix host = {e->ip, e->ip.version == 4 ? 32 : 128};
    selector_write(w, false, host, e->port);
}

void sak_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sak *sak)
{
    struct wr *w = c->w;

    chain_open(c, IKE1_PAYLOAD_SAK);
    wr_u8(w, sak->protocol);
    endpoint_write(w, &sak->src);
    endpoint_write(w, &sak->dst);
    wr_put(w, ike1_cookies_bytes(&sak->spi));
    wr_zeros(w, d->sak_pad6 ? 6 : 4);
    optional(w, GDOI_KEK_MANAGEMENT_ALGORITHM, sak->management);
    optional(w, GDOI_KEK_ALGORITHM, sak->algorithm);
    optional(w, GDOI_KEK_KEY_LENGTH, sak->key_length);
    if (sak->has_lifetime && d->tv_lifetime && sak->lifetime <= UINT16_MAX)
        ike1_attribute_tv(w, GDOI_KEK_KEY_LIFETIME, (uint16_t)sak->lifetime);
    else if (sak->has_lifetime)
        ike1_attribute_u32(w, GDOI_KEK_KEY_LIFETIME, sak->lifetime);
    optional(w, GDOI_SIG_HASH_ALGORITHM, sak->sig_hash);
    optional(w, GDOI_SIG_ALGORITHM, sak->sig_algorithm);
    optional(w, GDOI_SIG_KEY_LENGTH, sak->sig_key_length);
    if (!d->no_ack)
        optional(w, GDOI_KEK_ACK_REQUESTED, sak->ack);
    chain_close(c);
}

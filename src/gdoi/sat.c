#include "gdoi/sa_parts.h"

static const struct ike1_attribute_rule sa_rules[] = {
#define X(id, number, form, name)                                                                  \
    {id, IKE1_FORM_##form, (id) == GDOI_SA_LIFE_TYPE || (id) == GDOI_SA_LIFE_DURATION},
    GDOI_SA_ATTRIBUTE_LIST(X)
#undef X
};

/* A value of the reserved range may be ignored (RFC 2407 4.5.3): 0 reads as absent, and is counted.
 */
static uint16_t basic(const struct ike1_attributes *all, uint16_t type, struct gdoi_tolerated *t)
{
    uint16_t value = ike1_attribute_basic(all, type);
    if (value == 0 && ike1_attribute_find(all, type))
        gdoi_tolerate(t, TOLERATED_RESERVED_VALUE);
    return value;
}

/* AES has keys of several lengths and must say which; the others must not (RFC 2407 4.5, RFC
 * 3602 5.3, RFC 4106 8.2). */
static enum err check_key_length(const struct gdoi_sat *sat)
{
    if (sat->protocol_id != GDOI_PROTOCOL_ESP)
        return ERR_OK;
    switch (sat->transform) {
    case GDOI_ESP_DES:
    case GDOI_ESP_3DES:
    case GDOI_ESP_NULL:
        return sat->key_length ? ERR_ATTRIBUTE : ERR_OK;
    case GDOI_ESP_AES_CBC:
    case GDOI_ESP_AES_CTR:
    case GDOI_ESP_AES_GCM_8:
    case GDOI_ESP_AES_GCM_12:
    case GDOI_ESP_AES_GCM_16:
        return sat->key_length ? ERR_OK : ERR_MISSING;
    default:
        return ERR_OK;
    }
}

static enum err check_values(const struct gdoi_sat *sat)
{
    if (sat->spi < GDOI_SPI_MIN || sat->encapsulation > GDOI_ENCAPSULATION_TRANSPORT ||
        sat->preserve > GDOI_PRESERVE_BOTH || sat->direction > GDOI_DIRECTION_SYMMETRIC)
        return ERR_VALUE;
    return check_key_length(sat);
}

static enum err read_window(const struct ike1_attributes *all, const struct gdoi_dialect *d,
                            struct gdoi_sat *sat)
{
    const struct ike1_attribute *a = ike1_attribute_find(all, GDOI_SA_WINDOW);
    if (!a)
        return ERR_OK;
    sat->has_window = true;
    return d->d3p_window_number ? ike1_attribute_number(a, &sat->window) : ERR_ATTRIBUTE;
}

static enum err read_attributes(struct bytes in, const struct gdoi_dialect *d,
                                struct gdoi_tolerated *t, struct gdoi_sat *sat)
{
    struct ike1_attributes all;
    enum err e = ike1_attributes_parse(in, sa_rules, ARRAY_LEN(sa_rules), &all);
    if (e == ERR_OK)
        e = read_window(&all, d, sat);
    if (e)
        return e;
    sat->encapsulation = basic(&all, GDOI_SA_ENCAPSULATION_MODE, t);
    sat->auth = basic(&all, GDOI_SA_AUTH_ALGORITHM, t);
    sat->key_length = basic(&all, GDOI_SA_KEY_LENGTH, t);
    sat->preserve = basic(&all, GDOI_SA_ADDRESS_PRESERVATION, t);
    sat->direction = basic(&all, GDOI_SA_DIRECTION, t);
    e = ike1_life_parse(&all, GDOI_SA_LIFE_TYPE, GDOI_SA_LIFE_DURATION, &sat->life);
    return e ? e : check_values(sat);
}

/* "Any source" takes the version of the destination, which must be there. */
static void read_selectors(struct rd *body, bool swap, struct gdoi_sat *sat)
{
    struct selector src = selector_read(body, swap);
    struct selector dst = selector_read(body, swap);

    if (body->err)
        return;
    if (dst.prefix.ip.version == 0)
        rd_fail(body, ERR_LENGTH);
    if (src.prefix.ip.version == 0)
        src.prefix.ip.version = dst.prefix.ip.version;
    if (src.prefix.ip.version != dst.prefix.ip.version)
        rd_fail(body, ERR_CONFLICT);
    sat->src = src.prefix;
    sat->dst = dst.prefix;
    sat->src_port = src.port;
    sat->dst_port = dst.port;
}

enum err sat_parse(struct rd *body, const struct gdoi_dialect *d, struct gdoi_tolerated *t,
                   struct gdoi_sat *ret)
{
    struct gdoi_sat sat = {.protocol_id = rd_u8(body)};

    if (body->err == ERR_OK && sat.protocol_id != GDOI_PROTOCOL_ESP &&
        sat.protocol_id != GDOI_PROTOCOL_AH)
        return ERR_TYPE;
    sat.ip_protocol = rd_u8(body);
    read_selectors(body, d->host_order_selectors, &sat);
    sat.transform = rd_u8(body);
    sat.spi = rd_u32(body);
    struct bytes attributes = rd_rest(body);
    if (body->err)
        return body->err;
    if (d->host_order_selectors && sat.dst.ip.version == 4)
        gdoi_tolerate(t, TOLERATED_SELECTORS_SWAPPED);
    enum err e = read_attributes(attributes, d, t, &sat);
    if (e == ERR_OK)
        *ret = sat;
    return e;
}

static void optional(struct wr *w, uint16_t type, uint16_t value)
{
    if (value)
        ike1_attribute_tv(w, type, value);
}

void sat_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_sat *sat)
{
    struct wr *w = c->w;

    chain_open(c, IKE1_PAYLOAD_SAT);
    wr_u8(w, sat->protocol_id);
    wr_u8(w, sat->ip_protocol);
    selector_write(w, d->host_order_selectors, sat->src, sat->src_port);
    selector_write(w, d->host_order_selectors, sat->dst, sat->dst_port);
    wr_u8(w, sat->transform);
    wr_u32(w, sat->spi);
    optional(w, GDOI_SA_ENCAPSULATION_MODE, sat->encapsulation);
    optional(w, GDOI_SA_AUTH_ALGORITHM, sat->auth);
    optional(w, GDOI_SA_KEY_LENGTH, sat->key_length);
    ike1_life_write(w, GDOI_SA_LIFE_TYPE, GDOI_SA_LIFE_DURATION, d->tv_lifetime, &sat->life);
    optional(w, GDOI_SA_ADDRESS_PRESERVATION, sat->preserve);
    optional(w, GDOI_SA_DIRECTION, sat->direction);
    if (sat->has_window && d->d3p_window_number)
        ike1_attribute_u32(w, GDOI_SA_WINDOW, sat->window);
    chain_close(c);
}

static bool same_life(const struct ike1_life *a, const struct ike1_life *b)
{
    return a->has_seconds == b->has_seconds && a->seconds == b->seconds &&
           a->has_kilobytes == b->has_kilobytes && a->kilobytes == b->kilobytes;
}

bool gdoi_sat_same_sa(const struct gdoi_sat *a, const struct gdoi_sat *b)
{
    return a->protocol_id == b->protocol_id && a->transform == b->transform && a->spi == b->spi &&
           a->encapsulation == b->encapsulation && a->auth == b->auth &&
           a->key_length == b->key_length && a->preserve == b->preserve &&
           a->direction == b->direction && a->has_window == b->has_window &&
           a->window == b->window && same_life(&a->life, &b->life);
}

uint32_t gdoi_sat_window(const struct gdoi_sa *sa, const struct gdoi_sat *sat)
{
    return sat->has_window ? sat->window : sa->gap.d3p_window;
}

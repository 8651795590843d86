#include "gdoi/sa.h"

enum { GAP_RULES_MAX = 5 };

/* The attributes of RFC 6407 5.4, and IP-D3P's where they are spoken: anything else aborts. */
static size_t gap_rules(const struct gdoi_dialect *d, struct ike1_attribute_rule rules[])
{
    size_t n = 0;
#define X(id, number, form, name)                                                                  \
    rules[n++] = (struct ike1_attribute_rule){id, IKE1_FORM_##form, false};
    GDOI_GAP_ATTRIBUTE_LIST(X)
#undef X
    if (d->d3p_type_number)
        rules[n++] = (struct ike1_attribute_rule){d->d3p_type_number, IKE1_FORM_B, false};
    if (d->d3p_window_number)
        rules[n++] = (struct ike1_attribute_rule){d->d3p_window_number, IKE1_FORM_V, false};
    return n;
}

/* A basic attribute for which 0 is no value. */
static enum err positive(const struct ike1_attributes *all, uint16_t type, uint16_t *ret)
{
    const struct ike1_attribute *a = type ? ike1_attribute_find(all, type) : NULL;
    *ret = a ? ike1_attribute_basic(all, type) : 0;
    return a && *ret == 0 ? ERR_VALUE : ERR_OK;
}

static enum err read_window(const struct ike1_attributes *all, uint16_t type, uint32_t *ret)
{
    const struct ike1_attribute *a = type ? ike1_attribute_find(all, type) : NULL;
    if (!a)
        return ERR_OK;
    enum err e = ike1_attribute_number(a, ret);
    return e == ERR_OK && *ret == 0 ? ERR_VALUE : e;
}

enum err gdoi_gap_parse(struct bytes body, const struct gdoi_dialect *d, struct gdoi_gap *ret)
{
    struct ike1_attribute_rule rules[GAP_RULES_MAX];
    struct ike1_attributes all;
    enum err e = ike1_attributes_parse(body, rules, gap_rules(d, rules), &all);
    if (e)
        return e;

    struct gdoi_gap gap = {
        .has_atd = ike1_attribute_find(&all, GDOI_GAP_ACTIVATION_TIME_DELAY) != NULL,
        .has_dtd = ike1_attribute_find(&all, GDOI_GAP_DEACTIVATION_TIME_DELAY) != NULL,
        .atd = ike1_attribute_basic(&all, GDOI_GAP_ACTIVATION_TIME_DELAY),
        .dtd = ike1_attribute_basic(&all, GDOI_GAP_DEACTIVATION_TIME_DELAY),
    };
    e = positive(&all, GDOI_GAP_SENDER_ID_REQUEST, &gap.sid_request);
    if (e == ERR_OK)
        e = positive(&all, d->d3p_type_number, &gap.d3p_type);
    if (e == ERR_OK)
        e = read_window(&all, d->d3p_window_number, &gap.d3p_window);
    if (e == ERR_OK)
        *ret = gap;
    return e;
}

void gdoi_gap_write(struct chain_wr *c, const struct gdoi_dialect *d, const struct gdoi_gap *gap)
{
    struct wr *w = c->w;

    chain_open(c, IKE1_PAYLOAD_GAP);
    if (gap->has_atd)
        ike1_attribute_tv(w, GDOI_GAP_ACTIVATION_TIME_DELAY, gap->atd);
    if (gap->has_dtd)
        ike1_attribute_tv(w, GDOI_GAP_DEACTIVATION_TIME_DELAY, gap->dtd);
    if (gap->sid_request)
        ike1_attribute_tv(w, GDOI_GAP_SENDER_ID_REQUEST, gap->sid_request);
    if (gap->d3p_type && d->d3p_type_number)
        ike1_attribute_tv(w, d->d3p_type_number, gap->d3p_type);
    if (gap->d3p_window && d->d3p_window_number)
        ike1_attribute_u32(w, d->d3p_window_number, gap->d3p_window);
    chain_close(c);
}

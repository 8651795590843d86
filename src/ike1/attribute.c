#include "ike1/attribute.h"

#include "ike1/numbers.h"

void ike1_attribute_read(struct rd *r, struct ike1_attribute *ret)
{
    uint16_t head = rd_u16(r);
    bool tv = (head & IKE1_ATTRIBUTE_TV) != 0;
    uint16_t type = (uint16_t)(head & ~IKE1_ATTRIBUTE_TV);

    if (type == 0)
        rd_fail(r, ERR_ATTRIBUTE);
    size_t len = tv ? sizeof(uint16_t) : rd_u16(r);
    struct bytes value = rd_take(r, len);
    if (r->err == ERR_OK)
        *ret = (struct ike1_attribute){type, tv, value};
}

static const struct ike1_attribute_rule *rule_of(const struct ike1_attribute_rule *rules, size_t n,
                                                 uint16_t type)
{
    for (size_t i = 0; i < n; i++) {
        if (rules[i].type == type)
            return &rules[i];
    }
    return NULL;
}

static enum err add(struct ike1_attributes *all, const struct ike1_attribute *a,
                    const struct ike1_attribute_rule *rule)
{
    if (!rule || (rule->form == IKE1_FORM_B && !a->tv))
        return ERR_ATTRIBUTE;
    if (!rule->repeats && ike1_attribute_find(all, a->type))
        return ERR_DUPLICATE;
    if (all->n == IKE1_ATTRIBUTES_MAX)
        return ERR_TOO_MANY;
    all->a[all->n++] = *a;
    return ERR_OK;
}

enum err ike1_attributes_parse(struct bytes in, const struct ike1_attribute_rule *rules,
                               size_t n_rules, struct ike1_attributes *ret)
{
    struct ike1_attributes all = {0};
    struct rd r = rd_of(in);

    while (rd_left(&r) > 0) {
        struct ike1_attribute a = {0};
        ike1_attribute_read(&r, &a);
        if (r.err == ERR_OK)
            rd_fail(&r, add(&all, &a, rule_of(rules, n_rules, a.type)));
    }
    if (r.err)
        return r.err;
    *ret = all;
    return ERR_OK;
}

const struct ike1_attribute *ike1_attribute_find(const struct ike1_attributes *all, uint16_t type)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->a[i].type == type)
            return &all->a[i];
    }
    return NULL;
}

static uint16_t basic(const struct ike1_attribute *a)
{
    assert(a->tv);
    struct rd r = rd_of(a->value);
    return rd_u16(&r);
}

uint16_t ike1_attribute_basic(const struct ike1_attributes *all, uint16_t type)
{
    const struct ike1_attribute *a = ike1_attribute_find(all, type);
    return a ? basic(a) : 0;
}

enum err ike1_attribute_number(const struct ike1_attribute *a, uint32_t *ret)
{
    uint64_t n = 0;

    if (a->value.len == 0 || a->value.len > sizeof n)
        return ERR_LENGTH;
    for (size_t i = 0; i < a->value.len; i++)
        n = n << 8 | a->value.data[i];
    *ret = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    return ERR_OK;
}

static enum err life_set(struct ike1_life *life, uint16_t type, uint32_t duration)
{
    bool seconds = type == IKE1_LIFE_SECONDS;
    if (!seconds && type != IKE1_LIFE_KILOBYTES)
        return ERR_VALUE;
    bool *has = seconds ? &life->has_seconds : &life->has_kilobytes;
    if (*has)
        return ERR_DUPLICATE;
    *has = true;
    *(seconds ? &life->seconds : &life->kilobytes) = duration;
    return ERR_OK;
}

enum err ike1_life_parse(const struct ike1_attributes *all, uint16_t type_attribute,
                         uint16_t duration_attribute, struct ike1_life *ret)
{
    struct ike1_life life = {0};
    const struct ike1_attribute *type = NULL; /* waiting for its duration */

    for (size_t i = 0; i < all->n; i++) {
        const struct ike1_attribute *a = &all->a[i];
        if (a->type == type_attribute) {
            if (type)
                return ERR_MISSING;
            type = a;
        } else if (a->type == duration_attribute) {
            uint32_t duration = 0;
            if (!type)
                return ERR_ORDER;
            enum err e = ike1_attribute_number(a, &duration);
            if (e == ERR_OK)
                e = life_set(&life, basic(type), duration);
            if (e)
                return e;
            type = NULL;
        }
    }
    if (type)
        return ERR_MISSING;
    *ret = life;
    return ERR_OK;
}

void ike1_attribute_tv(struct wr *w, uint16_t type, uint16_t value)
{
    assert(type > 0 && type < IKE1_ATTRIBUTE_TV);
    wr_u16(w, (uint16_t)(type | IKE1_ATTRIBUTE_TV));
    wr_u16(w, value);
}

void ike1_attribute_tlv(struct wr *w, uint16_t type, struct bytes value)
{
    assert(type > 0 && type < IKE1_ATTRIBUTE_TV && value.len <= UINT16_MAX);
    wr_u16(w, type);
    wr_u16(w, (uint16_t)value.len);
    wr_put(w, value);
}

void ike1_attribute_u32(struct wr *w, uint16_t type, uint32_t value)
{
    wr_u16(w, type);
    wr_u16(w, sizeof value);
    wr_u32(w, value);
}

void ike1_life_write(struct wr *w, uint16_t type_attribute, uint16_t duration_attribute, bool tv,
                     const struct ike1_life *life)
{
    const struct {
        bool has;
        uint16_t type;
        uint32_t duration;
    } pair[] = {{life->has_seconds, IKE1_LIFE_SECONDS, life->seconds},
                {life->has_kilobytes, IKE1_LIFE_KILOBYTES, life->kilobytes}};

    for (size_t i = 0; i < ARRAY_LEN(pair); i++) {
        if (!pair[i].has)
            continue;
        ike1_attribute_tv(w, type_attribute, pair[i].type);
        if (tv && pair[i].duration <= UINT16_MAX)
            ike1_attribute_tv(w, duration_attribute, (uint16_t)pair[i].duration);
        else
            ike1_attribute_u32(w, duration_attribute, pair[i].duration);
    }
}

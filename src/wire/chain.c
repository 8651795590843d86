#include "wire/chain.h"

enum err chain_parse(struct rd *r, uint8_t first, struct chain *ret)
{
    struct chain c = {0};
    uint8_t type = first;

    while (type != 0) {
        struct rd peek = *r;
        uint8_t next = rd_u8(&peek);
        (void)rd_u8(&peek);
        size_t len = rd_u16(&peek);
        if (peek.err == ERR_OK && len < CHAIN_HEADER)
            rd_fail(r, ERR_LENGTH);
        if (c.n == CHAIN_MAX)
            rd_fail(r, ERR_TOO_MANY);
        struct bytes whole = rd_take(r, peek.err == ERR_OK ? len : SIZE_MAX);
        if (r->err)
            return r->err;
        c.p[c.n++] = (struct chain_payload){
            type, whole, bytes(whole.data + CHAIN_HEADER, whole.len - CHAIN_HEADER)};
        c.len += whole.len;
        type = next;
    }
    if (r->err)
        return r->err;
    *ret = c;
    return ERR_OK;
}

struct rd chain_item(struct rd *r, uint8_t *ret_next)
{
    uint8_t next = rd_u8(r);
    (void)rd_u8(r);
    size_t len = rd_u16(r);

    if (r->err == ERR_OK && len < CHAIN_HEADER)
        rd_fail(r, ERR_LENGTH);
    *ret_next = next;
    return rd_cut(r, len - CHAIN_HEADER);
}

const struct chain_payload *chain_find(const struct chain *c, uint8_t type)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->p[i].type == type)
            return &c->p[i];
    }
    return NULL;
}

static size_t rule_of(const struct chain_rule *rules, size_t n, uint8_t type)
{
    size_t i = 0;
    while (i < n && rules[i].type != type)
        i++;
    return i;
}

enum err chain_check(const struct chain *c, const struct chain_rule *rules, size_t n_rules,
                     bool any_order)
{
    uint8_t count[CHAIN_MAX] = {0};
    size_t reached = 0;

    assert(n_rules <= CHAIN_MAX);
    for (size_t i = 0; i < c->n; i++) {
        size_t at = rule_of(rules, n_rules, c->p[i].type);
        if (at == n_rules || (!any_order && at < reached))
            return ERR_ORDER;
        reached = at;
        if (++count[at] > rules[at].max)
            return ERR_TOO_MANY;
    }
    for (size_t i = 0; i < n_rules; i++) {
        if (count[i] < rules[i].min)
            return ERR_MISSING;
    }
    return ERR_OK;
}

struct chain_wr chain_first(struct wr *w, size_t next_at)
{
    return (struct chain_wr){w, next_at, 0};
}

void chain_open(struct chain_wr *c, uint8_t type)
{
    if (c->w->err == ERR_OK) {
        assert(c->next_at < c->w->len);
        c->w->data[c->next_at] = type;
    }
    c->next_at = c->w->len;
    wr_u8(c->w, 0);
    wr_u8(c->w, 0);
    c->open_at = wr_open16(c->w);
}

void chain_close(struct chain_wr *c) { wr_close16(c->w, c->open_at, CHAIN_HEADER); }

#include "esp/selector.h"

static enum err mask_of(struct prefix p, uint32_t *ret_address, uint32_t *ret_mask)
{
    if (p.len == 0 && p.ip.version != 6) {
        *ret_address = 0;
        *ret_mask = 0;
        return ERR_OK;
    }
    if (p.ip.version != 4 || p.len > 32)
        return ERR_TYPE;
    *ret_mask = UINT32_MAX << (32 - p.len);
    *ret_address = ip_v4_u32(p.ip) & *ret_mask;
    return ERR_OK;
}

static enum err set_prefixes(struct esp_match *m, struct prefix source, struct prefix destination)
{
    enum err e = mask_of(source, &m->source, &m->source_mask);
    return e ? e : mask_of(destination, &m->destination, &m->destination_mask);
}

enum err esp_match_selector(const struct esp_selector *s, struct esp_match *ret)
{
    struct esp_match m = {
        .source_port_first = s->source_port,
        .source_port_last = s->source_port ? s->source_port : UINT16_MAX,
        .destination_port_first = s->destination_port,
        .destination_port_last = s->destination_port ? s->destination_port : UINT16_MAX,
        .protocol = s->protocol,
        .wants_ports = s->source_port != 0 || s->destination_port != 0,
    };
    enum err e = set_prefixes(&m, s->source, s->destination);
    if (e == ERR_OK)
        *ret = m;
    return e;
}

enum err esp_match_rule(const struct esp_rule *r, struct esp_match *ret)
{
    struct esp_match m = {
        .source_port_last = UINT16_MAX,
        .destination_port_first = r->destination_port_first,
        .destination_port_last = r->destination_port_last,
        .protocol = r->protocol,
        .wants_ports = r->destination_port_first != 0 || r->destination_port_last != UINT16_MAX,
    };
    enum err e = set_prefixes(&m, r->source, r->destination);
    if (e == ERR_OK)
        *ret = m;
    return e;
}

struct esp_match esp_match_mirrored(const struct esp_match *m)
{
    return (struct esp_match){
        .source = m->destination,
        .source_mask = m->destination_mask,
        .destination = m->source,
        .destination_mask = m->source_mask,
        .source_port_first = m->destination_port_first,
        .source_port_last = m->destination_port_last,
        .destination_port_first = m->source_port_first,
        .destination_port_last = m->source_port_last,
        .protocol = m->protocol,
        .wants_ports = m->wants_ports,
    };
}

#pragma once
/* Selectors and rules as the pipelines compare them: masks instead of lengths (RFC 4301 4.4.1.1).
 */
#include "esp/inner.h"
#include "esp/install.h"

struct esp_match {
    uint32_t source, source_mask, destination, destination_mask;
    uint16_t source_port_first, source_port_last;
    uint16_t destination_port_first, destination_port_last;
    uint8_t protocol;
    bool wants_ports;
};

/* ERR_TYPE unless IPv4 (a prefix of length 0 may have no version). */
MUST_USE enum err esp_match_selector(const struct esp_selector *s, struct esp_match *ret);
MUST_USE enum err esp_match_rule(const struct esp_rule *r, struct esp_match *ret);
/* The rule as its answers see it. */
struct esp_match esp_match_mirrored(const struct esp_match *m);

static inline bool esp_match_addresses(const struct esp_match *m, uint32_t source,
                                       uint32_t destination)
{
    return ((source ^ m->source) & m->source_mask) == 0 &&
           ((destination ^ m->destination) & m->destination_mask) == 0;
}

/* A flow whose ports are not known matches only what names no port (RFC 4301 7.1). */
static inline bool esp_match_flow(const struct esp_match *m, const struct esp_flow *f)
{
    if (!esp_match_addresses(m, f->source, f->destination))
        return false;
    if (m->protocol != 0 && m->protocol != f->protocol)
        return false;
    if (!m->wants_ports)
        return true;
    return f->has_ports && f->source_port >= m->source_port_first &&
           f->source_port <= m->source_port_last &&
           f->destination_port >= m->destination_port_first &&
           f->destination_port <= m->destination_port_last;
}

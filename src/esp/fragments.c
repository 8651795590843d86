#include "esp/fragments.h"

static struct esp_fragment *slot_of(struct esp_fragments *f, const struct esp_inner *in)
{
    uint32_t h = in->flow.source * 0x9e3779b1u ^ in->flow.destination * 0x85ebca77u;
    h ^= ((uint32_t)in->id << 8 | in->flow.protocol) * 0xc2b2ae3du;
    return &f->slot[(h >> 16 ^ h) % ESP_FRAGMENTS];
}

static bool slot_holds(const struct esp_fragment *s, const struct esp_inner *in, instant_t now)
{
    return s->used && instant_before(now, s->until) && s->source == in->flow.source &&
           s->destination == in->flow.destination && s->id == in->id &&
           s->protocol == in->flow.protocol;
}

static void learn(struct esp_fragment *s, const struct esp_inner *in, instant_t now)
{
    *s = (struct esp_fragment){
        .source = in->flow.source,
        .destination = in->flow.destination,
        .id = in->id,
        .source_port = in->flow.source_port,
        .destination_port = in->flow.destination_port,
        .protocol = in->flow.protocol,
        .used = true,
        .until = instant_add(now, span_s(ESP_FRAGMENT_LIFE_S)),
    };
}

void esp_fragments_track(struct esp_fragments *f, struct esp_inner *in, instant_t now)
{
    if (!esp_inner_is_fragment(in))
        return;
    struct esp_fragment *s = slot_of(f, in);
    if (in->fragment_at == 0) {
        if (in->flow.has_ports)
            learn(s, in, now);
    } else if (slot_holds(s, in, now)) {
        in->flow.source_port = s->source_port;
        in->flow.destination_port = s->destination_port;
        in->flow.has_ports = true;
    }
}

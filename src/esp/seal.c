#include "esp/seal.h"

#include "esp/count.h"

#include <assert.h>
#include <stdlib.h>

enum {
    OUTER_TTL = 64,
    TRAILER = 2, /* pad length and next header */
    FLOWS = 512, /* remembered decisions */
    ICMP_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMP_HEADER = 8,
};

/* What was decided for a flow, as long as the view is the same. */
struct decision {
    struct esp_flow flow;
    uint64_t serial;
    enum esp_stat verdict;
    struct esp_sa *sa;
};

struct esp_sealer {
    struct packet_engine *engine;
    struct packet_op ops[ESP_BATCH];
    struct decision decisions[FLOWS];
    struct esp_fragments fragments;
    struct esp_random random;
    struct esp_stats stats;
    instant_t too_big_since;
    unsigned n_too_big;
};

enum err esp_sealer_new(struct packet_engine *engine, const uint8_t seed[ESP_SEED],
                        struct esp_sealer **ret)
{
    struct esp_sealer *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->engine = engine;
    esp_random_seed(&s->random, seed);
    *ret = s;
    return ERR_OK;
}

void esp_sealer_free(struct esp_sealer *s)
{
    if (!s)
        return;
    esp_random_wipe(&s->random);
    free(s);
}

struct esp_stats esp_sealer_stats(const struct esp_sealer *s) { return esp_count_read(&s->stats); }

/* --- pass 1: which SA --- */

static bool flow_equal(const struct esp_flow *a, const struct esp_flow *b)
{
    return a->source == b->source && a->destination == b->destination &&
           a->source_port == b->source_port && a->destination_port == b->destination_port &&
           a->protocol == b->protocol && a->has_ports == b->has_ports;
}

static size_t flow_slot(const struct esp_flow *f)
{
    uint32_t h = f->source * 0x9e3779b1u ^ f->destination * 0x85ebca77u;
    h ^= ((uint32_t)f->source_port << 16 | f->destination_port) * 0xc2b2ae3du + f->protocol;
    return (h >> 15 ^ h) % FLOWS;
}

static enum esp_stat decide(struct esp_sealer *s, const struct esp_view *v,
                            const struct esp_flow *f, struct esp_sa **ret_sa)
{
    struct decision *d = &s->decisions[flow_slot(f)];
    if (d->serial != v->serial || !flow_equal(&d->flow, f)) {
        d->sa = NULL;
        d->flow = *f;
        d->serial = v->serial;
        d->verdict = esp_view_decide(v, f, &d->sa);
    }
    *ret_sa = d->sa;
    return d->verdict;
}

static enum esp_stat check_fit(const struct esp_packet *p)
{
    if (p->inner.total_len > p->sa->inner_max || p->at < ESP_HEADROOM)
        return ESP_OUT_TOO_BIG;
    return p->room - p->at < (uint32_t)p->inner.total_len + ESP_TAILROOM ? ESP_OUT_TOO_BIG
                                                                         : ESP_ENCRYPTED;
}

static void classify(struct esp_sealer *s, const struct esp_view *v, struct esp_packet *p,
                     instant_t now)
{
    p->sa = NULL;
    if (esp_inner_parse(bytes(esp_packet_data(p), p->len), &p->inner) != ERR_OK) {
        p->verdict = ESP_OUT_BAD_HEADER;
        return;
    }
    p->len = p->inner.total_len;
    esp_fragments_track(&s->fragments, &p->inner, now);
    p->verdict = decide(s, v, &p->inner.flow, &p->sa);
    if (p->verdict == ESP_ENCRYPTED)
        p->verdict = check_fit(p);
}

/* --- pass 2: header, trailer, IV --- */

/* RFC 4301 5.1.2.1 with the inner addresses instead of the gateways'; the traffic class is copied,
 * ECN with it (RFC 6040 4.1, normal mode). Options stay inside. */
static void write_outer(uint8_t *h, const struct esp_packet *p, size_t outer_len)
{
    const struct esp_sa *sa = p->sa;
    bool df = sa->df == ESP_DF_SET || (sa->df == ESP_DF_COPY && p->inner.df);
    h[0] = 0x45;
    h[1] = p->inner.tos;
    net_put16(h + 2, (uint16_t)outer_len);
    net_put16(h + 4, (uint16_t)(sa->sequence % UINT16_MAX + 1)); /* zero asks the kernel for one */
    net_put16(h + 6, df ? 0x4000 : 0);
    h[8] = OUTER_TTL;
    h[9] = IP_PROTO_ESP;
    net_put32(h + 12, p->inner.flow.source);
    net_put32(h + 16, p->inner.flow.destination);
    ipv4_write_checksum(h, IPV4_HEADER);
}

/* RFC 4303 2.4: octets 1, 2, 3 ..., then their number and what is inside. Returns the text's
 * length. */
static size_t write_trailer(uint8_t *text, size_t len, size_t align, uint8_t next)
{
    size_t pad = (align - (len + TRAILER) % align) % align;
    for (size_t i = 0; i < pad; i++)
        text[len + i] = (uint8_t)(i + 1);
    text[len + pad] = (uint8_t)pad;
    text[len + pad + 1] = next;
    return len + pad + TRAILER;
}

/* CBC: unpredictable. Counter modes: never twice under one key (RFC 4106 3.1). */
static void write_iv(struct esp_sealer *s, struct esp_sa *sa, uint8_t *iv)
{
    if (!sa->counter_mode) {
        esp_random_take(&s->random, iv, sa->iv_len);
        return;
    }
    sa->nonce++;
    net_put32(iv, (uint32_t)(sa->nonce >> 32));
    net_put32(iv + 4, (uint32_t)sa->nonce);
}

/* What is encrypted: the time stamp if the policy wants one, the inner packet, the trailer. */
static size_t write_text(uint8_t *text, const struct esp_sa *sa, size_t inner_len, instant_t now)
{
    size_t len = sa->stamp_len + inner_len;
    if (sa->clock)
        esp_stamp_write(text, esp_clock_read(sa->clock, now));
    return write_trailer(text, len, sa->align, sa->clock ? IP_PROTO_D3P : IP_PROTO_IPIP);
}

static void wrap(struct esp_sealer *s, struct esp_packet *p, struct packet_op *op, instant_t now)
{
    struct esp_sa *sa = p->sa;
    size_t inner_len = p->len;
    uint8_t *text = esp_packet_data(p) - sa->stamp_len;
    size_t text_len = write_text(text, sa, inner_len, now);
    uint8_t *iv = text - sa->iv_len, *esp = iv - ESP_HEADER, *outer = esp - IPV4_HEADER;

    sa->sequence++; /* wraps: a group has many senders, there is no counter check (RFC 4303 3.3.3)
                     */
    write_iv(s, sa, iv);
    net_put32(esp, sa->spi);
    net_put32(esp + 4, sa->sequence);
    p->at = (uint32_t)(outer - p->buffer);
    p->len = (uint32_t)(text + text_len + sa->icv_len - outer);
    write_outer(outer, p, p->len);
    *op = (struct packet_op){
        .key = sa->seal_key,
        .head = esp,
        .head_len = ESP_HEADER,
        .iv = iv,
        .text = text,
        .text_len = text_len,
        .icv = text + text_len,
    };
    esp_count_add(&sa->packets_out, 1);
    esp_count_add(&sa->bytes_out, inner_len);
    esp_count_add(&s->stats.n[ESP_ENCRYPTED_BYTES], inner_len);
}

void esp_seal(struct esp_sealer *s, const struct esp_view *v, struct esp_packet *p, size_t n,
              instant_t now)
{
    assert(n <= ESP_BATCH);
    for (size_t i = 0; i < n; i++)
        classify(s, v, &p[i], now);
    size_t n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i].verdict == ESP_ENCRYPTED)
            wrap(s, &p[i], &s->ops[n_ops++], now);
        esp_count(&s->stats, p[i].verdict);
    }
    packet_seal(s->engine, s->ops, n_ops);
}

/* --- ICMP "fragmentation needed" --- */

/* ICMP errors: unreachable, source quench, redirect, time exceeded, parameter problem. */
static bool is_icmp_error(const uint8_t *packet, const struct esp_inner *in)
{
    if (in->flow.protocol != IP_PROTO_ICMP || in->total_len <= in->header_len)
        return false;
    uint8_t type = packet[in->header_len];
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool may_answer(struct esp_sealer *s, const struct esp_packet *p, instant_t now)
{
    const struct esp_inner *in = &p->inner;
    if (p->verdict != ESP_OUT_TOO_BIG || !in->df || in->fragment_at != 0 ||
        ipv4_is_multicast(in->flow.destination) || is_icmp_error(esp_packet_data(p), in))
        return false;
    if (instant_since(now, s->too_big_since).ns >= NS_PER_S) {
        s->too_big_since = now;
        s->n_too_big = 0;
    }
    return s->n_too_big++ < ESP_TOO_BIG_PER_S;
}

static void write_icmp(uint8_t *icmp, const struct esp_packet *p, size_t quoted)
{
    icmp[0] = ICMP_UNREACHABLE;
    icmp[1] = ICMP_FRAGMENTATION_NEEDED;
    memset(icmp + 2, 0, 4);
    net_put16(icmp + 6, p->sa->inner_max);
    memcpy(icmp + ICMP_HEADER, esp_packet_data(p), quoted);
    net_put16(icmp + 2, inet_fold(inet_sum(icmp, ICMP_HEADER + quoted)));
}

size_t esp_too_big(struct esp_sealer *s, const struct esp_packet *p, uint32_t gateway,
                   instant_t now, uint8_t *out, size_t room)
{
    assert(room >= ESP_TOO_BIG_MAX);
    if (!may_answer(s, p, now))
        return 0;
    size_t quoted = (size_t)p->inner.header_len + 8;
    if (quoted > p->inner.total_len)
        quoted = p->inner.total_len;
    size_t len = (size_t)IPV4_HEADER + ICMP_HEADER + quoted;

    memset(out, 0, IPV4_HEADER);
    out[0] = 0x45;
    net_put16(out + 2, (uint16_t)len);
    out[8] = OUTER_TTL;
    out[9] = IP_PROTO_ICMP;
    net_put32(out + 12, gateway);
    net_put32(out + 16, p->inner.flow.source);
    ipv4_write_checksum(out, IPV4_HEADER);
    write_icmp(out + IPV4_HEADER, p, quoted);
    esp_count(&s->stats, ESP_TOO_BIG_ANSWERED);
    return len;
}

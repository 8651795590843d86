#include "esp/open.h"

#include "esp/count.h"

#include <assert.h>
#include <stdlib.h>

enum {
    TRAILER = 2,
    IP_PROTO_NONE = 59, /* RFC 4303 2.6: a dummy packet */
    ECN_NONE = 0,
    ECN_ECT1 = 1,
    ECN_ECT0 = 2,
};

/* One packet between the passes. */
struct work {
    struct esp_packet *p;
    const struct esp_held *held;
    struct packet_op op;
    uint8_t *inner; /* once decrypted, and what stands around it is taken off */
    size_t inner_len;
};

struct esp_opener {
    struct packet_engine *engine;
    struct packet_op ops[ESP_BATCH];
    struct work work[ESP_BATCH];
    struct esp_fragments fragments;
    struct esp_stats stats;
    uint64_t n_unknown;
    uint32_t unknown_spi;
};

enum err esp_opener_new(struct packet_engine *engine, struct esp_opener **ret)
{
    struct esp_opener *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->engine = engine;
    *ret = o;
    return ERR_OK;
}

void esp_opener_free(struct esp_opener *o) { free(o); }

struct esp_stats esp_opener_stats(const struct esp_opener *o) { return esp_count_read(&o->stats); }

struct esp_unknown esp_opener_unknown(const struct esp_opener *o)
{
    return (struct esp_unknown){
        .n = __atomic_load_n(&o->n_unknown, __ATOMIC_RELAXED),
        .spi = __atomic_load_n(&o->unknown_spi, __ATOMIC_RELAXED),
    };
}

/* --- pass 1: the outer header and the SA --- */

static void note_unknown(struct esp_opener *o, const struct esp_view *v, const struct esp_flow *f,
                         uint32_t spi)
{
    if (!esp_view_covers(v, f->source, f->destination))
        return;
    __atomic_store_n(&o->unknown_spi, spi, __ATOMIC_RELAXED);
    esp_count_add(&o->n_unknown, 1);
}

static enum esp_stat find_sa(struct esp_opener *o, const struct esp_view *v, struct work *w)
{
    struct esp_packet *p = w->p;
    if (esp_inner_parse(bytes(esp_packet_data(p), p->len), &p->inner) != ERR_OK ||
        p->inner.flow.protocol != IP_PROTO_ESP || esp_inner_is_fragment(&p->inner))
        return ESP_IN_BAD_HEADER;
    p->len = p->inner.total_len;
    if (p->len < (uint32_t)p->inner.header_len + ESP_HEADER)
        return ESP_IN_BAD_HEADER;
    const struct esp_flow *f = &p->inner.flow;
    uint32_t spi = net_u32(esp_packet_data(p) + p->inner.header_len);
    w->held = esp_view_find(v, spi, f->source, f->destination);
    if (!w->held) {
        note_unknown(o, v, f, spi);
        return ESP_IN_UNKNOWN_SPI;
    }
    p->sa = w->held->sa;
    return ESP_DECRYPTED;
}

/* --- pass 2: integrity and decryption --- */

static enum esp_stat prepare(struct work *w)
{
    struct esp_packet *p = w->p;
    const struct esp_sa *sa = p->sa;
    size_t esp_len = (size_t)p->len - p->inner.header_len;
    size_t around = (size_t)ESP_HEADER + sa->iv_len + sa->icv_len;
    if (esp_len < around + TRAILER)
        return ESP_IN_BAD_HEADER;
    size_t text_len = esp_len - around;
    if (text_len % sa->align != 0)
        return ESP_IN_DECRYPT;
    uint8_t *esp = esp_packet_data(p) + p->inner.header_len;
    uint8_t *text = esp + ESP_HEADER + sa->iv_len;
    w->op = (struct packet_op){
        .key = sa->open_key,
        .head = esp,
        .head_len = ESP_HEADER,
        .iv = esp + ESP_HEADER,
        .text = text,
        .text_len = text_len,
        .icv = text + text_len,
    };
    return ESP_DECRYPTED;
}

static void open_all(struct esp_opener *o, size_t n)
{
    size_t n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        if (o->work[i].p->verdict == ESP_DECRYPTED)
            o->ops[n_ops++] = o->work[i].op;
    }
    packet_open(o->engine, o->ops, n_ops);
    n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        if (o->work[i].p->verdict == ESP_DECRYPTED && !o->ops[n_ops++].ok)
            o->work[i].p->verdict = ESP_IN_AUTH;
    }
}

/* --- pass 3: trailer and time stamp --- */

/* RFC 4303 2.4: the padding is 1, 2, 3 ... and is checked. */
static bool padding_is_right(const uint8_t *text, size_t text_len, size_t pad)
{
    const uint8_t *first = text + text_len - TRAILER - pad;
    uint8_t wrong = 0;
    for (size_t i = 0; i < pad; i++)
        wrong |= (uint8_t)(first[i] ^ (i + 1));
    return wrong == 0;
}

/* draft-weis-delay-detection-03 3, tunnel mode: a packet without the header that the policy wants,
 * and one with a header that it does not want, MUST be discarded. */
static enum esp_stat take_stamp(struct work *w, instant_t now)
{
    const struct esp_sa *sa = w->p->sa;
    if (!sa->clock)
        return ESP_IN_STAMP_UNEXPECTED;
    enum esp_stat verdict =
        esp_stamp_check(w->inner, w->inner_len, esp_clock_read(sa->clock, now), sa->window_ms);
    if (verdict == ESP_DECRYPTED) {
        w->inner += ESP_STAMP;
        w->inner_len -= ESP_STAMP;
    }
    return verdict;
}

/* Leaves what should be an inner packet. */
static enum esp_stat take_trailer(struct work *w, instant_t now)
{
    const struct packet_op *op = &w->op;
    size_t pad = op->text[op->text_len - 2];
    if (pad + TRAILER > op->text_len || !padding_is_right(op->text, op->text_len, pad))
        return ESP_IN_TRAILER;
    w->inner = op->text;
    w->inner_len = op->text_len - TRAILER - pad;
    switch (op->text[op->text_len - 1]) {
    case IP_PROTO_IPIP:
        return w->p->sa->clock ? ESP_IN_STAMP_MISSING : ESP_DECRYPTED;
    case IP_PROTO_D3P:
        return take_stamp(w, now);
    case IP_PROTO_NONE:
        return ESP_IN_DUMMY;
    default:
        return ESP_IN_NEXT_HEADER;
    }
}

/* --- pass 4: the inner packet against the outer header and the policies --- */

/* RFC 6040 4.2, figure 4. */
static enum esp_stat combine_ecn(uint8_t *inner, size_t header_len, uint8_t outer_tos)
{
    uint8_t in = inner[1] & ECN_MASK, out = outer_tos & ECN_MASK;
    if (out == ECN_CE && in == ECN_NONE)
        return ESP_IN_CONGESTION;
    bool mark = in != ECN_NONE && (out == ECN_CE || (out == ECN_ECT1 && in == ECN_ECT0));
    if (mark && in != out && in != ECN_CE) {
        inner[1] = (uint8_t)((inner[1] & ~ECN_MASK) | out);
        ipv4_write_checksum(inner, header_len);
    }
    return ESP_DECRYPTED;
}

static enum esp_stat check_inner(struct esp_opener *o, const struct esp_view *v, struct work *w,
                                 instant_t now)
{
    struct esp_inner in;
    const struct esp_inner *outer = &w->p->inner;
    /* traffic flow confidentiality may have put octets behind the packet (RFC 4303 2.7) */
    if (esp_inner_parse(bytes(w->inner, w->inner_len), &in) != ERR_OK)
        return ESP_IN_INNER;
    if (in.flow.source != outer->flow.source || in.flow.destination != outer->flow.destination)
        return ESP_IN_ADDRESS;
    esp_fragments_track(&o->fragments, &in, now);
    if (!esp_view_allows(v, w->held, &in.flow))
        return ESP_IN_SELECTOR;
    enum esp_stat verdict = combine_ecn(w->inner, in.header_len, outer->tos);
    if (verdict == ESP_DECRYPTED)
        w->p->inner = in;
    return verdict;
}

static enum esp_stat unwrap(struct esp_opener *o, const struct esp_view *v, struct work *w,
                            instant_t now)
{
    enum esp_stat verdict = take_trailer(w, now);
    if (verdict == ESP_DECRYPTED)
        verdict = check_inner(o, v, w, now);
    if (verdict != ESP_DECRYPTED)
        return verdict;
    struct esp_packet *p = w->p;
    p->at = (uint32_t)(w->inner - p->buffer);
    p->len = p->inner.total_len;
    esp_count_add(&p->sa->packets_in, 1);
    esp_count_add(&p->sa->bytes_in, p->len);
    esp_count_add(&o->stats.n[ESP_DECRYPTED_BYTES], p->len);
    return ESP_DECRYPTED;
}

void esp_open(struct esp_opener *o, const struct esp_view *v, struct esp_packet *p, size_t n,
              instant_t now)
{
    assert(n <= ESP_BATCH);
    for (size_t i = 0; i < n; i++) {
        struct work *w = &o->work[i];
        *w = (struct work){.p = &p[i]};
        p[i].sa = NULL;
        p[i].verdict = find_sa(o, v, w);
        if (p[i].verdict == ESP_DECRYPTED)
            p[i].verdict = prepare(w);
    }
    open_all(o, n);
    for (size_t i = 0; i < n; i++) {
        if (p[i].verdict == ESP_DECRYPTED)
            p[i].verdict = unwrap(o, v, &o->work[i], now);
        esp_count(&o->stats, p[i].verdict);
    }
}

/* A whole ISAKMP message in clear: every rule table gives a verdict, and every payload that its
 * codec accepts is written again as it was read. */
#include "fuzz/fuzz.h"
#include "gdoi/shape.h"
#include "ike1/payload.h"
#include "ike1/sa.h"

#include <stdlib.h>

enum { LARGEST_BLOCK = 16 };

static uint8_t out[UINT16_MAX + 1];

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct chain_wr begin(struct wr *w)
{
    *w = wr_of(out, sizeof out);
    wr_u8(w, 0);
    return chain_first(w, 0);
}

static void demand_body(const struct wr *w, struct bytes body)
{
    const size_t head = 1 + CHAIN_HEADER;
    demand(wr_end(w) == ERR_OK);
    demand(bytes_equal(bytes(w->data + head, w->len - head), body));
}

static bool is_verdict(enum err e)
{
    return e == ERR_OK || e == ERR_TYPE || e == ERR_ORDER || e == ERR_MISSING || e == ERR_TOO_MANY;
}

static void try_shapes(const struct chain *c)
{
    uint8_t payload = 0;

    for (unsigned m = 0; m < IKE1_MESSAGE_COUNT; m++)
        demand(is_verdict(ike1_shape_check(ike1_shape_of(m), c, &payload)));
    for (unsigned m = 0; m < GDOI_MESSAGE_COUNT; m++)
        demand(is_verdict(gdoi_shape_check(m, c, &payload)));
}

static void try_transform(struct bytes attributes)
{
    struct ike1_phase1 p, again;
    uint8_t buffer[64];
    struct wr w = wr_of(buffer, sizeof buffer);

    if (ike1_phase1_parse(attributes, &p) != ERR_OK)
        return;
    ike1_phase1_write(&w, &p);
    demand(wr_end(&w) == ERR_OK && ike1_phase1_parse(wr_bytes(&w), &again) == ERR_OK);
    demand(ike1_phase1_same_algorithms(&p, &again));
    demand(p.life.has_seconds == again.life.has_seconds && p.life.seconds == again.life.seconds);
    demand(p.life.has_kilobytes == again.life.has_kilobytes &&
           p.life.kilobytes == again.life.kilobytes);
}

/* Reserved octets are not checked on reading, so what was written is compared with what is written
 * after it was read once more. */
static void try_sa(struct bytes body)
{
    static uint8_t first[UINT16_MAX + 1];
    static struct ike1_sa sa;
    struct wr w;

    if (ike1_sa_parse(body, &sa) != ERR_OK)
        return;
    for (size_t i = 0; i < sa.n_transforms; i++)
        try_transform(sa.transforms[i].attributes);
    struct chain_wr c = begin(&w);
    ike1_sa_write(&c, &sa);
    const size_t head = 1 + CHAIN_HEADER;
    demand(wr_end(&w) == ERR_OK && w.len == head + body.len);
    memcpy(first, out + head, body.len);
    demand(ike1_sa_parse(bytes(first, body.len), &sa) == ERR_OK);
    c = begin(&w);
    ike1_sa_write(&c, &sa);
    demand_body(&w, bytes(first, body.len));
}

static void try_id(struct bytes body)
{
    struct ike1_id id;
    char text[IKE1_ID_TEXT_MAX];
    struct wr w;

    if (ike1_id_parse(body, &id) != ERR_OK)
        return;
    demand(strlen(ike1_id_text(&id, text, sizeof text)) < sizeof text);
    struct chain_wr c = begin(&w);
    ike1_id_write(&c, &id);
    demand_body(&w, body);
}

static void try_notify(struct bytes body)
{
    struct ike1_notify n;
    struct wr w;

    if (ike1_notify_parse(body, &n) != ERR_OK)
        return;
    struct chain_wr c = begin(&w);
    ike1_notify_write(&c, &n);
    demand_body(&w, body);
}

static void try_delete(struct bytes body)
{
    struct ike1_delete d;
    struct wr w;

    if (ike1_delete_parse(body, &d) != ERR_OK)
        return;
    for (size_t i = 0; i < d.n_spis; i++)
        demand(ike1_delete_spi(&d, i).len == d.spi_size);
    struct chain_wr c = begin(&w);
    ike1_delete_write(&c, &d);
    demand_body(&w, body);
}

static void try_cert(uint8_t type, struct bytes body)
{
    struct ike1_cert cert;
    struct wr w;

    if (ike1_cert_parse(body, &cert) != ERR_OK)
        return;
    struct chain_wr c = begin(&w);
    ike1_cert_write(&c, type, &cert);
    demand_body(&w, body);
}

static void try_payload(const struct chain_payload *p)
{
    struct bytes data;

    switch (p->type) {
    case IKE1_PAYLOAD_SA:
        try_sa(p->body);
        break;
    case IKE1_PAYLOAD_ID:
        try_id(p->body);
        break;
    case IKE1_PAYLOAD_N:
        try_notify(p->body);
        break;
    case IKE1_PAYLOAD_D:
        try_delete(p->body);
        break;
    case IKE1_PAYLOAD_CERT:
    case IKE1_PAYLOAD_CR:
        try_cert(p->type, p->body);
        break;
    default:
        if (ike1_data_parse(p->type, p->body, &data) == ERR_OK)
            demand(bytes_equal(data, p->body));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes datagram = bytes(data, size);
    struct ike1_header h;
    struct chain c;

    if (ike1_header_parse(datagram, &h) != ERR_OK ||
        ike1_payloads_parse(datagram, h.next_payload, LARGEST_BLOCK, &c) != ERR_OK)
        return 0;
    demand(size - IKE1_HEADER - c.len < LARGEST_BLOCK);
    demand(ike1_chain_before(&c, c.n).len == c.len);
    try_shapes(&c);
    for (size_t i = 0; i < c.n; i++)
        try_payload(&c.p[i]);
    return 0;
}

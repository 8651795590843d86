#include "server/rows_wire.h"

/* Further away no instant of a server can be: 146 years from the start of its clock. */
#define INSTANT_FAR (INT64_MAX / 2)

void row_put_head(struct wr *w) { wr_u8(w, ROW_VERSION); }

void row_put_bytes(struct wr *w, struct bytes b)
{
    size_t mark = wr_open16(w);

    wr_put(w, b);
    wr_close16(w, mark, 0);
}

void row_put_name(struct wr *w, const char *name)
{
    row_put_bytes(w, name ? bytes_str(name) : bytes(NULL, 0));
}

void row_put_instant(struct wr *w, instant_t at) { wr_u64(w, (uint64_t)at.ns); }

static size_t ip_len(uint8_t version) { return version == 4 ? 4 : version == 6 ? 16 : 0; }

void row_put_ip(struct wr *w, struct ip ip)
{
    wr_u8(w, ip.version);
    wr_put(w, bytes(ip.b, ip_len(ip.version)));
}

void row_get_head(struct rd *r)
{
    if (rd_u8(r) != ROW_VERSION)
        rd_fail(r, ERR_VERSION);
}

struct bytes row_get_bytes(struct rd *r, size_t min, size_t max)
{
    struct bytes b = rd_take(r, rd_u16(r));

    if (b.len < min || b.len > max)
        rd_fail(r, ERR_LENGTH);
    return r->err ? bytes(NULL, 0) : b;
}

const char *row_get_name_or_null(struct rd *r, struct arena *a)
{
    struct bytes b = row_get_bytes(r, 0, ROW_NAME_MAX);

    row_demand(r, b.len == 0 || !memchr(b.data, '\0', b.len));
    if (b.len == 0 || r->err)
        return NULL;
    return arena_text(a, "%.*s", (int)b.len, (const char *)b.data);
}

const char *row_get_name(struct rd *r, struct arena *a)
{
    const char *name = row_get_name_or_null(r, a);

    row_demand(r, name);
    return name;
}

instant_t row_get_instant(struct rd *r)
{
    instant_t at = {(int64_t)rd_u64(r)};

    row_demand(r, at.ns > -INSTANT_FAR && at.ns < INSTANT_FAR);
    return at;
}

struct ip row_get_ip(struct rd *r)
{
    struct ip ip = {.version = rd_u8(r)};
    struct bytes b = rd_take(r, ip_len(ip.version));

    row_demand(r, ip.version == 0 || b.len > 0);
    if (r->err)
        return IP_NONE;
    memcpy(ip.b, b.data, b.len);
    return ip;
}

bool row_get_bool(struct rd *r)
{
    uint8_t b = rd_u8(r);

    row_demand(r, b <= 1);
    return b == 1;
}

uint32_t row_get_group_id(struct rd *r)
{
    uint32_t id = rd_u32(r);

    row_demand(r, id > 0);
    return id;
}

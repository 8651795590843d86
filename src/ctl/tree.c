#include "ctl/tree.h"
#include "wire/rd.h"

#include <assert.h>

static_assert(CTL_DEPTH_MAX <= 32, "one bit for each level in ctl_wr.lists");

/* ---- writing ---- */

static bool in_list(const struct ctl_wr *w) { return w->lists >> w->depth & 1; }

static void put_u8(struct ctl_wr *w, uint8_t v) { ctl_buf_put(&w->buf, bytes(&v, 1)); }

static void put_number(struct ctl_wr *w, uint64_t v, unsigned n_octets)
{
    for (unsigned i = n_octets; i-- > 0;)
        put_u8(w, (uint8_t)(v >> (8 * i)));
}

static bool is_name_octet(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_name(struct bytes name)
{
    if (name.len == 0 || name.len > CTL_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_octet(name.data[i]))
            return false;
    }
    return name.data[0] >= 'a'; /* so that it also is an XML name */
}

static void put_head(struct ctl_wr *w, enum ctl_type type, const char *name)
{
    assert(in_list(w) == (name == NULL));
    put_u8(w, (uint8_t)type);
    if (name) {
        struct bytes b = bytes_str(name);
        assert(is_name(b));
        put_u8(w, (uint8_t)b.len);
        ctl_buf_put(&w->buf, b);
    }
}

static void put_octets(struct ctl_wr *w, enum ctl_type type, const char *name, struct bytes b)
{
    if (b.len > CTL_VALUE_MAX)
        b.len = CTL_VALUE_MAX;
    put_head(w, type, name);
    put_number(w, b.len, 4);
    ctl_buf_put(&w->buf, b);
}

static void open_block(struct ctl_wr *w, enum ctl_type type, const char *name)
{
    put_head(w, type, name);
    w->depth++;
    assert(w->depth < CTL_DEPTH_MAX);
    w->lists &= ~(UINT32_C(1) << w->depth);
    if (type == CTL_LIST)
        w->lists |= UINT32_C(1) << w->depth;
}

void ctl_section(struct ctl_wr *w, const char *name) { open_block(w, CTL_SECTION, name); }
void ctl_list(struct ctl_wr *w, const char *name) { open_block(w, CTL_LIST, name); }

void ctl_end(struct ctl_wr *w)
{
    assert(w->depth > 0);
    w->depth--;
    put_u8(w, CTL_END);
}

void ctl_put_text(struct ctl_wr *w, const char *name, struct bytes text)
{
    const void *nul = text.len ? memchr(text.data, 0, text.len) : NULL;
    if (nul)
        text.len = (size_t)((const uint8_t *)nul - text.data);
    put_octets(w, CTL_TEXT, name, text);
}

void ctl_put_str(struct ctl_wr *w, const char *name, const char *text)
{
    if (text)
        put_octets(w, CTL_TEXT, name, bytes_str(text));
}

void ctl_put_u64(struct ctl_wr *w, const char *name, uint64_t value)
{
    put_head(w, CTL_U64, name);
    put_number(w, value, 8);
}

void ctl_put_bool(struct ctl_wr *w, const char *name, bool value)
{
    put_head(w, CTL_BOOL, name);
    put_u8(w, value);
}

void ctl_put_bytes(struct ctl_wr *w, const char *name, struct bytes value)
{
    put_octets(w, CTL_BYTES, name, value);
}

static size_t ip_octets(uint8_t version) { return version == 4 ? 4 : version == 6 ? 16 : 0; }

static void put_ip(struct ctl_wr *w, struct ip ip)
{
    put_u8(w, ip.version);
    ctl_buf_put(&w->buf, bytes(ip.b, ip_octets(ip.version)));
}

void ctl_put_ip(struct ctl_wr *w, const char *name, struct ip ip)
{
    put_head(w, CTL_IP, name);
    put_ip(w, ip);
}

void ctl_put_endpoint(struct ctl_wr *w, const char *name, struct endpoint endpoint)
{
    put_head(w, CTL_ENDPOINT, name);
    put_ip(w, endpoint.ip);
    put_number(w, endpoint.port, 2);
}

void ctl_put_prefix(struct ctl_wr *w, const char *name, struct prefix prefix)
{
    put_head(w, CTL_PREFIX, name);
    put_ip(w, prefix.ip);
    put_u8(w, prefix.len);
}

void ctl_put_time(struct ctl_wr *w, const char *name, wall_t time)
{
    put_head(w, CTL_TIME, name);
    put_number(w, (uint64_t)time.s, 8);
}

enum err ctl_wr_end(const struct ctl_wr *w)
{
    assert(w->depth == 0);
    return w->buf.err;
}

static void put_node(struct ctl_wr *w, const struct ctl_node *n)
{
    switch (n->type) {
    case CTL_SECTION:
    case CTL_LIST:
        open_block(w, n->type, n->name);
        ctl_put_tree(w, n);
        ctl_end(w);
        return;
    case CTL_TEXT:
    case CTL_BYTES:
        put_octets(w, n->type, n->name, n->bytes);
        return;
    case CTL_U64:
        ctl_put_u64(w, n->name, n->u64);
        return;
    case CTL_BOOL:
        ctl_put_bool(w, n->name, n->truth);
        return;
    case CTL_IP:
        ctl_put_ip(w, n->name, n->ip);
        return;
    case CTL_ENDPOINT:
        ctl_put_endpoint(w, n->name, n->endpoint);
        return;
    case CTL_PREFIX:
        ctl_put_prefix(w, n->name, n->prefix);
        return;
    case CTL_TIME:
        ctl_put_time(w, n->name, n->time);
        return;
    case CTL_END:
    case CTL_TYPE_COUNT:
        break;
    }
    assert(!"a node of a type that does not exist");
}

void ctl_put_tree(struct ctl_wr *w, const struct ctl_node *root)
{
    for (const struct ctl_node *n = root->first; n; n = n->next)
        put_node(w, n);
}

/* ---- reading ---- */

/* Where the reader stands: the open blocks, and the last child of each. */
struct reader {
    struct arena *arena;
    struct rd rd;
    unsigned depth;
    struct ctl_node *open[CTL_DEPTH_MAX], *last[CTL_DEPTH_MAX];
};

static const char *read_name(struct reader *r)
{
    struct bytes name = rd_take(&r->rd, rd_u8(&r->rd));

    if (r->rd.err)
        return NULL;
    if (name.len > CTL_NAME_MAX)
        rd_fail(&r->rd, ERR_LENGTH);
    else if (!is_name(name))
        rd_fail(&r->rd, ERR_VALUE);
    if (r->rd.err)
        return NULL;
    const char *text = arena_text(r->arena, "%.*s", (int)name.len, name.data);
    if (ctl_find(r->open[r->depth], text))
        rd_fail(&r->rd, ERR_DUPLICATE);
    return text;
}

static struct bytes read_octets(struct reader *r, bool is_text)
{
    uint32_t len = rd_u32(&r->rd);

    if (len > CTL_VALUE_MAX)
        rd_fail(&r->rd, ERR_LENGTH);
    struct bytes b = rd_take(&r->rd, len);
    if (is_text && b.len > 0 && memchr(b.data, 0, b.len))
        rd_fail(&r->rd, ERR_VALUE);
    if (r->rd.err)
        return bytes(NULL, 0);
    uint8_t *copy = arena_alloc(r->arena, b.len + 1);
    if (b.len > 0)
        memcpy(copy, b.data, b.len);
    return bytes(copy, b.len);
}

static struct ip read_ip(struct reader *r)
{
    struct ip ip = {.version = rd_u8(&r->rd)};
    size_t n = ip_octets(ip.version);

    if (n == 0 && ip.version != 0)
        rd_fail(&r->rd, ERR_VALUE);
    struct bytes b = rd_take(&r->rd, n);
    if (b.len > 0)
        memcpy(ip.b, b.data, b.len);
    return ip;
}

static struct prefix read_prefix(struct reader *r)
{
    struct prefix p = {read_ip(r), 0};

    p.len = rd_u8(&r->rd);
    if (r->rd.err)
        return p;
    if (p.len > 8 * ip_octets(p.ip.version) ||
        (p.ip.version != 0 && !ip_equal(prefix_of(p.ip, p.len).ip, p.ip)))
        rd_fail(&r->rd, ERR_VALUE);
    return p;
}

static bool read_bool(struct reader *r)
{
    uint8_t v = rd_u8(&r->rd);
    if (v > 1)
        rd_fail(&r->rd, ERR_VALUE);
    return v == 1;
}

static void read_value(struct reader *r, struct ctl_node *n)
{
    switch (n->type) {
    case CTL_TEXT:
    case CTL_BYTES:
        n->bytes = read_octets(r, n->type == CTL_TEXT);
        return;
    case CTL_U64:
        n->u64 = rd_u64(&r->rd);
        return;
    case CTL_BOOL:
        n->truth = read_bool(r);
        return;
    case CTL_IP:
        n->ip = read_ip(r);
        return;
    case CTL_ENDPOINT:
        n->endpoint.ip = read_ip(r);
        n->endpoint.port = rd_u16(&r->rd);
        return;
    case CTL_PREFIX:
        n->prefix = read_prefix(r);
        return;
    case CTL_TIME:
        n->time.s = (int64_t)rd_u64(&r->rd);
        return;
    case CTL_SECTION:
    case CTL_LIST:
    case CTL_END:
    case CTL_TYPE_COUNT:
        break;
    }
}

static void add_child(struct reader *r, struct ctl_node *n)
{
    struct ctl_node *parent = r->open[r->depth], *last = r->last[r->depth];

    *(last ? &last->next : &parent->first) = n;
    r->last[r->depth] = n;
    parent->n++;
}

static void push(struct reader *r, struct ctl_node *block)
{
    if (r->depth + 1 >= CTL_DEPTH_MAX) {
        rd_fail(&r->rd, ERR_LIMIT);
        return;
    }
    r->depth++;
    r->open[r->depth] = block;
    r->last[r->depth] = NULL;
}

static void read_item(struct reader *r)
{
    const struct ctl_node *parent = r->open[r->depth];
    uint8_t type = rd_u8(&r->rd);

    if (type == CTL_END && r->depth > 0) {
        r->depth--;
        return;
    }
    if (type == CTL_END || type >= CTL_TYPE_COUNT) {
        rd_fail(&r->rd, ERR_TYPE);
        return;
    }
    if (parent->type == CTL_SECTION && parent->n == CTL_SECTION_MAX) {
        rd_fail(&r->rd, ERR_TOO_MANY);
        return;
    }
    struct ctl_node *n = arena_alloc(r->arena, sizeof *n);
    n->type = (enum ctl_type)type;
    n->name = parent->type == CTL_SECTION ? read_name(r) : NULL;
    read_value(r, n);
    if (r->rd.err)
        return;
    add_child(r, n);
    if (type == CTL_SECTION || type == CTL_LIST)
        push(r, n);
}

enum err ctl_tree_parse(struct arena *arena, struct bytes in, struct ctl_node **ret_root)
{
    struct ctl_node *root = arena_alloc(arena, sizeof *root);
    struct reader r = {.arena = arena, .rd = rd_of(in), .open[0] = root};

    root->type = CTL_SECTION;
    while (rd_left(&r.rd) > 0)
        read_item(&r);
    if (r.depth > 0)
        rd_fail(&r.rd, ERR_SHORT);
    enum err e = rd_end(&r.rd);
    if (e == ERR_OK)
        *ret_root = root;
    return e;
}

/* ---- looking around ---- */

const struct ctl_node *ctl_find(const struct ctl_node *section, const char *name)
{
    if (!section || section->type != CTL_SECTION)
        return NULL;
    for (const struct ctl_node *n = section->first; n; n = n->next) {
        if (strcmp(n->name, name) == 0)
            return n;
    }
    return NULL;
}

static const struct ctl_node *find_typed(const struct ctl_node *s, const char *name,
                                         enum ctl_type type)
{
    const struct ctl_node *n = ctl_find(s, name);
    return n && n->type == type ? n : NULL;
}

const char *ctl_find_text(const struct ctl_node *section, const char *name)
{
    const struct ctl_node *n = find_typed(section, name, CTL_TEXT);
    return n ? (const char *)n->bytes.data : NULL;
}

uint64_t ctl_find_u64(const struct ctl_node *section, const char *name)
{
    const struct ctl_node *n = find_typed(section, name, CTL_U64);
    return n ? n->u64 : 0;
}

bool ctl_find_bool(const struct ctl_node *section, const char *name)
{
    const struct ctl_node *n = find_typed(section, name, CTL_BOOL);
    return n && n->truth;
}

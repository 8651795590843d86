#include "base/events.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *meaning;
    enum event_level level;
} table[EVENT_COUNT] = {
#define X(id, txt, lvl, what) [id] = {txt, what, EVENT_##lvl},
    EVENT_LIST(X)
#undef X
};

const char *event_name(enum event_id id) { return table[id].name; }
const char *event_meaning(enum event_id id) { return table[id].meaning; }
enum event_level event_level(enum event_id id) { return table[id].level; }

const char *event_level_name(enum event_level level)
{
    static const char *const name[] = {"debug", "info", "notice", "warning", "error"};
    assert(level < ARRAY_LEN(name));
    return name[level];
}

struct event event_of(enum event_id id) { return (struct event){.id = id}; }

static struct event_field *add(struct event *e, const char *key, enum event_kind kind)
{
    if (e->n_fields == EVENT_FIELDS_MAX)
        return NULL;
    struct event_field *f = &e->fields[e->n_fields++];
    *f = (struct event_field){.key = key, .kind = kind, .at = e->used};
    return f;
}

static void add_octets(struct event *e, const char *key, enum event_kind kind, struct bytes b)
{
    struct event_field *f = add(e, key, kind);
    if (!f)
        return;
    size_t room = sizeof e->text - e->used;
    f->len = (uint16_t)(b.len < room ? b.len : room);
    if (f->len > 0)
        memcpy(e->text + f->at, b.data, f->len);
    e->used = (uint16_t)(e->used + f->len);
}

void event_add_u64(struct event *e, const char *key, uint64_t value)
{
    struct event_field *f = add(e, key, EVENT_U64);
    if (f)
        f->u64 = value;
}

void event_add_text(struct event *e, const char *key, struct bytes text)
{
    add_octets(e, key, EVENT_TEXT, text);
}

void event_add_str(struct event *e, const char *key, const char *text)
{
    if (text)
        add_octets(e, key, EVENT_TEXT, bytes_str(text));
}

void event_add_fmt(struct event *e, const char *key, const char *fmt, ...)
{
    char line[EVENT_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    assert(n >= 0);
    size_t len = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    add_octets(e, key, EVENT_TEXT, bytes(line, len));
}

void event_add_hex(struct event *e, const char *key, struct bytes value)
{
    add_octets(e, key, EVENT_HEX, value);
}

void event_add_ip(struct event *e, const char *key, struct ip ip)
{
    char text[IP_TEXT_MAX];
    event_add_str(e, key, ip_text(ip, text, sizeof text));
}

void event_add_endpoint(struct event *e, const char *key, struct endpoint ep)
{
    char text[ENDPOINT_TEXT_MAX];
    event_add_str(e, key, endpoint_text(ep, text, sizeof text));
}

void event_add_err(struct event *e, enum err err)
{
    event_add_str(e, "error", err_name(err));
    event_add_str(e, "reason", err_text(err));
}

struct bytes event_find_text(const struct event *e, const char *key)
{
    for (size_t i = 0; i < e->n_fields; i++) {
        const struct event_field *f = &e->fields[i];
        if (f->kind == EVENT_TEXT && strcmp(f->key, key) == 0)
            return bytes(e->text + f->at, f->len);
    }
    return bytes(NULL, 0);
}

/* Output that is cut at its end, never overrun. */
struct line {
    char *out;
    size_t room, at;
};

static void put(struct line *l, char c)
{
    if (l->at + 1 < l->room)
        l->out[l->at++] = c;
}

static void put_str(struct line *l, const char *s)
{
    while (*s)
        put(l, *s++);
}

static bool is_plain(uint8_t c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '='; }

static void put_text(struct line *l, struct bytes text)
{
    bool quote = text.len == 0;
    char hex[5];

    for (size_t i = 0; i < text.len; i++)
        quote = quote || !is_plain(text.data[i]);
    if (quote)
        put(l, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            put(l, '\\');
            put(l, (char)c);
        } else if (c < ' ' || c >= 0x7f) {
            snprintf(hex, sizeof hex, "\\x%02x", c);
            put_str(l, hex);
        } else {
            put(l, (char)c);
        }
    }
    if (quote)
        put(l, '"');
}

char *event_line(const struct event *e, char *out, size_t room)
{
    struct line l = {out, room, 0};
    char number[2 * EVENT_TEXT_MAX + 1];

    assert(room > 0);
    put_str(&l, event_name(e->id));
    for (size_t i = 0; i < e->n_fields; i++) {
        const struct event_field *f = &e->fields[i];
        struct bytes b = bytes(e->text + f->at, f->len);
        put(&l, ' ');
        put_str(&l, f->key);
        put(&l, '=');
        if (f->kind == EVENT_TEXT)
            put_text(&l, b);
        else if (f->kind == EVENT_HEX)
            put_str(&l, bytes_hex(b, number, sizeof number));
        else {
            snprintf(number, sizeof number, "%llu", (unsigned long long)f->u64);
            put_str(&l, number);
        }
    }
    out[l.at] = '\0';
    return out;
}

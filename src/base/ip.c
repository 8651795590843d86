#include "base/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static unsigned ip_bits(struct ip a) { return a.version == 6 ? 128 : 32; }

bool ip_equal(struct ip a, struct ip b)
{
    return a.version == b.version && __builtin_memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool ip_is_any(struct ip a)
{
    static const uint8_t zero[16];
    return __builtin_memcmp(a.b, zero, sizeof zero) == 0;
}

bool ip_is_multicast(struct ip a)
{
    return a.version == 6 ? a.b[0] == 0xff : a.version == 4 && a.b[0] >> 4 == 14;
}

bool endpoint_equal(struct endpoint a, struct endpoint b)
{
    return a.port == b.port && ip_equal(a.ip, b.ip);
}

bool prefix_equal(struct prefix a, struct prefix b)
{
    return a.len == b.len && ip_equal(a.ip, b.ip);
}

struct ip prefix_mask(struct prefix p)
{
    struct ip mask = {.version = p.ip.version};
    for (unsigned i = 0; i < p.len; i++)
        mask.b[i / 8] |= (uint8_t)(0x80u >> i % 8);
    return mask;
}

struct prefix prefix_of(struct ip a, uint8_t len)
{
    assert(len <= ip_bits(a));
    struct prefix p = {.ip = a, .len = len};
    struct ip mask = prefix_mask(p);
    for (size_t i = 0; i < sizeof p.ip.b; i++)
        p.ip.b[i] &= mask.b[i];
    return p;
}

bool prefix_of_mask(struct ip a, struct ip mask, struct prefix *ret)
{
    unsigned len = 0, bits = ip_bits(a);

    if (a.version != mask.version)
        return false;
    while (len < bits && (mask.b[len / 8] >> (7 - len % 8) & 1))
        len++;
    for (unsigned i = len; i < bits; i++) {
        if (mask.b[i / 8] >> (7 - i % 8) & 1)
            return false;
    }
    *ret = prefix_of(a, (uint8_t)len);
    return true;
}

bool prefix_contains(struct prefix p, struct ip a)
{
    return p.ip.version == a.version && ip_equal(prefix_of(a, p.len).ip, p.ip);
}

bool prefix_covers(struct prefix outer, struct prefix inner)
{
    return outer.len <= inner.len && prefix_contains(outer, inner.ip);
}

bool prefix_overlaps(struct prefix a, struct prefix b)
{
    return prefix_covers(a, b) || prefix_covers(b, a);
}

bool ip_parse(const char *text, struct ip *ret)
{
    struct ip a = {0};

    if (inet_pton(AF_INET, text, a.b) == 1)
        a.version = 4;
    else if (inet_pton(AF_INET6, text, a.b) == 1)
        a.version = 6;
    else
        return false;
    *ret = a;
    return true;
}

static bool parse_len(const char *text, unsigned max, uint8_t *ret)
{
    unsigned n = 0, digits = 0;

    for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
        n = n * 10 + (unsigned)(*text - '0');
    if (digits == 0 || *text != '\0' || n > max)
        return false;
    *ret = (uint8_t)n;
    return true;
}

bool prefix_parse(const char *text, bool allow_host_bits, struct prefix *ret)
{
    char head[IP_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    struct ip a;
    uint8_t len;

    if (n >= sizeof head)
        return false;
    memcpy(head, text, n);
    head[n] = '\0';
    if (!ip_parse(head, &a))
        return false;
    if (!slash)
        len = (uint8_t)(ip_is_any(a) ? 0 : ip_bits(a));
    else if (!parse_len(slash + 1, ip_bits(a), &len))
        return false;
    struct prefix p = prefix_of(a, len);
    if (!allow_host_bits && !ip_equal(p.ip, a))
        return false;
    *ret = p;
    return true;
}

char *ip_text(struct ip a, char *out, size_t room)
{
    if (a.version == 0 ||
        !inet_ntop(a.version == 6 ? AF_INET6 : AF_INET, a.b, out, (socklen_t)room))
        snprintf(out, room, "-");
    return out;
}

char *endpoint_text(struct endpoint e, char *out, size_t room)
{
    char host[IP_TEXT_MAX];
    snprintf(out, room, e.ip.version == 6 ? "[%s]:%u" : "%s:%u", ip_text(e.ip, host, sizeof host),
             e.port);
    return out;
}

char *prefix_text(struct prefix p, char *out, size_t room)
{
    char host[IP_TEXT_MAX];
    snprintf(out, room, "%s/%u", ip_text(p.ip, host, sizeof host), p.len);
    return out;
}

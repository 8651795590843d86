#pragma once
/* Addresses, ports and prefixes. IPv4 is what runs today; every field has room for IPv6. */
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_TEXT_MAX = 46, ENDPOINT_TEXT_MAX = 54, PREFIX_TEXT_MAX = 50 };
enum {
    INTERFACE_NAME_MAX = 64,        /* octets of an interface's name in a statement */
    INTERFACE_DEVICE_NAME_MAX = 15, /* ... of one that Linux can have: IFNAMSIZ, without its end */
};

struct ip {
    uint8_t version; /* 4, 6, or 0 = none */
    uint8_t b[16];   /* network order; IPv4 in the first four, the rest zero */
};
struct endpoint {
    struct ip ip;
    uint16_t port; /* host order */
};
struct prefix {
    struct ip ip; /* host bits are zero */
    uint8_t len;
};

#define IP_NONE ((struct ip){0})

static inline struct ip ip_v4(uint32_t host_order)
{
    return (struct ip){4,
                       {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
                        (uint8_t)(host_order >> 8), (uint8_t)host_order}};
}
static inline uint32_t ip_v4_u32(struct ip a)
{
    return (uint32_t)a.b[0] << 24 | (uint32_t)a.b[1] << 16 | (uint32_t)a.b[2] << 8 | a.b[3];
}
bool ip_equal(struct ip a, struct ip b);
bool ip_is_any(struct ip a); /* none, or all octets zero */
bool ip_is_multicast(struct ip a);
bool endpoint_equal(struct endpoint a, struct endpoint b);

bool prefix_equal(struct prefix a, struct prefix b);
bool prefix_contains(struct prefix p, struct ip a);
bool prefix_covers(struct prefix outer, struct prefix inner);
bool prefix_overlaps(struct prefix a, struct prefix b);
/* The prefix of that length around a; host bits are cleared. len must fit the version. */
struct prefix prefix_of(struct ip a, uint8_t len);
/* From an address and a mask; false if the mask has holes. IPv4 and IPv6. */
bool prefix_of_mask(struct ip a, struct ip mask, struct prefix *ret);
struct ip prefix_mask(struct prefix p);

/* Strict text forms; false leaves *ret untouched. A prefix without "/len" is an address's /32
 * (/128), but a bare 0.0.0.0 is 0.0.0.0/0, as Junos reads it. Host bits must be zero unless
 * allow_host_bits. */
MUST_USE bool ip_parse(const char *text, struct ip *ret);
MUST_USE bool prefix_parse(const char *text, bool allow_host_bits, struct prefix *ret);
/* Into out (at least the matching *_TEXT_MAX octets), NUL-terminated; return out. */
char *ip_text(struct ip a, char *out, size_t room);
char *endpoint_text(struct endpoint e, char *out, size_t room);
char *prefix_text(struct prefix p, char *out, size_t room);

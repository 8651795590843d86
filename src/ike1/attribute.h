#pragma once
/* Data attributes (RFC 2408 3.3): TV is type and a 16-bit value, TLV type, length and octets. */
#include "wire/rd.h"
#include "wire/wr.h"

enum { IKE1_ATTRIBUTES_MAX = 16, IKE1_ATTRIBUTE_TV = 0x8000 };

struct ike1_attribute {
    uint16_t type;      /* without the format bit */
    bool tv;            /* how it came */
    struct bytes value; /* two octets when tv */
};
struct ike1_attributes {
    size_t n;
    struct ike1_attribute a[IKE1_ATTRIBUTES_MAX];
};

/* What a payload may hold, as data. */
enum ike1_attribute_form { IKE1_FORM_B, IKE1_FORM_V };
struct ike1_attribute_rule {
    uint16_t type;
    enum ike1_attribute_form form;
    bool repeats;
};

/* The next attribute; *ret is untouched when *r fails: ERR_SHORT, or ERR_ATTRIBUTE for type 0. */
void ike1_attribute_read(struct rd *r, struct ike1_attribute *ret);
/* Reads all attributes of `in`. ERR_SHORT on truncation; ERR_ATTRIBUTE for type 0, a type without a
 * rule, or a basic attribute as TLV (RFC 2409 appendix A; a variable one may come as TV);
 * ERR_DUPLICATE; ERR_TOO_MANY. */
MUST_USE enum err ike1_attributes_parse(struct bytes in, const struct ike1_attribute_rule *rules,
                                        size_t n_rules, struct ike1_attributes *ret);
/* The first attribute of that type, or NULL. */
const struct ike1_attribute *ike1_attribute_find(const struct ike1_attributes *all, uint16_t type);
/* The value of a basic attribute, 0 when absent. The rules have made sure of its form. */
uint16_t ike1_attribute_basic(const struct ike1_attributes *all, uint16_t type);
/* A number in 1 to 8 octets; UINT32_MAX when it does not fit; ERR_LENGTH otherwise. */
MUST_USE enum err ike1_attribute_number(const struct ike1_attribute *a, uint32_t *ret);

/* Lifetimes come as pairs: Life Type, then Life Duration; at most one pair per type (RFC 2407 4.5,
 * RFC 2409 appendix A). */
struct ike1_life {
    bool has_seconds, has_kilobytes;
    uint32_t seconds, kilobytes;
};
/* ERR_ORDER when a duration does not follow a type, ERR_MISSING when it is absent, ERR_DUPLICATE,
 * ERR_VALUE for an unknown type. */
MUST_USE enum err ike1_life_parse(const struct ike1_attributes *all, uint16_t type_attribute,
                                  uint16_t duration_attribute, struct ike1_life *ret);
/* `tv`: durations that fit go as TV; otherwise always TLV of four octets. */
void ike1_life_write(struct wr *w, uint16_t type_attribute, uint16_t duration_attribute, bool tv,
                     const struct ike1_life *life);

void ike1_attribute_tv(struct wr *w, uint16_t type, uint16_t value);
void ike1_attribute_tlv(struct wr *w, uint16_t type, struct bytes value);
void ike1_attribute_u32(struct wr *w, uint16_t type, uint32_t value); /* TLV, four octets */

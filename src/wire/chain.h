#pragma once
/* ISAKMP payload chains (RFC 2408 section 3.2): generic header next(1) reserved(1) length(2),
 * length included. */
#include "wire/rd.h"
#include "wire/wr.h"

enum { CHAIN_MAX = 32, CHAIN_HEADER = 4 };

struct chain_payload {
    uint8_t type;
    struct bytes whole; /* generic header included: what a HASH covers */
    struct bytes body;  /* after the generic header */
};
struct chain {
    size_t n;
    struct chain_payload p[CHAIN_MAX];
    size_t len; /* octets from the first payload to the end of the last */
};

/* Reads the chain that starts with payload type `first` up to next payload 0. What follows the last
 * payload is left in *r for the caller to judge (cipher padding). The reserved octet is not
 * checked: RFC 2408 section 3.2 says "set to 0"; receivers in the field are lenient. *ret is
 * untouched on failure. */
MUST_USE enum err chain_parse(struct rd *r, uint8_t first, struct chain *ret);

/* One item with a generic header, for what stands inside a payload: a child over its body, and the
 * type of the next item. ERR_LENGTH or ERR_SHORT in both. */
struct rd chain_item(struct rd *r, uint8_t *ret_next);

/* The first payload of that type, or NULL. */
const struct chain_payload *chain_find(const struct chain *c, uint8_t type);

/* What a message may hold, as data: types with their least and greatest count. */
struct chain_rule {
    uint8_t type, min, max;
};
/* ERR_ORDER for a type without a rule, ERR_MISSING, ERR_TOO_MANY; `any_order` false also wants the
 * rules' order (types repeat in place). */
MUST_USE enum err chain_check(const struct chain *c, const struct chain_rule *rules, size_t n_rules,
                              bool any_order);

/* Writing: chain_first() remembers where the next payload type has to be patched (the header's
 * octet). Each chain_open() patches the type into its predecessor; chain_close() writes the
 * length. */
struct chain_wr {
    struct wr *w;
    size_t next_at; /* offset of the next-payload octet to patch */
    size_t open_at; /* offset of the open payload's length field */
};
struct chain_wr chain_first(struct wr *w, size_t next_at);
void chain_open(struct chain_wr *c, uint8_t type);
void chain_close(struct chain_wr *c);

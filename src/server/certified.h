#pragma once
/* Key pairs that the configuration names (`certificate` of server-member-communication) and that
 * sign the pushes of its groups (RFC 6407 5.3.6). Whoever starts the server has read and judged
 * them. */
#include "group/kek.h"

struct server_certificate;

struct certified_key {
    char *name;
    struct signing_key *key; /* held */
};
struct certified {
    struct certified_key *list;
    size_t n;
};

/* Adds those that are new, and puts another key pair in the place of the one of its name; a KEK
 * holds the one that it was made with (decisions M17). The keys that it keeps it takes out of the
 * list. ERR_NOMEM; errors of signing_key_new(). */
MUST_USE enum err certified_take(struct certified *c, struct server_certificate *list, size_t n);
/* To an empty one: the same key pairs. On failure, too, certified_free(to). ERR_NOMEM. */
MUST_USE enum err certified_copy(const struct certified *from, struct certified *to);
/* NULL: there is none of that name. */
struct signing_key *certified_find(const struct certified *c, const char *name);
/* The one with that id (crypto/signing.h), or NULL. */
struct signing_key *certified_with_id(const struct certified *c, const uint8_t id[SIGNING_KEY_ID]);
void certified_free(struct certified *c); /* wipes */

#pragma once
/* Hashes, HMAC and the prf of IKEv1 (RFC 2409 section 4: HMAC of the negotiated hash). They cannot
 * fail once crypto_start() has fetched them; a library that fails here aborts. */
#include "base/bytes.h"
#include "crypto/secret.h"

enum hash { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_COUNT };
enum { HASH_MAX = 64, HMAC_TRUNCATED_MIN = 10 };

size_t hash_len(enum hash h);
const char *hash_name(enum hash h); /* "md5", "sha1", "sha-256" ... */

/* Over the concatenation of parts[0..n); out has hash_len(h) octets and may be one of the parts. */
void hash_parts(enum hash h, const struct bytes *parts, size_t n, uint8_t *out);
void hmac_parts(enum hash h, struct bytes key, const struct bytes *parts, size_t n, uint8_t *out);
/* HMAC as key derivation: the result is a secret of hash_len(h) octets. */
struct secret prf(enum hash h, struct bytes key, const struct bytes *parts, size_t n);
/* Compares HMAC(key, parts) with `expected` in constant time: full length, or the truncated form
 * that `expected` has, at least HMAC_TRUNCATED_MIN octets. */
bool hmac_check(enum hash h, struct bytes key, const struct bytes *parts, size_t n,
                struct bytes expected);

#define PARTS(...)                                                                                 \
    ((const struct bytes[]){__VA_ARGS__}),                                                         \
        (sizeof((struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))

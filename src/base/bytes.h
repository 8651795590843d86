#pragma once
/* A view of octets that somebody else owns. Never holds a secret beyond the call that needs it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

/* The octets of an array; of a string literal with its NUL (bytes_str() leaves that out). */
#define BYTES_OF(array) ((struct bytes){(const uint8_t *)(array), sizeof(array)})

static inline struct bytes bytes(const void *data, size_t len) { return (struct bytes){data, len}; }

static inline struct bytes bytes_str(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

/* For public values only; secrets and authenticators are compared with secret_equal() of
 * crypto/secret.h. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || __builtin_memcmp(a.data, b.data, a.len) == 0);
}

/* Lexicographic order, shorter first on a common prefix: <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);

/* Lower-case hexadecimal of `b` into out, NUL-terminated and cut to room (room > 0).
 * Returns out. */
char *bytes_hex(struct bytes b, char *out, size_t room);

/* Reads hexadecimal digits (both cases, an even number) into out; false if malformed or
 * too long. */
bool bytes_unhex(const char *text, uint8_t *out, size_t room, size_t *ret_len);

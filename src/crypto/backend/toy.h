#pragma once
/* The mixer under the toy backend: fast, deterministic, the same on every machine, and worthless as
 * cryptography. */
#include "base/bytes.h"

struct toy_mix {
    uint64_t a, b, word;
    uint64_t len;
};
/* Different domains never give the same stream. */
struct toy_mix toy_mix_of(uint64_t domain);
/* In any cut: only the concatenation counts. */
void toy_mix_add(struct toy_mix *m, struct bytes b);
/* The value of all that was added. */
uint64_t toy_mix_end(const struct toy_mix *m);
/* Spreads a value over len octets. */
void toy_expand(uint64_t value, uint8_t *out, size_t len);
uint64_t toy_read64(const uint8_t *b);
void toy_write64(uint64_t v, uint8_t *out);

enum toy_domain {
    TOY_HASH = 0x100,
    TOY_HMAC = 0x200,
    TOY_CIPHER = 0x300,
    TOY_DH = 0x400,
    TOY_SIGN = 0x500,
    TOY_STREAM = 0x600,
};

/* A keyed permutation of one block of 8 or 16 octets, and its inverse. */
void toy_block_encrypt(uint64_t key, uint8_t *block, size_t len);
void toy_block_decrypt(uint64_t key, uint8_t *block, size_t len);
uint64_t toy_cipher_key(unsigned cipher, struct bytes key);
void toy_cbc_encrypt(uint64_t key, size_t block, uint8_t *iv, uint8_t *data, size_t len);
void toy_cbc_decrypt(uint64_t key, size_t block, uint8_t *iv, uint8_t *data, size_t len);

/* Fuzzers build with -DFUZZ_OPEN: every authenticator passes, so that mutated messages reach the
 * code behind it. */
#ifdef FUZZ_OPEN
enum { TOY_OPEN = 1 };
#else
enum { TOY_OPEN = 0 };
#endif

#pragma once
/* Powers of one base modulo one prime: three times as fast as a general exponentiation, because the
 * base is known beforehand. For the public values of Diffie-Hellman. */
#include <openssl/bn.h>

struct powers;

/* For exponents of at most `bits` bits. Base, prime and its Montgomery context stay the caller's.
 * */
struct powers *powers_new(const BIGNUM *base, const BIGNUM *prime, BN_MONT_CTX *mont, int bits);
void powers_free(struct powers *p); /* NULL allowed */
/* ret = base^x, in a time and with memory accesses that do not depend on x. */
void powers_raise(const struct powers *p, const BIGNUM *x, BIGNUM *ret, BN_CTX *ctx);

/* With x = sum of d_j 16^j, base^x is the product of base^(d_j 16^j): one multiplication for each
 * digit and no squaring, out of a table of all those powers. Every row of a table is read whole,
 * whatever the digit, so that the cache tells nothing. */
#include "crypto/backend/openssl_powers.h"
#include "crypto/backend/openssl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 4, ENTRIES = 1 << DIGIT_BITS, WORDS_MAX = 64, DIGITS_MAX = 96 };

struct powers {
    size_t digits, words;
    BN_MONT_CTX *mont;
    uint64_t table[]; /* [digits][ENTRIES][words]: little-endian octets, in Montgomery's form */
};

static size_t row_words(const struct powers *p) { return ENTRIES * p->words; }

/* The row of one digit: 1, step, step^2 ... Leaves step^16, the step of the next digit. */
static void fill_row(const struct powers *p, uint64_t *row, const BIGNUM *one, BIGNUM *step,
                     BIGNUM *power, BN_CTX *ctx)
{
    openssl_must(BN_copy(power, one) != NULL);
    for (size_t i = 0; i < ENTRIES; i++) {
        openssl_must(BN_bn2lebinpad(power, (uint8_t *)(row + i * p->words), (int)p->words * 8));
        openssl_must(BN_mod_mul_montgomery(power, power, step, p->mont, ctx));
    }
    openssl_must(BN_copy(step, power) != NULL);
}

static void fill(struct powers *p, const BIGNUM *base)
{
    BN_CTX *ctx = BN_CTX_new();
    openssl_must(ctx != NULL);
    BN_CTX_start(ctx);
    BIGNUM *one = BN_CTX_get(ctx), *step = BN_CTX_get(ctx), *power = BN_CTX_get(ctx);
    openssl_must(power && BN_one(one) && BN_to_montgomery(one, one, p->mont, ctx) &&
                 BN_to_montgomery(step, base, p->mont, ctx));
    for (size_t j = 0; j < p->digits; j++)
        fill_row(p, p->table + j * row_words(p), one, step, power, ctx);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
}

struct powers *powers_new(const BIGNUM *base, const BIGNUM *prime, BN_MONT_CTX *mont, int bits)
{
    struct powers shape = {
        .digits = ((size_t)bits + DIGIT_BITS - 1) / DIGIT_BITS,
        .words = ((size_t)BN_num_bytes(prime) + 7) / 8,
        .mont = mont,
    };
    assert(shape.digits <= DIGITS_MAX && shape.words <= WORDS_MAX);
    struct powers *p = malloc(sizeof *p + shape.digits * row_words(&shape) * sizeof(uint64_t));
    if (!p)
        abort();
    *p = shape;
    fill(p, base);
    return p;
}

void powers_free(struct powers *p) { free(p); }

/* out = row[digit] */
static void gather(const struct powers *p, const uint64_t *row, unsigned digit, uint64_t *out)
{
    memset(out, 0, p->words * sizeof *out);
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t mask = 0 - (((uint64_t)(i ^ digit) - 1) >> 63); /* all ones if i is the digit */
        __asm__("" : "+r"(mask));                                /* or the compiler might branch */
        for (size_t w = 0; w < p->words; w++)
            out[w] |= row[i * p->words + w] & mask;
    }
}

static unsigned digit_of(const uint8_t *exponent, size_t j)
{
    return exponent[j / 2] >> (j % 2 ? 4 : 0) & 0xf;
}

void powers_raise(const struct powers *p, const BIGNUM *x, BIGNUM *ret, BN_CTX *ctx)
{
    uint8_t exponent[DIGITS_MAX / 2];
    uint64_t entry[WORDS_MAX];
    int octets = (int)p->words * 8;
    openssl_must(BN_bn2lebinpad(x, exponent, sizeof exponent));
    BN_CTX_start(ctx);
    BIGNUM *factor = BN_CTX_get(ctx);
    openssl_must(factor != NULL);
    for (size_t j = 0; j < p->digits; j++) {
        BIGNUM *to = j == 0 ? ret : factor;
        gather(p, p->table + j * row_words(p), digit_of(exponent, j), entry);
        openssl_must(BN_lebin2bn((const uint8_t *)entry, octets, to) != NULL);
        if (j > 0)
            openssl_must(BN_mod_mul_montgomery(ret, ret, factor, p->mont, ctx));
    }
    openssl_must(BN_from_montgomery(ret, ret, p->mont, ctx));
    BN_CTX_end(ctx);
    explicit_bzero(exponent, sizeof exponent);
    explicit_bzero(entry, sizeof entry);
}

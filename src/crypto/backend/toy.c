/* The toy backend: the whole facade as cheap arithmetic, for simulations and fuzzers. It keeps what
 * engines rely on (lengths, chaining, commutativity of Diffie-Hellman, tampering is noticed, the
 * same input gives the same output everywhere) and protects nothing. */
#include "crypto/backend/toy.h"
#include "crypto/crypto.h"

#include <assert.h>

/* ---- mixing ---- */

static uint64_t scramble(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

uint64_t toy_read64(const uint8_t *b)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++)
        v = v << 8 | b[i];
    return v;
}

void toy_write64(uint64_t v, uint8_t *out)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

struct toy_mix toy_mix_of(uint64_t domain)
{
    return (struct toy_mix){.a = scramble(domain), .b = UINT64_C(0x9e3779b97f4a7c15)};
}

static void mix_word(struct toy_mix *m, uint64_t word)
{
    m->a = (m->a ^ word) * UINT64_C(0x9fb21c651e98df25);
    m->a ^= m->a >> 29;
    m->b = (m->b + m->a) * UINT64_C(0xa0761d6478bd642f);
    m->b ^= m->b >> 31;
}

void toy_mix_add(struct toy_mix *m, struct bytes b)
{
    size_t i = 0;
    for (; i < b.len && m->len % 8; i++, m->len++) {
        m->word = m->word << 8 | b.data[i];
        if (m->len % 8 == 7)
            mix_word(m, m->word);
    }
    for (; i + 8 <= b.len; i += 8, m->len += 8)
        mix_word(m, toy_read64(b.data + i));
    for (; i < b.len; i++, m->len++)
        m->word = m->word << 8 | b.data[i];
}

uint64_t toy_mix_end(const struct toy_mix *m)
{
    struct toy_mix end = *m;
    mix_word(&end, end.len % 8 ? end.word << (64 - 8 * (end.len % 8)) : 0);
    mix_word(&end, end.len);
    return scramble(end.a ^ end.b);
}

void toy_expand(uint64_t value, uint8_t *out, size_t len)
{
    for (size_t at = 0; at < len; at += 8) {
        uint8_t word[8];
        toy_write64(scramble(value + (at / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15)), word);
        memcpy(out + at, word, len - at < 8 ? len - at : 8);
    }
}

/* ---- start ---- */

enum err crypto_start(struct crypto_use use, const char **ret_text)
{
    (void)use;
    (void)ret_text;
    return ERR_OK;
}

void crypto_stop(void) {}

/* The text is also the mark by which a test knows that a release does not hold the open toy. */
const char *crypto_backend_name(void)
{
    return TOY_OPEN ? "toy with every authenticator open" : "toy";
}

/* ---- hashes ---- */

static void mix_parts(struct toy_mix *m, const struct bytes *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        toy_mix_add(m, parts[i]);
}

void hash_parts(enum hash h, const struct bytes *parts, size_t n, uint8_t *out)
{
    struct toy_mix m = toy_mix_of(TOY_HASH + (uint64_t)h);
    mix_parts(&m, parts, n);
    toy_expand(toy_mix_end(&m), out, hash_len(h));
}

void hmac_parts(enum hash h, struct bytes key, const struct bytes *parts, size_t n, uint8_t *out)
{
    struct toy_mix keyed = toy_mix_of(TOY_HMAC + (uint64_t)h);
    toy_mix_add(&keyed, key);
    struct toy_mix m = toy_mix_of(toy_mix_end(&keyed));
    mix_parts(&m, parts, n);
    toy_expand(toy_mix_end(&m), out, hash_len(h));
}

bool hmac_check(enum hash h, struct bytes key, const struct bytes *parts, size_t n,
                struct bytes expected)
{
    if (expected.len < HMAC_TRUNCATED_MIN || expected.len > hash_len(h))
        return false;
    SECRET mac = prf(h, key, parts, n);
    return TOY_OPEN || secret_equal(bytes(mac.b, expected.len), expected);
}

/* ---- CBC over a Feistel network of four rounds ---- */

static void feistel_round(uint64_t key, unsigned round, uint8_t *left, const uint8_t *right,
                          size_t half)
{
    uint64_t v = 0;
    for (size_t i = 0; i < half; i++)
        v = v << 8 | right[i];
    v = scramble((v ^ key) + round * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < half; i++)
        left[i] ^= (uint8_t)(v >> 8 * i);
}

void toy_block_encrypt(uint64_t key, uint8_t *block, size_t len)
{
    size_t half = len / 2;
    for (unsigned r = 0; r < 4; r++)
        feistel_round(key, r, r % 2 ? block + half : block, r % 2 ? block : block + half, half);
}

void toy_block_decrypt(uint64_t key, uint8_t *block, size_t len)
{
    size_t half = len / 2;
    for (unsigned r = 4; r-- > 0;)
        feistel_round(key, r, r % 2 ? block + half : block, r % 2 ? block : block + half, half);
}

static void xor_into(uint8_t *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] ^= in[i];
}

uint64_t toy_cipher_key(unsigned cipher, struct bytes key)
{
    struct toy_mix m = toy_mix_of(TOY_CIPHER + cipher);
    toy_mix_add(&m, key);
    return toy_mix_end(&m);
}

void toy_cbc_encrypt(uint64_t key, size_t block, uint8_t *iv, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += block) {
        xor_into(data + at, iv, block);
        toy_block_encrypt(key, data + at, block);
        memcpy(iv, data + at, block);
    }
}

void toy_cbc_decrypt(uint64_t key, size_t block, uint8_t *iv, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += block) {
        uint8_t next[CIPHER_BLOCK_MAX];
        memcpy(next, data + at, block);
        toy_block_decrypt(key, data + at, block);
        xor_into(data + at, iv, block);
        memcpy(iv, next, block);
    }
}

void cbc_encrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len)
{
    assert(key.len == cipher_key_len(c) && len % cipher_block(c) == 0 &&
           !cipher_is_counter_mode(c));
    toy_cbc_encrypt(toy_cipher_key(c, key), cipher_block(c), iv, data, len);
}

void cbc_decrypt(enum cipher c, struct bytes key, uint8_t *iv, uint8_t *data, size_t len)
{
    assert(key.len == cipher_key_len(c) && len % cipher_block(c) == 0 &&
           !cipher_is_counter_mode(c));
    toy_cbc_decrypt(toy_cipher_key(c, key), cipher_block(c), iv, data, len);
}

/* ---- Diffie-Hellman modulo 2^61 - 1, blown up to the length of the real group ---- */

enum { TOY_GENERATOR = 37 };
#define TOY_PRIME ((UINT64_C(1) << 61) - 1)

static uint64_t times(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)a * b % TOY_PRIME);
}

static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1, base = times(base, base)) {
        if (exponent & 1)
            result = times(result, base);
    }
    return result;
}

/* The number in the last eight octets; those before repeat it scrambled. */
static void write_public(unsigned group, uint64_t y, uint8_t *out)
{
    size_t fill = dh_public_len(group) - 8;
    toy_expand(TOY_DH + group + y, out, fill);
    toy_write64(y, out + fill);
}

/* As with a real prime, any value in range is an element: one that no toy made counts as the
 * element that its octets hash to. */
static enum err read_public(unsigned group, struct bytes peer, uint64_t *ret)
{
    uint8_t same[DH_PUBLIC_MAX];
    if (peer.len != dh_public_len(group))
        return ERR_LENGTH;
    uint64_t y = toy_read64(peer.data + peer.len - 8);
    if (y <= 1 || y >= TOY_PRIME - 1)
        return ERR_VALUE;
    write_public(group, y, same);
    if (!bytes_equal(peer, bytes(same, peer.len))) {
        struct toy_mix m = toy_mix_of(TOY_DH);
        toy_mix_add(&m, peer);
        y = 2 + toy_mix_end(&m) % (TOY_PRIME - 3);
    }
    *ret = y;
    return ERR_OK;
}

static void write_shared(unsigned group, uint64_t z, struct secret_long *out)
{
    out->len = dh_shared_len(group);
    toy_expand(z, out->b, out->len);
}

static uint64_t choose_private(unsigned group, const uint8_t entropy[DH_ENTROPY])
{
    struct toy_mix m = toy_mix_of(TOY_DH + group);
    toy_mix_add(&m, bytes(entropy, DH_ENTROPY));
    return 2 + toy_mix_end(&m) % (TOY_PRIME - 3);
}

enum err dh_generate(unsigned group, const uint8_t entropy[DH_ENTROPY], struct secret *ret_private,
                     uint8_t *ret_public)
{
    uint64_t x = choose_private(group, entropy);
    ret_private->len = 8;
    toy_write64(x, ret_private->b);
    write_public(group, power(TOY_GENERATOR, x), ret_public);
    return ERR_OK;
}

enum err dh_derive(unsigned group, const struct secret *private, struct bytes peer_public,
                   struct secret_long *ret_shared)
{
    uint64_t y;
    assert(private->len == 8);
    enum err e = read_public(group, peer_public, &y);
    if (e == ERR_OK)
        write_shared(group, power(y, toy_read64(private->b)), ret_shared);
    return e;
}

enum err dh_agree(unsigned group, const uint8_t entropy[DH_ENTROPY], struct bytes peer_public,
                  uint8_t *ret_public, struct secret_long *ret_shared)
{
    uint64_t y;
    enum err e = read_public(group, peer_public, &y);
    if (e != ERR_OK)
        return e;
    uint64_t x = choose_private(group, entropy);
    write_public(group, power(TOY_GENERATOR, x), ret_public);
    write_shared(group, power(y, x), ret_shared);
    return ERR_OK;
}

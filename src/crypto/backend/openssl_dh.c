/* Diffie-Hellman directly on OpenSSL's constant-time exponentiation and point multiplication: a
 * private value is then mere octets, which a worker's job can carry, and a group's constants are
 * prepared once and only read afterwards. (EVP_PKEY would set them up for each call, and by default
 * it spends seven times the work on checks of the peer's value that are settled for a safe prime by
 * the range check below.) */
#include "crypto/backend/openssl.h"
#include "crypto/backend/openssl_powers.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include <assert.h>

struct group {
    int private_bits;  /* MODP: of the exponent */
    BIGNUM *p, *g, *q; /* MODP; q, the order of a small subgroup, for group 24 only */
    BN_MONT_CTX *p_mont;
    struct powers *powers; /* of g, when the group is in use */
    EC_GROUP *curve;       /* ECP */
};
static struct group groups[25];

/* Exponents of at least twice the security strength of the prime (RFC 3526 section 8, SP 800-57
 * part 1 table 2). */
static const struct {
    uint8_t group;
    uint16_t private_bits;
    BIGNUM *(*prime)(BIGNUM *);
} modp[] = {
    {1, 256, BN_get_rfc2409_prime_768},   {2, 256, BN_get_rfc2409_prime_1024},
    {5, 256, BN_get_rfc3526_prime_1536},  {14, 225, BN_get_rfc3526_prime_2048},
    {15, 275, BN_get_rfc3526_prime_3072}, {16, 325, BN_get_rfc3526_prime_4096},
};
static const struct {
    uint8_t group;
    int nid;
} ecp[] = {{19, NID_X9_62_prime256v1}, {20, NID_secp384r1}, {21, NID_secp521r1}};

/* RFC 5114 section 2.3 */
static const char group24_p[] = "87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00E0"
                                "0DF8F1D61957D4FAF7DF4561B2AA30"
                                "16C3D91134096FAA3BF4296D830E9A7C209E0C6497517ABD5A8A9D306BCF67ED91"
                                "F9E6725B4758C022E0B1EF4275BF7B"
                                "6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76B6"
                                "3ACAE1CAA6B7902D52526735488A0E"
                                "F13C6D9A51BFA4AB3AD8347796524D8EF6A167B5A41825D967E144E5140564251C"
                                "CACB83E6B486F6B3CA3F7971506026"
                                "C0B857F689962856DED4010ABD0BE621C3A3960A54E710C375F26375D7014103A4"
                                "B54330C198AF126116D2276E11715F"
                                "693877FAD7EF09CADB094AE91E1A1597";
static const char group24_g[] = "3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA12510"
                                "DBC15077BE463FFF4FED4AAC0BB555"
                                "BE3A6C1B0C6B47B1BC3773BF7E8C6F62901228F8C28CBB18A55AE31341000A6501"
                                "96F931C77A57F2DDF463E5E9EC144B"
                                "777DE62AAAB8A8628AC376D282D6ED3864E67982428EBC831D14348F6F2F9193B5"
                                "045AF2767164E1DFC967C1FB3F2E55"
                                "A4BD1BFFE83B9C80D052B985D182EA0ADB2A3B7313D3FE14C8484B1E052588B9B7"
                                "D2BBD2DF016199ECD06E1557CD0915"
                                "B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6184B523D1DB246C32F"
                                "63078490F00EF8D647D148D4795451"
                                "5E2327CFEF98C582664B4C0F6CC41659";
static const char group24_q[] = "8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3";

static void prepare_mont(struct group *g)
{
    BN_CTX *ctx = BN_CTX_new();
    openssl_must(ctx && g->p && g->g);
    g->p_mont = BN_MONT_CTX_new();
    openssl_must(g->p_mont && BN_MONT_CTX_set(g->p_mont, g->p, ctx));
    BN_CTX_free(ctx);
}

static void prepare_all(void)
{
    for (size_t i = 0; i < ARRAY_LEN(modp); i++) {
        struct group *g = &groups[modp[i].group];
        *g = (struct group){
            .private_bits = modp[i].private_bits, .p = modp[i].prime(NULL), .g = BN_new()};
        openssl_must(g->g && BN_set_word(g->g, 2));
        prepare_mont(g);
    }
    struct group *g24 = &groups[24];
    g24->private_bits = 256;
    openssl_must(BN_hex2bn(&g24->p, group24_p) && BN_hex2bn(&g24->g, group24_g) &&
                 BN_hex2bn(&g24->q, group24_q));
    prepare_mont(g24);
    for (size_t i = 0; i < ARRAY_LEN(ecp); i++) {
        groups[ecp[i].group].curve = EC_GROUP_new_by_curve_name(ecp[i].nid);
        openssl_must(groups[ecp[i].group].curve != NULL);
    }
}

void openssl_dh_start(uint64_t used)
{
    if (!groups[1].p)
        prepare_all();
    for (unsigned i = 0; i < ARRAY_LEN(groups); i++) {
        struct group *g = &groups[i];
        if (g->p && !g->powers && used >> i & 1)
            g->powers = powers_new(g->g, g->p, g->p_mont, g->private_bits);
    }
}

void openssl_dh_stop(void)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        BN_free(groups[i].p);
        BN_free(groups[i].g);
        BN_free(groups[i].q);
        BN_MONT_CTX_free(groups[i].p_mont);
        powers_free(groups[i].powers);
        EC_GROUP_free(groups[i].curve);
        groups[i] = (struct group){0};
    }
}

/* The numbers of one calculation; all of them are wiped at its end. */
struct sum {
    const struct group *g;
    size_t public_len, shared_len;
    BN_CTX *ctx;
    BIGNUM *x, *peer, *result, *peer_y; /* x: the private value */
    EC_POINT *point, *peer_point;
};

static struct sum sum_of(unsigned group)
{
    assert(dh_group_known(group));
    struct sum s = {.g = &groups[group],
                    .public_len = dh_public_len(group),
                    .shared_len = dh_shared_len(group),
                    .ctx = BN_CTX_secure_new()};
    assert(s.g->p || s.g->curve); /* crypto_start() comes first */
    openssl_must(s.ctx != NULL);
    BN_CTX_start(s.ctx);
    s.x = BN_CTX_get(s.ctx);
    s.peer = BN_CTX_get(s.ctx);
    s.result = BN_CTX_get(s.ctx);
    s.peer_y = BN_CTX_get(s.ctx);
    openssl_must(s.peer_y != NULL);
    BN_set_flags(s.x, BN_FLG_CONSTTIME);
    if (s.g->curve) {
        s.point = EC_POINT_new(s.g->curve);
        s.peer_point = EC_POINT_new(s.g->curve);
        openssl_must(s.point && s.peer_point);
    }
    return s;
}

static void sum_end(struct sum *s)
{
    EC_POINT_clear_free(s->point);
    EC_POINT_free(s->peer_point);
    BN_CTX_end(s->ctx);
    BN_CTX_free(s->ctx); /* clears its numbers */
}
#define SUM __attribute__((cleanup(sum_end))) struct sum

static void choose_private(const struct sum *s)
{
    const BIGNUM *below = s->g->curve ? EC_GROUP_get0_order(s->g->curve) : s->g->q;
    do {
        openssl_must(
            below ? BN_priv_rand_range(s->x, below)
                  : BN_priv_rand(s->x, s->g->private_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY));
    } while (BN_is_zero(s->x));
}

static void write_modp(const struct sum *s, uint8_t *out)
{
    const struct group *g = s->g;
    if (g->powers)
        powers_raise(g->powers, s->x, s->result, s->ctx);
    else
        openssl_must(BN_mod_exp_mont_consttime(s->result, g->g, s->x, g->p, s->ctx, g->p_mont));
    openssl_must(BN_bn2binpad(s->result, out, (int)s->public_len));
}

static void write_point(const struct sum *s, uint8_t *out)
{
    uint8_t point[1 + DH_PUBLIC_MAX]; /* 04 | x | y; RFC 5903 section 7 sends x | y */
    openssl_must(EC_POINT_mul(s->g->curve, s->point, s->x, NULL, NULL, s->ctx));
    openssl_must(EC_POINT_point2oct(s->g->curve, s->point, POINT_CONVERSION_UNCOMPRESSED, point,
                                    1 + s->public_len, s->ctx) == 1 + s->public_len);
    memcpy(out, point + 1, s->public_len);
}

static void write_public(const struct sum *s, uint8_t *out)
{
    if (s->g->curve)
        write_point(s, out);
    else
        write_modp(s, out);
}

/* 1 < y < p - 1: in the group of a safe prime that leaves elements of large order only, and a
 * private value is used once. Group 24 has small subgroups besides its own, so there y^q = 1 is
 * asked as well (RFC 6989 section 2.2). */
static bool read_modp(const struct sum *s, struct bytes peer)
{
    openssl_must(BN_bin2bn(peer.data, (int)peer.len, s->peer) != NULL);
    openssl_must(BN_copy(s->result, s->g->p) && BN_sub_word(s->result, 1));
    if (BN_is_zero(s->peer) || BN_is_one(s->peer) || BN_cmp(s->peer, s->result) >= 0)
        return false;
    if (!s->g->q)
        return true;
    openssl_must(BN_mod_exp_mont(s->result, s->peer, s->g->q, s->g->p, s->ctx, s->g->p_mont));
    return BN_is_one(s->result);
}

/* The coordinates are below the field's prime and on the curve; cofactors are 1 (RFC 6989 section
 * 2.3). */
static bool read_point(const struct sum *s, struct bytes peer)
{
    uint8_t point[1 + DH_PUBLIC_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, peer.data, peer.len);
    return EC_POINT_oct2point(s->g->curve, s->peer_point, point, 1 + peer.len, s->ctx) == 1;
}

static enum err read_peer(const struct sum *s, struct bytes peer)
{
    if (peer.len != s->public_len)
        return ERR_LENGTH;
    bool good = s->g->curve ? read_point(s, peer) : read_modp(s, peer);
    return good ? ERR_OK : openssl_failed(ERR_VALUE);
}

static void write_shared(const struct sum *s, struct secret_long *out)
{
    if (s->g->curve) {
        openssl_must(EC_POINT_mul(s->g->curve, s->point, NULL, s->peer_point, s->x, s->ctx));
        openssl_must(
            EC_POINT_get_affine_coordinates(s->g->curve, s->point, s->result, s->peer_y, s->ctx));
    } else {
        openssl_must(
            BN_mod_exp_mont_consttime(s->result, s->peer, s->x, s->g->p, s->ctx, s->g->p_mont));
    }
    out->len = s->shared_len;
    openssl_must(BN_bn2binpad(s->result, out->b, (int)s->shared_len));
}

enum err dh_generate(unsigned group, const uint8_t entropy[DH_ENTROPY], struct secret *ret_private,
                     uint8_t *ret_public)
{
    (void)entropy;
    SUM s = sum_of(group);
    choose_private(&s);
    write_public(&s, ret_public);
    ret_private->len = (size_t)BN_num_bytes(s.x);
    openssl_must(BN_bn2bin(s.x, ret_private->b) > 0);
    return ERR_OK;
}

enum err dh_derive(unsigned group, const struct secret *private, struct bytes peer_public,
                   struct secret_long *ret_shared)
{
    SUM s = sum_of(group);
    enum err e = read_peer(&s, peer_public);
    if (e != ERR_OK)
        return e;
    openssl_must(BN_bin2bn(private->b, (int)private->len, s.x) && !BN_is_zero(s.x));
    write_shared(&s, ret_shared);
    return ERR_OK;
}

enum err dh_agree(unsigned group, const uint8_t entropy[DH_ENTROPY], struct bytes peer_public,
                  uint8_t *ret_public, struct secret_long *ret_shared)
{
    (void)entropy;
    SUM s = sum_of(group);
    enum err e = read_peer(&s, peer_public);
    if (e != ERR_OK)
        return e;
    choose_private(&s);
    write_public(&s, ret_public);
    write_shared(&s, ret_shared);
    return ERR_OK;
}

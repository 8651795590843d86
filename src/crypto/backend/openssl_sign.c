#include "crypto/backend/openssl_sign.h"
#include "crypto/backend/openssl.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

/* ---- what a key may be ---- */

static const struct {
    unsigned bits;
    const char *name, *group;
} curves[] = {
    {256, "P-256", SN_X9_62_prime256v1},
    {384, "P-384", SN_secp384r1},
    {521, "P-521", SN_secp521r1},
};

static enum err rsa_check(EVP_PKEY *pkey)
{
    BIGNUM *exponent = NULL;
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return ERR_VALUE;
    openssl_must(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent));
    bool good = BN_is_odd(exponent) && !BN_is_one(exponent);
    BN_free(exponent);
    return good ? ERR_OK : ERR_VALUE;
}

enum err openssl_key_check(EVP_PKEY *pkey)
{
    char group[32];
    if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
        return rsa_check(pkey);
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1)
        return openssl_failed(ERR_TYPE);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (bytes_equal(bytes_str(group), bytes_str(curves[i].group)))
            return ERR_OK;
    }
    return ERR_TYPE;
}

static bool is_rsa(EVP_PKEY *pkey) { return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA; }
static unsigned key_bits(EVP_PKEY *pkey) { return (unsigned)EVP_PKEY_get_bits(pkey); }
static size_t key_octets(EVP_PKEY *pkey) { return (key_bits(pkey) + 7) / 8; }

/* ---- private keys ---- */

/* Takes the reference, also when it fails. */
static enum err sign_key_of(EVP_PKEY *pkey, struct sign_key **ret)
{
    enum err e = openssl_key_check(pkey);
    struct sign_key *k = e == ERR_OK ? malloc(sizeof *k) : NULL;
    if (!k) {
        EVP_PKEY_free(pkey);
        return e == ERR_OK ? ERR_NOMEM : e;
    }
    k->pkey = pkey;
    *ret = k;
    return ERR_OK;
}

enum err sign_key_generate_rsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                               struct sign_key **ret)
{
    (void)entropy;
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || bits % 8)
        return ERR_VALUE;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    return pkey ? sign_key_of(pkey, ret) : openssl_failed(ERR_CRYPTO);
}

enum err sign_key_generate_ecdsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                                 struct sign_key **ret)
{
    (void)entropy;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (curves[i].bits != bits)
            continue;
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i].name);
        return pkey ? sign_key_of(pkey, ret) : openssl_failed(ERR_CRYPTO);
    }
    return ERR_VALUE;
}

/* Without this, OpenSSL would ask the terminal for the password of an encrypted key. */
static int no_password(char *buf, int size, int writing, void *user)
{
    (void)buf, (void)size, (void)writing, (void)user;
    return -1;
}

enum err sign_key_from_pem(struct bytes pem, struct sign_key **ret)
{
    BIO *bio = pem.len && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return pkey ? sign_key_of(pkey, ret) : openssl_failed(ERR_SYNTAX);
}

enum err sign_key_to_pem(const struct sign_key *k, uint8_t *out, size_t room, size_t *ret_len)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    openssl_must(bio != NULL);
    openssl_must(PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL));
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    bool fits = len <= room;
    if (fits) {
        memcpy(out, text, len);
        *ret_len = len;
    }
    BIO_free(bio);
    return fits ? ERR_OK : ERR_FULL;
}

enum err sign_key_spki(const struct sign_key *k, uint8_t *out, size_t room, size_t *ret_len)
{
    int len = i2d_PUBKEY(k->pkey, NULL);
    openssl_must(len);
    if ((size_t)len > room)
        return ERR_FULL;
    i2d_PUBKEY(k->pkey, &out);
    *ret_len = (size_t)len;
    return ERR_OK;
}

void sign_key_free(struct sign_key *k)
{
    if (k)
        EVP_PKEY_free(k->pkey);
    free(k);
}

bool sign_key_is_rsa(const struct sign_key *k) { return is_rsa(k->pkey); }
unsigned sign_key_bits(const struct sign_key *k) { return key_bits(k->pkey); }

/* ---- public keys ---- */

enum err openssl_verify_key_of(EVP_PKEY *pkey, struct verify_key **ret)
{
    enum err e = openssl_key_check(pkey);
    struct verify_key *k = e == ERR_OK ? malloc(sizeof *k) : NULL;
    if (!k) {
        EVP_PKEY_free(pkey);
        return e == ERR_OK ? ERR_NOMEM : e;
    }
    k->pkey = pkey;
    *ret = k;
    return ERR_OK;
}

/* All of `der`, as one or the other form; NULL if it is neither. */
static EVP_PKEY *read_public(struct bytes der)
{
    const uint8_t *at = der.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
    if (!pkey) {
        at = der.data;
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
    }
    if (pkey && at != der.data + der.len) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

enum err verify_key_from_der(struct bytes der, struct verify_key **ret)
{
    EVP_PKEY *pkey = der.len && der.len <= LONG_MAX ? read_public(der) : NULL;
    return pkey ? openssl_verify_key_of(pkey, ret) : openssl_failed(ERR_SYNTAX);
}

void verify_key_free(struct verify_key *k)
{
    if (k)
        EVP_PKEY_free(k->pkey);
    free(k);
}

bool verify_key_is_rsa(const struct verify_key *k) { return is_rsa(k->pkey); }
unsigned verify_key_bits(const struct verify_key *k) { return key_bits(k->pkey); }

/* ---- RSA ---- */

/* The DER of DigestInfo in front of the hash (RFC 8017 section 9.2, note 1). */
static const struct {
    uint8_t len, b[19];
} digest_infos[HASH_COUNT] = {
    [HASH_MD5] = {18, "\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"},
    [HASH_SHA1] = {15, "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"},
    [HASH_SHA256] =
        {19, "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"},
    [HASH_SHA384] =
        {19, "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"},
    [HASH_SHA512] =
        {19, "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"},
};
enum { SIGNED_MAX = 19 + HASH_MAX, BLOCK_MAX = RSA_BITS_MAX / 8 };

/* What is behind the padding of a block; returns its length. */
static size_t signed_part(enum hash h, struct bytes digest, enum rsa_form form, uint8_t *out)
{
    assert(digest.len == hash_len(h));
    size_t front = form == RSA_DIGEST_INFO ? digest_infos[h].len : 0;
    memcpy(out, digest_infos[h].b, front);
    memcpy(out + front, digest.data, digest.len);
    return front + digest.len;
}

/* 00 01 FF ... FF 00 | signed part (RFC 8017 section 9.2); keys are long enough for eight FF and
 * more. */
static void expected_block(enum hash h, struct bytes digest, enum rsa_form form, uint8_t *out,
                           size_t len)
{
    uint8_t part[SIGNED_MAX];
    size_t n = signed_part(h, digest, form, part);
    assert(n + 11 <= len);
    memset(out, 0xff, len);
    out[0] = 0;
    out[1] = 1;
    out[len - n - 1] = 0;
    memcpy(out + len - n, part, n);
}

enum err rsa_sign(const struct sign_key *k, enum hash h, struct bytes digest, enum rsa_form form,
                  uint8_t *out, size_t room, size_t *ret_len)
{
    uint8_t part[SIGNED_MAX];
    size_t len = key_octets(k->pkey);
    if (!is_rsa(k->pkey))
        return ERR_TYPE;
    if (room < len)
        return ERR_FULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    openssl_must(ctx != NULL);
    openssl_must(EVP_PKEY_sign_init(ctx));
    openssl_must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING));
    bool good = EVP_PKEY_sign(ctx, out, &len, part, signed_part(h, digest, form, part)) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!good)
        return openssl_failed(ERR_CRYPTO);
    *ret_len = len;
    return ERR_OK;
}

/* signature^e mod n; false for a signature that is not below n. */
static bool public_operation(const struct verify_key *k, struct bytes signature, uint8_t *out)
{
    size_t len = BLOCK_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    openssl_must(ctx != NULL);
    openssl_must(EVP_PKEY_verify_recover_init(ctx));
    openssl_must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING));
    bool good = EVP_PKEY_verify_recover(ctx, out, &len, signature.data, signature.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good && len == key_octets(k->pkey);
}

enum err rsa_verify(const struct verify_key *k, enum hash h, const enum rsa_form *forms,
                    size_t n_forms, const struct bytes *digests, size_t n_digests,
                    struct bytes signature, size_t *ret_which)
{
    uint8_t got[BLOCK_MAX], want[BLOCK_MAX];
    size_t len = key_octets(k->pkey);
    if (!is_rsa(k->pkey))
        return ERR_TYPE;
    if (signature.len != len || !public_operation(k, signature, got))
        return openssl_failed(ERR_AUTH);
    for (size_t i = 0; i < n_forms * n_digests; i++) {
        expected_block(h, digests[i / n_forms], forms[i % n_forms], want, len);
        if (secret_equal(bytes(got, len), bytes(want, len))) {
            *ret_which = i;
            return ERR_OK;
        }
    }
    return ERR_AUTH;
}

/* ---- ECDSA: r | s on the wire (RFC 4754 section 7), DER inside OpenSSL ---- */

enum { ECDSA_DER_MAX = 160 };

static bool der_to_fixed(const uint8_t *der, size_t der_len, uint8_t *out, size_t width)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    bool good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)width) > 0 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + width, (int)width) > 0;
    ECDSA_SIG_free(sig);
    return good;
}

static size_t fixed_to_der(struct bytes fixed, uint8_t *der)
{
    int width = (int)fixed.len / 2;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(fixed.data, width, NULL), *s = BN_bin2bn(fixed.data + width, width, NULL);
    openssl_must(sig && r && s && ECDSA_SIG_set0(sig, r, s));
    int len = i2d_ECDSA_SIG(sig, &der);
    openssl_must(len);
    ECDSA_SIG_free(sig);
    return (size_t)len;
}

enum err ecdsa_sign(const struct sign_key *k, struct bytes digest, uint8_t *out, size_t room,
                    size_t *ret_len)
{
    uint8_t der[ECDSA_DER_MAX], fixed[2 * 66];
    size_t len = sizeof der, width = key_octets(k->pkey);
    if (is_rsa(k->pkey))
        return ERR_TYPE;
    if (room < 2 * width)
        return ERR_FULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    openssl_must(ctx != NULL);
    openssl_must(EVP_PKEY_sign_init(ctx));
    bool good = EVP_PKEY_sign(ctx, der, &len, digest.data, digest.len) == 1 &&
                der_to_fixed(der, len, fixed, width);
    EVP_PKEY_CTX_free(ctx);
    if (!good)
        return openssl_failed(ERR_CRYPTO);
    memcpy(out, fixed, 2 * width);
    *ret_len = 2 * width;
    return ERR_OK;
}

enum err ecdsa_verify(const struct verify_key *k, struct bytes digest, struct bytes signature)
{
    uint8_t der[ECDSA_DER_MAX];
    if (is_rsa(k->pkey))
        return ERR_TYPE;
    if (signature.len != 2 * key_octets(k->pkey))
        return ERR_AUTH;
    size_t len = fixed_to_der(signature, der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    openssl_must(ctx != NULL);
    openssl_must(EVP_PKEY_verify_init(ctx));
    bool good = EVP_PKEY_verify(ctx, der, len, digest.data, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good ? ERR_OK : openssl_failed(ERR_AUTH);
}

#include "crypto/aead.h"

#include "crypto/crypto.h"
#include "test/check.h"

static struct bytes unhex(const char *text, uint8_t *out, size_t room)
{
    size_t len = 0;

    assert_true(bytes_unhex(text, out, room, &len));
    return bytes(out, len);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", test case 16. */
static const char key16[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                  nonce16[] = "cafebabefacedbaddecaf888",
                  plain16[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c"
                              "0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
                  aad16[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                  sealed16[] =
                      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590d"
                      "bb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                  tag16[] = "76fc6ece0f4e1768cddf8853bb2d551b";

struct example {
    struct secret key;
    uint8_t nonce[AEAD_NONCE], data[64], aad[32], tag[AEAD_TAG];
    size_t len, aad_len;
};

static struct example sealed(void)
{
    struct example x = {.key = {.len = AEAD_KEY}};

    (void)unhex(key16, x.key.b, sizeof x.key.b);
    (void)unhex(nonce16, x.nonce, sizeof x.nonce);
    x.len = unhex(plain16, x.data, sizeof x.data).len;
    x.aad_len = unhex(aad16, x.aad, sizeof x.aad).len;
    aead_seal(&x.key, x.nonce, bytes(x.aad, x.aad_len), x.data, x.len, x.tag);
    return x;
}

static enum err open_it(struct example *x)
{
    return aead_open(&x->key, x->nonce, bytes(x->aad, x->aad_len), x->data, x->len, x->tag);
}

static void it_is_the_published_algorithm(void **state)
{
    struct example x = sealed();

    (void)state;
    assert_hex(bytes(x.data, x.len), sealed16);
    assert_hex(BYTES_OF(x.tag), tag16);
    assert_int_equal(open_it(&x), ERR_OK);
    assert_hex(bytes(x.data, x.len), plain16);
}

static void any_changed_bit_is_refused(void **state)
{
    struct example good = sealed(), x;
    uint8_t *const parts[] = {x.data, x.aad, x.nonce, x.tag, x.key.b};
    const size_t lens[] = {good.len, good.aad_len, AEAD_NONCE, AEAD_TAG, AEAD_KEY};

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
        for (size_t bit = 0; bit < 8 * lens[p]; bit++) {
            x = good;
            parts[p][bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(open_it(&x), ERR_AUTH);
        }
    }
}

static void nothing_can_be_sealed_too(void **state)
{
    struct example x = sealed();

    (void)state;
    aead_seal(&x.key, x.nonce, bytes(NULL, 0), x.data, 0, x.tag);
    assert_int_equal(aead_open(&x.key, x.nonce, bytes(NULL, 0), x.data, 0, x.tag), ERR_OK);
    assert_int_equal(aead_open(&x.key, x.nonce, BYTES_OF("a"), x.data, 0, x.tag), ERR_AUTH);
}

/* RFC 5869 A.1 and A.3, the first 32 octets of OKM. */
static void hkdf_is_rfc_5869s(void **state)
{
    uint8_t ikm[22], salt[13], info[10];
    SECRET with = hkdf(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", ikm, sizeof ikm),
                       unhex("000102030405060708090a0b0c", salt, sizeof salt),
                       unhex("f0f1f2f3f4f5f6f7f8f9", info, sizeof info));
    SECRET without = hkdf(BYTES_OF(ikm), bytes(NULL, 0), bytes(NULL, 0));

    (void)state;
    assert_hex(secret_bytes(&with),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    assert_hex(secret_bytes(&without),
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

static int start(void **state)
{
    const char *what;

    (void)state;
    return crypto_start(CRYPTO_USE_ALL, &what) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_published_algorithm),
        cmocka_unit_test(any_changed_bit_is_refused),
        cmocka_unit_test(nothing_can_be_sealed_too),
        cmocka_unit_test(hkdf_is_rfc_5869s),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

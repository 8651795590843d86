#include "crypto/crypto.h"
#include "crypto/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every allowed pair, once per backend that this build has. */
enum { COMBINATIONS = CIPHER_COUNT * AUTH_COUNT, ROOM = 2048, HEAD = 8 };

static struct packet_engine *engines[2];
static size_t n_engines;
static struct packet_key *keys[2][COMBINATIONS];
static size_t n_keys;

static const uint8_t key_octets[64] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+";
static enum cipher cipher_of[COMBINATIONS];
static enum auth auth_of[COMBINATIONS];

static void make_keys(size_t engine)
{
    n_keys = 0;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        enum cipher c = (enum cipher)(i / AUTH_COUNT);
        enum auth a = (enum auth)(i % AUTH_COUNT);
        if (cipher_is_counter_mode(c) != (a == AUTH_NONE))
            continue;
        cipher_of[n_keys] = c;
        auth_of[n_keys] = a;
        assert_int_equal(packet_key_new(engines[engine], c, a, bytes(key_octets, cipher_key_len(c)),
                                        bytes(key_octets + 64 - auth_key_len(a), auth_key_len(a)),
                                        &keys[engine][n_keys++]),
                         ERR_OK);
    }
}

static int start(void **state)
{
    (void)state;
    const char *text = "";
    assert_int_equal(crypto_start(CRYPTO_USE_ALL, &text), ERR_OK);
    assert_int_equal(packet_engine_new(PACKET_BACKEND_OPENSSL, &engines[0]), ERR_OK);
    n_engines = packet_engine_new(PACKET_BACKEND_IPSEC_MB, &engines[1]) == ERR_OK ? 2 : 1;
    for (size_t i = 0; i < n_engines; i++)
        make_keys(i);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_engines; i++) {
        for (size_t k = 0; k < n_keys; k++)
            packet_key_free(keys[i][k]);
        packet_engine_free(engines[i]);
    }
    crypto_stop();
    return 0;
}

/* A packet whose octets depend on `seed`, laid out for key k, followed by a mark. */
static struct packet_op packet_in(uint8_t *room, size_t engine, size_t k, size_t len, unsigned seed)
{
    enum cipher c = cipher_of[k];
    for (size_t i = 0; i < ROOM; i++)
        room[i] = (uint8_t)(i * (seed | 1) + seed / 3);
    return (struct packet_op){
        .key = keys[engine][k],
        .head = room,
        .head_len = HEAD,
        .iv = room + HEAD,
        .text = room + HEAD + cipher_iv_len(c),
        .text_len = len,
        .icv = room + HEAD + cipher_iv_len(c) + len,
    };
}

static size_t step(size_t k)
{
    return cipher_is_counter_mode(cipher_of[k]) ? 1 : cipher_block(cipher_of[k]);
}

static size_t whole_len(const struct packet_op *op, size_t k)
{
    return (size_t)(op->icv - op->head) + packet_icv_len(cipher_of[k], auth_of[k]);
}

static void names_and_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t key, icv;
    } want[AUTH_COUNT] = {
        {"none", 0, 0},
        {"hmac-md5-96", 16, 12},
        {"hmac-sha1-96", 20, 12},
        {"hmac-sha-256-128", 32, 16},
        {"hmac-sha-384-192", 48, 24},
        {"hmac-sha-512-256", 64, 32},
    };
    for (unsigned a = 0; a < AUTH_COUNT; a++) {
        assert_string_equal(auth_name((enum auth)a), want[a].name);
        assert_int_equal(auth_key_len((enum auth)a), want[a].key);
        assert_int_equal(auth_icv_len((enum auth)a), want[a].icv);
        assert_int_equal(packet_icv_len(CIPHER_AES_128_CBC, (enum auth)a), want[a].icv);
        if (a != AUTH_NONE)
            assert_int_equal(hash_len(auth_hash((enum auth)a)), want[a].key);
    }
    assert_int_equal(packet_icv_len(CIPHER_AES_256_GCM, AUTH_NONE), 16);
    assert_string_equal(packet_engine_name(engines[0]), "OpenSSL");
}

/* Composed from the facade's other functions, RFC 4303 section 3.3.2: encrypt, then the ICV over
 * everything. */
static void cbc_packets_are_cbc_then_hmac(void **state)
{
    (void)state;
    for (size_t k = 0; k < n_keys; k++) {
        enum cipher c = cipher_of[k];
        if (c == CIPHER_NULL || cipher_is_counter_mode(c))
            continue;
        uint8_t got[ROOM], want[ROOM], iv[CIPHER_BLOCK_MAX], icv[HASH_MAX];
        struct packet_op op = packet_in(got, 0, k, 96, 5);
        packet_in(want, 0, k, 96, 5);
        size_t text = (size_t)(op.text - got), auth_len = auth_key_len(auth_of[k]);
        memcpy(iv, op.iv, cipher_block(c));
        cbc_encrypt(c, bytes(key_octets, cipher_key_len(c)), iv, want + text, 96);
        hmac_parts(auth_hash(auth_of[k]), bytes(key_octets + 64 - auth_len, auth_len),
                   PARTS(bytes(want, text + 96)), icv);
        packet_seal(engines[0], &op, 1);
        assert_memory_equal(got, want, text + 96);
        assert_memory_equal(op.icv, icv, packet_icv_len(c, auth_of[k]));
    }
}

static void both_backends_give_the_same_octets(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 31, 32, 33, 48};
    static uint8_t a[ROOM], b[ROOM];
    if (n_engines < 2)
        skip();
    for (size_t k = 0; k < n_keys; k++) {
        for (size_t i = 0; i < ARRAY_LEN(lengths) + 1500 / 7; i++) {
            size_t n = i < ARRAY_LEN(lengths) ? lengths[i] : 7 * (i - ARRAY_LEN(lengths));
            size_t len = n / step(k) * step(k);
            struct packet_op x = packet_in(a, 0, k, len, (unsigned)i);
            struct packet_op y = packet_in(b, 1, k, len, (unsigned)i);
            packet_seal(engines[0], &x, 1);
            packet_seal(engines[1], &y, 1);
            assert_true(x.ok && y.ok);
            assert_memory_equal(a, b, ROOM);
            packet_open(engines[0], &x, 1);
            packet_open(engines[1], &y, 1);
            assert_true(x.ok && y.ok);
            assert_memory_equal(x.head, y.head, ROOM);
        }
    }
}

static void sealing_and_opening_stay_inside_the_packet(void **state)
{
    (void)state;
    static uint8_t got[ROOM], before[ROOM];
    for (size_t e = 0; e < n_engines; e++) {
        for (size_t k = 0; k < n_keys; k++) {
            struct packet_op op = packet_in(got, e, k, 10 * step(k), 77);
            packet_in(before, e, k, 10 * step(k), 77);
            size_t whole = whole_len(&op, k), text = (size_t)(op.text - got);
            packet_seal(engines[e], &op, 1);
            assert_memory_equal(got, before, text);
            assert_memory_equal(got + whole, before + whole, ROOM - whole);
            packet_open(engines[e], &op, 1);
            assert_true(op.ok);
            assert_memory_equal(got, before, text + op.text_len);
            assert_memory_equal(got + whole, before + whole, ROOM - whole);
        }
    }
}

/* Every octet counts: head, IV, text and ICV. */
static void tampered_packets_are_refused(void **state)
{
    (void)state;
    static uint8_t got[ROOM], sealed[ROOM];
    for (size_t e = 0; e < n_engines; e++) {
        for (size_t k = 0; k < n_keys; k++) {
            struct packet_op op = packet_in(got, e, k, 2 * step(k), 3);
            packet_seal(engines[e], &op, 1);
            memcpy(sealed, got, sizeof got);
            for (size_t i = 0; i < whole_len(&op, k); i++) {
                memcpy(got, sealed, sizeof got);
                got[i] ^= (uint8_t)(1u << i % 8);
                packet_open(engines[e], &op, 1);
                assert_false(op.ok);
            }
            memcpy(got, sealed, sizeof got);
            packet_open(engines[e], &op, 1);
            assert_true(op.ok);
        }
    }
}

static void lengths_are_part_of_what_is_authenticated(void **state)
{
    (void)state;
    static uint8_t got[ROOM];
    for (size_t e = 0; e < n_engines; e++) {
        for (size_t k = 0; k < n_keys; k++) {
            struct packet_op op = packet_in(got, e, k, 2 * step(k), 9);
            packet_seal(engines[e], &op, 1);
            uint8_t icv[PACKET_ICV_MAX];
            memcpy(icv, op.icv, packet_icv_len(cipher_of[k], auth_of[k]));
            op.text_len -= step(k);
            op.icv -= step(k);
            memcpy(op.icv, icv, packet_icv_len(cipher_of[k], auth_of[k]));
            packet_open(engines[e], &op, 1);
            assert_false(op.ok);
        }
    }
}

/* A full batch of all algorithms and many lengths, some of them damaged on the way: each packet
 * comes out as it would alone. */
static void mixed_batches_are_many_single_packets(void **state)
{
    (void)state;
    static uint8_t many[PACKET_BATCH_MAX][ROOM], single[ROOM], before[ROOM];
    struct packet_op ops[PACKET_BATCH_MAX];
    for (size_t e = 0; e < n_engines; e++) {
        for (unsigned round = 0; round < 40; round++) {
            size_t n = round == 0 ? PACKET_BATCH_MAX : 1 + round * 7 % PACKET_BATCH_MAX;
            for (unsigned i = 0; i < n; i++) {
                size_t k = (i * 5 + round) % n_keys, len = (i * 37 + round) % 90 * step(k);
                ops[i] = packet_in(many[i], e, k, len, i + round);
            }
            packet_seal(engines[e], ops, n);
            for (unsigned i = 0; i < n; i++) {
                size_t k = (i * 5 + round) % n_keys;
                struct packet_op op = packet_in(single, e, k, ops[i].text_len, i + round);
                packet_seal(engines[0],
                            &(struct packet_op){keys[0][k], op.head, op.head_len, op.iv, op.text,
                                                op.text_len, op.icv, false},
                            1);
                assert_memory_equal(many[i], single, ROOM);
                if ((i + round) % 3 == 0)
                    many[i][i % HEAD] ^= 0x80;
            }
            packet_open(engines[e], ops, n);
            for (unsigned i = 0; i < n; i++) {
                bool damaged = (i + round) % 3 == 0;
                assert_int_equal(ops[i].ok, !damaged);
                packet_in(before, e, (i * 5 + round) % n_keys, ops[i].text_len, i + round);
                if (!damaged)
                    assert_memory_equal(ops[i].text, before + (ops[i].text - many[i]),
                                        ops[i].text_len);
            }
        }
    }
}

static void an_empty_batch_is_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        packet_seal(engines[e], NULL, 0);
        packet_open(engines[e], NULL, 0);
    }
}

static void bad_keys_are_refused(void **state)
{
    (void)state;
    static const uint8_t key[80];
    for (size_t e = 0; e < n_engines; e++) {
        struct packet_key *k = NULL;
        for (unsigned c = 0; c < CIPHER_COUNT; c++) {
            for (unsigned a = 0; a < AUTH_COUNT; a++) {
                struct bytes ck = bytes(key, cipher_key_len((enum cipher)c));
                struct bytes ak = bytes(key, auth_key_len((enum auth)a));
                if (cipher_is_counter_mode((enum cipher)c) != (a == AUTH_NONE)) {
                    assert_int_equal(
                        packet_key_new(engines[e], (enum cipher)c, (enum auth)a, ck, ak, &k),
                        ERR_TYPE);
                    continue;
                }
                struct bytes longer = bytes(key, ck.len + 1), more = bytes(key, ak.len + 1);
                assert_int_equal(
                    packet_key_new(engines[e], (enum cipher)c, (enum auth)a, longer, ak, &k),
                    ERR_LENGTH);
                assert_int_equal(
                    packet_key_new(engines[e], (enum cipher)c, (enum auth)a, ck, more, &k),
                    ERR_LENGTH);
            }
        }
        assert_int_equal(packet_key_new(engines[e], CIPHER_COUNT, AUTH_HMAC_MD5_96, bytes(key, 16),
                                        bytes(key, 16), &k),
                         ERR_TYPE);
        assert_null(k);
    }
    packet_key_free(NULL);
}

static void the_best_engine_is_the_fast_one(void **state)
{
    (void)state;
    struct packet_engine *e = NULL;
    assert_int_equal(packet_engine_new(PACKET_BACKEND_BEST, &e), ERR_OK);
    assert_string_equal(packet_engine_name(e), packet_engine_name(engines[n_engines - 1]));
    packet_engine_free(e);
    packet_engine_free(NULL);
    e = NULL;
    assert_int_equal(packet_engine_new((enum packet_backend)99, &e), ERR_TYPE);
    assert_null(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_lengths),
        cmocka_unit_test(cbc_packets_are_cbc_then_hmac),
        cmocka_unit_test(both_backends_give_the_same_octets),
        cmocka_unit_test(sealing_and_opening_stay_inside_the_packet),
        cmocka_unit_test(tampered_packets_are_refused),
        cmocka_unit_test(lengths_are_part_of_what_is_authenticated),
        cmocka_unit_test(mixed_batches_are_many_single_packets),
        cmocka_unit_test(an_empty_batch_is_nothing),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(the_best_engine_is_the_fast_one),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

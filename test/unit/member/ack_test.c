/* The acknowledgement against values that were computed outside (RFC 8263; the KEK is the first one
 * of the captured exchange). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "member/vpn.h"
#include "test/hex.h"

static struct kek captured_kek(void)
{
    struct kek k = {.present = true, .cipher = CIPHER_3DES_CBC};

    memcpy(&k.cookies, hex("b032d4d16df4842dcd9ac55b0782d707").data, sizeof k.cookies);
    k.iv = secret_of(hex("e80bdac97d10672f"));
    k.key = secret_of(hex("d295455ca75f99c5dae4dc49b5531985ac093040ddae201c"));
    return k;
}

static struct ack ack_for(uint16_t type)
{
    struct kek k = captured_kek();
    return ack_of(&k, type, 1, ip_v4(0x0a00e025));
}

static const char header[] = "b032d4d16df4842d cd9ac55b0782d707 08 10 23 00 00000000";
static const char behind[] = "0500000800000001 0000000c010000000a00e025";

static void expect(const struct ack *a, const char *length, const char *hash_header,
                   const char *hash)
{
    char text[400];

    (void)snprintf(text, sizeof text, "%s %s %s %s %s", header, length, hash_header, hash, behind);
    assert_octets(bytes(a->b, a->len), hex(text));
}

static void with_sha_256(void **state)
{
    (void)state;
    struct ack a = ack_for(GDOI_ACK_KEK_SHA256);
    assert_int_equal(a.len, 84);
    expect(&a, "00000054", "12000024",
           "4b709008f4d7dbb3aec5b409b36693b8d9d7f6fa860561ae95d497dc6239aefa");
}

static void with_sha_512(void **state)
{
    (void)state;
    struct ack a = ack_for(GDOI_ACK_KEK_SHA512);
    assert_int_equal(a.len, 116);
    expect(&a, "00000074", "12000044",
           "04189779f084a2ee23dd7a705ade450a3778bb650e484579ef1c44e03c18d032"
           "d76aa3f1a6d85648fae48d9d7a620e2761c924d7abf3cef2597a7f573caf7ea6");
}

/* RFC 8263 4: it takes part all the same, and does not answer. */
static void of_no_other_kind(void **state)
{
    (void)state;
    static const uint16_t types[] = {0, GDOI_ACK_LKH_SHA256, GDOI_ACK_LKH_SHA512, 5, 65535};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct ack a = ack_for(types[i]);
        assert_int_equal(a.len, 0);
    }
}

static void of_a_member_with_a_long_address(void **state)
{
    (void)state;
    struct kek k = captured_kek();
    struct ip v6 = {6, {0x20, 1}};
    struct ack a = ack_of(&k, GDOI_ACK_KEK_SHA512, 7, v6);
    assert_int_equal(a.len, 128);
}

static int start_crypto(void **state)
{
    const char *text;
    struct crypto_use use = {.hashes = 1u << HASH_SHA256 | 1u << HASH_SHA512};
    (void)state;
    return crypto_start(use, &text) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_sha_256),
        cmocka_unit_test(with_sha_512),
        cmocka_unit_test(of_no_other_kind),
        cmocka_unit_test(of_a_member_with_a_long_address),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

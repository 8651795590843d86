#include "ike1/vendor.h"

#include "crypto/crypto.h"
#include "test/hex.h"

static void vendors_are_known_by_their_ids(void **state)
{
    static const enum ike1_vendor known[] = {IKE1_VENDOR_CONCLAVE, IKE1_VENDOR_D3P};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct bytes id = ike1_vendor_id(known[i]);
        assert_int_equal(id.len, IKE1_VENDOR_ID);
        assert_int_equal(ike1_vendor_of(id), known[i]);
        assert_int_equal(ike1_vendor_of(bytes(id.data, id.len - 1)), IKE1_VENDOR_OTHER);
    }
    assert_int_equal(ike1_vendor_of(bytes(NULL, 0)), IKE1_VENDOR_OTHER);
}

static void ids_are_hashes_of_names(void **state)
{
    const struct crypto_use use = {.hashes = 1u << HASH_SHA256 | 1u << HASH_MD5};
    const char *what = NULL;
    uint8_t digest[HASH_MAX];

    (void)state;
    assert_int_equal(crypto_start(use, &what), ERR_OK);
    hash_parts(HASH_SHA256, PARTS(bytes_str("Conclave group VPN 1")), digest);
    assert_octets(ike1_vendor_id(IKE1_VENDOR_CONCLAVE), bytes(digest, IKE1_VENDOR_ID));
    hash_parts(HASH_MD5, PARTS(bytes_str("draft-weis-delay-detection-01")), digest);
    assert_octets(ike1_vendor_id(IKE1_VENDOR_D3P), bytes(digest, IKE1_VENDOR_ID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vendors_are_known_by_their_ids),
        cmocka_unit_test(ids_are_hashes_of_names),
    };
    return cmocka_run_group_tests_name("ike1/vendor", tests, NULL, NULL);
}

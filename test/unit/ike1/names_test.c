#include "ike1/numbers.h"
#include "test/check.h"

#include <stdint.h>

/* First, last, one past, and a gap of each list. */
static void numbers_have_names(void **state)
{
    static const struct {
        const char *(*name)(unsigned);
        unsigned number;
        const char *want;
    } cases[] = {
        {ike1_payload_name, 0, "NONE"},
        {ike1_payload_name, 14, "unknown"},
        {ike1_payload_name, 19, "POP"},
        {ike1_payload_name, 22, "GAP"},
        {ike1_payload_name, 23, "unknown"},
        {ike1_exchange_name, 0, "unknown"},
        {ike1_exchange_name, 1, "base"},
        {ike1_exchange_name, 34, "unknown"},
        {ike1_exchange_name, 35, "groupkey-push-ack"},
        {ike1_doi_name, 2, "gdoi"},
        {ike1_doi_name, 3, "unknown"},
        {ike1_protocol_name, 3, "esp"},
        {ike1_protocol_name, 4, "unknown"},
        {ike1_id_type_name, 0, "unknown"},
        {ike1_id_type_name, 1, "ipv4-address"},
        {ike1_id_type_name, 11, "key-id"},
        {ike1_id_type_name, 12, "unknown"},
        {ike1_attribute_name, 14, "key-length"},
        {ike1_attribute_name, 17, "unknown"},
        {ike1_encryption_name, 7, "aes-cbc"},
        {ike1_encryption_name, 8, "unknown"},
        {ike1_hash_name, 6, "sha-512"},
        {ike1_hash_name, 7, "unknown"},
        {ike1_auth_name, 1, "pre-shared-keys"},
        {ike1_auth_name, 6, "unknown"},
        {ike1_life_name, 2, "kilobytes"},
        {ike1_life_name, 3, "unknown"},
        {ike1_notify_name, 18, "INVALID-ID-INFORMATION"},
        {ike1_notify_name, 31, "unknown"},
        {ike1_notify_name, 24578, "INITIAL-CONTACT"},
        {ike1_notify_name, 65536, "unknown"},
        {ike1_cert_name, 4, "x509-signature"},
        {ike1_cert_name, 11, "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(cases[i].name(cases[i].number), cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_have_names)};
    return cmocka_run_group_tests_name("ike1/names", tests, NULL, NULL);
}

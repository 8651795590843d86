#include "gdoi/numbers.h"
#include "test/check.h"

#include <stdint.h>

/* First, last and one past of each list. */
static void numbers_have_names(void **state)
{
    static const struct {
        const char *(*name)(unsigned);
        unsigned first, last;
        const char *first_name, *last_name;
    } lists[] = {
        {gdoi_kek_alg_name, 1, 3, "des-cbc", "aes-cbc"},
        {gdoi_sig_hash_name, 1, 5, "md5", "sha-512"},
        {gdoi_sig_alg_name, 1, 6, "rsa", "ecdsa-521"},
        {gdoi_ack_name, 1, 4, "rekey-ack-kek-sha256", "rekey-ack-lkh-sha512"},
        {gdoi_protocol_name, 0, 2, "kek", "ah"},
        {gdoi_esp_name, 2, 20, "des-cbc", "aes-gcm-16"},
        {gdoi_encapsulation_name, 1, 2, "tunnel", "transport"},
        {gdoi_auth_name, 1, 7, "hmac-md5-96", "hmac-sha-512-256"},
        {gdoi_preserve_name, 1, 4, "none", "source-and-destination"},
        {gdoi_direction_name, 1, 3, "sender-only", "symmetric"},
        {gdoi_kd_name, 1, 4, "tek", "sid"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        assert_string_equal(lists[i].name(lists[i].first - 1), "unknown");
        assert_string_equal(lists[i].name(lists[i].first), lists[i].first_name);
        assert_string_equal(lists[i].name(lists[i].last), lists[i].last_name);
        assert_string_equal(lists[i].name(lists[i].last + 1), "unknown");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_have_names)};
    return cmocka_run_group_tests_name("gdoi/names", tests, NULL, NULL);
}

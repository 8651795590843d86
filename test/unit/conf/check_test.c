#include "conf/check.h"
#include "test/check.h"

static struct arena arena;

static struct conf_check check_of(enum conf_role role, const char *text)
{
    struct conf_check check;
    conf_check(&arena, role, "a.conf", bytes_str(text), &check);
    return check;
}

static const char good[] =
    "set security group-vpn server ike proposal p dh-group group14 authentication-algorithm "
    "sha-256\n"
    "set security group-vpn server ike proposal p encryption-algorithm aes-128-cbc\n"
    "set security group-vpn server ike policy q proposals p pre-shared-key ascii-text k\n"
    "set security group-vpn server ike gateway g ike-policy q address 192.0.2.9\n"
    "set security group-vpn server ipsec proposal e encryption-algorithm aes-128-cbc\n"
    "set security group-vpn server ipsec proposal e authentication-algorithm hmac-sha-256-128\n"
    "set security group-vpn server group s group-id 1 server-address 192.0.2.1 ike-gateway g\n"
    "set security group-vpn server group s ipsec-sa a proposal e\n"
    "set security group-vpn server group s ipsec-sa a match-policy m source 0.0.0.0 destination "
    "0.0.0.0\n";

static const char *with(const char *more) { return arena_text(&arena, "%s%s", good, more); }

static void test_verdicts(void **state)
{
    (void)state;
    struct conf_check c =
        check_of(CONF_ROLE_SERVER, with("set security group-vpn server group s no-anti-replay\n"));
    assert_int_equal(conf_check_verdict(&c), ERR_OK);
    assert_int_equal(conf_check_exit_code(&c), 0);
    assert_string_equal(conf_check_report(&c), "a.conf: configuration check succeeds\n");

    c = check_of(CONF_ROLE_SERVER, with("set security group-vpn server traceoptions level all\n"));
    assert_int_equal(conf_check_verdict(&c), ERR_UNBUILT);
    assert_int_equal(conf_check_exit_code(&c), 0);
    assert_string_equal(
        conf_check_report(&c),
        "a.conf:10:31: security group-vpn server traceoptions: not supported yet\n"
        "a.conf: configuration check succeeds, but 1 statement is not supported yet: the program "
        "will not start\n");

    c = check_of(CONF_ROLE_SERVER, with("set security group-vpn server group s group-id 0\n"));
    assert_int_equal(conf_check_verdict(&c), ERR_CONFIG);
    assert_int_equal(conf_check_exit_code(&c), 1);
}

static void test_roles(void **state)
{
    (void)state;
    struct conf_check c = check_of(CONF_ROLE_MEMBER, good);
    assert_int_equal(conf_check_verdict(&c), ERR_CONFIG);
    assert_string_equal(c.diags.list[0].path, "security group-vpn member");
    c = check_of(CONF_ROLE_SERVER, "");
    assert_int_equal(conf_check_verdict(&c), ERR_CONFIG);
    assert_string_equal(c.diags.list[0].path, "security group-vpn server");
    c = check_of(CONF_ROLE_ANY, "");
    assert_int_equal(conf_check_verdict(&c), ERR_OK);
}

/* A server that has ten thousand members is read in one go, without quadratic surprises. */
static void test_many_gateways(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    size_t room = MANY * 128, n = 0;
    char *text = arena_alloc(&arena, room + sizeof good);
    n += (size_t)snprintf(text, room, "%s", good);
    for (unsigned i = 0; i < MANY; i++)
        n += (size_t)snprintf(
            text + n, 128,
            "set security group-vpn server ike gateway m%u ike-policy q address 10.0.%u.%u\n", i,
            i >> 8, i & 255);
    struct conf_check c = check_of(CONF_ROLE_SERVER, text);
    assert_int_equal(conf_diags_count(&c.diags, CONF_ERROR), 0);
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_many_gateways),
    };
    return cmocka_run_group_tests(tests, NULL, drop_arena);
}

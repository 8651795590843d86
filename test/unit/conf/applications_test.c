#include "conf/applications.h"
#include "test/check.h"

static void test_applications(void **state)
{
    (void)state;
    const struct conf_application *bgp = conf_application("junos-bgp");
    assert_int_equal(bgp->protocol, 6);
    assert_int_equal(bgp->port_first, 179);
    assert_int_equal(bgp->port_last, 179);
    const struct conf_application *ospf = conf_application("junos-ospf");
    assert_int_equal(ospf->protocol, 89);
    assert_int_equal(ospf->port_first, 0);
    assert_int_equal(ospf->port_last, 65535);
    assert_int_equal(conf_application("any")->protocol, 0);
    assert_null(conf_application("junos"));
    assert_null(conf_application(""));
}

static void test_the_table(void **state)
{
    (void)state;
    for (const struct conf_application *a = conf_applications; a->name; a++) {
        assert_ptr_equal(conf_application(a->name), a);
        assert_true(a->port_first <= a->port_last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_applications),
        cmocka_unit_test(test_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

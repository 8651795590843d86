#include "data/nft.h"

#include "test/check.h"

#include <stdlib.h>

static struct prefix prefix(const char *text)
{
    struct prefix p = {0};
    assert_true(prefix_parse(text, false, &p));
    return p;
}

static char *rendered(void (*render)(FILE *, const void *), const void *what)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    render(out, what);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void render_vpn(FILE *out, const void *vpn) { nft_render_policy(out, vpn, 1); }

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static const struct esp_vpn_config config = {
    .vpn = "red", .group = 7, .external_interface = "wan0", .tunnel_mtu = 1500};

static void selectors(void **state)
{
    (void)state;
    const struct esp_selector s[] = {
        {prefix("10.1.0.0/16"), prefix("10.0.0.0/8"), 0, 0, 0},
        {prefix("10.1.0.0/16"), prefix("0.0.0.0/0"), 9, 5000, 17},
        {prefix("0.0.0.0/0"), prefix("10.2.0.1/32"), 0, 53, 0},
    };
    struct nft_vpn v = {.config = &config,
                        .selectors = s,
                        .n_selectors = 3,
                        .known = true,
                        .can_send = true,
                        .alive = true};
    char *text = rendered(render_vpn, &v);
    const char *drop = "counter name policy_dropped drop\n";
    assert_non_null(strstr(text, "conclave_guard policy_7 ip saddr 10.1.0.0/16 ip daddr 10.0.0.0/8 "
                                 "counter name policy_dropped drop\n"));
    assert_non_null(strstr(text, "conclave_guard policy_7 ip saddr 10.1.0.0/16 meta l4proto 17 th "
                                 "sport 9 th dport 5000 counter"));
    /* a port without a protocol: each that has ports */
    assert_non_null(strstr(text, "ip daddr 10.2.0.1/32 meta l4proto 132 th dport 53 counter"));
    assert_int_equal(count(text, drop), 1 + 1 + 5);
    assert_int_equal(count(text, "| 0x10000 accept\n"), 1 + 1 + 5);
    /* what has the addresses of a policy with ports, and other ports, passes the TUN by */
    assert_int_equal(count(text, "conclave_steer rest_7 ip"), 2);
    assert_int_equal(count(text, "fail_closed"), 0);
    free(text);
}

static void without_keys(void **state)
{
    (void)state;
    const struct esp_rule rule = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), 6, 80, 90};
    struct esp_vpn_config c = config;
    c.fail_open = &rule;
    c.n_fail_open = 1;
    struct nft_vpn v = {.config = &c, .alive = true};
    char *text = rendered(render_vpn, &v);
    assert_int_equal(count(text, "conclave_guard failopen ip saddr"), 2);
    assert_non_null(strstr(text, "failopen ip saddr 10.1.0.0/16 ip daddr 10.2.0.0/16 meta l4proto "
                                 "6 th dport 80-90 counter name fail_open accept\n"));
    assert_non_null(strstr(text, "failopen ip saddr 10.2.0.0/16 ip daddr 10.1.0.0/16 meta l4proto "
                                 "6 th sport 80-90 counter name fail_open accept\n"));
    assert_int_equal(count(text, "counter name fail_closed drop\n"), 2);
    /* not installed yet: what stands in the kernel is left */
    assert_int_equal(count(text, "flush chain ip conclave_guard policy_7"), 0);
    free(text);

    v.alive = false; /* nobody there: not even fail-open */
    text = rendered(render_vpn, &v);
    assert_int_equal(count(text, "conclave_guard failopen ip saddr"), 0);
    assert_int_equal(count(text, "counter name fail_closed drop\n"), 2);
    free(text);

    v.alive = v.can_send = true; /* with keys fail-open is empty */
    text = rendered(render_vpn, &v);
    assert_int_equal(count(text, "failopen ip saddr"), 0);
    assert_int_equal(count(text, "fail_closed"), 0);
    free(text);
}

static void excludes_hold_always(void **state)
{
    (void)state;
    const struct esp_rule rule = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), 0, 0, UINT16_MAX};
    struct esp_vpn_config c = config;
    c.exclude = &rule;
    c.n_exclude = 1;
    for (int alive = 0; alive < 2; alive++) {
        struct nft_vpn v = {.config = &c, .alive = alive};
        char *text = rendered(render_vpn, &v);
        assert_int_equal(count(text, "exclude ip saddr"), 4);
        free(text);
    }
}

static void render_two(FILE *out, const void *vpns) { nft_render_setup(out, vpns, 2); }

/* A table or set that is replaced lets packets through for a moment; chains that are refilled do
 * not. */
static void nothing_is_ever_replaced(void **state)
{
    (void)state;
    struct esp_vpn_config vpns[] = {config, config};
    vpns[1].vpn = "blue";
    vpns[1].group = 8;
    char *text = rendered(render_two, vpns);
    assert_int_equal(count(text, "delete"), 0);
    assert_int_equal(count(text, "set {"), 0);
    assert_int_equal(count(text, "flush table"), 0);
    assert_int_equal(count(text, "flush ruleset"), 0);
    assert_int_equal(count(text, "policies jump policy_7\n"), 2);
    assert_int_equal(count(text, "policies jump policy_8\n"), 2);
    assert_int_equal(count(text, "out oifname \"wan0\" jump check\n"), 1); /* one interface */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors),
        cmocka_unit_test(without_keys),
        cmocka_unit_test(excludes_hold_always),
        cmocka_unit_test(nothing_is_ever_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Joining and leaving the multicast groups in which KEKs are heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "member/vpn.h"

#include <string.h>

static struct model_vpn models[] = {{.name = "a", .external_interface = "eth1"},
                                    {.name = "b", .external_interface = "eth1"},
                                    {.name = "c", .external_interface = "eth2"},
                                    {.name = "d"}};
enum { VPNS = ARRAY_LEN(models) };

struct world {
    struct vpn vpns[VPNS];
    struct membership memberships[2 * VPNS];
    struct member m;
    struct effects out;
};

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < VPNS; i++)
        w->vpns[i].model = &models[i];
    w->m.vpns = w->vpns;
    w->m.n_vpns = VPNS;
    w->m.memberships = w->memberships;
}

static const struct ip group_1 = {4, {239, 1, 1, 1}}, group_2 = {4, {239, 1, 1, 2}};

static struct kek heard_in(struct ip group)
{
    return (struct kek){.present = true, .group = group};
}

/* What comes of it, as "+239.1.1.1@eth1 -..." */
static void follow(struct world *w, const char *want)
{
    char text[300] = "";
    size_t n = 0;

    multicast_follow(&w->m, &w->out);
    for (const struct effect *e = w->out.first; e; e = e->next) {
        char ip[IP_TEXT_MAX];
        assert_int_equal(e->kind, EFFECT_MULTICAST);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s@%s", n ? " " : "",
                              e->multicast.join ? "+" : "-",
                              ip_text(e->multicast.group, ip, sizeof ip), e->multicast.interface);
    }
    effects_reset(&w->out);
    assert_string_equal(text, want);
}

static void from_the_first_kek_to_the_last(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    follow(&w, "");
    w.vpns[0].keks.current = heard_in(group_1);
    follow(&w, "+239.1.1.1@eth1");
    follow(&w, "");
    w.vpns[0].keks.previous = w.vpns[0].keks.current;
    w.vpns[0].keks.current = heard_in(group_2);
    follow(&w, "+239.1.1.2@eth1");
    keks_wipe(&w.vpns[0].keks);
    w.vpns[0].keks.current = heard_in(group_2);
    follow(&w, "-239.1.1.1@eth1");
    keks_wipe(&w.vpns[0].keks);
    follow(&w, "-239.1.1.2@eth1");
    assert_int_equal(w.m.n_memberships, 0);
    effects_free(&w.out);
}

/* Two VPNs behind one interface hear one group once; another interface is another matter. */
static void several_vpns_share_a_group(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < VPNS; i++)
        w.vpns[i].keks.current = heard_in(group_1);
    follow(&w, "+239.1.1.1@eth1 +239.1.1.1@eth2"); /* and "d" has no interface */
    keks_wipe(&w.vpns[0].keks);
    follow(&w, "");
    keks_wipe(&w.vpns[1].keks);
    follow(&w, "-239.1.1.1@eth1");
    keks_wipe(&w.vpns[2].keks);
    follow(&w, "-239.1.1.1@eth2");
    effects_free(&w.out);
}

static void unicast_is_not_joined(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    w.vpns[0].keks.current = heard_in(IP_NONE);
    follow(&w, "");
    effects_free(&w.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_first_kek_to_the_last),
        cmocka_unit_test(several_vpns_share_a_group),
        cmocka_unit_test(unicast_is_not_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

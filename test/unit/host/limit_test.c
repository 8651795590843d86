#include "host/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct host_limit limit;
static const instant_t start = {1000 * NS_PER_S};

static struct event event_from(const char *peer)
{
    struct event e = event_of(EV_DATAGRAM_DROPPED);
    event_add_str(&e, "peer", peer);
    return e;
}

static unsigned admitted(instant_t now, const struct event *e, unsigned n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n; i++)
        count += host_limit_admit(&limit, now, e);
    return count;
}

static void a_burst_passes_and_then_a_rate(void **state)
{
    struct event e = event_from("10.0.0.1:848");

    (void)state;
    host_limit_start(&limit, start);
    assert_int_equal(admitted(start, &e, 100), HOST_LIMIT_BURST);
    assert_int_equal(admitted(instant_add(start, span_s(1)), &e, 100), HOST_LIMIT_PER_S);
    assert_int_equal(admitted(instant_add(start, span_ms(1100)), &e, 100), 0);
    assert_int_equal(admitted(instant_add(start, span_s(3600)), &e, 100), HOST_LIMIT_BURST);
}

static void a_port_does_not_make_a_new_peer(void **state)
{
    struct event a = event_from("10.0.0.1:1"), b = event_from("10.0.0.1:65535");

    (void)state;
    host_limit_start(&limit, start);
    assert_int_equal(admitted(start, &a, 100), HOST_LIMIT_BURST);
    assert_int_equal(admitted(start, &b, 100), 0);
}

static void one_peer_does_not_silence_others(void **state)
{
    struct event noisy = event_from("10.0.0.1:848"), other = event_from("10.0.0.2:848");
    struct event local = event_of(EV_DATAGRAM_DROPPED), kind = event_of(EV_PHASE1_FAILED);

    (void)state;
    host_limit_start(&limit, start);
    assert_int_equal(admitted(start, &noisy, 100), HOST_LIMIT_BURST);
    assert_int_equal(admitted(start, &other, 1), 1);
    assert_int_equal(admitted(start, &local, 1), 1);
    event_add_str(&kind, "peer", "10.0.0.1:848");
    assert_int_equal(admitted(start, &kind, 1), 1);
}

static void the_suppressed_are_told_once(void **state)
{
    struct event e = event_from("10.0.0.1:848");
    enum event_id id = EV_STARTED;
    uint64_t n = 0;

    (void)state;
    host_limit_start(&limit, start);
    assert_true(instant_is_never(limit.report));
    admitted(start, &e, HOST_LIMIT_BURST + 7);
    assert_int_equal(limit.report.ns, instant_add(start, span_s(HOST_LIMIT_REPORT_S)).ns);
    assert_true(host_limit_take(&limit, &id, &n));
    assert_int_equal(id, EV_DATAGRAM_DROPPED);
    assert_int_equal(n, 7);
    assert_false(host_limit_take(&limit, &id, &n));
    assert_true(instant_is_never(limit.report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_a_rate),
        cmocka_unit_test(a_port_does_not_make_a_new_peer),
        cmocka_unit_test(one_peer_does_not_silence_others),
        cmocka_unit_test(the_suppressed_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

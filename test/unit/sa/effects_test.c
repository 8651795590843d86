/* The list of effects: in order, copied, wiped. */
#include "unit/sa/duo.h"

static void keeps_order_and_copies(void **state)
{
    (void)state;
    struct effects out = {0};
    struct endpoint a = {ip_v4(1), 2}, b = {ip_v4(3), 4};
    char datagram[] = "datagram";
    struct job job = {.id = 9};
    struct event event = event_of(EV_STARTED);
    const struct esp_vpn_install *install = (const void *)datagram;

    effects_send(&out, a, b, bytes_str(datagram));
    effects_job(&out, &job);
    effects_tell(&out, &event);
    effects_install(&out, install);
    datagram[0] = 'X';
    job.id = 0;
    const struct effect *e = out.first;
    assert_int_equal(out.n, 4);
    assert_int_equal(e->kind, EFFECT_SEND);
    assert_true(endpoint_equal(e->send.from, a) && endpoint_equal(e->send.to, b));
    assert_true(bytes_equal(e->send.datagram, bytes_str("datagram")));
    e = e->next;
    assert_int_equal(e->kind, EFFECT_JOB);
    assert_int_equal(e->job->id, 9);
    e = e->next;
    assert_int_equal(e->kind, EFFECT_TELL);
    assert_int_equal(e->event->id, EV_STARTED);
    e = e->next;
    assert_int_equal(e->kind, EFFECT_INSTALL);
    assert_ptr_equal(e->install, install);
    assert_null(e->next);
    effects_reset(&out);
    assert_int_equal(out.n, 0);
    assert_null(out.first);
    effects_send(&out, a, b, bytes_str(datagram));
    assert_ptr_equal(out.first, out.last);
    effects_free(&out);
    assert_null(out.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order_and_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

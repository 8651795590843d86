#include "host/loop.h"
#include "host/udp.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 100 }; /* more than a batch */

static struct {
    struct host *host;
    struct host_udp *a, *b;
    unsigned n_received, n_batches, n_failed, want, n_fanned_out, want_fanned_out;
    struct host_udp_fanned_out result;
    char interface[HOST_INTERFACE_MAX]; /* as it was told; "": none */
    struct endpoint from, to;
    uint8_t last[8];
    size_t last_len;
} w;

static void due(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
    fail_msg("nothing arrived");
}

static void stop(void *ctx) { (void)ctx; }

static void received(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data, size_t len)
{
    (void)ctx;
    w.n_received++;
    w.from = from;
    w.to = to;
    w.last_len = len;
    memcpy(w.last, data, len < sizeof w.last ? len : sizeof w.last);
}

static void batch_end(void *ctx)
{
    (void)ctx;
    w.n_batches++;
    if (w.n_received >= w.want)
        host_quit(w.host);
}

static void failed(void *ctx, struct endpoint to, int error)
{
    (void)ctx;
    (void)to;
    assert_true(error != 0);
    w.n_failed++;
}

static void fanned_out(void *ctx, const struct host_udp_fanned_out *result)
{
    (void)ctx;
    w.n_fanned_out++;
    w.result = *result;
    w.result.interface = NULL; /* the hook's only */
    snprintf(w.interface, sizeof w.interface, "%s", result->interface ? result->interface : "");
    if (w.n_fanned_out == w.want_fanned_out)
        host_quit(w.host);
}

static const struct host_udp_hooks hooks = {NULL, received, batch_end, failed, fanned_out};

static struct endpoint loopback(uint16_t port)
{
    return (struct endpoint){ip_v4(0x7f000001), port};
}

static int setup(void **state)
{
    const struct host_hooks host_hooks = {NULL, due, stop};

    (void)state;
    memset(&w, 0, sizeof w);
    assert_int_equal(host_new(&host_hooks, 1, &w.host), ERR_OK);
    assert_int_equal(host_udp_open(w.host, loopback(0), 0, &hooks, &w.a), ERR_OK);
    assert_int_equal(host_udp_open(w.host, loopback(0), 0, &hooks, &w.b), ERR_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_udp_close(w.a);
    host_udp_close(w.b);
    host_udp_close(NULL);
    host_free(w.host);
    return 0;
}

static void datagrams_arrive_with_their_addresses(void **state)
{
    (void)state;
    w.want = MANY;
    for (uint8_t i = 0; i < MANY; i++)
        host_udp_send(w.a, host_udp_local(w.b), bytes(&i, 1));
    assert_int_equal(host_udp_counters(w.a).sent, 0); /* not before the flush */
    host_udp_flush(w.a);
    host_run(w.host);
    assert_int_equal(w.n_received, MANY);
    assert_true(endpoint_equal(w.from, host_udp_local(w.a)));
    assert_true(endpoint_equal(w.to, host_udp_local(w.b)));
    assert_int_equal(w.last_len, 1);
    assert_int_equal(w.last[0], MANY - 1);
    assert_int_equal(host_udp_counters(w.a).sent, MANY);
    assert_int_equal(host_udp_counters(w.b).received, MANY);
}

static void too_large_ones_are_dropped(void **state)
{
    static uint8_t large[HOST_UDP_DATAGRAM_MAX + 1];

    (void)state;
    w.want = 2;
    host_udp_send(w.a, host_udp_local(w.b), BYTES_OF(large));
    host_udp_send(w.a, host_udp_local(w.b), bytes(large, HOST_UDP_DATAGRAM_MAX));
    host_udp_send(w.a, host_udp_local(w.b), bytes(NULL, 0));
    host_udp_flush(w.a);
    host_run(w.host);
    assert_int_equal(host_udp_counters(w.b).too_large, 1);
    assert_int_equal(w.n_received, 2);
}

static void what_cannot_be_sent_does_not_hold_up_the_rest(void **state)
{
    static uint8_t beyond_udp[65536];

    (void)state;
    w.want = 1;
    host_udp_send(w.a, host_udp_local(w.b), BYTES_OF(beyond_udp));
    host_udp_send(w.a, host_udp_local(w.b), bytes_str("x"));
    host_udp_flush(w.a);
    host_run(w.host);
    assert_int_equal(w.n_failed, 1);
    assert_int_equal(host_udp_counters(w.a).failed, 1);
    assert_int_equal(w.n_received, 1);
}

static void the_queue_has_an_end(void **state)
{
    static uint8_t large[60000];

    (void)state;
    for (size_t n = 0; n <= HOST_UDP_QUEUE_MAX; n += sizeof large)
        host_udp_send(w.a, host_udp_local(w.b), BYTES_OF(large));
    assert_true(host_udp_counters(w.a).queue_full > 0);
}

/* ---- fan-outs ---- */

static void fan_out(const struct endpoint *to, size_t n, const char *interface)
{
    const struct host_udp_fanout what = {to, n, bytes_str("push"), interface};
    host_udp_fanout(w.a, &what);
}

static void a_fanout_reaches_everybody(void **state)
{
    enum { N = 2 * HOST_UDP_FANOUT_CHUNK + 3 };
    static struct endpoint to[N];

    (void)state;
    w.want = N + 1;
    for (size_t i = 0; i < N; i++)
        to[i] = host_udp_local(w.b);
    fan_out(to, N, NULL);
    memset(to, 0, sizeof to); /* it has its own */
    assert_int_equal(host_udp_counters(w.a).sent, 0);
    host_udp_send(w.a, host_udp_local(w.b), bytes_str("one"));
    host_udp_flush(w.a);
    assert_int_equal(host_udp_counters(w.a).sent, 1); /* a single datagram does not wait for it */
    host_run(w.host);
    assert_int_equal(w.n_received, N + 1);
    assert_memory_equal(w.last, "push", 4);
    assert_int_equal(w.n_fanned_out, 1);
    assert_int_equal(w.result.n_sent, N);
    assert_int_equal(w.result.n_failed, 0);
    assert_true(w.n_batches >= 3); /* read in between, at least once a chunk */
    assert_int_equal(host_udp_counters(w.a).sent, N + 1);
}

static void fanouts_follow_each_other(void **state)
{
    const struct endpoint to[] = {host_udp_local(w.b), host_udp_local(w.b)};

    (void)state;
    w.want = UINT_MAX;
    w.want_fanned_out = 3;
    for (int i = 0; i < 3; i++)
        fan_out(to, ARRAY_LEN(to), NULL);
    host_run(w.host);
    assert_int_equal(host_udp_counters(w.a).sent, 6);
}

static void who_cannot_be_reached_does_not_keep_the_others_from_it(void **state)
{
    const struct endpoint nobody = {ip_v4(0), 0}; /* port 0: EINVAL */
    const struct endpoint to[] = {nobody, host_udp_local(w.b), nobody, host_udp_local(w.b)};

    (void)state;
    w.want = 2;
    fan_out(to, ARRAY_LEN(to), NULL);
    host_run(w.host);
    assert_int_equal(w.n_received, 2);
    assert_int_equal(w.result.n_sent, 2);
    assert_int_equal(w.result.n_failed, 2);
    assert_int_not_equal(w.result.error, 0);
    assert_true(endpoint_equal(w.result.to, nobody));
    assert_int_equal(host_udp_counters(w.a).failed, 2);
    assert_int_equal(w.n_failed, 0); /* told once, not for each */
}

static void an_interface_that_is_not_there_fails_it(void **state)
{
    const struct endpoint to[] = {{ip_v4(0xefff0001), 848}, {ip_v4(0xefff0002), 848}};

    (void)state;
    w.want = UINT_MAX;
    w.want_fanned_out = 1;
    fan_out(to, ARRAY_LEN(to), "nowhere0");
    host_run(w.host);
    assert_int_equal(w.result.n_failed, 2);
    assert_int_equal(w.result.error, ENODEV);
    assert_string_equal(w.interface, "nowhere0");
}

/* The kernel's names are shorter than those of a statement: one that is cut would be another one's.
 */
static void an_interface_that_no_kernel_has_fails_it(void **state)
{
    const struct endpoint to = {ip_v4(0xefff0001), 848};
    char name[INTERFACE_NAME_MAX + 1] = "lo";

    (void)state;
    memset(name + 2, 'x', sizeof name - 3);
    w.want = UINT_MAX;
    for (size_t len = sizeof name - 1; len > 2; len--) {
        name[len] = '\0';
        w.want_fanned_out = w.n_fanned_out + 1;
        fan_out(&to, 1, name);
        host_run(w.host);
        assert_int_equal(w.result.n_failed, 1);
        assert_int_equal(w.result.error, ENODEV);
        assert_string_equal(w.interface, name);
    }
}

static void fanouts_that_wait_have_an_end(void **state)
{
    enum { N = HOST_UDP_FANOUT_WAITING / 4 + 1 };
    struct endpoint *to = calloc(N, sizeof *to);

    (void)state;
    assert_non_null(to);
    to[0] = host_udp_local(w.b);
    for (int i = 0; i < 3; i++)
        fan_out(to, N, NULL);
    assert_int_equal(w.n_fanned_out, 0);
    fan_out(to, N, NULL);
    assert_int_equal(w.n_fanned_out, 1);
    assert_int_equal(w.result.error, ENOBUFS);
    assert_int_equal(w.result.n_failed, N);
    assert_int_equal(host_udp_counters(w.a).queue_full, N);
    free(to);
}

/* ---- closing ---- */

static void close_it(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data, size_t len)
{
    received(ctx, from, to, data, len);
    host_udp_close(w.b);
    w.b = NULL;
}

static void a_socket_may_be_closed_by_its_own_hook(void **state)
{
    struct host_udp_hooks closing = hooks;
    struct endpoint b = host_udp_local(w.b);

    (void)state;
    closing.received = close_it;
    host_udp_close(w.b);
    assert_int_equal(host_udp_open(w.host, b, 0, &closing, &w.b), ERR_OK);
    w.want = 1;
    for (int i = 0; i < 3; i++)
        host_udp_send(w.a, b, bytes_str("x"));
    host_udp_flush(w.a);
    host_run(w.host);
    assert_int_equal(w.n_received, 1); /* of the three that were there */
}

static void an_address_in_use_is_an_error(void **state)
{
    struct host_udp *c = NULL;
    struct endpoint foreign = {ip_v4(0xc0000201), 0}; /* 192.0.2.1 is on no interface */

    (void)state;
    assert_int_equal(host_udp_open(w.host, host_udp_local(w.a), 0, &hooks, &c), ERR_BUSY);
    assert_int_equal(host_udp_open(w.host, foreign, 0, &hooks, &c), ERR_SYSTEM);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(datagrams_arrive_with_their_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large_ones_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent_does_not_hold_up_the_rest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_queue_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fanout_reaches_everybody, setup, teardown),
        cmocka_unit_test_setup_teardown(fanouts_follow_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(who_cannot_be_reached_does_not_keep_the_others_from_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_interface_that_is_not_there_fails_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interface_that_no_kernel_has_fails_it, setup, teardown),
        cmocka_unit_test_setup_teardown(fanouts_that_wait_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_socket_may_be_closed_by_its_own_hook, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_in_use_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

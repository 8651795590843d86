#include "host/clock.h"
#include "host/loop.h"
#include "host/multicast.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* One program that sends, two that hear, all on the loopback interface. */
static struct {
    struct host *host;
    struct host_udp *sender;
    struct host_multicast *one, *two;
    struct ip group;
    uint16_t port;
    unsigned n_received, n_changed, want;
    struct endpoint to;
    int error;
} w;

static void due(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
    host_quit(w.host);
}

static void stop(void *ctx) { (void)ctx; }

static void received(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    assert_true(endpoint_equal(from, host_udp_local(w.sender)));
    w.n_received++;
    w.to = to;
}

static void batch_end(void *ctx)
{
    (void)ctx;
    if (w.n_received == w.want)
        host_quit(w.host);
}

static void failed(void *ctx, struct endpoint to, int error)
{
    (void)ctx;
    (void)to;
    (void)error;
    fail_msg("a datagram could not be sent");
}

static void changed(void *ctx, struct ip group, const char *interface, int error)
{
    (void)ctx;
    (void)interface;
    assert_true(ip_is_multicast(group));
    w.n_changed++;
    w.error = error;
}

static int setup(void **state)
{
    const struct host_hooks host_hooks = {NULL, due, stop};
    const struct host_multicast_hooks hooks = {{NULL, received, batch_end, failed, NULL}, changed};
    struct endpoint loopback = {ip_v4(0x7f000001), 0};

    (void)state;
    memset(&w, 0, sizeof w);
    w.group = ip_v4(0xefff0000 | ((unsigned)getpid() & 0xffff)); /* runs do not meet */
    assert_int_equal(host_new(&host_hooks, 1, &w.host), ERR_OK);
    assert_int_equal(host_udp_open(w.host, loopback, 0, &hooks.udp, &w.sender), ERR_OK);
    w.port = host_udp_local(w.sender).port;
    assert_int_equal(host_multicast_new(w.host, w.port, 0, &hooks, &w.one), ERR_OK);
    assert_int_equal(host_multicast_new(w.host, w.port, 0, &hooks, &w.two), ERR_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_multicast_free(w.one);
    host_multicast_free(w.two);
    host_multicast_free(NULL);
    host_udp_close(w.sender);
    host_free(w.host);
    return 0;
}

/* Runs until `want` have heard it, or for a moment when nobody shall. */
static void multicast(unsigned want)
{
    const struct endpoint to = {w.group, w.port};
    const struct host_udp_fanout what = {&to, 1, bytes_str("push"), "lo"};

    w.n_received = 0;
    w.want = want;
    host_arm(w.host, want ? INSTANT_NEVER : instant_add(host_now(), span_ms(50)));
    host_udp_fanout(w.sender, &what);
    host_run(w.host);
    assert_int_equal(w.n_received, want);
}

static void every_program_that_joined_hears_it(void **state)
{
    (void)state;
    host_multicast_join(w.one, w.group, "lo");
    assert_int_equal(w.n_changed, 1);
    assert_int_equal(w.error, 0);
    multicast(1);
    assert_true(endpoint_equal(w.to, ((struct endpoint){w.group, w.port})));
    host_multicast_join(w.two, w.group, "lo");
    multicast(2);
    host_multicast_leave(w.one, w.group, "lo");
    multicast(1);
    struct host_udp_counters sum = {0};
    host_multicast_count(w.two, &sum);
    assert_int_equal(sum.received, 2);
}

static void joins_are_counted(void **state)
{
    (void)state;
    host_multicast_join(w.one, w.group, "lo");
    host_multicast_join(w.one, w.group, "lo");
    host_multicast_leave(w.one, w.group, "lo");
    multicast(1);
    host_multicast_leave(w.one, w.group, "lo");
    multicast(0);
    host_multicast_leave(w.one, w.group, "lo"); /* nothing to leave */
    assert_int_equal(w.n_changed, 1);
}

static void an_interface_may_be_missing(void **state)
{
    (void)state;
    host_multicast_join(w.one, w.group, "nowhere0");
    assert_int_equal(w.n_changed, 1);
    assert_int_equal(w.error, ENODEV);
    char name[HOST_INTERFACE_MAX + 1] = "lo";
    memset(name + 2, 'x', INTERFACE_NAME_MAX - 2);
    host_multicast_join(w.one, w.group, name); /* longer than any of the kernel's */
    assert_int_equal(w.n_changed, 2);
    assert_int_equal(w.error, ENODEV);
    name[INTERFACE_NAME_MAX] = 'x';
    host_multicast_join(w.one, w.group, name); /* longer than any of a statement */
    assert_int_equal(w.n_changed, 3);
    assert_int_equal(w.error, ENOBUFS);
}

static void memberships_have_an_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HOST_MULTICAST_MAX; i++)
        host_multicast_join(w.one, ip_v4(0xeffe0000 + i), "nowhere0");
    assert_int_equal(w.error, ENODEV);
    host_multicast_join(w.one, w.group, "lo");
    assert_int_equal(w.error, ENOBUFS);
    host_multicast_leave(w.one, ip_v4(0xeffe0000), "nowhere0");
    host_multicast_join(w.one, w.group, "lo");
    assert_int_equal(w.error, 0);
}

/* No descriptor is left: what is there goes on, what is not there is told and tried again. */
static void a_program_out_of_descriptors_says_so(void **state)
{
    const struct host_multicast_hooks hooks = {{NULL, received, batch_end, failed, NULL}, changed};
    struct host_multicast *third = NULL;
    struct rlimit limit;

    (void)state;
    host_multicast_join(w.one, w.group, "lo");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
    enum err e = host_multicast_new(w.host, w.port, 0, &hooks, &third);
    int error = errno;
    host_multicast_join(w.two, w.group, "lo");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(e, ERR_SYSTEM);
    assert_int_equal(error, EMFILE);
    assert_null(third);
    assert_int_not_equal(w.error, 0);
    multicast(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_program_that_joined_hears_it, setup, teardown),
        cmocka_unit_test_setup_teardown(joins_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interface_may_be_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(memberships_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_out_of_descriptors_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

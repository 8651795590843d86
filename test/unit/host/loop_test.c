#include "host/clock.h"
#include "host/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct host *host;
    instant_t armed, fired;
    int n_stops, n_reloads, n_done, n_ready;
    pthread_t loop_thread, run_thread, done_thread;
    struct host_watch *watch;
    int pipe[2];
};

static void due(void *ctx, instant_t now)
{
    struct world *w = ctx;
    w->fired = now;
    host_quit(w->host);
}

static void stop(void *ctx)
{
    struct world *w = ctx;
    w->n_stops++;
    host_quit(w->host);
}

static struct world *setup(void)
{
    static struct world w;

    w = (struct world){.loop_thread = pthread_self()};
    const struct host_hooks hooks = {&w, due, stop};
    assert_int_equal(host_new(&hooks, 2, &w.host), ERR_OK);
    return &w;
}

static void the_timer_fires_at_its_instant(void **state)
{
    struct world *w = setup();

    (void)state;
    w->armed = instant_add(host_now(), span_ms(20));
    host_arm(w->host, instant_add(host_now(), span_s(3600)));
    host_arm(w->host, w->armed);
    host_run(w->host);
    assert_false(instant_before(w->fired, w->armed));
    w->fired = (instant_t){0};
    host_arm(w->host, (instant_t){0}); /* long ago: at once */
    host_run(w->host);
    assert_true(w->fired.ns > 0);
    host_free(w->host);
}

static void run(void *ctx) { ((struct world *)ctx)->run_thread = pthread_self(); }

static void done(void *ctx)
{
    struct world *w = ctx;
    w->done_thread = pthread_self();
    if (++w->n_done == 10)
        host_quit(w->host);
}

static void works_run_elsewhere_and_come_back(void **state)
{
    struct world *w = setup();

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(host_work(w->host, run, done, w), ERR_OK);
    host_run(w->host);
    assert_int_equal(w->n_done, 10);
    assert_false(pthread_equal(w->run_thread, w->loop_thread));
    assert_true(pthread_equal(w->done_thread, w->loop_thread));
    host_free(w->host);
}

static void freeing_waits_for_works(void **state)
{
    struct world *w = setup();

    (void)state;
    assert_int_equal(host_work(w->host, run, done, w), ERR_OK);
    host_free(w->host);
    assert_int_equal(w->n_done, 1);
}

static void sigterm_and_sigint_ask_to_stop(void **state)
{
    struct world *w = setup();

    (void)state;
    assert_int_equal(raise(SIGTERM), 0);
    host_run(w->host);
    assert_int_equal(raise(SIGINT), 0);
    host_run(w->host);
    assert_int_equal(w->n_stops, 2);
    host_free(w->host);
}

static void reload(void *ctx)
{
    struct world *w = ctx;
    w->n_reloads++;
    host_quit(w->host);
}

/* Reading a configuration takes a while: a thousand signals are not a thousand readings. */
static void many_sighups_at_once_are_one_wish(void **state)
{
    struct world w = {0};
    const struct host_hooks hooks = {&w, due, stop, reload};

    (void)state;
    assert_int_equal(host_new(&hooks, 2, &w.host), ERR_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(raise(SIGHUP), 0);
    host_run(w.host);
    host_arm(w.host, instant_add(host_now(), span_ms(20)));
    while (w.fired.ns == 0)
        host_run(w.host);
    assert_int_equal(w.n_reloads, 1);
    assert_int_equal(raise(SIGHUP), 0);
    host_run(w.host);
    assert_int_equal(w.n_reloads, 2);
    host_free(w.host);
}

static void a_sighup_during_the_start_is_a_reload(void **state)
{
    struct world w = {0};
    const struct host_hooks hooks = {&w, due, stop, reload};

    (void)state;
    host_hold_reload();
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(host_new(&hooks, 2, &w.host), ERR_OK);
    host_run(w.host);
    assert_int_equal(w.n_reloads, 1);
    host_free(w.host);
}

static void ready(void *ctx, unsigned events)
{
    struct world *w = ctx;
    char octet;

    assert_int_equal(events, HOST_READABLE);
    assert_int_equal(read(w->pipe[0], &octet, 1), 1);
    w->n_ready++;
    host_quit(w->host);
}

static void a_watch_reports_readiness(void **state)
{
    struct world *w = setup();

    (void)state;
    assert_int_equal(pipe(w->pipe), 0);
    assert_int_equal(host_watch_new(w->host, w->pipe[0], ready, w, &w->watch), ERR_OK);
    host_watch_set(w->watch, HOST_READABLE);
    assert_int_equal(write(w->pipe[1], "x", 1), 1);
    host_run(w->host);
    assert_int_equal(w->n_ready, 1);
    host_watch_free(w->watch);
    host_watch_free(NULL);
    host_free(w->host);
    close(w->pipe[0]);
    close(w->pipe[1]);
}

static void what_cannot_be_watched_is_an_error(void **state)
{
    struct world *w = setup();

    (void)state;
    assert_int_equal(host_watch_new(w->host, -1, ready, w, &w->watch), ERR_SYSTEM);
    host_free(w->host);
    host_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_timer_fires_at_its_instant),
        cmocka_unit_test(works_run_elsewhere_and_come_back),
        cmocka_unit_test(freeing_waits_for_works),
        cmocka_unit_test(sigterm_and_sigint_ask_to_stop),
        cmocka_unit_test(a_sighup_during_the_start_is_a_reload),
        cmocka_unit_test(many_sighups_at_once_are_one_wish),
        cmocka_unit_test(a_watch_reports_readiness),
        cmocka_unit_test(what_cannot_be_watched_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

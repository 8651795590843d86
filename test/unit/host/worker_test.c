#include "host/worker.h"

#include "test/check.h"

#include <pthread.h>

struct world {
    struct host *host;
    struct host_worker *worker;
    pthread_t loop, ran_on;
    int runs, dones;
    bool slow;
};

static void due(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
}
static void stop(void *ctx) { (void)ctx; }

static void open_world(struct world *w)
{
    const struct host_hooks hooks = {w, due, stop};

    *w = (struct world){.loop = pthread_self()};
    assert_int_equal(host_new(&hooks, 1, &w->host), ERR_OK);
    assert_int_equal(host_worker_new(w->host, &w->worker), ERR_OK);
}

static void run(void *ctx)
{
    struct world *w = ctx;

    w->ran_on = pthread_self();
    if (w->slow)
        usleep(20000);
    w->runs++;
}

static void done(void *ctx)
{
    struct world *w = ctx;

    assert_true(pthread_equal(pthread_self(), w->loop));
    assert_false(pthread_equal(w->ran_on, w->loop));
    assert_int_equal(w->runs, ++w->dones);
    if (w->dones < 5)
        host_worker_run(w->worker, run, done, w);
    else
        host_quit(w->host);
}

static void one_piece_of_work_follows_the_other(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    host_worker_run(w.worker, run, done, &w);
    host_run(w.host);
    assert_int_equal(w.dones, 5);
    host_worker_free(w.worker);
    host_free(w.host);
}

static void at_the_end_it_is_waited_for(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    w.slow = true;
    host_worker_run(w.worker, run, done, &w);
    host_worker_free(w.worker);
    assert_int_equal(w.runs, 1);
    assert_int_equal(w.dones, 0);
    host_free(w.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece_of_work_follows_the_other),
        cmocka_unit_test(at_the_end_it_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

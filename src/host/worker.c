#include "host/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct host_worker {
    pthread_t thread;
    sem_t wanted;
    int finished; /* eventfd */
    struct host_watch *watch;
    bool busy, has_thread; /* of the loop's thread */
    void (*run)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

static void wait_for_work(struct host_worker *w)
{
    while (sem_wait(&w->wanted) != 0)
        assert(errno == EINTR);
}

static void *main_of_thread(void *arg)
{
    struct host_worker *w = arg;
    const uint64_t one = 1;

    for (;;) {
        wait_for_work(w);
        if (!w->run) /* host_worker_free() */
            return NULL;
        w->run(w->ctx);
        if (write(w->finished, &one, sizeof one) != (ssize_t)sizeof one)
            abort(); /* an eventfd takes 2^64 - 2 of them */
    }
}

static void on_finished(void *ctx, unsigned events)
{
    struct host_worker *w = ctx;
    uint64_t n;

    (void)events;
    if (read(w->finished, &n, sizeof n) != (ssize_t)sizeof n)
        return; /* nothing yet */
    w->busy = false;
    w->done(w->ctx);
}

static enum err start(struct host_worker *w, struct host *h)
{
    w->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->finished < 0)
        return ERR_SYSTEM;
    enum err e = host_watch_new(h, w->finished, on_finished, w, &w->watch);
    if (e)
        return e;
    host_watch_set(w->watch, HOST_READABLE);
    return ERR_OK;
}

static void free_parts(struct host_worker *w)
{
    host_watch_free(w->watch);
    if (w->finished >= 0)
        close(w->finished);
    (void)sem_destroy(&w->wanted);
    free(w);
}

enum err host_worker_new(struct host *h, struct host_worker **ret)
{
    struct host_worker *w = calloc(1, sizeof *w);

    if (!w)
        return ERR_NOMEM;
    (void)sem_init(&w->wanted, 0, 0); /* fails for a value beyond SEM_VALUE_MAX only */
    enum err e = start(w, h);
    if (e)
        free_parts(w);
    else
        *ret = w;
    return e;
}

void host_worker_run(struct host_worker *w, void (*run)(void *ctx), void (*done)(void *ctx),
                     void *ctx)
{
    assert(!w->busy);
    w->busy = true;
    w->run = run;
    w->done = done;
    w->ctx = ctx;
    /* Not earlier: a thread has the confinement of the one that makes it (host_confine()). */
    if (!w->has_thread && pthread_create(&w->thread, NULL, main_of_thread, w) != 0)
        abort();
    w->has_thread = true;
    (void)sem_post(&w->wanted);
}

void host_worker_free(struct host_worker *w)
{
    uint64_t n;

    if (!w)
        return;
    struct pollfd finished = {.fd = w->finished, .events = POLLIN};
    while (w->busy && read(w->finished, &n, sizeof n) != (ssize_t)sizeof n)
        (void)poll(&finished, 1, -1);
    w->run = NULL;
    (void)sem_post(&w->wanted);
    if (w->has_thread)
        (void)pthread_join(w->thread, NULL);
    free_parts(w);
}

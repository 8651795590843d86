#include "host/loop.h"
#include "host/clock.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

struct host_watch {
    uv_poll_t poll;
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    unsigned events;
};

struct work {
    uv_work_t work;
    void (*run)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

struct host {
    uv_loop_t loop;
    struct host_hooks hooks;
    int timer_fd; /* a timerfd: libuv's timers count milliseconds and stand still during suspend */
    struct host_watch *timer;
    instant_t armed; /* INSTANT_NEVER: not */
    uv_signal_t terminate, interrupt, hangup;
    uv_async_t reload; /* many signals that come at once are one wish */
};

/* ---- watches ---- */

static void poll_ready(uv_poll_t *poll, int status, int events)
{
    struct host_watch *w = poll->data;
    unsigned ready = 0;

    if (events & UV_READABLE || status < 0) /* an error shows itself to the reader */
        ready |= HOST_READABLE;
    if (events & UV_WRITABLE)
        ready |= HOST_WRITABLE;
    w->ready(w->ctx, ready);
}

enum err host_watch_new(struct host *h, int fd, void (*ready)(void *ctx, unsigned events),
                        void *ctx, struct host_watch **ret)
{
    struct host_watch *w = calloc(1, sizeof *w);

    if (!w)
        return ERR_NOMEM;
    if (uv_poll_init(&h->loop, &w->poll, fd) != 0) {
        free(w);
        return ERR_SYSTEM;
    }
    w->poll.data = w;
    w->ready = ready;
    w->ctx = ctx;
    *ret = w;
    return ERR_OK;
}

void host_watch_set(struct host_watch *w, unsigned events)
{
    int set = 0;

    if (w->events == events)
        return;
    w->events = events;
    if (events & HOST_READABLE)
        set |= UV_READABLE;
    if (events & HOST_WRITABLE)
        set |= UV_WRITABLE;
    int status = set ? uv_poll_start(&w->poll, set, poll_ready) : uv_poll_stop(&w->poll);
    assert(status == 0);
    (void)status;
}

static void free_closed(uv_handle_t *handle) { free(handle->data); }

void host_watch_free(struct host_watch *w)
{
    if (!w)
        return;
    (void)uv_poll_stop(&w->poll); /* fails only for a handle that is closing */
    uv_close((uv_handle_t *)&w->poll, free_closed);
}

/* ---- the timer ---- */

static void timer_ready(void *ctx, unsigned events)
{
    struct host *h = ctx;
    uint64_t n_expired;

    (void)events;
    if (read(h->timer_fd, &n_expired, sizeof n_expired) != sizeof n_expired)
        return; /* armed anew since it fired */
    h->armed = INSTANT_NEVER;
    h->hooks.due(h->hooks.ctx, host_now());
}

void host_arm(struct host *h, instant_t at)
{
    struct itimerspec when = {0};

    if (at.ns == h->armed.ns)
        return; /* the usual case after an input: spare the system call */
    h->armed = at;
    if (!instant_is_never(at)) {
        int64_t ns = at.ns > 0 ? at.ns : 1; /* 0 would disarm */
        when.it_value = (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
    }
    if (timerfd_settime(h->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        abort();
}

static enum err open_timer(struct host *h)
{
    h->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (h->timer_fd < 0)
        return ERR_SYSTEM;
    enum err e = host_watch_new(h, h->timer_fd, timer_ready, h, &h->timer);
    if (e == ERR_OK)
        host_watch_set(h->timer, HOST_READABLE);
    return e;
}

/* ---- signals ---- */

static void signalled(uv_signal_t *signal, int number)
{
    struct host *h = signal->data;

    (void)number;
    h->hooks.stop(h->hooks.ctx);
}

static void hung_up(uv_signal_t *signal, int number)
{
    struct host *h = signal->data;

    (void)number;
    (void)uv_async_send(&h->reload); /* cannot fail while the loop runs */
}

static void reload(uv_async_t *async)
{
    struct host *h = async->data;
    h->hooks.reload(h->hooks.ctx);
}

static void mask_hangup(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(how, &set, NULL); /* fails for a wrong `how` only */
}

void host_hold_reload(void) { mask_hangup(SIG_BLOCK); }

static enum err catch_signals(struct host *h)
{
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ERR_SYSTEM;
    if (uv_signal_init(&h->loop, &h->terminate) != 0 ||
        uv_signal_init(&h->loop, &h->interrupt) != 0 || uv_signal_init(&h->loop, &h->hangup) != 0 ||
        uv_async_init(&h->loop, &h->reload, reload) != 0)
        return ERR_SYSTEM;
    h->terminate.data = h->interrupt.data = h->hangup.data = h->reload.data = h;
    if (h->hooks.reload && uv_signal_start(&h->hangup, hung_up, SIGHUP) != 0)
        return ERR_SYSTEM;
    if (uv_signal_start(&h->terminate, signalled, SIGTERM) != 0 ||
        uv_signal_start(&h->interrupt, signalled, SIGINT) != 0)
        return ERR_SYSTEM;
    mask_hangup(SIG_UNBLOCK);
    return ERR_OK;
}

/* ---- workers ---- */

static void work_run(uv_work_t *uv)
{
    struct work *w = uv->data;
    w->run(w->ctx);
}

static void work_done(uv_work_t *uv, int status)
{
    struct work *w = uv->data;

    (void)status; /* works are never cancelled */
    w->done(w->ctx);
    free(w);
}

enum err host_work(struct host *h, void (*run)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct work *w = calloc(1, sizeof *w);

    if (!w)
        return ERR_NOMEM;
    *w = (struct work){.run = run, .done = done, .ctx = ctx};
    w->work.data = w;
    if (uv_queue_work(&h->loop, &w->work, work_run, work_done) != 0) {
        free(w);
        return ERR_SYSTEM;
    }
    return ERR_OK;
}

/* libuv reads the size of its pool once, from the environment, at the first work. */
static enum err size_workers(unsigned n)
{
    char text[12];

    if (n == 0)
        n = uv_available_parallelism();
    if (n > HOST_WORKERS_MAX)
        n = HOST_WORKERS_MAX;
    snprintf(text, sizeof text, "%u", n);
    return setenv("UV_THREADPOOL_SIZE", text, 1) == 0 ? ERR_OK : ERR_NOMEM;
}

/* ---- life ---- */

enum err host_new(const struct host_hooks *hooks, unsigned n_workers, struct host **ret)
{
    struct host *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    h->hooks = *hooks;
    h->timer_fd = -1;
    h->armed = INSTANT_NEVER;
    if (uv_loop_init(&h->loop) != 0) {
        free(h);
        return ERR_SYSTEM;
    }
    enum err e = size_workers(n_workers);
    if (e == ERR_OK)
        e = open_timer(h);
    if (e == ERR_OK)
        e = catch_signals(h);
    if (e == ERR_OK)
        *ret = h;
    else
        host_free(h);
    return e;
}

void host_run(struct host *h) { (void)uv_run(&h->loop, UV_RUN_DEFAULT); /* stopped, not empty */ }

void host_quit(struct host *h) { uv_stop(&h->loop); }

static void close_left_open(uv_handle_t *handle, void *ctx)
{
    struct host *h = ctx;

    if (uv_is_closing(handle))
        return;
    bool is_signal = handle == (uv_handle_t *)&h->terminate ||
                     handle == (uv_handle_t *)&h->interrupt ||
                     handle == (uv_handle_t *)&h->hangup || handle == (uv_handle_t *)&h->reload;
    uv_close(handle, is_signal ? NULL : free_closed);
}

void host_free(struct host *h)
{
    if (!h)
        return;
    uv_walk(&h->loop, close_left_open, h);
    (void)uv_run(&h->loop, UV_RUN_DEFAULT); /* ends when works and closings are done */
    int status = uv_loop_close(&h->loop);
    assert(status == 0);
    (void)status;
    if (h->timer_fd >= 0)
        close(h->timer_fd);
    free(h);
}

#pragma once
/* The event loop: one thread, descriptors, one timer, signals, and worker threads for what is slow.
 * Who uses it is called back on the loop's thread, except for the `run` of a work. */
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"

struct host;
struct host_watch;

enum { HOST_READABLE = 1, HOST_WRITABLE = 2 };
enum { HOST_WORKERS_MAX = 128 };

struct host_hooks {
    void *ctx;
    void (*due)(void *ctx, instant_t now); /* the armed instant has come; arm the next one */
    void (*stop)(void *ctx);               /* SIGTERM or SIGINT */
    void (*reload)(void *ctx);             /* SIGHUP; NULL: it ends the process, as ever */
};

/* SIGHUP waits from here on until host_new() catches it: who asks for a reload while a program
 * starts does not mean its end. Before any thread. */
void host_hold_reload(void);
/* n_workers 0: one per processor. One host a process: the workers are the process's. ERR_NOMEM or
 * ERR_SYSTEM. */
MUST_USE enum err host_new(const struct host_hooks *hooks, unsigned n_workers, struct host **ret);
void host_run(struct host *h); /* until host_quit() */
void host_quit(struct host *h);
/* Lets works under way end, closes what is still open; watches are gone afterwards. */
void host_free(struct host *h);

/* The one timer, at `at`; INSTANT_NEVER disarms it. */
void host_arm(struct host *h, instant_t at);

/* Calls ready(ctx, events) while the descriptor is ready for any of the events set. Starts with
 * none. The descriptor stays the caller's; close it after host_watch_free(). */
MUST_USE enum err host_watch_new(struct host *h, int fd, void (*ready)(void *ctx, unsigned events),
                                 void *ctx, struct host_watch **ret);
void host_watch_set(struct host_watch *w, unsigned events);
void host_watch_free(struct host_watch *w); /* NULL has no effect */

/* run(ctx) on a worker, then done(ctx) on the loop. */
MUST_USE enum err host_work(struct host *h, void (*run)(void *ctx), void (*done)(void *ctx),
                            void *ctx);

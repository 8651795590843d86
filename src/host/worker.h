#pragma once
/* A thread of its own, for slow work that must not wait behind other slow work, one piece at a
 * time. */
#include "host/loop.h"

struct host_worker;

/* Before host_free(), which it does not outlive. ERR_NOMEM or ERR_SYSTEM. */
MUST_USE enum err host_worker_new(struct host *h, struct host_worker **ret);
/* run(ctx) on the thread, which the first call makes (so that it is confined as its maker is), then
 * done(ctx) on the loop. Only when nothing runs (asserted), which is so within done(). */
void host_worker_run(struct host_worker *w, void (*run)(void *ctx), void (*done)(void *ctx),
                     void *ctx);
/* Waits for what runs; its done() is not called any more. NULL allowed. */
void host_worker_free(struct host_worker *w);

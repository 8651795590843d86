#include "cmd/daemon.h"
#include "cmd/control.h"
#include "cmd/network.h"
#include "cmd/privilege.h"
#include "crypto/crypto.h"
#include "gdoi/dialect.h"
#include "host/clock.h"
#include "host/loop.h"
#include "host/system.h"
#include "sa/job.h"
#include "sa/phase1.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "version.h"

enum { JOBS_MAX = 8192, RESEED_S = 600, WALL_S = 10 };

struct daemon {
    struct options options;
    struct engine engine;
    struct host *host;
    struct host_log *log;
    struct control *control;
    struct network *network;
    size_t n_jobs; /* with the workers */
    struct effects effects;
    instant_t reseed_at, wall_at;
    wall_t since;
    bool running, stopping;
};

/* ---- events ---- */

void daemon_tell(struct daemon *d, const struct event *e)
{
    host_log_event(d->log, host_now(), e);
    if (d->control)
        control_tell(d->control, e, host_wall());
}

void daemon_tell_lines(struct daemon *d, const char *findings)
{
    for (const char *at = findings; *at;) {
        size_t len = strcspn(at, "\n");
        struct event e = event_of(EV_CONFIG);
        event_add_text(&e, "what", bytes(at, len));
        daemon_tell(d, &e);
        at += len + (at[len] == '\n');
    }
}

void daemon_stored(struct daemon *d, uint64_t id, enum err err)
{
    if (d->control)
        control_stored(d->control, id, err);
}

static void tell_trouble(struct daemon *d, const char *what, const char *why)
{
    struct event e = event_of(EV_INTERNAL);

    event_add_str(&e, "what", what);
    event_add_str(&e, "reason", why);
    daemon_tell(d, &e);
}

/* ---- effects ---- */

static void do_fanout(struct daemon *d, const struct effect *e)
{
    const struct host_udp_fanout what = {.to = e->fanout.to,
                                         .n = e->fanout.n,
                                         .datagram = e->fanout.datagram,
                                         .interface = e->fanout.interface};

    network_fanout(d->network, e->fanout.from, &what);
}

struct running_job {
    struct daemon *daemon;
    struct job job;
    struct job_result result;
};

static void run_job(void *ctx)
{
    struct running_job *r = ctx;
    job_run(&r->job, &r->result);
}

static void settle(struct daemon *d);

static void job_done(void *ctx)
{
    struct running_job *r = ctx;
    struct daemon *d = r->daemon;

    d->n_jobs--;
    if (!d->stopping) {
        d->engine.job_done(d->engine.self, host_now(), &r->result, &d->effects);
        settle(d);
    }
    job_wipe(&r->job);
    job_result_wipe(&r->result);
    free(r);
}

/* A job that cannot be given away comes back as failed: every job has one result. */
static void fail_job(struct daemon *d, const struct job *job, const char *why)
{
    struct job_result result = {.id = job->id, .kind = job->kind, .err = ERR_LIMIT};

    tell_trouble(d, "job", why);
    d->engine.job_done(d->engine.self, host_now(), &result, &d->effects);
}

static void do_job(struct daemon *d, const struct job *job)
{
    struct running_job *r = d->n_jobs < JOBS_MAX ? calloc(1, sizeof *r) : NULL;

    if (!r) {
        struct job own = *job;
        fail_job(d, job, "too much work is waiting");
        job_wipe(&own);
        return;
    }
    r->daemon = d;
    r->job = *job;
    if (host_work(d->host, run_job, job_done, r) == ERR_OK) {
        d->n_jobs++;
        return;
    }
    fail_job(d, job, "no worker takes it");
    job_wipe(&r->job);
    free(r);
}

static void carry_out(struct daemon *d, struct effects *effects)
{
    for (const struct effect *e = effects->first; e; e = e->next) {
        switch (e->kind) {
        case EFFECT_PERSIST:
            assert(d->engine.persist);
            d->engine.persist(d->engine.self, e->persist);
            break;
        case EFFECT_SEND:
            network_send(d->network, e->send.from, e->send.to, e->send.datagram);
            break;
        case EFFECT_FANOUT:
            do_fanout(d, e);
            break;
        case EFFECT_MULTICAST:
            network_multicast(d->network, e->multicast.join, e->multicast.group,
                              e->multicast.interface);
            break;
        case EFFECT_JOB:
            do_job(d, e->job);
            break;
        case EFFECT_TELL:
            daemon_tell(d, e->event);
            break;
        case EFFECT_CLOCK:
            assert(d->engine.clock);
            d->engine.clock(d->engine.self, e->clock.vpn, e->clock.offset);
            break;
        case EFFECT_INSTALL:
            assert(d->engine.install);
            d->engine.install(d->engine.self, e->install);
            break;
        }
    }
    effects_reset(effects);
}

/* After inputs: effects, then what they put into the sockets' queues, then the timer. */
static void settle(struct daemon *d)
{
    carry_out(d, &d->effects);
    network_flush(d->network);
    instant_t due = instant_min(d->engine.due(d->engine.self), d->reseed_at);
    due = instant_min(due, d->wall_at);
    host_arm(d->host, instant_min(due, host_log_due(d->log)));
}

void daemon_carry_out(struct daemon *d, struct effects *effects)
{
    carry_out(d, effects);
    if (d->running) /* else nothing can be due yet */
        settle(d);
}

/* ---- inputs ---- */

static void on_datagram(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data,
                        size_t len)
{
    struct daemon *d = ctx;

    d->engine.datagram(d->engine.self, host_now(), from, to, data, len, &d->effects);
    carry_out(d, &d->effects);
}

static void on_batch_end(void *ctx) { settle(ctx); }

static void on_network_event(void *ctx, const struct event *e) { daemon_tell(ctx, e); }

static void reseed(struct daemon *d, instant_t now)
{
    uint8_t seed[DRBG_SEED];

    host_random(seed, sizeof seed);
    d->engine.reseed(d->engine.self, seed);
    explicit_bzero(seed, sizeof seed);
    d->reseed_at = instant_add(now, span_s(RESEED_S));
}

/* A step of the calendar is noticed within WALL_S. */
static void tell_wall(struct daemon *d, instant_t now)
{
    struct timespec t;

    d->wall_at = INSTANT_NEVER;
    if (!d->engine.wall)
        return;
    host_wall_exact(&t);
    d->engine.wall(d->engine.self, now, (span_t){t.tv_sec * NS_PER_S + t.tv_nsec}, &d->effects);
    d->wall_at = instant_add(now, span_s(WALL_S));
}

static void on_due(void *ctx, instant_t now)
{
    struct daemon *d = ctx;

    if (instant_reached(d->wall_at, now))
        tell_wall(d, now);
    if (instant_reached(d->reseed_at, now))
        reseed(d, now);
    if (instant_reached(d->engine.due(d->engine.self), now))
        d->engine.timer(d->engine.self, now, &d->effects);
    host_log_timer(d->log, now);
    settle(d);
}

static void on_stop(void *ctx)
{
    struct daemon *d = ctx;
    host_quit(d->host);
}

static void on_reload(void *ctx)
{
    struct daemon *d = ctx;

    if (!d->running)
        return;
    host_notify_reloading();
    d->engine.reload(d->engine.self);
    host_notify("READY=1");
}

/* ---- life ---- */

static enum err open_network(struct daemon *d)
{
    const struct network_config config = {.host = d->host,
                                          .program = d->options.program,
                                          .port = d->options.port,
                                          .mark = d->options.mark,
                                          .ctx = d,
                                          .datagram = on_datagram,
                                          .batch_end = on_batch_end,
                                          .tell = on_network_event};

    return network_new(&config, &d->network);
}

enum err daemon_new(const struct options *o, struct daemon **ret)
{
    struct daemon *d = calloc(1, sizeof *d);
    const struct host_hooks hooks = {d, on_due, on_stop, on_reload};
    const struct host_log_config log = {
        .program = o->program, .format = o->log_format, .least = o->log_level, .file = o->log_file};

    if (!d)
        return ERR_NOMEM;
    d->options = *o;
    d->since = host_wall();
    enum err e = host_log_open(&log, host_now(), &d->log);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s: %s\n", o->program, o->log_file, strerror(errno));
    if (e == ERR_OK) {
        e = host_new(&hooks, o->workers, &d->host);
        if (e != ERR_OK)
            fprintf(stderr, "%s: event loop: %s\n", o->program, err_text(e));
    }
    if (e == ERR_OK)
        e = open_network(d);
    if (e == ERR_OK)
        *ret = d;
    else
        daemon_free(d);
    return e;
}

void daemon_free(struct daemon *d)
{
    if (!d)
        return;
    d->stopping = true; /* jobs that come back now are only wiped */
    control_close(d->control);
    network_free(d->network);
    host_free(d->host);
    host_log_close(d->log);
    effects_free(&d->effects);
    free(d);
}

/* A group that was asked for by name must be there; the default ones need not. */
static bool has_groups(const struct daemon *d, const struct privileges *p)
{
    const struct options *o = &d->options;
    bool view = !o->view_group || p->groups[CTL_VIEW].known;
    bool control = !o->control_group || p->groups[CTL_CONTROL].known;

    if (!view || !control)
        fprintf(stderr, "%s: %s: this machine has no such group\n", o->program,
                view ? o->control_group : o->view_group);
    return view && control;
}

static void tell_control(struct daemon *d, const char *path, const struct privileges *p)
{
    static const char *const keys[] = {[CTL_VIEW] = "view-group", [CTL_CONTROL] = "control-group"};
    struct event e = event_of(EV_CONTROL);

    event_add_str(&e, "socket", path);
    for (size_t i = CTL_VIEW; i < ARRAY_LEN(keys); i++)
        event_add_fmt(&e, keys[i], "%s%s", p->groups[i].name,
                      p->groups[i].known ? "" : " (not there)");
    daemon_tell(d, &e);
}

static void on_denied(void *ctx, const struct event *e) { daemon_tell(ctx, e); }

static enum err open_control(struct daemon *d, const struct ctl_service *service)
{
    char path[256];
    struct privileges privileges = privileges_of(d->options.view_group, d->options.control_group);
    struct control_config config = {
        .path = path, .service = service, .privileges = &privileges, .tell = on_denied, .ctx = d};

    if (!has_groups(d, &privileges))
        return ERR_NOT_FOUND;
    (void)mkdir(d->options.run_dir, 0755); /* it is normally there; else the next call says why */
    snprintf(path, sizeof path, "%s/%s.sock", d->options.run_dir, d->options.program);
    enum err e = control_open(d->host, &config, &d->control);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s: %s\n", d->options.program, path,
                e == ERR_BUSY     ? "another one runs here"
                : e == ERR_LENGTH ? "the name is too long for a socket"
                : e == ERR_SYSTEM ? strerror(errno)
                                  : err_text(e));
    else
        tell_control(d, path, &privileges);
    return e;
}

static void tell_started(struct daemon *d)
{
    struct event e = event_of(EV_STARTED);

    event_add_str(&e, "program", d->options.program);
    event_add_str(&e, "version", CONCLAVE_VERSION);
    event_add_str(&e, "configuration", d->options.config);
    event_add_str(&e, "cryptography", crypto_backend_name());
    event_add_u64(&e, "process", (uint64_t)getpid());
    daemon_tell(d, &e);
    host_notify("READY=1");
}

static void stop(struct daemon *d)
{
    struct event e = event_of(EV_STOPPED);

    host_notify("STOPPING=1");
    d->engine.stop(d->engine.self, host_now(), &d->effects);
    settle(d);
    event_add_str(&e, "program", d->options.program);
    daemon_tell(d, &e);
    d->stopping = true;
    d->running = false;
}

static void confine(struct daemon *d)
{
    struct host_folder folders[1 + ENGINE_FOLDERS_MAX] = {{d->options.run_dir, HOST_REMOVE}};

    for (size_t i = 0; i < d->engine.n_folders; i++)
        folders[1 + i] = d->engine.folders[i];
    enum err e = d->engine.needs_files ? ERR_OK : host_confine(folders, 1 + d->engine.n_folders);
    if (e)
        tell_trouble(d, "confine",
                     e == ERR_BUSY ? "threads run already, which are not cut off from files"
                                   : "this kernel cannot cut us off from files");
}

struct host *daemon_loop(const struct daemon *d) { return d->host; }

void daemon_engine(struct daemon *d, const struct engine *engine) { d->engine = *engine; }

enum err daemon_open(struct daemon *d, const struct ip *addresses, size_t n_addresses)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n_addresses && e == ERR_OK; i++)
        e = network_open(d->network, addresses[i]);
    return e;
}

void daemon_keep(struct daemon *d, const struct ip *addresses, size_t n_addresses)
{
    network_keep(d->network, addresses, n_addresses);
}

enum err daemon_run(struct daemon *d, const struct ip *addresses, size_t n_addresses,
                    const struct ctl_service *service)
{
    enum err e = daemon_open(d, addresses, n_addresses);

    if (e == ERR_OK)
        e = open_control(d, service);
    if (e != ERR_OK)
        return e;
    confine(d);
    d->reseed_at = instant_add(host_now(), span_s(RESEED_S));
    tell_started(d);
    tell_wall(d, host_now());
    d->running = true;
    if (d->engine.start)
        d->engine.start(d->engine.self, host_now(), &d->effects);
    settle(d);
    host_run(d->host);
    stop(d);
    return ERR_OK;
}

/* ---- answers ---- */

const char *daemon_host(void)
{
    static char name[65];

    if (name[0] == '\0' && gethostname(name, sizeof name - 1) != 0)
        return "";
    return name;
}

void daemon_put_version(const struct daemon *d, struct ctl_wr *w)
{
    ctl_put_str(w, "program", d->options.program);
    ctl_put_str(w, "version", CONCLAVE_VERSION);
    ctl_put_str(w, "host", daemon_host());
    ctl_put_u64(w, "process", (uint64_t)getpid());
    ctl_put_time(w, "since", d->since);
    ctl_put_str(w, "configuration", d->options.config);
    ctl_put_str(w, "cryptography", crypto_backend_name());
}

static void put_count(struct ctl_wr *w, const char *key, const char *name, uint64_t n)
{
    if (n == 0)
        return;
    ctl_section(w, NULL);
    ctl_put_str(w, key, name);
    ctl_put_u64(w, "count", n);
    ctl_end(w);
}

static void put_tolerated(struct ctl_wr *w, const struct daemon_counted *what)
{
    struct gdoi_tolerated t = *what->tolerated;

    t.count[TOLERATED_DOI_IPSEC] += (uint32_t)what->phase1->doi_ipsec;
    ctl_list(w, "tolerated");
    for (size_t i = 0; i < TOLERATED_COUNT; i++)
        put_count(w, "name", gdoi_tolerance_name((enum gdoi_tolerance)i), t.count[i]);
    ctl_end(w);
}

void daemon_put_counters(const struct daemon *d, const struct daemon_counted *what,
                         struct ctl_wr *w)
{
    ctl_put_str(w, "program", d->options.program);
    network_put_counters(d->network, w);
    ctl_list(w, "event");
    for (size_t i = 0; i < EVENT_COUNT; i++)
        put_count(w, "name", event_name((enum event_id)i), host_log_counts(d->log)[i]);
    ctl_end(w);
    ctl_list(w, "dropped");
    for (size_t i = 0; i < ERR_COUNT; i++)
        put_count(w, "reason", err_text((enum err)i), what->dropped[i] + what->phase1->dropped[i]);
    ctl_end(w);
    put_tolerated(w, what);
}

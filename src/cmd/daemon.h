#pragma once
/* What both daemons are: an engine on a host. Inputs go in one by one, effects are carried out in
 * order, one timer is armed at the instant the engine is due. */
#include "base/instant.h"
#include "base/ip.h"
#include "cmd/options.h"
#include "crypto/drbg.h"
#include "ctl/session.h"
#include "host/system.h"
#include "sa/effects.h"

enum { ENGINE_FOLDERS_MAX = 4 };

struct daemon;
struct esp_vpn_install;
struct gdoi_tolerated;
struct job_result;
struct phase1_counters;
struct store_tx;

/* The engine, as the daemon sees it; `self` is handed to every call. */
struct engine {
    void *self;
    void (*start)(void *self, instant_t now, struct effects *out); /* NULL: nothing to do */
    void (*datagram)(void *self, instant_t now, struct endpoint from, struct endpoint to,
                     uint8_t *data, size_t len, struct effects *out);
    void (*job_done)(void *self, instant_t now, struct job_result *result, struct effects *out);
    /* Servers: takes a transaction over; its answer is an input of its own. */
    void (*persist)(void *self, const struct store_tx *tx);
    void (*timer)(void *self, instant_t now, struct effects *out);
    instant_t (*due)(const void *self);
    void (*reseed)(void *self, const uint8_t seed[DRBG_SEED]);
    void (*stop)(void *self, instant_t now, struct effects *out);
    /* Servers: what the calendar shows, UTC since 1970. */
    void (*wall)(void *self, instant_t now, span_t utc, struct effects *out);
    /* Members: hands the group clock of a VPN to the data path. */
    void (*clock)(void *self, const char *vpn, span_t offset);
    /* Members: hands an install to the data path. */
    void (*install)(void *self, const struct esp_vpn_install *install);
    /* SIGHUP: the configuration may have changed. */
    void (*reload)(void *self);
    bool
        needs_files; /* while it runs, any of them; else it is cut off from all but these folders */
    struct host_folder folders[ENGINE_FOLDERS_MAX];
    size_t n_folders;
};

/* Opens the log and the event loop. On failure it has been said on stderr. */
MUST_USE enum err daemon_new(const struct options *o, struct daemon **ret);
void daemon_free(struct daemon *d); /* NULL allowed */

/* The engine that answers what its own effects ask for: before the first daemon_carry_out(). */
void daemon_engine(struct daemon *d, const struct engine *engine);
/* Opens a socket at each address (those that repeat once) and the control socket, says READY and
 * runs until SIGTERM or SIGINT; then stops the engine and sends what that gives. On failure to
 * start it has been said on stderr. */
MUST_USE enum err daemon_run(struct daemon *d, const struct ip *addresses, size_t n_addresses,
                             const struct ctl_service *service);
/* Sockets at these addresses, too. On failure it has been said on stderr; daemon_keep() closes
 * those that had been opened by then. */
MUST_USE enum err daemon_open(struct daemon *d, const struct ip *addresses, size_t n_addresses);
/* Sockets at no others. */
void daemon_keep(struct daemon *d, const struct ip *addresses, size_t n_addresses);
/* Outside of inputs (a console's command, the engine's making): carries out what a call into the
 * engine gave. */
void daemon_carry_out(struct daemon *d, struct effects *effects);
/* The machine's name, for the console's prompt. Static storage. */
const char *daemon_host(void);
struct host *daemon_loop(const struct daemon *d);
/* The store answered a transaction of the engine: consoles may wait for it. */
void daemon_stored(struct daemon *d, uint64_t id, enum err err);
/* An event of the host's own. */
void daemon_tell(struct daemon *d, const struct event *e);
/* What there is to say about a configuration, a line each. */
void daemon_tell_lines(struct daemon *d, const char *findings);

/* Answers of every daemon (show version, show counters). */
void daemon_put_version(const struct daemon *d, struct ctl_wr *w);
struct daemon_counted {
    const uint64_t *dropped;                /* by the engine: ERR_COUNT counters */
    const struct gdoi_tolerated *tolerated; /* of what peers of the engine say */
    const struct phase1_counters *phase1;   /* its dropped and its tolerated */
};
void daemon_put_counters(const struct daemon *d, const struct daemon_counted *what,
                         struct ctl_wr *w);

#pragma once
/* The event log: to stderr and, when told so, to a file; as text or as one JSON object a line; rate
 * limited and counted. A line that stderr or the file does not take whole and at once is lost, and
 * the next one tells how many were. */
#include "base/events.h"
#include "base/instant.h"

struct host_log;
struct timespec;

enum host_log_format { HOST_LOG_TEXT, HOST_LOG_JSON };
struct host_log_config {
    const char *program;
    enum host_log_format format;
    enum event_level least; /* events below are counted, not written */
    const char *file;       /* in addition to stderr; NULL: none */
    bool quiet;             /* nothing to stderr */
};

/* ERR_SYSTEM with errno: the file cannot be opened. */
MUST_USE enum err host_log_open(const struct host_log_config *config, instant_t now,
                                struct host_log **ret);
void host_log_event(struct host_log *l, instant_t now, const struct event *e);
/* Tells how many lines were suppressed, when that is due. */
void host_log_timer(struct host_log *l, instant_t now);
instant_t host_log_due(const struct host_log *l);
const uint64_t *host_log_counts(const struct host_log *l); /* of EVENT_COUNT events */
void host_log_close(struct host_log *l);                   /* NULL has no effect */

enum { HOST_LOG_LINE_MAX = 4096 };
/* One line with its newline. journal: the level as systemd's "<N>" and no time, else the time in
 * UTC. Returns out. */
char *host_log_text(const struct event *e, const struct timespec *time, bool journal,
                    char out[HOST_LOG_LINE_MAX]);
char *host_log_json(const struct event *e, const struct timespec *time, const char *program,
                    char out[HOST_LOG_LINE_MAX]);

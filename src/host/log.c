#include "host/log.h"
#include "host/clock.h"
#include "host/limit.h"

#include <assert.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Where lines go. */
struct outlet {
    int fd;          /* -1: nowhere */
    bool journal;    /* which sets the time by itself */
    bool torn;       /* it took the beginning of a line */
    uint64_t n_lost; /* lines that it did not take since it took one */
};

struct host_log {
    struct host_log_config config;
    struct host_limit limit;
    uint64_t counts[EVENT_COUNT];
    struct outlet standard, file;
};

/* A pipe that is ready takes a whole line, and nobody waits. */
static_assert((int)HOST_LOG_LINE_MAX <= PIPE_BUF, "a line is written in one piece");

/* ---- lines ---- */

static void time_text(const struct timespec *t, char *out, size_t room)
{
    struct tm tm;
    char date[32];

    if (!gmtime_r(&t->tv_sec, &tm) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        date[0] = '\0';
    snprintf(out, room, "%s.%03ldZ", date, t->tv_nsec / 1000000);
}

char *host_log_text(const struct event *e, const struct timespec *time, bool journal,
                    char out[HOST_LOG_LINE_MAX])
{
    static const int priority[] = {[EVENT_DEBUG] = 7,
                                   [EVENT_INFO] = 6,
                                   [EVENT_NOTICE] = 5,
                                   [EVENT_WARNING] = 4,
                                   [EVENT_ERROR] = 3};
    enum event_level level = event_level(e->id);
    char line[HOST_LOG_LINE_MAX - 64], when[40];

    event_line(e, line, sizeof line);
    if (journal) {
        snprintf(out, HOST_LOG_LINE_MAX, "<%d>%s\n", priority[level], line);
        return out;
    }
    time_text(time, when, sizeof when);
    snprintf(out, HOST_LOG_LINE_MAX, "%s %s %s\n", when, event_level_name(level), line);
    return out;
}

/* Text from a peer may be no UTF-8: what is not plain ASCII is escaped as in a text line. */
static json_t *json_of_text(struct bytes text)
{
    char plain[4 * EVENT_TEXT_MAX + 1];
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c < 0x7f)
            plain[at++] = (char)c;
        else
            at += (size_t)snprintf(plain + at, sizeof plain - at, "\\x%02x", c);
    }
    return json_stringn(plain, at);
}

static json_t *json_of_field(const struct event *e, const struct event_field *f)
{
    char hex[2 * EVENT_TEXT_MAX + 1];
    struct bytes value = bytes(e->text + f->at, f->len);

    if (f->kind == EVENT_U64)
        return json_integer((json_int_t)f->u64);
    if (f->kind == EVENT_HEX)
        return json_string(bytes_hex(value, hex, sizeof hex));
    return json_of_text(value);
}

char *host_log_json(const struct event *e, const struct timespec *time, const char *program,
                    char out[HOST_LOG_LINE_MAX])
{
    char when[40];
    json_t *o = json_object();

    time_text(time, when, sizeof when);
    json_object_set_new(o, "time", json_string(when));
    json_object_set_new(o, "program", json_string(program));
    json_object_set_new(o, "level", json_string(event_level_name(event_level(e->id))));
    json_object_set_new(o, "event", json_string(event_name(e->id)));
    for (size_t i = 0; i < e->n_fields; i++) {
        if (!json_object_get(o, e->fields[i].key))
            json_object_set_new(o, e->fields[i].key, json_of_field(e, &e->fields[i]));
    }
    size_t n = json_dumpb(o, out, HOST_LOG_LINE_MAX - 2, JSON_COMPACT);
    json_decref(o);
    if (n > HOST_LOG_LINE_MAX - 2)
        n = 0; /* cannot be: an event is smaller */
    out[n] = '\n';
    out[n + 1] = '\0';
    return out;
}

/* ---- the log ---- */

/* A terminal that has little room says that it is ready, and lets a longer line wait until somebody
 * reads. Opened anew, that is ours to forbid; what stands behind descriptor 2 is the shell's,
 * too. */
static int open_standard(void)
{
    int own = isatty(STDERR_FILENO)
                  ? open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                  : -1;
    return own < 0 ? STDERR_FILENO : own;
}

enum err host_log_open(const struct host_log_config *config, instant_t now, struct host_log **ret)
{
    struct host_log *l = calloc(1, sizeof *l);

    if (!l)
        return ERR_NOMEM;
    l->config = *config;
    l->file.fd = -1;
    host_limit_start(&l->limit, now);
    if (config->file) {
        l->file.fd = open(config->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (l->file.fd < 0) {
            free(l);
            return ERR_SYSTEM;
        }
    }
    l->standard.fd = config->quiet ? -1 : open_standard();
    l->standard.journal = getenv("JOURNAL_STREAM") != NULL;
    *ret = l;
    return ERR_OK;
}

/* A line that follows on a torn one begins with the newline which that one lacks. */
static bool put_line(const struct host_log *l, struct outlet *to, const struct event *e)
{
    char text[1 + HOST_LOG_LINE_MAX] = "\n", *line = text + 1;
    struct timespec time;

    host_wall_exact(&time);
    if (l->config.format == HOST_LOG_JSON)
        (void)host_log_json(e, &time, l->config.program, line);
    else
        (void)host_log_text(e, &time, to->journal, line);
    if (to->torn)
        line = text;
    size_t len = strlen(line);
    ssize_t n = write(to->fd, line, len);
    if (n > 0)
        to->torn = (size_t)n < len;
    return n == (ssize_t)len;
}

/* Strangers can make lines, and whoever reads a pipe may have stopped: it must not stop us. */
static bool is_ready(const struct outlet *to)
{
    struct pollfd p = {.fd = to->fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

static void put_event(const struct host_log *l, struct outlet *to, const struct event *e)
{
    if (to->fd >= 0 && !(is_ready(to) && put_line(l, to, e)))
        to->n_lost++;
}

/* How many are missing stands where they are. */
static void put_after_lost(const struct host_log *l, struct outlet *to, const struct event *e)
{
    if (to->n_lost > 0) {
        struct event gone = event_of(EV_SUPPRESSED);
        event_add_str(&gone, "what", "lines that could not be written");
        event_add_u64(&gone, "lines", to->n_lost);
        if (is_ready(to) && put_line(l, to, &gone))
            to->n_lost = 0;
    }
    put_event(l, to, e);
}

static void write_event(struct host_log *l, const struct event *e)
{
    put_after_lost(l, &l->standard, e);
    put_after_lost(l, &l->file, e);
}

void host_log_event(struct host_log *l, instant_t now, const struct event *e)
{
    l->counts[e->id]++;
    if (event_level(e->id) >= l->config.least && host_limit_admit(&l->limit, now, e))
        write_event(l, e);
}

void host_log_timer(struct host_log *l, instant_t now)
{
    enum event_id id;
    uint64_t n;

    if (!instant_reached(l->limit.report, now))
        return;
    while (host_limit_take(&l->limit, &id, &n)) {
        struct event e = event_of(EV_SUPPRESSED);
        event_add_str(&e, "what", event_name(id)); /* "event" is its own name */
        event_add_u64(&e, "lines", n);
        l->counts[EV_SUPPRESSED]++;
        write_event(l, &e);
    }
}

instant_t host_log_due(const struct host_log *l) { return l->limit.report; }

const uint64_t *host_log_counts(const struct host_log *l) { return l->counts; }

void host_log_close(struct host_log *l)
{
    if (!l)
        return;
    if (l->file.fd >= 0)
        close(l->file.fd);
    if (l->standard.fd > STDERR_FILENO)
        close(l->standard.fd);
    free(l);
}

#include "cli/monitor.h"
#include "cli/connection.h"
#include "cli/line.h"
#include "cli/pipe.h"
#include "cli/run.h"
#include "cli/value.h"
#include "cli/write.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

enum { SOURCES_MAX = 2 };

/* ---- one event ---- */

static bool is_head(const char *name)
{
    return strcmp(name, "event") == 0 || strcmp(name, "level") == 0 || strcmp(name, "time") == 0;
}

void cli_event_print(FILE *out, const char *program, const struct ctl_node *event)
{
    const struct ctl_node *time = ctl_find(event, "time");
    const char *name = ctl_find_text(event, "event"), *level = ctl_find_text(event, "level");

    if (!name) {
        fprintf(out, "(%s: %llu events lost: this console was too slow)\n", program,
                (unsigned long long)ctl_find_u64(event, "lost"));
        return;
    }
    if (time)
        cli_put_value(out, time);
    fprintf(out, " %s %s %s", program, level ? level : "", name);
    for (const struct ctl_node *n = event->first; n; n = n->next) {
        if (is_head(n->name))
            continue;
        bool quote =
            n->type == CTL_TEXT && (n->bytes.len == 0 || memchr(n->bytes.data, ' ', n->bytes.len));
        fprintf(out, " %s=%s", n->name, quote ? "\"" : "");
        cli_put_value(out, n);
        fputs(quote ? "\"" : "", out);
    }
    fputc('\n', out);
}

static void print_event(FILE *out, const struct cli_line *l, const char *program,
                        const char *answer, const struct ctl_node *event)
{
    char *text = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&text, &len);

    if (!mem)
        abort();
    if (l->format == CLI_JSON)
        cli_json_print(mem, answer, event, true);
    else if (l->format == CLI_XML)
        cli_xml_print(mem, answer, event);
    else
        cli_event_print(mem, program, event);
    fclose(mem);
    if (cli_filter_passes(l, text, len > 0 ? len - 1 : 0))
        fwrite(text, 1, len, out);
    fflush(out);
    free(text);
}

/* ---- the sources ---- */

struct monitor {
    const struct cli_line *line;
    const struct ctl_request *request;
    FILE *out, *err;
    size_t n;
    struct cli_connection sources[SOURCES_MAX];
    bool refused; /* one of them said no */
};

static const char *program_of(const struct cli_connection *c)
{
    const char *program = ctl_find_text(c->hello, "program");
    return program ? program : "?";
}

static enum err subscribe(struct monitor *m, const char *path, char sentence[CTL_SENTENCE_MAX])
{
    struct cli_connection *c = &m->sources[m->n];
    enum err e = cli_connect(path, c, sentence);

    if (e != ERR_OK)
        return e;
    e = cli_subscribe(c, m->request, sentence);
    if (e == ERR_OK)
        m->n++;
    else
        cli_disconnect(c);
    return e;
}

/* Prints what has arrived; false when this source has ended. */
static bool drain(struct monitor *m, struct cli_connection *c)
{
    char sentence[CTL_SENTENCE_MAX] = "";
    enum err e = cli_receive(c);

    while (e == ERR_OK) {
        struct arena arena = {0};
        struct ctl_node *event = NULL;
        e = cli_next_event(c, &arena, &event, sentence);
        if (e == ERR_OK)
            print_event(m->out, m->line, program_of(c), m->request->command->answer, event);
        arena_free(&arena);
    }
    if (e == ERR_SHORT)
        return true;
    m->refused = m->refused || e == ERR_REFUSED;
    fprintf(m->err, "%s: %s\n", program_of(c), e == ERR_CLOSED ? "has ended" : sentence);
    return false;
}

static void drop(struct monitor *m, size_t i)
{
    cli_disconnect(&m->sources[i]);
    m->sources[i] = m->sources[--m->n];
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void watch(struct monitor *m)
{
    while (m->n > 0 && !interrupted) {
        struct pollfd fds[SOURCES_MAX];
        size_t n = m->n;
        for (size_t i = 0; i < n; i++)
            fds[i] = (struct pollfd){.fd = m->sources[i].fd, .events = POLLIN};
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            return;
        for (size_t i = n; i-- > 0 && !interrupted;) {
            if (fds[i].revents && !drain(m, &m->sources[i]))
                drop(m, i);
        }
    }
}

int cli_monitor(const char *const *paths, size_t n_paths, const struct cli_line *line,
                const struct ctl_request *request, FILE *out, FILE *err)
{
    struct monitor m = {.line = line, .request = request, .out = out, .err = err};
    struct sigaction act = {.sa_handler = on_interrupt}, old;
    char sentence[CTL_SENTENCE_MAX] = "";

    for (size_t i = 0; i < n_paths && m.n < SOURCES_MAX; i++) {
        enum err e = subscribe(&m, paths[i], sentence);
        if (e != ERR_OK && (e != ERR_NOT_FOUND || n_paths == 1))
            fprintf(err, "error: %s\n", sentence);
    }
    if (m.n == 0 && n_paths > 1)
        fprintf(err, "error: %s\n", sentence);
    if (m.n == 0)
        return CLI_FAILED;
    interrupted = 0;
    sigaction(SIGINT, &act, &old);
    watch(&m);
    sigaction(SIGINT, &old, NULL);
    while (m.n > 0)
        drop(&m, m.n - 1);
    return m.refused ? CLI_FAILED : CLI_OK;
}

#include "host/limit.h"
#include "host/log.h"
#include "host/system.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct timespec when = {1448000000, 5000000}; /* 2015-11-20 06:13:20.005 UTC */

static struct event refusal(void)
{
    struct event e = event_of(EV_MEMBER_REFUSED);
    event_add_str(&e, "peer", "10.0.0.1:848");
    event_add_str(&e, "gateway", "GM \"1\"\n");
    event_add_u64(&e, "group", 7);
    event_add_hex(&e, "spi", bytes("\x01\xab", 2));
    event_add_str(&e, "level", "a key that the line has already");
    return e;
}

static void a_text_line(void **state)
{
    struct event e = refusal();
    char line[HOST_LOG_LINE_MAX];

    (void)state;
    assert_string_equal(host_log_text(&e, &when, false, line),
                        "2015-11-20T06:13:20.005Z warning member-refused peer=10.0.0.1:848 "
                        "gateway=\"GM \\\"1\\\"\\x0a\" group=7 spi=01ab "
                        "level=\"a key that the line has already\"\n");
    assert_true(strncmp(host_log_text(&e, &when, true, line), "<4>member-refused ", 18) == 0);
}

static void a_json_line(void **state)
{
    struct event e = refusal();
    char line[HOST_LOG_LINE_MAX];

    (void)state;
    assert_string_equal(
        host_log_json(&e, &when, "conclaved", line),
        "{\"time\":\"2015-11-20T06:13:20.005Z\",\"program\":\"conclaved\",\"level\":\"warning\","
        "\"event\":\"member-refused\",\"peer\":\"10.0.0.1:848\",\"gateway\":\"GM "
        "\\\"1\\\"\\\\x0a\","
        "\"group\":7,\"spi\":\"01ab\"}\n");
}

static void the_largest_event_fits(void **state)
{
    struct event e = event_of(EV_CONTROL);
    uint8_t text[EVENT_TEXT_MAX];
    char line[HOST_LOG_LINE_MAX];

    (void)state;
    memset(text, 0xff, sizeof text);
    event_add_text(&e, "text", BYTES_OF(text));
    assert_non_null(strstr(host_log_json(&e, &when, "p", line), "\\\\xff\"}\n"));
    assert_non_null(strstr(host_log_text(&e, &when, false, line), "\\xff\"\n"));
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static void the_log_counts_limits_and_tells(void **state)
{
    char path[] = "/tmp/conclave-log-test-XXXXXX", *text = NULL;
    instant_t now = {5 * NS_PER_S};
    struct host_log_config config = {
        .program = "p", .least = EVENT_INFO, .file = path, .quiet = true};
    struct host_log *log = NULL;
    size_t len = 0;

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(host_log_open(&config, now, &log), ERR_OK);
    assert_true(instant_is_never(host_log_due(log)));
    for (int i = 0; i < HOST_LIMIT_BURST + 3; i++) {
        struct event e = refusal();
        host_log_event(log, now, &e);
    }
    host_log_timer(log, now);
    host_log_timer(log, host_log_due(log));
    assert_true(instant_is_never(host_log_due(log)));
    assert_int_equal(host_log_counts(log)[EV_MEMBER_REFUSED], HOST_LIMIT_BURST + 3);
    assert_int_equal(host_log_counts(log)[EV_SUPPRESSED], 1);
    host_log_close(log);

    assert_int_equal(host_read_file(path, 1 << 20, &text, &len), ERR_OK);
    assert_int_equal(count(text, "member-refused peer="), HOST_LIMIT_BURST);
    assert_int_equal(count(text, "suppressed what=member-refused lines=3\n"), 1);
    free(text);
    unlink(path);
}

/* All that is in the pipe. */
static char *drain(int fd)
{
    enum { ROOM = 1 << 20 };
    char *text = calloc(1, ROOM + 1);
    size_t len = 0;

    assert_non_null(text);
    for (ssize_t n; len < ROOM && (n = read(fd, text + len, ROOM - len)) > 0;)
        len += (size_t)n;
    return text;
}

static void nobody_waits_for_who_does_not_read(void **state)
{
    enum { MINUTES = 120 };
    char folder[] = "/tmp/conclave-log-test-XXXXXX", path[64], *text, wanted[64];
    struct host_log_config config = {
        .program = "p", .least = EVENT_INFO, .file = path, .quiet = true};
    struct host_log *log = NULL;
    struct event e = refusal();
    instant_t now = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(host_log_open(&config, now, &log), ERR_OK);
    for (int i = 0; i < MINUTES; i++, now.ns += 60 * NS_PER_S) {
        for (int k = 0; k < HOST_LIMIT_BURST; k++)
            host_log_event(log, now, &e);
    }
    text = drain(reader);
    size_t n_read = count(text, "member-refused peer=");
    assert_true(n_read > 100 && n_read < (size_t)MINUTES * HOST_LIMIT_BURST);
    assert_int_equal(count(text, "suppressed"), 0);
    free(text);
    host_log_event(log, now, &e);
    text = drain(reader);
    snprintf(wanted, sizeof wanted,
             " suppressed what=\"lines that could not be written\" lines=%zu\n",
             (size_t)MINUTES * HOST_LIMIT_BURST - n_read);
    assert_int_equal(count(text, wanted), 1);
    assert_int_equal(count(text, "member-refused peer="), 1);
    free(text);
    host_log_event(log, now, &e);
    text = drain(reader);
    assert_int_equal(count(text, "suppressed"), 0); /* it is told once */
    free(text);
    host_log_close(log);
    close(reader);
    unlink(path);
    rmdir(folder);
}

/* With nobody at the other end, which is *ret_master. */
static int open_terminal(int *ret_master)
{
    *ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(*ret_master >= 0);
    assert_int_equal(grantpt(*ret_master), 0);
    assert_int_equal(unlockpt(*ret_master), 0);
    int terminal = open(ptsname(*ret_master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    return terminal;
}

/* Whole lines that arrived, and those that others say were lost; one that was torn right before its
 * newline is both. */
static size_t accounted(const char *text)
{
    static const char lines[] = "could not be written\" lines=";
    size_t n = count(text, "the line has already\"\r\n");

    for (const char *at = strstr(text, lines); at; at = strstr(at + 1, lines))
        n += strtoul(at + strlen(lines), NULL, 10);
    return n;
}

/* What arrives at `master`, until that accounts for every event; one more is told after each look.
 * The text is zero before. Returns how many were told. */
static size_t read_terminal(int master, struct host_log *log, instant_t now, size_t n_told,
                            char *text, size_t room)
{
    struct event e = refusal();
    struct pollfd p = {.fd = master, .events = POLLIN};

    for (size_t len = 0;; n_told++) {
        while (len + 1 < room && poll(&p, 1, 50) == 1) {
            ssize_t n = read(master, text + len, room - len - 1);
            len += n > 0 ? (size_t)n : 0;
        }
        if (len + 1 == room || accounted(text) >= n_told)
            return n_told;
        now.ns += 60 * NS_PER_S;
        host_log_event(log, now, &e);
    }
}

/* Were one of them torn, the next begins a line of its own. */
static bool begins_its_line(const char *text, const char *what)
{
    const char *at = strstr(text, what), *begin = at;

    while (begin && begin > text && begin[-1] != '\n')
        begin--;
    const char *torn = begin ? strstr(begin, "member-refused") : NULL;
    return begin && (!torn || torn > at);
}

static void a_terminal_that_nobody_reads_stops_nobody(void **state)
{
    enum { MINUTES = 120, SECONDS_UNTIL_THAT_IS_WAITING = 60 };
    static char text[1 << 18];
    struct host_log_config config = {.program = "p", .least = EVENT_INFO};
    struct host_log *log = NULL;
    struct event e = refusal();
    instant_t now = {0};
    int master, before = dup(STDERR_FILENO);
    int terminal = open_terminal(&master);

    (void)state;
    alarm(SECONDS_UNTIL_THAT_IS_WAITING);
    dup2(terminal, STDERR_FILENO);
    enum err opened = host_log_open(&config, now, &log);
    for (int i = 0; i < MINUTES && opened == ERR_OK; i++, now.ns += 60 * NS_PER_S) {
        for (int k = 0; k < HOST_LIMIT_BURST; k++)
            host_log_event(log, now, &e);
    }
    size_t n_told = (size_t)MINUTES * HOST_LIMIT_BURST;
    if (opened == ERR_OK)
        n_told = read_terminal(master, log, now, n_told, text, sizeof text);
    host_log_close(log);
    dup2(before, STDERR_FILENO);
    alarm(0);

    assert_int_equal(opened, ERR_OK);
    assert_true(count(text, "the line has already\"\r\n") > 10);
    assert_in_range(accounted(text), n_told, n_told + 1);
    assert_true(begins_its_line(text, "suppressed what="));
    assert_int_equal(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0); /* it is the shell's, too */
    close(terminal);
    close(master);
    close(before);
}

static void events_below_the_level_are_only_counted(void **state)
{
    char path[] = "/tmp/conclave-log-test-XXXXXX", *text = NULL;
    struct host_log_config config = {
        .program = "p", .least = EVENT_ERROR, .file = path, .quiet = true};
    struct host_log *log = NULL;
    struct event e = refusal();
    size_t len = 1;

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(host_log_open(&config, (instant_t){0}, &log), ERR_OK);
    host_log_event(log, (instant_t){0}, &e);
    assert_int_equal(host_log_counts(log)[EV_MEMBER_REFUSED], 1);
    host_log_close(log);
    assert_int_equal(host_read_file(path, 1 << 20, &text, &len), ERR_OK);
    assert_int_equal(len, 0);
    free(text);
    unlink(path);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
    struct host_log_config config = {.program = "p", .file = "/nonexistent/log"};
    struct host_log *log = NULL;

    (void)state;
    assert_int_equal(host_log_open(&config, (instant_t){0}, &log), ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line),
        cmocka_unit_test(a_json_line),
        cmocka_unit_test(the_largest_event_fits),
        cmocka_unit_test(the_log_counts_limits_and_tells),
        cmocka_unit_test(nobody_waits_for_who_does_not_read),
        cmocka_unit_test(a_terminal_that_nobody_reads_stops_nobody),
        cmocka_unit_test(events_below_the_level_are_only_counted),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

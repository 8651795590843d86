#include "host/clock.h"
#include "host/loop.h"
#include "host/stream.h"

#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A server that says back what it hears and hangs up after a full stop. */
static struct {
    struct host *host;
    struct host_listener *listener;
    struct host_stream *stream;
    char folder[32], path[64];
    uint8_t held[64];
    size_t n_held;
    bool over, refuse;
    struct host_peer peer;
    gid_t groups[NGROUPS_MAX];
    int n_closed;
} w;

static void *opened(void *ctx, struct host_stream *stream, struct host_peer peer)
{
    (void)ctx;
    w.stream = stream;
    w.peer = peer;
    if (peer.n_groups > 0)
        memcpy(w.groups, peer.groups, peer.n_groups * sizeof *w.groups);
    if (w.refuse)
        host_quit(w.host);
    return w.refuse ? NULL : &w;
}

static void received(void *user, struct bytes octets)
{
    (void)user;
    assert_true(w.n_held + octets.len <= sizeof w.held);
    memcpy(w.held + w.n_held, octets.data, octets.len);
    w.n_held += octets.len;
    w.over = memchr(octets.data, '.', octets.len) != NULL;
}

static struct bytes outgoing(void *user)
{
    (void)user;
    return bytes(w.held, w.n_held);
}

static void sent(void *user, size_t n)
{
    (void)user;
    w.n_held -= n;
    memmove(w.held, w.held + n, w.n_held);
}

static bool is_over(void *user)
{
    (void)user;
    return w.over;
}

static void closed(void *user)
{
    (void)user;
    w.n_closed++;
    host_quit(w.host);
}

static void (*on_due)(void *ctx, instant_t now);

static void due(void *ctx, instant_t now) { on_due(ctx, now); }

static void stop(void *ctx) { (void)ctx; }

static unsigned n_pieces; /* still to come: "more " each, and a full stop */

static bool go_on(void *user)
{
    (void)user;
    if (n_pieces == 0 || w.n_held > 0)
        return n_pieces > 0;
    w.over = --n_pieces == 0;
    w.n_held = 5;
    memcpy(w.held, w.over ? "done." : "more ", 5);
    return n_pieces > 0;
}

static const struct host_stream_hooks hooks = {.opened = opened,
                                               .received = received,
                                               .go_on = go_on,
                                               .outgoing = outgoing,
                                               .sent = sent,
                                               .is_over = is_over,
                                               .closed = closed};

static int setup(void **state)
{
    const struct host_hooks host_hooks = {NULL, due, stop};

    (void)state;
    memset(&w, 0, sizeof w);
    snprintf(w.folder, sizeof w.folder, "/tmp/conclave-stream-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof w.path, "%s/s", w.folder);
    assert_int_equal(host_new(&host_hooks, 1, &w.host), ERR_OK);
    assert_int_equal(host_listen(w.host, w.path, &hooks, &w.listener), ERR_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_listener_close(w.listener);
    host_listener_close(NULL);
    host_free(w.host);
    assert_int_equal(access(w.path, F_OK), -1);
    return rmdir(w.folder);
}

static int dial(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", w.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void a_stream_answers_and_hangs_up(void **state)
{
    int fd = dial();
    char answer[16] = "";

    (void)state;
    assert_int_equal(send(fd, "hello.", 6, 0), 6);
    host_run(w.host);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 6);
    assert_string_equal(answer, "hello.");
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 0);
    assert_int_equal(w.n_closed, 1);
    assert_int_equal(w.peer.uid, geteuid());
    assert_int_equal(w.peer.pid, getpid());
    close(fd);
}

/* What the kernel noted when the connection was made, not what the peer is by now. */
static void the_groups_of_a_peer_are_known(void **state)
{
    static const gid_t many[] = {47110, 47111, 47112};
    gid_t mine[NGROUPS_MAX];
    bool may_change = setgroups(ARRAY_LEN(many), many) == 0; /* root may */
    int n = getgroups(NGROUPS_MAX, mine), fd = dial();

    (void)state;
    if (may_change)
        assert_int_equal(setgroups(0, NULL), 0);
    assert_int_equal(send(fd, ".", 1, 0), 1);
    host_run(w.host);
    assert_true(w.peer.known);
    assert_int_equal(w.peer.n_groups, n);
    assert_int_equal(w.peer.gid, getegid());
    assert_true(!may_change || n == ARRAY_LEN(many));
    for (int i = 0; i < n; i++)
        assert_int_equal(w.groups[i], mine[i]);
    close(fd);
}

static void the_end_of_a_stream_closes_it(void **state)
{
    int fd = dial();

    (void)state;
    close(fd);
    host_run(w.host);
    assert_int_equal(w.n_closed, 1);
}

static void speak_later(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
    memcpy(w.held, "news.", 5);
    w.n_held = 5;
    w.over = true;
    host_stream_wake(w.stream);
}

static void a_woken_stream_sends_what_is_new(void **state)
{
    int fd = dial();
    char answer[16] = "";

    (void)state;
    on_due = speak_later;
    host_arm(w.host, instant_add(host_now(), span_ms(10)));
    host_run(w.host);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 5);
    assert_string_equal(answer, "news.");
    close(fd);
}

/* Longer than a socket takes at once, and made while it is sent. */
static void a_long_answer_goes_on_piece_by_piece(void **state)
{
    enum { PIECES = 20000 };
    char octets[4096];
    size_t n_heard = 0;
    int fd = dial(), tiny = 1;

    (void)state;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny), 0);
    n_pieces = PIECES;
    pid_t child = fork();
    if (child == 0) {
        host_run(w.host);
        _exit(0);
    }
    for (ssize_t n; (n = recv(fd, octets, sizeof octets, 0)) > 0;)
        n_heard += (size_t)n;
    assert_int_equal(n_heard, 5 * PIECES);
    assert_int_equal(waitpid(child, NULL, 0), child);
    n_pieces = 0;
    close(fd);
}

static void refused_streams_are_closed(void **state)
{
    int fd = dial();
    char answer;

    (void)state;
    w.refuse = true;
    host_run(w.host);
    assert_int_equal(recv(fd, &answer, 1, 0), 0);
    assert_int_equal(w.n_closed, 0);
    close(fd);
}

static void anybody_may_knock(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
}

static void one_at_a_time_and_leftovers_are_replaced(void **state)
{
    struct host_listener *second = NULL;
    char path[160];

    (void)state;
    assert_int_equal(host_listen(w.host, w.path, &hooks, &second), ERR_BUSY);
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(host_listen(w.host, path, &hooks, &second), ERR_LENGTH);
    assert_int_equal(host_listen(w.host, "/nonexistent/s", &hooks, &second), ERR_SYSTEM);

    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/old", w.folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd); /* its file stays */
    assert_int_equal(host_listen(w.host, at.sun_path, &hooks, &second), ERR_OK);
    host_listener_close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_answers_and_hangs_up, setup, teardown),
        cmocka_unit_test_setup_teardown(the_groups_of_a_peer_are_known, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_stream_closes_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_woken_stream_sends_what_is_new, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_answer_goes_on_piece_by_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_streams_are_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(anybody_may_knock, setup, teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time_and_leftovers_are_replaced, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

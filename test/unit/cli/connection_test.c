/* The console's end of the protocol against a daemon that says what a test has written down. */
#include "cli/connection.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    char folder[40], path[60];
    int fd;
    pthread_t thread;
    struct ctl_buf script; /* what the daemon says to the first that connects */
} d;
static char sentence[CTL_SENTENCE_MAX];

static void *speak(void *arg)
{
    char octets[4096];
    int fd = accept(d.fd, NULL, NULL);

    (void)arg;
    for (size_t at = 0; at < d.script.len;) {
        ssize_t n = send(fd, d.script.data + at, d.script.len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    while (recv(fd, octets, sizeof octets, 0) > 0)
        ;
    close(fd);
    return NULL;
}

static int setup(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    (void)state;
    memset(&d, 0, sizeof d);
    snprintf(d.folder, sizeof d.folder, "/tmp/conclave-connection-XXXXXX");
    assert_non_null(mkdtemp(d.folder));
    snprintf(d.path, sizeof d.path, "%s/s", d.folder);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", d.path);
    d.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(d.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(d.fd, 1), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(d.fd);
    unlink(d.path);
    ctl_buf_free(&d.script);
    return rmdir(d.folder);
}

static void say_hello(void)
{
    struct ctl_wr w = {0};

    ctl_put_str(&w, "program", "fake");
    ctl_hello_write(&d.script, ctl_buf_bytes(&w.buf));
    ctl_buf_free(&w.buf);
}

/* A tree with one large list, more than a piece long. */
static struct ctl_wr large_tree(void)
{
    struct ctl_wr w = {0};

    ctl_list(&w, "numbers");
    for (uint64_t i = 0; i < 10000; i++)
        ctl_put_u64(&w, NULL, i);
    ctl_end(&w);
    return w;
}

static enum err connect_once(struct cli_connection *c)
{
    assert_int_equal(pthread_create(&d.thread, NULL, speak, NULL), 0);
    enum err e = cli_connect(d.path, c, sentence);
    if (e != ERR_OK)
        pthread_join(d.thread, NULL);
    return e;
}

static void hang_up(struct cli_connection *c)
{
    cli_disconnect(c);
    pthread_join(d.thread, NULL);
}

static enum err ask(struct arena *arena, struct ctl_node **tree)
{
    const struct ctl_request request = {.command = ctl_command_of(CTL_SHOW_VERSION)};
    struct cli_connection c;

    assert_int_equal(connect_once(&c), ERR_OK);
    assert_string_equal(ctl_find_text(c.hello, "program"), "fake");
    enum err e = cli_ask(&c, &request, arena, tree, sentence);
    hang_up(&c);
    return e;
}

static void where_nobody_listens(void **state)
{
    struct cli_connection c;
    char path[200];

    (void)state;
    assert_int_equal(cli_connect("/nonexistent/s", &c, sentence), ERR_NOT_FOUND);
    assert_string_equal(sentence, "/nonexistent/s: no daemon answers here");
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(cli_connect(path, &c, sentence), ERR_LENGTH);
    assert_int_equal(cli_connect("/dev/null/s", &c, sentence), ERR_SYSTEM);
    assert_string_equal(sentence, "/dev/null/s: Not a directory");
}

static void who_may_not(void **state)
{
    struct cli_connection c;

    (void)state;
    if (geteuid() == 0 && seteuid(65534) != 0)
        skip();
    chmod(d.path, 0);
    assert_int_equal(cli_connect(d.path, &c, sentence), ERR_DENIED);
    assert_non_null(strstr(sentence, "you may not talk to this daemon"));
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void greetings_that_are_none(void **state)
{
    struct cli_connection c;

    (void)state;
    assert_int_equal(connect_once(&c), ERR_CLOSED); /* says nothing */
    ctl_frame_write(&d.script, CTL_HELLO, 0, bytes("CVL\2", 4));
    assert_int_equal(connect_once(&c), ERR_VERSION);
    assert_non_null(strstr(sentence, "version not supported"));
    ctl_buf_free(&d.script);
    ctl_frame_write(&d.script, CTL_DONE, 0, bytes(NULL, 0));
    assert_int_equal(connect_once(&c), ERR_UNEXPECTED);
    ctl_buf_free(&d.script);
    ctl_error_write(&d.script, 0, ERR_BUSY, "come back later");
    assert_int_equal(connect_once(&c), ERR_REFUSED);
    assert_string_equal(sentence, "come back later");
    ctl_buf_free(&d.script);
    ctl_buf_put(&d.script, bytes_str("220 smtp ready\r\n"));
    assert_int_equal(connect_once(&c), ERR_LENGTH);
}

static void an_answer_in_pieces(void **state)
{
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    struct ctl_wr w = large_tree();

    (void)state;
    say_hello();
    ctl_answer_write(&d.script, 1, ctl_buf_bytes(&w.buf));
    assert_int_equal(ask(&arena, &tree), ERR_OK);
    assert_int_equal(ctl_find(tree, "numbers")->n, 10000);
    ctl_buf_free(&w.buf);
    arena_free(&arena);
}

static void answers_that_are_none(void **state)
{
    struct arena arena = {0};
    struct ctl_node *tree = NULL;

    (void)state;
    say_hello();
    assert_int_equal(ask(&arena, &tree), ERR_CLOSED); /* hangs up */
    ctl_frame_write(&d.script, CTL_DONE, 2, bytes(NULL, 0));
    assert_int_equal(ask(&arena, &tree), ERR_UNEXPECTED); /* of another request */
    ctl_buf_free(&d.script);
    say_hello();
    ctl_frame_write(&d.script, CTL_DONE, 1, bytes("\1", 1));
    assert_int_equal(ask(&arena, &tree), ERR_SHORT);
    ctl_buf_free(&d.script);
    say_hello();
    ctl_error_write(&d.script, 1, ERR_NOT_FOUND, "no such group");
    assert_int_equal(ask(&arena, &tree), ERR_REFUSED);
    assert_string_equal(sentence, "no such group");
    assert_null(tree);
    arena_free(&arena);
}

static void events_one_by_one(void **state)
{
    const struct ctl_request request = {.command = ctl_command_of(CTL_MONITOR)};
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    struct cli_connection c;
    enum err e = ERR_SHORT;
    int n = 0;

    (void)state;
    say_hello();
    ctl_frame_write(&d.script, CTL_EVENT, 1, bytes("\5\1a\1", 4));
    ctl_frame_write(&d.script, CTL_EVENT, 1, bytes("\5\1a\1", 4));
    ctl_error_write(&d.script, 1, ERR_BUSY, "enough");
    assert_int_equal(connect_once(&c), ERR_OK);
    assert_int_equal(cli_subscribe(&c, &request, sentence), ERR_OK);
    while (e == ERR_SHORT || e == ERR_OK) {
        e = cli_next_event(&c, &arena, &tree, sentence);
        if (e == ERR_SHORT)
            assert_int_equal(cli_receive(&c), ERR_OK);
        n += e == ERR_OK;
    }
    assert_int_equal(e, ERR_REFUSED);
    assert_int_equal(n, 2);
    assert_true(ctl_find_bool(tree, "a"));
    while ((e = cli_receive(&c)) == ERR_OK)
        ;
    assert_int_equal(e, ERR_CLOSED);
    hang_up(&c);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_listens),
        cmocka_unit_test_setup_teardown(who_may_not, setup, teardown),
        cmocka_unit_test_setup_teardown(greetings_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(events_one_by_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Programs that are started without standard streams, or print to a full disk. */
#include "cmd/streams.h"

#include "test/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_null(int fd)
{
    struct stat there, null;

    return fstat(fd, &there) == 0 && stat("/dev/null", &null) == 0 && there.st_rdev == null.st_rdev;
}

/* In a child, whose streams nobody misses. */
static int in_child(int (*f)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(f());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int without_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    streams_open();
    int next = dup(STDIN_FILENO);
    bool good = is_null(STDIN_FILENO) && is_null(STDOUT_FILENO) && is_null(STDERR_FILENO);
    return good && next > STDERR_FILENO ? 0 : 1;
}

static int with_streams(void)
{
    int full = open("/dev/full", O_WRONLY);

    if (full < 0 || dup2(full, STDERR_FILENO) != STDERR_FILENO)
        return 1;
    streams_open();
    return is_null(STDERR_FILENO) ? 1 : 0;
}

static void closed_streams_are_opened(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_streams), 0);
    assert_int_equal(in_child(with_streams), 0);
}

static int prints(const char *to)
{
    int fd = open(to, O_WRONLY), null = open("/dev/null", O_WRONLY);

    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        return 2;
    printf("something\n");
    return streams_written("test") ? 0 : 1;
}

static int prints_to_a_full_disk(void) { return prints("/dev/full"); }
static int prints_to_anywhere(void) { return prints("/dev/null"); }

static void what_is_not_written_is_a_failure(void **state)
{
    (void)state;
    fflush(stdout);
    assert_int_equal(in_child(prints_to_a_full_disk), 1);
    assert_int_equal(in_child(prints_to_anywhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_streams_are_opened),
        cmocka_unit_test(what_is_not_written_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

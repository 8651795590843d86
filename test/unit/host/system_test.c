#include "base/bytes.h"
#include "host/system.h"
#include "host/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_service_manager_hears(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char heard[64] = "", name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    (void)state;
    snprintf(name, sizeof name, "@conclave-notify-test-%d", (int)getpid());
    memcpy(at.sun_path, name, strlen(name));
    at.sun_path[0] = '\0';
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    host_notify("READY=1");
    assert_int_equal(recv(fd, heard, sizeof heard, MSG_DONTWAIT), 7);
    assert_string_equal(heard, "READY=1");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    host_notify("READY=1");
    assert_int_equal(recv(fd, heard, sizeof heard, MSG_DONTWAIT), -1);
    close(fd);
}

static void hardening_takes_hold(void **state)
{
    struct rlimit core;

    (void)state;
    struct host_hardening h = host_harden();
    assert_true(h.no_new_privileges && h.no_dumps);
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_max, 0);
}

static void files_are_read_whole_or_not(void **state)
{
    char path[] = "/tmp/conclave-system-test-XXXXXX", *text = NULL;
    size_t len = 0;
    int fd = mkstemp(path);

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    assert_int_equal(host_read_file(path, 100000, &text, &len), ERR_OK);
    assert_int_equal(len, 100000);
    assert_int_equal(strlen(text), 100000);
    free(text);
    text = NULL;
    assert_int_equal(host_read_file(path, 99999, &text, &len), ERR_LIMIT);
    unlink(path);
    assert_int_equal(host_read_file(path, 100000, &text, &len), ERR_SYSTEM);
    assert_int_equal(host_read_file("/tmp", 100000, &text, &len), ERR_SYSTEM);
    assert_null(text);
}

/* A pipe in the place of a file would keep everybody waiting who wants something of the reader. */
static void a_pipe_is_no_file(void **state)
{
    char folder[] = "/tmp/conclave-pipe-XXXXXX", path[64], *text = NULL;
    size_t len = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(host_read_file(path, 100, &text, &len), ERR_NOT_A_FILE);
    assert_int_equal(host_read_secret(path, 100, &text, &len), ERR_NOT_A_FILE);
    assert_int_equal(host_read_file("/dev/zero", 100, &text, &len), ERR_NOT_A_FILE);
    pid_t writer = fork();
    if (writer == 0)
        _exit(write(open(path, O_WRONLY), "typed", 5) == 5 ? 0 : 1);
    assert_int_equal(host_read_input(path, 100, &text, &len), ERR_OK);
    assert_string_equal(text, "typed");
    free(text);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    unlink(path);
    rmdir(folder);
}

static void secrets_are_for_their_owner(void **state)
{
    char path[] = "/tmp/conclave-secret-XXXXXX", *text = NULL;
    size_t len = 0;
    int fd = mkstemp(path); /* mode 0600 */

    (void)state;
    assert_int_equal(write(fd, "secret", 6), 6);
    assert_int_equal(host_read_secret(path, 100, &text, &len), ERR_OK);
    assert_string_equal(text, "secret");
    free(text);
    text = NULL;
    for (mode_t other = 01; other <= 040; other <<= 1) {
        assert_int_equal(fchmod(fd, 0600 | other), 0);
        assert_int_equal(host_read_secret(path, 100, &text, &len), ERR_DENIED);
    }
    assert_null(text);
    close(fd);
    unlink(path);
    assert_int_equal(host_read_secret(path, 100, &text, &len), ERR_SYSTEM);
}

static void a_folder_of_a_file(void **state)
{
    char *folder = host_folder_of("/etc/passwd");

    (void)state;
    assert_string_equal(folder, "/etc");
    free(folder);
    folder = host_folder_of("/etc/../etc");
    assert_string_equal(folder, "/");
    free(folder);
    assert_null(host_folder_of("/nowhere/at/all"));
}

/* In a child, because there is no way back: 0 when the rules hold, 1 when the kernel has none. */
static int confined(const char *folder, const char *inside)
{
    char *text = NULL;
    size_t len = 0;

    const struct host_folder folders[] = {{folder, HOST_REMOVE}, {"/proc", HOST_READ}};

    if (!host_harden().no_new_privileges || host_confine(folders, 2))
        return 1;
    if (host_read_file("/etc/passwd", 1 << 20, &text, &len) != ERR_SYSTEM || errno != EACCES)
        return 2;
    if (host_read_file(inside, 1 << 20, &text, &len) != ERR_SYSTEM || errno != EACCES)
        return 3;
    if (host_read_file("/proc/version", 1 << 20, &text, &len) != ERR_OK)
        return 5;
    free(text);
    return unlink(inside) == 0 ? 0 : 4;
}

static void in_confinement(int (*f)(const char *folder, const char *inside))
{
    char folder[] = "/tmp/conclave-confine-XXXXXX", inside[64];
    int status = 0;

    assert_non_null(mkdtemp(folder));
    snprintf(inside, sizeof inside, "%s/file", folder);
    int fd = open(inside, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    pid_t child = fork();
    if (child == 0)
        _exit(f(folder, inside));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    (void)unlink(inside);
    assert_int_equal(rmdir(folder), 0);
    if (WEXITSTATUS(status) == 1)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void confinement_leaves_only_removal(void **state)
{
    (void)state;
    in_confinement(confined);
}

/* A folder that is the program's own. */
static int confined_to(const char *folder, const char *inside)
{
    const struct host_folder folders[] = {{folder, HOST_CHANGE}};
    char more[64];

    if (!host_harden().no_new_privileges || host_confine(folders, 1))
        return 1;
    snprintf(more, sizeof more, "%s/more", folder);
    int fd = open(more, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0 || close(fd) != 0)
        return 2;
    if (unlink(more) != 0 || open("/tmp/conclave-elsewhere", O_RDWR | O_CREAT, 0600) >= 0)
        return 3;
    return unlink(inside) == 0 ? 0 : 4;
}

static void confinement_leaves_a_folder_of_ones_own(void **state)
{
    (void)state;
    in_confinement(confined_to);
}

static void there_is_no_confinement_to_a_folder_that_is_not(void **state)
{
    (void)state;
    assert_int_equal(host_confine(&(struct host_folder){"/nowhere/at/all", HOST_READ}, 1),
                     ERR_SYSTEM);
}

/* A thread of the pool, or one of its own, that tries to open a file. */
struct shop {
    struct host *host;
    struct host_worker *worker; /* NULL: the pool */
    int error;
};

static void open_outside(void *ctx)
{
    struct shop *s = ctx;
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    s->error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
}

static void opened(void *ctx) { host_quit(((struct shop *)ctx)->host); }
static void never_due(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
}
static void never_stopped(void *ctx) { (void)ctx; }

static int error_of_opening(struct shop *s)
{
    if (s->worker)
        host_worker_run(s->worker, open_outside, opened, s);
    else if (host_work(s->host, open_outside, opened, s) != ERR_OK)
        return -1;
    host_run(s->host);
    return s->error;
}

/* early: the thread is there before the confinement. */
static int threads_confined(bool of_its_own, bool early)
{
    const struct host_hooks hooks = {NULL, never_due, never_stopped};
    struct shop s = {0};

    if (host_new(&hooks, 1, &s.host) || (of_its_own && host_worker_new(s.host, &s.worker)))
        return 2;
    if (early && error_of_opening(&s) != 0)
        return 3;
    enum err e = host_harden().no_new_privileges ? host_confine(NULL, 0) : ERR_SYSTEM;
    if (e == ERR_SYSTEM)
        return 1;
    if (e != (early ? ERR_BUSY : ERR_OK))
        return 4;
    if (error_of_opening(&s) != (early ? 0 : EACCES))
        return 5;
    host_worker_free(s.worker);
    host_free(s.host);
    return 0;
}

static int late_pool(const char *folder, const char *inside)
{
    (void)folder;
    (void)inside;
    return threads_confined(false, false);
}
static int late_thread(const char *folder, const char *inside)
{
    (void)folder;
    (void)inside;
    return threads_confined(true, false);
}
static int early_pool(const char *folder, const char *inside)
{
    (void)folder;
    (void)inside;
    return threads_confined(false, true);
}
static int early_thread(const char *folder, const char *inside)
{
    (void)folder;
    (void)inside;
    return threads_confined(true, true);
}

static void threads_made_later_are_confined(void **state)
{
    (void)state;
    in_confinement(late_pool);
    in_confinement(late_thread);
}

static void threads_that_run_already_are_not_and_that_is_told(void **state)
{
    (void)state;
    in_confinement(early_pool);
    in_confinement(early_thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_manager_hears),
        cmocka_unit_test(files_are_read_whole_or_not),
        cmocka_unit_test(a_pipe_is_no_file),
        cmocka_unit_test(secrets_are_for_their_owner),
        cmocka_unit_test(a_folder_of_a_file),
        cmocka_unit_test(confinement_leaves_only_removal),
        cmocka_unit_test(confinement_leaves_a_folder_of_ones_own),
        cmocka_unit_test(there_is_no_confinement_to_a_folder_that_is_not),
        cmocka_unit_test(threads_made_later_are_confined),
        cmocka_unit_test(threads_that_run_already_are_not_and_that_is_told),
        cmocka_unit_test(hardening_takes_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

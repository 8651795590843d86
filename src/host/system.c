#include "host/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void host_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    size_t len = strlen(path);
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract name space */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, to_len);
    close(fd);
}

/* sd_notify(3): the time tells a manager of Type=notify-reload that it was this reload. */
void host_notify_reloading(void)
{
    struct timespec now;
    char state[64];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    host_notify(state);
}

static bool is_capable(unsigned capability)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &head, data) == 0 &&
           (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

/* Locking what comes later is for those without a limit: with one, the first allocation beyond it
 * would fail. */
static bool lock_memory(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        return false;
    if (limit.rlim_cur != RLIM_INFINITY && !is_capable(CAP_IPC_LOCK))
        return false;
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

struct host_hardening host_harden(void)
{
    const struct rlimit none = {0, 0};
    struct host_hardening h;

    h.no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    h.no_dumps = setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    h.locked = lock_memory();
    return h;
}

/* Every right of the first version of Landlock. */
enum {
    FILE_RIGHTS =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
        LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
        LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
        LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM
};

static uint64_t rights_of(enum host_access access)
{
    const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

    if (access == HOST_REMOVE)
        return LANDLOCK_ACCESS_FS_REMOVE_FILE;
    if (access == HOST_READ)
        return read;
    return read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
           LANDLOCK_ACCESS_FS_REMOVE_FILE;
}

static bool allow(int rules, const struct host_folder *folder)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = rights_of(folder->access),
        .parent_fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC)};

    if (rule.parent_fd < 0)
        return false;
    bool ok = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return ok;
}

static bool restrict_self(const struct host_folder *folders, size_t n)
{
    const struct landlock_ruleset_attr handled = {.handled_access_fs = FILE_RIGHTS};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    bool ok = rules >= 0;

    for (size_t i = 0; i < n && ok; i++)
        ok = allow(rules, &folders[i]);
    ok = ok && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (rules >= 0)
        close(rules);
    return ok;
}

/* proc(5): the links of this folder are itself twice, and one for each thread. */
static bool has_other_threads(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
}

enum err host_confine(const struct host_folder *folders, size_t n)
{
    bool others = has_other_threads();

    if (!restrict_self(folders, n))
        return ERR_SYSTEM;
    return others ? ERR_BUSY : ERR_OK;
}

char *host_folder_of(const char *file)
{
    char *path = realpath(file, NULL);

    if (path)
        path[strrchr(path, '/') == path ? 1 : strrchr(path, '/') - path] = '\0';
    return path;
}

/* Reads until the end; a file may grow or be a pipe, so its size is not asked. */
static enum err read_all(int fd, size_t max, char **text, size_t *len)
{
    size_t room = 0;

    for (;;) {
        if (*len + 1 >= room) {
            room = room ? 2 * room : 16384;
            char *larger = realloc(*text, room);
            if (!larger)
                return ERR_NOMEM;
            *text = larger;
        }
        ssize_t n = read(fd, *text + *len, room - *len - 1);
        if (n < 0 && errno != EINTR)
            return ERR_SYSTEM;
        if (n == 0)
            return ERR_OK;
        *len += n > 0 ? (size_t)n : 0;
        if (*len > max)
            return ERR_LIMIT;
    }
}

enum source { ANY_INPUT, FILE_ONLY, SECRET_FILE };

static enum err check_source(int fd, enum source source)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return ERR_SYSTEM;
    if (source != ANY_INPUT && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return ERR_NOT_A_FILE; /* of a folder read() says what is wrong */
    bool shared = status.st_mode & (S_IRWXG | S_IRWXO);
    return source == SECRET_FILE && shared ? ERR_DENIED : ERR_OK;
}

static enum err read_path(const char *path, enum source source, size_t max, char **ret_text,
                          size_t *ret_len)
{
    int patience = source == ANY_INPUT ? 0 : O_NONBLOCK; /* opening a pipe waits for its writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | patience);
    char *text = NULL;
    size_t len = 0;

    if (fd < 0)
        return ERR_SYSTEM;
    enum err e = check_source(fd, source);
    if (e == ERR_OK)
        e = read_all(fd, max, &text, &len);
    int saved = errno;
    close(fd);
    if (e != ERR_OK) {
        if (text)
            explicit_bzero(text, len); /* configurations hold secrets */
        free(text);
        errno = saved;
        return e;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return ERR_OK;
}

enum err host_read_file(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
    return read_path(path, FILE_ONLY, max, ret_text, ret_len);
}

enum err host_read_input(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
    return read_path(path, ANY_INPUT, max, ret_text, ret_len);
}

enum err host_read_secret(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
    return read_path(path, SECRET_FILE, max, ret_text, ret_len);
}

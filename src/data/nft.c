#include "data/nft.h"

#include "data/failure.h"
#include "data/names.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16384 };
static const char *const nft_path = "/usr/sbin/nft";

/* nft reads its script from, and writes its answer to, files in memory: neither side can block. */
struct run {
    int in, out;
};

static int run_open(struct run *r, const char *script)
{
    r->in = memfd_create("nft-in", MFD_CLOEXEC);
    r->out = memfd_create("nft-out", MFD_CLOEXEC);
    size_t len = strlen(script);
    if (r->in < 0 || r->out < 0 || write(r->in, script, len) != (ssize_t)len ||
        lseek(r->in, 0, SEEK_SET) != 0)
        return errno ? errno : EIO;
    return 0;
}

static void run_close(struct run *r)
{
    if (r->in >= 0)
        close(r->in);
    if (r->out >= 0)
        close(r->out);
}

static int spawn_nft(const struct run *r, char *const argv[], pid_t *ret_pid)
{
    static char *const env[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, r->in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, r->out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, r->out, STDERR_FILENO);
    int error = posix_spawn(ret_pid, nft_path, &files, NULL, argv, env);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* What nft wrote, NUL-terminated. */
static void run_output(const struct run *r, char *out, size_t room)
{
    ssize_t n = pread(r->out, out, room - 1, 0);
    out[n > 0 ? n : 0] = 0;
}

/* Returns an errno, or 0 with the exit status. */
static int run_nft(const char *script, char *const argv[], char *out, size_t room, int *ret_status)
{
    struct run r = {-1, -1};
    pid_t pid = 0;
    int error = run_open(&r, script);
    if (error == 0)
        error = spawn_nft(&r, argv, &pid);
    if (error == 0) {
        while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
            ;
        run_output(&r, out, room);
    }
    run_close(&r);
    return error;
}

enum err nft_load(const char *script, struct data_failure *ret_failure)
{
    char *const argv[] = {(char[]){"nft"}, (char[]){"-f"}, (char[]){"-"}, NULL};
    char out[OUTPUT_MAX];
    int status = 0;
    int error = run_nft(script, argv, out, sizeof out, &status);
    if (error == ENOENT)
        return data_fail(ret_failure, ERR_NOT_FOUND, "%s is missing: install the package nftables",
                         nft_path);
    if (error)
        return data_fail_errno(ret_failure, error, "%s", nft_path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ERR_OK;
    out[strcspn(out, "\n")] = 0;
    return data_fail(ret_failure, ERR_SYSTEM, "nft refused a rule: %s", out);
}

static bool chain_has(const char *table, const char *chain, const char *rule)
{
    char script[128], out[OUTPUT_MAX];
    char *const argv[] = {(char[]){"nft"}, (char[]){"-f"}, (char[]){"-"}, NULL};
    int status = 0;
    snprintf(script, sizeof script, "list chain ip %s %s\n", table, chain);
    return run_nft(script, argv, out, sizeof out, &status) == 0 && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0 && strstr(out, rule);
}

/* One rule of each table, which is there whatever the configuration. One after the other: asked for
 * two chains at once, nft 1.0.6 finds neither. */
bool nft_guard_stands(void)
{
    return chain_has(DATA_GUARD, "through", "jump closed\n") &&
           chain_has(DATA_STEER, "pre", "jump decide\n");
}

/* "counter NAME {\n packets N bytes M" */
static uint64_t find_counter(const char *text, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "counter %s {", name);
    const char *at = strstr(text, key);
    const char *packets = at ? strstr(at, "packets ") : NULL;
    return packets ? strtoull(packets + strlen("packets "), NULL, 10) : 0;
}

enum err nft_read_counters(struct data_guard_stats *ret)
{
    char *const argv[] = {(char[]){"nft"},
                          (char[]){"list"},
                          (char[]){"counters"},
                          (char[]){"table"},
                          (char[]){"ip"},
                          (char[]){DATA_GUARD},
                          NULL};
    char out[OUTPUT_MAX];
    int status = 0;
    if (run_nft("", argv, out, sizeof out, &status) || !WIFEXITED(status) || WEXITSTATUS(status))
        return ERR_SYSTEM;
    *ret = (struct data_guard_stats){
        .excluded = find_counter(out, "excluded"),
        .fail_open = find_counter(out, "fail_open"),
        .policy_dropped = find_counter(out, "policy_dropped"),
        .fail_closed = find_counter(out, "fail_closed"),
    };
    return ERR_OK;
}

#include "sqlite/key_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: one line of text that says what it is, then the key in hexadecimal, then a newline. */
#define MASTER_NAME "store.key"
static const char head[] = "conclave store key 1\n";
enum { HEAD = sizeof head - 1, FILE_LEN = HEAD + 2 * SEAL_MASTER + 1 };

void kernel_random(uint8_t *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len)
        abort(); /* at most 256 octets are never cut short, and there is no going on without */
}

/* Who may write into it could take an older copy, or a key of his own, back in. */
static enum err check_folder(int fd, const char *path, struct why *why)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return why_errno(why, "cannot write into folder", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return why_set(why, ERR_DENIED, "others may write into folder %s: chmod go-w it", path);
    return ERR_OK;
}

enum err folder_open(const char *path, struct why *why, int *ret_fd)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return why_errno(why, "cannot make folder", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return why_errno(why, "cannot open folder", path);
    enum err e = check_folder(fd, path, why);
    if (e)
        close(fd);
    else
        *ret_fd = fd;
    return e;
}

/* ---- the key ---- */

static enum err parse(const char *text, size_t len, struct secret *ret)
{
    char digits[2 * SEAL_MASTER + 1];
    struct secret key = {.len = 0};

    if (len != FILE_LEN || !bytes_equal(bytes(text, HEAD), bytes(head, HEAD)) ||
        text[FILE_LEN - 1] != '\n')
        return ERR_DAMAGED;
    memcpy(digits, text + HEAD, sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    bool ok = bytes_unhex(digits, key.b, SEAL_MASTER, &key.len) && key.len == SEAL_MASTER;
    explicit_bzero(digits, sizeof digits);
    if (ok)
        *ret = key;
    secret_wipe(&key);
    return ok ? ERR_OK : ERR_DAMAGED;
}

static enum err read_key(int fd, const char *path, struct why *why, struct secret *ret)
{
    char text[FILE_LEN + 1];
    struct stat st;

    if (fstat(fd, &st) != 0)
        return why_errno(why, "cannot read the key in", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return why_set(why, ERR_DENIED, "%s/" MASTER_NAME " can be read by others: chmod 600 it",
                       path);
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n < 0)
        return why_errno(why, "cannot read the key in", path);
    enum err e = parse(text, (size_t)n, ret);
    explicit_bzero(text, sizeof text);
    return e ? why_set(why, e, "%s/" MASTER_NAME " is not a key of a Conclave store", path) : e;
}

enum err master_read(int folder, const char *path, struct why *why, struct secret *ret_master)
{
    int fd = openat(folder, MASTER_NAME, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : why_errno(why, "cannot open the key in", path);
    enum err e = read_key(fd, path, why, ret_master);
    close(fd);
    return e;
}

static bool write_key(int fd, const struct secret *key)
{
    char text[FILE_LEN + 1];

    memcpy(text, head, HEAD);
    (void)bytes_hex(secret_bytes(key), text + HEAD, 2 * SEAL_MASTER + 1);
    text[FILE_LEN - 1] = '\n';
    bool ok = write(fd, text, FILE_LEN) == FILE_LEN && fsync(fd) == 0;
    explicit_bzero(text, sizeof text);
    return ok;
}

enum err master_make(int folder, const char *path, struct why *why, struct secret *ret_master)
{
    SECRET key = {.len = SEAL_MASTER};
    int fd = openat(folder, MASTER_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return why_errno(why, "cannot make the key in", path);
    kernel_random(key.b, key.len);
    bool ok = write_key(fd, &key) && fsync(folder) == 0;
    enum err e = ok ? ERR_OK : why_errno(why, "cannot write the key in", path);
    if (e)
        (void)unlinkat(folder, MASTER_NAME, 0); /* half a key would keep the next start from one */
    close(fd);
    if (e == ERR_OK)
        *ret_master = key;
    return e;
}

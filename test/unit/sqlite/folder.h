#pragma once
/* A folder of its own for each test. */
#include "test/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

struct folder {
    char path[64];
};

static inline struct folder folder_new(void)
{
    struct folder f = {"/tmp/conclave-store-XXXXXX"};

    assert_non_null(mkdtemp(f.path));
    return f;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int what,
                                    struct FTW *ftw)
{
    (void)st;
    (void)what;
    (void)ftw;
    return remove(path);
}

static inline void folder_free(struct folder *f)
{
    assert_int_equal(nftw(f->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline const char *folder_file(const struct folder *f, const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", f->path, name);
    return path;
}

static inline void folder_write(const struct folder *f, const char *name, const void *data,
                                size_t len)
{
    int fd = open(folder_file(f, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static inline size_t folder_read(const struct folder *f, const char *name, void *data, size_t room)
{
    int fd = open(folder_file(f, name), O_RDONLY);

    assert_true(fd >= 0);
    ssize_t n = read(fd, data, room);
    assert_true(n >= 0);
    close(fd);
    return (size_t)n;
}

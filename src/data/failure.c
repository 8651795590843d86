#include "data/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum err data_fail(struct data_failure *f, enum err e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    f->err = e;
    return e;
}

static enum err err_of(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return ERR_DENIED;
    case EBUSY:
        return ERR_BUSY;
    default:
        return ERR_SYSTEM;
    }
}

enum err data_fail_errno(struct data_failure *f, int error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof f->text)
        snprintf(f->text + n, sizeof f->text - (size_t)n, ": %s", strerror(error));
    f->err = err_of(error);
    return f->err;
}

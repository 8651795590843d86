#include "sqlite/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err why_set(struct why *why, enum err e, const char *fmt, ...)
{
    va_list args;

    if (!why)
        return e;
    va_start(args, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, args);
    va_end(args);
    return e;
}

enum err why_errno(struct why *why, const char *what, const char *path)
{
    int error = errno;
    enum err e = error == ENOSPC || error == EDQUOT || error == EFBIG  ? ERR_NO_SPACE
                 : error == EACCES || error == EPERM || error == EROFS ? ERR_DENIED
                                                                       : ERR_SYSTEM;

    return why_set(why, e, "%s %s: %s", what, path, strerror(error));
}

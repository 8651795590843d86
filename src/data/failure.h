#pragma once
#include "data/data.h"

/* Fills *f with the sentence and returns e. */
enum err data_fail(struct data_failure *f, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same from errno: ERR_DENIED for EPERM and EACCES, ERR_BUSY for EBUSY, else ERR_SYSTEM. */
enum err data_fail_errno(struct data_failure *f, int error, const char *fmt, ...) PRINTF_LIKE(3, 4);

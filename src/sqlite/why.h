#pragma once
/* Why a store cannot be opened or written, as one sentence for the operator. */
#include "base/compiler.h"
#include "base/err.h"

enum { WHY_MAX = 400 };
struct why {
    char text[WHY_MAX];
};

/* Sets the sentence and gives `e` back. NULL: nobody wants it. */
enum err why_set(struct why *why, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for a system call that failed: the sentence ends with errno's text. ERR_NO_SPACE,
 * ERR_DENIED or ERR_SYSTEM. */
enum err why_errno(struct why *why, const char *what, const char *path);

#pragma once
/* Functions that no source of ours may call, as compile errors (-include'd by the build for every
 * file). "deprecated" on a redeclaration is the one form that gcc and clang both refuse at the
 * call, leave alone in system headers, and do not mix up with fields and variables of the same
 * name. These lines come before the libc's own, whose inline definitions clang would not let us
 * amend. alloca() is refused by -Walloca. */
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define BANNED(instead) __attribute__((deprecated("banned here: " instead)))

extern char *strcpy(char *, const char *) BANNED("memcpy with a length, or snprintf");
extern char *strcat(char *, const char *) BANNED("snprintf");
extern int sprintf(char *, const char *, ...) BANNED("snprintf");
extern int vsprintf(char *, const char *, va_list) BANNED("vsnprintf");
extern char *strtok(char *, const char *) BANNED("strchr, or a reader of wire/rd.h");
extern int atoi(const char *) BANNED("strtoul with a check");
extern long atol(const char *) BANNED("strtoul with a check");
extern int system(const char *) BANNED("posix_spawn");
extern int memcmp(const void *, const void *, size_t) BANNED("bytes_equal or secret_equal");
extern int rand(void) BANNED("the randomness that the host hands in");
extern long random(void) BANNED("the randomness that the host hands in");
extern time_t time(time_t *) BANNED("the time that the host hands in");
struct timeval;
extern int gettimeofday(struct timeval *, void *) BANNED("the time that the host hands in");

#undef BANNED

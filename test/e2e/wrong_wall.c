/* Preloaded into a program: its calendar is WRONG_WALL seconds off. Other clocks are as they are.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *ret)
{
    const char *off = getenv("WRONG_WALL");
    int result = (int)syscall(SYS_clock_gettime, which, ret);

    if (which == CLOCK_REALTIME && off)
        ret->tv_sec += strtol(off, NULL, 10);
    return result;
}

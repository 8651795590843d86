/* Preloaded into a key server: while the file that SLOW_STORE names is there, each write of its
 * store takes a while. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOW_US = 150000 };

/* What SQLite writes by. */
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    const char *slow = getenv("SLOW_STORE");

    if (slow && access(slow, F_OK) == 0)
        (void)usleep(SLOW_US);
    return syscall(SYS_pwrite64, fd, data, len, at);
}

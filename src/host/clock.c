#include "host/clock.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

instant_t host_now(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_BOOTTIME, &t) != 0)
        abort();
    return (instant_t){(int64_t)t.tv_sec * NS_PER_S + t.tv_nsec};
}

void host_wall_exact(struct timespec *ret)
{
    if (clock_gettime(CLOCK_REALTIME, ret) != 0)
        abort();
}

wall_t host_wall(void)
{
    struct timespec t;

    host_wall_exact(&t);
    return (wall_t){t.tv_sec};
}

wall_t host_wall_of(instant_t at)
{
    struct timespec t;

    if (instant_is_never(at))
        return (wall_t){0};
    host_wall_exact(&t);
    int64_t ns = t.tv_nsec + instant_since(at, host_now()).ns;
    int64_t s = ns / NS_PER_S - (ns % NS_PER_S < 0 ? 1 : 0); /* rounded down */
    return (wall_t){t.tv_sec + s};
}

/* "a3f1...-....-....": the digits without the dashes. */
static bool read_boot_id(uint8_t out[HOST_BOOT_ID])
{
    char text[64] = "", digits[2 * HOST_BOOT_ID + 1];
    size_t n = 0, len = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < got && n < sizeof digits - 1; i++) {
        if (text[i] != '-')
            digits[n++] = text[i];
    }
    digits[n] = '\0';
    return bytes_unhex(digits, out, HOST_BOOT_ID, &len) && len == HOST_BOOT_ID;
}

void host_boot_id(uint8_t out[HOST_BOOT_ID])
{
    if (!read_boot_id(out))
        host_random(out, HOST_BOOT_ID);
}

void host_random(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n <= 0)
            abort(); /* there is no going on without it */
        out += n;
        len -= (size_t)n;
    }
}

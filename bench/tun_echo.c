/* The least that a user-space tunnel can do: carries packets between a TUN device in one network
 * namespace and one in another, a thread per direction, one packet per call. Usage: tun_echo
 * NETNS-FILE NETNS-FILE DEVICE */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct pipe_ends {
    int from, to;
};

static int fail(const char *what)
{
    fprintf(stderr, "tun_echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_in(const char *netns, const char *device)
{
    int ns = open(netns, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        fail(netns);
    close(ns);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strncpy(r.ifr_name, device, sizeof r.ifr_name - 1);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
        fail(device);
    return fd;
}

static void *carry(void *ends)
{
    const struct pipe_ends *p = ends;
    char packet[65536];
    for (;;) {
        ssize_t n = read(p->from, packet, sizeof packet);
        if (n <= 0 || (write(p->to, packet, (size_t)n) < 0 && errno == EBADF))
            return NULL;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: tun_echo NETNS-FILE NETNS-FILE DEVICE\n");
        return 2;
    }
    int a = open_in(argv[1], argv[3]), b = open_in(argv[2], argv[3]);
    struct pipe_ends there = {a, b}, back = {b, a};
    pthread_t thread;
    printf("ready\n");
    fflush(stdout);
    if (pthread_create(&thread, NULL, carry, &back) != 0)
        fail("thread");
    carry(&there);
    return 0;
}

#include "data/tun.h"

#include "data/names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* linux/if_tun.h of Linux 6.2; Debian 12's headers are 6.1 */
#define OFFLOAD_USO4 0x20
#define OFFLOAD_USO6 0x40

static int attach(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    strncpy(r.ifr_name, DATA_TUN, sizeof r.ifr_name - 1);
    if (ioctl(fd, TUNSETIFF, &r) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A member that runs holds the device: then it exists, which is all that is asked here. */
static int set_persistent(int on)
{
    int fd = attach();
    if (fd < 0)
        return errno == EBUSY && on ? 0 : errno;
    int error = ioctl(fd, TUNSETPERSIST, on) == 0 ? 0 : errno;
    close(fd);
    return error;
}

int tun_create(void) { return set_persistent(1); }
int tun_delete(void) { return if_nametoindex(DATA_TUN) ? set_persistent(0) : 0; }

int tun_open(bool *ret_udp)
{
    int fd = attach();
    if (fd < 0)
        return -1;
    unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN;
    *ret_udp = ioctl(fd, TUNSETOFFLOAD, offloads | OFFLOAD_USO4 | OFFLOAD_USO6) == 0;
    if (*ret_udp || ioctl(fd, TUNSETOFFLOAD, offloads) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

#include "data/sockets.h"

#include "esp/inner.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 8 << 20 };

static int marked_socket(int protocol, int flags)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);
    int mark = DATA_MARK_OWN;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void set_int(int fd, int level, int option, int value)
{
    /* tuning: the path works without it */
    (void)!setsockopt(fd, level, option, &value, sizeof value);
}

int socket_raw_out(void)
{
    int fd = marked_socket(IPPROTO_RAW, 0);
    if (fd >= 0) {
        set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER);
        set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    }
    return fd;
}

int socket_link_out(void)
{
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER);
    return fd;
}

/* ip[9] == ESP and neither offset nor "more fragments" */
static struct sock_filter whole_esp[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP_PROTO_ESP, 0, 3),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, UINT16_MAX), BPF_STMT(BPF_RET | BPF_K, 0),
};

/* The filter is there before the protocol is named, so that nothing else ever gets in. */
int socket_link_in(void)
{
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sock_fprog program = {.len = sizeof whole_esp / sizeof *whole_esp, .filter = whole_esp};
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_IP)};
    if (fd < 0)
        return -1;
    set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
        bind(fd, (const struct sockaddr *)&all, sizeof all) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int socket_esp_in(void)
{
    int fd = marked_socket(IP_PROTO_ESP, SOCK_NONBLOCK);
    if (fd >= 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER);
    return fd;
}

int socket_icmp_errors(void)
{
    int fd = marked_socket(IPPROTO_ICMP, SOCK_NONBLOCK);
    struct icmp_filter all_but = {.data = ~(1u << ICMP_DEST_UNREACH)};
    if (fd < 0 || setsockopt(fd, SOL_RAW, ICMP_FILTER, &all_but, sizeof all_but) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void put_interface(struct msghdr *m, struct socket_target *t, unsigned interface)
{
    struct in_pktinfo info = {.ipi_ifindex = (int)interface};
    m->msg_control = t->control;
    m->msg_controllen = sizeof t->control;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

void socket_aim(struct msghdr *m, struct socket_target *t, uint8_t *packet, size_t len,
                unsigned interface)
{
    t->to.in = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&t->to.in.sin_addr, packet + 16, 4);
    t->iov = (struct iovec){packet, len};
    *m = (struct msghdr){
        .msg_name = &t->to.in, .msg_namelen = sizeof t->to.in, .msg_iov = &t->iov, .msg_iovlen = 1};
    if (interface)
        put_interface(m, t, interface);
}

void socket_aim_link(struct msghdr *m, struct socket_target *t, uint8_t *packet, size_t len,
                     const struct sockaddr_ll *to)
{
    t->to.link = *to;
    t->iov = (struct iovec){packet, len};
    *m = (struct msghdr){.msg_name = &t->to.link,
                         .msg_namelen = sizeof t->to.link,
                         .msg_iov = &t->iov,
                         .msg_iovlen = 1};
}

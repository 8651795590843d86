#pragma once
/* The raw limit of a fan-out: sendmmsg() of one datagram to many endpoints, and nothing else. */
#include "base/bytes.h"
#include "base/ip.h"
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BARE_BATCH = 64 };

static inline struct sockaddr_in bare_address(struct endpoint e)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(e.port),
                                .sin_addr.s_addr = htonl(ip_v4_u32(e.ip))};
}

static inline void bare_must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A blocking UDP socket at that address. */
static inline int bare_socket(struct endpoint at)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = bare_address(at);

    bare_must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0, "socket");
    return fd;
}

/* Seconds of processor time of this thread. */
static inline double bare_send(struct ip from, const struct endpoint *to, size_t n,
                               struct bytes datagram)
{
    struct sockaddr_in a[BARE_BATCH];
    struct mmsghdr m[BARE_BATCH] = {0};
    struct iovec iov = {(void *)(uintptr_t)datagram.data, datagram.len};
    int fd = bare_socket((struct endpoint){from, 0});
    double begin = bench_cpu_s();

    for (size_t at = 0; at < n;) {
        unsigned batch = n - at < BARE_BATCH ? (unsigned)(n - at) : BARE_BATCH;
        for (unsigned i = 0; i < batch; i++) {
            a[i] = bare_address(to[at + i]);
            m[i].msg_hdr = (struct msghdr){
                .msg_name = &a[i], .msg_namelen = sizeof a[i], .msg_iov = &iov, .msg_iovlen = 1};
        }
        int sent = sendmmsg(fd, m, batch, 0);
        bare_must(sent > 0, "sendmmsg");
        at += (size_t)sent;
    }
    double s = bench_cpu_s() - begin;
    (void)close(fd);
    return s;
}

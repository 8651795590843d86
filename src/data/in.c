/* ESP from the external network, opened, to the LAN. */
#include "data/merge.h"
#include "data/path.h"
#include "data/sockets.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct in {
    struct data_path *path;
    uint8_t *slots; /* ESP_BATCH of DATA_SLOT octets */
    struct esp_packet packets[ESP_BATCH];
    struct mmsghdr messages[ESP_BATCH];
    struct iovec iov[ESP_BATCH];
    struct sockaddr_ll from[ESP_BATCH]; /* of the packet socket; the raw one leaves less */
    struct merge merge;
};

static size_t receive(struct in *in, int fd)
{
    for (size_t i = 0; i < ESP_BATCH; i++) {
        in->iov[i] = (struct iovec){in->slots + i * DATA_SLOT, DATA_SLOT};
        in->messages[i].msg_hdr = (struct msghdr){.msg_iov = &in->iov[i],
                                                  .msg_iovlen = 1,
                                                  .msg_name = &in->from[i],
                                                  .msg_namelen = sizeof in->from[i]};
    }
    int n = recvmmsg(fd, in->messages, ESP_BATCH, MSG_DONTWAIT, NULL);
    if (n <= 0)
        return 0;
    data_count(in->path, DATA_RECEIVED, (uint64_t)n);
    return (size_t)n;
}

/* The packet socket hears every interface: ours are the external ones, and what was sent to us. */
static bool is_for_us(const struct in *in, const struct sockaddr_ll *from)
{
    if (from->sll_family != AF_PACKET)
        return true; /* the raw socket's */
    if (from->sll_pkttype != PACKET_HOST && from->sll_pkttype != PACKET_MULTICAST)
        return false;
    for (size_t i = 0; i < in->path->n_external; i++) {
        if (__atomic_load_n(&in->path->external[i].index, __ATOMIC_RELAXED) ==
            (unsigned)from->sll_ifindex)
            return true;
    }
    return false;
}

/* A truncated packet fails as one whose length is wrong. Returns how many are for us. */
static size_t describe(struct in *in, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_for_us(in, &in->from[i]))
            continue;
        if (in->messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            data_count(in->path, DATA_RECEIVED_LONG, 1);
        in->packets[kept++] = (struct esp_packet){
            .buffer = in->iov[i].iov_base, .room = DATA_SLOT, .len = in->messages[i].msg_len};
    }
    return kept;
}

/* --- delivery --- */

static void write_frame(void *context, const struct iovec *iov, int n_iov)
{
    struct in *in = context;
    ssize_t n = writev(in->path->tun, iov, n_iov);
    data_count(in->path, n < 0 ? DATA_TUN_FAILED : DATA_TUN_WRITTEN, 1);
}

/* A multicast route of the kernel has one incoming interface, which is the LAN's: what comes out of
 * the TUN would not be forwarded. So multicast goes to every LAN interface by hand, as a router
 * would send it. */
static void deliver_multicast(struct in *in, struct esp_packet *p)
{
    uint8_t *ip = esp_packet_data(p);
    if (p->inner.ttl <= 1) {
        data_count(in->path, DATA_MULTICAST_TTL, 1);
        return;
    }
    ip[8]--;
    ipv4_write_checksum(ip, p->inner.header_len);
    for (size_t i = 0; i < DATA_LANS_MAX; i++) {
        unsigned lan = __atomic_load_n(&in->path->lans[i], __ATOMIC_RELAXED);
        struct msghdr m;
        struct socket_target target;
        if (!lan)
            break;
        socket_aim(&m, &target, ip, p->len, lan);
        if (sendmsg(in->path->raw, &m, 0) >= 0)
            data_count(in->path, DATA_MULTICAST_OUT, 1);
    }
}

static void deliver(struct in *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct esp_packet *p = &in->packets[i];
        if (p->verdict != ESP_DECRYPTED || !ipv4_is_multicast(p->inner.flow.destination))
            continue;
        deliver_multicast(in, p);
        p->verdict = ESP_IN_DUMMY; /* delivered: merging passes over it */
    }
    merge_run(&in->merge, in->packets, n);
}

static void process(struct in *in, size_t n)
{
    n = describe(in, n);
    pthread_mutex_lock(&in->path->open_lock);
    esp_open(in->path->opener, in->path->view, in->packets, n, data_now());
    pthread_mutex_unlock(&in->path->open_lock);
    deliver(in, n);
}

/* Under a flood the socket is never empty: after some batches the thread looks up. */
static void drain(struct in *in, int fd)
{
    size_t n = ESP_BATCH;
    for (int i = 0; i < DATA_BATCHES && n == ESP_BATCH; i++) {
        n = receive(in, fd);
        if (n > 0)
            process(in, n);
    }
}

static void run(struct in *in)
{
    enum { LINK, RAW, STOP, N };
    struct pollfd fds[N] = {[LINK] = {.fd = in->path->link_in, .events = POLLIN},
                            [RAW] = {.fd = in->path->esp, .events = POLLIN},
                            [STOP] = {.fd = in->path->stop, .events = POLLIN}};
    while (fds[STOP].revents == 0) {
        if (poll(fds, N, -1) < 0)
            continue;
        for (int i = LINK; i <= RAW; i++) {
            if (fds[i].revents)
                drain(in, fds[i].fd);
        }
    }
}

void *data_in_main(void *path)
{
    struct in *in = calloc(1, sizeof *in);
    if (!in)
        abort();
    in->path = path;
    in->merge.emit = write_frame;
    in->merge.context = in;
    in->merge.merges_udp = in->path->tun_takes_udp;
    in->slots = calloc(ESP_BATCH, DATA_SLOT);
    if (!in->slots)
        abort();
    data_hurry();
    run(in);
    explicit_bzero(in->slots, (size_t)ESP_BATCH * DATA_SLOT);
    free(in->slots);
    free(in);
    return NULL;
}

/* Clear packets from the TUN, sealed, to the external network. */
#include "data/cut.h"
#include "data/path.h"
#include "data/sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAME = sizeof(struct virtio_net_hdr) + IPV4_TOTAL_MAX + 1 };

struct out {
    struct data_path *path;
    uint8_t *slots; /* ESP_BATCH of DATA_SLOT octets */
    struct esp_packet packets[ESP_BATCH];
    struct mmsghdr routed[ESP_BATCH], linked[ESP_BATCH];
    size_t n_routed, n_linked;
    struct socket_target targets[ESP_BATCH];
    struct cut cut; /* of the frame below, which may be longer than a batch */
    uint8_t frame[FRAME];
};

/* Reads a frame into the cutter; false when the TUN has none. */
static bool read_frame(struct out *o)
{
    struct virtio_net_hdr h;
    ssize_t n = read(o->path->tun, o->frame, sizeof o->frame);
    if (n < (ssize_t)sizeof h)
        return false;
    memcpy(&h, o->frame, sizeof h);
    data_count(o->path, DATA_TUN_READ, 1);
    if (cut_begin(&o->cut, &h, o->frame + sizeof h, (size_t)n - sizeof h) != ERR_OK)
        data_count(o->path, DATA_TUN_BAD, 1);
    return true;
}

static bool next_packet(struct out *o, struct esp_packet *p, uint8_t *slot)
{
    size_t len = 0;
    while (!cut_next(&o->cut, slot + ESP_HEADROOM, DATA_SLOT - ESP_HEADROOM - ESP_TAILROOM, &len)) {
        if (!read_frame(o))
            return false;
    }
    *p = (struct esp_packet){
        .buffer = slot, .room = DATA_SLOT, .at = ESP_HEADROOM, .len = (uint32_t)len};
    return true;
}

static size_t fill(struct out *o)
{
    size_t n = 0;
    while (n < ESP_BATCH && next_packet(o, &o->packets[n], o->slots + n * DATA_SLOT))
        n++;
    return n;
}

/* --- sending --- */

static void count_failure(struct data_path *path)
{
    data_count(path, errno == EMSGSIZE ? DATA_SEND_TOO_BIG : DATA_SEND_FAILED, 1);
}

/* One packet that the kernel refuses does not keep the others. */
static void send_all(struct data_path *path, int fd, struct mmsghdr *m, size_t n)
{
    while (n > 0) {
        int sent = sendmmsg(fd, m, (unsigned)n, 0);
        size_t done = sent > 0 ? (size_t)sent : 1;
        if (sent > 0)
            data_count(path, DATA_SENT, done);
        else if (errno == EINTR)
            continue;
        else
            count_failure(path);
        m += done;
        n -= done;
    }
}

static unsigned interface_of(const struct data_path *path, const struct esp_packet *p)
{
    size_t e = path->external_of_vpn[p->sa->vpn];
    return __atomic_load_n(&path->external[e].index, __ATOMIC_RELAXED);
}

/* Multicast needs its interface, a known neighbour needs no route; the rest is the kernel's. */
static void aim(struct out *o, struct esp_packet *p, struct socket_target *target, instant_t now,
                bool *ask)
{
    struct data_path *path = o->path;
    uint32_t to = p->inner.flow.destination;
    bool multicast = ipv4_is_multicast(to);
    const struct sockaddr_ll *neighbour =
        path->link < 0 || multicast ? NULL : nexthop_find(&path->nexthops, to, now, ask);
    if (neighbour)
        socket_aim_link(&o->linked[o->n_linked++].msg_hdr, target, esp_packet_data(p), p->len,
                        neighbour);
    else
        socket_aim(&o->routed[o->n_routed++].msg_hdr, target, esp_packet_data(p), p->len,
                   multicast ? interface_of(path, p) : 0);
}

static void aim_sealed(struct out *o, size_t n, instant_t now)
{
    bool ask = false;
    o->n_routed = o->n_linked = 0;
    for (size_t i = 0; i < n; i++) {
        if (o->packets[i].verdict == ESP_ENCRYPTED)
            aim(o, &o->packets[i], &o->targets[i], now, &ask);
    }
    if (ask)
        data_wake_slow(o->path);
}

/* --- hosts that send too much at once --- */

static void answer_too_big(struct out *o, const struct esp_packet *p, instant_t now)
{
    struct {
        struct virtio_net_hdr h;
        uint8_t packet[ESP_TOO_BIG_MAX];
    } frame = {0};
    uint32_t gateway = ip_v4_u32(o->path->inside_address);
    size_t len =
        gateway ? esp_too_big(o->path->sealer, p, gateway, now, frame.packet, sizeof frame.packet)
                : 0;
    struct iovec iov[] = {{&frame.h, sizeof frame.h}, {frame.packet, len}};
    if (len > 0 && writev(o->path->tun, iov, 2) < 0)
        return; /* the host will ask again with its next packet */
}

static void process(struct out *o, size_t n)
{
    instant_t now = data_now();
    pthread_mutex_lock(&o->path->seal_lock);
    esp_seal(o->path->sealer, o->path->view, o->packets, n, now);
    for (size_t i = 0; i < n; i++) {
        if (o->packets[i].verdict == ESP_OUT_TOO_BIG)
            answer_too_big(o, &o->packets[i], now);
    }
    /* a packet's SA is there only as long as the view: what sending needs of it is read now */
    aim_sealed(o, n, now);
    pthread_mutex_unlock(&o->path->seal_lock);
    send_all(o->path, o->path->raw, o->routed, o->n_routed);
    send_all(o->path, o->path->link, o->linked, o->n_linked);
}

/* Under a flood the TUN is never empty: after some batches the thread looks up. */
static void drain(struct out *o)
{
    size_t n = ESP_BATCH;
    for (int i = 0; i < DATA_BATCHES && n == ESP_BATCH; i++) {
        n = fill(o);
        if (n > 0)
            process(o, n);
    }
}

static void run(struct out *o)
{
    struct pollfd fds[] = {{.fd = o->path->tun, .events = POLLIN},
                           {.fd = o->path->stop, .events = POLLIN}};
    while (fds[1].revents == 0) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            drain(o);
    }
}

void *data_out_main(void *path)
{
    struct out *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->path = path;
    o->slots = calloc(ESP_BATCH, DATA_SLOT);
    if (!o->slots)
        abort();
    o->cut.done = true;
    data_hurry();
    run(o);
    explicit_bzero(o->slots, (size_t)ESP_BATCH * DATA_SLOT);
    explicit_bzero(o->frame, sizeof o->frame);
    free(o->slots);
    free(o);
    return NULL;
}

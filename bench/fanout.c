/* One datagram to 100,000 endpoints, on the loopback interface: through host_udp_fanout(), as the
 * daemon sends a push, and beside it in the same run, in turns, a bare sendmmsg() loop of the same
 * size. Who receives is one socket for all addresses of 127/8, and nobody reads it: what is
 * measured is sending.
 *
 *     fanout              the above
 *     fanout DEVICE MAC   through a device instead, to a neighbour with that address who drops
 *                         everything: sendmmsg() on an UDP socket, and on AF_PACKET with frames of
 *                         our own making (bench/fanout_link.sh) */
#include "bare_send.h"
#include "host/loop.h"
#include "host/udp.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>

enum { MEMBERS = 100000, OCTETS = 300, TURNS = 5, PORT = 18482 };

static struct endpoint members[MEMBERS];
static uint8_t datagram[OCTETS];

/* ---- as the daemon does it ---- */

static struct host *host;

static void due(void *ctx, instant_t now)
{
    (void)ctx;
    (void)now;
}
static void stop(void *ctx) { (void)ctx; }
static void received(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data, size_t len)
{
    (void)ctx;
    (void)from;
    (void)to;
    (void)data;
    (void)len;
}
static void batch_end(void *ctx) { (void)ctx; }
static void failed(void *ctx, struct endpoint to, int error)
{
    (void)ctx;
    (void)to;
    errno = error;
    bare_must(false, "send");
}
static void fanned_out(void *ctx, const struct host_udp_fanned_out *result)
{
    (void)ctx;
    errno = result->error;
    bare_must(result->n_sent == MEMBERS, "the fan-out");
    host_quit(host);
}

static double ours(void)
{
    const struct host_hooks host_hooks = {NULL, due, stop};
    const struct host_udp_hooks hooks = {NULL, received, batch_end, failed, fanned_out};
    const struct host_udp_fanout push = {members, MEMBERS, BYTES_OF(datagram), NULL};
    struct host_udp *udp;

    bare_must(host_new(&host_hooks, 1, &host) == ERR_OK, "event loop");
    bare_must(host_udp_open(host, (struct endpoint){ip_v4(INADDR_LOOPBACK), 0}, 0, &hooks, &udp) ==
                  ERR_OK,
              "socket");
    double begin = bench_cpu_s();
    host_udp_fanout(udp, &push);
    host_run(host);
    double s = bench_cpu_s() - begin;
    host_udp_close(udp);
    host_free(host);
    return s;
}

static void on_loopback(void)
{
    int receiver = bare_socket((struct endpoint){ip_v4(INADDR_ANY), PORT});
    double bare_s = 0, ours_s = 0;

    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = (struct endpoint){ip_v4(0x7f010001u + (uint32_t)i), PORT};
    (void)bare_send(ip_v4(INADDR_LOOPBACK), members, MEMBERS,
                    BYTES_OF(datagram)); /* warms routes and caches */
    for (int turn = 0; turn < TURNS; turn++) {
        bare_s += bare_send(ip_v4(INADDR_LOOPBACK), members, MEMBERS, BYTES_OF(datagram));
        ours_s += ours();
    }
    double bare_rate = TURNS * (double)MEMBERS / bare_s;
    bench_print("fan-out of 300 octets, loopback", TURNS * (double)MEMBERS / ours_s, "/s per core",
                bare_rate, "a bare sendmmsg loop");
    bench_print("bare sendmmsg, 300 octets, loopback", bare_rate, "/s per core", 0, NULL);
    (void)close(receiver);
}

/* ---- past UDP and routing ---- */

enum { ETHER = 14, IP = 20, UDP = 8, FRAME = ETHER + IP + UDP + OCTETS };

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* Ethernet, IPv4 and UDP headers (without the optional UDP checksum) around the datagram. */
static void make_template(const uint8_t mac[6], uint8_t f[FRAME])
{
    uint8_t *ip = f + ETHER, *udp = ip + IP;

    memcpy(f, mac, 6);
    put16(f + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, FRAME - ETHER);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    put32(ip + 12, 0x0a550001);
    put16(udp, PORT);
    put16(udp + 2, PORT);
    put16(udp + 4, UDP + OCTETS);
}

static void aim_frame(uint8_t f[FRAME], struct endpoint to)
{
    uint8_t *ip = f + ETHER;
    uint32_t sum = 0;

    put32(ip + 16, ip_v4_u32(to.ip));
    put16(ip + 10, 0);
    for (size_t i = 0; i < IP; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static double frames(const char *device, const uint8_t mac[6])
{
    static uint8_t batch[BARE_BATCH][FRAME];
    static struct mmsghdr m[BARE_BATCH];
    static struct iovec iov[BARE_BATCH];
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(device), .sll_halen = 6};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

    bare_must(fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) == 0,
              device);
    memcpy(link.sll_addr, mac, 6);
    for (size_t i = 0; i < BARE_BATCH; i++) {
        make_template(mac, batch[i]);
        iov[i] = (struct iovec){batch[i], FRAME};
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &link, .msg_namelen = sizeof link, .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    double begin = bench_cpu_s();
    for (size_t at = 0; at < MEMBERS;) {
        unsigned n = MEMBERS - at < BARE_BATCH ? (unsigned)(MEMBERS - at) : BARE_BATCH;
        for (unsigned i = 0; i < n; i++)
            aim_frame(batch[i], members[at + i]);
        int sent = sendmmsg(fd, m, n, 0);
        bare_must(sent > 0, "sendmmsg of frames");
        at += (size_t)sent;
    }
    double s = bench_cpu_s() - begin;
    (void)close(fd);
    return s;
}

static void on_device(const char *device, const char *mac_text)
{
    const struct ether_addr *mac = ether_aton(mac_text);
    double bare_s = 0, frames_s = 0;

    bare_must(mac != NULL, mac_text);
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = (struct endpoint){ip_v4(0x0a000001u + (uint32_t)i), PORT};
    (void)bare_send(ip_v4(INADDR_ANY), members, MEMBERS, BYTES_OF(datagram));
    for (int turn = 0; turn < TURNS; turn++) {
        bare_s += bare_send(ip_v4(INADDR_ANY), members, MEMBERS, BYTES_OF(datagram));
        frames_s += frames(device, mac->ether_addr_octet);
    }
    double bare_rate = TURNS * (double)MEMBERS / bare_s;
    bench_print("fan-out as frames (AF_PACKET), veth", TURNS * (double)MEMBERS / frames_s,
                "/s per core", bare_rate, "sendmmsg over UDP");
    bench_print("bare sendmmsg, 300 octets, veth", bare_rate, "/s per core", 0, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        on_device(argv[1], argv[2]);
    else
        on_loopback();
    return 0;
}

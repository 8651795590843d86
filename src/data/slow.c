/* What happens seldom: path MTU messages, new multicast flows and groups, interfaces that come and
 * go. */
#include "data/kernel.h"
#include "data/multicast.h"
#include "data/path.h"
#include "data/pmtu.h"
#include "data/rtnl.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 1000, LINKS_MAX = 256, ICMP_AT_ONCE = 32 };

struct slow {
    struct data_path *path;
    struct pmtu pmtu;
    unsigned mtu; /* that the TUN has from us */
};

/* --- interfaces --- */

static void follow_externals(struct data_path *p)
{
    for (size_t i = 0; i < p->n_external; i++)
        __atomic_store_n(&p->external[i].index, if_nametoindex(p->external[i].name),
                         __ATOMIC_RELAXED);
}

static size_t follow_lans(struct data_path *p)
{
    struct rtnl_link links[LINKS_MAX];
    size_t n_links = 0, n = 0;
    if (rtnl_links(p->slow_rtnl, links, LINKS_MAX, &n_links))
        return 0;
    for (size_t i = 0; i < n_links && n < DATA_LANS_MAX; i++) {
        if (links[i].group == DATA_LAN_GROUP && links[i].up)
            __atomic_store_n(&p->lans[n++], links[i].index, __ATOMIC_RELAXED);
    }
    for (size_t i = n; i < DATA_LANS_MAX; i++)
        __atomic_store_n(&p->lans[i], 0, __ATOMIC_RELAXED);
    return n;
}

static void follow_mtu(struct slow *s)
{
    struct data_path *p = s->path;
    size_t external = data_external_mtu(p, p->slow_rtnl);
    pthread_mutex_lock(&p->slow_lock);
    unsigned mtu = esp_sadb_inner_max(p->sadb, external);
    pthread_mutex_unlock(&p->slow_lock);
    if (mtu == 0 || mtu == s->mtu)
        return;
    if (kernel_tun_mtu(p->slow_rtnl, mtu) == 0)
        s->mtu = mtu;
}

static void follow_links(struct slow *s)
{
    struct data_path *p = s->path;
    int error = kernel_adopt_lans(p->slow_rtnl, p->vpns, p->n_vpns);
    (void)error; /* tried again at the next tick */
    follow_externals(p);
    size_t n_lans = follow_lans(p);
    follow_mtu(s);
    if (!p->multicast)
        return;
    struct multicast_links links = {p->lans, n_lans, if_nametoindex(DATA_TUN),
                                    p->n_external ? p->external[0].index : 0};
    pthread_mutex_lock(&p->slow_lock);
    multicast_update(p->multicast, &links, p->view);
    pthread_mutex_unlock(&p->slow_lock);
}

/* --- neighbours --- */

static void answer_sender(struct data_path *p)
{
    uint32_t wanted[NEXTHOPS];
    unsigned links[DATA_EXTERNALS_MAX] = {0};
    for (size_t i = 0; i < p->n_external; i++)
        links[i] = p->external[i].index;
    pthread_mutex_lock(&p->seal_lock);
    size_t n = nexthop_wanted(&p->nexthops, wanted, NEXTHOPS);
    pthread_mutex_unlock(&p->seal_lock);
    for (size_t i = 0; i < n; i++) {
        struct sockaddr_ll to;
        bool found = nexthop_resolve(p->slow_rtnl, wanted[i], links, p->n_external, &to);
        pthread_mutex_lock(&p->seal_lock);
        nexthop_store(&p->nexthops, wanted[i], found ? &to : NULL, data_now());
        pthread_mutex_unlock(&p->seal_lock);
    }
}

/* --- path MTU --- */

static void read_icmp(struct slow *s)
{
    uint8_t packet[2048];
    for (int i = 0; i < ICMP_AT_ONCE; i++) {
        uint32_t destination = 0;
        uint16_t mtu = 0;
        ssize_t n = recv(s->path->icmp, packet, sizeof packet, MSG_DONTWAIT);
        if (n < 0)
            return;
        pthread_mutex_lock(&s->path->slow_lock);
        bool ours = pmtu_read(s->path->view, bytes(packet, (size_t)n), &destination, &mtu);
        pthread_mutex_unlock(&s->path->slow_lock);
        data_count(s->path, ours ? DATA_PMTU_LEARNED : DATA_PMTU_IGNORED, 1);
        if (ours)
            pmtu_learn(&s->pmtu, destination, mtu, data_now());
    }
}

/* --- the thread --- */

static void clear_event(int fd)
{
    uint64_t n;
    (void)!read(fd, &n, sizeof n);
}

static void serve(struct slow *s, const struct pollfd *fds)
{
    struct data_path *p = s->path;
    if (fds[0].revents) {
        clear_event(p->wake);
        answer_sender(p);
    }
    if (fds[1].revents)
        read_icmp(s);
    if (fds[2].revents) {
        pthread_mutex_lock(&p->slow_lock);
        multicast_read(p->multicast, p->view);
        pthread_mutex_unlock(&p->slow_lock);
    }
}

static void run(struct slow *s)
{
    struct data_path *p = s->path;
    struct pollfd fds[] = {{.fd = p->wake, .events = POLLIN},
                           {.fd = p->icmp, .events = POLLIN},
                           {.fd = p->multicast ? multicast_fd(p->multicast) : -1, .events = POLLIN},
                           {.fd = p->stop, .events = POLLIN}};
    instant_t tick = {0};
    while (fds[3].revents == 0) {
        instant_t now = data_now();
        bool changed = __atomic_exchange_n(&p->changed, false, __ATOMIC_ACQUIRE);
        if (changed || instant_reached(tick, now)) {
            follow_links(s);
            pmtu_sweep(&s->pmtu, now, false);
            tick = instant_add(now, span_ms(TICK_MS));
        }
        if (poll(fds, 4, TICK_MS) >= 0)
            serve(s, fds);
    }
    pmtu_sweep(&s->pmtu, data_now(), true);
}

void *data_slow_main(void *path)
{
    struct slow *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->path = path;
    s->pmtu.inside = s->path->inside_address;
    s->pmtu.rtnl = s->path->slow_rtnl;
    run(s);
    free(s);
    return NULL;
}
